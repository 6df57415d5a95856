//! The load generator against a real sensor on a real wire: everything that it sends is answered, verified, recorded.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;

use benches::{
    load::{Expect, Mix, Numbering, Pace, Plan, Report, Requests, run},
    peers::SHARED_SECRET,
    place::{By, Place, Target},
};
use end_to_end::{
    config::{PORT, Path},
    sensor::Home,
};

/// The tests bind threads to processors and are in each other's way.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A load for 0.4 s by one way against one path; the verdicts are compared with what was sent. In a closed loop, with
/// fewer datagrams under way than a veth holds (256): so nothing is lost however busy the machine is.
fn load(by: By, path: Path, mix: &str) -> Report {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mix: Mix = mix.parse().unwrap();
    let place = Place::new(mix.sources).unwrap();
    let home = Home::new(&path.config());
    let sensor = home.start(&place.wire.sensor);

    let pace = Pace::Closed { window: 32 };
    let numbering = Numbering { flows: 16, variants: 16 };
    let secret = SHARED_SECRET.as_bytes();
    let requests = Requests::build(&mix.contents, numbering.variants, secret, 1, Expect::Response).unwrap();
    let mut sender = place.sender(by, Target::Server(PORT), numbering.flows + 1).unwrap();
    // A machine that compiles on all cores beside this may take seconds over an answer.
    let plan = Plan { pace, duration_ns: 400_000_000, timeout_ns: 20_000_000_000, rest_ns: Some(100_000) };
    let report = run(&mut *sender, &requests, numbering, &mix, &plan, &mut || {}).unwrap();

    assert_eq!(report.fault(), None);
    assert_eq!((report.answered, report.lost), (report.sent, 0), "{:?}", sensor.metrics());
    assert!(report.sent > 32, "{report:?}");
    assert_eq!(report.repeats_answered, report.repeats);
    let metrics = sensor.settled();
    let label = path.label();
    assert_eq!(metrics.verdict_on(label, "accepted"), report.sent);
    assert_eq!(metrics.verdict_on(label, "duplicate"), report.repeats);
    assert_eq!(metrics.verdict_on(label, "bad_authenticator"), report.forged);
    assert_eq!(metrics.received_on(label), report.datagrams());
    assert_eq!(metrics.records(), report.sent);
    report
}

#[test]
fn requests_by_af_xdp_are_all_answered_and_recorded() {
    load(By::Xdp, Path::Xdp, "");
}

#[test]
fn requests_by_sockets_are_all_answered_and_recorded() {
    load(By::Udp, Path::Udp, "vendors=all");
}

#[test]
fn a_mix_of_everything_gets_what_each_kind_deserves() {
    let report = load(By::Xdp, Path::Udp, "vendors=all,sources=4,duplicates=10%,forgeries=20%");
    assert!(report.repeats > 0 && report.forged > 0, "{report:?}");
}
