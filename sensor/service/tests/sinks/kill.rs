//! A process is killed at any moment, again and again: every alert arrives, and what arrives twice is marked.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rand::RngExt as _;
use service::export::format::Kind;

use super::{check_arrived, file, hook, notice, numbers, open, webhook::webhook};

const CHILD: &str = "VPN_SENSOR_TEST_SINKS";
const COUNT: u64 = 400;

/// What is killed: hands all notices over that its sinks do not know, and sends.
fn child(what: &str) -> ! {
    let (state, address) = what.split_once(' ').unwrap();
    let state = Path::new(state);
    let hook = webhook("hook", format!("http://{address}/hook"), Default::default());
    let sinks = open(state, vec![hook, file("file", &state.join("alerts.json"))]);
    let mark = sinks.mark(Kind::Alert).map_or(0, |origin| origin.position);
    for number in mark + 1..=COUNT {
        sinks.tell_notice(&notice(number, "alice"), &[]);
        thread::sleep(Duration::from_millis(1));
    }
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn killed_at_any_moment_all_arrive_and_what_arrives_twice_is_marked() {
    // The test runs itself as the process that is killed.
    if let Ok(what) = env::var(CHILD) {
        child(&what);
    }
    let state = tempfile::tempdir().unwrap();
    let (address, inbox) = hook::serve("127.0.0.1:0".parse().unwrap());
    // The answer takes its time, so that many a kill comes between the two.
    *inbox.delay.lock().unwrap() = Duration::from_millis(3);
    let path = state.path().join("alerts.json");
    let arrived = || -> Vec<(u64, bool)> { numbers(&inbox.taken()) };
    let (begin, mut kills) = (Instant::now(), 0);
    loop {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kill::killed_at_any_moment_all_arrive_and_what_arrives_twice_is_marked"])
            .env(CHILD, format!("{} {address}", state.path().display()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(rand::rng().random_range(20..400)));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let is_last = |arrived: &[(u64, bool)]| arrived.iter().any(|(number, _)| *number == COUNT);
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        let whole = written.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if is_last(&arrived()) && is_last(&numbers(whole)) {
            check_arrived(&arrived(), COUNT);
            check_arrived(&numbers(whole), COUNT);
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{kills} kills, {} arrived", arrived().len());
    }
    assert!(kills > 3, "{kills}");
    // Some were on their way at a kill, or this shows nothing.
    let twice = arrived().len() as u64 - COUNT;
    assert!(twice > 0, "{kills} kills and none arrived twice");
}
