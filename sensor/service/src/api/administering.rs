//! Settings, for callers that may administer. Every change is in the audit log before it is made: who, what, never a
//! secret. The portal changes settings by [`change`] as well.

use std::{net::IpAddr, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, Problem, Shared, TheApi,
    access::Administrator,
    query::{Body, Parameters},
    users::NoQuery,
};
use crate::{
    control::AuditRow,
    settings::{Administer, Arrivals, Change, Edit, List, Planned, Refusal, Saved, SecretText, View},
};

/// What a change of the settings is in the audit log.
const CHANGE: &str = "settings.change";
/// Lines of the audit log that are looked through for what changed since a revision.
const AUDIT_LINES: usize = 2000;

/// Why settings were not changed.
pub(crate) enum NotChanged {
    /// Others changed something since the revision that it was made from: what, the oldest first.
    Conflict(Vec<AuditRow>),
    /// It takes something away for good, and nobody said yet that it may: what, a sentence each.
    Loses(Vec<String>),
    /// Anything else.
    Problem(Problem),
}

impl From<Problem> for NotChanged {
    fn from(problem: Problem) -> NotChanged {
        NotChanged::Problem(problem)
    }
}

impl From<NotChanged> for Problem {
    fn from(why: NotChanged) -> Problem {
        match why {
            NotChanged::Problem(problem) => problem,
            NotChanged::Loses(lost) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, lost.join("; ")),
            NotChanged::Conflict(rows) => {
                let rows: Vec<String> =
                    rows.iter().map(|row| format!("{} {}", row.time, told(row))).collect();
                let detail = format!(
                    "others changed settings since that revision; read them again. {}",
                    rows.join("; ")
                );
                Problem::new(StatusCode::CONFLICT, detail.trim_end().to_owned())
            }
        }
    }
}

/// A change in a line: who, what.
pub(crate) fn told(row: &AuditRow) -> String {
    let what = row.details.as_deref().unwrap_or_default();
    let what = what.rsplit_once("; revision ").map_or(what, |(what, _)| what);
    format!("{}: {what}", row.who)
}

impl Api {
    /// What changes the configuration.
    pub(crate) fn administration(&self) -> Result<Arc<dyn Administer>, Problem> {
        let nothing = "nothing runs here that has settings";
        self.settings.administration.clone().ok_or_else(|| Problem::busy(nothing))
    }
}

/// Settings as they stand.
pub(crate) async fn view(api: &Shared) -> Result<View, Problem> {
    let administration = api.administration()?;
    let sick = |reason: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, reason);
    api.readers.run(move || administration.view().map_err(sick)).await
}

/// Whether a change may take away for good what retention kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Losing {
    /// Whoever makes it knows.
    May,
    /// She is to be asked first: [`NotChanged::Loses`].
    MustNot,
}

/// Changes settings for somebody by name.
pub(crate) async fn change(
    api: &Shared,
    who: &str,
    mut change: Change,
    losing: Losing,
) -> Result<Saved, NotChanged> {
    let administration = api.administration()?;
    let (shared, who) = (Arc::clone(api), who.to_owned());
    sign(&mut change, &who);
    let done = api.readers.run(move || {
        let mut unasked = Vec::new();
        let mut note = |planned: &Planned| {
            let Planned { edits, before, after, lost } = planned;
            if losing == Losing::MustNot && !lost.is_empty() {
                unasked.clone_from(lost);
                return Err("it was not asked whether this may go".to_owned());
            }
            let details = format!("{}; revision {before} to {after}", edits.join("; "));
            let written = shared.audit_as(&who, CHANGE, None, Some(&details));
            written.map_err(|problem| problem.detail().to_owned())
        };
        let done = administration.change(&change, &mut note);
        match done {
            Err(_) if !unasked.is_empty() => Ok(Err(NotChanged::Loses(unasked))),
            Err(Refusal::Changed { .. }) => {
                let since = change.revision.unwrap_or_default();
                Ok(Err(NotChanged::Conflict(changes_since(&shared, &since)?)))
            }
            other => Ok(Ok(other)),
        }
    });
    match done.await?? {
        Ok(saved) => Ok(saved),
        Err(Refusal::Invalid(reason)) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason).into()),
        Err(Refusal::Gone(reason)) => Err(Problem::not_found(reason).into()),
        Err(Refusal::Failed(reason)) => {
            tracing::error!("settings are not changed: {reason}");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("nothing was changed: {reason}"))
                .into())
        }
        Err(Refusal::Changed { .. }) => Err(NotChanged::Conflict(Vec::new())),
    }
}

/// Exclusions keep who set them and when, whatever the caller says of it: those who come later ask.
fn sign(change: &mut Change, who: &str) {
    for edit in &mut change.edits {
        if let Edit::Add { list: List::Exclusion, fields, .. }
        | Edit::Put { list: List::Exclusion, fields, .. } = edit
        {
            fields.insert("set_by".to_owned(), who.into());
            fields.insert("set_at".to_owned(), format!("{:.0}", jiff::Timestamp::now()).into());
        }
    }
}

/// What changed behind a revision; all that is known, where nothing led to it.
fn changes_since(api: &Api, revision: &str) -> Result<Vec<AuditRow>, Problem> {
    let rows = api.with_control(|control| control.audit(AUDIT_LINES))?;
    let mut changes: Vec<AuditRow> = rows.into_iter().filter(|row| row.action == CHANGE).collect();
    let behind =
        |row: &AuditRow, mark: String| row.details.as_ref().is_some_and(|text| text.ends_with(&mark));
    if let Some(at) = changes.iter().rposition(|row| behind(row, format!(" to {revision}"))) {
        changes.drain(..=at);
    } else {
        let began = changes.iter().rposition(|row| {
            row.details.as_ref().is_some_and(|text| text.contains(&format!("; revision {revision} to ")))
        });
        changes.drain(..began.unwrap_or(0));
    }
    Ok(changes)
}

/// All that can be set, what is in force, and who set it: nobody (`default`), the portal or this API (`portal`), or the
/// configuration file (`file`), which wins and is changed there alone. Secrets are in no answer.
#[utoipa::path(get, path = "/settings", responses(
    (status = 200, body = View), (status = "default", body = Problem)))]
pub(super) async fn settings(
    State(api): TheApi,
    Administrator(_who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<View>, Problem> {
    Ok(Json(view(&api).await?))
}

/// Makes edits together: all are in force when the answer comes, or none is.
#[utoipa::path(patch, path = "/settings", request_body = Change, responses(
    (status = 200, description = "In force", body = Saved),
    (status = 404, description = "What an edit would change is not there", body = Problem),
    (status = 409, description = "Others changed settings since `revision`", body = Problem),
    (status = 422, description = "They make no sound configuration: `detail` says why", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn change_settings(
    State(api): TheApi,
    Administrator(who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(wanted): Body<Change>,
) -> Result<Json<Saved>, Problem> {
    Ok(Json(change(&api, who.name(), wanted, Losing::May).await?))
}

/// Who sends accounting without being let in: unknown clients, also those that the steer program refuses, and wrong
/// secrets.
#[utoipa::path(get, path = "/settings/arrivals", responses(
    (status = 200, body = Arrivals), (status = "default", body = Problem)))]
pub(super) async fn arrivals(
    State(api): TheApi,
    Administrator(_who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Arrivals>, Problem> {
    Ok(Json(arrived(&api).await?))
}

/// The same for the portal.
pub(crate) async fn arrived(api: &Shared) -> Result<Arrivals, Problem> {
    let administration = api.administration()?;
    api.readers.run(move || Ok(administration.arrivals())).await
}

/// A secret that nobody else has. It is kept nowhere.
#[derive(Serialize, ToSchema)]
pub(super) struct Generated {
    /// Letters and digits.
    secret: String,
}

/// Makes a shared secret up, to be set by a change and to be typed into a VPN server. It is in this answer alone.
#[utoipa::path(post, path = "/settings/secret", responses(
    (status = 200, body = Generated), (status = "default", body = Problem)))]
pub(super) async fn generate_secret(
    State(api): TheApi,
    Administrator(_who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Generated>, Problem> {
    Ok(Json(Generated { secret: api.administration()?.generate().reveal().to_owned() }))
}

/// A secret to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    /// Whose latest request it is tried on.
    #[schema(value_type = String)]
    source: IpAddr,
    /// The secret.
    secret: SecretText,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Tried {
    /// Whether the request was made with it.
    is_right: bool,
}

/// Tries a secret on the latest refused request of a source, and changes nothing.
#[utoipa::path(post, path = "/settings/arrivals/try", request_body = Trial, responses(
    (status = 200, body = Tried),
    (status = 404, description = "No request of this source is kept", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn try_secret(
    State(api): TheApi,
    Administrator(who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(Trial { source, secret }): Body<Trial>,
) -> Result<Json<Tried>, Problem> {
    let tried = tried(&api, who.name(), source, secret).await?;
    let nothing = || Problem::not_found(format!("no request of {source} is kept: wait for its next one"));
    Ok(Json(Tried { is_right: tried.ok_or_else(nothing)? }))
}

/// The same for the portal; `None` if no request of the source is kept.
pub(crate) async fn tried(
    api: &Shared,
    who: &str,
    source: IpAddr,
    secret: SecretText,
) -> Result<Option<bool>, Problem> {
    let administration = api.administration()?;
    let (shared, who) = (Arc::clone(api), who.to_owned());
    api.readers
        .run(move || {
            shared.audit_as(&who, "settings.try", None, Some(&format!("a secret on {source}")))?;
            Ok(administration.try_secret(source, &secret))
        })
        .await
}
