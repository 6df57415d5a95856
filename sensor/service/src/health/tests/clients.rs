//! `client-silent`, `sensor-silent`, `wrong-secret`, `unknown-client`.

use std::{collections::HashMap, net::IpAddr};

use super::*;

#[test]
fn a_client_that_sent_before_and_is_silent_is_told_of_once_until_it_is_heard() {
    let mut watch = Watch::new();
    watch.seen.clients[0].genuine = 5;
    // Somebody is heard all the time; who never sent is not missed.
    let hours = |watch: &mut Watch, hours: u32| -> Vec<String> {
        let hour = |watch: &mut Watch| {
            watch.seen.clients[1].genuine += 1;
            watch.short_after(HOUR)
        };
        (0..hours).flat_map(|_| hour(watch)).collect()
    };
    watch.seen.clients.push(client("never"));
    assert_eq!(hours(&mut watch, 25), [""; 0]);
    assert_eq!(hours(&mut watch, 1), ["+client-silent branch"]);
    assert_eq!(hours(&mut watch, 23), [""; 0]);
    assert_eq!(hours(&mut watch, 1), ["+client-silent branch"], "a day later");
    watch.seen.clients[0].genuine = 6;
    assert_eq!(hours(&mut watch, 1), ["-client-silent branch"]);
    assert_eq!(hours(&mut watch, 20), [""; 0]);
}

#[test]
fn silence_is_counted_across_a_restart_and_ends_with_the_client() {
    let mut watch = Watch::new();
    watch.settings.sensor_silent = None;
    // As the store has it: heard 20 hours before the start.
    watch.seen.heard =
        Some(Arc::new(HashMap::from([("branch".to_owned(), (START_S - 20 * 3600) * 1_000_000_000)])));
    assert_eq!(watch.short_after(HOUR), [""; 0]);
    let told = watch.after(4 * HOUR);
    assert_eq!(short(&told), ["+client-silent branch"]);
    assert!(
        told[0].message.contains("silent for 25 h") && told[0].message.contains("2026-09-20 18:13:20 UTC")
    );
    watch.restart();
    watch.seen.heard = None;
    assert_eq!(watch.short_after(HOUR), [""; 0], "told before the restart");
    watch.seen.clients.remove(0);
    assert_eq!(watch.short_after(HOUR), ["-client-silent branch"]);
}

#[test]
fn when_nobody_is_heard_it_is_said_once_for_all() {
    let mut watch = Watch::new();
    watch.seen.clients.iter_mut().for_each(|client| client.genuine = 1);
    assert_eq!(watch.minutes(12 * 60), [""; 0]);
    assert_eq!(watch.minutes(2), ["+sensor-silent"]);
    assert_eq!(watch.minutes(20 * 60), [""; 0], "and not for each client");
    watch.seen.clients[0].genuine = 2;
    assert_eq!(watch.minutes(1), ["-sensor-silent", "+client-silent head"]);
    watch.settings.client_silent = None;
    assert_eq!(watch.minutes(1), ["-client-silent head"]);
}

#[test]
fn nobody_is_missed_who_never_sent() {
    let mut watch = Watch::new();
    assert_eq!(watch.minutes(60 * 24 * 3), [""; 0]);
}

#[test]
fn a_wrong_secret_names_the_client_and_is_over_when_it_is_mended() {
    let mut watch = Watch::new();
    watch.seen.clients[0].genuine = 7;
    watch.after(HOUR);
    watch.seen.clients[0].bad_authenticators = 1;
    watch.seen.clients[0].bad_sources = vec!["192.0.2.10".parse().unwrap()];
    let told = watch.after(Duration::from_secs(1));
    assert_eq!(short(&told), ["+wrong-secret branch"]);
    assert!(told[0].message.contains("\"branch\"") && told[0].message.contains("192.0.2.10"));
    assert!(told[0].advice[0].contains("shared secret") && told[0].advice[0].contains("\"branch\""));
    for bad in 2..50 {
        watch.seen.clients[0].bad_authenticators = bad;
        assert_eq!(watch.short_after(Duration::from_secs(30)), [""; 0]);
    }
    // Silence mends nothing.
    assert_eq!(watch.minutes(300), [""; 0]);
    watch.seen.clients[0].genuine = 8;
    assert_eq!(watch.short_after(Duration::from_secs(1)), ["-wrong-secret branch"]);
}

#[test]
fn right_and_wrong_requests_side_by_side_are_one_message_until_the_wrong_ones_stay_away() {
    let mut watch = Watch::new();
    let mut told = Vec::new();
    for second in 0..3600 {
        watch.seen.clients[0].genuine += 1;
        watch.seen.clients[0].bad_message_authenticators += u64::from(second % 60 == 0);
        told.extend(watch.short_after(Duration::from_secs(1)));
    }
    // The first was by itself for long enough.
    assert_eq!(told, ["+wrong-secret branch", "-wrong-secret branch", "+wrong-secret branch"]);
    watch.seen.clients[0].genuine += 1;
    assert_eq!(watch.minutes(58), [""; 0]);
    assert_eq!(watch.minutes(5), ["-wrong-secret branch"]);
}

#[test]
fn wrong_requests_that_come_back_at_once_are_not_mended_by_right_ones() {
    let mut watch = Watch::new();
    let mut told = Vec::new();
    for second in 0..10 {
        watch.seen.clients[0].genuine += 1;
        watch.seen.clients[0].bad_authenticators += u64::from(second % 3 == 0);
        told.extend(watch.short_after(Duration::from_secs(1)));
    }
    watch.seen.clients[0].genuine += 1;
    assert_eq!(told, ["+wrong-secret branch"]);
    assert_eq!(watch.minutes(59), [""; 0]);
    assert_eq!(watch.minutes(1), ["-wrong-secret branch"]);
}

#[test]
fn a_wrong_secret_is_remembered_across_a_restart() {
    let mut watch = Watch::new();
    watch.seen.clients[0].bad_authenticators = 3;
    assert_eq!(watch.short_after(HOUR), ["+wrong-secret branch"]);
    watch.restart();
    watch.seen.clients[0].bad_authenticators = 0;
    assert_eq!(watch.minutes(120), [""; 0]);
    watch.seen.clients[0].bad_authenticators = 1;
    assert_eq!(watch.minutes(1), [""; 0]);
    watch.seen.clients[0].genuine = 1;
    assert_eq!(watch.minutes(1), ["-wrong-secret branch"]);
}

fn stranger(source: &str, datagrams: u64) -> StrangerSeen {
    StrangerSeen { source: source.parse().unwrap(), datagrams, is_client: false }
}

#[test]
fn an_unknown_client_is_named_until_it_is_configured_or_quiet() {
    let mut watch = Watch::new();
    watch.seen.strangers = vec![stranger("192.0.2.77", 1), stranger("2001:db8::7", 4)];
    let mut told = watch.short_after(HOUR);
    told.sort_unstable();
    assert_eq!(told, ["+unknown-client 192.0.2.77", "+unknown-client 2001:db8::7"]);
    watch.seen.strangers[0].datagrams = 20;
    assert_eq!(watch.minutes(60), [""; 0]);
    watch.seen.strangers[0].is_client = true;
    assert_eq!(watch.minutes(1), ["-unknown-client 192.0.2.77"]);
    assert_eq!(watch.minutes(24 * 60), ["-unknown-client 2001:db8::7"], "quiet for a day");
    assert_eq!(watch.minutes(24 * 60), [""; 0], "it is in the table still");
    watch.seen.strangers[1].datagrams = 5;
    assert_eq!(watch.minutes(1), ["+unknown-client 2001:db8::7"]);
    watch.restart();
    assert_eq!(watch.minutes(1), [""; 0]);
}

#[test]
fn invented_sources_are_one_message_together() {
    let mut watch = Watch::new();
    let mut told = Vec::new();
    for round in 0..100_u32 {
        let sources = (0..256_u32).map(|number| IpAddr::from((round * 256 + number).to_be_bytes()));
        watch.seen.strangers =
            sources.map(|source| StrangerSeen { source, datagrams: 1, is_client: false }).collect();
        told.extend(watch.short_after(Duration::from_secs(1)));
    }
    assert_eq!(told.len(), 9, "{told:?}");
    assert!(told.contains(&"+unknown-client other addresses".to_owned()));
    assert_eq!(watch.monitor.standing().len(), 9);
    watch.seen.strangers.clear();
    assert_eq!(watch.minutes(25 * 60).len(), 9, "all are over a day later");
}
