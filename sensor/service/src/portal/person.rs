//! A user's page: where she connects from, with what, when, and what is usual.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{Refused, Shared, alerts, frame, guard::Visitor, plot, sessions, text};
use crate::{
    api::Problem,
    store::{LocationRow, Share, UserPage, UsualPage},
};

/// The newest connections on the page.
const SESSIONS: usize = 50;
/// Rows of a card.
const CARD_ROWS: usize = 10;

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let key = portal.api.user_key(&name)?;
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "user.show", Some(&key), None)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let page = store.user_page(&key, SESSIONS, now)?;
        let page = page.ok_or_else(|| Problem::not_found(format!("There is no user {key:?}.")))?;
        Ok(page)
    });
    let page = found.await?;
    Ok(frame::page(&visitor, &page.user.user, &content(&page)))
}

fn content(page: &UserPage) -> Markup {
    html! {
        p.quiet {
            (page.user.connections) " connections since " (text::moment(&page.user.first_seen)) ", last seen "
            (text::moment(&page.user.last_seen))
            @if let Some(original) = &page.user.original { ", written as " (text::stranger(original)) }
        }
        @if !page.alerts.is_empty() { h2 { "Open alerts" } (alerts::table(&page.alerts)) }
        div.cards {
            section.card { h2 { "VPN locations" } (locations(&page.locations)) }
            (usual(&page.usual))
            section.card { h2 { "When connections begin" } (plot::week(&page.hours)) }
            (card("Devices", &page.devices, true))
            (card("Networks", &page.networks, false))
            (card("Addresses", &page.addresses, false))
            (card("Client software", &page.software, false))
            (card("VPN servers", &page.servers, false))
        }
        h2 { "Connections" }
        (sessions::table(&page.sessions))
    }
}

pub(super) fn locations(locations: &[LocationRow]) -> Markup {
    html! {
        table {
            thead { tr { th { "Place" } th { "Address" } th { "Provider" } th { "Last seen" } } }
            tbody { @for location in locations.iter().take(CARD_ROWS) { tr {
                td { (text::maybe(location.place.as_deref())) }
                td { (text::stranger(&location.address)) }
                td { (text::maybe(location.network.as_deref())) }
                td { (text::moment(&location.last_seen)) }
            } } }
        }
    }
}

fn usual(usual: &UsualPage) -> Markup {
    html! {
        section.card {
            h2 { "What is usual" }
            p {
                (usual.connections) " connections on " (usual.days) " of thirty days. "
                @if let Some(why) = &usual.not_learned { "Not enough to compare with yet: " (why) "." }
            }
            dl {
                @if let Some(spread) = &usual.seconds {
                    dt { "Length" } dd { "half up to " (text::duration(spread.median)) ", nine in ten up to " (text::duration(spread.nine_in_ten)) }
                }
                @if let Some(spread) = &usual.octets {
                    dt { "Volume" } dd { "half up to " (text::octets(spread.median)) ", nine in ten up to " (text::octets(spread.nine_in_ten)) }
                }
                @for (name, values) in [("Countries", &usual.countries), ("Kinds of network", &usual.kinds)] {
                    @if !values.is_empty() {
                        dt { (name) }
                        dd { @for (index, value) in values.iter().take(5).enumerate() {
                            @if index > 0 { ", " } (text::stranger(&value.name)) " (" (value.connections) ")"
                        } }
                    }
                }
            }
        }
    }
}

fn card(title: &str, shares: &[Share], are_devices: bool) -> Markup {
    html! {
        @if !shares.is_empty() {
            section.card {
                h2 { (title) }
                table {
                    thead { tr { th { (title) } th.figure { "Connections" } th { "Last seen" } } }
                    tbody { @for share in shares.iter().take(CARD_ROWS) { tr {
                        td { @if are_devices { (text::device(Some(&share.name))) } @else { (text::stranger(&share.name)) } }
                        td.figure { (share.connections) }
                        td { (text::moment(&share.last_seen)) }
                    } } }
                }
            }
        }
    }
}
