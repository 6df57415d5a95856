//! One box for everything: users, devices, addresses, places, countries, VPN servers, session ids.

use axum::{
    Extension,
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use ipnet::IpNet;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, people::query_part, text};
use crate::api::search::{Found, asked};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { q }): Query<Asked>,
) -> Result<Response, Refused> {
    let q = asked(&q);
    if q.is_empty() {
        return Ok(Redirect::to("/users").into_response());
    }
    let (shared, who, question) = (portal.clone(), visitor.name(), q.clone());
    let realms = portal.api.realms()?;
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "search", Some(&question), None)?;
        Found::of(store, &question, &realms)
    });
    let found = found.await?;
    match only(&found) {
        Some(way) => Ok(Redirect::to(&way).into_response()),
        None => Ok(frame::page(&visitor, "Search", &content(&q, &found))),
    }
}

/// A thing that was found: where it is, what it is called, what else is said of it.
struct Way {
    path: String,
    name: String,
    more: Markup,
}

impl Way {
    fn new(path: String, name: &str) -> Way {
        Way { path, name: name.to_owned(), more: html! {} }
    }

    fn with(self, more: Markup) -> Way {
        Way { more, ..self }
    }
}

/// Where to go if there is one thing alone.
fn only(found: &Found) -> Option<String> {
    let mut ways = ways(found).into_iter().flat_map(|(.., ways)| ways);
    let first = ways.next()?;
    ways.next().is_none().then_some(first.path)
}

/// Each sort, as the answer of the API has it and as people do, with what was found of it.
fn ways(found: &Found) -> [(&'static str, &'static str, Vec<Way>); 8] {
    let connections = |name: &str, value: &str| format!("/connections?{name}={}", query_part(value));
    let users = found.users.iter().map(|user| {
        let alerts = html! { @if user.open_alerts > 0 { ", " (user.open_alerts) " open alerts" } };
        Way::new(text::path(&["users", &user.user]), &user.user).with(alerts)
    });
    let devices =
        found.devices.iter().map(|device| Way::new(text::path(&["devices", &device.name]), &device.name));
    let addresses = found.addresses.iter().map(|address| Way::new(connections("remote", address), address));
    let assigned = found.assigned.iter().map(|assigned| {
        let user = assigned.user.as_deref().unwrap_or("nobody known");
        let way = Way::new(connections("assigned", &assigned.address), &assigned.address);
        way.with(html! {
            ", " (text::stranger(&format!("last {user}"))) ", from " (text::moment(&assigned.start))
            @match &assigned.end { Some(end) => { " until " (text::moment(end)) } None => " on line" }
        })
    });
    let places = found.places.iter().map(|place| {
        let way = Way::new(connections("place", &place.id.to_string()), &place.name);
        way.with(html! {
            (of(place.network.as_deref()))
            @match (&place.network, place.other_networks) {
                (Some(_), true) => " and other networks",
                (None, true) => ", several networks",
                (_, false) => {}
            }
        })
    });
    let countries = found.countries.iter().map(|code| Way::new(connections("country", code), code));
    let servers = found.servers.iter().map(|server| {
        let client = of(Some(&*server.client).filter(|client| *client != server.name));
        Way::new(connections("server", &server.number.to_string()), &server.name).with(client)
    });
    let sessions = found.sessions.iter().map(|id| Way::new(connections("session", id), id));
    [
        ("users", "Users", users.collect()),
        ("devices", "Devices", devices.collect()),
        ("addresses", "Addresses", addresses.collect()),
        ("assigned", "Assigned addresses", assigned.collect()),
        ("countries", "Countries", countries.collect()),
        ("places", "Places", places.collect()),
        ("servers", "VPN servers", servers.collect()),
        ("sessions", "Session ids", sessions.collect()),
    ]
}

/// What a stranger's thing belongs to.
fn of(name: Option<&str>) -> Markup {
    html! { @if let Some(name) = name { ", " (text::stranger(name)) } }
}

/// That there are more of a sort than are shown, and where they are.
fn others(list: &str, q: &str) -> Markup {
    let way = match list {
        "users" | "devices" => Some((format!("/{list}?q={}", query_part(q)), "All of them")),
        "servers" => Some(("/servers".to_owned(), "All VPN servers")),
        _ => None,
    };
    html! {
        p.quiet {
            "The first ten. "
            @match way { Some((path, words)) => { a href=(path) { (words) } } None => "Of others more must be typed." }
        }
    }
}

/// What to do about a range of addresses.
fn range(q: &str) -> Markup {
    let Ok(range) = q.parse::<IpNet>() else { return html! {} };
    let (beginning, bits) = beginning(range);
    html! {
        p {
            "Ranges of addresses outside the tunnel are not looked for: addresses are, by how they begin"
            @if !beginning.is_empty() {
                ", " a href={ "/search?q=" (query_part(&beginning)) } { (beginning) }
                @if bits < usize::from(range.prefix_len()) { ", which are more than the range" }
            }
            "."
        }
    }
}

/// How all addresses of a range begin as they are written, and of how many bits that is.
fn beginning(range: IpNet) -> (String, usize) {
    let length = usize::from(range.prefix_len());
    let (parts, bits): (Vec<String>, usize) = match range.trunc() {
        IpNet::V4(range) => {
            let octets = range.addr().octets();
            (octets.iter().take((length / 8).min(3)).map(|octet| format!("{octet}.")).collect(), 8)
        }
        IpNet::V6(range) => {
            // Zeros can be left out.
            let segments = range.addr().segments().into_iter().take((length / 16).min(7));
            (
                segments.take_while(|segment| *segment != 0).map(|segment| format!("{segment:x}:")).collect(),
                16,
            )
        }
    };
    (parts.concat(), parts.len() * bits)
}

fn content(q: &str, found: &Found) -> Markup {
    html! {
        p { "For " (text::stranger(q)) ":" }
        @if found.is_empty() {
            p { "Nothing. A part of the name of a user, a device, a place or a VPN server is enough, and the beginning of an address, outside the tunnel or in it, or a session id." }
            (range(q))
        }
        div.cards {
            @for (list, sort, ways) in ways(found) {
                @if !ways.is_empty() {
                    section.card {
                        h2 { (sort) }
                        ul { @for Way { path, name, more } in ways {
                            li { a href=(path) { (text::stranger(&name)) } span.quiet { (more) } }
                        } }
                        @if found.more.contains(&list) { (others(list, q)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_looked_for_by_what_its_addresses_begin_with() {
        for (typed, begins) in [
            ("203.0.113.0/24", ("203.0.113.", 24)),
            ("203.0.113.77/24", ("203.0.113.", 24)),
            ("203.0.112.0/20", ("203.0.", 16)),
            ("203.0.113.7/32", ("203.0.113.", 24)),
            ("0.0.0.0/0", ("", 0)),
            ("2001:DB8::/32", ("2001:db8:", 32)),
            ("2001:db8::/48", ("2001:db8:", 32)),
            ("::/16", ("", 0)),
        ] {
            let (beginning, bits) = beginning(typed.parse().unwrap());
            assert_eq!((&*beginning, bits), begins, "{typed}");
        }
        let said = |typed: &str| range(typed).into_string();
        assert!(
            said("203.0.113.0/24").contains("href=\"/search?q=203.0.113.\""),
            "{}",
            said("203.0.113.0/24")
        );
        assert!(
            !said("203.0.113.0/24").contains("more than") && said("203.0.112.0/20").contains("more than")
        );
        assert_eq!(said("203.0.113.0"), "", "no range");
    }
}
