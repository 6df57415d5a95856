//! The sensor's page, from what the sensor hands in.

use service::observed::{Amount, Counts, QueueNow, RefusedMode, SensorNow, StageNow, WorkerNow};

use crate::{check, host::Host};

pub(crate) fn look(unix_s: u64, received: u64) -> SensorNow {
    let mut counts = Counts::default();
    counts.add(150_000, received);
    SensorNow {
        name: "edge".to_owned(),
        version: "0.1.0".to_owned(),
        kernel: "Linux 6.12.9-amd64".to_owned(),
        unix_s,
        started_unix_s: 1_790_000_000,
        workers: vec![WorkerNow {
            name: "eth0-0".to_owned(),
            path: "xdp".to_owned(),
            received,
            verdicts: vec![Amount { name: "accepted".to_owned(), count: received }],
            ..WorkerNow::default()
        }],
        queues: vec![QueueNow {
            interface: "eth0".to_owned(),
            queue: "0".to_owned(),
            mode: "skb-copy".to_owned(),
            frames: vec![Amount { name: "free".to_owned(), count: 17 }],
            drops: vec![Amount { name: "rx_ring_full".to_owned(), count: 3 }],
        }],
        refused_modes: vec![RefusedMode {
            interface: "eth0".to_owned(),
            mode: "native-zerocopy".to_owned(),
            reason: "the driver <b>veth</b> has none".to_owned(),
        }],
        stages: vec![StageNow {
            stage: "total".to_owned(),
            count: received,
            p99_s: 150e-6,
            counts,
            ..StageNow::default()
        }],
        ..SensorNow::default()
    }
}

#[test]
fn the_sensor_s_page_says_how_it_captures_and_why_not_better() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in("carol");
    let answer = carol.get("/sensors");
    check(&answer, "sensors, before the first look");
    assert!(answer.text.contains("No sensor runs beside this service"));
    for step in 0..200 {
        host.sensor.note(look(1_790_000_100 + 10 * step, 500 * step));
    }
    let answer = carol.get("/sensors?minutes=15");
    check(&answer, "sensors");
    for part in [
        "skb-copy",
        "native-zerocopy",
        "the driver &lt;b&gt;veth&lt;/b&gt; has none",
        "free 17",
        "Linux 6.12.9-amd64",
        "rx_ring_full 3",
        "accepted 99500",
        "150 \u{b5}s",
        "Latency: total",
        "Datagrams a second: at most 50",
        "Requests by how long they took: total",
        "data-live=\"/sensors/plots?minutes=15&amp;stage=total\" data-every=\"10\"",
    ] {
        assert!(answer.text.contains(part), "{part:?} is not in {}", answer.text);
    }
    let overview = carol.get("/");
    check(&overview, "overview");
    assert!(overview.text.contains("Requests a second: at most 50"), "{}", overview.text);
}

#[test]
fn plots_are_asked_for_again_by_themselves_and_that_is_no_look_at_anybody() {
    let host = Host::start(&["alice"]);
    assert_eq!(host.stranger().get("/sensors/plots").status, 303, "to the sign-in");
    let carol = host.signed_in("carol");
    let audited = host.control.audit(100).unwrap().len();
    for step in 0..20 {
        host.sensor.note(look(1_790_000_100 + 10 * step, 500 * step));
    }
    let answer = carol.get("/sensors/plots?minutes=15&stage=total");
    check(&answer, "plots");
    assert!(answer.text.starts_with("<div class=\"plots\" id=\"live-plots\">"), "{}", answer.text);
    assert!(answer.text.contains("Datagrams a second: at most 50"), "{}", answer.text);
    assert_eq!(host.control.audit(100).unwrap().len(), audited);
}
