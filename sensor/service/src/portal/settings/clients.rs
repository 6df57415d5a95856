//! VPN servers and ranges, each with its secret: two at once while one is being replaced.

use axum::{Extension, extract::State, response::Response};
use insight::vpn::Vendor;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    form::{self, Fields, Sent},
    hidden,
    lists::{self, said},
    origin, page as settings_page, restart, view,
    vpn::{shown_once, weak},
};
use crate::{
    api::administering::Losing,
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Edit, Entry, Layer, List, SecretText, View},
};

const HERE: &str = "/settings/clients";

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let content = html! {
        (restart(&view))
        p { "The address that a datagram comes from selects the entry, and its secret; of several, the longest prefix." }
        @for client in lists::entries(&view, List::Client) { (card(&visitor, &view, client)) }
        h2 { "Add a VPN server or a range" }
        (adding(&visitor, &view, "", "", "auto"))
    };
    Ok(settings_page(&visitor, "VPN servers", &content))
}

fn adding(visitor: &Visitor, view: &View, name: &str, address: &str, vendor: &str) -> Markup {
    html! {
        form.narrow method="post" action=(HERE) {
            (lists::about(visitor, view, None))
            label { "Name" input name="name" value=(name) required maxlength="64"; }
            (addresses(address)) (vendors(vendor)) (secret_field())
            div.buttons { button name="do" value="set" { "Add it with this secret" } button name="do" value="generate" { "Add it and generate a secret" } }
        }
    }
}

fn readdressing(visitor: &Visitor, view: &View, client: &Entry, address: &str, vendor: &str) -> Markup {
    html! {
        form.narrow method="post" action=(HERE) {
            (lists::about(visitor, view, Some(client))) (addresses(address)) (vendors(vendor))
            button { "Save" }
        }
    }
}

/// The form of either as it was sent.
fn again(visitor: &Visitor, view: &View, fields: &Fields) -> Markup {
    let [name, address, vendor] = ["name", "address", "vendor"].map(|key| fields.get(key));
    lists::again(fields, view, List::Client, |client| match client {
        Some(client) => readdressing(visitor, view, client, address, vendor),
        None => adding(visitor, view, name, address, vendor),
    })
}

fn card(visitor: &Visitor, view: &View, client: &Entry) -> Markup {
    let heard = client.heard.clone().unwrap_or_default();
    let vendor = client.fields.get("vendor").and_then(Value::as_str).unwrap_or("auto");
    let address = said(client, "address");
    html! {
        section.card {
            h2 { (text::stranger(&client.name)) }
            (weak(client))
            dl {
                dt { "Addresses" } dd { (address) }
                dt { "Vendor" } dd { (vendor) }
                dt { "Set" } dd { (origin(&client.origin)) }
                dt { "Secret last used" } dd { (used(heard.secret_used.as_deref())) }
                @if client.has_previous_secret {
                    dt { "Secret before, last used" } dd { (used(heard.previous_secret_used.as_deref())) }
                }
                dt { "Requests proved" } dd { (heard.genuine) @if heard.wrong_secret > 0 { ", " strong { (heard.wrong_secret) " with a wrong secret" } } }
            }
            @if client.origin.layer == Layer::Portal { (changes(visitor, view, client, &address, vendor)) }
        }
    }
}

fn changes(visitor: &Visitor, view: &View, client: &Entry, address: &str, vendor: &str) -> Markup {
    let about = html! { (hidden(visitor, view)) input type="hidden" name="name" value=(client.name); };
    html! {
        details {
            summary { "Another secret" }
            form.narrow method="post" action="/settings/clients/secret" {
                (about) (secret_field())
                (keep())
                div.buttons { button name="do" value="set" { "Use this secret" } button name="do" value="generate" { "Generate one" } }
            }
        }
        @if client.has_previous_secret {
            (lists::asked(
                &html! { "Accept the secret before no more" },
                &html! { "VPN servers that still have it are refused from then on." },
                &html! { form method="post" action="/settings/clients/secret" {
                    (about) button name="do" value="end" { "Yes, accept it no more" }
                } },
            ))
        }
        details {
            summary { "Addresses and vendor" }
            (readdressing(visitor, view, client, address, vendor))
        }
        (lists::removing(&hidden(visitor, view), HERE, &client.name))
    }
}

fn used(moment: Option<&str>) -> Markup {
    match moment {
        Some(moment) => text::moment(moment),
        None => html! { span.quiet { "not seen yet" } },
    }
}

pub(super) fn addresses(value: &str) -> Markup {
    html! { label { "Addresses or ranges, such as 192.0.2.10, 198.51.100.0/24" input name="address" value=(value) required maxlength="4096"; } }
}

pub(super) fn secret_field() -> Markup {
    html! { label { "Shared secret, which should have 16 characters or more" input type="password" name="secret" maxlength="256" autocomplete="new-password"; } }
}

/// Whether a secret that is replaced goes on being accepted.
pub(super) fn keep() -> Markup {
    html! { label.choice { input type="checkbox" name="keep" value="true" checked; "Accept the one before as well, until you say otherwise" } }
}

/// Another secret for a client, as [`keep`] was answered.
pub(super) fn another_secret(fields: &Fields, name: String, secret: SecretText) -> Edit {
    match fields.get("keep") {
        "true" => Edit::Rotate { name, secret },
        _ => Edit::Secret { list: List::Client, name, secret },
    }
}

pub(super) fn vendors(chosen: &str) -> Markup {
    html! {
        label { "Vendor" select name="vendor" {
            option value="auto" selected[chosen == "auto"] { "Found out from each request" }
            @for vendor in Vendor::all().filter(|vendor| *vendor != Vendor::Unknown) {
                option value=(vendor.name()) selected[chosen == vendor.name()] { (vendor.title()) }
            }
        } }
    }
}

/// The keys of a client as a form has them.
pub(super) fn fields_of(fields: &Fields) -> Map<String, Value> {
    let vendor = match fields.get("vendor") {
        "" | "auto" => Value::Null,
        vendor => json!(vendor),
    };
    [("address".to_owned(), json!(fields.words("address"))), ("vendor".to_owned(), vendor)]
        .into_iter()
        .collect()
}

pub(super) async fn put(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let (list, name) = (List::Client, fields.get("name").to_owned());
    let mut edits = lists::edits(&portal, &fields, list, fields_of(&fields)).await?;
    if lists::is_change(&fields) {
        return form::change(&portal, &visitor, &fields, edits, HERE, |view| again(&visitor, view, &fields))
            .await;
    }
    with_secret(&portal, &visitor, &fields, &name, |secret| {
        edits.push(Edit::Secret { list, name: name.clone(), secret });
        edits
    })
    .await
}

pub(super) async fn secret(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let name = fields.get("name").to_owned();
    if fields.get("do") == "end" {
        let edits = vec![Edit::EndRotation { name }];
        return form::change(&portal, &visitor, &fields, edits, HERE, form::nothing_again).await;
    }
    with_secret(&portal, &visitor, &fields, &name, |secret| {
        vec![another_secret(&fields, name.clone(), secret)]
    })
    .await
}

/// With a typed secret, or one that is generated and shown once.
async fn with_secret(
    portal: &Shared,
    visitor: &Visitor,
    fields: &Fields,
    name: &str,
    edits: impl FnOnce(SecretText) -> Vec<Edit>,
) -> Result<Response, Refused> {
    // Of a secret alone nothing is left to be typed but that.
    let is_adding = !fields.get("address").is_empty();
    let again = |view: &View| {
        if is_adding {
            again(visitor, view, fields)
        } else {
            html! {}
        }
    };
    if fields.get("do") != "generate" {
        let edits = edits(SecretText::new(fields.raw("secret").to_owned()));
        return form::change(portal, visitor, fields, edits, HERE, again).await;
    }
    let secret = portal.api.administration()?.generate();
    match form::save(portal, visitor, fields, edits(secret.clone()), Losing::May).await? {
        Ok(()) => Ok(shown_once(visitor, name, &secret)),
        Err(why) => {
            let again = form::as_it_was(portal, fields, &why, again).await;
            Ok(form::not_changed(visitor, why, HERE, &again))
        }
    }
}
