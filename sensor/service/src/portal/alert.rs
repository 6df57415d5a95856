//! An alert's page: what was expected against what was seen, its connections, and what became of it.

use axum::{
    Extension, Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, alerts, frame, guard::Visitor, text};
use crate::{
    alert::{Alert, COMMENT_OCTETS_MAX, Connection, State as AlertState, Verdict, comment_text},
    api::{self, Problem},
};

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        let alert = store.alert(number)?.ok_or_else(|| nothing(number))?;
        shared.api.audit_alert(&who, "alert.show", &alert, &format!("alert {number}"))?;
        Ok(alert)
    });
    let alert = found.await?;
    let title = format!("{} {number}", alert.title);
    Ok(frame::page(&visitor, &title, &content(&visitor, &alert)))
}

fn nothing(number: u64) -> Problem {
    Problem::not_found(format!("There is no alert {number}."))
}

fn content(visitor: &Visitor, alert: &Alert) -> Markup {
    html! {
        p.message { (text::stranger(&alert.message)) }
        dl {
            dt { "Severity" } dd { (text::severity(alert.severity)) ", score " (format!("{:.1}", alert.score)) }
            @if alert.address.is_some() {
                dt { "Users" } dd { @for (index, user) in alert.users().enumerate() {
                    @if index > 0 { ", " } (text::user(Some(user)))
                } }
            } @else {
                dt { "User" } dd { (text::user(alert.user.as_deref())) }
            }
            dt { "State" } dd { (alerts::state(&alert.state)) }
            dt { "Connections" } dd { (alert.connection_count) }
        }
        @if !alert.advice.is_empty() {
            h2 { "What to do" }
            ul { @for advice in &alert.advice { li { (advice) } } }
        }
        h2 { "Expected against seen" }
        @for reason in &alert.reasons {
            section.card {
                p { (text::stranger(&reason.text)) }
                div.against {
                    div { h3 { "Expected" } @if reason.expected.is_empty() { p.quiet { "Nothing of the kind was seen before." } }
                        ul { @for usual in &reason.expected {
                            li { (text::stranger(&usual.value)) span.quiet { " in " (usual.connections) " connections, last "
                                (text::moment_ns(u64::from(usual.last_unix_s) * 1_000_000_000)) } }
                        } } }
                    div { h3 { "Seen" } p { (text::stranger(&reason.seen)) }
                        @if !reason.techniques.is_empty() { p.quiet { "MITRE ATT&CK " (reason.techniques.join(", ")) } } }
                }
            }
        }
        h2 { "Connections" }
        (connections(&alert.connections, alert.address.is_some()))
        h2 { "Decide" }
        (decide(visitor, alert))
        @if !alert.comments.is_empty() {
            h2 { "Comments" }
            @for comment in &alert.comments {
                p { (text::stranger(&comment.text)) br; span.quiet { (text::stranger(&comment.by)) ", " (text::moment_ns(comment.unix_ns)) } }
            }
        }
    }
}

fn connections(rows: &[Connection], of_many: bool) -> Markup {
    html! {
        div.wide { table.stack {
            thead { tr { th { "Start" } @if of_many { th { "User" } } th { "Address" } th { "Place" } th { "Network" } th { "Device" } th { "Client software" }
                th { "VPN server" } th { "Session id" } th.figure { "Score" } } }
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

fn decide(visitor: &Visitor, alert: &Alert) -> Markup {
    let path = format!("/alerts/{}", alert.number);
    html! {
        @if alert.state == AlertState::Open {
            form.row method="post" action={ (path) "/close" } {
                input type="hidden" name="token" value=(visitor.form_token);
                input type="hidden" name="revision" value=(alert.revision);
                label { "It was" select name="verdict" {
                    option value="usual" { "usual for this user: her profile learns it" }
                    option value="malicious" { "an attacker: what it taught is taken back" }
                    option value="unclear" { "not found out" }
                } }
                label { "Comment" input name="comment" maxlength=(COMMENT_OCTETS_MAX); }
                button { "Close the alert" }
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
    verdict: Verdict,
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
    let alert =
        portal.api.readers.read(move |store| store.alert(number)?.ok_or_else(|| nothing(number))).await?;
    if alert.revision != closing.revision {
        let detail =
            "This alert changed since you looked at it. Go back, load the page again and decide anew.";
        return Err(Refused(StatusCode::CONFLICT, detail.to_owned()));
    }
    let comment = if closing.comment.trim().is_empty() { None } else { Some(text_of(&closing.comment)?) };
    api::decide(&portal.api, &visitor.name(), number, Some(closing.verdict), comment).await?;
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
    api::decide(&portal.api, &visitor.name(), number, None, Some(comment)).await?;
    Ok(back(number))
}

fn text_of(comment: &str) -> Result<String, Refused> {
    comment_text(comment).map_err(|error| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

/// To the alert as it is now. What the service has not taken yet shows when the page is loaded again.
fn back(number: u64) -> Response {
    Redirect::to(&format!("/alerts/{number}")).into_response()
}
