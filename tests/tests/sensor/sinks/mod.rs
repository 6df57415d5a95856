//! Four VPN servers, a month of a company that teaches, stolen accounts; and the alerts of them on their way out: a JSON
//! file, a CEF file, OCSF and CEF to Debian's rsyslogd over TLS, a webhook, Debian's exim with TLS and a login.

mod company;
mod dead;
mod mail;
mod peers;
mod rsyslog;
mod webhook;

use std::time::{Duration, Instant};

use company::{Company, THEFTS, Theft};
use end_to_end::{
    Nas, PATIENCE, Wire, config::SECRET, requests::start, sensor::Home, tools::output, wait_until,
    wire::SENSOR_V4,
};
use peers::{Arrived, Peers};
use serde_json::Value;

/// What an alert may take from its datagram to its sinks.
const IN_TIME: Duration = Duration::from_secs(5);

fn alerts(wire: &Wire, home: &Home) -> Vec<Value> {
    let output = output(&mut home.command(&wire.sensor, "alerts --format json"));
    assert!(output.status.success(), "{output:?}");
    let lines = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_theft_through_each_vendor_raises_one_alert_that_is_in_every_sink_within_five_seconds() {
    let wire = Wire::new();
    let peers = Peers::start(&wire.sensor);
    let home = Home::new(&company::config().lines(&peers.sinks()));
    let company = Company::new(&wire, &home);
    let sensor = home.start(&wire.sensor);
    company.live_a_month();
    sensor.stored();
    assert!(alerts(&wire, &home).is_empty(), "nobody of the month was a stranger");

    for theft in &THEFTS {
        let began = Instant::now();
        company.suffer(theft);
        peers.wait_for(theft, IN_TIME);
        assert!(began.elapsed() < IN_TIME, "{theft:?}: {:?}", began.elapsed());
    }
    let raised = alerts(&wire, &home);
    assert_eq!(raised.len(), THEFTS.len(), "{raised:#?}");
    for theft in &THEFTS {
        let alert = raised.iter().find(|alert| alert["user"] == theft.user).unwrap();
        let message = alert["message"].as_str().unwrap();
        for said in [theft.user, theft.country, "usual: DE", "hosting"] {
            assert!(message.contains(said), "{said}: {message}");
        }
        // The same alert in all of them, once each.
        for (sink, arrived) in peers.arrived() {
            let of_user: Vec<&Arrived> =
                arrived.iter().filter(|arrived| arrived.user == theft.user).collect();
            let [arrived] = of_user[..] else { panic!("{sink}: {of_user:#?}") };
            assert!(!arrived.is_marked, "{sink}: {arrived:?}");
            assert!(arrived.number.is_none_or(|number| alert["number"] == number), "{sink}: {arrived:?}");
            assert!(arrived.text.contains(message), "{sink}: {arrived:?}");
        }
    }

    // Neither a start nor a store made again sends anything again.
    let before = peers.arrived();
    sensor.stop();
    let rebuilt = output(&mut home.command(&wire.sensor, "rebuild"));
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    let sensor = home.start(&wire.sensor);
    let next = Theft { name: "CONTOSO\\grace", user: "grace@contoso.example", ..THEFTS[0] };
    company.suffer(&next);
    peers.wait_for(&next, PATIENCE);
    sensor.stop();
    for ((sink, before), (_, after)) in before.iter().zip(peers.arrived()) {
        let (again, new) = after.split_at(before.len());
        assert_eq!(again, before, "{sink}");
        let [new] = new else { panic!("{sink}: {new:#?}") };
        assert_eq!(new.user, next.user, "{sink}");
    }
}

#[test]
fn killed_behind_the_answer_every_sink_has_the_alert_and_a_second_one_is_marked() {
    const USERS: [&str; 5] = ["bob", "heidi", "nadia", "trent", "wendy"];
    let wire = Wire::new();
    let peers = Peers::start(&wire.sensor);
    let home = Home::new(&company::config().lines(&peers.sinks()));
    let company = Company::new(&wire, &home);
    let mut sensor = home.start(&wire.sensor);
    company.live_a_month();
    sensor.stored();
    for (number, name) in (0..).zip(USERS) {
        let user = format!("{name}@contoso.example");
        let theft = Theft { name, user: &user, address: &format!("128.199.64.{}", 23 + number), ..THEFTS[3] };
        company.suffer(&theft);
        // At once, or while it is on its way.
        std::thread::sleep(Duration::from_millis(100 * number));
        sensor.kill();
        sensor = home.start(&wire.sensor);
        peers.wait_for(&theft, PATIENCE);
    }
    sensor.stop();
    for (sink, arrived) in peers.arrived() {
        for name in USERS {
            let user = format!("{name}@contoso.example");
            let of_user: Vec<&Arrived> = arrived.iter().filter(|arrived| arrived.user == user).collect();
            let unmarked = of_user.iter().filter(|arrived| !arrived.is_marked).count();
            assert!(!of_user.is_empty() && unmarked <= 1, "{sink}: {of_user:#?}");
            assert!(of_user.iter().all(|one| one.number == of_user[0].number), "{sink}: {of_user:#?}");
        }
    }
}

#[test]
fn a_health_message_is_a_line_of_cef_over_tls_and_a_letter_and_so_is_its_end() {
    let wire = Wire::new();
    let peers = Peers::start(&wire.sensor);
    let home = Home::new(&company::config().lines(&peers.sinks()));
    Company::new(&wire, &home);
    let sensor = home.start(&wire.sensor);
    // The first of the company's VPN servers.
    let nas = |secret| Nas::new(&wire.nas, [192, 0, 2, 11], SENSOR_V4, secret);
    let wrong = "not the secret of this server";
    (0..5).for_each(|identifier| nas(wrong).send(&start(identifier, "wrong", wrong)));
    wait_until("both are told", PATIENCE, || peers.health("wrong-secret").iter().all(|told| told.len() == 1));
    nas(SECRET).ask(&start(10, "right", SECRET));
    wait_until("both are told that it is over", PATIENCE, || {
        peers.health("wrong-secret").iter().all(|told| told.len() == 2)
    });
    sensor.stop();
    let [cef, letters] = peers.health("wrong-secret");
    for (line, state) in cef.iter().zip(["new", "closed"]) {
        for part in ["wrong-secret".to_owned(), "cs4=rras".to_owned(), format!("cs2={state}")] {
            assert!(line.contains(&part), "{part}: {line}");
        }
    }
    for (letter, state) in letters.iter().zip(["[high]", "[over]"]) {
        for part in
            [format!("{state} wrong-secret: rras"), "rras".to_owned(), "Sent by vpn-sensor".to_owned()]
        {
            assert!(letter.contains(&part), "{part}: {letter}");
        }
    }
    assert!(letters[0].contains("What to do:") && letters[0].contains("shared secret"), "{}", letters[0]);
}
