//! A device's page: who used it, from where. And the list of devices.

use axum::{
    Extension,
    extract::{Path, Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Refused, Shared, connections, frame,
    guard::Visitor,
    map,
    people::{self, query_part},
    person, sessions, text,
};
use crate::{
    api::{Problem, query},
    store::{
        BODIES_MAX, ByRisk, DeviceRow, Feature, NEWEST_COUNTED, RiskPosition, SHARES_MAX, SessionFilter,
    },
};

/// Rows of the list.
const ROWS: usize = 50;
/// Connections of a device's page.
const SESSIONS: usize = 25;
/// Points of its map.
const SPOTS: usize = 100;

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let name = text::named(&name).to_owned();
    let title = name.clone();
    let content = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "device.show", Some(&name), None)?;
        if !store.has_device(&name)? {
            return Err(Problem::not_found(format!("There is no device {name:?}.")));
        }
        let filter = SessionFilter { device: Some(name.clone()), ..SessionFilter::default() };
        let (rows, next) = connections::cut(store.sessions(&filter, SESSIONS + 1)?, SESSIONS);
        let newest = store.newest(&filter)?;
        let (users, locations) = (newest.shares(Feature::User, SHARES_MAX), newest.locations(SHARES_MAX));
        let spots = newest.spots(SPOTS);
        let all = connections::all("device", &name);
        let is_cut = newest.is_cut();
        Ok(html! {
            @if is_cut { p.quiet { "Places, users and locations are of the newest " (NEWEST_COUNTED) " connections." } }
            h2 { "Places" }
            (map::places_of(&map::spots(&spots), newest.spot_count(), "Places of this device"))
            (sessions::moved())
            div.cards {
                section.card {
                    h2 { "Users" }
                    table {
                        caption.unseen { "Users of this device, the latest seen first" }
                        thead { tr { th scope="col" { "User" } th.figure scope="col" { "Connections" } th scope="col" { "Last seen" } } }
                        tbody { @for share in users.iter().take(person::CARD_ROWS) { tr {
                            td { (text::user(Some(&share.name))) }
                            td.figure { (share.connections) }
                            td { (text::moment(&share.last_seen)) }
                        } } }
                    }
                    (person::others(users.len(), &all))
                }
                section.card { h2 { "VPN locations" } (person::locations(&locations, &all)) }
            }
            h2 { "Connections" }
            (sessions::moved())
            (sessions::table(&rows))
            (connections::ways("device", &name, next.as_deref()))
        })
    });
    Ok(frame::page(&visitor, &title, &content.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { q, cursor }): Query<Asked>,
) -> Result<Response, Refused> {
    let from: Option<RiskPosition> = query::position(cursor.as_deref())?;
    let (shared, who) = (portal.clone(), visitor.name());
    let part = q.trim().to_owned();
    let content = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "devices.list", Some(&*part).filter(|part| !part.is_empty()), None)?;
        Ok(listed(&part, &store.devices_by_risk(&part, from, ROWS)?))
    });
    Ok(frame::page(&visitor, "Devices", &content.await?))
}

fn listed(part: &str, page: &ByRisk<DeviceRow>) -> Markup {
    let ByRisk { rows, next, is_cut } = page;
    let next = next.as_ref().map(query::cursor);
    html! {
        (people::box_for("Devices", "/devices", part, &people::count_of(rows.len(), "device", next.is_some())))
        div #results {
            (people::cut(*is_cut, BODIES_MAX, "Devices"))
            @if rows.is_empty() {
                p { "No device" @if !part.is_empty() { " has " (text::stranger(part)) " in its name" } "." }
            } @else {
                div.wide tabindex="0" role="region" aria-label="Devices" { table.stack {
                    caption.unseen { "Devices: those with open alerts by severity and score, then the latest seen" }
                    thead { tr { th scope="col" { "Device" } th scope="col" { "Risk" } th.figure scope="col" { "Open alerts" } th scope="col" { "Last seen" }
                        th scope="col" { "First seen" } th.figure scope="col" { "Connections" } } }
                    tbody { @for row in rows { tr {
                        td data-label="Device" { (text::device(Some(&row.seen.name))) }
                        td data-label="Risk" { (people::risk(row.severity, row.score)) }
                        td.figure data-label="Open alerts" { @match row.open_alerts {
                            Some(alerts @ 1..) => { strong { (alerts) } @if *is_cut { " or more" } }
                            Some(_) => "0",
                            None => "\u{2013}",
                        } }
                        td data-label="Last seen" { (text::moment(&row.seen.last_seen)) }
                        td data-label="First seen" { (text::moment(&row.seen.first_seen)) }
                        td.figure data-label="Connections" { (row.seen.count) }
                    } } }
                } }
            }
            @if let Some(next) = next { p { a href={ "/devices?q=" (query_part(part)) "&cursor=" (next) } { "More" } } }
        }
    }
}
