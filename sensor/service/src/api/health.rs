//! How the product itself is.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, TheApi};
use crate::{event::rfc3339, health::Standing};

/// What keeps the product from its work now.
#[derive(Serialize, ToSchema)]
pub(super) struct HealthList {
    /// The most urgent first; empty: all is well.
    items: Vec<HealthRow>,
}

/// One thing that keeps the product from its work.
#[derive(Serialize, ToSchema)]
struct HealthRow {
    /// What: `client-silent`, `wrong-secret`.
    condition: &'static str,
    /// What it is about: a client, a sink; none where it is about the sensor as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// `low`, `medium`, `high`.
    severity: &'static str,
    /// Since when.
    since: String,
    /// When sinks were told last.
    told: String,
    /// In sentences.
    message: String,
    /// What to do about it, a sentence each.
    advice: Vec<String>,
}

/// What keeps the product from its work now, the most urgent first. The same that sinks were told of.
#[utoipa::path(get, path = "/health", responses(
    (status = 200, body = HealthList), (status = "default", body = Problem)))]
pub(super) async fn health(State(api): TheApi) -> Json<HealthList> {
    let standing = api.settings.health.borrow();
    Json(HealthList { items: standing.iter().map(row).collect() })
}

fn row(standing: &Standing) -> HealthRow {
    HealthRow {
        condition: standing.condition.name(),
        subject: Some(standing.subject.clone()).filter(|subject| !subject.is_empty()),
        severity: standing.severity.name(),
        since: rfc3339(standing.since_unix_ns),
        told: rfc3339(standing.told_unix_ns),
        message: standing.message.clone(),
        advice: standing.advice.clone(),
    }
}
