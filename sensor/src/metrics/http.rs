//! The HTTP side: `/metrics`, `/healthz`, `/readyz`, `/latency`, `/refused`. Read-only; binds to loopback unless configured.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use tokio::net::TcpListener;

use super::{Reading, Refused, StageHistograms, exposition};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the HTTP side asks of the running sensor. Called on a thread that may block for some milliseconds.
pub trait Service: Send + Sync + 'static {
    /// All counters now.
    fn reading(&self) -> Reading;
    /// The latency histograms since the start.
    fn stages(&self) -> StageHistograms;
    /// Who was refused lately.
    fn refused(&self) -> Refused;
    /// Why requests are not taken now; none when they are.
    fn not_ready(&self) -> Option<String>;
    /// When the sensor started.
    fn started(&self) -> SystemTime;
}

/// Serves until the future is dropped.
pub async fn serve(listener: TcpListener, service: Arc<dyn Service>) -> io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/latency", get(latency))
        .route("/refused", get(async |State(service): Shared| Json(service.refused())))
        .with_state(service);
    axum::serve(listener, router).await
}

type Shared = State<Arc<dyn Service>>;

async fn metrics(State(service): Shared) -> Response {
    let text = blocking(move || exposition(service.reading())).await;
    match text {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn readiness(State(service): Shared) -> Response {
    match service.not_ready() {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

#[derive(Deserialize)]
struct LatencyQuery {
    format: Option<String>,
    stage: Option<String>,
}

async fn latency(State(service): Shared, Query(query): Query<LatencyQuery>) -> Response {
    let started = service.started();
    let Ok(stages) = blocking(move || service.stages()).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match query.format.as_deref() {
        None | Some("json") => Json(stages.json()).into_response(),
        Some("hgrm") => match stages.stage(query.stage.as_deref().unwrap_or("total")) {
            Some(stage) => stage.hgrm().into_response(),
            None => (StatusCode::NOT_FOUND, "there is no such stage\n").into_response(),
        },
        Some("v2") => match stages.v2_log(started) {
            Ok(log) => log.into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Some(_) => (StatusCode::BAD_REQUEST, "format is one of json, hgrm, v2\n").into_response(),
    }
}

/// Workers are asked for their histograms and answer at the end of a burst; a hung one must not hang the scrape.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let work = tokio::task::spawn_blocking(work);
    match tokio::time::timeout(Duration::from_secs(5), work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
