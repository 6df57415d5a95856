//! Alerts, the newest first.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, people::query_part, text};
use crate::{
    alert::{AlertRow, Severity, State as Standing},
    store::{AlertFilter, AlertState},
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// `all`: closed ones, too.
    #[serde(default)]
    state: String,
    #[serde(default)]
    severity: Severity,
    #[serde(default)]
    user: String,
    before: Option<u64>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let user = asked.user.trim();
    let user = if user.is_empty() { None } else { Some(portal.api.user_key(user)?) };
    let filter = AlertFilter {
        user,
        state: (asked.state != "all").then_some(AlertState::Open),
        severity: asked.severity,
        before: asked.before,
        ..AlertFilter::default()
    };
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "alerts.list", filter.user.as_deref(), filter.details().as_deref())?;
        Ok(store.alert_rows(&filter, ROWS + 1)?)
    });
    let mut alerts = found.await?;
    let more = alerts.len() > ROWS;
    alerts.truncate(ROWS);
    Ok(frame::page(&visitor, "Alerts", &content(&asked, &alerts, more)))
}

fn content(asked: &Asked, alerts: &[AlertRow], more: bool) -> Markup {
    let severity = asked.severity.name();
    html! {
        form.row role="search" aria-label="Alerts" action="/alerts" {
            label { "Which" select name="state" {
                option value="open" { "Open" }
                option value="all" selected[asked.state == "all"] { "All" }
            } }
            label { "Severity from" select name="severity" {
                @for name in ["informational", "low", "medium", "high"] {
                    option value=(name) selected[name == severity] { (name) }
                }
            } }
            label { "User" input type="search" name="user" value=(asked.user) maxlength="256"; }
            button { "Show" }
        }
        @if alerts.is_empty() { p { "No alerts." } } @else { (table(alerts)) }
        @if let (true, Some(last)) = (more, alerts.last()) {
            p { a href={ "/alerts?state=" (query_part(&asked.state)) "&severity=" (severity) "&user="
                (query_part(&asked.user)) "&before=" (last.number) } { "Older ones" } }
        }
    }
}

pub(super) fn table(alerts: &[AlertRow]) -> Markup {
    html! {
        div.wide { table.stack {
            thead { tr { th { "Alert" } th { "Severity" } th { "User" } th { "Newest connection" } th { "Why" } th { "State" } } }
            tbody { @for alert in alerts { tr {
                td data-label="Alert" { a href={ "/alerts/" (alert.number) } { (alert.title) " " (alert.number) } }
                td data-label="Severity" { (text::severity(alert.severity)) }
                td data-label="User" { (text::user(alert.user.as_deref())) }
                td data-label="Newest connection" { (text::moment(&alert.last_seen)) }
                td data-label="Why" { (text::stranger(&alert.message)) }
                td data-label="State" { (state(&alert.state)) }
            } } }
        } }
    }
}

pub(super) fn state(state: &Standing) -> Markup {
    html! {
        @match state {
            Standing::Open => strong { "open" },
            Standing::Closed { verdict, by, unix_ns } => {
                (verdict.name()) ", by " (text::stranger(by)) " " (text::moment_ns(*unix_ns))
            }
        }
    }
}
