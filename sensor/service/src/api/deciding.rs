//! What people decide about alerts. It goes the way of the command line's decisions: into `control`, from there to the
//! running service, which makes an input of it. The answer waits until the store tells what came of it.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::{
    Problem, Shared, TheApi,
    access::{Caller, Decider},
    alerts::{AlertNow, alert_number, missing},
    query::{Body, Named, Parameters},
    users::NoQuery,
};
use crate::{
    alert::{Alert, COMMENTS_MAX, Effect, State as Standing, Verdict, comment_text, effect, refusal},
    event::rfc3339,
    fold::Decision,
};

/// Decisions that are waited for at once: some people at as many alerts. Each asks the store at each look.
const DECIDERS: usize = 8;
/// Decisions that may wait for the service, all callers' together: while it cannot write, nobody fills the disk with them.
const WAITING_MAX: u64 = 1000;
/// Between two looks for what came of a decision.
const LOOK: Duration = Duration::from_millis(50);
/// How long that is looked for: the service takes decisions five times a second, and stores what follows four times. The
/// answer must be within that of all answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Places for those whose decisions are waited for.
pub(super) struct Deciders(Semaphore);

impl Default for Deciders {
    fn default() -> Deciders {
        Deciders(Semaphore::new(DECIDERS))
    }
}

/// How an alert is closed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    /// What it turned out to be.
    verdict: Verdict,
    /// Why; at most 4096 octets of UTF-8.
    #[schema(max_length = 4096)]
    comment: Option<String>,
    /// The alert's `revision` as it was read: an open one that the store has changed since is not closed. Without it it is closed as it stands.
    revision: Option<u32>,
}

/// What is written beside an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Writing {
    /// At most 4096 octets of UTF-8.
    #[schema(min_length = 1, max_length = 4096)]
    text: String,
}

/// A decision that waits for the service.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// What is so, and what to do.
    detail: &'static str,
}

/// Says what an alert turned out to be. `usual`: what it is about is expected from then on; `malicious`: what it taught is
/// taken back. The token must be one that may decide.
#[utoipa::path(post, path = "/alerts/{alert}/close", params(("alert" = u64, Path, description = "Its number")),
    request_body = Closing, responses(
    (status = 200, description = "It is closed", body = AlertNow),
    (status = 202, description = "The service has not taken it yet, and will", body = Accepted),
    (status = 409, description = "It was closed before, `state` tells how, or is of another revision", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn close(
    State(api): TheApi,
    Decider(who): Decider,
    Named(number): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(Closing { verdict, comment, revision }): Body<Closing>,
) -> Result<Response, Problem> {
    let comment = comment.as_deref().map(text).transpose()?;
    let alert = Shown { number: alert_number(&number)?, revision };
    answer(&api, &who, alert, Some(verdict), comment).await
}

/// Writes something beside an open alert. The token must be one that may decide.
#[utoipa::path(post, path = "/alerts/{alert}/comments", params(("alert" = u64, Path, description = "Its number")),
    request_body = Writing, responses(
    (status = 200, description = "The alert has it", body = AlertNow),
    (status = 202, description = "The service has not taken it yet, and will", body = Accepted),
    (status = 409, description = "The alert is closed, `state` tells how, or is full of comments", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn comment(
    State(api): TheApi,
    Decider(who): Decider,
    Named(number): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(Writing { text: written }): Body<Writing>,
) -> Result<Response, Problem> {
    let comment = text(&written)?;
    answer(&api, &who, Shown { number: alert_number(&number)?, revision: None }, None, Some(comment)).await
}

fn text(comment: &str) -> Result<String, Problem> {
    comment_text(comment).map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

/// An alert as somebody has seen it who decides about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) number: u64,
    /// Of which revision; none: whatever it is by now.
    pub(crate) revision: Option<u32>,
}

async fn answer(
    api: &Shared,
    who: &Caller,
    alert: Shown,
    verdict: Option<Verdict>,
    comment: Option<String>,
) -> Result<Response, Problem> {
    if decide(api, who.name(), alert, verdict, comment).await? {
        return now(api, alert.number).await;
    }
    let detail = "the service has not taken it yet and will: read the alert again in a moment";
    Ok((StatusCode::ACCEPTED, Json(Accepted { detail })).into_response())
}

/// What came of one decision.
pub(crate) enum Decided {
    /// It took effect.
    Taken,
    /// The service has not taken it yet, and will.
    Waits,
    /// It has no effect.
    Refused(Problem),
}

/// Hands a decision of somebody by name to the service, and waits for what comes of it: whether it was taken yet.
pub(crate) async fn decide(
    api: &Shared,
    who: &str,
    alert: Shown,
    verdict: Option<Verdict>,
    comment: Option<String>,
) -> Result<bool, Problem> {
    match decide_all(api, who, &[alert], verdict, comment).await?.pop() {
        Some((_, Decided::Taken)) => Ok(true),
        Some((_, Decided::Refused(problem))) => Err(problem),
        Some((_, Decided::Waits)) | None => Ok(false),
    }
}

/// The same for several alerts, one after the other; they are waited for together.
///
/// # Errors
/// When none was put in because too many are waited for.
pub(crate) async fn decide_all(
    api: &Shared,
    who: &str,
    alerts: &[Shown],
    verdict: Option<Verdict>,
    comment: Option<String>,
) -> Result<Vec<(u64, Decided)>, Problem> {
    let busy = || Problem::busy("too many decisions at once: send it again in a moment");
    let _place = api.deciders.0.try_acquire().map_err(|_| busy())?;
    let mut decided = Vec::with_capacity(alerts.len());
    let mut waiting = Vec::new();
    for &alert in alerts {
        let number = alert.number;
        match put(api, who, alert, verdict, comment.clone()).await {
            Ok(decision) => waiting.push((number, decision)),
            Err(problem) => decided.push((number, Decided::Refused(problem))),
        }
    }
    let began = Instant::now();
    while !waiting.is_empty() && began.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK).await;
        let numbers: Vec<u64> = waiting.iter().map(|(number, _)| *number).collect();
        let alerts = api
            .readers
            .read(move |store| {
                Ok(numbers.iter().map(|number| store.alert(*number)).collect::<Result<Vec<_>, _>>()?)
            })
            .await;
        // They were put in: what keeps the store from telling what came of them is no answer.
        let Ok(alerts) = alerts else { continue };
        let mut still = Vec::new();
        for ((number, decision), alert) in waiting.into_iter().zip(alerts) {
            let came = match &alert {
                None => Some(Decided::Refused(missing(number))),
                Some(alert) => match effect(alert, &decision) {
                    Effect::Pending => None,
                    Effect::Taken => Some(Decided::Taken),
                    lost @ (Effect::Closed | Effect::Full) => Some(Decided::Refused(conflict(alert, lost))),
                },
            };
            match came {
                Some(came) => decided.push((number, came)),
                None => still.push((number, decision)),
            }
        }
        waiting = still;
    }
    decided.extend(waiting.into_iter().map(|(number, _)| (number, Decided::Waits)));
    Ok(decided)
}

/// Puts the decision in, unless it would have no effect. It is in the audit log before.
async fn put(
    api: &Shared,
    who: &str,
    Shown { number, revision }: Shown,
    verdict: Option<Verdict>,
    comment: Option<String>,
) -> Result<Decision, Problem> {
    let (shared, who) = (api.clone(), who.to_owned());
    api.readers
        .read(move |store| {
            let alert = store.alert(number)?.ok_or_else(|| missing(number))?;
            // Before the revision: of one that is closed what counts is who closed it as what.
            if let Some(refused) = refusal(&alert, comment.is_some()) {
                return Err(conflict(&alert, refused));
            }
            if let Some(shown) = revision.filter(|shown| *shown != alert.revision) {
                let detail = format!(
                    "alert {number} changed since you looked at it: it is of revision {}, not {shown}. Read it again and \
                     decide anew",
                    alert.revision
                );
                return Err(Problem::conflict(detail, alert.state.clone()));
            }
            let (action, details) = match verdict {
                Some(verdict) => ("alert.close", format!("alert {number} as {}", verdict.name())),
                None => ("alert.comment", format!("alert {number}")),
            };
            shared.audit_alert(&who, action, &alert, &details)?;
            let put = shared.with_control(|control| match control.decisions_waiting(number)?.0 {
                WAITING_MAX.. => Ok(None),
                _ => control.decide(number, verdict, comment.as_deref(), &who).map(Some),
            })?;
            let full = "too many decisions wait for the service; its log says what keeps it";
            put.map(|(_, decision)| decision).ok_or_else(|| Problem::busy(full))
        })
        .await
}

async fn now(api: &Shared, number: u64) -> Result<Response, Problem> {
    let shared = api.clone();
    api.readers
        .read(move |store| {
            let page = store.alert_page(number)?.ok_or_else(|| missing(number))?;
            let waiting = shared.with_control(|control| control.decisions_waiting(number))?.1;
            let journey = store.journey(&page.alert)?;
            Ok(Json(AlertNow { page, waiting, journey }).into_response())
        })
        .await
}

fn conflict(alert: &Alert, why: Effect) -> Problem {
    let number = alert.number;
    let detail = match &alert.state {
        Standing::Closed { verdict, by, unix_ns } => {
            format!(
                "alert {number} is closed already: as {} by {by} at {}",
                verdict.name(),
                rfc3339(*unix_ns)
            )
        }
        Standing::Open if why == Effect::Full => {
            format!("alert {number} has {COMMENTS_MAX} comments, and keeps no more: close it without one")
        }
        Standing::Open => format!("alert {number} is not as it was: read it again"),
    };
    Problem::conflict(detail, alert.state.clone())
}
