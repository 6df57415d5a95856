//! `geo-missing`, `geo-stale`, `sink-stopped`, `sink-behind`, `sink-lost`, `recipient-refused`, `ports-closed`, `disk`,
//! `clock-skew`, `duplicates-evicted`, `records-lost`,
//! `service`, `store`.

use super::*;

#[test]
fn databases_that_are_missing_or_old_are_told_of() {
    let mut watch = Watch::new();
    watch.after(HOUR);
    let geo = watch.seen.geo.as_mut().unwrap();
    geo.wrong = Arc::from(["cannot read the database /a.mmdb: check its path".to_owned()]);
    let told = watch.after(HOUR);
    assert_eq!(short(&told), ["+geo-missing"]);
    assert!(told[0].message.contains("/a.mmdb"));
    watch.seen.geo.as_mut().unwrap().wrong = Arc::from([]);
    assert_eq!(watch.short_after(HOUR), ["-geo-missing"]);
    // Read anew: nobody can tell meanwhile.
    let geo = watch.seen.geo.take();
    assert_eq!(watch.short_after(HOUR), [""; 0]);
    watch.seen.geo = geo;
    watch.seen.geo.as_mut().unwrap().databases[0].contents.networks = false;
    let told = watch.after(HOUR);
    assert!(told[0].message.contains("no database says anything about networks"), "{}", told[0].message);
}

#[test]
fn an_old_database_is_told_of_until_a_newer_one_counts_before_it() {
    let mut watch = Watch::new();
    assert_eq!(watch.short_after(58 * DAY), [""; 0]);
    let told = watch.after(2 * DAY);
    assert_eq!(short(&told), ["+geo-stale"]);
    assert!(told[0].message.contains("included: all of 2026-09-20 (61 days)"), "{}", told[0].message);
    // What counts before it is new.
    let new = database("/city.mmdb", START_S + 50 * 86_400, false);
    watch.seen.geo.as_mut().unwrap().databases.insert(0, new);
    assert_eq!(watch.short_after(HOUR), ["-geo-stale"]);
    // An old one that somebody added counts, whatever the included one is.
    watch.seen.geo.as_mut().unwrap().databases[0].built_unix_s = 0;
    assert_eq!(watch.short_after(HOUR), ["+geo-stale"]);
    watch.settings.geo_stale = None;
    assert_eq!(watch.short_after(HOUR), ["-geo-stale"]);
}

#[test]
fn a_sink_that_is_behind_is_told_of_until_it_has_caught_up() {
    let mut watch = Watch::new();
    let mut with = |waiting, behind_seconds| {
        let last_error = Some("connection refused".to_owned());
        let sink = sink::Standing { waiting, behind_seconds, last_error, ..sink_seen("siem") };
        watch.seen.sinks = Some(Arc::from([sink, sink_seen("other")]));
        watch.after(Duration::from_secs(10))
    };
    assert_eq!(short(&with(9, 299.0)), [""; 0]);
    let told = with(9, 301.0);
    assert_eq!(short(&told), ["+sink-behind siem"]);
    assert!(told[0].message.contains("9 messages wait") && told[0].message.contains("connection refused"));
    assert_eq!(short(&with(9, 200.0)), [""; 0], "no word for each message at the edge");
    assert_eq!(short(&with(9, 400.0)), [""; 0]);
    assert_eq!(short(&with(9, 100.0)), ["-sink-behind siem"]);
    assert_eq!(short(&with(0, 0.0)), [""; 0]);
    with(9, 301.0);
    watch.restart();
    watch.seen.sinks = None;
    assert_eq!(watch.short_after(HOUR), [""; 0], "not opened yet");
    watch.seen.sinks = Some(Arc::from([]));
    assert_eq!(watch.short_after(HOUR), ["-sink-behind siem"], "not configured any more");
}

#[test]
fn a_sink_that_loses_messages_is_told_of_until_it_has_lost_none_for_long() {
    let mut watch = Watch::new();
    let with = |watch: &mut Watch, lost| {
        watch.seen.sinks = Some(Arc::from([sink::Standing { lost, ..sink_seen("siem") }]));
        watch.short_after(Duration::from_secs(10))
    };
    assert_eq!(with(&mut watch, 7), [""; 0], "lost before the start");
    assert_eq!(with(&mut watch, 8), ["+sink-lost siem"]);
    assert_eq!(with(&mut watch, 9), [""; 0]);
    assert_eq!(watch.minutes(59), [""; 0]);
    assert_eq!(watch.minutes(1), ["-sink-lost siem"]);
}

#[test]
fn a_sink_that_does_not_run_is_told_of_until_it_does() {
    let mut watch = Watch::new();
    let with = |watch: &mut Watch, sink: sink::Standing| {
        watch.seen.sinks = Some(Arc::from([sink_seen("other"), sink]));
        watch.after(Duration::from_secs(10))
    };
    let stopped = || sink::Standing { stopped: Some("its spool".to_owned()), ..sink_seen("siem") };
    let told = with(&mut watch, stopped());
    assert_eq!(short(&told), ["+sink-stopped siem"]);
    assert!(told[0].message.contains("its spool"), "{}", told[0].message);
    assert_eq!(short(&with(&mut watch, stopped())), [""; 0]);
    assert_eq!(short(&with(&mut watch, sink_seen("siem"))), ["-sink-stopped siem"]);
    // What stood of one that ran goes on standing: nobody knows.
    let behind = sink::Standing { waiting: 9, behind_seconds: 999.0, ..sink_seen("siem") };
    assert_eq!(short(&with(&mut watch, behind)), ["+sink-behind siem"]);
    assert_eq!(short(&with(&mut watch, stopped())), ["+sink-stopped siem"]);
    assert_eq!(short(&with(&mut watch, sink_seen("siem"))), ["-sink-stopped siem", "-sink-behind siem"]);
}

#[test]
fn a_recipient_that_is_refused_is_told_of_until_a_message_reaches_all() {
    let mut watch = Watch::new();
    let with = |watch: &mut Watch, refused: Option<&[&str]>| {
        let recipients_refused =
            refused.map(|refused| refused.iter().map(|&address| address.to_owned()).collect());
        watch.seen.sinks = Some(Arc::from([sink::Standing { recipients_refused, ..sink_seen("mail") }]));
        watch.after(Duration::from_secs(10))
    };
    assert_eq!(short(&with(&mut watch, Some(&[]))), [""; 0]);
    let told = with(&mut watch, Some(&["gone@contoso.example (550)"]));
    assert_eq!(short(&told), ["+recipient-refused mail"]);
    assert!(told[0].message.contains("gone@contoso.example"), "{}", told[0].message);
    assert_eq!(short(&with(&mut watch, Some(&["gone@contoso.example (550)"]))), [""; 0]);
    watch.restart();
    watch.seen.sinks = None;
    assert_eq!(watch.short_after(HOUR), [""; 0], "not opened yet");
    assert_eq!(short(&with(&mut watch, None)), [""; 0], "nothing was sent since the start");
    assert_eq!(short(&with(&mut watch, Some(&[]))), ["-recipient-refused mail"]);
}

#[test]
fn little_space_and_a_journal_that_fails_are_told_of() {
    let mut watch = Watch::new();
    let free = |watch: &mut Watch, free_bytes| {
        watch.seen.disk.as_mut().unwrap().free_bytes = free_bytes;
        watch.after(HOUR)
    };
    assert_eq!(short(&free(&mut watch, 2 << 30)), [""; 0]);
    let told = free(&mut watch, (2 << 30) - 1);
    assert_eq!(short(&told), ["+disk space"]);
    assert!(told[0].message.contains("/state") && told[0].message.contains("2.0 GiB of 100.0 GiB"));
    assert_eq!(short(&free(&mut watch, 2 << 30)), [""; 0], "barely more is not enough");
    assert_eq!(short(&free(&mut watch, 3 << 30)), ["-disk space"]);
    // On a small one it is a tenth.
    watch.seen.disk.as_mut().unwrap().total_bytes = 64 << 20;
    assert_eq!(short(&free(&mut watch, 7 << 20)), [""; 0]);
    assert_eq!(short(&free(&mut watch, 6 << 20)), ["+disk space"]);
    watch.settings.disk_free = Some(1 << 20);
    assert_eq!(short(&free(&mut watch, 6 << 20)), ["-disk space"]);

    watch.seen.journal_fails = Some("write: No space left on device".to_owned());
    let told = watch.after(HOUR);
    assert_eq!(short(&told), ["+disk journal"]);
    assert!(told[0].message.contains("No space left on device"));
    assert_eq!(watch.minutes(60), [""; 0]);
    watch.seen.journal_fails = None;
    assert_eq!(watch.short_after(HOUR), ["-disk journal"]);
}

#[test]
fn ports_that_cannot_be_opened_are_told_of_until_they_are() {
    let mut watch = Watch::new();
    watch.seen.ports_closed = Some("udp bind: Address already in use".to_owned());
    assert_eq!(watch.short_after(HOUR), [""; 0], "they may be opened in a moment");
    assert_eq!(watch.short_after(Duration::from_secs(4)), [""; 0]);
    let told = watch.after(Duration::from_secs(1));
    assert_eq!(short(&told), ["+ports-closed accounting"]);
    assert!(told[0].message.contains("Address already in use"), "{}", told[0].message);
    assert_eq!(watch.minutes(60), [""; 0]);
    // Behind a restart nobody knows at once whether they can be.
    watch.restart();
    assert_eq!(watch.short_after(Duration::from_secs(1)), [""; 0]);
    watch.seen.ports_closed = None;
    assert_eq!(watch.short_after(HOUR), ["-ports-closed accounting"]);
}

fn clock(server: &str, offset_s: i64, is_steady: bool) -> ClockSeen {
    ClockSeen {
        client: "branch".to_owned(),
        server: Some(server.to_owned()),
        offset_s,
        since_unix_ns: START_S * 1_000_000_000,
        is_steady,
    }
}

#[test]
fn a_wrong_clock_of_a_vpn_server_is_told_of_until_it_is_right() {
    let mut watch = Watch::new();
    watch.seen.clocks = Arc::from([clock("a", 299, true), clock("b", -7201, true), clock("c", 9000, false)]);
    let told = watch.after(HOUR);
    assert_eq!(short(&told), ["+clock-skew branch (b)"]);
    assert!(told[0].message.contains("2 h behind"), "{}", told[0].message);
    assert!(told[0].advice[1].contains("time zone"), "{:?}", told[0].advice);
    watch.restart();
    watch.running = Duration::ZERO;
    watch.seen.clocks = Arc::default();
    assert_eq!(watch.minutes(30), [""; 0], "it was not heard since the start");
    assert_eq!(watch.minutes(60), ["-clock-skew branch (b)"]);
}

#[test]
fn a_host_clock_that_is_set_back_is_told_of_until_the_time_before_is_reached() {
    let mut watch = Watch::new();
    let mut look = |running_s: u64, unix_s: u64| {
        let (unix_ns, running) = (unix_s * 1_000_000_000, Duration::from_secs(running_s));
        short(&watch.monitor.look(&watch.seen, Now { unix_ns, running }, &watch.settings))
    };
    assert_eq!(look(0, START_S), [""; 0]);
    assert_eq!(look(100, START_S + 97), [""; 0], "by a little it is set all the time");
    assert_eq!(look(101, START_S + 20_000), [""; 0], "ahead is no harm to the order of things");
    assert_eq!(look(102, START_S + 12_000), ["+clock-skew this host"]);
    assert_eq!(look(103, START_S + 10_000), [""; 0], "and again");
    assert_eq!(look(10_000, START_S + 19_897), [""; 0]);
    assert_eq!(look(10_110, START_S + 20_007), ["-clock-skew this host"]);
    // Nobody waits for years.
    assert_eq!(look(10_111, START_S - 100_000_000), ["+clock-skew this host"]);
    assert_eq!(look(100_000, START_S - 99_910_111), ["-clock-skew this host"]);
}

#[test]
fn evicted_duplicates_and_lost_records_are_told_of_until_it_stops() {
    let mut watch = Watch::new();
    watch.seen.duplicates_evicted = 3;
    watch.seen.records_lost = 1;
    let told = watch.after(HOUR);
    assert_eq!(short(&told), ["+duplicates-evicted", "+records-lost"]);
    assert!(told[0].advice[0].contains("dedup.entries"));
    watch.seen.duplicates_evicted = 4;
    assert_eq!(watch.minutes(1), [""; 0]);
    assert_eq!(watch.minutes(59), ["-records-lost"]);
    assert_eq!(watch.minutes(1), ["-duplicates-evicted"]);
}

#[test]
fn a_service_that_waits_or_ended_is_told_of() {
    let mut watch = Watch::new();
    watch.after(HOUR);
    let state = |watch: &mut Watch, state| {
        watch.seen.service.state = state;
        watch.short_after(Duration::from_secs(1))
    };
    assert_eq!(state(&mut watch, WorkState::Waiting), ["+store /state/service/store.sqlite"]);
    assert_eq!(state(&mut watch, WorkState::Up), ["-store /state/service/store.sqlite"]);
    assert_eq!(state(&mut watch, WorkState::Ended), ["+service"]);
    watch.restart();
    assert_eq!(state(&mut watch, WorkState::Starting), [""; 0]);
    assert_eq!(state(&mut watch, WorkState::Up), ["-service"]);
}
