//! A stolen account: from the overview to a closed alert; and many alerts that are closed at once.

use std::{thread, time::Duration};

use browser::{
    Browser,
    people::{self, AT_HOME, Connection, FAR_AWAY},
};
use end_to_end::{
    Nas, PATIENCE, Wire,
    config::{Config, SECRET},
    sensor::Home,
    wait_until,
    wire::{NAS_V4, SENSOR_V4},
};

#[test]
fn an_alert_is_found_on_the_overview_understood_commented_and_closed() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let user = people::stolen(&nas);
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "analyst");

    browser.open_until("/", "KALI");
    browser.click("a[href^='/alerts/']");
    browser.wait_seen("Expected");
    let seen = browser.seen();
    for part in [user, FAR_AWAY, "GB", "CN", "KALI", "PC-7", "high", "Expected", "Seen"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    browser.fill("form[action$='/comments'] input[name=comment]", "asked her: <b>not she</b>");
    browser.click("form[action$='/comments'] button");
    browser.wait_seen("asked her: <b>not she</b>");
    browser.choose("select[name=verdict]", "malicious");
    browser.click_text("Close the alert");
    browser.wait_seen("malicious, by carol@portal");
    assert!(!browser.has("select[name=verdict]"), "closed once");

    browser.open("/alerts");
    assert!(browser.text("main").contains("No alerts."), "{}", browser.seen());
    browser.choose("select[name=state]", "all");
    browser.click("main form button");
    browser.wait_seen("malicious, by carol@portal");
    let audit = people::command(&home, &wire.sensor, "audit --format json");
    assert!(audit.contains("alert.close") && audit.contains("carol@portal"), "{audit}");
    browser.assert_quiet();
}

/// Out of one place, into another: what the map of the alert shows stands beside it.
#[test]
fn the_two_points_of_a_journey_are_on_its_alert_with_time_and_speed() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    // With one device at both places it would be a database's mistake.
    let of = |session, address, device| Connection { user: "frank", session, address, device };
    of("here", AT_HOME, "PC-7").begin(&nas, 1);
    of("here", AT_HOME, "PC-7").end(&nas, 2);
    // Times are of whole seconds.
    thread::sleep(Duration::from_secs(3));
    of("there", FAR_AWAY, "KALI").begin(&nas, 3);
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "analyst");
    browser.open_until("/", "frank");
    browser.click("main a[href^='/alerts/']");
    browser.wait_seen("From one place to the other");
    let seen = browser.seen();
    for part in
        ["cannot have travelled so fast", "GB", "CN", " km", "Time between", "km/h: faster than an airliner"]
    {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    let points =
        browser.run("return document.querySelectorAll('.mapped svg .way, .mapped svg circle').length", &[]);
    assert!(points.as_u64() >= Some(3), "two points and the way between them: {points}");
    browser.assert_accessible();
}

#[test]
fn alerts_that_are_ticked_are_closed_at_once_and_no_other() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (n, user) in ["ann", "ben", "cem"].into_iter().enumerate() {
        let (here, there, identifier) = (format!("{user} here"), format!("{user} there"), 2 * n as u8);
        Connection { user, session: &here, address: AT_HOME, device: "PC-7" }.begin(&nas, identifier);
        Connection { user, session: &there, address: FAR_AWAY, device: "KALI" }.begin(&nas, identifier + 1);
    }
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "analyst");
    let ticked = || browser.run("return document.querySelectorAll('input[name=alert]:checked').length", &[]);

    browser.open_until("/alerts", "cem");
    let why = "main form[action='/alerts/close'] select[name=verdict]";
    // Nothing is chosen, and the browser sends nothing.
    browser.click_text("Close them");
    browser.wait_path("/alerts");
    browser.choose(why, "unclear");
    browser.click_text("Close them");
    browser.wait_seen("No alert was ticked.");
    browser.open("/alerts");
    browser.click("input[data-all=alert]");
    assert_eq!(ticked(), 3);
    browser.click("input[aria-label='Alert 2']");
    assert_eq!(ticked(), 2);
    browser.choose(why, "unclear");
    browser.fill("main form[action='/alerts/close'] input[name=comment]", "nobody answers");
    browser.click_text("Close them");
    wait_until("the first is closed", PATIENCE, || !browser.has("main a[href='/alerts/1']"));
    let left = browser.text("main tbody");
    assert!(left.contains("ben") && !left.contains("ann") && !left.contains("cem"), "{left}");
    browser.open("/alerts?state=unclear");
    let closed = browser.text("main tbody");
    assert!(closed.contains("ann") && closed.contains("cem") && !closed.contains("ben"), "{closed}");
    assert_eq!(closed.matches("unclear, by carol@portal").count(), 2, "{closed}");
    browser.click("main tbody a[href='/alerts/1']");
    browser.wait_seen("nobody answers");
    browser.assert_quiet_but(&["422"]);
}
