//! Users and devices, and what belongs to each.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, TheApi,
    access::Who,
    query::{Named, Page, Parameters, cursor, limit, position},
};
use crate::store::{
    ByRisk, DeviceRow, Feature, LocationRow, RiskPosition, SessionFilter, SessionRow, Share, SpotRow,
    StoreReader, UserPage, UserRow,
};

/// The newest connections on a user's page; `/sessions` has the others.
const SESSIONS: usize = 20;
/// So many of each feature on a device's page, the latest first: a device has few users.
const FEATURES_MAX: usize = 100;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersQuery {
    /// Only users whose key holds this text, in any letter case; if there are none and it is a name with a realm, such as
    /// `CONTOSO\ali`, those whose name it may be a part of.
    q: Option<String>,
    /// `seen`: the latest seen first, as by default; `risk`: those with open alerts first, by severity and score.
    sort: Option<UserSort>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// 1 to 1000, by default 100.
    limit: Option<u32>,
}

/// The order of users and devices.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum UserSort {
    /// The latest seen first.
    #[default]
    Seen,
    /// Those with open alerts first, by severity and score.
    Risk,
}

/// Users, the latest seen or the riskiest first.
#[utoipa::path(get, path = "/users", params(UsersQuery), responses(
    (status = 200, body = Page<UserRow>), (status = "default", body = Problem)))]
pub(super) async fn users(
    State(api): TheApi,
    Extension(who): Who,
    Parameters(query): Parameters<UsersQuery>,
) -> Result<Json<Page<UserRow>>, Problem> {
    let limit = limit(query.limit)?;
    let typed = query.q;
    let (shared, realms) = (api.clone(), api.realms()?);
    if let UserSort::Risk = query.sort.unwrap_or_default() {
        let from: Option<RiskPosition> = position(query.cursor.as_deref())?;
        return api
            .readers
            .read(move |store| {
                shared.audit(&who, "users.list", typed.as_deref(), None)?;
                let part = store.user_part(typed.as_deref().unwrap_or_default(), &realms)?;
                let ByRisk { rows, next, .. } = store.users_by_risk(&part, from, limit)?;
                Ok(Json(Page { items: rows, next: next.map(|next| cursor(&next)) }))
            })
            .await;
    }
    let after: Option<(i64, String)> = position(query.cursor.as_deref())?;
    api.readers
        .read(move |store| {
            shared.audit(&who, "users.list", typed.as_deref(), None)?;
            let part = store.user_part(typed.as_deref().unwrap_or_default(), &realms)?;
            let after = after.as_ref().map(|(last, name)| (*last, &**name));
            let rows = store.users(&part, after, limit + 1)?;
            Ok(Json(Page::new(rows, limit, |row| (row.last_unix_ns, row.user.clone()))))
        })
        .await
}

/// A user's page and what is open now.
#[derive(Serialize, ToSchema)]
pub(super) struct UserNow {
    #[serde(flatten)]
    page: UserPage,
    /// Connections that are open.
    open: Vec<SessionRow>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct NoQuery {}

/// One user: what is usual; places, networks, addresses, devices, client software, VPN servers, hours, open sessions.
#[utoipa::path(get, path = "/users/{user}",
    params(("user" = String, Path, description = "The name in any spelling: alice, CONTOSO\\alice, alice@contoso.example")),
    responses((status = 200, body = UserNow), (status = "default", body = Problem)))]
pub(super) async fn user(
    State(api): TheApi,
    Extension(who): Who,
    Named(name): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<UserNow>, Problem> {
    let key = api.user_key(&name).await?;
    let shared = api.clone();
    api.readers
        .read(move |store| {
            shared.audit(&who, "user.show", Some(&key), None)?;
            let page = store.user_page(&key, SESSIONS, shared.learning(), now_unix_ns())?;
            let page = page.ok_or_else(|| Problem::not_found(format!("there is no user {key:?}")))?;
            let filter = SessionFilter { user: Some(key), ..SessionFilter::default() };
            Ok(Json(UserNow { page, open: open(store, &filter)? }))
        })
        .await
}

fn now_unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

fn open(store: &StoreReader, filter: &SessionFilter) -> Result<Vec<SessionRow>, Problem> {
    Ok(store.sessions(&SessionFilter { open: true, ..filter.clone() }, FEATURES_MAX)?)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SeenQuery {
    /// The `next` of the page before.
    pub(super) cursor: Option<String>,
    /// 1 to 1000, by default 100.
    pub(super) limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DevicesQuery {
    /// Only devices whose name holds this text, in any case of its Latin letters.
    q: Option<String>,
    /// `seen` by default.
    sort: Option<UserSort>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// 1 to 1000, by default 100.
    limit: Option<u32>,
}

/// Devices, the latest seen or the riskiest first; `open_alerts`, `severity` and `score` are of the latter.
#[utoipa::path(get, path = "/devices", params(DevicesQuery), responses(
    (status = 200, body = Page<DeviceRow>), (status = "default", body = Problem)))]
pub(super) async fn devices(
    State(api): TheApi,
    Extension(who): Who,
    Parameters(query): Parameters<DevicesQuery>,
) -> Result<Json<Page<DeviceRow>>, Problem> {
    let limit = limit(query.limit)?;
    let by_risk = matches!(query.sort.unwrap_or_default(), UserSort::Risk);
    let (from, after): (Option<RiskPosition>, Option<(i64, String)>) = match by_risk {
        true => (position(query.cursor.as_deref())?, None),
        false => (None, position(query.cursor.as_deref())?),
    };
    let shared = api.clone();
    api.readers
        .read(move |store| {
            let part = query.q.unwrap_or_default();
            shared.audit(&who, "devices.list", Some(&*part).filter(|part| !part.is_empty()), None)?;
            if by_risk {
                let ByRisk { rows, next, .. } = store.devices_by_risk(&part, from, limit)?;
                return Ok(Json(Page { items: rows, next: next.map(|next| cursor(&next)) }));
            }
            let after = after.as_ref().map(|(last, name)| (*last, &**name));
            let rows = store.devices_with(&part, after, limit + 1)?;
            let rows = rows.into_iter().map(DeviceRow::from).collect();
            Ok(Json(Page::new(rows, limit, |row: &DeviceRow| (row.seen.last_unix_ns, row.seen.name.clone()))))
        })
        .await
}

/// A device and who used it where, over its newest 2,000 connections.
#[derive(Serialize, ToSchema)]
pub(super) struct DevicePage {
    name: String,
    users: Vec<Share>,
    places: Vec<Share>,
    addresses: Vec<Share>,
    software: Vec<Share>,
    /// Where from, as points of a map.
    spots: Vec<SpotRow>,
    /// Places, addresses and providers, the latest seen first.
    locations: Vec<LocationRow>,
    /// Connections that are open.
    open: Vec<SessionRow>,
}

/// One device: users, places, addresses, client software, open sessions.
#[utoipa::path(get, path = "/devices/{device}", params(("device" = String, Path, description = "Its name, exactly")),
    responses((status = 200, body = DevicePage), (status = "default", body = Problem)))]
pub(super) async fn device(
    State(api): TheApi,
    Extension(who): Who,
    Named(name): Named,
    Parameters(NoQuery {}): Parameters<NoQuery>,
) -> Result<Json<DevicePage>, Problem> {
    let shared = api.clone();
    api.readers
        .read(move |store| {
            shared.audit(&who, "device.show", Some(&name), None)?;
            if !store.has_device(&name)? {
                return Err(Problem::not_found(format!("there is no device {name:?}")));
            }
            let all = SessionFilter { device: Some(name.clone()), ..SessionFilter::default() };
            let newest = store.newest(&all)?;
            let shares = |feature| newest.shares(feature, FEATURES_MAX);
            Ok(Json(DevicePage {
                users: shares(Feature::User),
                places: shares(Feature::Place),
                addresses: shares(Feature::Remote),
                software: shares(Feature::Software),
                open: open(store, &all)?,
                spots: newest.spots(FEATURES_MAX),
                locations: newest.locations(FEATURES_MAX),
                name,
            }))
        })
        .await
}
