//! One question for everything that has a name: users, devices, addresses, places, countries, VPN servers, session ids.

use std::{collections::BTreeSet, net::IpAddr};

use axum::{Extension, Json, extract::State};
use insight::vpn::names::Realms;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, TheApi, access::Who, query::Parameters};
use crate::store::{FoundAssigned, FoundPlace, FoundServer, SeenRow, StoreReader, UserRow};

/// Rows of each sort.
const ROWS: usize = 10;
/// One more than is shown: whether there is one is said.
const ASKED: usize = ROWS + 1;
/// Longest question, characters.
pub(crate) const CHARACTERS_MAX: usize = 256;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// What to look for; at most 256 characters are looked at.
    q: String,
}

/// What was found, at most ten of each sort. What is called exactly so, in any case of its Latin letters, comes first.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Found {
    /// Users whose key holds it, or whose name as a VPN server writes it: those who are called so, with any realm, then the
    /// latest seen.
    pub(crate) users: Vec<UserRow>,
    /// Devices whose name holds it: those that are called so, then the latest seen.
    pub(crate) devices: Vec<SeenRow>,
    /// Addresses outside the tunnel that begin so.
    pub(crate) addresses: Vec<String>,
    /// Addresses and prefixes inside the tunnel that begin so, or that an IPv6 address lies in, each with who had it last.
    pub(crate) assigned: Vec<FoundAssigned>,
    /// Countries, two letters, that connections came from and that are this.
    pub(crate) countries: Vec<String>,
    /// Places whose name or network holds it.
    pub(crate) places: Vec<FoundPlace>,
    /// VPN servers whose name or address holds it.
    pub(crate) servers: Vec<FoundServer>,
    /// Acct-Session-Ids that begin so, in any case of their Latin letters.
    pub(crate) sessions: Vec<String>,
    /// The lists above that leave some out: `users`, `devices` ...
    pub(crate) more: Vec<&'static str>,
}

impl Found {
    /// What of this there is.
    pub(crate) fn of(store: &StoreReader, q: &str, realms: &Realms) -> Result<Found, Problem> {
        let q = asked(q);
        if q.is_empty() {
            return Ok(Found::default());
        }
        let part = store.user_part(&q, realms)?;
        let users =
            exact_first(store.users_called(&part, ASKED)?, store.users(&part, None, ASKED)?, |user| {
                user.user.clone()
            });
        let devices =
            exact_first(store.devices_called(&q, ASKED)?, store.devices_with(&q, None, ASKED)?, |device| {
                device.name.clone()
            });
        let mut cut = Cut::default();
        Ok(Found {
            users: cut.first("users", users),
            devices: cut.first("devices", devices),
            addresses: cut.first("addresses", store.addresses_beginning(&as_kept(&q), ASKED)?),
            assigned: cut.first("assigned", store.assigned_beginning(&q, ASKED)?),
            countries: country(store, &q)?.into_iter().collect(),
            places: cut.first("places", store.places_with(&q, ASKED)?),
            servers: cut.first("servers", store.servers_with(&q, ASKED)?),
            sessions: cut.first("sessions", store.session_ids_beginning(&q, ASKED)?),
            more: cut.0,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.devices.is_empty()
            && self.addresses.is_empty()
            && self.assigned.is_empty()
            && self.countries.is_empty()
            && self.places.is_empty()
            && self.servers.is_empty()
            && self.sessions.is_empty()
    }
}

/// The lists that were longer.
#[derive(Default)]
struct Cut(Vec<&'static str>);

impl Cut {
    /// The first rows of a list.
    fn first<T>(&mut self, list: &'static str, mut rows: Vec<T>) -> Vec<T> {
        if rows.len() > ROWS {
            self.0.push(list);
            rows.truncate(ROWS);
        }
        rows
    }
}

/// What is called so, and behind it the rest of what holds it.
fn exact_first<T>(mut called: Vec<T>, holding: Vec<T>, name: impl Fn(&T) -> String) -> Vec<T> {
    let exact: BTreeSet<String> = called.iter().map(&name).collect();
    called.extend(holding.into_iter().filter(|row| !exact.contains(&name(row))));
    called
}

/// The country that was typed, by its two letters.
fn country(store: &StoreReader, q: &str) -> Result<Option<String>, Problem> {
    let code = q.to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|octet| octet.is_ascii_uppercase());
    Ok((is_code && store.has_country(&code)?).then_some(code))
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
