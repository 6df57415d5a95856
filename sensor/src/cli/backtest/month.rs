//! What detections say of the demo's month, and of a stranger with alice's password behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use insight::vpn;
use journal::{CapturePath, Record};
use service::{
    ClientMeaning, Meaning,
    backtest::Backtest,
    event::{EventLine, received},
};
use traffic::{Attribute, Device, Session, Status, Vendor, month::Month, write};

use crate::{config::Config, places::Sources};

const DAY_S: u64 = 86_400;
/// 2026-11-25T08:00:00Z, a Wednesday.
const END_S: u64 = 1_795_593_600;

/// Ends on all days of the week, by day and by night.
fn ends() -> impl Iterator<Item = u64> {
    (0..7).map(|day| END_S + day * DAY_S + day * 4 * 3600)
}

/// How each VPN server knows alice.
fn alice(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Rras => "CONTOSO\\alice",
        Vendor::F5 => "alice@contoso.example",
        Vendor::CheckPoint | Vendor::Asa => "alice",
    }
}

/// Records as the demo's configuration has them, all of them at its end.
struct Recorded {
    arrival_unix_ns: u64,
    number: u64,
}

impl Recorded {
    fn until(end_s: u64) -> Recorded {
        Recorded { arrival_unix_ns: end_s * 1_000_000_000, number: 0 }
    }

    fn next(&mut self, vendor: Vendor, status: Status, attributes: &[Attribute]) -> Record {
        let mut buffer = [0; radius::MAX_LENGTH];
        let octets = write(&mut buffer, status, 0, &[0; 16], attributes, b"secret").unwrap();
        let source = SocketAddr::from(([192, 0, 2, 11 + vendor as u8], 1024));
        self.number += 1;
        self.arrival_unix_ns += 2_000_000;
        Record {
            sequence: self.number,
            arrival_unix_ns: self.arrival_unix_ns,
            source,
            destination: source,
            path: CapturePath::Udp,
            client: format!("{vendor:?}").into(),
            sensor: "demo".into(),
            octets: octets.to_vec(),
            redacted: false,
        }
    }
}

/// A server for rent in Singapore.
fn stranger(vendor: Vendor, seed: u64, end_s: u64) -> Vec<Attribute> {
    let stranger = Session {
        user: alice(vendor).to_owned(),
        calling_station_id: "128.199.64.23".to_owned(),
        device: Device::windows("DESKTOP-4F8K2".to_owned(), 99),
        ..Session::made_up(vendor, seed, 9999)
    };
    stranger.attributes(Status::Start, end_s as u32)
}

fn meaning(config: &Config) -> Meaning {
    let check_point = vpn::Client { vendor: Some(vpn::Vendor::CheckPoint), ..vpn::Client::default() };
    Meaning {
        accept_past_s: 35 * DAY_S,
        realms: vec![["contoso.example", "CONTOSO", ""].map(str::to_owned).to_vec()],
        clients: [("CheckPoint".to_owned(), ClientMeaning::of(&check_point))].into(),
        ..config.meaning()
    }
}

#[test]
fn nobody_raises_an_alert_but_who_has_stolen_an_account() {
    let config = Config::built_in();
    let places = Sources::of(&config).open().unwrap();
    let months = ends().zip(1..).map(|(end_s, number)| (number % 2 + 1, end_s));
    for ((seed, end_s), vendor) in months.zip(Vendor::ALL.into_iter().cycle()) {
        let mut backtest = Backtest::new(meaning(&config), &places).unwrap();
        let mut recorded = Recorded::until(end_s);
        let mut take = |vendor: Vendor, status: Status, attributes: &[Attribute]| {
            let record = recorded.next(vendor, status, attributes);
            backtest.take_record(record.sequence, &record).unwrap()
        };
        let month = Month::new(seed, end_s);
        for report in month.reports() {
            let attributes = month.attributes(report, end_s);
            let scored = take(report.vendor, report.status, &attributes);
            assert!(scored.as_ref().is_none_or(|scored| !scored.alert), "{seed} {end_s}: {scored:#?}");
        }
        let scored = take(vendor, Status::Start, &stranger(vendor, seed, end_s)).unwrap();
        assert!(scored.alert, "{seed} {end_s} {vendor:?}: {scored:#?}");
        for said in ["SG", "DigitalOcean", "device never seen"] {
            assert!(scored.reasons.iter().any(|reason| reason.contains(said)), "{said}: {scored:#?}");
        }
    }
}

#[test]
fn what_events_prints_of_a_journal_says_what_the_journal_says() {
    let config = Config::built_in();
    let places = Sources::of(&config).open().unwrap();
    let meaning = meaning(&config);
    let decoder = vpn::Decoder::new(meaning.decoding().unwrap());
    for (seed, (end_s, vendor)) in (1..).zip(ends().zip(Vendor::ALL)) {
        let mut of_records = Backtest::new(meaning.clone(), &places).unwrap();
        let mut of_lines = Backtest::new(meaning.clone(), &places).unwrap();
        let month = Month::new(seed, end_s);
        let mut reports: Vec<(Vendor, Status, Vec<Attribute>)> = month
            .reports()
            .iter()
            .map(|report| (report.vendor, report.status, month.attributes(report, end_s)))
            .collect();
        // Somebody's Start comes behind what followed it, and one comes twice.
        reports.swap(200, 201);
        reports.insert(300, reports[299].clone());
        reports.push((vendor, Status::Start, stranger(vendor, seed, end_s)));
        let mut recorded = Recorded::until(end_s);
        let mut starts = 0;
        for (vendor, status, attributes) in reports {
            let record = recorded.next(vendor, status, &attributes);
            let n = record.sequence;
            let received = received(&record);
            let event = decoder.decode(&received).unwrap();
            let line = serde_json::to_vec(&EventLine::new(n, &event, &places)).unwrap();
            let of_record = of_records.take_record(n, &record).unwrap();
            let of_line = of_lines.take_line(n, &line).unwrap();
            assert_eq!(of_line, of_record, "{}", String::from_utf8_lossy(&line));
            assert_eq!(of_lines.take_later(), of_records.take_later(), "{n}");
            starts += u64::from(of_record.is_some());
        }
        assert!(starts > 100, "{starts}");
    }
}
