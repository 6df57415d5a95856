//! Users, the riskiest first, with search.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, text};
use crate::{
    alert::Severity,
    api::query,
    store::{ByRisk, OPEN_ALERTS_MAX, RiskPosition, UserRow},
};

/// Rows of a page: what one scrolls through.
const ROWS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { q, cursor }): Query<Asked>,
) -> Result<Response, Refused> {
    let from: Option<RiskPosition> = query::position(cursor.as_deref())?;
    let (shared, who) = (portal.clone(), visitor.name());
    let typed = Some(q.trim().to_owned()).filter(|typed| !typed.is_empty());
    let realms = portal.api.realms()?;
    let content = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "users.list", typed.as_deref(), None)?;
        let part = typed.as_deref().unwrap_or_default();
        let page = store.users_by_risk(&store.user_part(part, &realms)?, from, ROWS)?;
        Ok(content(part, &page))
    });
    Ok(frame::page(&visitor, "Users", &content.await?))
}

/// The box above a list, and how many there are. With a script the list below follows what is typed, and the number is read out.
pub(super) fn box_for(title: &str, path: &str, part: &str, count: &str) -> Markup {
    html! {
        form.row role="search" aria-label=(title) action=(path) data-follow="results" {
            label { "Part of the name" input type="search" name="q" value=(part) maxlength="256" autocomplete="off"; }
            button { "Search" }
        }
        p.quiet #results-count role="status" { (count) }
    }
}

/// `12 users`, `The first 50 users, and there are more`.
pub(super) fn count_of(rows: usize, what: &str, is_more: bool) -> String {
    match rows {
        _ if is_more => format!("The first {rows} {what}s, and there are more"),
        1 => format!("1 {what}"),
        rows => format!("{rows} {what}s"),
    }
}

/// Says where a list by risk leaves out open alerts.
pub(super) fn cut(is_cut: bool, looked_at: usize, whose: &str) -> Markup {
    html! {
        @if is_cut { p.quiet {
            "More alerts are open than are looked at here: the " (looked_at) " of the highest severity and score say who comes first. "
            (whose) " of others alone stand behind, with no risk. " a href="/alerts" { "All open alerts" }
        } }
    }
}

fn content(part: &str, page: &ByRisk<UserRow>) -> Markup {
    let ByRisk { rows, next, is_cut } = page;
    let next = next.as_ref().map(query::cursor);
    html! {
        (box_for("Users", "/users", part, &count_of(rows.len(), "user", next.is_some())))
        div #results {
            (cut(*is_cut, OPEN_ALERTS_MAX, "Users"))
            @if rows.is_empty() {
                p { "Nobody" @if !part.is_empty() { " has " (text::stranger(part)) " in the name" } "." }
            } @else {
                div.wide tabindex="0" role="region" aria-label="Users" { table.stack {
                    caption.unseen { "Users: those with open alerts by severity and score, then the latest seen" }
                    thead { tr { th scope="col" { "User" } th scope="col" { "Risk" } th.figure scope="col" { "Open alerts" } th scope="col" { "Last seen" }
                        th scope="col" { "First seen" } th.figure scope="col" { "Connections" } } }
                    tbody { @for row in rows { tr {
                        td data-label="User" { (text::user(Some(&row.user))) }
                        td data-label="Risk" { (risk(row.severity, row.score)) }
                        td.figure data-label="Open alerts" { @if row.open_alerts > 0 { strong { (row.open_alerts) } } @else { "0" } }
                        td data-label="Last seen" { (text::moment(&row.last_seen)) }
                        td data-label="First seen" { (text::moment(&row.first_seen)) }
                        td.figure data-label="Connections" { (row.connections) }
                    } } }
                } }
            }
            @if let Some(next) = next { p { a href={ "/users?q=" (query_part(part)) "&cursor=" (next) } { "More" } } }
        }
    }
}

/// The highest severity and score of open alerts.
pub(super) fn risk(severity: Option<Severity>, score: Option<f64>) -> Markup {
    html! {
        @match severity {
            Some(severity) => { (text::severity(severity)) @if let Some(score) = score { ", " (format!("{score:.1}")) } },
            None => "\u{2013}",
        }
    }
}

/// A value of a query, as it goes into an address.
pub(super) fn query_part(text: &str) -> String {
    text::encoded(text)
}
