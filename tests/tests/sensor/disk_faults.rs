//! A disk that is full, slow, read-only or broken: nothing is answered that is not recorded, the state is visible, and
//! the sensor goes on by itself.

use std::thread;
use std::time::Duration;

use end_to_end::config::{Path, SECRET};
use end_to_end::load::{Load, Progress};
use end_to_end::requests::start;
use end_to_end::sensor::Home;
use end_to_end::small_disk::SmallDisk;
use end_to_end::strace::Strace;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Sensor, Wire, journal, on_each_path, wait_until};

on_each_path!(
    a_full_disk_silences_the_sensor_until_there_is_space_again,
    a_failing_sync_silences_the_sensor_until_it_works_again,
    a_slow_disk_under_load_loses_nothing_that_was_acknowledged,
);

/// Sends a request that cannot be recorded until the sensor says that it is not ready; fails if it is answered.
#[track_caller]
fn assert_silenced(sensor: &Sensor<'_>, nas: &Nas, request: &[u8]) {
    wait_until("the sensor is not ready", PATIENCE, || {
        nas.send(request);
        assert_eq!(nas.answer(Duration::from_millis(100)), None, "an answer without a record");
        matches!(sensor.get("/readyz"), Some((503, _)))
    });
    assert_eq!(sensor.get("/healthz").map(|(status, _)| status), Some(200), "it is alive all the same");
    let overload = sensor.wait_metrics("an overload is counted", |metrics| metrics.verdict("overload") > 0);
    assert_eq!(overload.responses(), overload.verdict("accepted") + overload.verdict("duplicate"));
}

fn a_full_disk_silences_the_sensor_until_there_is_space_again(path: Path) {
    let disk = SmallDisk::new(64);
    let wire = Wire::new();
    // Without a reserve nothing is deleted to make space: the disk is really full.
    let config =
        path.config().lines("[journal]\nsegment_bytes = \"1 MiB\"\nfree_reserve = 0\nkeep_unread = true");
    let home = Home::with_state(&config, &disk.path().join("state"));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "before", SECRET));

    disk.fill();
    // Whatever the open segment has room for already may still be recorded; then it ends.
    let mut recorded = vec!["before".to_owned()];
    let mut number = 0;
    let last = loop {
        let session = format!("filling-{number}");
        let request = start(number as u8, &session, SECRET);
        nas.send(&request);
        match nas.answer(Duration::from_millis(500)) {
            Some(answer) if nas.is_answer(&request, &answer) => recorded.push(session),
            Some(_) => {}
            None if sensor.ready() => {}
            None => break request,
        }
        number += 1;
        assert!(number < 100_000, "the disk is never full");
    };
    assert_silenced(&sensor, &nas, &last);
    let (_, reason) = sensor.get("/readyz").unwrap();
    assert!(reason.to_lowercase().contains("space"), "/readyz does not say why: {reason}");

    disk.free();
    wait_until("the sensor is ready again, by itself", PATIENCE, || sensor.ready());
    nas.ask(&last);
    nas.ask(&start(250, "after", SECRET));
    sensor.settled();
    let sessions = journal::sessions(&home, &wire.sensor);
    for session in recorded.iter().map(String::as_str).chain(["after"]) {
        assert_eq!(sessions.get(session), Some(&1), "{session} was acknowledged");
    }
    assert!(sessions.values().all(|&count| count == 1), "recorded twice: {sessions:?}");
    journal::verify(&home, &wire.sensor);
}

#[test]
fn a_read_only_disk_silences_the_sensor_until_it_is_writable() {
    let disk = SmallDisk::new(256);
    let wire = Wire::new();
    let home = Home::with_state(&Path::Udp.config(), &disk.path().join("state"));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "before", SECRET));
    assert!(sensor.stop().success());

    // A file system with a file open for writing cannot be remounted: this is how the sensor finds it at a start.
    disk.set_read_only(true);
    let code = home.run_to_exit(&wire.sensor);
    assert!(code == 1 || code == 3, "exit code {code}");
    assert!(home.log().to_lowercase().contains("read-only"), "the log does not say why");

    disk.set_read_only(false);
    let sensor = home.start(&wire.sensor);
    nas.ask(&start(2, "after", SECRET));
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["before", "after"]);
}

fn a_failing_sync_silences_the_sensor_until_it_works_again(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "before", SECRET));

    let failing = Strace::failing_sync(&sensor);
    let unlucky = start(2, "unlucky", SECRET);
    assert_silenced(&sensor, &nas, &unlucky);
    failing.detach();
    wait_until("the sensor is ready again, by itself", PATIENCE, || sensor.ready());
    nas.ask(&unlucky);
    nas.ask(&start(3, "after", SECRET));
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["before", "unlucky", "after"]);
    journal::verify(&home, &wire.sensor);
}

fn a_slow_disk_under_load_loses_nothing_that_was_acknowledged(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config().lines("[dedup]\nwindow = \"300s\""));
    let sensor = home.start(&wire.sensor);
    // Warm: everything that is allocated at the first use is there, and the databases of places.
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask(&start(0, "warm", SECRET));
    sensor.stored();
    let slow = Strace::slow_sync(&sensor, 300);
    let resident_before = sensor.resident_bytes();

    // Each client has all its Identifiers under way: far more than the batches behind a slow sync can take.
    const CLIENTS: usize = 40;
    let load = Load { window: 256, retransmit_after: Duration::from_millis(700) };
    let progress: Vec<Progress> = (0..CLIENTS).map(|_| Progress::default()).collect();
    let clients: Vec<Nas> = (0..CLIENTS).map(|_| Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET)).collect();
    let done = thread::scope(|scope| {
        let loads: Vec<_> = clients
            .iter()
            .zip(&progress)
            .enumerate()
            .map(|(number, (nas, progress))| {
                scope.spawn(move || load.run(nas, &format!("client{number}"), progress, PATIENCE))
            })
            .collect();
        let acknowledged = || progress.iter().map(Progress::acknowledged).sum::<usize>();
        wait_until("10000 requests are acknowledged", 3 * PATIENCE, || acknowledged() >= 10_000);
        progress.iter().for_each(Progress::stop);
        loads.into_iter().map(|load| load.join().unwrap()).collect::<Vec<_>>()
    });
    let resident_after = sensor.resident_bytes();
    slow.detach();

    let metrics = sensor.settled();
    let sessions = journal::sessions(&home, &wire.sensor);
    for session in done.iter().flat_map(|done| &done.acknowledged) {
        assert_eq!(sessions.get(session), Some(&1), "{session} was acknowledged");
    }
    assert!(sessions.values().all(|&count| count == 1), "a session is recorded twice");
    assert_eq!(metrics.records(), sessions.values().sum::<usize>() as u64);
    assert_eq!(metrics.records(), metrics.verdict("accepted"));
    // Everything that the workers hold was allocated at the start; pages of it are touched later, once.
    let growth = resident_after.saturating_sub(resident_before);
    assert!(growth < 64 << 20, "memory grew by {growth} bytes under overload");
}
