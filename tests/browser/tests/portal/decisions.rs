//! Decisions about alerts that others made before, that are done in part, or that are refused: told on a page without
//! barriers, with what was written.

use browser::{
    Browser,
    people::{self, AT_HOME, Connection, FAR_AWAY},
};
use end_to_end::{
    Nas, Wire,
    config::{Config, SECRET},
    sensor::Home,
    wire::{NAS_V4, SENSOR_V4},
};

use crate::every_page::look;

const VERDICT: &str = "main form[action$='/close'] select[name=verdict]";
const COMMENT: &str = "main form[action$='/close'] input[name=comment]";
/// What the field of the form for closing holds.
const WRITTEN: &str = "return document.querySelector(\"form[action$='/close'] input[name=comment]\").value";

#[test]
fn who_decides_second_in_part_or_without_a_reason_is_told_and_loses_nothing() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (n, user) in ["ann", "ben", "cem", "dan"].into_iter().enumerate() {
        let (here, there, identifier) = (format!("{user} here"), format!("{user} there"), 2 * n as u8);
        Connection { user, session: &here, address: AT_HOME, device: "PC-7" }.begin(&nas, identifier);
        Connection { user, session: &there, address: FAR_AWAY, device: "KALI" }.begin(&nas, identifier + 1);
    }
    sensor.stored();
    let browser = &Browser::start(&wire.sensor);
    people::sign_in(browser, &home, &wire.sensor, "carol", "analyst");

    // One of two that are ticked is closed in another tab meanwhile, by one button.
    browser.open_until("/alerts", "dan");
    let other = browser.new_tab();
    browser.open("/alerts/1");
    browser.click_text("Usual for this user");
    browser.wait_seen("usual, by carol@portal");
    assert!(!browser.has("main form"), "nothing is decided about what is closed: {}", browser.seen());
    browser.go_to_tab(0);
    browser.click("input[aria-label='Alert 1']");
    browser.click("input[aria-label='Alert 2']");
    browser.choose(VERDICT, "unclear");
    browser.click_text("Close them");
    browser.wait_seen("stays as it is: alert 1 is closed already: as usual by carol@portal");
    assert!(browser.text("main").contains("Alert 2 is closed."), "{}", browser.seen());
    look(browser, &[]);

    // Closed in the other tab: who did it as what, and the text to be kept elsewhere.
    browser.open("/alerts/3");
    browser.go_to_tab(other);
    browser.open("/alerts/3");
    browser.choose(VERDICT, "malicious");
    browser.click_text("Close the alert");
    browser.wait_seen("malicious, by carol@portal");
    browser.go_to_tab(0);
    browser.choose(VERDICT, "usual");
    browser.fill(COMMENT, "asked her");
    browser.click_text("Close the alert");
    browser.wait_seen("alert 3 is closed already: as malicious by carol@portal");
    assert_eq!(browser.run("return document.querySelector('main textarea').value", &[]), "asked her");
    look(browser, &["409"]);

    // Commented in the other tab: the alert as it is now, with what was chosen and written.
    browser.open("/alerts/4");
    browser.go_to_tab(other);
    browser.open("/alerts/4");
    browser.fill("main form[action$='/comments'] input[name=comment]", "he is on a trip");
    browser.click_text("Write");
    browser.wait_seen("he is on a trip");
    browser.go_to_tab(0);
    browser.choose(VERDICT, "malicious");
    browser.fill(COMMENT, "nobody answers");
    browser.click_text("Close the alert");
    browser.wait_seen("changed since you looked at it");
    assert!(browser.seen().contains("he is on a trip"), "{}", browser.seen());
    assert_eq!(browser.run(WRITTEN, &[]), "nobody answers");
    look(browser, &["409"]);

    // Browsers do not send a form without a reason; another program may.
    browser.run(&format!("document.querySelector(\"{VERDICT}\").required = false"), &[]);
    browser.choose(VERDICT, "");
    browser.click_text("Close the alert");
    browser.wait_seen("It is not closed: choose what it was.");
    assert_eq!(browser.run(WRITTEN, &[]), "nobody answers");
    look(browser, &["422"]);
    browser.choose(VERDICT, "unclear");
    browser.click_text("Close the alert");
    browser.wait_seen("unclear, by carol@portal");
    browser.assert_quiet();
}
