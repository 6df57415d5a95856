//! A user's page: where she connects from, with what, when, and what is usual.

use std::{
    cmp::Reverse,
    collections::HashSet,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Refused, Shared, activities, alerts, connections, frame,
    guard::Visitor,
    map,
    plot::{self, Bar, Drawn},
    sessions, text,
    zone::Zone,
};
use crate::{
    api::Problem,
    store::{
        LocationRow, NEWEST_COUNTED, SHARES_MAX, STARTS_COUNTED, SessionFilter, SessionRow, Share,
        StoreError, StoreReader, UserPage, UsualPage, UsualValue,
    },
};

/// The newest connections in the table of the page. With all columns, more would make it too large to load.
const SESSIONS: usize = 25;
/// Those of the timeline, the newest; and so many of those in alerts.
const BARS: usize = 300;
/// Rows of a card.
pub(super) const CARD_ROWS: usize = 10;
/// Usual values of a sort that are seen before the others are unfolded. Sixteen are followed at most.
const USUAL_ROWS: usize = 5;
const DAY_S: i64 = 86_400;
const SECOND_NS: i64 = 1_000_000_000;

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let key = portal.api.user_key(text::named(&name)).await?;
    let (shared, who, zone) = (portal.clone(), visitor.name(), visitor.zone.clone());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "user.show", Some(&key), None)?;
        let page = store.user_page(&key, SESSIONS + 1, shared.api.learning(), now.as_nanos() as u64)?;
        let mut page = page.ok_or_else(|| Problem::not_found(format!("There is no user {key:?}.")))?;
        let next;
        (page.sessions, next) = connections::cut(page.sessions, SESSIONS);
        let today = zone.day(shown_until(&page, now.as_secs() as i64));
        // Whatever was there on one of these days, however long before it began.
        let since = zone.begin_s(today - plot::DAYS + 1).saturating_mul(SECOND_NS);
        let month = Month::of(store, &key, since)?;
        Ok((page, next, today, month))
    });
    let (page, next, today, month) = found.await?;
    let days = Days { today, now_s: now.as_secs() as i64, zone: &visitor.zone };
    Ok(frame::page(&visitor, &page.user.user, &content(&page, next.as_deref(), days, &month)))
}

/// What the timeline is made of.
struct Month {
    /// The newest first.
    connections: Vec<SessionRow>,
    /// Of those that began before, seconds since 1970 UTC, the ones in alerts alone are there.
    whole_from_s: Option<i64>,
    /// And of these not all.
    are_alerts_cut: bool,
}

impl Month {
    /// Those of a user that were not over before a moment. Of somebody busy the newest, and those that alerts are about: who
    /// looks for what an alert of ten days ago was about finds it.
    fn of(store: &StoreReader, key: &str, since_unix_ns: i64) -> Result<Month, StoreError> {
        let filter = SessionFilter {
            user: Some(key.to_owned()),
            since_unix_ns: Some(since_unix_ns),
            ..SessionFilter::default()
        };
        let mut connections = store.sessions(&filter, BARS + 1)?;
        let mut month = Month { connections: Vec::new(), whole_from_s: None, are_alerts_cut: false };
        if connections.len() > BARS {
            month.whole_from_s =
                connections.pop().map(|left_out| (left_out.start_unix_ns / SECOND_NS).saturating_add(1));
            let (in_alerts, is_cut) = store.sessions_in_alerts(key, since_unix_ns, BARS)?;
            let known: HashSet<i64> = connections.iter().map(|row| row.number).collect();
            connections.extend(in_alerts.into_iter().filter(|row| !known.contains(&row.number)));
            connections.sort_by_key(|row| Reverse((row.start_unix_ns, row.number)));
            month.are_alerts_cut = is_cut;
        }
        month.connections = connections;
        Ok(month)
    }
}

/// By which days a page is laid out.
#[derive(Clone, Copy)]
struct Days<'z> {
    /// The last day that is shown, in this zone.
    today: i64,
    now_s: i64,
    zone: &'z Zone,
}

/// Of somebody who is away for long it is shown how it was before.
fn shown_until(page: &UserPage, now_s: i64) -> i64 {
    let last_s = page.user.last_unix_ns / SECOND_NS;
    if now_s - last_s > 30 * DAY_S { last_s } else { now_s }
}

fn content(
    page: &UserPage,
    next: Option<&str>,
    Days { today, now_s, zone }: Days<'_>,
    month: &Month,
) -> Markup {
    let starts = &page.starts;
    let (days, hours) = (zone.days(&starts.unix_ns), zone.hours(&starts.unix_ns));
    // Of the day of the oldest one not all were read.
    let counted_from = starts.unix_ns.first().filter(|_| starts.is_cut);
    let counted_from = counted_from.map(|oldest| zone.day(oldest / SECOND_NS) + 1);
    let bars: Vec<Bar> = month.connections.iter().map(|row| bar(row, zone)).collect();
    let (timeline, drawn) = plot::timeline(&bars, today, zone, month.whole_from_s);
    let all = connections::all("user", &page.user.user);
    html! {
        p.quiet {
            (page.user.connections) " connections since " (text::moment(&page.user.first_seen)) ", last seen "
            (text::moment(&page.user.last_seen))
            @if let Some(original) = &page.user.original { ", written as " (text::stranger(original)) }
            @if page.user.connections > NEWEST_COUNTED as i64 {
                ". Places, devices, networks and all else but days and hours are of the newest " (NEWEST_COUNTED)
            }
            "."
        }
        @if !page.alerts.is_empty() { h2 { "Open alerts" } (alerts::table(&page.alerts)) }
        h2 { "Places" }
        (map::places_of(&map::spots(&page.spots), page.spot_count, "Places of connections"))
        (sessions::moved())
        div.cards {
            section.card { h2 { "VPN locations" } (locations(&page.locations, &all)) }
            (usual(&page.usual, now_s))
        }
        h2 { "Days" }
        (plot::calendar(&days, today, counted_from))
        (plot::calendar_figures(&days, today, counted_from))
        @if let Some(day) = counted_from {
            p.quiet { "Days and hours are counted over the newest " (STARTS_COUNTED) " connections: since " (plot::date(day)) "." }
        }
        h2 { "Thirty days" }
        (timeline)
        @if let Some(drawn) = drawn {
            (drawn_in_part(drawn, month.are_alerts_cut))
            p { "There are more in these days, among "
                a href={ (all) "&since=" (plot::date(today - plot::DAYS + 1)) } { "all of them" } "." }
        }
        p.quiet { "Days and hours are those of " (zone.name()) ". In the colour of warnings: connections that an alert is about." }
        div.cards {
            section.card { h2 { "When connections begin" } (plot::week(&hours, zone)) (plot::week_figures(&hours)) }
            (card("Devices", &page.devices, true, &all))
            (card("Networks", &page.networks, false, &all))
            (card("Addresses", &page.addresses, false, &all))
            (card("Client software", &page.software, false, &all))
            (card("VPN servers", &page.servers, false, &all))
        }
        h2 { "Activities" }
        (activities::table(&page.sessions))
        h2 { "Connections" }
        (sessions::moved())
        (sessions::table_of_one(&page.sessions))
        (connections::ways("user", &page.user.user, next))
        p.exports { "All of them, at most the newest 10,000, as "
            a href={ (text::path(&["users", &page.user.user, "connections.csv"])) } download { "CSV" } " or "
            a href={ (text::path(&["users", &page.user.user, "connections.json"])) } download { "JSON" } "." }
    }
}

/// From when on the timeline has all.
fn drawn_in_part(drawn: Drawn, are_alerts_cut: bool) -> Markup {
    let since = jiff::Timestamp::from_second(drawn.whole_from_s).unwrap_or_default();
    html! {
        p {
            (drawn.connections) " connections are drawn: all that began since " (text::moment(&format!("{since:.0}")))
            ", and of those before " @if are_alerts_cut || drawn.are_alerts_cut { "the newest " } "in alerts alone."
        }
    }
}

fn bar(row: &SessionRow, zone: &Zone) -> Bar {
    let start_s = row.start_unix_ns / SECOND_NS;
    // Of another zone than UTC, the absolute moment as well.
    let absolute = match jiff::Timestamp::from_second(start_s) {
        Ok(start) if !zone.is_utc() => format!(" ({start})"),
        _ => String::new(),
    };
    let place = row.place.as_ref().map_or("somewhere", |place| &place.name);
    Bar {
        start_s,
        end_s: start_s.saturating_add(i64::try_from(row.seconds).unwrap_or(i64::MAX)),
        label: format!(
            "{} {}, {}, {}{absolute}",
            zone.minute(start_s),
            zone.name(),
            text::duration(row.seconds),
            text::visible(place)
        ),
        is_alert: row.alert.is_some(),
    }
}

/// That a card has more than it shows, and where. `known`: rows that were read, [`SHARES_MAX`] at most.
pub(super) fn others(known: usize, all: &str) -> Markup {
    html! {
        @if known > CARD_ROWS {
            p.quiet {
                "The newest " (CARD_ROWS) ", and " (known - CARD_ROWS) @if known >= SHARES_MAX { " or" } " more: "
                a href=(all) { "all connections" } "."
            }
        }
    }
}

/// `all`: the address of all connections.
pub(super) fn locations(locations: &[LocationRow], all: &str) -> Markup {
    html! {
        table {
            caption.unseen { "Where connections came from, the latest seen first" }
            thead { tr { th scope="col" { "Place" } th scope="col" { "Address" } th scope="col" { "Provider" } th scope="col" { "Last seen" } } }
            tbody { @for location in locations.iter().take(CARD_ROWS) { tr {
                td { (text::maybe(location.place.as_deref())) }
                td { (sessions::address(Some(&location.address))) }
                td { (text::maybe(location.network.as_deref())) }
                td { (text::moment(&location.last_seen)) }
            } } }
        }
        (others(locations.len(), all))
        (sessions::moved())
    }
}

/// Of somebody who is away it is what was usual before: then the last of the thirty days is said.
fn usual(usual: &UsualPage, now_s: i64) -> Markup {
    let today = plot::date(now_s.div_euclid(DAY_S));
    html! {
        section.card {
            h2 { "What is usual" }
            p {
                (usual.connections) " connections on " (usual.days) " of thirty days"
                @if usual.as_of != today { " up to " (usual.as_of) " (UTC)" } ". "
                @if let Some(why) = &usual.not_learned { "Not enough to compare with yet: " (why) "." }
            }
            dl {
                @if let Some(spread) = &usual.seconds {
                    dt { "Length" } dd { "half up to " (text::duration(spread.median)) ", nine in ten up to " (text::duration(spread.nine_in_ten)) }
                }
                @if let Some(spread) = &usual.octets {
                    dt { "Volume" } dd { "half up to " (text::octets(spread.median)) ", nine in ten up to " (text::octets(spread.nine_in_ten)) }
                }
                @for (name, values) in [("Countries", &usual.countries), ("Places", &usual.places), ("Networks", &usual.networks),
                    ("Kinds of network", &usual.kinds), ("Devices", &usual.devices), ("Client software", &usual.software),
                    ("VPN servers", &usual.servers)] {
                    @if !values.is_empty() {
                        dt { (name) }
                        dd {
                            (named(&values[..values.len().min(USUAL_ROWS)]))
                            @if let Some(others) = values.get(USUAL_ROWS..).filter(|others| !others.is_empty()) {
                                details { summary { (others.len()) " more" } (named(others)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Values with in how many connections each was.
fn named(values: &[UsualValue]) -> Markup {
    html! {
        @for (index, value) in values.iter().enumerate() {
            @if index > 0 { ", " } (text::stranger(&value.name)) " (" (value.connections) ")"
        }
    }
}

fn card(title: &str, shares: &[Share], are_devices: bool, all: &str) -> Markup {
    html! {
        @if !shares.is_empty() {
            section.card {
                h2 { (title) }
                table {
                    caption.unseen { (title) ", the latest seen first" }
                    thead { tr { th scope="col" { "Name" } th.figure scope="col" { "Connections" } th scope="col" { "Last seen" } } }
                    tbody { @for share in shares.iter().take(CARD_ROWS) { tr {
                        td { @if are_devices { (text::device(Some(&share.name))) } @else { (text::stranger(&share.name)) } }
                        td.figure { (share.connections) }
                        td { (text::moment(&share.last_seen)) }
                    } } }
                }
                (others(shares.len(), all))
            }
        }
    }
}

#[cfg(test)]
mod tests;
