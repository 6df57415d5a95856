//! Profiles alone: what a month of a population takes and costs.

use std::time::Instant;

use insight::{
    geo::{NetworkKind, NetworkKinds},
    profile::{Ended, Observation, Options, Profiles},
};

use super::{START_UNIX_S, say, timed};

const DAY_S: u64 = 86_400;
const DAYS: u64 = 30;
/// Connections in one measured step.
const STEP: u64 = 50_000;

/// What one user connects with, made before anything is measured.
struct Person {
    name: String,
    devices: [String; 2],
}

/// Six days in seven a connection: mostly from home, some from a phone, with another device now and then. In an order
/// that jumps all over the users, as their connections do.
pub(super) fn measure(users: u64) -> anyhow::Result<()> {
    let people: Vec<Person> = (0..users)
        .map(|user| Person {
            name: format!("user{user}@contoso.example"),
            devices: [
                format!("LAPTOP-{user:06}"),
                format!("02-00-5e-{:02x}-{:04x}", user >> 16, user & 0xffff),
            ],
        })
        .collect();
    let places: Vec<String> = (0..40_000).map(|at| format!("Town {at}, Region {}, FR", at / 40)).collect();
    let countries = ["FR", "DE", "US", "GB", "IN"];
    let software =
        ["Cisco AnyConnect VPN Agent for Windows 5.1.2.42", "FortiClient 7.2.4", "openconnect 9.12"];
    let servers: Vec<String> = (0..16).map(|at| format!("vpn-gateway-{at}")).collect();
    let mut profiles = Profiles::new(Options::default());
    let mut learned = Vec::new();
    for day in 0..DAYS {
        let begin = START_UNIX_S + day * DAY_S;
        profiles.advance(begin * 1_000_000_000);
        let mut at = 0;
        while at < users {
            let end = users.min(at + STEP);
            let mut count = 0;
            let began = Instant::now();
            for turn in at..end {
                // A prime that is no divisor: every user once a day.
                let user = turn.wrapping_mul(7_368_787) % users;
                if (user + day) % 7 == 0 {
                    continue;
                }
                let person = &people[user as usize];
                let dice = (user ^ day << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                let is_out = dice % 5 == 0;
                let home = if is_out { user / 1000 } else { user };
                let second = begin + dice % DAY_S;
                profiles.learn(&Observation {
                    user: &person.name,
                    start_unix_ns: second * 1_000_000_000,
                    is_connection: true,
                    country: Some(countries[(home % 5) as usize]),
                    place: Some(&places[(home.wrapping_mul(2_654_435_761) % 40_000) as usize]),
                    network: Some((home.wrapping_mul(40_503) % 60_000) as u32),
                    kinds: NetworkKinds::from_iter(is_out.then_some(NetworkKind::Mobile)),
                    device: Some(&person.devices[usize::from(dice % 6 == 0)]),
                    software: Some(software[(user % 3) as usize]),
                    server: Some(&servers[(dice / 8 % 2 + user % 8 * 2) as usize]),
                });
                count += 1;
            }
            learned.push(began.elapsed().as_nanos() as f64 / f64::from(count.max(1)));
            for turn in at..end {
                let user = turn.wrapping_mul(7_368_787) % users;
                let dice = (user ^ day << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                profiles.learn_end(&Ended {
                    user: &people[user as usize].name,
                    end_unix_ns: (begin + dice % DAY_S) * 1_000_000_000,
                    seconds: dice % 30_000,
                    octets: Some(dice << 10),
                });
            }
            at = end;
        }
    }
    let case = format!("{users} users, {DAYS} days");
    let steps = learned.len();
    say(&case, "learn", "ns", &learned[steps / 2..]);
    let octets_per_user = profiles.octets() as f64 / users as f64;
    say(&case, "profile_octets_per_user", "B", &[octets_per_user]);
    let (seconds, octets) = timed(|| Ok(profiles.save(Vec::new())))?;
    drop(profiles);
    say(&case, "profile_save_seconds", "s", &[seconds]);
    say(&case, "profile_snapshot", "B", &[octets.len() as f64]);
    let (seconds, loaded) = timed(|| Ok(Profiles::load(Options::default(), &octets)?))?;
    say(&case, "profile_load_seconds", "s", &[seconds]);
    anyhow::ensure!(loaded.len() as u64 == users, "users are missing");
    Ok(())
}
