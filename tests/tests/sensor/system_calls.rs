//! System calls are paid by the burst, never by the packet: counted by strace in a running sensor under load.

use std::thread;
use std::time::Duration;

use end_to_end::config::{Config, SECRET};
use end_to_end::load::{Load, Progress};
use end_to_end::sensor::Home;
use end_to_end::strace::{Strace, counts};
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, wait_until};

/// Counts all threads' calls while clients keep some hundreds of requests under way. A system call for each packet
/// would be one to receive and one to answer at the least: 2 a request.
fn calls_per_request(config: &Config) -> f64 {
    const REQUESTS: usize = 20_000;
    let wire = Wire::new();
    let home = Home::new(&config.clone().lines("[dedup]\nwindow = \"300s\""));
    let sensor = home.start(&wire.sensor);
    let load = Load { window: 250, retransmit_after: Duration::from_secs(20) };
    let nas: Vec<Nas> = (0..4).map(|_| Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET)).collect();
    let progress: Vec<Progress> = nas.iter().map(|_| Progress::default()).collect();
    let acknowledged = || progress.iter().map(Progress::acknowledged).sum::<usize>();
    let (requests, table) = thread::scope(|scope| {
        let (load, acknowledged) = (&load, &acknowledged);
        for (number, (nas, progress)) in nas.iter().zip(&progress).enumerate() {
            scope.spawn(move || load.run(nas, &format!("load{number}"), progress, PATIENCE));
        }
        wait_until("the load runs", PATIENCE, || acknowledged() > 1000);
        let strace = Strace::attach(&sensor, "-c");
        let before = acknowledged();
        wait_until("requests enough", PATIENCE, || acknowledged() > before + REQUESTS);
        let requests = acknowledged() - before;
        let table = strace.detach();
        progress.iter().for_each(Progress::stop);
        (requests, table)
    });
    sensor.settled();
    let calls: u64 = counts(&table).iter().map(|(_, calls)| calls).sum();
    assert!(calls > 0, "strace saw nothing:\n{table}");
    println!("{calls} calls for {requests} requests:\n{table}");
    calls as f64 / requests as f64
}

#[test]
fn the_ring_pays_by_the_burst() {
    let calls = calls_per_request(&Config::xdp());
    assert!(calls < 1.0, "{calls} system calls a request");
}

#[test]
fn the_sockets_pay_by_the_burst() {
    let calls = calls_per_request(&Config::udp());
    assert!(calls < 1.0, "{calls} system calls a request");
}
