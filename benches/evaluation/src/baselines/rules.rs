//! The rules that most products have.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use insight::geo::Country;
use jiff::Timestamp;

use super::{Scorer, Seen};
use crate::event::Event;

/// The speed of travel since the user's last Start in km/h, between the countries' centres, for that is how finely the
/// databases that ship know places. The rule fires above 900; as a score its whole curve is seen.
#[derive(Default)]
pub struct Speed {
    last: HashMap<String, (Timestamp, Country)>,
}

impl Scorer for Speed {
    fn name(&self) -> &'static str {
        "speed"
    }

    fn score(&mut self, seen: &Seen<'_>, start: &Event) -> f64 {
        let Some(country) = seen.find(start).country else { return 0.0 };
        let Some((time, from)) = self.last.insert(start.user.clone(), (start.time, country)) else {
            return 0.0;
        };
        let hours = start.time.duration_since(time).as_secs_f64().max(60.0) / 3600.0;
        distance_km(from, country) / hours
    }
}

/// 1 for a country that the user has not connected from, 0 for one that she has and for her first connection.
#[derive(Default)]
pub struct FirstCountry {
    seen: HashMap<String, HashSet<Country>>,
}

impl Scorer for FirstCountry {
    fn name(&self) -> &'static str {
        "first-country"
    }

    fn score(&mut self, seen: &Seen<'_>, start: &Event) -> f64 {
        let Some(country) = seen.find(start).country else { return 0.0 };
        is_new(self.seen.entry(start.user.clone()).or_default(), country)
    }
}

/// 1 for an address that the user has not connected from, 0 for one that she has and for her first connection.
#[derive(Default)]
pub struct NewAddress {
    seen: HashMap<String, HashSet<IpAddr>>,
}

impl Scorer for NewAddress {
    fn name(&self) -> &'static str {
        "new-address"
    }

    fn score(&mut self, _: &Seen<'_>, start: &Event) -> f64 {
        is_new(self.seen.entry(start.user.clone()).or_default(), start.address)
    }
}

fn is_new<T: std::hash::Hash + Eq>(seen: &mut HashSet<T>, value: T) -> f64 {
    let is_first = seen.is_empty();
    f64::from(u8::from(seen.insert(value) && !is_first))
}

/// Between the centres of two countries, along the earth's surface. 0 for codes that are no country.
pub(crate) fn distance_km(from: Country, to: Country) -> f64 {
    let (Some(from), Some(to)) = (from.extent(), to.extent()) else { return 0.0 };
    let radians = |(latitude, longitude, _): (f64, f64, u16)| (latitude.to_radians(), longitude.to_radians());
    let ((lat1, lon1), (lat2, lon2)) = (radians(from), radians(to));
    let half =
        ((lat2 - lat1) / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2.0).sin().powi(2);
    2.0 * 6371.0 * half.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Status, world::tests::world};

    /// A Start of one user: at this hour of the past, from this address.
    fn start(hour: i64, address: &str) -> Event {
        Event {
            time: Timestamp::from_second(hour * 3600).unwrap(),
            status: Status::Start,
            client: "asa".to_owned(),
            session: "1".to_owned(),
            user: "user001@contoso.example".to_owned(),
            address: address.parse().unwrap(),
            device: None,
            software: None,
            input_octets: None,
            output_octets: None,
            nas: None,
        }
    }

    const TELEKOM: &str = "80.128.0.1";
    const COMCAST: &str = "73.0.0.1";

    #[test]
    fn speed_is_distance_by_time_and_the_first_has_none() {
        let (seen, mut speed) = (Seen::new(world(), None), Speed::default());
        assert_eq!(speed.score(&seen, &start(0, TELEKOM)), 0.0);
        assert_eq!(speed.score(&seen, &start(1, TELEKOM)), 0.0);
        // About 8,000 km between the centres of Germany and the United States, in ten hours.
        let fast = speed.score(&seen, &start(11, COMCAST));
        assert!((700.0..900.0).contains(&fast), "{fast}");
    }

    #[test]
    fn distances_are_those_of_an_atlas() {
        let country = |code| Country::parse(code).unwrap();
        // The centres as the table has them; the result by an independent calculation.
        let km = distance_km(country("DE"), country("FR"));
        assert!((700.0..800.0).contains(&km), "{km}");
        assert_eq!(distance_km(country("DE"), country("DE")), 0.0);
    }

    #[test]
    fn what_is_new_counts_once_and_never_first() {
        let seen = Seen::new(world(), None);
        let mut by_country = FirstCountry::default();
        let mut by_address = NewAddress::default();
        let past = [TELEKOM, "80.128.0.2", COMCAST, TELEKOM];
        let scores: Vec<_> = past
            .iter()
            .map(|address| {
                let start = start(0, address);
                (by_country.score(&seen, &start), by_address.score(&seen, &start))
            })
            .collect();
        assert_eq!(scores, [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]);
    }
}
