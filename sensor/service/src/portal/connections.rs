//! Connections that have one thing in common: an address, outside the tunnel or in it, a place, a VPN server, a
//! session id. What a search leads to.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, people::query_part, sessions, text};
use crate::{
    api::{Problem, query},
    store::{SessionFilter, SessionRow, StoreReader},
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    remote: Option<String>,
    /// Inside the tunnel.
    assigned: Option<String>,
    place: Option<i64>,
    server: Option<i64>,
    session: Option<String>,
    #[serde(default)]
    open: bool,
    cursor: Option<String>,
}

impl Asked {
    fn filter(&self) -> Result<SessionFilter, Problem> {
        Ok(SessionFilter {
            remote: self.remote.clone(),
            assigned: self.assigned.clone(),
            place: self.place,
            server_number: self.server,
            session: self.session.clone(),
            open: self.open,
            after: query::position(self.cursor.as_deref())?,
            ..SessionFilter::default()
        })
    }

    /// What is common, in words.
    fn said(&self, store: &StoreReader) -> Result<String, Problem> {
        let mut parts = Vec::new();
        parts.extend(self.remote.as_ref().map(|address| format!("from {address}")));
        parts.extend(self.assigned.as_ref().map(|address| format!("with {address} inside the tunnel")));
        if let Some(place) = self.place {
            let name = store.place_name(place)?;
            parts.push(format!(
                "from {}",
                name.ok_or_else(|| Problem::not_found(format!("There is no place {place}.")))?
            ));
        }
        if let Some(number) = self.server {
            let found = store.servers(number - 1, 1)?.into_iter().find(|server| server.number == number);
            let server =
                found.ok_or_else(|| Problem::not_found(format!("There is no VPN server {number}.")))?;
            parts.push(format!(
                "through {}",
                server.nas_identifier.or(server.nas_address).unwrap_or(server.client)
            ));
        }
        parts.extend(self.session.as_ref().map(|id| format!("with the session id {id}")));
        if self.open {
            parts.push("on line now".to_owned());
        }
        Ok(if parts.is_empty() { "of everybody".to_owned() } else { parts.join(", ") })
    }

    /// The address of the next page.
    fn next(&self, cursor: &str) -> String {
        let mut address = format!("/connections?cursor={cursor}");
        let text = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("&{name}={}", query_part(value))).unwrap_or_default()
        };
        let number = |name: &str, value: Option<i64>| {
            value.map(|value| format!("&{name}={value}")).unwrap_or_default()
        };
        address.push_str(&text("remote", &self.remote));
        address.push_str(&text("assigned", &self.assigned));
        address.push_str(&number("place", self.place));
        address.push_str(&number("server", self.server));
        address.push_str(&text("session", &self.session));
        if self.open {
            address.push_str("&open=true");
        }
        address
    }
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let filter = asked.filter()?;
    let (shared, who) = (portal.clone(), visitor.name());
    let content = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "sessions.list", None, filter.details().as_deref())?;
        let said = asked.said(store)?;
        let mut rows = store.sessions(&filter, ROWS + 1)?;
        let next = (rows.len() > ROWS)
            .then(|| query::cursor(&(rows[ROWS - 1].start_unix_ns, rows[ROWS - 1].number)));
        rows.truncate(ROWS);
        Ok(content(&said, &rows, next.map(|next| asked.next(&next)).as_deref()))
    });
    Ok(frame::page(&visitor, "Connections", &content.await?))
}

fn content(said: &str, rows: &[SessionRow], next: Option<&str>) -> Markup {
    html! {
        p { "Those " (text::stranger(said)) ", the newest first." }
        (sessions::table(rows))
        @if let Some(next) = next { p { a href=(next) { "Older ones" } } }
    }
}
