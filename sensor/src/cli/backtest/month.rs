//! What detections say of the demo's month, and of a stranger with alice's password behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use insight::vpn;
use journal::{CapturePath, Record};
use service::{
    ClientMeaning, Meaning,
    backtest::{Backtest, Scored},
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

/// Taken as the demo's configuration has it, all of it at its end.
struct Told<'p> {
    backtest: Backtest<'p>,
    arrival_unix_ns: u64,
    number: u64,
}

impl Told<'_> {
    fn take(&mut self, vendor: Vendor, status: Status, attributes: &[Attribute]) -> Option<Scored> {
        let mut buffer = [0; radius::MAX_LENGTH];
        let octets = write(&mut buffer, status, 0, &[0; 16], attributes, b"secret").unwrap();
        let source = SocketAddr::from(([192, 0, 2, 11 + vendor as u8], 1024));
        self.number += 1;
        self.arrival_unix_ns += 2_000_000;
        let record = Record {
            sequence: self.number,
            arrival_unix_ns: self.arrival_unix_ns,
            source,
            destination: source,
            path: CapturePath::Udp,
            client: format!("{vendor:?}").into(),
            sensor: "demo".into(),
            octets: octets.to_vec(),
            redacted: false,
        };
        self.backtest.take_record(self.number, &record).unwrap()
    }
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
        let backtest = Backtest::new(meaning(&config), &places).unwrap();
        let mut told = Told { backtest, arrival_unix_ns: end_s * 1_000_000_000, number: 0 };
        let month = Month::new(seed, end_s);
        for report in month.reports() {
            let attributes = month.attributes(report, end_s);
            let scored = told.take(report.vendor, report.status, &attributes);
            assert!(scored.as_ref().is_none_or(|scored| !scored.alert), "{seed} {end_s}: {scored:#?}");
        }
        // A server for rent in Singapore.
        let stranger = Session {
            user: alice(vendor).to_owned(),
            calling_station_id: "128.199.64.23".to_owned(),
            device: Device::windows("DESKTOP-4F8K2".to_owned(), 99),
            ..Session::made_up(vendor, seed, 9999)
        };
        let attributes = stranger.attributes(Status::Start, end_s as u32);
        let scored = told.take(vendor, Status::Start, &attributes).unwrap();
        assert!(scored.alert, "{seed} {end_s} {vendor:?}: {scored:#?}");
        for said in ["SG", "DigitalOcean", "device never seen"] {
            assert!(scored.reasons.iter().any(|reason| reason.contains(said)), "{said}: {scored:#?}");
        }
    }
}
