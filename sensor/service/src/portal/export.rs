//! A user's connections as files: CSV for spreadsheets, JSON for scripts.

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use serde::Deserialize;

use super::{Refused, Shared, days, guard::Visitor, sessions, zone::Zone};
use crate::{
    api::Problem,
    store::{SessionFilter, SessionRow},
};

/// Connections of a file, the newest; the API hands out all, page by page.
const ROWS_MAX: usize = 10_000;

const COLUMNS: [&str; 17] = [
    "start",
    "end",
    "seconds",
    "user",
    "address",
    "place",
    "country",
    "network",
    "device",
    "client_software",
    "vpn_server",
    "assigned",
    "input_octets",
    "output_octets",
    "why_ended",
    "session_id",
    "alert",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Days of the viewer's zone, both included, as the page with the link has them; empty: any. The file has UTC.
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    /// That zone: the viewer's may be another by the time the link is followed.
    #[serde(default)]
    zone: String,
}

pub(super) async fn csv(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let rows = rows(&portal, &visitor, &name, &asked, "csv").await?;
    let written = written(&rows).map_err(Problem::internal)?;
    Ok(file(written, "text/csv; charset=utf-8", "connections.csv"))
}

pub(super) async fn json(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let rows = rows(&portal, &visitor, &name, &asked, "json").await?;
    let written = serde_json::to_vec(&rows).map_err(Problem::internal)?;
    Ok(file(written, "application/json", "connections.json"))
}

async fn rows(
    portal: &Shared,
    visitor: &Visitor,
    name: &str,
    asked: &Asked,
    form: &str,
) -> Result<Vec<SessionRow>, Refused> {
    let key = portal.api.user_key(name).await?;
    let zone = Zone::named(&asked.zone).unwrap_or_else(|| visitor.zone.clone());
    let filter = SessionFilter {
        user: Some(key.clone()),
        since_unix_ns: days::begins(&asked.since, &zone)?,
        until_unix_ns: days::ends(&asked.until, &zone)?,
        ..SessionFilter::default()
    };
    let details =
        filter.details().map_or_else(|| format!("as {form}"), |range| format!("as {form}, {range}"));
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "user.export", Some(&key), Some(&details))?;
        if store.user(&key)?.is_none() {
            return Err(Problem::not_found(format!("There is no user {key:?}.")));
        }
        Ok(store.sessions(&filter, ROWS_MAX)?)
    });
    Ok(found.await?)
}

/// To be kept, not shown: a browser takes nothing in it for a page.
fn file(octets: Vec<u8>, kind: &'static str, name: &'static str) -> Response {
    let mut answer = octets.into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    answer
}

/// Before it a spreadsheet takes all letters but those of English for others.
const UTF_8: &[u8] = "\u{feff}".as_bytes();

fn written(rows: &[SessionRow]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(UTF_8.to_vec());
    writer.write_record(COLUMNS)?;
    for row in rows {
        let place = row.place.as_ref();
        let octets = |octets: Option<i64>| octets.map(|octets| octets.to_string());
        let columns: [Option<String>; 17] = [
            Some(row.start.clone()),
            row.end.clone(),
            Some(row.seconds.to_string()),
            row.user.clone(),
            row.remote.clone(),
            place.map(|place| place.name.clone()),
            place.and_then(|place| place.country.clone()),
            place.and_then(|place| place.network()),
            row.device.clone(),
            row.software.clone(),
            Some(sessions::server(row).to_owned()),
            Some(row.assigned.join(" ")),
            octets(row.input_octets),
            octets(row.output_octets),
            row.terminate_cause.clone().or_else(|| row.end_reason.clone()),
            Some(row.session.clone()),
            row.alert.map(|alert| alert.to_string()),
        ];
        writer.write_record(columns.iter().map(|column| harmless(column.as_deref().unwrap_or_default())))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// What a spreadsheet would run as a formula, some of them in wide letters too, is text to it behind an apostrophe.
fn harmless(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
        {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for text in ["", "alice", "a=b", "192.0.2.1", "'=1"] {
            assert_eq!(harmless(text), text);
        }
    }
}
