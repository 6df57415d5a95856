//! An alert's page: what was expected against what was seen, its connections, and what became of it.

use axum::{
    Extension, Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use insight::detect::Line;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Refused, Shared, alerts, frame,
    guard::Visitor,
    map::{self, Spot},
    settings, text,
};
use crate::{
    alert::{
        Alert, AlertPage, COMMENT_OCTETS_MAX, Connection, Happened, HeldBack, Reason, State as AlertState,
        comment_text,
    },
    api::{self, Problem, Shown},
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

/// The page; where the form for closing came without a reason, with the comment that it came with.
async fn show(
    portal: &Shared,
    visitor: &Visitor,
    number: u64,
    unexplained: Option<&str>,
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
    let decide = html! { (waits(waiting)) (decide(visitor, &page.alert, unexplained)) };
    Ok(frame::page(visitor, &title, &content(visitor, &page, journey.as_ref(), &decide)))
}

fn nothing(number: u64) -> Problem {
    Problem::not_found(format!("There is no alert {number}."))
}

fn content(visitor: &Visitor, page: &AlertPage, journey: Option<&JourneyRow>, decide: &Markup) -> Markup {
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
        (connections(&alert.connections, alert.address.is_some()))
        p { a href={ "/alerts/" (alert.number) "/records" } { "The raw records of these connections" } }
        h2 { "Decide" }
        (decide)
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
    html! { @if !spots.is_empty() { h2 { "Places" } (map::places(&spots, "Where its connections came from")) } }
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

/// That the alert does not show yet what was decided about it: whoever looks must not think it lost and decide again.
fn waits(waiting: u64) -> Markup {
    html! {
        @if waiting > 0 {
            p.notice role="status" {
                @if waiting == 1 { "A decision about this alert waits" } @else { (waiting) " decisions about this alert wait" }
                " for the service, which takes a moment, or longer while it cannot write: load the page again to see what came of it."
            }
        }
    }
}

fn decide(visitor: &Visitor, alert: &Alert, unexplained: Option<&str>) -> Markup {
    let path = format!("/alerts/{}", alert.number);
    html! {
        @if alert.state == AlertState::Open {
            form.row method="post" action={ (path) "/close" } {
                input type="hidden" name="token" value=(visitor.form_token);
                input type="hidden" name="revision" value=(alert.revision);
                input type="hidden" name="verdict" value="usual";
                button {
                    @match alert.address.map(Line::of) {
                        Some(line) if line.is_network() => "Usual for this network",
                        Some(_) => "Usual for this address",
                        None => "Usual for this user",
                    }
                }
            }
            form.row method="post" action={ (path) "/close" } {
                input type="hidden" name="token" value=(visitor.form_token);
                input type="hidden" name="revision" value=(alert.revision);
                label { "It was" select name="verdict" required
                    aria-invalid=[unexplained.map(|_| "true")] aria-describedby=[unexplained.map(|_| "unexplained")] {
                    option value="" selected { (alerts::NO_REASON) }
                    @for (verdict, words) in alerts::VERDICTS { option value=(verdict.name()) { (words) } }
                } }
                label { "Comment" input name="comment" value=[unexplained] maxlength=(COMMENT_OCTETS_MAX); }
                button { "Close the alert" }
                @if unexplained.is_some() {
                    p.problem id="unexplained" role="alert" { "It is not closed: choose what it was." }
                }
            }
        }
        form.row method="post" action={ (path) "/comments" } {
            input type="hidden" name="token" value=(visitor.form_token);
            label { "Comment" input name="comment" required maxlength=(COMMENT_OCTETS_MAX); }
            button { "Write" }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    token: String,
    /// Of the alert as it was shown: one that grew since is looked at again.
    revision: u32,
    /// Empty, where none was chosen.
    verdict: String,
    #[serde(default)]
    comment: String,
}

pub(super) async fn close(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
    Form(closing): Form<Closing>,
) -> Result<Response, Refused> {
    visitor.check(&closing.token)?;
    let Some(verdict) = alerts::verdict_of(&closing.verdict) else {
        let mut answer = show(&portal, &visitor, number, Some(&closing.comment)).await?;
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    };
    let comment = if closing.comment.trim().is_empty() { None } else { Some(text_of(&closing.comment)?) };
    let shown = Shown { number, revision: Some(closing.revision) };
    api::decide(&portal.api, &visitor.name(), shown, Some(verdict), comment).await?;
    Ok(back(number))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Writing {
    token: String,
    comment: String,
}

pub(super) async fn comment(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
    Form(Writing { token, comment }): Form<Writing>,
) -> Result<Response, Refused> {
    visitor.check(&token)?;
    let comment = text_of(&comment)?;
    let shown = Shown { number, revision: None };
    api::decide(&portal.api, &visitor.name(), shown, None, Some(comment)).await?;
    Ok(back(number))
}

pub(super) fn text_of(comment: &str) -> Result<String, Refused> {
    comment_text(comment).map_err(|error| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

/// To the alert as it is now. What the service has not taken yet shows when the page is loaded again.
fn back(number: u64) -> Response {
    Redirect::to(&format!("/alerts/{number}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{News, Severity};
    use crate::portal::testing;

    #[test]
    fn a_decision_that_waits_is_told() {
        assert_eq!(waits(0).into_string(), "");
        assert!(waits(1).into_string().contains("A decision about this alert waits for the service"));
        assert!(waits(2).into_string().contains("2 decisions about this alert wait for the service"));
    }

    #[test]
    fn nothing_is_chosen_for_whoever_closes_an_alert() {
        let (visitor, alert) = (testing::visitor(), testing::alert(7));
        let first = "<option value=\"\" selected>choose why</option>";
        let shown = decide(&visitor, &alert, None).into_string();
        assert!(shown.contains(&format!("<select name=\"verdict\" required>{first}")), "{shown}");
        assert!(!shown.contains("aria-invalid") && !shown.contains("role=\"alert\""), "{shown}");
        let again = decide(&visitor, &alert, Some("<she> is at home")).into_string();
        for part in [
            "aria-invalid=\"true\" aria-describedby=\"unexplained\"",
            "id=\"unexplained\" role=\"alert\"",
            "value=\"&lt;she&gt; is at home\"",
            first,
        ] {
            assert!(again.contains(part), "{part}: {again}");
        }
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
