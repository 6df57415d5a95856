//! One question for everything that has a name: users, devices, addresses, places, VPN servers, session ids.

use std::net::IpAddr;

use axum::{Extension, Json, extract::State};
use insight::vpn::names::Realms;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, TheApi, access::Who, query::Parameters};
use crate::store::{FoundAssigned, FoundPlace, FoundServer, SeenRow, StoreReader, UserRow};

/// Rows of each sort.
const ROWS: usize = 10;
/// Longest question, characters.
pub(crate) const CHARACTERS_MAX: usize = 256;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// What to look for; at most 256 characters are looked at.
    q: String,
}

/// What was found, at most ten of each sort.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Found {
    /// Users whose key holds it, or whose name as a VPN server writes it; the latest seen first.
    pub(crate) users: Vec<UserRow>,
    /// Devices whose name holds it, the latest seen first.
    pub(crate) devices: Vec<SeenRow>,
    /// Addresses outside the tunnel that begin so.
    pub(crate) addresses: Vec<String>,
    /// Addresses and prefixes inside the tunnel that begin so, or that an IPv6 address lies in, each with who had it last.
    pub(crate) assigned: Vec<FoundAssigned>,
    /// Places whose name or network holds it.
    pub(crate) places: Vec<FoundPlace>,
    /// VPN servers whose name or address holds it.
    pub(crate) servers: Vec<FoundServer>,
    /// Acct-Session-Ids that begin so, in any case of their Latin letters.
    pub(crate) sessions: Vec<String>,
}

impl Found {
    /// What of this there is.
    pub(crate) fn of(store: &StoreReader, q: &str, realms: &Realms) -> Result<Found, Problem> {
        let q = asked(q);
        if q.is_empty() {
            return Ok(Found::default());
        }
        Ok(Found {
            users: store.users(&store.user_part(&q, realms)?, None, ROWS)?,
            devices: store.devices_with(&q, None, ROWS)?,
            addresses: store.addresses_beginning(&as_kept(&q), ROWS)?,
            assigned: store.assigned_beginning(&q, ROWS)?,
            places: store.places_with(&q, ROWS)?,
            servers: store.servers_with(&q, ROWS)?,
            sessions: store.session_ids_beginning(&q, ROWS)?,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.devices.is_empty()
            && self.addresses.is_empty()
            && self.assigned.is_empty()
            && self.places.is_empty()
            && self.servers.is_empty()
            && self.sessions.is_empty()
    }
}

/// An address or the beginning of one as the store has it: IPv6 in small letters, a whole one as short as it can be.
fn as_kept(q: &str) -> String {
    q.parse().map_or_else(|_| q.to_ascii_lowercase(), |address: IpAddr| address.to_canonical().to_string())
}

/// What is looked for of what was typed.
pub(crate) fn asked(q: &str) -> String {
    q.trim().chars().take(CHARACTERS_MAX).collect()
}

/// Everything whose name holds or begins with a text.
#[utoipa::path(get, path = "/search", params(SearchQuery), responses(
    (status = 200, body = Found), (status = "default", body = Problem)))]
pub(super) async fn search(
    State(api): TheApi,
    Extension(who): Who,
    Parameters(SearchQuery { q }): Parameters<SearchQuery>,
) -> Result<Json<Found>, Problem> {
    let shared = api.clone();
    let realms = api.realms()?;
    api.readers
        .read(move |store| {
            shared.audit(&who, "search", Some(&asked(&q)), None)?;
            Ok(Json(Found::of(store, &q, &realms)?))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_for_as_it_is_kept() {
        for (typed, kept) in [
            ("2001:DB8:0:0::7", "2001:db8::7"),
            ("2001:DB8:", "2001:db8:"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("192.0.2.", "192.0.2."),
        ] {
            assert_eq!(as_kept(typed), kept);
        }
    }
}
