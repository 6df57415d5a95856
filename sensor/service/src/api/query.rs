//! Parameters and bodies as they come: unknown members refused, limits kept, cursors read and made.

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use insight::vpn::names::{Realms, UserName};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::Problem;
use crate::alert::COMMENT_OCTETS_MAX;

/// Longest body, octets: the longest comment with each of its octets escaped, and what is around it.
const BODY_OCTETS_MAX: usize = 6 * COMMENT_OCTETS_MAX + 1024;
/// So much of what a parser says is repeated: it quotes what came.
const QUOTED_CHARS_MAX: usize = 200;

const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 1000;

/// The query's parameters; one that `T` does not know is named and refused, so that a mistyped filter never shows
/// everything.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query.map(|Query(query)| Parameters(query)).map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// The part of the path that names something. One that is not UTF-8 is refused as all else is, with problem details.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Named(name)).map_err(|error| Problem::new(error.status(), error.body_text()))
    }
}

/// A JSON body. Too long a one is refused as it comes, and a member that `T` does not know is named and refused.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send JSON: `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let octets = to_bytes(request.into_body(), BODY_OCTETS_MAX).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a body has at most {BODY_OCTETS_MAX} octets"),
            )
        })?;
        // The members in their order, without names, would be taken for the object.
        if octets.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body: send an object"));
        }
        serde_json::from_slice(&octets).map(Body).map_err(|error| {
            let detail: String = error.to_string().chars().take(QUOTED_CHARS_MAX).collect();
            let status =
                if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
            Problem::new(status, format!("body: {detail}"))
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// What is on it.
    pub(super) items: Vec<T>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// Of `limit` items at most; `items` has one more where another page follows. `key` is where that goes on.
    pub(super) fn new<K: Serialize>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Page<T> {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| cursor(&key(last)));
        Page { items, next }
    }
}

pub(super) fn limit(limit: Option<u32>) -> Result<usize, Problem> {
    match limit.unwrap_or(LIMIT) {
        limit @ 1..=LIMIT_MAX => Ok(limit as usize),
        other => Err(Problem::bad_request(format!("limit: {other} is not from 1 to {LIMIT_MAX}"))),
    }
}

/// Opaque to callers: what it holds may change with any release.
pub(crate) fn cursor(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

pub(crate) fn position<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Problem> {
    let read = |cursor| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok();
    let refused = || Problem::bad_request("cursor: not the `next` of a page of this list");
    cursor.map(|cursor| read(cursor).ok_or_else(refused)).transpose()
}

/// ns since 1970 UTC of an RFC 3339 time.
pub(super) fn moment(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let read = |text: &str| i64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok();
    let refused = |text: &str| {
        Problem::bad_request(format!("{name}: {text:?} is no RFC 3339 time, such as 2026-01-31T08:00:00Z"))
    };
    text.map(|text| read(text).ok_or_else(|| refused(text))).transpose()
}

/// The key of a user whose name was written in any way.
pub(super) fn user_key(name: &str, realms: &Realms) -> Result<String, Problem> {
    match UserName::parse(name.as_bytes(), None, realms) {
        Ok(Some((name, _))) => Ok(name.key.into_owned()),
        Ok(None) | Err(_) => Err(Problem::bad_request(format!("user: {name:?} is no user name"))),
    }
}
