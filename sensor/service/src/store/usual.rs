//! What is usual for a user: the profile that the stored connections make, learned by the same code as the one in
//! the running service's memory, without those that an alert is about. That one may differ in what the store came to know
//! since: sessions that turned out to be one, addresses that changed.

use std::collections::BTreeSet;

use insight::{
    geo::{NetworkKind, NetworkKinds},
    profile::{Ended, Feature, Learned, Learning, Observation, Profile, Profiles, Usual, Value, WINDOW_DAYS},
};
use rusqlite::Row;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AlertFilter, StoreError, StoreReader,
    row::{network_name, rfc3339},
};
use crate::{
    alert::{State, Verdict},
    fold,
};

const SECOND_NS: u64 = 1_000_000_000;
const DAY_NS: u64 = 86_400 * SECOND_NS;

/// So many of a user's connections are read, the newest: more than people have in half a year.
const CONNECTIONS_MAX: usize = 5_000;
/// So many of a user's alerts, the newest: one is open at a time.
const ALERTS_MAX: usize = 100;

/// What is usual for a user, from the connections of thirty days.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UsualPage {
    /// The last of the thirty days, UTC: today, or that of the last sign of life.
    pub as_of: String,
    /// Whether it is good for comparison now.
    pub learned: bool,
    /// If not, why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_learned: Option<String>,
    /// Connections that began within the thirty days.
    pub connections: u32,
    /// Days of the thirty on which connections began.
    pub days: u32,
    /// Countries, the most usual first, as all below.
    pub countries: Vec<UsualValue>,
    /// Places.
    pub places: Vec<UsualValue>,
    /// Autonomous systems.
    pub networks: Vec<UsualValue>,
    /// Kinds of networks.
    pub kinds: Vec<UsualValue>,
    /// Devices.
    pub devices: Vec<UsualValue>,
    /// Client software.
    pub software: Vec<UsualValue>,
    /// VPN servers.
    pub servers: Vec<UsualValue>,
    /// On how many days connections began in each hour of the week, Monday 0 h UTC first.
    pub hours: Vec<u8>,
    /// Length of connections, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Spread>,
    /// Octets of connections in both directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub octets: Option<Spread>,
    /// Values that left for want of room: 4 to 16 of each sort are followed.
    pub displaced: u16,
}

/// A value and how usual it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UsualValue {
    /// The value.
    pub name: String,
    /// Connections with it within the thirty days, of each at most 15.
    pub connections: u32,
    /// Days of the thirty with such connections.
    pub days: u32,
    /// The first, since it was last absent for thirty days.
    pub first_seen: String,
    /// When the last began.
    pub last_seen: String,
}

/// Of the newest connections that are over, to within six per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spread {
    /// So many, 20 at most.
    pub connections: u8,
    /// Half are not above.
    pub median: u64,
    /// Nine in ten are not above.
    pub nine_in_ten: u64,
}

/// One of the user's connections, as far as a profile learns of it.
struct Connection {
    number: i64,
    start: u64,
    end: Option<u64>,
    octets: Option<u64>,
    device: Option<String>,
    software: Option<String>,
    server: Option<String>,
    place: Option<String>,
    country: Option<String>,
    asn: Option<u32>,
    organisation: Option<String>,
    kinds: NetworkKinds,
}

impl StoreReader {
    /// What is usual for the user with this key at this time, and whether she is learned by the rule `learning`.
    /// `first_unix_ns`: when the first connection was.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn usual(
        &self,
        key: &str,
        first_unix_ns: i64,
        learning: Learning,
        now_unix_ns: u64,
    ) -> Result<UsualPage, StoreError> {
        let query = format!(
            "SELECT start, ended, end_reason, input_octets, output_octets, device, software,
                 coalesce(server.identifier, server.address, server.client),
                 CASE WHEN whereabouts IN ('place', 'site', 'internal') THEN place.name END,
                 country, asn, organisation, kinds, session.number
             FROM session LEFT JOIN server ON server.number = session.server
                 LEFT JOIN place ON place.id = session.place
             WHERE user = ?1 ORDER BY start DESC, session.number DESC LIMIT {CONNECTIONS_MAX}"
        );
        let mut connections = self.rows(&query, &[Box::new(key.to_owned())], connection)?;
        let strange = self.strange(key)?;
        connections.retain(|connection| !strange.contains(&(connection.number as u64)));
        Ok(page(key, &connections, (seconds(first_unix_ns as u64), learning), now_unix_ns))
    }

    /// Sessions that teach nothing: those of an open alert, and of one that was not closed as usual.
    fn strange(&self, key: &str) -> Result<BTreeSet<u64>, StoreError> {
        let filter = AlertFilter { user: Some(key.to_owned()), ..AlertFilter::default() };
        let mut alerts = self.alerts(&filter, ALERTS_MAX)?;
        alerts.retain(|alert| match alert.state {
            State::Open => true,
            State::Closed { verdict, .. } => verdict != Verdict::Usual,
        });
        let connections = alerts.iter().flat_map(|alert| &alert.connections);
        Ok(connections.map(|connection| connection.session).collect())
    }
}

fn seconds(unix_ns: u64) -> u32 {
    u32::try_from(unix_ns / SECOND_NS).unwrap_or(u32::MAX)
}

fn connection(row: &Row<'_>) -> rusqlite::Result<Connection> {
    let number = |at| row.get::<_, Option<i64>>(at);
    let reason: Option<String> = row.get(2)?;
    let tells_length = reason.is_some_and(|reason| fold::tells_length(&reason));
    let octets = [number(3)?, number(4)?].into_iter().flatten().map(|octets| octets as u64);
    let kinds: Option<String> = row.get(12)?;
    let kinds = kinds.unwrap_or_default();
    Ok(Connection {
        number: row.get(13)?,
        start: row.get::<_, i64>(0)? as u64,
        end: number(1)?.filter(|_| tells_length).map(|end| end as u64),
        octets: octets.reduce(u64::saturating_add),
        device: row.get(5)?,
        software: row.get(6)?,
        server: row.get(7)?,
        place: row.get(8)?,
        country: row.get(9)?,
        asn: row.get(10)?,
        organisation: row.get(11)?,
        kinds: kinds.split_ascii_whitespace().filter_map(NetworkKind::named).collect(),
    })
}

/// Takes the connections in the order in which they began and ended, then lets the days go by.
fn page(
    user: &str,
    connections: &[Connection],
    (first_unix_s, learning): (u32, Learning),
    now: u64,
) -> UsualPage {
    let starts = connections.iter().map(|connection| (connection.start, false, connection));
    let ends = connections.iter().filter_map(|connection| Some((connection.end?, true, connection)));
    let mut events: Vec<(u64, bool, &Connection)> = starts.chain(ends).collect();
    events.sort_by_key(|(time, is_end, _)| (*time, *is_end));
    let mut profiles = Profiles::new(fold::profile_options());
    let mut day = events.first().map_or(now, |(time, ..)| *time) / DAY_NS;
    let mut go_to = |profiles: &mut Profiles, time: u64| {
        // A day at a time: no jump of a clock.
        profiles.advance(day * DAY_NS);
        while day < time / DAY_NS {
            day += 1;
            profiles.advance(day * DAY_NS);
        }
    };
    let last = events.last().map_or(now, |(time, ..)| *time);
    for (time, is_end, connection) in events {
        go_to(&mut profiles, time);
        if is_end {
            let seconds = time.saturating_sub(connection.start) / SECOND_NS;
            profiles.learn_end(&Ended { user, end_unix_ns: time, seconds, octets: connection.octets });
        } else {
            profiles.learn(&connection.observation(user));
        }
    }
    // Of somebody who is away it is shown what was usual before.
    let as_of = if now.saturating_sub(last) < u64::from(WINDOW_DAYS) * DAY_NS { now } else { last };
    go_to(&mut profiles, as_of);
    let mut page = profiles.get(user).map_or_else(UsualPage::empty, |profile| said(&profile, connections));
    page.as_of = rfc3339(as_of as i64).get(..10).unwrap_or("-").to_owned();
    go_to(&mut profiles, now);
    let learned = profiles.get(user).map(|profile| {
        profile.learned_since(profile.first_unix_s().min(first_unix_s), seconds(now), learning)
    });
    page.not_learned = match learned {
        Some(Learned::Yes) => None,
        Some(Learned::Young { until_unix_s }) => {
            let until = rfc3339(i64::from(until_unix_s) * SECOND_NS as i64);
            let (days, until) = (learning.days, until.get(..10).unwrap_or("-"));
            Some(format!("the first connection is not {days} days ago, until {until}"))
        }
        Some(Learned::Few { connections, needed }) => {
            Some(format!("{connections} connections in 30 days, {needed} are needed"))
        }
        None => Some("the last connection is half a year ago".to_owned()),
    };
    page.learned = page.not_learned.is_none();
    page
}

impl Connection {
    fn observation<'a>(&'a self, user: &'a str) -> Observation<'a> {
        Observation {
            user,
            start_unix_ns: self.start,
            is_connection: true,
            country: self.country.as_deref(),
            place: self.place.as_deref(),
            network: self.asn,
            // The page shows networks; the part of one that somebody is in says nothing to its reader.
            address: None,
            kinds: self.kinds,
            device: self.device.as_deref(),
            software: self.software.as_deref(),
            server: self.server.as_deref(),
        }
    }
}

fn said(profile: &Profile<'_>, connections: &[Connection]) -> UsualPage {
    let name = |value: Value<'_>| match value {
        Value::Text(text) => text.to_owned(),
        Value::Kinds(kinds) => kinds.to_string(),
        Value::Prefix(prefix) => prefix.to_string(),
        Value::Network(asn) => {
            // The newest first: as it is called now.
            let same = connections.iter().filter(|connection| connection.asn == Some(asn));
            let organisation = same.filter_map(|connection| connection.organisation.as_deref()).next();
            network_name(asn.into(), organisation)
        }
    };
    let value = |usual: Usual<'_>| UsualValue {
        name: name(usual.value),
        connections: usual.connections,
        days: usual.days,
        first_seen: rfc3339(i64::from(usual.first_unix_s) * SECOND_NS as i64),
        last_seen: rfc3339(i64::from(usual.last_unix_s) * SECOND_NS as i64),
    };
    let values = |feature| profile.values(feature).into_iter().map(value).collect();
    let spread = |spread: insight::profile::Spread| Spread {
        connections: spread.connections,
        median: spread.median,
        nine_in_ten: spread.nine_in_ten,
    };
    UsualPage {
        connections: profile.connections(),
        days: profile.days(),
        countries: values(Feature::Country),
        places: values(Feature::Place),
        networks: values(Feature::Network),
        kinds: values(Feature::Kinds),
        devices: values(Feature::Device),
        software: values(Feature::Software),
        servers: values(Feature::Server),
        hours: profile.hours().to_vec(),
        seconds: profile.lengths().map(spread),
        octets: profile.volumes().map(spread),
        displaced: profile.displaced(),
        ..UsualPage::empty()
    }
}

impl UsualPage {
    pub(crate) fn empty() -> UsualPage {
        UsualPage {
            as_of: String::new(),
            learned: false,
            not_learned: None,
            connections: 0,
            days: 0,
            countries: Vec::new(),
            places: Vec::new(),
            networks: Vec::new(),
            kinds: Vec::new(),
            devices: Vec::new(),
            software: Vec::new(),
            servers: Vec::new(),
            hours: vec![0; insight::profile::WEEK_HOURS],
            seconds: None,
            octets: None,
            displaced: 0,
        }
    }
}
