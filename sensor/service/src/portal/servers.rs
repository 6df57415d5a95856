//! All VPN servers that were ever heard of, in that order.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, text};
use crate::{api::query, store::ServerRow};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    cursor: Option<String>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let after: Option<i64> = query::position(asked.cursor.as_deref())?;
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "servers.list", None, None)?;
        Ok((store.servers(after.unwrap_or(i64::MIN), ROWS + 1)?, store.on_line()?))
    });
    let (mut rows, on_line) = found.await?;
    let is_cut = rows.len() > ROWS;
    rows.truncate(ROWS);
    let next = rows.last().filter(|_| is_cut).map(|last| query::cursor(&last.number));
    let content = html! {
        p { a href="/connections?open=true" { (on_line) " on line now" } " through all of them." }
        @if rows.is_empty() { p { "None was heard of yet." } } @else {
            div.wide tabindex="0" role="region" aria-label="VPN servers" { (table(&rows)) }
        }
        @if let Some(next) = next { p { a href={ "/servers?cursor=" (next) } { "More" } } }
    };
    Ok(frame::page(&visitor, "VPN servers", &content))
}

fn table(rows: &[ServerRow]) -> Markup {
    html! {
        table.stack {
            caption.unseen { "VPN servers, in the order in which they were heard of" }
            thead { tr { th scope="col" { "VPN server" } th scope="col" { "Client" } th.figure scope="col" { "On line" }
                th.figure scope="col" { "Connections" } th scope="col" { "First heard" } th scope="col" { "Last heard" } } }
            tbody { @for server in rows { tr {
                td data-label="VPN server" { a href={ "/connections?server=" (server.number) } { (text::stranger(name(server))) } }
                td data-label="Client" { (text::stranger(&server.client)) }
                td.figure data-label="On line" { (server.open) }
                td.figure data-label="Connections" { (server.connections) }
                td data-label="First heard" { (text::moment(&server.first_seen)) }
                td data-label="Last heard" { (text::moment(&server.last_seen)) }
            } } }
        }
    }
}

/// What it calls itself, or its address, or the client that it is.
pub(super) fn name(server: &ServerRow) -> &str {
    server.nas_identifier.as_deref().or(server.nas_address.as_deref()).unwrap_or(&server.client)
}
