//! The two places of an alert that is about travel: where the user was, and where she cannot have come to so fast.

use insight::detect::Detection;
use serde::Serialize;
use utoipa::ToSchema;

use super::{SessionFilter, SessionRow, SpotRow, StoreError, StoreReader, row::rfc3339};
use crate::alert::{Alert, Connection, Expected, Reason, Way, WayEnd};

/// Detections that measure between two places.
const OF_TRAVEL: [Detection; 3] =
    [Detection::ImpossibleTravel, Detection::SimultaneousSessions, Detection::AddressChange];
/// Connections that are looked through for where the user was, the newest before.
const EARLIER_MAX: usize = 100;
const SECOND_NS: i64 = 1_000_000_000;
/// How far apart two points of one place may seem, degrees.
const NEAR_DEGREES: f64 = 0.02;
/// Kilometres of a degree on the ground.
const DEGREE_KM: f64 = 111.2;

/// From one place to another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JourneyRow {
    /// Where the user was.
    pub from: SpotRow,
    /// And then.
    pub to: SpotRow,
    /// So long after the last sign of life there, seconds; 0: at once.
    pub seconds: u64,
    /// Between the two points, over the ground.
    pub km: f64,
    /// The least that it can have been: each place may be off by its radius.
    pub km_least: f64,
    /// For the least of the way, kilometres an hour; absent where both were at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kmh_least: Option<f64>,
    /// The last sign of life at the first place, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// The first at the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived: Option<String>,
}

impl JourneyRow {
    /// Between two places, with so many seconds from the one to the other.
    pub fn new(from: SpotRow, to: SpotRow, seconds: u64) -> JourneyRow {
        let km = angle((from.longitude, from.latitude), (to.longitude, to.latitude)).to_degrees() * DEGREE_KM;
        let km_least = (km - (from.radius_km + to.radius_km) as f64).max(0.0);
        let kmh_least = (seconds > 0).then(|| km_least / (seconds as f64 / 3600.0));
        JourneyRow { from, to, seconds, km, km_least, kmh_least, left: None, arrived: None }
    }
}

/// The angle between two points, degrees east and north, at the middle of the earth, radians: by the haversine, which is
/// good for near ones, too.
pub(crate) fn angle((east_a, north_a): (f64, f64), (east_b, north_b): (f64, f64)) -> f64 {
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let cosines = north_a.to_radians().cos() * north_b.to_radians().cos();
    let chord = half(north_b - north_a) + cosines * half(east_b - east_a);
    2.0 * chord.sqrt().min(1.0).asin()
}

impl StoreReader {
    /// The journey that an alert is about; `None` where it is about none, or the earlier connection is not known any more.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn journey(&self, alert: &Alert) -> Result<Option<JourneyRow>, StoreError> {
        let is_of_travel =
            |reason: &&Reason| OF_TRAVEL.iter().any(|travel| travel.name() == reason.detection);
        for reason in alert.reasons.iter().filter(is_of_travel) {
            let journey = match &reason.way {
                Some(way) => Some(self.journey_of(alert, reason, way)?),
                None => self.journey_by_sessions(alert, reason)?,
            };
            if journey.is_some() {
                return Ok(journey);
            }
        }
        Ok(None)
    }

    /// As it was measured.
    fn journey_of(&self, alert: &Alert, reason: &Reason, way: &Way) -> Result<JourneyRow, StoreError> {
        let (mut from, to) = (spot_at(&way.from), spot_at(&way.to));
        // What is kept of an earlier session has no name: another of the user's from there may have one.
        let user = seen_by(alert, reason).and_then(|connection| alert.user_of(connection));
        if let Some(user) = user.or(alert.user.as_deref()) {
            let earlier = self.sessions_before(user, i64::from(way.from.unix_s))?;
            let mut known = earlier.into_iter().filter_map(|session| spot_of(&session));
            if let Some(spot) = known.find(|spot| is_near(spot, &from)) {
                from.name = spot.name;
            }
        }
        let moment = |unix_s: u32| Some(rfc3339(i64::from(unix_s).saturating_mul(SECOND_NS)));
        let seconds = if is_at_once(reason) { 0 } else { way.to.unix_s.saturating_sub(way.from.unix_s) };
        Ok(JourneyRow {
            left: moment(way.from.unix_s),
            arrived: moment(way.to.unix_s),
            ..JourneyRow::new(from, to, seconds.into())
        })
    }

    /// Of an alert of a release that did not keep what was measured: from the session that it names. Of an address change
    /// there is none, since the session is where it went to now.
    fn journey_by_sessions(&self, alert: &Alert, reason: &Reason) -> Result<Option<JourneyRow>, StoreError> {
        if reason.detection == Detection::AddressChange.name() {
            return Ok(None);
        }
        let Some(earlier) = reason.expected.first() else { return Ok(None) };
        let Some(connection) = seen_by(alert, reason) else { return Ok(None) };
        let Some(user) = alert.user_of(connection) else { return Ok(None) };
        let Some(mut to) = spot(connection) else { return Ok(None) };
        let number = i64::try_from(connection.session).unwrap_or(i64::MAX);
        let now = self.session(number)?.and_then(|session| spot_of(&session));
        // An alert says where it was, its session how well that is known, unless it has moved since.
        if let Some(now) = now.filter(|now| (now.latitude, now.longitude) == (to.latitude, to.longitude)) {
            to = now;
        }
        let Some(from) = self.whereabouts(user, connection, earlier)? else { return Ok(None) };
        let start_s = connection.start_unix_ns / SECOND_NS as u64;
        let seconds = if is_at_once(reason) { 0 } else { start_s.saturating_sub(earlier.last_unix_s.into()) };
        Ok(Some(JourneyRow::new(from, to, seconds)))
    }

    /// Where the session was that a reason expected.
    fn whereabouts(
        &self,
        user: &str,
        connection: &Connection,
        expected: &Expected,
    ) -> Result<Option<SpotRow>, StoreError> {
        let unix_s = i64::from(expected.last_unix_s);
        let earlier = self.sessions_before(user, unix_s)?.into_iter().filter(|session| {
            let lived_until_s =
                session.start_unix_ns / SECOND_NS + i64::try_from(session.seconds).unwrap_or(i64::MAX / 2);
            u64::try_from(session.number) != Ok(connection.session)
                && lived_until_s + 1 >= unix_s
                && as_expected(session) == expected.value
        });
        Ok(earlier.filter_map(|session| spot_of(&session)).next())
    }

    /// The newest connections of a user that had begun then, seconds since 1970 UTC.
    fn sessions_before(&self, user: &str, unix_s: i64) -> Result<Vec<SessionRow>, StoreError> {
        let filter = SessionFilter {
            user: Some(user.to_owned()),
            until_unix_ns: Some(unix_s.saturating_add(1).saturating_mul(SECOND_NS)),
            ..SessionFilter::default()
        };
        self.sessions(&filter, EARLIER_MAX)
    }
}

/// Whether somebody was at both places at the same time.
fn is_at_once(reason: &Reason) -> bool {
    reason.detection == Detection::SimultaneousSessions.name()
}

/// Whether both may be one place: detections keep places to within some hundred metres, and say them to a hundredth of a
/// degree.
fn is_near(one: &SpotRow, other: &SpotRow) -> bool {
    let is_near = |one: f64, other: f64| (one - other).abs() < NEAR_DEGREES;
    is_near(one.latitude, other.latitude) && is_near(one.longitude, other.longitude)
}

/// What detections keep of where a session is: `FR (AS3215)`.
fn as_expected(session: &SessionRow) -> String {
    let place = session.place.as_ref();
    let (country, asn) =
        (place.and_then(|place| place.country.as_deref()), place.and_then(|place| place.asn));
    match (country, asn) {
        (Some(country), Some(asn)) => format!("{country} (AS{asn})"),
        (Some(country), None) => country.to_owned(),
        (None, Some(asn)) => format!("AS{asn}"),
        (None, None) => "an unknown place".to_owned(),
    }
}

/// The connection that a reason is about: the newest at the place that it names, or the newest that has a position.
fn seen_by<'a>(alert: &'a Alert, reason: &Reason) -> Option<&'a Connection> {
    let mut placed = alert.connections.iter().filter(|connection| connection.latitude.is_some());
    let is_named = |connection: &&Connection| {
        connection.place.as_ref().is_some_and(|place| reason.seen.contains(place.as_str()))
    };
    placed.clone().find(is_named).or_else(|| placed.next())
}

fn spot_at(end: &WayEnd) -> SpotRow {
    SpotRow {
        name: end.place.clone(),
        country: end.country.clone(),
        latitude: end.latitude,
        longitude: end.longitude,
        radius_km: end.radius_km.into(),
        connections: 1,
        last_start: None,
    }
}

fn spot(connection: &Connection) -> Option<SpotRow> {
    Some(SpotRow {
        name: connection.place.clone().unwrap_or_default(),
        country: connection.country.clone(),
        latitude: connection.latitude?,
        longitude: connection.longitude?,
        radius_km: 0,
        connections: 1,
        last_start: None,
    })
}

fn spot_of(session: &SessionRow) -> Option<SpotRow> {
    let place = session.place.as_ref()?;
    Some(SpotRow {
        name: place.name.clone(),
        country: place.country.clone(),
        latitude: place.latitude?,
        longitude: place.longitude?,
        radius_km: place.radius_km.unwrap_or(0),
        connections: 1,
        last_start: Some(session.start.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, longitude: f64, latitude: f64) -> SpotRow {
        SpotRow {
            name: name.to_owned(),
            country: None,
            latitude,
            longitude,
            radius_km: 50,
            connections: 1,
            last_start: None,
        }
    }

    #[test]
    fn distance_and_speed_are_those_of_the_ground() {
        let (paris, new_york) = (place("Paris", 2.35, 48.86), place("New York", -74.01, 40.71));
        let journey = JourneyRow::new(paris.clone(), new_york.clone(), 3600);
        assert!((journey.km - 5837.0).abs() < 30.0, "{}", journey.km);
        assert!((journey.kmh_least.unwrap() - 5737.0).abs() < 30.0);
        assert_eq!(JourneyRow::new(paris.clone(), new_york, 0).kmh_least, None);
        let near = JourneyRow::new(paris, place("Versailles", 2.13, 48.8), 60);
        assert_eq!(near.km_least, 0.0, "both may be one place");
    }

    /// About `detection`, which expected the user in Germany until second 10,000; found out in a session that is in France.
    fn alert_of_before(detection: &str) -> Alert {
        serde_json::from_value(serde_json::json!({
            "number": 1, "revision": 1, "detection": "", "title": "", "severity": "high", "score": 9.0, "message": "",
            "advice": [], "user": "alice", "first_unix_ns": 0, "last_unix_ns": 0, "changed_unix_ns": 0,
            "reasons": [{
                "detection": detection, "seen": "Paris, FR (AS3215)", "weight": 5.0, "text": "", "techniques": [],
                "expected": [{"value": "DE (AS3320)", "connections": 0, "last_unix_s": 10_000}],
            }],
            "connections": [{
                "session": 3, "session_id": "s3", "start_unix_ns": 11_000_000_000_000_u64, "score": 9.0,
                "place": "Paris, FR", "country": "FR", "latitude": 48.9, "longitude": 2.4, "kinds": [],
            }],
            "connection_count": 1, "state": {"state": "open"}, "comments": [],
        }))
        .unwrap()
    }

    #[test]
    fn without_what_was_measured_the_way_begins_where_the_reason_expected_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = super::super::Store::open(&path).unwrap();
        store
            .connection
            .execute_batch(
                "INSERT INTO server (number, client) VALUES (1, 'vpn');
                 INSERT INTO place (id, whereabouts, name, country, latitude, longitude, radius_km, asn, kinds, anycast)
                 VALUES (1, 'place', 'Berlin', 'DE', 52.5, 13.4, 10, 3320, '', 0),
                     (2, 'place', 'Madrid', 'ES', 40.4, -3.7, 10, 3352, '', 0), (3, 'place', 'Paris', 'FR', 48.9, 2.4, 5, 3215, '', 0);
                 INSERT INTO session (number, server, session_id, start, start_source, last_seen, user, assigned, place) VALUES
                     (1, 1, 's1', 5000000000000, 'start', 10000000000000, 'alice', '', 1),
                     (2, 1, 's2', 6000000000000, 'start', 12000000000000, 'alice', '', 2),
                     (3, 1, 's3', 11000000000000, 'start', 11000000000000, 'alice', '', 3);",
            )
            .unwrap();
        let reader = StoreReader::open(&path).unwrap();
        let journey = reader.journey(&alert_of_before("impossible-travel")).unwrap().unwrap();
        assert_eq!((&*journey.from.name, &*journey.to.name, journey.seconds), ("Berlin", "Paris", 1000));
        let moved = reader.journey(&alert_of_before("address-change")).unwrap();
        assert_eq!(moved, None, "where the session was nobody kept");
    }
}
