//! A user's connections as files: CSV for spreadsheets, JSON for scripts.

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use serde::Deserialize;

use super::{Refused, Shared, days, guard::Visitor, sessions, text, zone::Zone};
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
    Ok(file(written, "text/csv; charset=utf-8", &name, "csv"))
}

pub(super) async fn json(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let rows = rows(&portal, &visitor, &name, &asked, "json").await?;
    let written = serde_json::to_vec(&rows).map_err(Problem::internal)?;
    Ok(file(written, "application/json", &name, "json"))
}

async fn rows(
    portal: &Shared,
    visitor: &Visitor,
    name: &str,
    asked: &Asked,
    form: &str,
) -> Result<Vec<SessionRow>, Refused> {
    let key = portal.api.user_key(text::named(name)).await?;
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
fn file(octets: Vec<u8>, kind: &'static str, user: &str, ending: &str) -> Response {
    let mut answer = octets.into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let user = text::named(user);
    let named = |is_kept: fn(char) -> bool| format!("connections-{}.{ending}", in_a_file_name(user, is_kept));
    let (plain, whole) = (named(|sign| sign.is_ascii_alphanumeric()), named(char::is_alphanumeric));
    let mut disposition = format!("attachment; filename=\"{plain}\"");
    // Letters that are not English have a name of their own (RFC 6266).
    if whole != plain {
        disposition.push_str(&format!("; filename*=UTF-8''{}", text::encoded(&whole).replace('@', "%40")));
    }
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    answer
}

/// Longest part of a name of a file that is somebody's name, signs.
const FILE_NAME_SIGNS_MAX: usize = 64;

/// Somebody's name as a part of a file's: letters and digits, and of signs those that mean nothing to any system.
fn in_a_file_name(user: &str, is_kept: fn(char) -> bool) -> String {
    let sign = |sign: char| if is_kept(sign) || matches!(sign, '.' | '-' | '@') { sign } else { '_' };
    user.chars().take(FILE_NAME_SIGNS_MAX).map(sign).collect()
}

/// Before it a spreadsheet takes all letters but those of English for others.
const UTF_8: &[u8] = "\u{feff}".as_bytes();

fn written(rows: &[SessionRow]) -> Result<Vec<u8>, csv::Error> {
    // All in quotes: between them most spreadsheets split at nothing.
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(UTF_8.to_vec());
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

/// What a spreadsheet would run as a formula is text to it behind an apostrophe. Where its list separator is a semicolon or a
/// tab, the quotes around a value that holds one end nowhere that it looks, and what follows the separator is a cell too.
fn harmless(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 1);
    let mut begins_cell = true;
    for (at, sign) in text.char_indices() {
        let would_run = begins_cell && begins_formula(&text[at..]);
        if would_run || at == 0 && matches!(sign, '\t' | '\r' | '\n') {
            written.push('\'');
        }
        written.push(sign);
        begins_cell = matches!(sign, ';' | ',' | '\u{2028}' | '\u{2029}') || sign.is_control();
    }
    written
}

/// Some of the signs in wide letters too. Space and quotes before them go when a file is read.
fn begins_formula(cell: &str) -> bool {
    cell.trim_start_matches(|sign: char| sign == '"' || sign.is_whitespace())
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_as_its_user_and_like_nothing_that_means_anything() {
        let named = |user: &str| {
            let answer = file(Vec::new(), "text/csv", user, "csv");
            answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned()
        };
        for (user, name) in [
            ("alice@contoso.example", "\"connections-alice@contoso.example.csv\""),
            ("..~", "\"connections-...csv\""),
            ("../../etc/passwd", "\"connections-.._.._etc_passwd.csv\""),
            ("a\"; x=\r\n\0\u{202e}", "\"connections-a___x_____.csv\""),
            ("J\u{fc}rgen", "\"connections-J_rgen.csv\"; filename*=UTF-8''connections-J%C3%BCrgen.csv"),
        ] {
            assert_eq!(named(user), format!("attachment; filename={name}"), "{user:?}");
        }
        assert!(named(&"\u{44f}".repeat(10_000)).len() < 600);
    }

    #[test]
    fn no_cell_is_a_formula() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠SUM(A1)", " =1", "\"=1", "\tx"]
        {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for text in ["", "alice", "a=b", "192.0.2.1", "'=1", "a;b", "a, b-c", "Mozilla/5.0 (X11; Linux)"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn no_cell_is_a_formula_where_semicolons_tabs_and_lines_separate() {
        for separator in [';', ',', '\t', '\n', '\r', '\u{b}', '\u{85}', '\u{2028}'] {
            for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", " =1", "\"=1&\""] {
                let twice = format!("a{separator}{formula}{separator}{formula}");
                let guarded = format!("a{separator}'{formula}{separator}'{formula}");
                assert_eq!(harmless(&twice), guarded, "{twice:?}");
            }
        }
        for (text, guarded) in [("\t=1", "'\t'=1"), ("\r=1", "'\r'=1"), ("\n=1", "'\n'=1"), (";=1", ";'=1")] {
            assert_eq!(harmless(text), guarded);
        }
        assert_eq!(harmless("a\r\n\r\nb"), "a\r\n\r\nb");
    }

    #[test]
    fn every_value_is_in_quotes() {
        let text = String::from_utf8(written(&[]).unwrap()).unwrap();
        let quoted: Vec<String> = COLUMNS.iter().map(|column| format!("\"{column}\"")).collect();
        assert_eq!(text, format!("\u{feff}{}\r\n", quoted.join(",")));
    }
}
