//! A client that we did not write, over XDP: 10,000 requests in the shapes of four vendors.

use end_to_end::config::{Config, SECRET};
use end_to_end::radclient::{Summary, four_vendors, run};
use end_to_end::sensor::Home;
use end_to_end::wire::SENSOR_V4;
use end_to_end::{Wire, journal};

#[test]
fn ten_thousand_requests_of_four_vendors_are_answered_from_the_ring() {
    const COUNT: usize = 10_000;
    let wire = Wire::new();
    // radclient sends again after 5 s on a machine that is busy: no retransmission may fall out of the window.
    let home = Home::new(&Config::xdp().lines("[dedup]\nwindow = \"300s\""));
    let sensor = home.start(&wire.sensor);
    let folder = tempfile::tempdir().unwrap();
    let summary = run(&wire.nas, folder.path(), SENSOR_V4.into(), &four_vendors(COUNT), SECRET);
    assert_eq!(summary, Summary { answered: COUNT, lost: 0 });

    let metrics = sensor.settled();
    assert_eq!(metrics.queues_in_mode("native copy"), 1);
    assert!(
        metrics.has("vpn_sensor_capture_refused", &[("mode", "native zero-copy")]),
        "why not a better mode"
    );
    assert!(!metrics.has("vpn_sensor_capture_refused", &[("interface", "lo")]), "nothing is expected there");
    assert_eq!(metrics.received_on("udp"), 0, "the kernel's socket was handed something");
    assert_eq!(metrics.verdict_on("xdp", "accepted"), COUNT as u64);
    assert_eq!(metrics.records(), COUNT as u64);
    let sessions = journal::sessions(&home, &wire.sensor);
    assert_eq!(sessions.len(), COUNT);
    assert!(sessions.values().all(|&count| count == 1));
}
