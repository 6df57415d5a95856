//! What is about no person: places, VPN servers, sensors, where the open connections are.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, TheApi,
    query::{Page, Parameters, limit, position},
    users::{NoQuery, SeenQuery},
};
use crate::{
    fold::Sort,
    store::{PlaceRow, SeenRow, ServerRow, SpotRow, StoreReader},
};

/// Points of a map.
const SPOTS_MAX: usize = 200;

/// A place and how many stored connections came from it.
#[derive(Serialize, ToSchema)]
pub(super) struct PlaceUse {
    #[serde(flatten)]
    place: PlaceRow,
    /// Connections that are stored.
    connections: i64,
}

/// Places that connections came from, by number.
#[utoipa::path(get, path = "/places", params(SeenQuery), responses(
    (status = 200, body = Page<PlaceUse>), (status = "default", body = Problem)))]
pub(super) async fn places(
    State(api): TheApi,
    Parameters(query): Parameters<SeenQuery>,
) -> Result<Json<Page<PlaceUse>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<i64> = position(query.cursor.as_deref())?;
    api.readers
        .read(move |store| {
            let rows = store.places(after.unwrap_or(i64::MIN), limit + 1)?;
            let rows = rows.into_iter().map(|(place, connections)| PlaceUse { place, connections }).collect();
            Ok(Json(Page::new(rows, limit, |row: &PlaceUse| row.place.id)))
        })
        .await
}

/// VPN servers, by number: in the order in which they were heard of.
#[utoipa::path(get, path = "/servers", params(SeenQuery), responses(
    (status = 200, body = Page<ServerRow>), (status = "default", body = Problem)))]
pub(super) async fn servers(
    State(api): TheApi,
    Parameters(query): Parameters<SeenQuery>,
) -> Result<Json<Page<ServerRow>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<i64> = position(query.cursor.as_deref())?;
    api.readers
        .read(move |store| {
            let rows = store.servers(after.unwrap_or(i64::MIN), limit + 1)?;
            Ok(Json(Page::new(rows, limit, |row| row.number)))
        })
        .await
}

/// Sensors, the latest heard of first.
#[utoipa::path(get, path = "/sensors", params(SeenQuery), responses(
    (status = 200, body = Page<SeenRow>), (status = "default", body = Problem)))]
pub(super) async fn sensors(
    State(api): TheApi,
    Parameters(query): Parameters<SeenQuery>,
) -> Result<Json<Page<SeenRow>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(i64, String)> = position(query.cursor.as_deref())?;
    api.readers
        .read(move |store| {
            let after = after.as_ref().map(|(last, name)| (*last, &**name));
            let rows = store.seen(Sort::Sensor, after, limit + 1)?;
            Ok(Json(Page::new(rows, limit, |row| (row.last_unix_ns, row.name.clone()))))
        })
        .await
}

/// Where the open connections are.
#[derive(Serialize, ToSchema)]
pub(super) struct Map {
    /// The most frequent first, at most 200. Places without a position are left out.
    items: Vec<SpotRow>,
    /// Connections that are open, with and without a position.
    open: i64,
}

/// Where the open connections are, as points of a map, and how many there are.
#[utoipa::path(get, path = "/map", responses(
    (status = 200, body = Map), (status = "default", body = Problem)))]
pub(super) async fn map(
    State(api): TheApi,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Map>, Problem> {
    let map = |store: &StoreReader| -> Result<_, Problem> {
        Ok(Json(Map { items: store.spots_on_line(SPOTS_MAX)?, open: store.on_line()? }))
    };
    api.readers.read(map).await
}
