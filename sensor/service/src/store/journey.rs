//! The two places of an alert that is about travel: where the user was, and where she cannot have come to so fast.

use insight::detect::Detection;
use serde::Serialize;
use utoipa::ToSchema;

use super::{SessionFilter, SessionRow, SpotRow, StoreError, StoreReader};
use crate::alert::{Alert, Connection, Reason};

/// Detections that measure between two places.
const OF_TRAVEL: [Detection; 3] =
    [Detection::ImpossibleTravel, Detection::SimultaneousSessions, Detection::AddressChange];
/// Connections that are looked through for where the user was, the newest before.
const EARLIER_MAX: usize = 100;
const SECOND_NS: i64 = 1_000_000_000;
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
}

impl JourneyRow {
    /// Between two places, with so many seconds from the one to the other.
    pub fn new(from: SpotRow, to: SpotRow, seconds: u64) -> JourneyRow {
        let km = angle((from.longitude, from.latitude), (to.longitude, to.latitude)).to_degrees() * DEGREE_KM;
        let km_least = (km - (from.radius_km + to.radius_km) as f64).max(0.0);
        let kmh_least = (seconds > 0).then(|| km_least / (seconds as f64 / 3600.0));
        JourneyRow { from, to, seconds, km, km_least, kmh_least }
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
            let Some(earlier) = reason.expected.first() else { continue };
            let Some(connection) = seen_by(alert, reason) else { continue };
            let Some(user) = alert.user_of(connection) else { continue };
            let Some(mut to) = spot(connection) else { continue };
            let number = i64::try_from(connection.session).unwrap_or(i64::MAX);
            let now = self.session(number)?.and_then(|session| spot_of(&session));
            // An alert says where it was, its session how well that is known, unless it has moved since.
            if let Some(now) = now.filter(|now| (now.latitude, now.longitude) == (to.latitude, to.longitude))
            {
                to = now;
            }
            if let Some(from) = self.whereabouts(user, connection, i64::from(earlier.last_unix_s), &to)? {
                let start_s = connection.start_unix_ns / SECOND_NS as u64;
                let is_at_once = reason.detection == Detection::SimultaneousSessions.name();
                let seconds = if is_at_once { 0 } else { start_s.saturating_sub(earlier.last_unix_s.into()) };
                return Ok(Some(JourneyRow::new(from, to, seconds)));
            }
        }
        Ok(None)
    }

    /// Where a user's other connection was then, seconds since 1970 UTC.
    fn whereabouts(
        &self,
        user: &str,
        connection: &Connection,
        unix_s: i64,
        to: &SpotRow,
    ) -> Result<Option<SpotRow>, StoreError> {
        let until = unix_s.saturating_add(1).saturating_mul(SECOND_NS);
        let filter = SessionFilter {
            user: Some(user.to_owned()),
            until_unix_ns: Some(until),
            ..SessionFilter::default()
        };
        let earlier = self.sessions(&filter, EARLIER_MAX)?.into_iter().filter(|session| {
            let lived_until_s =
                session.start_unix_ns / SECOND_NS + i64::try_from(session.seconds).unwrap_or(i64::MAX / 2);
            u64::try_from(session.number) != Ok(connection.session) && lived_until_s + 1 >= unix_s
        });
        Ok(earlier
            .filter_map(|session| spot_of(&session))
            .find(|spot| (spot.latitude, spot.longitude) != (to.latitude, to.longitude)))
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
}
