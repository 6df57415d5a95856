//! A sink that is dead until it is full and what is in it is too old.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use end_to_end::{PATIENCE, Wire, sensor::Home, small_disk::SmallDisk, wait_until};

use super::{
    IN_TIME,
    company::{self, Company, THEFTS, Theft},
    peers::json,
    webhook::{self, Webhook},
};

/// The least that may be configured.
const MAX_BYTES: u64 = 1 << 20;
const MAX_AGE: Duration = Duration::from_secs(60);

fn octets(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap();
    // One may go while the others are counted.
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

#[test]
fn a_sink_that_is_dead_until_both_its_limits_bite_holds_up_nobody() {
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.json");
    let secret = folder.path().join("hook.secret");
    webhook::write_secret(&secret);
    let what = "what = [\"alerts\", \"connections\", \"health\"]";
    let home = Home::new(&company::config().lines(&format!(
        "[[sink]]\nname = \"all\"\nkind = \"file\"\npath = {file:?}\n{what}\n\
         [[sink]]\nname = \"dead\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:8080/vpn\"\n\
         secret_file = {secret:?}\nmax_age = \"60s\"\nmax_bytes = \"1 MiB\"\n{what}\n"
    )));
    let company = Company::new(&wire, &home);
    let sensor = home.start(&wire.sensor);
    let spool = home.state().join("service/spool/dead");
    let written = || fs::read_to_string(&file).unwrap_or_default();
    let has =
        |theft: &Theft<'_>| written().lines().filter_map(json).any(|arrived| arrived.user == theft.user);

    // Its size bites: the month is more than it holds.
    company.live_a_month();
    sensor.stored();
    wait_until("the file has all", PATIENCE, || written().len() as u64 > 2 * MAX_BYTES);
    assert!(octets(&spool) <= MAX_BYTES, "{}", octets(&spool));
    assert!(octets(&spool) > MAX_BYTES / 2, "{}", octets(&spool));
    wait_until("people are told what is lost", PATIENCE, || {
        let is_told = |line: &str| ["\"health\"", "sink-lost", "dead"].iter().all(|part| line.contains(part));
        written().lines().any(is_told)
    });
    let lost = |sink: &str| sensor.metrics().sum("vpn_sensor_sink_lost_total", &[("sink", sink)]);
    assert!(lost("dead") > 0 && lost("all") == 0, "{} and {}", lost("dead"), lost("all"));
    let [first, second, ..] = &THEFTS;
    company.suffer(first);
    let stolen = Instant::now();
    wait_until("the file has the alert all the same", IN_TIME, || has(first));

    // Its age bites; requests are answered all the while.
    let mut number = 0;
    while stolen.elapsed() < MAX_AGE + Duration::from_secs(5) {
        let user = format!("user{number}@contoso.example");
        company.suffer(&Theft { user: &user, name: &user, address: "84.130.16.9", ..THEFTS[1] });
        number += 1;
        thread::sleep(Duration::from_secs(2));
    }
    assert!(octets(&spool) <= MAX_BYTES, "{}", octets(&spool));

    // It comes back, and gets what is not too old.
    let hook = Webhook::start(&wire.sensor, "127.0.0.1:8080".parse().unwrap());
    company.suffer(second);
    wait_until("the file has the next alert", IN_TIME, || has(second));
    let arrived = || hook.taken().iter().filter_map(|body| json(body)).collect::<Vec<_>>();
    wait_until("it takes the next alert", PATIENCE, || {
        arrived().iter().any(|arrived| arrived.user == second.user)
    });
    assert!(arrived().iter().all(|arrived| arrived.user != first.user), "that was too old");
    sensor.stop();
}

#[test]
fn a_backlog_gives_way_before_the_journal_does_where_the_disk_is_short() {
    let disk = SmallDisk::new(72);
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.json");
    let secret = folder.path().join("hook.secret");
    webhook::write_secret(&secret);
    let what = "what = [\"alerts\", \"connections\", \"health\"]";
    // A tenth of the disk is the reserve, 7.2 MiB; an eighth of that is asked for besides, and a quarter of it may wait.
    let config = company::config().lines(&format!(
        "[journal]\nsegment_bytes = \"1 MiB\"\n\
         [[sink]]\nname = \"all\"\nkind = \"file\"\npath = {file:?}\n{what}\n\
         [[sink]]\nname = \"dead\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:8080/vpn\"\n\
         secret_file = {secret:?}\n{what}\n"
    ));
    let home = Home::with_state(&config, &disk.path().join("state"));
    let company = Company::new(&wire, &home);
    let sensor = home.start(&wire.sensor);
    let spool = home.state().join("service/spool/dead");
    let written = || fs::read_to_string(&file).unwrap_or_default();
    let metric = |name: &str| sensor.metrics().sum(name, &[]);
    company.live_a_month();
    sensor.stored();
    wait_until("the file has all", PATIENCE, || written().len() as u64 > 2 * MAX_BYTES);
    assert!(octets(&spool) > 2 * MAX_BYTES, "{}", octets(&spool));
    let lost = |sink: &str| sensor.metrics().sum("vpn_sensor_sink_lost_total", &[("sink", sink)]);
    assert_eq!((lost("dead"), lost("all")), (0, 0));

    // Less than the reserve and its eighth, more than the reserve: the journal has nothing to do.
    let ballast = disk.path().join("more");
    let free = || {
        let space = rustix::fs::statvfs(disk.path()).unwrap();
        space.f_bavail * space.f_frsize
    };
    fs::write(&ballast, vec![0xa5; (free() - (7 << 20) - (3 << 18)) as usize]).unwrap();
    let [first, ..] = &THEFTS;
    let before = octets(&spool);
    company.suffer(first);
    wait_until("the backlog gives way", PATIENCE, || lost("dead") > 0 && octets(&spool) < before);
    wait_until("people are told what is lost", PATIENCE, || {
        let is_told = |line: &str| ["\"health\"", "sink-lost", "dead"].iter().all(|part| line.contains(part));
        written().lines().any(is_told)
    });
    assert!(lost("dead") > 0 && lost("all") == 0, "{} and {}", lost("dead"), lost("all"));
    assert_eq!(metric("vpn_sensor_journal_removed_segments_total"), 0, "no record went");
    wait_until("the file has the alert all the same", IN_TIME, || {
        written().lines().filter_map(json).any(|arrived| arrived.user == first.user)
    });
    // It is a dead sink's, and a sink that comes back gets what is left.
    let hook = Webhook::start(&wire.sensor, "127.0.0.1:8080".parse().unwrap());
    wait_until("it takes the alert", PATIENCE, || {
        hook.taken().iter().filter_map(|body| json(body)).any(|arrived| arrived.user == first.user)
    });
    sensor.stop();
}
