//! One box for everything: users, devices, addresses, session ids, VPN servers.

use axum::{
    Extension,
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, sessions, text};
use crate::store::{SessionFilter, SessionRow, UserRow};

/// Rows of each sort.
const ROWS: usize = 20;
/// Longest question, characters.
const CHARACTERS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

struct Found {
    users: Vec<UserRow>,
    device: bool,
    connections: Vec<SessionRow>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { q }): Query<Asked>,
) -> Result<Response, Refused> {
    let q: String = q.trim().chars().take(CHARACTERS_MAX).collect();
    if q.is_empty() {
        return Ok(Redirect::to("/users").into_response());
    }
    let (shared, who, asked) = (portal.clone(), visitor.name(), q.clone());
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "search", Some(&asked), None)?;
        let filters = [
            SessionFilter { remote: Some(asked.clone()), ..SessionFilter::default() },
            SessionFilter { session: Some(asked.clone()), ..SessionFilter::default() },
            SessionFilter { server: Some(asked.clone()), ..SessionFilter::default() },
        ];
        let mut connections = Vec::new();
        for filter in filters {
            connections = store.sessions(&filter, ROWS)?;
            if !connections.is_empty() {
                break;
            }
        }
        Ok(Found {
            users: store.users(Some(&asked.to_lowercase()), None, ROWS)?,
            device: store.has_device(&asked)?,
            connections,
        })
    });
    let found = found.await?;
    if let ([user], false, true) = (&found.users[..], found.device, found.connections.is_empty()) {
        return Ok(Redirect::to(&text::path(&["users", &user.user])).into_response());
    }
    Ok(frame::page(&visitor, "Search", &content(&q, &found)))
}

fn content(q: &str, found: &Found) -> Markup {
    html! {
        p { "For " (text::stranger(q)) ":" }
        @if found.users.is_empty() && !found.device && found.connections.is_empty() {
            p { "Nothing. A part of a user's name is enough; addresses, devices, session ids and VPN servers are looked for as a whole." }
        }
        @if found.device { h2 { "Device" } p { (text::device(Some(q))) } }
        @if !found.users.is_empty() {
            h2 { "Users" }
            ul { @for user in &found.users {
                li { (text::user(Some(&user.user))) span.quiet { ", last seen " (text::moment(&user.last_seen)) } }
            } }
        }
        @if !found.connections.is_empty() { h2 { "Connections" } (sessions::table(&found.connections)) }
    }
}
