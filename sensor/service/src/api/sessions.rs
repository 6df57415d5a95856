//! VPN connections.

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Problem, TheApi,
    access::Who,
    query::{Named, Page, Parameters, limit, moment, position},
    users::NoQuery,
};
use crate::store::{SessionFilter, SessionRow};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionsQuery {
    /// Of this user, the name in any spelling.
    user: Option<String>,
    /// From this device.
    device: Option<String>,
    /// From this address.
    #[param(value_type = Option<String>)]
    remote: Option<std::net::IpAddr>,
    /// That had this address inside the tunnel, or the prefix that it lies in: `10.1.2.3`, `2001:db8::/64`.
    assigned: Option<String>,
    /// From the place with this number, through whatever network: all that have its name and country, or are the same site.
    place: Option<i64>,
    /// From this country, two letters.
    country: Option<String>,
    /// Through the VPN server with this client name or NAS-Identifier.
    server: Option<String>,
    /// Through the VPN server with this number.
    server_number: Option<i64>,
    /// With this Acct-Session-Id, in any case of its Latin letters.
    session: Option<String>,
    /// `true`: only those that are not over.
    open: Option<bool>,
    /// RFC 3339. With `user`, `remote`, `assigned` or `session`: not over before then, so that what was there counts although
    /// it began before. Without any of them: begun then or later.
    since: Option<String>,
    /// Begun before, RFC 3339.
    until: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// 1 to 1000, by default 100.
    limit: Option<u32>,
}

/// VPN connections, the newest first.
#[utoipa::path(get, path = "/sessions", params(SessionsQuery), responses(
    (status = 200, body = Page<SessionRow>), (status = "default", body = Problem)))]
pub(super) async fn sessions(
    State(api): TheApi,
    Extension(who): Who,
    Parameters(query): Parameters<SessionsQuery>,
) -> Result<Json<Page<SessionRow>>, Problem> {
    let limit = limit(query.limit)?;
    let filter = SessionFilter {
        user: api.user_key_of(query.user.as_deref()).await?,
        device: query.device,
        remote: query.remote.map(|address| address.to_string()),
        assigned: query.assigned.map(|text| assigned(&text)).transpose()?,
        place: query.place,
        country: query.country.map(|country| country.to_ascii_uppercase()),
        server: query.server,
        server_number: query.server_number,
        session: query.session,
        open: query.open.unwrap_or(false),
        since_unix_ns: moment("since", query.since.as_deref())?,
        until_unix_ns: moment("until", query.until.as_deref())?,
        after: position(query.cursor.as_deref())?,
    };
    let shared = api.clone();
    api.readers
        .read(move |store| {
            shared.audit(&who, "sessions.list", filter.user.as_deref(), filter.details().as_deref())?;
            let rows = store.sessions(&filter, limit + 1)?;
            Ok(Json(Page::new(rows, limit, |row| (row.start_unix_ns, row.number))))
        })
        .await
}

/// An address inside the tunnel, or a prefix of such.
fn assigned(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, rest)| (address, Some(rest)));
    let is_good = address.parse::<std::net::IpAddr>().is_ok_and(|address| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        length.is_none_or(|length| length.parse::<u8>().is_ok_and(|length| length <= bits))
    });
    let refused = || Problem::bad_request(format!("assigned: {text:?} is no address and no prefix"));
    is_good.then(|| text.to_owned()).ok_or_else(refused)
}

/// One VPN connection.
#[utoipa::path(get, path = "/sessions/{number}", params(("number" = i64, Path, description = "Its number")),
    responses((status = 200, body = SessionRow), (status = "default", body = Problem)))]
pub(super) async fn session(
    State(api): TheApi,
    Extension(who): Who,
    Named(number): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<SessionRow>, Problem> {
    let number: i64 =
        number.parse().map_err(|_| Problem::bad_request(format!("{number:?} is no session's number")))?;
    let shared = api.clone();
    api.readers
        .read(move |store| {
            let session = store.session(number)?;
            let session =
                session.ok_or_else(|| Problem::not_found(format!("there is no session {number}")))?;
            shared.audit(
                &who,
                "session.show",
                session.user.as_deref(),
                Some(&format!("session {number}")),
            )?;
            Ok(Json(session))
        })
        .await
}
