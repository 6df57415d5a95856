//! What profiles say against a list of everything that was told them; bounds; clocks; snapshots.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod bounds;
mod clock;
mod forget;
mod oracle;
mod order;
mod snapshots;
mod unlearn;
mod usual;

use insight::{
    geo::{NetworkKind, NetworkKinds},
    profile::{Ended, Feature, Observation, Options, Profiles, Value},
};

/// A Monday: 2026-11-23, days since 1970.
const MONDAY: u32 = 20_780;
const DAY_S: u32 = 86_400;

fn ns(unix_s: u32) -> u64 {
    u64::from(unix_s) * 1_000_000_000
}

/// One connection of `user` at this hour of this day.
fn at<'a>(user: &'a str, day: u32, hour: u32) -> Observation<'a> {
    Observation {
        user,
        start_unix_ns: ns(day * DAY_S + hour * 3600),
        is_connection: true,
        country: Some("FR"),
        place: Some("Lyon, Rhone, FR"),
        network: Some(3215),
        address: Some(std::net::Ipv4Addr::new(203, 0, 113, 7).into()),
        kinds: NetworkKinds::from_iter([NetworkKind::FixedLine]),
        device: Some("LAPTOP-1"),
        software: Some("AnyConnect 5.1"),
        server: Some("paris"),
    }
}

/// As of the beginning of this day.
fn profiles(day: u32) -> Profiles {
    let mut profiles = Profiles::new(Options::default());
    profiles.advance(ns(day * DAY_S));
    profiles
}

/// Goes on to this day, a day at a time, and looks at everybody.
fn go_to(profiles: &mut Profiles, from: u32, to: u32) {
    for day in from..=to {
        profiles.advance(ns(day * DAY_S));
    }
    (0..4).for_each(|_| profiles.advance(ns(to * DAY_S)));
}

fn end(user: &str, day: u32, hour: u32, seconds: u64, octets: Option<u64>) -> Ended<'_> {
    Ended { user, end_unix_ns: ns(day * DAY_S + hour * 3600), seconds, octets }
}

/// Everything that can be asked of a user, to compare.
fn all(profiles: &Profiles, user: &str) -> String {
    let Some(profile) = profiles.get(user) else { return "nobody".to_owned() };
    let values: Vec<_> = Feature::ALL.iter().map(|feature| profile.values(*feature)).collect();
    format!(
        "{} {} {} {} {} {:?} {:?} {:?} {:?} {}",
        profile.user(),
        profile.first_unix_s(),
        profile.last_unix_s(),
        profile.connections(),
        profile.days(),
        values,
        profile.hours(),
        profile.lengths(),
        profile.volumes(),
        profile.displaced(),
    )
}

fn texts(profiles: &Profiles, user: &str, feature: Feature) -> Vec<String> {
    let Some(profile) = profiles.get(user) else { return Vec::new() };
    let text = |value| match value {
        Value::Text(text) => text.to_owned(),
        Value::Network(asn) => asn.to_string(),
        Value::Kinds(kinds) => kinds.to_string(),
        Value::Prefix(prefix) => prefix.to_string(),
    };
    profile.values(feature).into_iter().map(|usual| text(usual.value)).collect()
}
