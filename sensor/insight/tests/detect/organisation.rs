//! A made-up organisation with what makes people look like attackers, and attackers who try to look like people: how many
//! attacks score above what one alert for a thousand users a day allows. No attack and no person is drawn from what the
//! model assumes.

use std::collections::HashMap;

use insight::{
    detect::{Connection, Detector, Spot, Thresholds},
    geo::{NetworkKind, NetworkKinds},
    profile::{Ended, Options, Profiles},
};
use std::net::{IpAddr, Ipv4Addr};

const DAY_S: u64 = 86_400;
const FIRST_DAY: u64 = 20_700;

/// Numbers that look like chance: the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn chance(&mut self, part: f64) -> bool {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 * 1.0 < part
    }

    /// The first far more often than the last.
    fn skewed(&mut self, end: u64) -> u64 {
        let one = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((one * one * one) * end as f64) as u64
    }
}

#[derive(Debug, Clone)]
struct From {
    country: u64,
    asn: u32,
    address: u32,
    kinds: NetworkKinds,
}

struct Person {
    name: String,
    country: u64,
    often: f64,
    line: From,
    /// Days between other prefixes; 0: never.
    changes: u64,
    region: u64,
    laptop: String,
    phone: Option<String>,
    hour: u64,
    away: Option<(u64, u64, From)>,
}

fn isp(country: u64, at: u64) -> u32 {
    (10_000 + country * 100 + at) as u32
}

fn line(dice: &mut Dice, country: u64, asn: u32, region: u64) -> u32 {
    let pool = u64::from(asn) * 8 + region;
    let base = (pool.wrapping_mul(2_654_435_761) % 200) << 24 | (pool % 97) << 17;
    let _ = country;
    (base + dice.below(400) * 256 + dice.below(250)) as u32
}

fn from_isp(dice: &mut Dice, country: u64, at: u64, region: u64) -> From {
    let asn = isp(country, at);
    From { country, asn, address: line(dice, country, asn, region), kinds: NetworkKinds::default() }
}

fn hosted(dice: &mut Dice, country: u64) -> From {
    let asn = isp(country, 50 + dice.below(20));
    let is_listed = dice.chance(0.7);
    let kinds = NetworkKinds::from_iter(is_listed.then_some(NetworkKind::Hosting));
    From { country, asn, address: line(dice, country, asn, 0), kinds }
}

fn country_code(country: u64) -> String {
    let letter = |at: u64| char::from(b'A' + (at % 26) as u8);
    format!("{}{}", letter(country / 26), letter(country))
}

struct World {
    dice: Dice,
    people: Vec<Person>,
    profiles: Profiles,
    detector: Detector,
    session: u64,
    has_devices: bool,
}

impl World {
    fn new(seed: u64, users: usize, has_devices: bool) -> World {
        let mut dice = Dice(seed);
        let people = (0..users).map(|at| person(&mut dice, at)).collect();
        World {
            dice,
            people,
            profiles: Profiles::new(Options::default()),
            detector: Detector::new(Thresholds::default()),
            session: 0,
            has_devices,
        }
    }

    /// Assesses and, if it is no alert, learns.
    fn connect(
        &mut self,
        user: &str,
        unix_s: u64,
        from: &From,
        device: &str,
        software: &str,
        server: &str,
    ) -> (f64, bool) {
        self.session += 1;
        let country = country_code(from.country);
        let connection = Connection {
            session: self.session,
            user,
            start_unix_ns: unix_s * 1_000_000_000,
            server: Some(server),
            remote: Some(IpAddr::V4(Ipv4Addr::from_bits(from.address))),
            spot: Spot {
                country: Some(&country),
                place: Some(&country),
                latitude: Some((from.country * 37 % 120) as f64 - 50.0),
                longitude: Some((from.country * 91 % 340) as f64 - 170.0),
                radius_km: Some(300),
                asn: Some(from.asn),
                kinds: from.kinds,
                database: Some("one"),
                ..Spot::default()
            },
            device: self.has_devices.then_some(device),
            software: Some(software),
            ..Connection::default()
        };
        let assessment = self.detector.opened(&connection, &self.profiles);
        if !assessment.is_alert {
            self.profiles.learn(&connection.observation());
            let seconds = 3600 + self.dice.below(20_000);
            let end_unix_ns = (unix_s + seconds) * 1_000_000_000;
            self.profiles.learn_end(&Ended { user, end_unix_ns, seconds, octets: Some(seconds * 20_000) });
        }
        let ending = insight::detect::Ending {
            session: self.session,
            user,
            end_unix_ns: (unix_s + 1800) * 1_000_000_000,
            seconds: None,
            octets: None,
            told: insight::detect::Told::default(),
        };
        self.detector.ended(&ending, &self.profiles);
        if std::env::var_os("WHY").is_some() && assessment.score > 3.5 {
            let text = assessment.to_string().replace('\n', " | ");
            println!(
                "WHY {} {:.1} {} {device} {text}",
                unix_s / DAY_S - FIRST_DAY,
                assessment.score,
                assessment.is_alert
            );
        }
        (assessment.score, assessment.is_alert)
    }

    fn software(&mut self, day: u64) -> String {
        let version = day / 25;
        // An update takes ten days to be everywhere.
        let is_late = self.dice.chance(1.0 - (day % 25) as f64 / 10.0);
        format!("AnyConnect Windows 5.{}", version - u64::from(is_late))
    }
}

fn person(dice: &mut Dice, at: usize) -> Person {
    let country = if dice.chance(0.85) { 0 } else { 1 + dice.skewed(5) };
    let region = dice.below(8);
    let often = match dice.below(20) {
        0..12 => 0.75,
        12..17 => 0.35,
        17..19 => 0.12,
        _ => 0.03,
    };
    let at_isp = dice.skewed(12);
    let line = from_isp(dice, country, at_isp, region);
    let changes = [0, 0, 7, 1][dice.below(4) as usize];
    let phone = dice.chance(0.2).then(|| format!("PHONE-{}", dice.below(1 << 40)));
    Person {
        name: format!("user{at}"),
        country,
        often,
        line,
        changes,
        region,
        laptop: format!("LT-{at}"),
        phone,
        hour: 6 + dice.below(4),
        away: None,
    }
}

#[derive(Debug, Default)]
struct Found {
    people: Vec<f64>,
    user_days: f64,
    alerts: HashMap<(usize, u64), ()>,
    attacks: HashMap<&'static str, Vec<(f64, bool)>>,
}

fn a_day(world: &mut World, day: u64, found: &mut Found, is_measured: bool) {
    for at in 0..world.people.len() {
        let mut highest: Option<f64> = None;
        let mut is_alert = false;
        let dice = &mut world.dice;
        let person = &mut world.people[at];
        let (country, region) = (person.country, person.region);
        if dice.chance(1.0 / 700.0) {
            let other = dice.below(12);
            person.line = from_isp(dice, country, other, region);
        }
        if dice.chance(1.0 / 1000.0) {
            person.laptop = format!("LT-{}", 100_000 + dice.below(1 << 40));
        }
        if dice.chance(1.0 / 800.0) {
            let phone = format!("PHONE-{}", dice.below(1 << 40));
            if person.phone.is_some() {
                person.phone = Some(phone);
            }
        }
        if person.changes > 0 && dice.below(person.changes) == 0 {
            person.line.address = line(dice, country, person.line.asn, region);
        }
        if person.away.as_ref().is_some_and(|(_, end, _)| *end <= day) {
            person.away = None;
        }
        if person.away.is_none() && dice.chance(1.0 / 240.0) {
            let there = if dice.chance(0.6) { 1 + dice.skewed(60) } else { country };
            let at = dice.below(15);
            let from = from_isp(dice, there, at, 3);
            person.away = Some((day, day + 5 + dice.below(10), from));
        }
        let is_away = person.away.is_some();
        let is_weekend = day % 7 >= 5;
        let often = person.often * if is_weekend { 0.1 } else { 1.0 } * if is_away { 0.4 } else { 1.0 };
        if !dice.chance(often) {
            continue;
        }
        for _ in 0..1 + dice.below(3) {
            let dice = &mut world.dice;
            let person = &world.people[at];
            let mut from = match &person.away {
                Some((_, _, from)) => from.clone(),
                None => person.line.clone(),
            };
            if dice.chance(0.05) {
                let asn = 40 + dice.below(3);
                from = from_isp(dice, from.country, asn, 1);
            } else if dice.chance(0.01) {
                let asn = 20 + dice.below(15);
                from = from_isp(dice, from.country, asn, 2);
            }
            let is_phone = person.phone.is_some() && dice.chance(0.25);
            let device = person.phone.clone().filter(|_| is_phone).unwrap_or(person.laptop.clone());
            let server = format!("vpn{}", (at % 3) as u64 + u64::from(dice.chance(0.05)));
            let unix_s = day * DAY_S + (person.hour + dice.below(8)) * 3600 + dice.below(3600);
            let name = person.name.clone();
            let software = if is_phone { "AnyConnect Android 5.0".to_owned() } else { world.software(day) };
            let (score, alert) = world.connect(&name, unix_s, &from, &device, &software, &server);
            highest = Some(highest.map_or(score, |highest| highest.max(score)));
            is_alert |= alert;
        }
        if is_measured {
            found.people.extend(highest);
            if is_alert {
                found.alerts.insert((at, day), ());
            }
        }
    }
    if is_measured {
        found.user_days += world.people.len() as f64;
        for at in 0..12 {
            attack(world, day, found, ["naive", "vpn", "targeted", "very targeted"][at % 4]);
        }
    }
}

fn attack(world: &mut World, day: u64, found: &mut Found, how: &'static str) {
    let dice = &mut world.dice;
    let at = dice.below(world.people.len() as u64) as usize;
    let person = &world.people[at];
    let is_hosted = dice.chance(match how {
        "naive" => 0.3,
        "vpn" => 0.6,
        _ => 0.0,
    });
    let isp = u64::from(person.line.asn % 100);
    let from = match how {
        "naive" => {
            let country = dice.below(120);
            let at = dice.below(30);
            if is_hosted { hosted(dice, country) } else { from_isp(dice, country, at, 5) }
        }
        "vpn" => {
            let at = dice.below(40);
            if is_hosted { hosted(dice, person.country) } else { from_isp(dice, person.country, at, 5) }
        }
        _ => from_isp(dice, person.country, isp, person.region),
    };
    let device = match how {
        "very targeted" if dice.chance(0.5) => person.laptop.clone(),
        _ => format!("DESKTOP-{}", dice.below(1 << 40)),
    };
    let unix_s = day * DAY_S + dice.below(DAY_S);
    let name = person.name.clone();
    let software = world.software(day);
    let result = world.connect(&name, unix_s, &from, &device, &software, "vpn1");
    found.attacks.entry(how).or_default().push(result);
}

fn run(seed: u64, users: usize, has_devices: bool) -> Found {
    let mut world = World::new(seed, users, has_devices);
    let mut found = Found::default();
    for day in 0..75 {
        let day = FIRST_DAY + day;
        world.profiles.advance(day * DAY_S * 1_000_000_000);
        world.detector.advance(day * DAY_S * 1_000_000_000);
        a_day(&mut world, day, &mut found, day >= FIRST_DAY + 42);
    }
    found
}

/// The part of attacks above what this many alerts for a thousand users a day leave.
fn recall(found: &mut Found, how: &str, alerts: f64) -> f64 {
    found.people.sort_unstable_by(|one, other| other.total_cmp(one));
    let at = (found.user_days / 1000.0 * alerts) as usize;
    let threshold = found.people[at.min(found.people.len() - 1)];
    let attacks = &found.attacks[how];
    attacks.iter().filter(|(score, _)| *score > threshold).count() as f64 / attacks.len() as f64
}

fn area(found: &Found) -> f64 {
    let mut all: Vec<(f64, bool)> = found.people.iter().map(|score| (*score, false)).collect();
    all.extend(found.attacks.values().flatten().map(|(score, _)| (*score, true)));
    all.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let (mut below, mut sum, mut attacks) = (0.0, 0.0, 0.0);
    for (_, is_attack) in all {
        if is_attack {
            sum += below;
            attacks += 1.0;
        } else {
            below += 1.0;
        }
    }
    sum / (below * attacks)
}

fn report(found: &mut Found) -> String {
    let mut text = format!("AUC {:.3}", area(found));
    for how in ["naive", "vpn", "targeted", "very targeted"] {
        let recalls: Vec<String> =
            [0.1, 1.0, 10.0].iter().map(|alerts| format!("{:.2}", recall(found, how, *alerts))).collect();
        let alerted =
            found.attacks[how].iter().filter(|(_, is)| *is).count() as f64 / found.attacks[how].len() as f64;
        text += &format!("; {how} {} alerted {alerted:.2}", recalls.join("/"));
    }
    let at = (found.user_days / 1000.0) as usize;
    text += &format!(
        "; threshold {:.1}, alerts {:.2}",
        found.people[at],
        found.alerts.len() as f64 / found.user_days * 1000.0
    );
    text
}

#[test]
fn attacks_stand_out() {
    let mut found = run(1, 800, true);
    let report = report(&mut found);
    assert!(area(&found) > 0.97, "{report}");
    // At one alert for a thousand users a day.
    for (how, least) in [("naive", 0.95), ("vpn", 0.85), ("targeted", 0.6)] {
        assert!(recall(&mut found, how, 1.0) >= least, "{report}");
    }
    let alerts = found.alerts.len() as f64 / found.user_days * 1000.0;
    assert!(alerts < 1.0, "{report}");
    println!("{report}");
}

#[test]
fn without_devices_those_from_afar_stand_out() {
    let mut found = run(2, 800, false);
    let report = report(&mut found);
    assert!(area(&found) > 0.92 && recall(&mut found, "naive", 1.0) > 0.7, "{report}");
    println!("without devices: {report}");
}
