//! What happens now appears by itself, and leaves alone what its reader does: guides stay open, the focus stays.

use browser::{Browser, people};
use end_to_end::{
    Nas, PATIENCE, Wire,
    config::Config,
    requests::start,
    sensor::Home,
    wait_until,
    wire::{NAS_V4, SENSOR_V4},
};
use serde_json::{Value, json};

/// Words of what has the focus.
const FOCUSED: &str = "return document.activeElement.textContent";
/// Words of guides that are open.
const OPEN: &str = "return [...document.querySelectorAll('details[open] summary')].map(e => e.textContent)";

/// A page that is loaded anew has no mark.
fn mark(browser: &Browser) {
    browser.run("window.isSame = true", &[]);
}

fn is_same(browser: &Browser) -> bool {
    browser.run("return window.isSame === true", &[]) == true
}

#[test]
fn a_new_sender_appears_while_a_guide_stays_open_and_keeps_the_focus() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start_without_a_file(&wire.sensor);
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, "a secret that is not known");

    browser.open("/settings/listening");
    assert!(browser.text("main").contains("Stand still Listening"), "{}", browser.seen());
    mark(&browser);
    browser.click_text("Check Point");
    nas.send(&start(1, "first", "a secret that is not known"));
    browser.wait_seen("Mend 192.0.2.10");
    assert!(browser.text("#live-count").contains("One sender."));
    // Two looks of the page go by.
    std::thread::sleep(std::time::Duration::from_secs(7));
    assert_eq!(browser.run(OPEN, &[]), json!(["Check Point"]));
    assert_eq!(browser.run(FOCUSED, &[]), "Check Point");

    // What is replaced keeps it as well.
    browser.run("document.querySelector('#live-refused a').focus()", &[]);
    let count = browser.text("#live-refused td.figure");
    nas.send(&start(2, "second", "a secret that is not known"));
    wait_until("it is counted", PATIENCE, || browser.text("#live-refused td.figure") != count);
    assert_eq!(browser.run(FOCUSED, &[]), "Mend 192.0.2.10");
    assert!(is_same(&browser));

    browser.click_text("Stand still");
    browser.wait_path("/settings/listening?still=true");
    let asked = |browser: &Browser| browser.requests().into_iter().filter(|url| url.contains("listening"));
    drop(asked(&browser));
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(asked(&browser).count(), 0, "it stands still");
    browser.assert_quiet();

    // Without a script the page is loaded anew instead.
    browser.command("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.open("/settings/listening");
    browser.wait_path("/settings/listening?look=1");
    browser.assert_quiet();
}

#[test]
fn plots_of_the_sensor_go_on_by_themselves() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "analyst");
    browser.open_until("/sensors?minutes=15", "Records that wait");
    mark(&browser);
    let drawn = |browser: &Browser| -> Value {
        browser.run("return document.querySelector('#live-plots').innerHTML", &[])
    };
    let first = drawn(&browser);
    wait_until("the plots go on", PATIENCE, || drawn(&browser) != first);
    assert!(is_same(&browser));
    browser.assert_quiet();
}
