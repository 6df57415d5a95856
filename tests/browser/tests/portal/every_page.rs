//! Every page, light and dark, on a desk and on a phone: no error, no barrier, nothing out of the keyboard's reach.

use browser::{
    Browser, Shape, Theme, lists,
    people::{self, AT_HOME, Connection},
};
use end_to_end::{
    Nas, Wire,
    config::{Config, SECRET},
    sensor::Home,
    wire::{NAS_V4, SENSOR_V4},
};

/// Pages that no link leads to.
const UNLINKED: [&str; 3] = ["/search?q=alice", "/search?q=nobody", "/users?q=nobody"];

#[test]
fn every_page_is_without_errors_and_barriers_in_every_shape() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    people::stolen(&nas);
    Connection { user: "bob@contoso.example", session: "b", address: AT_HOME, device: "PC-8" }.begin(&nas, 3);
    sensor.stored();
    let browser = Browser::start(&wire.sensor);

    let link = people::link(&home, &wire.sensor, "dora", "analyst");
    let link = link.strip_prefix(browser.origin()).unwrap().to_owned();
    inspect(&browser, &["/sign-in".to_owned(), link]);

    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    lists::set(&browser);
    browser.open_until("/", "KALI");
    let mut pages = browser.kinds_of_pages();
    assert!(pages.len() >= 6, "{pages:?}");
    for page in [
        "/settings/sinks/change?",
        "/settings/sites/change?",
        "/settings/exclusions?",
        "/settings/exclusions/change?",
    ] {
        assert!(pages.iter().any(|found| found.starts_with(page)), "{page} is not among {pages:?}");
    }
    pages.extend(UNLINKED.map(str::to_owned));
    inspect(&browser, &pages);
}

fn inspect(browser: &Browser, pages: &[String]) {
    for page in pages {
        for theme in Theme::ALL {
            for shape in Shape::ALL {
                browser.show(theme, shape);
                browser.open(page);
                browser.assert_accessible();
                browser.assert_fits();
                if theme == Theme::Light {
                    browser.assert_keyboard_reaches_everything();
                }
                browser.assert_quiet();
            }
        }
    }
}
