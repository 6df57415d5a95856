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
    api::administering::{self, Losing},
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

/// The choice that leaves the addresses alone: somebody may have narrowed them elsewhere.
const KEPT: &str = "kept";

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
            @if let Some(because) = &arrivals.closed_because {
                p.problem { "Its ports cannot be opened: " (text::stranger(because)) ". Who sends there is not heard. The sensor tries again by itself: stop the program that has them, or restart the sensor." }
            }
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
    html! {
        h3 { "One shared secret for everybody" }
        p.quiet { "All VPN servers use the same secret; a VPN server that is set for itself keeps its own." }
        (secret_form(visitor, view, client, if client.is_some() { KEPT } else { SCOPES[0].0 }))
    }
}

fn secret_form(visitor: &Visitor, view: &View, client: Option<&Entry>, scope: &str) -> Markup {
    let is_set = client.is_some();
    html! {
        form.narrow method="post" action="/settings/vpn/secret" {
            (hidden(visitor, view))
            label { "From where" select name="scope" {
                @if let Some(client) = client {
                    option value=(KEPT) selected[scope == KEPT] { "As they are now (" (text::visible(&lists::said(client, "address"))) ")" }
                }
                @for (name, title, _) in SCOPES {
                    option value=(name) selected[name == scope] { (title) }
                }
            } }
            label {
                "Shared secret" @if is_set { " (one is set; it is not shown)" }
                input type="password" name="secret" maxlength="256" autocomplete="new-password";
            }
            @if let Some(client) = client { (keep(client)) }
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
    // Whatever else is sent changes no addresses: where there is no such client yet, that is refused.
    let scope = SCOPES.iter().find(|(name, ..)| *name == fields.get("scope"));
    let generated = fields.get("do") == "generate";
    let secret = match generated {
        true => portal.api.administration()?.generate(),
        false => SecretText::new(fields.raw("secret").to_owned()),
    };
    let (list, name) = (List::Client, EVERYBODY.to_owned());
    let readdress = scope.map(|(.., addresses)| Edit::Put {
        list,
        name: name.clone(),
        fields: [("address".to_owned(), json!(addresses))].into_iter().collect(),
    });
    let mut edits: Vec<Edit> = readdress.into_iter().collect();
    edits.push(another_secret(&fields, name, secret.clone()));
    let why = match form::save(&portal, &visitor, &fields, edits, Losing::May).await? {
        Ok(()) if generated => return Ok(shown_once(&visitor, EVERYBODY, &secret)),
        Ok(()) => return Ok(Redirect::to("/settings/listening").into_response()),
        Err(why) => why,
    };
    let again = |view: &View| {
        let client = view.entries.iter().find(|entry| entry.list == list && entry.name == EVERYBODY);
        secret_form(&visitor, view, client, scope.map_or(KEPT, |(name, ..)| *name))
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

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::{
        control::Role,
        portal::testing::{self, Administered},
        settings::Origin,
    };

    fn view(entries: Vec<Entry>) -> View {
        View { revision: "1".to_owned(), keys: Vec::new(), entries, restart_needed: Vec::new() }
    }

    fn everybody(address: &str) -> Entry {
        Entry {
            list: List::Client,
            name: EVERYBODY.to_owned(),
            origin: Origin { layer: Layer::Portal, file: None, line: None },
            fields: [("address".to_owned(), json!([address]))].into_iter().collect(),
            has_secret: true,
            has_previous_secret: false,
            has_weak_secret: false,
            heard: None,
            ends: None,
        }
    }

    #[tokio::test]
    async fn another_secret_leaves_addresses_alone_that_somebody_narrowed() {
        let (folder, administered) =
            (tempfile::tempdir().unwrap(), Administered::with(view(vec![everybody("192.0.2.0/28")])));
        let portal = testing::portal(folder.path(), Some(administered.clone())).await;
        let visit = testing::visit(&portal, "carol", Role::Administrator);
        let cookie = [("cookie", &*visit)];
        let (_, _, page) = testing::ask(&portal, HERE, &cookie, None).await;
        let kept = "<option value=\"kept\" selected>As they are now (192.0.2.0/28)</option>";
        assert!(page.contains(kept) && page.matches(" selected>").count() == 1, "{page}");
        let token = testing::hidden(&page, "token");
        let save = async |scope: &str| {
            let form =
                format!("token={token}&revision=1&secret=a+secret+of+twenty+octets&do=set&scope={scope}");
            testing::ask(&portal, "/settings/vpn/secret", &cookie, Some(&form)).await.0
        };
        assert_eq!(save("kept").await, StatusCode::SEE_OTHER);
        let [Edit::Secret { name, .. }] = &administered.edits()[..] else {
            panic!("{:?}", administered.edits());
        };
        assert_eq!(name, EVERYBODY);
        assert_eq!(save("any").await, StatusCode::SEE_OTHER);
        let [_, Edit::Put { fields, .. }, Edit::Secret { .. }] = &administered.edits()[..] else {
            panic!("{:?}", administered.edits());
        };
        assert_eq!(fields["address"], json!(["0.0.0.0/0", "::/0"]));
    }

    #[test]
    fn a_first_secret_is_for_private_addresses_unless_others_are_chosen() {
        let page = one_secret(&testing::visitor(), &view(Vec::new()), None).into_string();
        assert!(page.contains("value=\"private\" selected") && !page.contains(KEPT), "{page}");
    }
}
