//! Alerts: which there are, and all about one.

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, TheApi,
    access::Who,
    query::{Named, Page, Parameters, limit, moment, position},
    users::NoQuery,
};
use crate::{
    alert::{AlertPage, AlertRow, Severity, SeverityName},
    store::{AlertFilter, AlertState, JourneyRow},
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertsQuery {
    /// `open`, or `closed`; or closed as this: `usual`, `malicious`, `unclear`.
    state: Option<AlertState>,
    /// Of this severity or a higher one.
    #[param(value_type = Option<SeverityName>)]
    severity: Option<Severity>,
    /// About this user, the name in any spelling.
    user: Option<String>,
    /// With this reason: a detection, `impossible-travel`, or what is new, `network`.
    reason: Option<String>,
    /// `true`: only those that were held back as they stand, over the day's bound of notices or beyond what one alert tells;
    /// `false`: only the others.
    held: Option<bool>,
    /// Raised or changed then or later, RFC 3339.
    since: Option<String>,
    /// Raised or changed last before, RFC 3339.
    until: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// 1 to 1000, by default 100.
    limit: Option<u32>,
}

/// Alerts, the newest first.
#[utoipa::path(get, path = "/alerts", params(AlertsQuery), responses(
    (status = 200, body = Page<AlertRow>), (status = "default", body = Problem)))]
pub(super) async fn alerts(
    State(api): TheApi,
    Extension(who): Who,
    Parameters(query): Parameters<AlertsQuery>,
) -> Result<Json<Page<AlertRow>>, Problem> {
    let limit = limit(query.limit)?;
    if let Some(reason) = query.reason.as_ref().filter(|reason| !AlertFilter::is_reason(reason)) {
        return Err(Problem::bad_request(format!(
            "reason: {reason:?} is no detection, such as impossible-travel, and nothing that can be new, such as network"
        )));
    }
    let filter = AlertFilter {
        user: api.user_key_of(query.user.as_deref()).await?,
        state: query.state,
        severity: query.severity.unwrap_or_default(),
        reason: query.reason,
        held: query.held,
        since_unix_ns: moment("since", query.since.as_deref())?,
        until_unix_ns: moment("until", query.until.as_deref())?,
        before: position(query.cursor.as_deref())?,
    };
    let shared = api.clone();
    api.readers
        .read(move |store| {
            shared.audit(&who, "alerts.list", filter.user.as_deref(), filter.details().as_deref())?;
            let rows = store.alert_rows(&filter, limit + 1)?;
            Ok(Json(Page::new(rows, limit, |row| row.number)))
        })
        .await
}

/// An alert, and what waits to become of it.
#[derive(Serialize, ToSchema)]
pub(super) struct AlertNow {
    #[serde(flatten)]
    pub(super) page: AlertPage,
    /// Decisions about it that the service has not taken yet.
    pub(super) waiting: u64,
    /// The two places, where it is about travel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) journey: Option<JourneyRow>,
}

/// One alert: what was expected and what was seen, the connections that it is about, what happened to it since.
#[utoipa::path(get, path = "/alerts/{alert}", params(("alert" = u64, Path, description = "Its number")),
    responses((status = 200, body = AlertNow), (status = "default", body = Problem)))]
pub(super) async fn alert(
    State(api): TheApi,
    Extension(who): Who,
    Named(number): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<AlertNow>, Problem> {
    let number = alert_number(&number)?;
    let shared = api.clone();
    api.readers
        .read(move |store| {
            let page = store.alert_page(number)?.ok_or_else(|| missing(number))?;
            let details = format!("alert {number}");
            shared.audit_alert(who.name(), "alert.show", &page.alert, &details)?;
            let waiting = shared.with_control(|control| control.decisions_waiting(number))?.1;
            let journey = store.journey(&page.alert)?;
            Ok(Json(AlertNow { page, waiting, journey }))
        })
        .await
}

/// A number that the store can have.
pub(super) fn alert_number(text: &str) -> Result<u64, Problem> {
    let number = text.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| Problem::bad_request(format!("{text:?} is no alert's number")))
}

pub(super) fn missing(number: u64) -> Problem {
    Problem::not_found(format!("there is no alert {number}: /api/v1/alerts lists them"))
}
