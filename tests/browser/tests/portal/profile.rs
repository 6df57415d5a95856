//! From the overview to a user's profile, and to her device.

use browser::{
    Browser,
    people::{self, AT_HOME, Connection},
};
use end_to_end::{
    Nas, Wire,
    config::{Config, SECRET},
    sensor::Home,
    wire::{NAS_V4, SENSOR_V4},
};

#[test]
fn who_connects_is_on_the_overview_and_has_a_profile_with_place_and_device() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let hers = Connection { user: "alice@contoso.example", session: "s1", address: AT_HOME, device: "PC-7" };
    hers.begin(&nas, 1);
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "analyst");

    browser.open_until("/", "alice@contoso.example");
    let overview = browser.seen();
    assert!(overview.contains("gateway") && overview.contains("PC-7"), "{overview}");
    browser.click_text("alice@contoso.example");
    browser.wait_path("/users/alice@contoso.example");
    let profile = browser.seen();
    for part in ["VPN locations", AT_HOME, "What is usual", "PC-7", "on line"] {
        assert!(profile.contains(part), "{part}: {profile}");
    }
    // A time is that of the browser's zone, and the absolute one stays.
    assert!(!browser.text("main time").contains("UTC"));
    assert!(browser.has("main time[title*='T'][title$='Z']"));

    hers.end(&nas, 2);
    browser.open_until("/users/alice@contoso.example", "User-Request");
    browser.click_text("PC-7");
    browser.wait_path("/devices/PC-7");
    assert!(browser.seen().contains("alice@contoso.example"), "{}", browser.seen());
    browser.fill("input[name=q]", "alice");
    browser.click(".search button");
    browser.wait_seen("What is usual");
    browser.wait_path("/users/alice@contoso.example");
    browser.assert_quiet();
}
