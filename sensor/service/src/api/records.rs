//! The records of the journal that an alert's connections rest on, as they were written.

use std::time::{Duration, Instant};

use axum::{Extension, Json, extract::State};
use journal::{ReadError, Reader, Record};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Api, Problem, TheApi,
    access::Who,
    alerts::{alert_number, missing},
    query::{Named, Parameters},
    users::NoQuery,
};
use crate::{alert::Connection, record::RecordLine, store::StoreReader};

/// Connections whose records are looked for, the newest.
const CONNECTIONS_MAX: usize = 16;
/// Records that are handed out.
const RECORDS_MAX: usize = 100;
/// How long is looked for them. A journal has no index by session: it is read from a time on.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Before and behind the beginning, and the end, of a connection: clocks differ, and answers are late.
const AROUND_NS: u64 = 5_000_000_000;
/// Records that are read around one moment.
const READ_MAX: usize = 20_000;

/// What was found.
#[derive(Serialize, ToSchema)]
pub(super) struct Records {
    /// In the order of their sequence, at most 100.
    #[schema(value_type = Vec<RecordLine>)]
    items: Vec<Value>,
    /// Whether all of the journal around the connections was looked through.
    complete: bool,
}

/// The records that the connections of an alert rest on: those around their beginnings and their ends with their session
/// ids, as they were written.
#[utoipa::path(get, path = "/alerts/{alert}/records", params(("alert" = u64, Path, description = "Its number")),
    responses((status = 200, body = Records), (status = "default", body = Problem)))]
pub(super) async fn records(
    State(api): TheApi,
    Extension(who): Who,
    Named(number): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Records>, Problem> {
    let number = alert_number(&number)?;
    let shared = api.clone();
    api.readers
        .read(move |store| {
            let alert = store.alert(number)?.ok_or_else(|| missing(number))?;
            shared.audit_alert(who.name(), "alert.records", &alert, &format!("alert {number}"))?;
            let (records, complete) = shared.records_of(store, &alert.connections, PATIENCE)?;
            let item = |record| serde_json::to_value(RecordLine::new(record)).map_err(Problem::internal);
            Ok(Json(Records { items: records.iter().map(item).collect::<Result<_, _>>()?, complete }))
        })
        .await
}

impl Api {
    /// The records around the beginnings and the ends of connections that hold their session ids, by sequence; and whether
    /// there was time for all. For work that may block.
    pub(crate) fn records_of(
        &self,
        store: &StoreReader,
        connections: &[Connection],
        patience: Duration,
    ) -> Result<(Vec<Record>, bool), Problem> {
        let began = Instant::now();
        let reader = Reader::open(self.settings.state_dir.join("journal")).map_err(Problem::internal)?;
        let mut moments = Vec::new();
        for connection in connections.iter().take(CONNECTIONS_MAX) {
            moments.push((connection.start_unix_ns, &connection.session_id));
            // One that was taken out since has no end to look at.
            let number = i64::try_from(connection.session).unwrap_or(i64::MAX);
            let last =
                store.session(number)?.and_then(|session| session.last_seen.parse::<jiff::Timestamp>().ok());
            let last = last.and_then(|last| u64::try_from(last.as_nanosecond()).ok());
            let is_other = |last: &u64| last.abs_diff(connection.start_unix_ns) > AROUND_NS;
            moments.extend(last.filter(is_other).map(|last| (last, &connection.session_id)));
        }
        moments.sort_unstable();
        around(&reader, &moments, began, patience).map_err(Problem::internal)
    }
}

/// The records around moments, ns since 1970 UTC, that hold the session ids which they come with; whether there was time
/// for all.
fn around(
    reader: &Reader,
    moments: &[(u64, &String)],
    began: Instant,
    patience: Duration,
) -> Result<(Vec<Record>, bool), ReadError> {
    let mut found: Vec<Record> = Vec::new();
    let mut complete = true;
    for &(moment, session_id) in moments {
        // To begin at a moment takes a look at many files.
        if began.elapsed() > patience {
            complete = false;
            break;
        }
        let records = reader.records_since(moment.saturating_sub(AROUND_NS))?;
        let mut records = records.give_up_at(began + patience);
        for (read, record) in records.by_ref().enumerate() {
            if read >= READ_MAX || found.len() >= RECORDS_MAX {
                complete = false;
                break;
            }
            let record = match record {
                Ok(record) => record,
                // What is missing here the sensor's log and `journal verify` tell.
                Err(ReadError::Damaged(_) | ReadError::Removed { .. }) => continue,
                Err(error) => return Err(error),
            };
            if record.arrival_unix_ns > moment.saturating_add(AROUND_NS) {
                break;
            }
            let is_known = found.iter().any(|known| known.sequence == record.sequence);
            if !is_known && holds(&record.octets, session_id.as_bytes()) {
                found.push(record);
            }
        }
        complete &= !records.has_given_up();
    }
    found.sort_unstable_by_key(|record| record.sequence);
    Ok((found, complete))
}

/// Whether octets hold an Acct-Session-Id attribute with this value.
fn holds(octets: &[u8], session_id: &[u8]) -> bool {
    let Ok(length) = u8::try_from(session_id.len() + 2) else { return false };
    let wanted = [&[44, length], session_id].concat();
    octets.windows(wanted.len()).any(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use journal::{Options, RealStorage};

    use super::*;

    #[test]
    fn without_time_nothing_is_looked_at_and_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let storage = RealStorage::create(folder.path().join("journal")).unwrap();
        drop(journal::open(storage, Options::default()).unwrap());
        let reader = Reader::open(folder.path().join("journal")).unwrap();
        let session_id = "s1".to_owned();
        let moments = [(1, &session_id), (u64::MAX, &session_id)];
        for (patience, complete) in [(PATIENCE, true), (Duration::ZERO, false)] {
            let (found, is_complete) = around(&reader, &moments, Instant::now(), patience).unwrap();
            assert!(found.is_empty() && is_complete == complete, "{patience:?}");
        }
    }

    #[test]
    fn a_session_id_is_found_as_an_attribute() {
        assert!(holds(&[9, 9, 44, 4, b's', b'1', 0], b"s1"));
        assert!(!holds(&[9, 9, 44, 5, b's', b'1', b'2'], b"s1"), "another that begins so");
        assert!(!holds(&[44, 4], b"s1") && !holds(&[], &[0; 300]));
    }
}
