//! Who may ask, who may decide, and what is written down of it.

use std::sync::PoisonError;

use axum::{
    Extension,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::{Api, Problem, Shared};
use crate::{
    alert::Alert,
    control::{AuditEntry, Bearer, Control, ControlError, Right},
};

/// Longest token that is looked at, octets. Ours have 48.
const TOKEN_OCTETS_MAX: usize = 256;

/// The token that a request came with.
#[derive(Clone)]
pub(super) struct Caller(Bearer);

pub(super) type Who = Extension<Caller>;

/// One whose token may decide; others are refused before anything else of their request is looked at.
pub(super) struct Decider(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Decider {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Caller>() {
            Some(caller) if caller.0.right.is_some() => Ok(Decider(caller.clone())),
            _ => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this token only reads: `vpn-sensor token add NAME --may decide` makes one that decides",
            )),
        }
    }
}

/// One whose token may administer.
pub(super) struct Administrator(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Caller>() {
            Some(caller) if caller.0.right == Some(Right::Administer) => Ok(Administrator(caller.clone())),
            _ => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this token sets nothing: `vpn-sensor token add NAME --may administer` makes one that does",
            )),
        }
    }
}

impl Caller {
    /// Its token's name.
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }
}

/// Lets a request through that carries a good token.
pub(super) async fn require_token(
    State(api): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(token) = bearer(request.headers()) else {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "send a token: `Authorization: Bearer TOKEN`"));
    };
    let (checked, token) = (api.clone(), token.to_owned());
    let bearer =
        api.readers.run(move || Ok(checked.with_control(|control| control.check_token(&token))?)).await?;
    let Some(bearer) = bearer else {
        if let Some(count) = api.refusals.count() {
            tracing::warn!("the API refused {count} requests with a wrong or expired token");
        }
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "the token is wrong, removed or expired"));
    };
    request.extensions_mut().insert(Caller(bearer));
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= TOKEN_OCTETS_MAX)
        .then_some(token)
}

impl Api {
    pub(crate) fn with_control<T>(
        &self,
        work: impl FnOnce(&Control) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        work(&self.control.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same for what takes more than one step.
    pub(crate) fn with_control_mut<T>(
        &self,
        work: impl FnOnce(&mut Control) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        work(&mut self.control.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down who is about to see whom. Where that fails, nothing is shown. For work that may block.
    pub(super) fn audit(
        &self,
        caller: &Caller,
        action: &str,
        subject: Option<&str>,
        details: Option<&str>,
    ) -> Result<(), Problem> {
        self.audit_as(caller.name(), action, subject, details)
    }

    /// The same for somebody by name.
    pub(crate) fn audit_as(
        &self,
        who: &str,
        action: &str,
        subject: Option<&str>,
        details: Option<&str>,
    ) -> Result<(), Problem> {
        Ok(self.with_control(|control| control.write_audit(&AuditEntry { who, action, subject, details }))?)
    }

    /// The same for each user whom an alert is about.
    pub(crate) fn audit_alert(
        &self,
        who: &str,
        action: &str,
        alert: &Alert,
        details: &str,
    ) -> Result<(), Problem> {
        let mut users = alert.users().peekable();
        if users.peek().is_none() {
            return self.audit_as(who, action, None, Some(details));
        }
        users.try_for_each(|user| self.audit_as(who, action, Some(user), Some(details)))
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Problem {
        Problem::internal(error)
    }
}
