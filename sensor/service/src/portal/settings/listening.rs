//! Listening for the first packet: who sends without being let in, and how to let her in. A secret is tried on the latest
//! request of its source before it is saved.

use std::{cmp::Reverse, net::IpAddr};

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use ipnet::IpNet;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    clients::{addresses, ends_generated, fields_of, newest, rotated, secret_field, vendors},
    form::{self, Fields, Sent},
    guides::guides,
    hidden, lists, origin, page as settings_page, page_with, view,
};
use crate::{
    api::{
        Problem,
        administering::{self, Losing},
    },
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Arrivals, Edit, Entry, Layer, List, RefusedSource, SecretText, View},
};

const HERE: &str = "/settings/listening";
/// VPN servers that are listed as let in: the page is asked for every few seconds.
const CLIENTS: usize = 50;
/// Seconds between two looks of the script.
const AGAIN_S: u16 = 3;
/// Seconds between two looks of a browser that runs none: all of the page is loaded anew, which disturbs who reads it.
const RELOADED_S: u16 = 10;
/// Such looks: ten minutes, so that a screen that was left is signed out as any other.
const RELOADS_MAX: u16 = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Do not look again by yourself: somebody reads.
    #[serde(default)]
    still: bool,
    /// How often it was loaded anew by itself.
    #[serde(default)]
    look: u16,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { still, look }): Query<Asked>,
) -> Result<Response, Refused> {
    let still = still || look >= RELOADS_MAX;
    let (arrivals, view) = (administering::arrived(&portal.api).await?, view(&portal).await?);
    let again = format!("{RELOADED_S}; url={HERE}?look={}", look.saturating_add(1));
    let head = html! { @if !still { noscript { meta http-equiv="refresh" content=(again); } } };
    Ok(page_with(&visitor, "First packet", &head, &content(&arrivals, &view, still)))
}

/// What has an id is replaced by the script, and nothing else: a guide that was opened stays open.
fn content(arrivals: &Arrivals, view: &View, still: bool) -> Markup {
    let mut clients: Vec<&Entry> = view.entries.iter().filter(|entry| entry.list == List::Client).collect();
    let all = clients.len();
    // Those that were heard latest first; of who was never, as they are set.
    clients.sort_by_key(|client| Reverse(last_heard(client)));
    clients.truncate(CLIENTS);
    let open: Vec<&RefusedSource> = arrivals.refused.iter().filter(|source| !source.is_mended).collect();
    let live = (!still).then(|| format!("{HERE}?still=true"));
    html! {
        @if let Some(because) = &arrivals.closed_because {
            p.problem { "Accounting is on, and its ports cannot be opened: " (text::stranger(because)) ". Who sends there is not heard. The sensor tries again by itself: stop the program that has them, or restart the sensor." }
        }
        @if arrivals.accounting {
            p {
                @if still { a href=(HERE) { "Look again by itself" } " This page stands still." }
                @else { a href={ (HERE) "?still=true" } { "Stand still" } " Listening: who sends appears below by itself." }
            }
        } @else { p.problem { "Accounting is off: nothing is heard. " a href="/settings/vpn" { "Turn it on" } } }
        p.quiet hidden role="status" data-live-said {}
        div data-live=[live] data-every=(AGAIN_S) {
            h2 { "Not let in" }
            p #live-count role="status" { @match open.len() { 0 => "Nobody.", 1 => "One sender.", count => { (count) " senders." } } }
            div.wide #live-refused { @if !open.is_empty() { table.stack {
                thead { tr { th { "From" } th { "Says it is" } th { "What is wrong" } th.figure { "Datagrams" } th { "Last" } th { "Mend it" } } }
                tbody { @for source in open { tr {
                    td data-label="From" { (source.source) }
                    td data-label="Says it is" { (text::maybe(source.nas.as_deref())) }
                    td data-label="What is wrong" { (wrong(source)) }
                    td.figure data-label="Datagrams" { (source.datagrams) }
                    td data-label="Last" { (text::moment(&source.last_seen)) }
                    td data-label="Mend it" { a href={ (HERE) "/" (source.source) } { "Mend " (source.source) } }
                } } }
            } } }
            h2 { "Let in" }
            div.wide #live-clients { table.stack {
                thead { tr { th { "VPN server or range" } th.figure { "Requests proved" } th { "Last" } } }
                tbody { @for client in clients { tr {
                    td data-label="VPN server or range" { (text::stranger(&client.name)) }
                    td.figure data-label="Requests proved" { (client.heard.as_ref().map_or(0, |heard| heard.genuine)) }
                    td data-label="Last" { @if let Some(last) = last_heard(client) { (text::moment(last)) }
                        @else { span.quiet { "nothing yet" } } }
                } } }
            }
            @if all > CLIENTS { p { "Of " (all) " these " (CLIENTS) " were heard last. " a href="/settings/clients" { "All VPN servers" } } }
            }
        }
        (guides(&arrivals.addresses))
    }
}

/// When a secret of a client last proved a request.
fn last_heard(client: &Entry) -> Option<&str> {
    let heard = client.heard.as_ref()?;
    heard.secret_used.as_deref().max(heard.previous_secret_used.as_deref())
}

fn wrong(source: &RefusedSource) -> Markup {
    html! {
        @match &source.client {
            None => "unknown: no VPN server or range has this address",
            // Of one that was unknown and is a client now, the latest request is looked at anew.
            Some(client) if matches!(&*source.verdict, "bad_authenticator" | "unknown_client") => {
                "wrong secret: it is not the one of " (text::stranger(client))
            }
            Some(client) => { (text::stranger(client)) ": " (source.reason) },
        }
    }
}

pub(super) async fn source(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(source): Path<IpAddr>,
) -> Result<Response, Refused> {
    one(&portal, &visitor, source, html! {}, None).await
}

fn find(refused: Vec<RefusedSource>, source: IpAddr) -> Result<RefusedSource, Problem> {
    let found = refused.into_iter().find(|refused| refused.source == source);
    found.ok_or_else(|| Problem::not_found(format!("Nothing of {source} was refused lately.")))
}

/// The page of one source, with what came of a trial, and what was typed for it.
async fn one(
    portal: &Shared,
    visitor: &Visitor,
    source: IpAddr,
    said: Markup,
    typed: Option<Typed>,
) -> Result<Response, Refused> {
    let (arrivals, view) = (administering::arrived(&portal.api).await?, view(portal).await?);
    let addresses = arrivals.addresses;
    let found = find(arrivals.refused, source)?;
    let client = found.client.as_ref();
    let client = client
        .and_then(|name| view.entries.iter().find(|entry| entry.list == List::Client && entry.name == *name));
    let content = html! {
        (said)
        dl {
            dt { "Says it is" } dd { (text::maybe(found.nas.as_deref())) }
            dt { "What is wrong" } dd { @if found.is_mended { "nothing any more" } @else { (wrong(&found)) } }
            dt { "Datagrams" } dd { (found.datagrams) }
            dt { "Last" } dd { (text::moment(&found.last_seen)) }
        }
        @if !found.is_mended { (mending(visitor, &view, &found, client, typed)) }
        p { a href=(HERE) { "Back to listening" } }
        (guides(&addresses))
    };
    Ok(settings_page(visitor, &source.to_string(), &content))
}

fn mending(
    visitor: &Visitor,
    view: &View,
    found: &RefusedSource,
    client: Option<&Entry>,
    typed: Option<Typed>,
) -> Markup {
    let path = format!("{HERE}/{}", found.source);
    let of_its_own = |client| of_its_own(visitor, view, found, client, typed.clone(), &path);
    html! {
        @match client {
            Some(client) if client.origin.layer == Layer::File => {
                p { "The secret of " (text::stranger(&client.name)) " is " (origin(&client.origin)) ": change it there, or on the VPN server." }
                (try_only(visitor, view, found, &path))
                (of_its_own(client))
            }
            Some(client) if client.origin.layer == Layer::Portal => {
                h2 { "The secret of " (text::stranger(&client.name)) }
                form.narrow method="post" action=(path) {
                    (hidden(visitor, view)) input type="hidden" name="client" value=(client.name);
                    (secret_field()) (newest(client)) (buttons(found, "Use this secret"))
                }
                p.quiet { "Or type the secret that is set here into the VPN server. The one that is set is accepted as well until you end that at "
                    a href="/settings/clients" { "VPN servers" } "." }
                (of_its_own(client))
            }
            _ => { h2 { "Add it" } (adding(visitor, view, found, &typed.clone().unwrap_or_else(|| Typed::of(found)), &path)) }
        }
    }
}

/// A secret for this one of the VPN servers that an entry is for: the longest prefix counts.
fn of_its_own(
    visitor: &Visitor,
    view: &View,
    found: &RefusedSource,
    client: &Entry,
    typed: Option<Typed>,
    path: &str,
) -> Markup {
    let listed = lists::said(client, "address");
    let own = IpNet::from(found.source);
    let prefix = |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let is_own = listed.split(", ").any(|address| prefix(address).is_ok_and(|prefix: IpNet| prefix == own));
    let typed = typed.unwrap_or_else(|| Typed { vendor: lists::said(client, "vendor"), ..Typed::of(found) });
    let others = client.fields.keys().filter(|key| !["name", "address", "vendor"].contains(&key.as_str()));
    let others: Vec<&str> = others.map(String::as_str).collect();
    html! { @if !is_own {
        h2 { "Or a secret of its own" }
        p { (text::stranger(&client.name)) " is for " (listed) ". Its other VPN servers go on as they are."
            @if !others.is_empty() { " What else is set there does not hold for this one any more: " (others.join(", ")) "." } }
        (adding(visitor, view, found, &typed, path))
    } }
}

/// What the form that adds a sender holds.
#[derive(Clone)]
struct Typed {
    name: String,
    address: String,
    vendor: String,
}

impl Typed {
    /// Before anything was typed.
    fn of(found: &RefusedSource) -> Typed {
        let address = found.source.to_string();
        let name = found.nas.as_deref().map_or_else(|| address.clone(), text::visible);
        Typed { name, address, vendor: String::new() }
    }

    /// As it was sent; `None`: the form was another, in which nothing but a secret is typed.
    fn sent(fields: &Fields) -> Option<Typed> {
        let of = |key: &str| fields.get(key).to_owned();
        let is_adding = !fields.get("name").is_empty();
        is_adding.then(|| Typed { name: of("name"), address: of("address"), vendor: of("vendor") })
    }
}

fn adding(visitor: &Visitor, view: &View, found: &RefusedSource, typed: &Typed, path: &str) -> Markup {
    let Typed { name, address, vendor } = typed;
    let vendor = if vendor.is_empty() { "auto" } else { vendor };
    html! {
        (ends_generated(view))
        form.narrow method="post" action=(path) {
            (hidden(visitor, view))
            label { "Name" input name="name" required maxlength="64" value=(name); }
            (addresses(address)) (vendors(vendor)) (secret_field()) (buttons(found, "Add it"))
        }
    }
}

fn buttons(found: &RefusedSource, save: &str) -> Markup {
    html! {
        @if found.can_try {
            label.choice { input type="checkbox" name="anyway" value="true"; "Save it even if its latest request was not made with it" }
        }
        div.buttons {
            @if found.can_try { button name="do" value="try" { "Try it on the latest request" } }
            button name="do" value="save" { (save) }
        }
    }
}

fn try_only(visitor: &Visitor, view: &View, found: &RefusedSource, path: &str) -> Markup {
    html! { @if found.can_try {
        form.narrow method="post" action=(path) {
            (hidden(visitor, view)) (secret_field())
            button name="do" value="try" { "Try it on the latest request" }
        }
    } }
}

pub(super) async fn mend(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(source): Path<IpAddr>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let secret = SecretText::new(fields.raw("secret").to_owned());
    let tried = administering::tried(&portal.api, &visitor.name(), source, secret.clone()).await?;
    let is_trial = fields.get("do") == "try";
    if is_trial || (tried == Some(false) && fields.get("anyway") != "true") {
        let said = html! { p.problem[tried != Some(true)] role="status" {
            @match tried {
                Some(true) => "That is the secret: the latest request was made with it. It is not saved yet.",
                Some(false) => "That is not the secret: the latest request was made with another one. Nothing was saved.",
                None => "No request of this source is kept yet: wait for its next one.",
            }
        } };
        let answer = one(&portal, &visitor, source, said, Typed::sent(&fields)).await?;
        let is_wrong = tried == Some(false) && !is_trial;
        return Ok(if is_wrong {
            form::with_status(answer, StatusCode::UNPROCESSABLE_ENTITY)
        } else {
            answer
        });
    }
    let list = List::Client;
    let edits = match fields.get("client") {
        "" => {
            let name = fields.get("name").to_owned();
            let mut edits = lists::edits(&portal, &fields, list, fields_of(&fields)).await?;
            edits.push(Edit::Secret { list, name, secret });
            edits
        }
        // Other VPN servers of the same entry may have the one that is set.
        client => vec![rotated(&fields, client.to_owned(), secret)],
    };
    let why = match form::save(&portal, &visitor, &fields, edits, Losing::May).await? {
        Ok(()) => return Ok(Redirect::to(HERE).into_response()),
        Err(why) => why,
    };
    let back = format!("{HERE}/{source}");
    // Others that were refused may have taken its place meanwhile; the reason is told whatever becomes of the form.
    let found = administering::arrived(&portal.api).await.and_then(|arrived| find(arrived.refused, source));
    let again = match (Typed::sent(&fields), found) {
        (Some(typed), Ok(found)) => {
            let again = |view: &View| adding(&visitor, view, &found, &typed, &back);
            form::as_it_was(&portal, &fields, &why, again).await
        }
        _ => html! {},
    };
    Ok(form::not_changed(&visitor, why, &back, &again))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Heard, Origin};

    #[test]
    fn of_thousands_that_are_let_in_those_are_listed_that_were_heard_last() {
        let client = |number: usize| Entry {
            list: List::Client,
            name: format!("branch {number:04}"),
            origin: Origin { layer: Layer::Portal, file: None, line: None },
            fields: serde_json::Map::new(),
            has_secret: true,
            has_previous_secret: false,
            has_weak_secret: false,
            heard: (number % 2 == 1).then(|| Heard {
                secret_used: Some(format!("2026-11-{:02}T{:02}:00:00Z", 1 + number / 24 % 30, number % 24)),
                genuine: 7,
                ..Heard::default()
            }),
            ends: None,
        };
        let arrivals =
            Arrivals { accounting: true, closed_because: None, addresses: Vec::new(), refused: Vec::new() };
        let page = |count: usize| {
            let entries = (0..count).map(client).collect();
            let view =
                View { revision: "1".to_owned(), keys: Vec::new(), entries, restart_needed: Vec::new() };
            content(&arrivals, &view, false).into_string()
        };
        let names = |page: &str| -> Vec<String> {
            let parts = page.split("<bdi>branch ").skip(1);
            parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
        };
        let many = page(720);
        let listed = names(&many);
        assert_eq!((listed.len(), &*listed[0], &*listed[49]), (CLIENTS, "0719", "0621"));
        assert!(many.contains("Of 720 these 50 were heard last.") && many.len() < 60_000, "{}", many.len());
        let few = page(3);
        assert_eq!(names(&few), ["0001", "0000", "0002"], "of who was never heard as they are set");
        assert!(!few.contains("heard last") && few.contains("nothing yet"));
    }
}
