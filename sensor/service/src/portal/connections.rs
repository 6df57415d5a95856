//! Connections that have something in common: a user, a device, an address, outside the tunnel or in it, a place, a
//! country, a VPN server, a session id, days. What a search leads to, and the pages of users and devices, which show the newest.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, days, frame, guard::Visitor, people::query_part, sessions, text, zone::Zone};
use crate::{
    api::{Problem, query},
    store::{SessionFilter, SessionRow, StoreReader},
};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    user: Option<String>,
    device: Option<String>,
    remote: Option<String>,
    /// Inside the tunnel.
    assigned: Option<String>,
    /// One of the numbers of a place.
    place: Option<i64>,
    /// Two letters.
    country: Option<String>,
    server: Option<i64>,
    session: Option<String>,
    #[serde(default)]
    open: bool,
    /// Days of the viewer's zone, both included; empty: any. [`SessionFilter`] says which connections are of them.
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    cursor: Option<String>,
}

impl Asked {
    /// `user`: the key of the one who is asked for.
    fn filter(&self, user: Option<String>, zone: &Zone) -> Result<SessionFilter, Refused> {
        Ok(SessionFilter {
            user,
            device: self.device.clone(),
            remote: self.remote.clone(),
            assigned: self.assigned.clone(),
            place: self.place,
            country: self.country.as_ref().map(|code| code.to_ascii_uppercase()),
            server_number: self.server,
            session: self.session.clone(),
            open: self.open,
            since_unix_ns: days::begins(&self.since, zone)?,
            until_unix_ns: days::ends(&self.until, zone)?,
            after: query::position(self.cursor.as_deref())?,
            ..SessionFilter::default()
        })
    }

    /// What is common, in words.
    fn said(&self, filter: &SessionFilter, store: &StoreReader, zone: &Zone) -> Result<String, Problem> {
        let user = filter.user.as_deref();
        let mut parts = Vec::new();
        if let Some(key) = user {
            if store.user(key)?.is_none() {
                return Err(Problem::not_found(format!("There is no user {key:?}.")));
            }
            parts.push(format!("of {key}"));
        }
        if let Some(name) = &self.device {
            if !store.has_device(name)? {
                return Err(Problem::not_found(format!("There is no device {name:?}.")));
            }
            parts.push(format!("with the device {name}"));
        }
        parts.extend(self.remote.as_ref().map(|address| format!("from {address}")));
        parts.extend(self.assigned.as_ref().map(|address| format!("with {address} inside the tunnel")));
        if let Some(place) = self.place {
            let name = store.place_name(place)?;
            parts.push(format!(
                "from {}",
                name.ok_or_else(|| Problem::not_found(format!("There is no place {place}.")))?
            ));
        }
        parts.extend(filter.country.as_ref().map(|code| format!("from the country {code}")));
        if let Some(number) = self.server {
            let found = store
                .servers(number.saturating_sub(1), 1)?
                .into_iter()
                .find(|server| server.number == number);
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
        if parts.is_empty() {
            parts.push("of everybody".to_owned());
        }
        let mut days = days::said(&self.since, &self.until, zone);
        if let Some(first) = days.first_mut() {
            let how = if filter.is_of_those_there() { "there at some time" } else { "begun" };
            *first = format!("{how} {first}");
        }
        parts.extend(days);
        Ok(parts.join(", "))
    }

    /// What is asked for besides days, as fields of an address.
    fn common(&self) -> Vec<(&'static str, String)> {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        [
            ("user", self.user.clone()),
            ("device", self.device.clone()),
            ("remote", self.remote.clone()),
            ("assigned", self.assigned.clone()),
            ("place", number(self.place)),
            ("country", self.country.clone()),
            ("server", number(self.server)),
            ("session", self.session.clone()),
            ("open", self.open.then(|| "true".to_owned())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The address of the next page.
    fn next(&self, cursor: &str) -> String {
        let common = self.common();
        let parts = common.iter().map(|(name, value)| format!("&{name}={}", query_part(value)));
        format!(
            "/connections?cursor={cursor}{}{}",
            parts.collect::<String>(),
            days::parts(&self.since, &self.until)
        )
    }
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let user = portal.api.user_key_of(asked.user.as_deref()).await?;
    let filter = asked.filter(user, &visitor.zone)?;
    let (shared, who, zone) = (portal.clone(), visitor.name(), visitor.zone.clone());
    let content = portal.api.readers.read(move |store| {
        let user = filter.user.as_deref();
        shared.api.audit_as(&who, "sessions.list", user, filter.details().as_deref())?;
        let said = asked.said(&filter, store, &zone)?;
        let (rows, next) = cut(store.sessions(&filter, ROWS + 1)?, ROWS);
        Ok(content(&asked, &zone, user, &said, &rows, next.as_deref()))
    });
    Ok(frame::page(&visitor, "Connections", &content.await?))
}

/// The first so many of rows, of which one more was asked for, and the cursor of those behind them.
pub(super) fn cut(mut rows: Vec<SessionRow>, limit: usize) -> (Vec<SessionRow>, Option<String>) {
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| is_cut);
    let next = last.map(|last| query::cursor(&(last.start_unix_ns, last.number)));
    (rows, next)
}

/// The address of all connections that have this in common.
pub(super) fn all(name: &str, value: &str) -> String {
    format!("/connections?{name}={}", query_part(value))
}

/// Below the newest connections of a page: the ways to all that have this in common, and to those behind the ones shown.
pub(super) fn ways(name: &str, value: &str, next: Option<&str>) -> Markup {
    let all = all(name, value);
    html! {
        p.exports {
            @if let Some(next) = next { a href={ (all) "&cursor=" (next) } { "Older ones" } " | " }
            a href=(all) { "All connections, by days" }
        }
    }
}

fn content(
    asked: &Asked,
    zone: &Zone,
    user: Option<&str>,
    said: &str,
    rows: &[SessionRow],
    next: Option<&str>,
) -> Markup {
    html! {
        form.row role="search" aria-label="Days" action="/connections" {
            @for (name, value) in asked.common() { input type="hidden" name=(name) value=(value); }
            (days::fields(&asked.since, &asked.until, zone))
            button { "Show" }
        }
        p { "Those " (text::stranger(said)) ", the newest first." }
        @if let Some(key) = user {
            @let days = days::parts(&asked.since, &asked.until);
            @let file = |kind: &str| {
                let file = text::path(&["users", key, kind]);
                if days.is_empty() { file } else { format!("{file}?zone={}{days}", query_part(zone.name())) }
            };
            p.exports {
                "Profile of " (text::user(Some(key))) ". All connections of these days, at most the newest 10,000, as "
                a href=(file("connections.csv")) download { "CSV" } " or "
                a href=(file("connections.json")) download { "JSON" } "."
            }
        }
        @if let Some(name) = &asked.device { p.exports { "The device " (text::device(Some(name))) "." } }
        (sessions::table(rows))
        @if let Some(next) = next { p { a href=(asked.next(next)) { "Older ones" } } }
    }
}
