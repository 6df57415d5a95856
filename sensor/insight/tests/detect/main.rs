//! Each detection at its threshold, bad days, an organisation with attackers among its people, snapshots, properties.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod bad_days;
mod many;
mod organisation;
mod properties;
mod rules;
mod score;
mod snapshots;
mod thresholds;
mod travel;
mod unlearned;

use std::net::IpAddr;

use insight::{
    detect::{Assessment, Connection, Detection, Detector, Ending, Spot, Thresholds, Told},
    geo::{NetworkKind, NetworkKinds},
    profile::{Ended, Options, Profiles},
};

/// A Monday: 2026-11-23, days since 1970.
const MONDAY: u64 = 20_780;
const DAY_S: u64 = 86_400;
const HOUR_S: u64 = 3_600;
const SECOND: u64 = 1_000_000_000;

/// A service as far as detections and profiles go.
struct Service {
    detector: Detector,
    profiles: Profiles,
    sessions: u64,
    now: u64,
}

impl Service {
    fn new() -> Service {
        Service::with(Thresholds::default())
    }

    fn with(thresholds: Thresholds) -> Service {
        Service {
            detector: Detector::new(thresholds),
            profiles: Profiles::new(Options::default()),
            sessions: 0,
            now: 0,
        }
    }

    /// The time goes on to this second, a day at a time.
    fn go_to(&mut self, unix_s: u64) {
        if self.now == 0 {
            self.now = unix_s;
        }
        while self.now / DAY_S < unix_s / DAY_S {
            self.now += DAY_S;
            self.profiles.advance(self.now * SECOND);
            self.detector.advance(self.now * SECOND);
        }
        self.now = unix_s;
        self.profiles.advance(unix_s * SECOND);
        self.detector.advance(unix_s * SECOND);
    }

    /// Assesses a connection at this second, as its own session, and learns it if it is no alert.
    fn opens(&mut self, unix_s: u64, connection: &Connection<'_>) -> Assessment {
        self.go_to(unix_s);
        self.sessions += 1;
        let connection = Connection { session: self.sessions, start_unix_ns: unix_s * SECOND, ..*connection };
        let assessment = self.detector.opened(&connection, &self.profiles);
        assert!(assessment.score.is_finite());
        if !assessment.is_alert {
            self.profiles.learn(&connection.observation());
        }
        assessment
    }

    /// The newest session gives a sign of life, of which so much was told before.
    fn goes_on(
        &mut self,
        unix_s: u64,
        connection: &Connection<'_>,
        seconds: u64,
        octets: u64,
        told: Told,
    ) -> Assessment {
        self.go_to(unix_s);
        let (session, user, end_unix_ns) = (self.sessions, connection.user, unix_s * SECOND);
        let so_far =
            Ending { session, user, end_unix_ns, seconds: Some(seconds), octets: Some(octets), told };
        self.detector.going_on(&so_far, &self.profiles)
    }

    /// The newest session ends.
    fn ends(&mut self, unix_s: u64, connection: &Connection<'_>, seconds: u64, octets: u64) -> Assessment {
        self.go_to(unix_s);
        let ending = Ending {
            session: self.sessions,
            user: connection.user,
            end_unix_ns: unix_s * SECOND,
            seconds: Some(seconds),
            octets: Some(octets),
            told: Told::default(),
        };
        let assessment = self.detector.ended(&ending, &self.profiles);
        self.profiles.learn_end(&Ended {
            user: connection.user,
            end_unix_ns: unix_s * SECOND,
            seconds,
            octets: Some(octets),
        });
        assessment
    }

    /// Forty working days at home before [`MONDAY`], from eight, eight hours.
    fn works(&mut self, people: &[&str]) {
        self.works_until(people, MONDAY);
    }

    fn works_until(&mut self, people: &[&str], until: u64) {
        for day in until - 56..until {
            if day % 7 == (MONDAY + 5) % 7 || day % 7 == (MONDAY + 6) % 7 {
                continue;
            }
            for user in people {
                let home = home(user);
                let assessment = self.opens(day * DAY_S + 8 * HOUR_S, &home);
                assert!(!assessment.is_alert, "{user}: {assessment}");
                self.ends(day * DAY_S + 16 * HOUR_S, &home, 8 * HOUR_S, 400_000_000);
            }
        }
    }
}

/// Another line and laptop for each.
fn home(user: &str) -> Connection<'_> {
    let at = user.bytes().fold(0u8, |at, byte| at.wrapping_mul(31).wrapping_add(byte));
    Connection {
        user,
        server: Some("berlin"),
        remote: Some(IpAddr::from([192, 0, at, 7])),
        spot: germany(),
        device: Some(LAPTOPS[usize::from(at) % LAPTOPS.len()]),
        software: Some("AnyConnect Windows 5.1.2"),
        ..Connection::default()
    }
}

const LAPTOPS: [&str; 7] = ["LT-1", "LT-2", "LT-3", "LT-4", "LT-5", "LT-6", "LT-7"];

fn germany() -> Spot<'static> {
    Spot {
        country: Some("DE"),
        place: Some("DE"),
        latitude: Some(51.1),
        longitude: Some(10.4),
        radius_km: Some(337),
        asn: Some(3320),
        organisation: Some("Deutsche Telekom"),
        kinds: kinds(&[]),
        database: Some("one"),
        ..Spot::default()
    }
}

fn brazil() -> Spot<'static> {
    Spot {
        country: Some("BR"),
        place: Some("BR"),
        latitude: Some(-10.8),
        longitude: Some(-53.1),
        radius_km: Some(1600),
        asn: Some(28_573),
        organisation: Some("Claro"),
        ..germany()
    }
}

/// Another provider in the country.
fn cable() -> Spot<'static> {
    Spot { asn: Some(31_334), organisation: Some("Vodafone Kabel"), ..germany() }
}

fn hosting() -> Spot<'static> {
    Spot {
        asn: Some(64_500),
        organisation: Some("Example Hosting"),
        kinds: kinds(&[NetworkKind::Hosting]),
        ..germany()
    }
}

fn kinds(kinds: &[NetworkKind]) -> NetworkKinds {
    kinds.iter().copied().collect()
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

fn has(assessment: &Assessment, detection: Detection) -> bool {
    assessment.reasons.iter().any(|reason| reason.detection == detection)
}

/// Nine in the morning of the Monday.
const NINE: u64 = MONDAY * DAY_S + 9 * HOUR_S;
