//! The table of connections.

use maud::{Markup, html};

use super::text;
use crate::store::SessionRow;

/// Connections of anybody.
pub(super) fn table(rows: &[SessionRow]) -> Markup {
    with(rows, true)
}

/// Connections of one user, who is not said in each row.
pub(super) fn table_of_one(rows: &[SessionRow]) -> Markup {
    with(rows, false)
}

fn with(rows: &[SessionRow], says_user: bool) -> Markup {
    html! {
        @if rows.is_empty() { p { "No connections." } } @else {
            div.wide tabindex="0" role="region" aria-label="Connections" { table.stack {
                caption.unseen { "Connections, the newest first" }
                thead { tr {
                    th scope="col" { "Start" } th scope="col" { "End" }
                    @if says_user { th scope="col" { "User" } }
                    th.figure scope="col" { "Duration" } th scope="col" { "Address" } th scope="col" { "Place" }
                    th scope="col" { "Network" } th scope="col" { "Device" } th scope="col" { "Client software" }
                    th scope="col" { "VPN server" } th scope="col" { "Assigned" } th.figure scope="col" { "Volume" }
                    th scope="col" { "Why it ended" } th scope="col" { "Alert" }
                } }
                tbody { @for row in rows { (line(row, says_user)) } }
            } }
        }
    }
}

/// What a VPN server is called.
pub(super) fn server(row: &SessionRow) -> &str {
    row.nas_identifier.as_deref().or(row.nas_address.as_deref()).unwrap_or(&row.client)
}

fn line(row: &SessionRow, says_user: bool) -> Markup {
    let volume = row.input_octets.unwrap_or(0).saturating_add(row.output_octets.unwrap_or(0));
    let place = row.place.as_ref();
    html! {
        tr {
            td data-label="Start" { (text::moment(&row.start)) }
            td data-label="End" { @match &row.end { None => strong { "on line" }, Some(end) => (text::moment(end)) } }
            @if says_user { td data-label="User" { (text::user(row.user.as_deref())) } }
            td.figure data-label="Duration" { (text::duration(row.seconds)) }
            td data-label="Address" { (address(row.remote.as_deref())) }
            td data-label="Place" { @match place {
                Some(place) => a href={ "/connections?place=" (place.id) } { (text::stranger(&place.name)) },
                None => "\u{2013}",
            } }
            td data-label="Network" { (text::maybe(place.and_then(|place| place.network()).as_deref())) }
            td data-label="Device" { (text::device(row.device.as_deref())) }
            td data-label="Client software" { (text::maybe(row.software.as_deref())) }
            td data-label="VPN server" { (text::stranger(server(row))) }
            td data-label="Assigned" { (assigned(&row.assigned)) }
            td.figure data-label="Volume" {
                @if row.input_octets.is_some() || row.output_octets.is_some() {
                    (text::octets(u64::try_from(volume).unwrap_or(0)))
                } @else { "\u{2013}" }
            }
            td data-label="Why it ended" { (text::maybe(row.terminate_cause.as_deref().or(row.end_reason.as_deref()))) }
            td data-label="Alert" { @match row.alert { Some(alert) => a href={ "/alerts/" (alert) } { (alert) }, None => "\u{2013}" } }
        }
    }
}

/// Ways to the connections that had these addresses inside the tunnel.
fn assigned(addresses: &[String]) -> Markup {
    html! {
        @if addresses.is_empty() { "\u{2013}" }
        @for (at, address) in addresses.iter().enumerate() {
            @if at > 0 { ", " }
            a href={ "/connections?assigned=" (super::people::query_part(address)) } { (text::stranger(address)) }
        }
    }
}

/// A way to the connections from an address.
pub(super) fn address(address: Option<&str>) -> Markup {
    match address {
        Some(address) => {
            html! { a href={ "/connections?remote=" (super::people::query_part(address)) } { (text::stranger(address)) } }
        }
        None => html! { "\u{2013}" },
    }
}
