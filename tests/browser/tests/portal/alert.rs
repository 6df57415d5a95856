//! A stolen account: from the overview to a closed alert.

use browser::{
    Browser,
    people::{self, FAR_AWAY},
};
use end_to_end::{
    Nas, Wire,
    config::{Config, SECRET},
    sensor::Home,
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
