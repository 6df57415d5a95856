//! Users, the latest seen first, with search.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, text};
use crate::{api::query, store::UserRow};

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
    let after: Option<(i64, String)> = query::position(cursor.as_deref())?;
    let (shared, who) = (portal.clone(), visitor.name());
    let part = Some(q.trim().to_lowercase()).filter(|part| !part.is_empty());
    let content = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "users.list", part.as_deref(), None)?;
        let after = after.as_ref().map(|(last, name)| (*last, &**name));
        let mut rows = store.users(part.as_deref(), after, ROWS + 1)?;
        let next =
            (rows.len() > ROWS).then(|| query::cursor(&(rows[ROWS - 1].last_unix_ns, &rows[ROWS - 1].user)));
        rows.truncate(ROWS);
        Ok(content(part.as_deref().unwrap_or_default(), &rows, next.as_deref()))
    });
    Ok(frame::page(&visitor, "Users", &content.await?))
}

fn content(part: &str, rows: &[UserRow], next: Option<&str>) -> Markup {
    html! {
        form.row role="search" aria-label="Users" action="/users" {
            label { "Part of the name" input type="search" name="q" value=(part) maxlength="256"; }
            button { "Search" }
        }
        @if rows.is_empty() {
            p { "Nobody" @if !part.is_empty() { " has " (text::stranger(part)) " in the name" } "." }
        } @else {
            div.wide { table.stack {
                thead { tr { th { "User" } th { "Last seen" } th { "First seen" } th.figure { "Connections" } th.figure { "Open alerts" } } }
                tbody { @for row in rows { tr {
                    td data-label="User" { (text::user(Some(&row.user))) }
                    td data-label="Last seen" { (text::moment(&row.last_seen)) }
                    td data-label="First seen" { (text::moment(&row.first_seen)) }
                    td.figure data-label="Connections" { (row.connections) }
                    td.figure data-label="Open alerts" { @if row.open_alerts > 0 { strong { (row.open_alerts) } } @else { "0" } }
                } } }
            } }
        }
        @if let Some(next) = next { p { a href={ "/users?q=" (query_part(part)) "&cursor=" (next) } { "More" } } }
    }
}

/// A value of a query, as it goes into an address.
pub(super) fn query_part(text: &str) -> String {
    text::path(&[text]).split_off(1)
}
