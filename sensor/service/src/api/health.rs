//! How the product itself is.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, TheApi};
use crate::health::Standing;

/// What keeps the product from its work now.
#[derive(Serialize, ToSchema)]
pub(super) struct HealthList {
    /// The most urgent first; empty: all is well.
    items: Vec<Standing>,
}

/// What keeps the product from its work now, the most urgent first. The same that sinks were told of.
#[utoipa::path(get, path = "/health", responses(
    (status = 200, body = HealthList), (status = "default", body = Problem)))]
pub(super) async fn health(State(api): TheApi) -> Json<HealthList> {
    Json(HealthList { items: api.settings.health.borrow().to_vec() })
}
