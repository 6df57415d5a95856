//! Profiles alone: what a month of a population takes and costs.

use std::{net::Ipv4Addr, time::Instant};

use insight::{
    geo::{NetworkKind, NetworkKinds},
    profile::{Ended, Observation, Options, Profiles},
};

use super::{START_UNIX_S, say, timed};

const DAY_S: u64 = 86_400;
const DAYS: u64 = 30;
/// Users in one measured step: few enough for what they connect with to stay in the cache, as it does behind decoding.
const STEP: u64 = 4096;

/// What one user connects with this time.
struct Person {
    user: u64,
    /// What this connection has of its own.
    dice: u64,
    name: String,
    device: String,
}

impl Person {
    fn new(user: u64, day: u64) -> Person {
        let dice = (user ^ day << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let device = match dice % 6 {
            0 => format!("02-00-5e-{:02x}-{:04x}", user >> 16, user & 0xffff),
            _ => format!("LAPTOP-{user:06}"),
        };
        Person { user, dice, name: format!("user{user}@contoso.example"), device }
    }
}

/// Six days in seven a connection: mostly from home, some from a phone, with another device now and then. In an order
/// that jumps all over the users, as their connections do.
pub(super) fn measure(users: u64) -> anyhow::Result<()> {
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
        for at in (0..users).step_by(STEP as usize) {
            let turns = at..users.min(at + STEP);
            // A prime that is no divisor: every user once a day, but for those who stay away.
            let users = turns.map(|turn| turn.wrapping_mul(7_368_787) % users);
            let people: Vec<Person> =
                users.filter(|user| (user + day) % 7 != 0).map(|user| Person::new(user, day)).collect();
            let began = Instant::now();
            for Person { user, dice, name, device } in &people {
                let is_out = dice % 5 == 0;
                let home = if is_out { user / 1000 } else { *user };
                let second = begin + dice % DAY_S;
                profiles.learn(&Observation {
                    user: name,
                    start_unix_ns: second * 1_000_000_000,
                    is_connection: true,
                    country: Some(countries[(home % 5) as usize]),
                    place: Some(&places[(home.wrapping_mul(2_654_435_761) % 40_000) as usize]),
                    network: Some((home.wrapping_mul(40_503) % 60_000) as u32),
                    address: Some(
                        Ipv4Addr::from_bits((home.wrapping_mul(2_654_435_761) % (1 << 30)) as u32).into(),
                    ),
                    kinds: NetworkKinds::from_iter(is_out.then_some(NetworkKind::Mobile)),
                    device: Some(device),
                    software: Some(software[(user % 3) as usize]),
                    server: Some(&servers[(dice / 8 % 2 + user % 8 * 2) as usize]),
                });
            }
            learned.push(began.elapsed().as_nanos() as f64 / people.len() as f64);
            for Person { dice, name, .. } in &people {
                profiles.learn_end(&Ended {
                    user: name,
                    end_unix_ns: (begin + dice % DAY_S) * 1_000_000_000,
                    seconds: dice % 30_000,
                    octets: Some(dice << 10),
                });
            }
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
