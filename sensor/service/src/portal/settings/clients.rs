//! VPN servers and ranges, each with its secret: two at once while one is being replaced.

use std::net::IpAddr;

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use insight::vpn::Vendor;
use ipnet::IpNet;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    form::{self, Fields, Sent},
    hidden,
    lists::{self, said},
    origin, page as settings_page, restart, view,
    vpn::{shown_once, weak},
};
use crate::{
    api::{administering::Losing, query},
    portal::{Refused, Shared, guard::Visitor, people::query_part, text},
    settings::{Edit, Entry, Layer, List, SecretText, View},
};

const HERE: &str = "/settings/clients";

/// Cards of a page: each has the forms of all that can be changed.
const CARDS: usize = 15;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// A part of the name or of the addresses, or an address that one of them has; empty: all.
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let begin: usize = query::position(asked.cursor.as_deref())?.unwrap_or_default();
    let view = view(&portal).await?;
    let all = lists::entries(&view, List::Client).count();
    let wanted = asked.q.trim();
    let found: Vec<&Entry> =
        lists::entries(&view, List::Client).filter(|client| is_wanted(client, wanted)).collect();
    let shown = found.iter().skip(begin).take(CARDS);
    let way = |begin: usize| format!("{HERE}?q={}&cursor={}", query_part(wanted), query::cursor(&begin));
    let content = html! {
        (restart(&view))
        p { "The address that a datagram comes from selects the entry, and its secret; of several, the longest prefix." }
        @if all > CARDS || !wanted.is_empty() {
            form.row role="search" aria-label="VPN servers" action=(HERE) {
                label { "A part of the name, or an address" input type="search" name="q" value=(asked.q) maxlength="256" autocomplete="off"; }
                button { "Show" }
            }
            p.quiet {
                @if found.is_empty() { "None of " (all) " is so." }
                @else if begin >= found.len() { "There are " (found.len()) ", and none behind those." }
                @else { (begin + 1) " to " ((begin + CARDS).min(found.len())) " of " (found.len()) ", those of the file first." }
            }
        }
        @for client in shown { (card(&visitor, &view, client)) }
        @if begin > 0 || begin + CARDS < found.len() {
            p.exports {
                @if begin > 0 { a href=(way(begin.saturating_sub(CARDS))) { "Those before" } }
                @if begin > 0 && begin + CARDS < found.len() { " | " }
                @if begin + CARDS < found.len() { a href=(way(begin + CARDS)) { "More" } }
            }
        }
        h2 { "Add a VPN server or a range" }
        (adding(&visitor, &view, "", "", "auto"))
    };
    Ok(settings_page(&visitor, "VPN servers", &content))
}

/// Whether a client is among those that are looked for.
fn is_wanted(client: &Entry, wanted: &str) -> bool {
    let addresses = said(client, "address");
    let holds = |text: &str| text.to_lowercase().contains(&wanted.to_lowercase());
    let has = |address: IpAddr| {
        let ranges = addresses.split(", ");
        ranges.filter_map(|range| range.parse::<IpNet>().ok()).any(|range| range.contains(&address))
    };
    holds(&client.name) || holds(&addresses) || wanted.parse().is_ok_and(has)
}

/// What the first VPN server that is set ends: nobody is let in by a generated secret beside it.
pub(super) fn ends_generated(view: &View) -> Markup {
    let mut clients = lists::entries(view, List::Client);
    let is_generated =
        matches!((clients.next(), clients.next()), (Some(only), None) if only.origin.layer == Layer::Default);
    html! { @if is_generated {
        p.quiet { "From then on this host is let in by its generated secret no more: if a VPN server runs on it, add 127.0.0.1 as well, with a secret of its own." }
    } }
}

fn adding(visitor: &Visitor, view: &View, name: &str, address: &str, vendor: &str) -> Markup {
    html! {
        (ends_generated(view))
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
                (keep(client))
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
pub(super) fn keep(client: &Entry) -> Markup {
    html! {
        label.choice { input type="checkbox" name="keep" value="true" checked; "Accept the one before as well, until you say otherwise" }
        (newest(client))
    }
}

/// Of a client that accepts two secrets: which of them makes room for a third, without a word where nobody loses by it.
pub(super) fn newest(client: &Entry) -> Markup {
    let is_unused = client.heard.as_ref().is_some_and(|heard| heard.is_newest_unused);
    html! { @if client.has_previous_secret {
        @if !is_unused {
            label.choice { input type="checkbox" name="newest" value="true"; "Replace the newest of the two, and keep the one before it: VPN servers that have the newest are refused from then on" }
        } @else {
            p.quiet { "There are two, and no request was made with the newest yet: it is the one that makes room, and the one before it stays." }
        }
    } }
}

/// Another secret for a client, beside the one that it has.
pub(super) fn rotated(fields: &Fields, name: String, secret: SecretText) -> Edit {
    Edit::Rotate { name, secret, replace_newest: fields.get("newest") == "true" }
}

/// Another secret for a client, as [`keep`] was answered.
pub(super) fn another_secret(fields: &Fields, name: String, secret: SecretText) -> Edit {
    match fields.get("keep") {
        "true" => rotated(fields, name, secret),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        control::Role,
        portal::testing::{self, Administered},
        settings::{Heard, Origin},
    };

    #[tokio::test]
    async fn that_the_first_vpn_server_ends_the_generated_secret_is_said_before() {
        let folder = tempfile::tempdir().unwrap();
        let view = |entries| View {
            revision: "1".to_owned(),
            keys: Vec::new(),
            entries,
            restart_needed: Vec::new(),
        };
        let mut generated = client(0);
        generated.origin.layer = Layer::Default;
        for (entries, is_said) in
            [(vec![generated.clone()], true), (vec![generated, client(1)], false), (vec![client(1)], false)]
        {
            let folder = tempfile::tempdir_in(folder.path()).unwrap();
            let portal = testing::portal(folder.path(), Some(Administered::with(view(entries)))).await;
            let cookie = testing::visit(&portal, "carol", Role::Administrator);
            let (_, _, page) = testing::ask(&portal, HERE, &[("cookie", &cookie)], None).await;
            assert_eq!(page.contains("by its generated secret no more"), is_said, "{page}");
        }
    }

    fn client(number: usize) -> Entry {
        let address = format!("10.{}.{}.0/24", number / 250, number % 250);
        Entry {
            list: List::Client,
            name: format!("branch {number:04}"),
            origin: Origin { layer: Layer::Portal, file: None, line: None },
            fields: Map::from_iter([("address".to_owned(), json!([address]))]),
            has_secret: true,
            has_previous_secret: true,
            has_weak_secret: true,
            heard: None,
            ends: None,
        }
    }

    #[tokio::test]
    async fn a_thousand_clients_are_pages_that_stay_small_and_each_is_on_one() {
        let folder = tempfile::tempdir().unwrap();
        let entries = (0..1000).map(client).collect();
        let sensor = View { revision: "1".to_owned(), keys: Vec::new(), entries, restart_needed: Vec::new() };
        let portal = testing::portal(folder.path(), Some(Administered::with(sensor))).await;
        let cookie = testing::visit(&portal, "carol", Role::Administrator);
        let look = async |path: &str| {
            let (status, _, page) = testing::ask(&portal, path, &[("cookie", &cookie)], None).await;
            assert_eq!(status, 200, "{page}");
            // Ten times less on the wire.
            assert!(page.len() < 100_000, "{path}: {} octets", page.len());
            page
        };
        let names = |page: &str| -> Vec<String> {
            let cards = page.split("<section class=\"card\"><h2><bdi>").skip(1);
            cards.map(|card| card.split('<').next().unwrap().to_owned()).collect()
        };
        let mut seen = BTreeSet::new();
        let mut next = Some(HERE.to_owned());
        while let Some(path) = next {
            let page = look(&path).await;
            let shown = names(&page);
            assert!((1..=CARDS).contains(&shown.len()), "{path}");
            assert!(shown.into_iter().all(|name| seen.insert(name)), "each once: {path}");
            let (before, _) = page.split_once("\">More</a>").unwrap_or_default();
            next = before.rsplit_once("href=\"").map(|(_, path)| path.replace("&amp;", "&"));
        }
        assert_eq!(seen.len(), 1000);

        // 10.2.77.0/24 is of 577.
        for wanted in ["Branch+0577", "10.2.77.0", "10.2.77.9"] {
            let page = look(&format!("{HERE}?q={wanted}")).await;
            assert_eq!(names(&page), ["branch 0577"], "{wanted}");
            assert!(page.contains("1 to 1 of 1,"), "{page}");
        }
        assert!(look(&format!("{HERE}?q=nothing")).await.contains("None of 1000 is so."));
        let few = look(HERE).await;
        assert!(few.contains("1 to 15 of 1000") && !few.contains("Those before"), "{few}");
    }

    #[tokio::test]
    async fn who_has_two_secrets_is_asked_which_makes_room_only_where_the_newest_is_used() {
        let heard = |is_newest_unused| Some(Heard { is_newest_unused, ..Heard::default() });
        for (has_two, heard, is_asked, is_told) in [
            (true, heard(false), true, false),
            (true, heard(true), false, true),
            // Not in force, or no sensor: nobody knows.
            (true, None, true, false),
            (false, heard(false), false, false),
        ] {
            let client = Entry { has_previous_secret: has_two, heard, ..client(1) };
            let page = keep(&client).into_string();
            assert_eq!(page.contains("name=\"newest\""), is_asked, "{page}");
            assert_eq!(page.contains("no request was made with the newest"), is_told, "{page}");
        }

        let folder = tempfile::tempdir().unwrap();
        let (entries, keys) = (vec![client(1)], Vec::new());
        let administered =
            Administered::with(View { revision: "1".to_owned(), keys, entries, restart_needed: Vec::new() });
        let portal = testing::portal(folder.path(), Some(administered.clone())).await;
        let visit = testing::visit(&portal, "carol", Role::Administrator);
        let cookie = [("cookie", &*visit)];
        let (_, _, page) = testing::ask(&portal, HERE, &cookie, None).await;
        let token = testing::hidden(&page, "token");
        for (choice, is_chosen) in [("&keep=true", false), ("&keep=true&newest=true", true)] {
            let form = format!("token={token}&revision=1&name=branch+0001&secret=a+secret&do=set{choice}");
            let path = "/settings/clients/secret";
            assert_eq!(testing::ask(&portal, path, &cookie, Some(&form)).await.0, 303);
            let edits = administered.edits();
            let Some(Edit::Rotate { replace_newest, .. }) = edits.last() else { panic!("{edits:?}") };
            assert_eq!(*replace_newest, is_chosen);
        }
    }
}
