//! Starting, reloading, devices that go and come, a second instance, privileges.

use std::thread;
use std::time::Duration;

use aya::Ebpf;
use aya::programs::{Xdp, XdpMode};
use end_to_end::config::{ClientEntry, Config, Path, SECRET};
use end_to_end::load::{Load, Progress};
use end_to_end::requests::start;
use end_to_end::sensor::Home;
use end_to_end::wire::{NAS_DEVICE, NAS_V4, SENSOR_DEVICE, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, journal, on_each_path, wait_until};

on_each_path!(
    reload_under_load_changes_secret_and_prefix_and_loses_nothing,
    a_bad_new_configuration_leaves_the_old_one_in_force,
    capabilities_are_gone_and_reload_and_new_segments_still_work,
    a_second_instance_on_the_same_state_directory_is_refused,
);

fn reload_under_load_changes_secret_and_prefix_and_loses_nothing(path: Path) {
    const NEW: &str = "the secret after the change of it";
    let wire = Wire::new();
    let newcomer = "192.0.2.20".parse().unwrap();
    wire.add_nas_address(newcomer);
    let steady = ClientEntry::new("steady", &["192.0.2.10"], SECRET);
    let leaving = "2001:db8::/64";
    let changing = |address: &str, secret: &str| ClientEntry::new("changing", &[address], secret);
    let window = "[dedup]\nwindow = \"300s\"";
    let config = |changing| path.config().lines(window).clients(&[steady.clone(), changing]);
    let home = Home::new(&config(changing(leaving, SECRET)));
    let sensor = home.start(&wire.sensor);

    let load = Load { window: 32, retransmit_after: Duration::from_secs(5) };
    let progress = Progress::default();
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let new_nas = Nas::new(&wire.nas, newcomer, SENSOR_V4, NEW);
    let old_nas = Nas::new(&wire.nas, end_to_end::wire::NAS_V6, end_to_end::wire::SENSOR_V6, SECRET);
    let done = thread::scope(|scope| {
        let running = scope.spawn(|| load.run(&nas, "load", &progress, PATIENCE));
        for round in 0..5_u8 {
            old_nas.ask(&start(round, &format!("old-{round}"), SECRET));
            let unknown = sensor.metrics().verdict("unknown_client");
            new_nas.send(&start(round, &format!("new-{round}"), NEW));
            sensor.wait_metrics("not yet a client", |metrics| metrics.verdict("unknown_client") > unknown);

            home.configure(&config(changing("192.0.2.20", NEW)));
            sensor.reload("the configuration is in force");
            new_nas.ask(&start(round, &format!("new-{round}"), NEW));
            let unknown = sensor.metrics().verdict("unknown_client");
            old_nas.send(&start(100 + round, "late", SECRET));
            sensor.wait_metrics("no client any more", |metrics| metrics.verdict("unknown_client") > unknown);

            home.configure(&config(changing(leaving, SECRET)));
            sensor.reload("the configuration is in force");
        }
        let goal = progress.acknowledged() + 100;
        wait_until("the load goes on", PATIENCE, || progress.acknowledged() >= goal);
        progress.stop();
        running.join().unwrap()
    });

    let metrics = sensor.settled();
    assert!(done.unanswered.is_empty(), "never answered: {:?}", done.unanswered);
    assert_eq!(metrics.verdict("bad_authenticator"), 0);
    let sessions = journal::sessions(&home, &wire.sensor);
    assert!(!sessions.contains_key("late"));
    assert!(sessions.values().all(|&count| count == 1), "recorded twice");
    assert_eq!(sessions.len(), done.acknowledged.len() + 10);
    assert_eq!(metrics.sum("vpn_sensor_reloads_total", &[]), 10);
}

fn a_bad_new_configuration_leaves_the_old_one_in_force(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "before", SECRET));

    let good = path.config().render(home.state());
    home.configure_with(&good.replace("address = [\"192.0.2.0/24\"", "adress = [\"192.0.2.0/24\""));
    sensor.reload("did you mean");
    nas.ask(&start(2, "unknown-key", SECRET));
    // Keys that need a restart are named, and the rest is not taken either way.
    home.configure_with(&good.replace(":1813", ":1814"));
    sensor.reload("listen.addresses");
    nas.ask(&start(3, "restart-needed", SECRET));
    assert_eq!(sensor.metrics().sum("vpn_sensor_restart_needed", &[]), 1);
    assert!(!home.log().contains(SECRET), "the secret is in the log");
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["before", "unknown-key", "restart-needed"]);
}

fn capabilities_are_gone_and_reload_and_new_segments_still_work(path: Path) {
    let wire = Wire::new();
    let segments = "[journal]\nsegment_bytes = \"1 MiB\"";
    let home = Home::new(&path.config().lines(segments));
    let sensor = home.start(&wire.sensor);
    for tasks in std::fs::read_dir(format!("/proc/{}/task", sensor.pid())).unwrap() {
        let status = std::fs::read_to_string(tasks.unwrap().path().join("status")).unwrap();
        for field in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
            let name = status.lines().next().unwrap();
            assert_eq!(value.trim().trim_start_matches('0'), "", "{field} of {name}");
        }
        assert!(status.lines().any(|line| line == "NoNewPrivs:\t1"), "no_new_privs");
    }

    let added = ClientEntry::new("added", &["2001:db8::/64"], SECRET);
    let old = ClientEntry::new("nas", &["192.0.2.0/24"], SECRET);
    home.configure(&path.config().lines(segments).clients(&[old, added]));
    sensor.reload("the configuration is in force");
    Nas::new(&wire.nas, end_to_end::wire::NAS_V6, end_to_end::wire::SENSOR_V6, SECRET).ask(&start(
        1,
        "after-reload",
        SECRET,
    ));

    let load = Load { window: 200, retransmit_after: Duration::from_secs(5) };
    let progress = Progress::default();
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    thread::scope(|scope| {
        let running = scope.spawn(|| load.run(&nas, "load", &progress, PATIENCE));
        let metrics = sensor
            .wait_metrics("a third segment", |metrics| metrics.sum("vpn_sensor_journal_segments", &[]) >= 3);
        assert_eq!(metrics.sum("vpn_sensor_journal_failed_batches_total", &[]), 0);
        progress.stop();
        assert!(running.join().unwrap().unanswered.is_empty());
    });
    sensor.settled();
    assert!(sensor.stop().success());
}

fn a_second_instance_on_the_same_state_directory_is_refused(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    // Another namespace: neither port nor device is in its way, the state directory is.
    let other = Wire::new();
    let second = Home::with_state(&path.config(), home.state());
    assert_eq!(second.run_to_exit(&other.sensor), 1);
    assert!(
        second.log().contains("in use by another vpn-sensor"),
        "the log does not say why: {}",
        second.log()
    );
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&start(1, "first", SECRET));
    sensor.settled();
}

#[test]
fn a_reload_that_fails_in_the_middle_leaves_nothing_of_the_new_configuration_in_force() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "before", SECRET));
    // Sound, and more prefixes than the steer program has room for: workers know the new clients by then.
    const OTHER: &str = "another secret of twenty octets";
    let many: Vec<String> =
        (0..66_000_u32).map(|number| std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let changed = ClientEntry::new("nas", &["192.0.2.0/24"], OTHER);
    let more = ClientEntry::new("many", &many, OTHER);
    home.configure(&Config::xdp().clients(&[changed, more]).lines("[journal]\nmax_bytes = \"1 GiB\""));
    sensor.reload("the one before stays in force");
    assert!(!home.log().contains("restart the sensor"), "{}", home.log());
    nas.ask(&start(2, "behind", SECRET));
    Nas::new(&wire.nas, end_to_end::wire::NAS_V6, end_to_end::wire::SENSOR_V6, SECRET).ask(&start(
        3,
        "another-address-of-before",
        SECRET,
    ));
    let metrics = sensor.settled();
    assert_eq!((metrics.verdict("bad_authenticator"), metrics.verdict("unknown_client")), (0, 0));
    // The programs have room again.
    home.configure(&Config::xdp().clients(&[ClientEntry::new("nas", &["192.0.2.0/24"], OTHER)]));
    sensor.reload("the configuration is in force");
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, OTHER).ask(&start(4, "mended", OTHER));
}

#[test]
fn a_second_instance_on_the_same_device_is_refused() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    // Its own state directory and port; the device is taken.
    let second = Home::new(&Config::xdp());
    let elsewhere = Config::xdp().lines("[portal]\naddress = \"off\"").render(second.state());
    let elsewhere = elsewhere.replace(":1813", ":1814").replace(":9813", ":9814");
    second.configure_with(&elsewhere);
    assert_ne!(second.run_to_exit(&wire.sensor), 0);
    let log = second.log();
    assert!(log.contains(SENSOR_DEVICE), "the log does not name the device: {log}");
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&start(1, "first", SECRET));
    assert_eq!(sensor.settled().verdict_on("xdp", "accepted"), 1);
}

#[test]
fn another_xdp_program_on_the_device_is_named_and_left_alone() {
    let wire = Wire::new();
    // The steer program, never armed, stands for anybody's: it passes everything.
    let object = concat!(env!("CARGO_MANIFEST_DIR"), "/../sensor-ebpf/steer.bpf.o");
    let bytes = std::fs::read(object).unwrap();
    let _other = wire.sensor.enter(|| {
        let mut ebpf = Ebpf::load(&bytes).unwrap();
        let (name, program) = ebpf.programs_mut().next().unwrap();
        let name = name.to_owned();
        let program: &mut Xdp = program.try_into().unwrap();
        program.load().unwrap();
        program.attach(SENSOR_DEVICE, XdpMode::Driver).unwrap();
        (ebpf, name)
    });

    // Asked for XDP and nothing else, the sensor refuses to start and says who holds the device.
    let home = Home::new(&Config::xdp());
    assert_ne!(home.run_to_exit(&wire.sensor), 0);
    let log = home.log();
    assert!(log.contains(SENSOR_DEVICE) && log.contains("program"), "the log does not say why: {log}");

    // Free to choose, it takes the kernel's way, and says so.
    let home = Home::new(&Config::xdp().mode("auto"));
    let sensor = home.start(&wire.sensor);
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&start(1, "udp", SECRET));
    assert_eq!(sensor.settled().verdict_on("udp", "accepted"), 1);
    assert!(wire.sensor.ip(&format!("link show dev {SENSOR_DEVICE}")).contains("xdp"), "it is still there");
}

#[test]
fn a_link_that_goes_down_and_up_needs_nothing() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for round in 0..5 {
        nas.ask(&start(round, &format!("round-{round}"), SECRET));
        wire.sensor.ip(&format!("link set {SENSOR_DEVICE} down"));
        wire.sensor.ip(&format!("link set {SENSOR_DEVICE} up"));
        // IPv6 addresses go with the link; the neighbour entries of both ends, too.
        wire.restore_neighbours();
    }
    nas.ask(&start(99, "last", SECRET));
    let metrics = sensor.settled();
    assert_eq!(metrics.verdict_on("udp", "accepted"), 0);
    assert_eq!(metrics.verdict_on("xdp", "accepted"), 6);
}

#[test]
fn a_deleted_device_ends_the_sensor_with_exit_code_4() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let mut sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "before", SECRET));
    wire.sensor.ip(&format!("link del {SENSOR_DEVICE}"));
    assert_eq!(sensor.wait_exit().code(), Some(4));
    assert!(home.log().contains(SENSOR_DEVICE), "the log does not name the device");

    // What a supervisor does.
    wire.connect();
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(2, "after", SECRET));
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["before", "after"]);
}

#[test]
fn a_device_deleted_at_the_other_end_ends_the_sensor_with_exit_code_4() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let mut sensor = home.start(&wire.sensor);
    wire.nas.ip(&format!("link del {NAS_DEVICE}"));
    assert_eq!(sensor.wait_exit().code(), Some(4));
}

#[test]
fn an_address_that_comes_later_is_served_by_the_ring() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    wire.sensor.ip(&format!("address add 192.0.2.3/24 dev {SENSOR_DEVICE}"));
    let nas = Nas::new(&wire.nas, NAS_V4, std::net::Ipv4Addr::new(192, 0, 2, 3), SECRET);
    // Until the sensor has heard of it, the kernel's way serves it.
    let mut count = 0;
    wait_until("the new address is steered", PATIENCE, || {
        count += 1;
        nas.ask(&start(count, &format!("request-{count}"), SECRET));
        sensor.metrics().verdict_on("xdp", "accepted") > 0
    });
    sensor.settled();
    assert_eq!(journal::sessions(&home, &wire.sensor).len(), usize::from(count));
}

#[test]
fn forwarded_datagrams_are_not_ours() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    wire.sensor.sysctl("net/ipv4/ip_forward", "1");
    wire.nas.ip("route add 198.51.100.0/24 via 192.0.2.1");
    // To an address beyond the sensor's host: it has no route there and answers with an ICMP error, not with RADIUS.
    let beyond = Nas::new(&wire.nas, NAS_V4, std::net::Ipv4Addr::new(198, 51, 100, 1), SECRET);
    beyond.send(&start(1, "forwarded", SECRET));
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&start(1, "ours", SECRET));
    assert_eq!(sensor.settled().received(), 1);
    journal::assert_sessions(&home, &wire.sensor, &["ours"]);
}

#[test]
fn kill_nine_leaves_no_program_on_the_device() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let link = || wire.sensor.ip(&format!("link show dev {SENSOR_DEVICE}"));
    let sensor = home.start(&wire.sensor);
    assert!(link().contains("xdp"));
    sensor.kill();
    wait_until("the program is gone", PATIENCE, || !link().contains("xdp"));
    // And nothing is in the way of the next one.
    let sensor = home.start(&wire.sensor);
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&start(1, "again", SECRET));
    assert_eq!(sensor.settled().verdict_on("xdp", "accepted"), 1);
}

#[test]
fn an_orderly_stop_under_load_answers_what_it_recorded() {
    for path in [Path::Udp, Path::Xdp] {
        let wire = Wire::new();
        let home = Home::new(&path.config().lines("[dedup]\nwindow = \"300s\""));
        let load = Load { window: 64, retransmit_after: Duration::from_millis(500) };
        let progress = Progress::default();
        let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
        let done = thread::scope(|scope| {
            let running = scope.spawn(|| load.run(&nas, "load", &progress, PATIENCE));
            for _ in 0..5 {
                let goal = progress.acknowledged() + 200;
                let sensor = home.start(&wire.sensor);
                wait_until("more is acknowledged", PATIENCE, || progress.acknowledged() >= goal);
                assert!(sensor.stop().success(), "SIGTERM ends the sensor in order");
            }
            let _sensor = home.start(&wire.sensor);
            progress.stop();
            running.join().unwrap()
        });
        assert!(done.unanswered.is_empty());
        let sessions = journal::sessions(&home, &wire.sensor);
        assert!(sessions.values().all(|&count| count == 1), "recorded twice");
        assert_eq!(sessions.len(), done.acknowledged.len());
    }
}
