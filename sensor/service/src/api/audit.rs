//! The audit log, for callers that may administer.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Problem, TheApi,
    access::Administrator,
    query::{Page, Parameters, limit, position},
};
use crate::control::{AuditFilter, AuditRow};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Who: an account of the portal (`carol@portal`), a token's name, or somebody at the host's command line (`uid 0`).
    who: Option<String>,
    /// What: `user.show`.
    action: Option<String>,
    /// About whom or what, as the log has it.
    subject: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// 1 to 1000, by default 100.
    limit: Option<u32>,
}

/// Who looked at whom, decided, signed in or changed something, the newest first. The token must be one that may administer.
#[utoipa::path(get, path = "/audit", params(AuditQuery), responses(
    (status = 200, body = Page<AuditRow>), (status = "default", body = Problem)))]
pub(super) async fn audit(
    State(api): TheApi,
    Administrator(who): Administrator,
    Parameters(query): Parameters<AuditQuery>,
) -> Result<Json<Page<AuditRow>>, Problem> {
    let limit = limit(query.limit)?;
    let filter = AuditFilter {
        who: query.who,
        action: query.action,
        subject: query.subject,
        before: position(query.cursor.as_deref())?,
    };
    let shared = api.clone();
    api.readers
        .run(move || {
            shared.audit(&who, "audit.list", filter.subject.as_deref(), filter.details().as_deref())?;
            let rows = shared.with_control(|control| control.audit_of(&filter, limit + 1))?;
            Ok(Json(Page::new(rows, limit, |row| row.number)))
        })
        .await
}
