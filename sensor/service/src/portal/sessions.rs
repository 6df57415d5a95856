//! The table of connections.

use maud::{Markup, html};

use super::text;
use crate::store::SessionRow;

pub(super) fn table(rows: &[SessionRow]) -> Markup {
    html! {
        @if rows.is_empty() { p { "No connections." } } @else {
            div.wide { table.stack {
                thead { tr {
                    th { "Start" } th { "User" } th.figure { "Duration" } th { "Address" } th { "Place" } th { "Network" }
                    th { "Device" } th { "Client software" } th { "VPN server" } th { "Assigned" } th.figure { "Volume" }
                    th { "Ended" }
                } }
                tbody { @for row in rows { (line(row)) } }
            } }
        }
    }
}

fn line(row: &SessionRow) -> Markup {
    let server = row.nas_identifier.as_deref().or(row.nas_address.as_deref()).unwrap_or(&row.client);
    let volume = row.input_octets.unwrap_or(0).saturating_add(row.output_octets.unwrap_or(0));
    let place = row.place.as_ref();
    html! {
        tr {
            td data-label="Start" { (text::moment(&row.start)) }
            td data-label="User" { (text::user(row.user.as_deref())) }
            td.figure data-label="Duration" { (text::duration(row.seconds)) }
            td data-label="Address" { (text::maybe(row.remote.as_deref())) }
            td data-label="Place" { (text::maybe(place.map(|place| &*place.name))) }
            td data-label="Network" { (text::maybe(place.and_then(|place| place.network()).as_deref())) }
            td data-label="Device" { (text::device(row.device.as_deref())) }
            td data-label="Client software" { (text::maybe(row.software.as_deref())) }
            td data-label="VPN server" { (text::stranger(server)) }
            td data-label="Assigned" { (text::maybe(row.assigned.first().map(|address| &**address))) }
            td.figure data-label="Volume" {
                @if row.input_octets.is_some() || row.output_octets.is_some() {
                    (text::octets(u64::try_from(volume).unwrap_or(0)))
                } @else { "\u{2013}" }
            }
            td data-label="Ended" {
                @match &row.end {
                    None => strong { "on line" },
                    Some(end) => {
                        (text::moment(end)) " "
                        span.quiet { (text::maybe(row.terminate_cause.as_deref().or(row.end_reason.as_deref()))) }
                    }
                }
            }
        }
    }
}
