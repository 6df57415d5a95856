//! What somebody did, the newest first, each with where it was: connections that began and that ended. Made of the connections
//! that the page has read anyway.

use maud::{Markup, html};

use super::{sessions, text};
use crate::store::SessionRow;

/// Rows of the table.
const SHOWN: usize = 20;

struct Activity<'r> {
    /// RFC 3339, to the microsecond: text of one form, in the order of time.
    at: &'r str,
    has_ended: bool,
    connection: &'r SessionRow,
}

pub(super) fn table(rows: &[SessionRow]) -> Markup {
    let began = rows.iter().map(|row| Activity { at: &row.start, has_ended: false, connection: row });
    let ended = rows.iter().filter_map(|row| {
        let at = row.end.as_deref()?;
        Some(Activity { at, has_ended: true, connection: row })
    });
    let mut all: Vec<_> = began.chain(ended).collect();
    all.sort_by(|one, other| other.at.cmp(one.at));
    all.truncate(SHOWN);
    html! {
        @if !rows.is_empty() { p.quiet { "Of the newest " (rows.len()) " connections." } (sessions::moved()) }
        @if all.is_empty() { p { "Nothing." } } @else {
            div.wide tabindex="0" role="region" aria-label="Activities" { table.stack {
                caption.unseen { "What was done and where, the newest first" }
                thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Where" } th scope="col" { "Address" }
                    th scope="col" { "Provider" } th scope="col" { "VPN server" } th scope="col" { "Alert" } } }
                tbody { @for activity in &all { (line(activity)) } }
            } }
        }
    }
}

fn line(activity: &Activity<'_>) -> Markup {
    let row = activity.connection;
    let place = row.place.as_ref();
    html! { tr {
        td data-label="When" { (text::moment(activity.at)) }
        td data-label="What" { @if activity.has_ended {
            "disconnected" @if let Some(why) = row.terminate_cause.as_deref().or(row.end_reason.as_deref()) { ": " (text::stranger(why)) }
        } @else { "connected" @if row.start_source == "first-seen" { ", then or before" } } }
        td data-label="Where" { (text::maybe(place.map(|place| &*place.name))) }
        td data-label="Address" { (sessions::address(row.remote.as_deref())) }
        td data-label="Provider" { (text::maybe(place.and_then(|place| place.network()).as_deref())) }
        td data-label="VPN server" { (text::stranger(sessions::server(row))) }
        td data-label="Alert" { @match row.alert { Some(alert) => a href={ "/alerts/" (alert) } { (alert) }, None => "\u{2013}" } }
    } }
}
