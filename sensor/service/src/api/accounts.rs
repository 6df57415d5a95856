//! Accounts and tokens, for callers that may administer, and for the portal.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, Shared, TheApi,
    access::Administrator,
    query::{Body, Named, Page, Parameters},
    users::NoQuery,
};
use crate::control::{
    AccountRow, AuditEntry, Control, ControlError, KEEPS_ROLE, LINK_S, Right, Role, TokenRow,
};

/// Who may sign in at the portal.
#[utoipa::path(get, path = "/accounts", responses(
    (status = 200, body = Page<AccountRow>), (status = "default", body = Problem)))]
pub(super) async fn accounts(
    State(api): TheApi,
    Administrator(_who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Page<AccountRow>>, Problem> {
    let shared = Arc::clone(&api);
    let items = api.readers.run(move || Ok(shared.with_control(|control| control.accounts())?)).await?;
    Ok(Json(Page { items, next: None }))
}

/// An account that is to have a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invited {
    /// Its name: letters, digits, `.`, `_`, `-` and `@`.
    account: String,
    /// What it may do from then on. Absent: an account that is there keeps its role. A new one must have one, but for the
    /// first of all, which is an administrator's.
    role: Option<Role>,
}

/// A link, told once.
#[derive(Serialize, ToSchema)]
pub(super) struct Link {
    /// Behind the portal's address.
    path: String,
    /// How long it is good, seconds.
    seconds: i64,
}

/// Makes a link by which an account, new or old, gets a password: once, within 15 minutes. An old one keeps its role unless
/// another is asked for.
#[utoipa::path(post, path = "/accounts/links", request_body = Invited, responses(
    (status = 200, body = Link),
    (status = 409, description = "Nobody would be left who may administer", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn invite(
    State(api): TheApi,
    Administrator(who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(Invited { account, role }): Body<Invited>,
) -> Result<Json<Link>, Problem> {
    Ok(Json(Link { path: link(&api, who.name(), account, role).await?, seconds: LINK_S }))
}

/// The same for the portal: the link's path.
pub(crate) async fn link(
    api: &Shared,
    who: &str,
    account: String,
    role: Option<Role>,
) -> Result<String, Problem> {
    let (shared, who) = (Arc::clone(api), who.to_owned());
    let made = api.readers.run(move || {
        let made = noted(&shared, |control| {
            let given = control.role_by_link(&account, role)?;
            let made = control.add_link(&account, role)?;
            let details = Some(given.map_or(KEEPS_ROLE, Role::name));
            let subject = Some(&*account);
            control.note(&AuditEntry { who: &who, action: "portal.link", subject, details })?;
            Ok(made)
        });
        let made = made.map_err(|error| match error {
            ControlError::LastAdministrator(_) => {
                let detail = format!("{error}, or have the link made for the role administrator");
                Problem::new(StatusCode::CONFLICT, detail)
            }
            error => refused(error),
        })?;
        Ok(format!("/link/{}", made.reveal()))
    });
    made.await
}

/// What an account may do from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    /// The role.
    role: Role,
}

/// Gives an account another role, and withdraws its links.
#[utoipa::path(patch, path = "/accounts/{account}", params(("account" = String, Path, description = "Its name")),
    request_body = NewRole, responses(
    (status = 204, description = "It has it"),
    (status = 409, description = "Nobody would be left who may administer", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn change_role(
    State(api): TheApi,
    Administrator(who): Administrator,
    Named(account): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(NewRole { role }): Body<NewRole>,
) -> Result<StatusCode, Problem> {
    set_role(&api, who.name(), account, Some(role)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes an account, and signs it out.
#[utoipa::path(delete, path = "/accounts/{account}", params(("account" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is gone"),
    (status = 409, description = "Nobody would be left who may administer", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn remove_account(
    State(api): TheApi,
    Administrator(who): Administrator,
    Named(account): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<StatusCode, Problem> {
    set_role(&api, who.name(), account, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an account another role, or removes it.
pub(crate) async fn set_role(
    api: &Shared,
    who: &str,
    account: String,
    role: Option<Role>,
) -> Result<(), Problem> {
    let (shared, who) = (Arc::clone(api), who.to_owned());
    let done = api.readers.run(move || {
        let done = noted(&shared, |control| {
            let (action, found) = match role {
                Some(role) => ("portal.role", control.set_role(&account, role)?),
                None => {
                    control.keep_an_administrator(&account)?;
                    ("portal.remove", control.remove_account(&account)?)
                }
            };
            if found {
                let (subject, details) = (Some(&*account), role.map(Role::name));
                control.note(&AuditEntry { who: &who, action, subject, details })?;
            }
            Ok(found)
        });
        let found = done.map_err(refused)?;
        found.then_some(()).ok_or_else(|| Problem::not_found(format!("there is no account {account:?}")))
    });
    done.await
}

/// Who may ask this API.
#[utoipa::path(get, path = "/tokens", responses(
    (status = 200, body = Page<TokenRow>), (status = "default", body = Problem)))]
pub(super) async fn tokens(
    State(api): TheApi,
    Administrator(_who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<Page<TokenRow>>, Problem> {
    let shared = Arc::clone(&api);
    let items = api.readers.run(move || Ok(shared.with_control(|control| control.tokens())?)).await?;
    Ok(Json(Page { items, next: None }))
}

/// A token that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// What the audit log calls it: letters, digits, `.`, `_` and `-`.
    name: String,
    /// What it may do besides reading.
    may: Option<Right>,
    /// It is refused after so many seconds; absent: never.
    lifetime_seconds: Option<u64>,
}

/// A new token, told once.
#[derive(Serialize, ToSchema)]
pub(super) struct Made {
    /// The token.
    token: String,
}

/// Makes a token.
#[utoipa::path(post, path = "/tokens", request_body = Wanted, responses(
    (status = 200, body = Made),
    (status = 409, description = "There is one of this name", body = Problem),
    (status = "default", body = Problem)))]
pub(super) async fn make_token(
    State(api): TheApi,
    Administrator(who): Administrator,
    Parameters(NoQuery {}): Parameters<NoQuery>,
    Body(Wanted { name, may, lifetime_seconds }): Body<Wanted>,
) -> Result<Json<Made>, Problem> {
    let token = token(&api, who.name(), name, may, lifetime_seconds).await?;
    Ok(Json(Made { token }))
}

/// The same for the portal: the token.
pub(crate) async fn token(
    api: &Shared,
    who: &str,
    name: String,
    right: Option<Right>,
    lifetime_s: Option<u64>,
) -> Result<String, Problem> {
    let (shared, who) = (Arc::clone(api), who.to_owned());
    let made = api.readers.run(move || {
        let details = right.map(|right| format!("may {}", right.name()));
        let made = noted(&shared, |control| {
            let made = control.add_token(&name, right, lifetime_s)?;
            let (subject, details) = (Some(&*name), details.as_deref());
            control.note(&AuditEntry { who: &who, action: "token.add", subject, details })?;
            Ok(made)
        });
        Ok(made.map_err(refused)?.reveal().to_owned())
    });
    made.await
}

/// Takes a token away: it is refused from then on.
#[utoipa::path(delete, path = "/tokens/{token}", params(("token" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is gone"), (status = "default", body = Problem)))]
pub(super) async fn remove_token(
    State(api): TheApi,
    Administrator(who): Administrator,
    Named(name): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<StatusCode, Problem> {
    take_token(&api, who.name(), name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same for the portal.
pub(crate) async fn take_token(api: &Shared, who: &str, name: String) -> Result<(), Problem> {
    let (shared, who) = (Arc::clone(api), who.to_owned());
    let done = api.readers.run(move || {
        let done = noted(&shared, |control| {
            let found = control.remove_token(&name)?;
            if found {
                let subject = Some(&*name);
                control.note(&AuditEntry { who: &who, action: "token.remove", subject, details: None })?;
            }
            Ok(found)
        });
        let found = done.map_err(refused)?;
        found.then_some(()).ok_or_else(|| Problem::not_found(format!("there is no token {name:?}")))
    });
    done.await
}

/// A change and its line in the audit log: both are there, or neither where the change is refused.
fn noted<T>(
    api: &Shared,
    change: impl FnOnce(&Control) -> Result<T, ControlError>,
) -> Result<T, ControlError> {
    api.with_control(|control| control.at_once(change))
}

/// What the caller can mend, in words; anything else is the operator's.
fn refused(error: ControlError) -> Problem {
    let status = match error {
        ControlError::TokenExists(_) | ControlError::LastAdministrator(_) => StatusCode::CONFLICT,
        ControlError::TokenName(_) | ControlError::AccountName(_) | ControlError::NoRole(_) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        error => return Problem::internal(error),
    };
    Problem::new(status, error.to_string())
}
