//! Names that a stranger chose, on every page that shows them.

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

/// A script, one that leaves an attribute and a title, and one that reads from right to left.
const NAMES: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"'></title><img src=x onerror=alert(2)>",
    "gpj.\u{202e}ecila",
    "javascript:alert(3)",
];

#[test]
fn names_of_strangers_are_text_on_every_page() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (number, name) in NAMES.into_iter().enumerate() {
        for (way, address) in [AT_HOME, FAR_AWAY].into_iter().enumerate() {
            let identifier = (2 * number + way) as u8;
            let session = format!("{name}{way}");
            let device = format!("{name}-{way}");
            Connection { user: name, session: &session, address, device: &device }.begin(&nas, identifier);
        }
    }
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    browser.open_until("/", NAMES[0]);

    let mut shown = 0;
    let pages = browser.for_every_page(|path| {
        let html = browser.run("return document.documentElement.outerHTML", &[]);
        let html = html.as_str().unwrap();
        assert!(!html.contains('\u{202e}'), "{path} holds a character that turns text around");
        let foreign = browser.run(
            "return [...document.querySelectorAll('main img, main script, [onerror], a[href^=javascript]')].length",
            &[],
        );
        assert_eq!(foreign, 0, "{path} holds elements of a stranger");
        shown += usize::from(browser.seen().contains(NAMES[0]));
        browser.assert_quiet();
    });
    assert!(pages > 15 && shown > 4, "{shown} of {pages} pages show the script's name");
    for name in NAMES {
        let asked: String = name.bytes().map(|octet| format!("%{octet:02X}")).collect();
        browser.open(&format!("/search?q={asked}"));
        browser.assert_quiet();
    }
}
