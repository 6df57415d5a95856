//! Records of the journal, decoded as they are asked for.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use insight::{
    geo::Places,
    vpn::{Decoder, Event, Kind},
};
use journal::{ReadError, Reader, Record};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::{
    Problem, TheApi,
    access::Who,
    query::{Page, Parameters, cursor, limit, position},
};
use crate::event::{EventLine, received};

/// Records read for one answer. Decoding so many takes some 20 ms; where a filter finds less than a page in them, the
/// page is short and `next` goes on behind them.
const RECORDS_MAX: u64 = 10_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Begin with the record of this sequence number; by default the oldest.
    from: Option<u64>,
    /// Of this user, the name in any spelling.
    user: Option<String>,
    /// `true`: only persons' VPN connections.
    vpn_only: Option<bool>,
    /// The `next` of the page before, with the same filters.
    cursor: Option<String>,
    /// 1 to 1000, by default 100.
    limit: Option<u32>,
}

/// What each record means, by sequence. A page may be short or empty and still have a `next`.
#[utoipa::path(get, path = "/events", params(EventsQuery), responses(
    (status = 200, body = Page<EventLine>), (status = "default", body = Problem)))]
pub(super) async fn events(
    State(api): TheApi,
    Extension(who): Who,
    Parameters(query): Parameters<EventsQuery>,
) -> Result<Json<Page<Value>>, Problem> {
    let limit = limit(query.limit)?;
    let from = position(query.cursor.as_deref())?.or(query.from).unwrap_or(1).max(1);
    let decoding = api.decoding()?;
    let user = api.user_key_of(query.user.as_deref()).await?;
    let vpn_only = query.vpn_only.unwrap_or(false);
    let shared = api.clone();
    api.readers
        .run(move || {
            let places = Arc::clone(&shared.settings.places.borrow());
            shared.audit(&who, "events.list", user.as_deref(), None)?;
            let folder = shared.settings.state_dir.join("journal");
            let reader = Reader::open(folder).map_err(Problem::internal)?;
            let decoder = Decoder::new(decoding);
            let mut page = Page { items: Vec::new(), next: None };
            let mut read = 0;
            for record in reader.records_from(from) {
                let record = match record {
                    Ok(record) => record,
                    // What is missing here the sensor's log and `journal verify` tell.
                    Err(ReadError::Damaged(_) | ReadError::Removed { .. }) => continue,
                    Err(error) => return Err(Problem::internal(error)),
                };
                if page.items.len() == limit || read == RECORDS_MAX {
                    page.next = Some(cursor(&record.sequence));
                    break;
                }
                read += 1;
                let wanted = wanted(&decoder, &record, user.as_deref(), vpn_only);
                page.items.extend(wanted.map(|event| line(&record, &event, &places)).transpose()?);
            }
            Ok(Json(page))
        })
        .await
}

fn wanted<'a>(
    decoder: &Decoder,
    record: &'a Record,
    user: Option<&str>,
    vpn_only: bool,
) -> Option<Event<'a>> {
    // A record without a request is one that a person was taken out of.
    let event = decoder.decode(&received(record)).ok()?;
    let named = event.user.as_ref().map(|name| &*name.key);
    let is_wanted = (!vpn_only || event.classified.kind == Kind::Person) && (user.is_none() || user == named);
    is_wanted.then_some(event)
}

fn line(record: &Record, event: &Event<'_>, places: &Places) -> Result<Value, Problem> {
    serde_json::to_value(EventLine::new(record.sequence, event, places)).map_err(Problem::internal)
}
