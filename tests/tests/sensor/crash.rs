//! kill -9 under load: what was acknowledged is in the journal, and nothing is there twice.

use std::thread;
use std::time::Duration;

use end_to_end::config::{Path, SECRET};
use end_to_end::load::{Load, Progress};
use end_to_end::sensor::Home;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, journal, on_each_path, wait_until};

on_each_path!(twenty_kills_under_load_lose_and_double_nothing);

fn twenty_kills_under_load_lose_and_double_nothing(path: Path) {
    const KILLS: usize = 20;
    let wire = Wire::new();
    // The longest window: on a busy machine the last retransmission may come long after the first.
    let home = Home::new(&path.config().lines("[dedup]\nwindow = \"300s\""));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let load = Load { window: 64, retransmit_after: Duration::from_millis(300) };
    let progress = Progress::default();

    let done = thread::scope(|scope| {
        let running = scope.spawn(|| load.run(&nas, "load", &progress, 2 * PATIENCE));
        for kill in 0..KILLS {
            let sensor = home.start(&wire.sensor);
            // Each time at another point of the work.
            let goal = progress.acknowledged() + 50 + 37 * kill;
            wait_until("more is acknowledged", PATIENCE, || progress.acknowledged() >= goal);
            sensor.kill();
        }
        let _sensor = home.start(&wire.sensor);
        progress.stop();
        running.join().unwrap()
    });

    assert!(done.unanswered.is_empty(), "never answered: {:?}", done.unanswered);
    let sessions = journal::sessions(&home, &wire.sensor);
    let missing: Vec<_> =
        done.acknowledged.iter().filter(|session| !sessions.contains_key(*session)).collect();
    assert!(missing.is_empty(), "acknowledged and not in the journal: {missing:?}");
    let twice: Vec<_> = sessions.iter().filter(|&(_, &count)| count > 1).collect();
    assert!(twice.is_empty(), "in the journal more than once: {twice:?}");
    assert_eq!(sessions.len(), done.acknowledged.len());
    journal::verify(&home, &wire.sensor);
}
