//! The sensor beside this service: how it stands, and how it went during the last day.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Problem, TheApi, query::Parameters, users::NoQuery};
use crate::observed::{SensorNow, Series};

/// A day: so much is kept.
const MINUTES_MAX: u32 = 1440;
const MINUTES: u32 = 60;

/// How the sensor beside the service stands: workers, queues, capture modes and why not better ones, latency, journal.
#[utoipa::path(get, path = "/sensors/now", responses(
    (status = 200, body = SensorNow), (status = "default", body = Problem)))]
pub(super) async fn now(
    State(api): TheApi,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<SensorNow>, Problem> {
    let missing = || Problem::not_found("no sensor runs beside this service, or it started some seconds ago");
    Ok(Json((*api.sensor().now().ok_or_else(missing)?).clone()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Of the last so many minutes: 1 to 1440, by default 60.
    minutes: Option<u32>,
}

/// How the sensor beside the service went: rates, verdicts, latency by stage, at most 120 points.
#[utoipa::path(get, path = "/sensors/history", params(HistoryQuery), responses(
    (status = 200, body = Series), (status = "default", body = Problem)))]
pub(super) async fn history(
    State(api): TheApi,
    Parameters(query): Parameters<HistoryQuery>,
) -> Result<Json<Series>, Problem> {
    match query.minutes.unwrap_or(MINUTES) {
        minutes @ 1..=MINUTES_MAX => Ok(Json(api.sensor().series(minutes))),
        other => Err(Problem::bad_request(format!("minutes: {other} is not from 1 to {MINUTES_MAX}"))),
    }
}
