//! What is on the first page: what is wrong and what to do, who is on line, latency by stage.

use std::sync::Arc;

use service::{
    alert::Severity,
    control::Role,
    health::{Condition, Standing},
};

use crate::{
    check,
    host::{Host, Login},
    sensing::look,
};

#[test]
fn a_health_message_says_since_when_once_and_what_to_do() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in("carol");
    host.health.send_replace(Arc::from([Standing {
        condition: Condition::WrongSecret,
        subject: "<b>branch</b>".to_owned(),
        severity: Severity::High,
        since_unix_ns: 1_790_000_000_000_000_000,
        told_unix_ns: 1_790_000_100_000_000_000,
        message: "Requests of the client do not verify.".to_owned(),
        advice: vec!["Compare the shared secret.".to_owned(), "The runbook has more.".to_owned()],
    }]));
    let overview = carol.get("/");
    check(&overview, "overview");
    for part in [
        "wrong-secret <bdi>&lt;b&gt;branch&lt;/b&gt;</bdi>",
        "Requests of the client do not verify.",
        "<li><bdi>Compare the shared secret.</bdi></li>",
        "<li><bdi>The runbook has more.</bdi></li>",
        ">2026-09-21 14:13 UTC</time>.",
    ] {
        assert!(overview.text.contains(part), "{part:?} is not in {}", overview.text);
    }
    assert_eq!(overview.text.matches("Since").count(), 1, "{}", overview.text);
}

#[test]
fn from_what_is_wrong_with_a_sender_an_administrator_is_led_to_where_it_is_mended() {
    let host = Host::start(&["alice"]);
    let standing = |condition, subject: &str| Standing {
        condition,
        subject: subject.to_owned(),
        severity: Severity::Low,
        since_unix_ns: 1_790_000_000_000_000_000,
        told_unix_ns: 1_790_000_100_000_000_000,
        message: String::new(),
        advice: Vec::new(),
    };
    host.health.send_replace(Arc::from([
        standing(Condition::UnknownClient, "2001:db8::7"),
        standing(Condition::UnknownClient, "others"),
        standing(Condition::WrongSecret, "branch"),
        standing(Condition::ClientSilent, "branch"),
    ]));
    let carol = host.signed_in_as("carol", Role::Administrator).get("/");
    check(&carol, "overview");
    let dave = host.signed_in("dave").get("/");
    for (count, words) in [(2, "Let it in, or see who it is"), (1, "Try a secret and set it")] {
        let link = format!("href=\"/settings/listening\">{words}</a>");
        assert_eq!(carol.text.matches(&link).count(), count, "{link:?} in {}", carol.text);
        assert!(!dave.text.contains(words), "an analyst may not: {}", dave.text);
    }
    assert_eq!(carol.text.matches("/settings/listening").count(), 3);
}

#[test]
fn who_is_on_line_is_counted_over_all_vpn_servers_and_the_busiest_come_first() {
    let login = |number: u64, server: u64| Login {
        user: format!("user{number}"),
        server: format!("gateway-{server:02}"),
        after_s: number,
    };
    let mut logins: Vec<Login> = (0..60).map(|number| login(number, number)).collect();
    logins.extend([login(60, 59), login(61, 59), login(62, 58)]);
    let host = Host::after(&logins);
    let carol = host.signed_in("carol");
    let overview = carol.get("/");
    check(&overview, "overview");
    assert!(overview.text.contains("On line now: 63 connections"), "{}", overview.text);
    let (_, card) = overview.text.split_once("those with the most connections on line first").unwrap();
    let (card, _) = card.split_once("</section>").unwrap();
    let names = |text: &str| -> Vec<String> {
        let parts = text.split("<bdi>gateway-").skip(1);
        parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(card)[..4], ["59", "58", "00", "01"]);
    assert!(names(card).len() < 60 && card.contains("href=\"/servers\""), "{card}");

    let mut page = "/servers".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = carol.get(&page);
        check(&answer, &page);
        assert!(answer.text.contains("63 on line now"), "{}", answer.text);
        seen.extend(names(&answer.text));
        match answer.text.split_once("href=\"/servers?cursor=") {
            Some((_, rest)) => page = format!("/servers?cursor={}", rest.split('"').next().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, (0..60).map(|number| format!("{number:02}")).collect::<Vec<_>>(), "each once");
}

#[test]
fn a_sensor_that_has_recorded_nothing_yet_is_listed_with_its_state() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in("carol");
    let mut now = look(1_790_000_100, 0);
    now.name = "<new>".to_owned();
    host.sensor.note(now.clone());
    let overview = carol.get("/");
    check(&overview, "overview");
    let row = |text: &str| text.matches("<td><bdi>&lt;new&gt;</bdi></td>").count();
    assert_eq!(row(&overview.text), 1, "{}", overview.text);
    assert!(overview.text.contains("none yet"), "{}", overview.text);
    now.name = "vpn-sensor".to_owned();
    host.sensor.note(now);
    assert!(!carol.get("/").text.contains("none yet"), "it is in the records");
}

#[test]
fn latency_is_shown_of_the_stage_that_is_chosen() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in("carol");
    for step in 0..20 {
        let mut now = look(1_790_000_100 + 10 * step, 500 * step);
        let mut commit = now.stages[0].clone();
        commit.stage = "commit".to_owned();
        now.stages.push(commit);
        host.sensor.note(now);
    }
    for (page, stage, other) in [
        ("/", "total", "commit"),
        ("/?stage=commit", "commit", "total"),
        ("/?stage=nothing", "total", "commit"),
        ("/sensors?stage=commit&minutes=15", "commit", "total"),
    ] {
        let answer = carol.get(page);
        check(&answer, page);
        let heat = |stage: &str| format!("Requests by how long they took: {stage}");
        let latency = format!("Latency: {stage}");
        for part in [&*heat(stage), &latency, "p50 ", "p99.9 ", &format!("stage={other}#plots\">{other}</a>")]
        {
            assert!(answer.text.contains(part), "{page}: {part:?} is not in {}", answer.text);
        }
        assert!(!answer.text.contains(&heat(other)), "{page}: {}", answer.text);
    }
}
