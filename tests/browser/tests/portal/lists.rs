//! An exclusion made from an alert, and a sink changed in place, with the keyboard alone where fields are typed.

use browser::{
    Browser, Key, lists,
    people::{self, FAR_AWAY},
};
use end_to_end::{
    Nas, Wire,
    config::{Config, SECRET},
    sensor::Home,
    wire::{NAS_V4, SENSOR_V4},
};

#[test]
fn a_network_is_excluded_for_a_while_and_a_sink_keeps_its_secret_to_itself() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let user = people::stolen(&nas);
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");

    browser.open_until("/alerts", "alice");
    browser.click("main a[href^='/alerts/']");
    browser.click_text("Exclude this network for a while");
    browser.wait_seen("Nothing is excluded.");
    browser.click("input[name=reason]");
    browser.type_text(" at her parents'");
    // Over the three parts of the day and its button.
    while browser.run("return document.activeElement.tagName", &[]) != "BUTTON" {
        browser.press(Key::Tab);
    }
    browser.press(Key::Enter);
    browser.wait_seen("Change 1");
    let seen = browser.seen();
    for part in [user, FAR_AWAY, "at her parents'", "carol@portal", "to its end (UTC)"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    browser.click_text("Change 1");
    browser.wait_seen("Change exclusion 1");
    browser.fill("input[name=place]", "CN");
    browser.click_text("Save");
    browser.wait_seen("Place CN");
    browser.click_text("Remove 1");
    browser.wait_seen("It is gone then");
    browser.click_text("Yes, remove 1");
    browser.wait_seen("Nothing is excluded.");

    lists::set(&browser);
    browser.open("/settings/sinks");
    browser.click_text("Change siem");
    browser.fill("input[name=target]", "https://evil.example/vpn");
    browser.click_text("Save");
    browser.wait_seen("give the secret again");
    // What was typed is there to be mended; what is secret is not.
    assert!(browser.has("input[name=target][value='https://evil.example/vpn']"), "{}", browser.seen());
    assert!(browser.has("input[name=secret]") && !browser.has("input[name=secret][value]"));
    browser.open("/settings/sinks/change?name=siem");
    browser.choose("select[name=min_severity]", "high");
    browser.click_text("Save");
    browser.wait_path("/settings/sinks");
    browser.click_text("Change siem");
    browser.wait_seen("Change sink siem");
    let severity = browser.run("return document.querySelector('select[name=min_severity]').value", &[]);
    assert_eq!(severity, "high");
    browser.assert_quiet_but(&["422"]);
}
