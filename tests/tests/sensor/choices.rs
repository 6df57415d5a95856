//! What an administrator may choose: a sensor without root, answers before the disk, and what a probe sees meanwhile.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use end_to_end::config::{Config, SECRET};
use end_to_end::requests::start;
use end_to_end::sensor::{Home, program};
use end_to_end::strace::Strace;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_DEVICE, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, journal, wait_until};
use radius::Code;
use radius::build::RequestBuilder;

/// Longer than any answer needs that waits for no disk, shorter than a test's patience.
const SYNC_DELAY_MS: u32 = 4000;

#[test]
fn an_unprivileged_sensor_is_the_whole_product_over_udp() {
    let wire = Wire::new();
    wire.sensor.run("sysctl", "-q -w net.ipv4.ip_unprivileged_port_start=0");
    let home = Home::new(&Config::udp().mode("auto"));
    // Wherever it was built, nobody need be able to go there.
    let copy = home.file("vpn-sensor");
    fs::copy(program(), &copy).unwrap();
    let owned = Command::new("chown").args(["-R", "nobody"]).arg(copy.parent().unwrap()).status().unwrap();
    assert!(owned.success());
    let mut command = wire.sensor.command("setpriv");
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]);
    command.arg(&copy).args(["run", "--config"]).arg(home.config());
    let mut sensor = home.spawn_command(&wire.sensor, command);
    sensor.wait_ready();
    assert_eq!(sensor.status_field("Uid").split_whitespace().next(), Some("65534"));

    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let request = start(1, "unprivileged", SECRET);
    assert_eq!(nas.ask_once(&request), nas.ask_once(&request));
    // Why there is no XDP is said, with what would help.
    assert!(home.log().contains("CAP_BPF"), "{}", home.log());
    let metrics = sensor.settled();
    assert!(metrics.has("vpn_sensor_capture_refused", &[("mode", "xdp"), ("interface", SENSOR_DEVICE)]));
    assert_eq!((metrics.received_on("udp"), metrics.received_on("xdp")), (2, 0));
    assert_eq!((metrics.verdict("accepted"), metrics.verdict("duplicate")), (1, 1));
    journal::assert_sessions(&home, &wire.sensor, &["unprivileged"]);
    assert!(sensor.stop().success());
}

#[test]
fn with_ack_received_an_answer_does_not_wait_for_the_disk() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp().lines("[ack]\nwhen = \"received\""));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let slow = Strace::slow_sync(&sensor, SYNC_DELAY_MS);
    let request = start(1, "received", SECRET);
    assert!(nas.is_answer(&request, &nas.ask_once(&request)));
    assert_eq!(sensor.metrics().records(), 0, "the disk is at it for some seconds yet");
    sensor.wait_metrics("it is recorded all the same", |metrics| metrics.records() == 1);
    slow.detach();
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["received"]);
}

#[test]
fn with_ack_received_log_ins_go_on_while_the_disk_fails_and_the_sensor_says_so() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp().lines("[ack]\nwhen = \"received\""));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let broken = Strace::failing_sync(&sensor);
    wait_until("the sensor is not ready", PATIENCE, || {
        let request = start(1, "lost", SECRET);
        assert!(nas.is_answer(&request, &nas.ask(&request)));
        !sensor.ready()
    });
    let metrics = sensor.wait_metrics("the loss is counted", |metrics| {
        metrics.sum("vpn_sensor_journal_failed_records_total", &[]) > 0
    });
    assert_eq!(metrics.records(), 0);
    broken.detach();
    wait_until("the sensor is ready again", PATIENCE, || sensor.ready());
    sensor.settled();
}

#[test]
fn with_ack_durable_an_answer_waits_for_the_disk() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let slow = Strace::slow_sync(&sensor, SYNC_DELAY_MS);
    let request = start(1, "durable", SECRET);
    nas.send(&request);
    assert_eq!(nas.answer(Duration::from_millis(1000)), None, "an answer before its record is durable");
    assert!(nas.is_answer(&request, &nas.answer(PATIENCE).expect("an answer")));
    assert_eq!(sensor.metrics().records(), 1);
    slow.detach();
    sensor.settled();
}

/// Many bursts of one request each while the disk takes its time: they fill batches, they do not use them up.
#[test]
fn a_trickle_during_a_slow_sync_is_no_overload() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let slow = Strace::slow_sync(&sensor, SYNC_DELAY_MS);
    let requests: Vec<_> =
        (0..=255).map(|number| start(number, &format!("trickle-{number}"), SECRET)).collect();
    for request in &requests {
        nas.send(request);
        // Longer than a burst takes: the next request is one of its own.
        std::thread::sleep(Duration::from_millis(2));
    }
    wait_until("every request is recorded", PATIENCE, || sensor.metrics().records() == 256);
    slow.detach();
    let metrics = sensor.settled();
    assert_eq!((metrics.verdict("accepted"), metrics.verdict("overload")), (256, 0));
}

#[test]
fn r61_a_probe_is_answered_only_while_the_journal_records() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let probe = |identifier: u8| {
        let mut buffer = [0; 64];
        let mut request = RequestBuilder::new(&mut buffer, Code::StatusServer, identifier);
        request.authenticator(&[identifier; 16]).message_authenticator();
        request.seal(SECRET.as_bytes()).unwrap().to_vec()
    };
    assert_eq!(nas.ask_once(&probe(1)).len(), 20);

    let broken = Strace::failing_sync(&sensor);
    wait_until("the sensor is not ready", PATIENCE, || {
        nas.send(&start(2, "not-recorded", SECRET));
        !sensor.ready()
    });
    nas.send(&probe(3));
    nas.assert_silence();
    broken.detach();
    wait_until("the sensor is ready again", PATIENCE, || sensor.ready());
    // A batch that failed just now keeps probes in silence for a moment longer.
    wait_until("probes are answered again", PATIENCE, || {
        nas.send(&probe(4));
        nas.answer(Duration::from_millis(200)).is_some_and(|answer| nas.is_answer(&probe(4), &answer))
    });
}

#[test]
fn r50_a_request_repeated_in_vain_is_recorded_once_when_it_can_be() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let request = start(1, "patient", SECRET);
    let broken = Strace::failing_sync(&sensor);
    for _ in 0..20 {
        nas.send(&request);
        assert_eq!(nas.answer(Duration::from_millis(50)), None, "an answer without a record");
    }
    broken.detach();
    assert!(nas.is_answer(&request, &nas.ask(&request)));
    let metrics = sensor.settled();
    assert_eq!((metrics.records(), metrics.verdict("accepted")), (1, 1));
    journal::assert_sessions(&home, &wire.sensor, &["patient"]);
}

/// Whatever the lanes, what is genuine is accepted and what is not is not: by configuration, and by the environment,
/// which wins.
#[test]
fn digests_can_be_forced_to_a_path() {
    let wire = Wire::new();
    for (lanes, forced) in [
        ("auto", Some("scalar")),
        ("scalar", Some("avx2")),
        ("scalar", Some("auto")),
        ("avx2", None),
        ("auto", None),
    ] {
        let home = Home::new(&Config::udp().lines(&format!("[digest]\nlanes = {lanes:?}")));
        let mut command = home.command(&wire.sensor, "run");
        if let Some(forced) = forced {
            command.env("VPN_SENSOR_DIGEST_LANES", forced);
        }
        let mut sensor = home.spawn_command(&wire.sensor, command);
        sensor.wait_ready();
        let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
        for number in 0..40 {
            nas.ask(&start(number, &format!("forced-{number}"), SECRET));
            nas.send(&start(number, &format!("forged-{number}"), "another secret"));
        }
        let metrics = sensor.settled();
        assert_eq!(metrics.records(), 40);
        assert_eq!(metrics.sum("vpn_sensor_datagrams_total", &[("verdict", "bad_authenticator")]), 40);
        let chosen = forced.unwrap_or(lanes);
        let is_taken = |lanes: &str| home.log().contains(&format!("digests lanes=\"{lanes}\""));
        assert!(if chosen == "auto" { !is_taken("scalar") } else { is_taken(chosen) }, "{}", home.log());
    }
}

#[test]
fn digests_by_a_path_that_there_is_not_are_refused() {
    let wire = Wire::new();
    // The other architecture's.
    let absent = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    let home = Home::new(&Config::udp().lines(&format!("[digest]\nlanes = {absent:?}")));
    assert_eq!(home.run_to_exit(&wire.sensor), 3, "{}", home.log());
    assert!(home.log().contains("the best it can is"), "{}", home.log());
    let home = Home::new(&Config::udp().lines("[digest]\nlanes = \"mmx\""));
    assert_eq!(home.run_to_exit(&wire.sensor), 2, "{}", home.log());
    assert!(home.log().contains("choose one of scalar"), "{}", home.log());
    // By the environment, of a capture file as of the wire.
    for (lanes, exit) in [(absent, 3), ("mmx", 2)] {
        let home = Home::new(&Config::udp());
        for subcommand in ["run", "replay"] {
            let mut command = home.command(&wire.sensor, subcommand);
            if subcommand == "replay" {
                command.arg("-");
            }
            let said = output(command.env("VPN_SENSOR_DIGEST_LANES", lanes).stdin(Stdio::null()));
            let text = String::from_utf8_lossy(&said.stderr);
            assert_eq!(said.status.code(), Some(exit), "{subcommand}: {text}");
            assert!(text.contains("VPN_SENSOR_DIGEST_LANES"), "{subcommand}: {text}");
        }
    }
}

#[test]
fn a_duplicate_table_that_is_too_small_says_so() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines("[dedup]\nentries = 1024"));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for number in 0..3000 {
        nas.ask(&start((number % 256) as u8, &format!("many-{number}"), SECRET));
    }
    sensor.wait_log("raise dedup.entries");
    let metrics = sensor.settled();
    assert!(metrics.sum("vpn_sensor_duplicates_evicted_total", &[]) > 0);
    assert_eq!(metrics.records(), 3000);
}

#[test]
fn the_first_log_lines_say_how_to_send_the_first_request() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let state = home.state().display().to_string();
    home.configure_with(&format!("state_dir = {state:?}\n"));
    let sensor = home.start(&wire.sensor);
    let log = home.log();
    let first: Vec<&str> = log.lines().take(3).collect();
    assert!(first.iter().any(|line| line.contains("vpn-sensor send --to 127.0.0.1:1813")), "{log}");
    assert!(first.iter().any(|line| line.contains("radclient")), "{log}");
    let file = home.state().join("localhost.secret");
    let secret = fs::read_to_string(&file).unwrap();
    assert!(secret.trim().len() >= 16 && !log.contains(secret.trim()), "the secret stays in its file");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(sensor.stop().success());
}
