//! Accounting on and off, and one shared secret for everybody.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::json;

use super::{
    clients::{another_secret, keep},
    form::{self, Fields, Sent},
    guides::here,
    hidden, lists, origin, page as settings_page, restart, view,
};
use crate::{
    api::administering,
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Arrivals, Edit, Entry, Layer, List, SecretText, View},
};

/// The client that one secret for everybody makes.
const EVERYBODY: &str = "everybody";
const ACCOUNTING: &str = "listen.accounting";
const HERE: &str = "/settings/vpn";
/// What accounting that is off does to people.
pub(in crate::portal) const REFUSING: &str =
    "Some VPN servers (ocserv, strongSwan, accel-ppp) refuse log-ins when nobody answers their accounting";

/// Whose datagrams count when one secret is for everybody.
const SCOPES: [(&str, &str, &[&str]); 2] = [
    (
        "private",
        "Private addresses and this host",
        &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"],
    ),
    ("any", "Any address", &["0.0.0.0/0", "::/0"]),
];

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let (arrivals, view) = (administering::arrived(&portal.api).await?, view(&portal).await?);
    Ok(settings_page(&visitor, "VPN", &content(&visitor, &arrivals, &view)))
}

fn content(visitor: &Visitor, arrivals: &Arrivals, view: &View) -> Markup {
    let clients: Vec<&Entry> = view.entries.iter().filter(|entry| entry.list == List::Client).collect();
    let everybody = clients.iter().find(|client| client.name == EVERYBODY);
    html! {
        (restart(view))
        @if let Some(key) = view.keys.iter().find(|key| key.key == ACCOUNTING) {
            h2 { "RADIUS accounting" }
            @let is_on = key.value == "true";
            p { "Accounting is " strong { @if is_on { "on" } @else { "off" } } " (" (origin(&key.origin)) ")." }
            @if !is_on {
                p.problem { "Its ports are closed: nobody who connects is seen. " (REFUSING) " while it is off: turn it on, or take this host out of their accounting." }
            }
            @if key.origin.layer != Layer::File {
                @let form = |says: &str| html! { form method="post" action="/settings/vpn/accounting" {
                    (hidden(visitor, view))
                    input type="hidden" name="on" value=(!is_on);
                    button { (says) }
                } };
                @if is_on {
                    (lists::asked(
                        &html! { "Turn accounting off" },
                        &html! { "Off closes its ports. " (REFUSING) ": take this host out of their accounting first." },
                        &form("Yes, turn it off"),
                    ))
                } @else { (form("Turn accounting on")) }
            }
        }
        h2 { "Who may send" }
        @for client in clients.iter().filter(|client| client.has_weak_secret) { (weak(client)) }
        @if let [only] = clients[..] && only.origin.layer == Layer::Default {
            p { "This host alone, with a generated secret. Set a secret for everybody here, or one for "
                a href="/settings/clients" { "each VPN server" } "." }
        } @else {
            p { (clients.len()) " " a href="/settings/clients" { "VPN servers or ranges" } " are set." }
        }
        @match everybody {
            Some(client) if client.origin.layer == Layer::File => {
                p { "One secret is for everybody: " (origin(&client.origin)) "." }
            }
            client => (one_secret(visitor, view, client.copied())),
        }
        p { "Then point your VPN servers at " (here(&arrivals.addresses)) ", and "
            a href="/settings/listening" { "watch for the first packet" } "." }
    }
}

/// That a secret is short, and what to do; nothing where none is.
pub(super) fn weak(client: &Entry) -> Markup {
    html! {
        @if client.has_weak_secret {
            p.problem {
                "The secret of " (text::stranger(&client.name)) " is shorter than 16 characters: whoever sees one request can guess it without asking anybody. "
                @match client.origin.layer {
                    Layer::File => { "Change it on the VPN server, and where it is " (origin(&client.origin)) "." },
                    _ => "Generate another one, and type it into the VPN server.",
                }
            }
        }
    }
}

fn one_secret(visitor: &Visitor, view: &View, client: Option<&Entry>) -> Markup {
    let addresses = client.and_then(|client| client.fields.get("address"));
    let is_any = addresses == Some(&json!(SCOPES[1].2));
    html! {
        h3 { "One shared secret for everybody" }
        p.quiet { "All VPN servers use the same secret; a VPN server that is set for itself keeps its own." }
        (secret_form(visitor, view, client.is_some(), if is_any { "any" } else { "private" }))
    }
}

fn secret_form(visitor: &Visitor, view: &View, is_set: bool, scope: &str) -> Markup {
    html! {
        form.narrow method="post" action="/settings/vpn/secret" {
            (hidden(visitor, view))
            label { "From where" select name="scope" {
                @for (name, title, _) in SCOPES {
                    option value=(name) selected[name == scope] { (title) }
                }
            } }
            label {
                "Shared secret" @if is_set { " (one is set; it is not shown)" }
                input type="password" name="secret" maxlength="256" autocomplete="new-password";
            }
            @if is_set { (keep()) }
            div.buttons {
                button name="do" value="set" { "Use this secret" }
                button name="do" value="generate" { "Generate one" }
            }
        }
    }
}

pub(super) async fn switch(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let value = json!(fields.get("on") == "true");
    let edits = vec![Edit::Set { key: ACCOUNTING.to_owned(), value }];
    form::change(&portal, &visitor, &fields, edits, HERE, form::nothing_again).await
}

pub(super) async fn set_secret(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let scope = SCOPES.iter().find(|(name, ..)| *name == fields.get("scope")).unwrap_or(&SCOPES[0]);
    let generated = fields.get("do") == "generate";
    let secret = match generated {
        true => portal.api.administration()?.generate(),
        false => SecretText::new(fields.raw("secret").to_owned()),
    };
    let (list, name) = (List::Client, EVERYBODY.to_owned());
    let address = [("address".to_owned(), json!(scope.2))].into_iter().collect();
    let put = Edit::Put { list, name: name.clone(), fields: address };
    let edits = vec![put, another_secret(&fields, name, secret.clone())];
    let why = match form::save(&portal, &visitor, &fields, edits).await? {
        Ok(()) if generated => return Ok(shown_once(&visitor, EVERYBODY, &secret)),
        Ok(()) => return Ok(Redirect::to("/settings/listening").into_response()),
        Err(why) => why,
    };
    let again = |view: &View| {
        let is_set = view.entries.iter().any(|entry| entry.list == list && entry.name == EVERYBODY);
        secret_form(&visitor, view, is_set, scope.0)
    };
    let again = form::as_it_was(&portal, &fields, &why, again).await;
    Ok(form::not_changed(&visitor, why, HERE, &again))
}

/// A generated secret, this once.
pub(super) fn shown_once(visitor: &Visitor, client: &str, secret: &SecretText) -> Response {
    let content = html! {
        p { "The secret of " strong { (client) } " is in force. It is shown this once: type it into the VPN server now." }
        p { code.secret { (secret.reveal()) } }
        p { a href="/settings/listening" { "Watch for the first packet" } }
    };
    settings_page(visitor, "A new secret", &content)
}
