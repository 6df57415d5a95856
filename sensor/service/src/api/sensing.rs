//! The sensor beside this service: how it stands, and how it went during the last day.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, Problem, TheApi, query::Parameters, users::NoQuery};
use crate::{
    observed::{SensorNow, Series},
    store,
};

/// A day: so much is kept.
const MINUTES_MAX: u32 = 1440;
const MINUTES: u32 = 60;

/// How a sensor stands, and what the service beside it goes by.
#[derive(Serialize, ToSchema)]
pub(super) struct Beside {
    #[serde(flatten)]
    sensor: SensorNow,
    /// Whether VPN servers are heard; null where nobody can say.
    accounting: Option<bool>,
    /// Why its ports are closed although it is on, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_because: Option<String>,
    #[serde(flatten)]
    versions: Versions,
}

/// Of what version that is which is no program.
#[derive(Serialize, ToSchema)]
pub(crate) struct Versions {
    /// The databases that say where addresses are, the first one to know counts.
    pub(crate) databases: Vec<DatabaseNow>,
    /// The release of the store's tables.
    pub(crate) store_release: i64,
}

/// A database that says where addresses are.
#[derive(Serialize, ToSchema)]
pub(crate) struct DatabaseNow {
    /// What people know it by: its file, or what is included.
    pub(crate) name: String,
    /// What it calls itself: `GeoIP2-City`.
    pub(crate) kind: String,
    /// When it was made, RFC 3339.
    pub(crate) built: String,
}

impl Versions {
    pub(crate) fn of(api: &Api) -> Versions {
        let places = std::sync::Arc::clone(&api.settings.places.borrow());
        let built = |unix_s: u64| Timestamp::from_second(unix_s.try_into().ok()?).ok();
        let databases = places.databases().iter().map(|database| DatabaseNow {
            name: database.name().to_owned(),
            kind: database.kind().to_owned(),
            built: built(database.built_unix_s()).map_or_else(String::new, |built| built.to_string()),
        });
        Versions { databases: databases.collect(), store_release: store::RELEASE }
    }
}

/// How the sensor beside the service stands: workers, queues, capture modes and why not better ones, latency, journal,
/// versions.
#[utoipa::path(get, path = "/sensors/now", responses(
    (status = 200, body = Beside), (status = "default", body = Problem)))]
pub(super) async fn now(
    State(api): TheApi,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Beside>, Problem> {
    let missing = || Problem::not_found("no sensor runs beside this service, or it started some seconds ago");
    let sensor = (*api.sensor().now().ok_or_else(missing)?).clone();
    let settings = api.administration().ok();
    let accounting = settings.as_ref().map(|settings| settings.is_accounting());
    let closed_because = settings.and_then(|settings| settings.closed_because());
    Ok(Json(Beside { sensor, accounting, closed_because, versions: Versions::of(&api) }))
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
