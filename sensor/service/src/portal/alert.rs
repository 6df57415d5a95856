//! An alert's page: what was expected against what was seen, its connections, and what became of it.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Refused, Shared, alerts,
    deciding::{NotDone, decide, waits},
    frame,
    guard::Visitor,
    map::{self, Spot},
    settings, text,
};
use crate::{
    alert::{Alert, AlertPage, Connection, Happened, HeldBack, Reason},
    api::Problem,
    control::Role,
    store::JourneyRow,
};

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
) -> Result<Response, Refused> {
    show(&portal, &visitor, number, None).await
}

/// The page; behind a form that was not done, with that.
pub(super) async fn show(
    portal: &Shared,
    visitor: &Visitor,
    number: u64,
    not_done: Option<&NotDone<'_>>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        let page = store.alert_page(number)?.ok_or_else(|| nothing(number))?;
        shared.api.audit_alert(&who, "alert.show", &page.alert, &format!("alert {number}"))?;
        let waiting = shared.api.with_control(|control| control.decisions_waiting(number))?.1;
        let journey = store.journey(&page.alert)?;
        Ok((page, journey, waiting))
    });
    let (page, journey, waiting) = found.await?;
    let title = format!("{} {number}", page.alert.title);
    let decide = html! { h2 { "Decide" } (waits(waiting)) (decide(visitor, &page.alert, not_done)) };
    let (first, in_place) = if not_done.is_some() { (Some(&decide), None) } else { (None, Some(&decide)) };
    let content = content(visitor, &page, journey.as_ref(), in_place);
    // What is to be mended stands on top.
    Ok(frame::page(visitor, &title, &html! { @if let Some(decide) = first { (decide) } (content) }))
}

fn nothing(number: u64) -> Problem {
    Problem::not_found(format!("There is no alert {number}."))
}

fn content(
    visitor: &Visitor,
    page: &AlertPage,
    journey: Option<&JourneyRow>,
    decide: Option<&Markup>,
) -> Markup {
    let alert = &page.alert;
    html! {
        p.message { (text::stranger(&alert.message)) }
        dl {
            dt { "Severity" } dd { (text::severity(alert.severity)) ", score " (format!("{:.1}", alert.score))
                @if let Some(likelier) = alert.likelier() { ": " (likelier) } }
            @if alert.address.is_some() {
                dt { "Users" } dd { @for (index, user) in alert.users().enumerate() {
                    @if index > 0 { ", " } (text::user(Some(user)))
                } }
            } @else {
                dt { "User" } dd { (text::user(alert.user.as_deref())) }
            }
            dt { "State" } dd { (alerts::state(&alert.state)) }
            dt { "Connections" } dd { (alert.connection_count) }
            @if page.held { dt { "Sent" } dd { "to nobody as it stands: held back" (held_back(alert.held_back)) } }
        }
        @if !alert.advice.is_empty() {
            h2 { "What to do" }
            ul { @for advice in &alert.advice { li { (advice) } } }
        }
        (where_from(alert, journey))
        h2 { "Expected against seen" }
        @for reason in &alert.reasons {
            section.card {
                p { (text::stranger(&reason.text)) }
                div.against {
                    div { h3 { "Expected" } @if reason.expected.is_empty() { p.quiet { (nothing_expected(reason)) } }
                        ul { @for usual in &reason.expected {
                            li { (text::stranger(&usual.value)) span.quiet {
                                @match usual.connections { 0 => "", 1 => " in 1 connection", count => { " in " (count) " connections" } }
                                @if usual.last_unix_s > 0 { ", last "
                                    (text::moment_ns(u64::from(usual.last_unix_s) * 1_000_000_000)) } } }
                        } } }
                    div { h3 { "Seen" } p { (text::stranger(&reason.seen)) }
                        @if !reason.techniques.is_empty() { p.quiet { "MITRE ATT&CK " (reason.techniques.join(", ")) } } }
                }
            }
        }
        h2 { "Connections" }
        @if alert.connection_count > alert.connections.len() as u64 {
            p.quiet { "The newest " (alert.connections.len()) " of " (alert.connection_count) " connections." }
        }
        (connections(&alert.connections, alert.address.is_some()))
        p { a href={ "/alerts/" (alert.number) "/records" } { "The raw records of these connections" } }
        @if let Some(decide) = decide { (decide) }
        @if let Some(way) = settings::offered(alert).filter(|_| visitor.role == Role::Administrator) {
            p { a href=(way) { "Exclude this network for a while" } }
        }
        @if !alert.comments.is_empty() {
            h2 { "Comments" }
            @for comment in &alert.comments {
                p { (text::stranger(&comment.text)) br; span.quiet { (text::stranger(&comment.by)) ", " (text::moment_ns(comment.unix_ns)) } }
            }
        }
        h2 { "What happened" }
        (history(&page.history))
    }
}

/// How much of it, where it is beyond what one alert tells.
fn held_back(held: Option<HeldBack>) -> Markup {
    html! { @if let Some(held) = held { ", " (held.words()) " since " (text::moment_ns(held.since_unix_ns)) } }
}

/// What was told of it and what was not, the oldest first.
fn history(history: &[Happened]) -> Markup {
    html! {
        ul { @for happened in history { li {
            (text::moment(&happened.time)) " " (happened.news.name())
            @if happened.held { span.quiet { ", held back" (held_back(happened.held_back)) } }
            @if !happened.reasons.is_empty() {
                ul { @for reason in &happened.reasons { li { (text::stranger(reason)) } } }
            }
        } } }
    }
}

/// What stands where no usual value does.
fn nothing_expected(reason: &Reason) -> &'static str {
    let is_of_value = reason.feature.as_deref().is_some_and(|feature| !["hour", "away"].contains(&feature));
    if is_of_value { "Nothing of the kind was seen before." } else { "There is no one usual value." }
}

/// Where the connections came from; where it is about travel, from where to where.
fn where_from(alert: &Alert, journey: Option<&JourneyRow>) -> Markup {
    if let Some(journey) = journey {
        return html! { h2 { "From one place to the other" } (map::journey(journey)) };
    }
    let mut spots: Vec<Spot> = Vec::new();
    for connection in &alert.connections {
        let (Some(latitude), Some(longitude)) = (connection.latitude, connection.longitude) else { continue };
        let known = spots.iter_mut().find(|spot| (spot.latitude, spot.longitude) == (latitude, longitude));
        match known {
            Some(spot) => spot.count += 1,
            None => spots.push(Spot {
                name: connection.place.clone().unwrap_or_default(),
                latitude,
                longitude,
                // An alert does not say it; the user's page does.
                radius_km: 0,
                count: 1,
            }),
        }
    }
    let placed: i64 = spots.iter().map(|spot| spot.count).sum();
    let elsewhere = alert.connections.len() as i64 - placed;
    html! { @if !spots.is_empty() { h2 { "Places" } (map::places(&spots, elsewhere, "Where its connections came from")) } }
}

fn connections(rows: &[Connection], of_many: bool) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Connections" { table.stack {
            caption.unseen { "Connections of this alert, the newest first" }
            thead { tr { th scope="col" { "Start" } @if of_many { th scope="col" { "User" } } th scope="col" { "Address" } th scope="col" { "Place" }
                th scope="col" { "Network" } th scope="col" { "Device" } th scope="col" { "Client software" }
                th scope="col" { "VPN server" } th scope="col" { "Session id" } th.figure scope="col" { "Score" } } }
            tbody { @for row in rows { tr {
                td data-label="Start" { (text::moment_ns(row.start_unix_ns)) }
                @if of_many { td data-label="User" { (text::user(row.user.as_deref())) } }
                td data-label="Address" { (text::maybe(row.address.map(|address| address.to_string()).as_deref())) }
                td data-label="Place" { (text::maybe(row.place.as_deref())) }
                td data-label="Network" { @if let Some(asn) = row.asn { "AS" (asn) " " } (text::maybe(row.organisation.as_deref())) }
                td data-label="Device" { (text::device(row.device.as_deref())) }
                td data-label="Client software" { (text::maybe(row.software.as_deref())) }
                td data-label="VPN server" { (text::maybe(row.server.as_deref())) }
                td data-label="Session id" { (text::stranger(&row.session_id)) }
                td.figure data-label="Score" { (format!("{:.1}", row.score)) }
            } } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert::{News, Severity},
        portal::testing,
    };

    #[test]
    fn a_page_says_of_how_many_connections_it_lists_the_newest() {
        let mut alert = testing::alert(7);
        alert.connection_count = 40;
        let shown = |alert: &Alert| {
            let page = AlertPage::new(alert.clone(), Vec::new());
            content(&testing::visitor(), &page, None, None).into_string()
        };
        assert!(shown(&alert).contains("The newest 0 of 40 connections."), "{}", shown(&alert));
        alert.connection_count = 0;
        assert!(!shown(&alert).contains("The newest"), "{}", shown(&alert));
    }

    #[test]
    fn an_alert_about_a_line_of_ipv6_offers_to_exclude_its_network() {
        for (address, button, network) in [
            ("198.51.100.9", "Usual for this address", "198.51.100.9"),
            ("2001:db8:1:2::9", "Usual for this network", "2001%3Adb8%3A1%3A2%3A%3A%2F64"),
        ] {
            let alert = Alert { address: address.parse().ok(), ..testing::alert(7) };
            let shown = decide(&testing::visitor(), &alert, None).into_string();
            assert!(shown.contains(button), "{shown}");
            let way = settings::offered(&alert).unwrap();
            assert!(way.contains(&format!("&network={network}&")), "{way}");
        }
    }

    #[test]
    fn the_history_says_how_much_was_held_back_and_since_when() {
        let told = Happened {
            sequence: 1,
            time: "2026-09-21T14:13:20.000000Z".to_owned(),
            news: News::New,
            held: false,
            held_back: None,
            severity: Severity::Medium,
            score: 7.0,
            reasons: vec!["<network> never seen".to_owned()],
            comment: None,
            closed: None,
        };
        let since_unix_ns = 1_790_000_000_000_000_000;
        let gathered = Happened {
            news: News::Updated,
            held: true,
            held_back: Some(HeldBack { count: 17, since_unix_ns }),
            ..told.clone()
        };
        let over_the_days_bound = Happened { held: true, ..told.clone() };
        let shown = history(&[told, gathered, over_the_days_bound]).into_string();
        assert_eq!(shown.matches(", held back").count(), 2, "{shown}");
        assert_eq!(shown.matches(", held back, 17 pieces of news since ").count(), 1, "{shown}");
        assert!(shown.contains("&lt;network&gt; never seen"), "{shown}");
        assert_eq!(HeldBack { count: 1, since_unix_ns }.words(), "1 piece of news");
    }
}
