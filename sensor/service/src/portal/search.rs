//! One box for everything: users, devices, addresses, places, VPN servers, session ids.

use axum::{
    Extension,
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
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
    let mut ways = ways(found).into_iter().flat_map(|(_, ways)| ways);
    let first = ways.next()?;
    ways.next().is_none().then_some(first.path)
}

/// Each sort with what was found of it.
fn ways(found: &Found) -> [(&'static str, Vec<Way>); 7] {
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
        way.with(of(place.network.as_deref()))
    });
    let servers = found.servers.iter().map(|server| {
        let client = of(Some(&*server.client).filter(|client| *client != server.name));
        Way::new(connections("server", &server.number.to_string()), &server.name).with(client)
    });
    let sessions = found.sessions.iter().map(|id| Way::new(connections("session", id), id));
    [
        ("Users", users.collect()),
        ("Devices", devices.collect()),
        ("Addresses", addresses.collect()),
        ("Assigned addresses", assigned.collect()),
        ("Places", places.collect()),
        ("VPN servers", servers.collect()),
        ("Session ids", sessions.collect()),
    ]
}

/// What a stranger's thing belongs to.
fn of(name: Option<&str>) -> Markup {
    html! { @if let Some(name) = name { ", " (text::stranger(name)) } }
}

fn content(q: &str, found: &Found) -> Markup {
    html! {
        p { "For " (text::stranger(q)) ":" }
        @if found.is_empty() {
            p { "Nothing. A part of the name of a user, a device, a place or a VPN server is enough, and the beginning of an address, outside the tunnel or in it, or a session id." }
        }
        div.cards {
            @for (sort, ways) in ways(found) {
                @if !ways.is_empty() {
                    section.card {
                        h2 { (sort) }
                        ul { @for Way { path, name, more } in ways {
                            li { a href=(path) { (text::stranger(&name)) } span.quiet { (more) } }
                        } }
                    }
                }
            }
        }
    }
}
