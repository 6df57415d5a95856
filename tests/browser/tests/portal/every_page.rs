//! Every page, light and dark, on a desk and on a phone: no error, no barrier, nothing out of the keyboard's reach.

use browser::{
    Browser, Shape, Theme, lists,
    people::{self, AT_HOME, Connection},
    tabs::{self, FIELD},
};
use end_to_end::{
    Nas, Wire,
    config::{Config, SECRET},
    requests::start,
    sensor::{Home, Sensor},
    wire::{NAS_V4, SENSOR_V4},
};

/// Pages that no link leads to.
const UNLINKED: [&str; 3] = [FOUND, "/search?q=nobody", "/users?q=nobody"];
/// A search that finds several people: with one alone it leads to the page of her.
const FOUND: &str = "/search?q=contoso";

/// Opens all that is folded; how many there were.
const UNFOLD: &str = "
    const folded = [...document.querySelectorAll('details:not([open])')];
    folded.forEach(details => { details.open = true; });
    return folded.length;";

#[test]
fn every_page_of_what_people_look_at_is_without_errors_and_barriers_in_every_shape() {
    let stage = Stage::new();
    let browser = &Browser::start(&stage.wire.sensor);
    let _sensor = stage.set(browser);
    let mut pages = browser.kinds_of_pages();
    pages.retain(|page| !page.starts_with(SETTINGS));
    assert!(pages.len() >= 6, "{pages:?}");
    pages.extend(UNLINKED.map(str::to_owned));
    browser.open(FOUND);
    let found = browser.text("main");
    assert!(found.contains("alice@contoso.example") && found.contains("bob@contoso.example"), "{found}");
    inspect(browser, &pages);

    browser.forget_cookies();
    let link = people::link(&stage.home, &stage.wire.sensor, "dora", "analyst");
    let link = link.strip_prefix(browser.origin()).unwrap().to_owned();
    inspect(browser, &["/sign-in".to_owned(), link]);
}

#[test]
fn every_page_of_settings_is_without_errors_and_barriers_in_every_shape() {
    let stage = Stage::new();
    let browser = &Browser::start(&stage.wire.sensor);
    let _sensor = stage.set(browser);
    let mut pages = browser.kinds_of_pages();
    pages.retain(|page| page.starts_with(SETTINGS));
    for page in [
        "/settings/sinks/change?",
        "/settings/sites/change?",
        "/settings/exclusions?",
        "/settings/exclusions/change?",
        "/settings/listening/192.0.2.10",
    ] {
        assert!(pages.iter().any(|found| found.starts_with(page)), "{page} is not among {pages:?}");
    }
    inspect(browser, &pages);
}

/// What settings' addresses begin with.
const SETTINGS: &str = "/settings";

/// Where a sensor has something of everything to show.
struct Stage {
    wire: Wire,
    home: Home,
}

impl Stage {
    fn new() -> Stage {
        Stage { wire: Wire::new(), home: Home::new(&Config::udp()) }
    }

    /// Starts the sensor; an alert, a wrong secret and one of each setting are there, and an administrator has signed in.
    fn set(&self, browser: &Browser) -> Sensor<'_> {
        let Stage { wire, home } = self;
        let sensor = home.start(&wire.sensor);
        let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
        people::stolen(&nas);
        Connection { user: "bob@contoso.example", session: "b", address: AT_HOME, device: "PC-8" }
            .begin(&nas, 3);
        sensor.stored();
        let wrong = "another secret than the one";
        Nas::new(&wire.nas, NAS_V4, SENSOR_V4, wrong).send(&start(4, "wrong", wrong));
        people::sign_in(browser, home, &wire.sensor, "carol", "administrator");
        lists::set(browser);
        browser.open_until("/", "KALI");
        sensor
    }
}

/// Secrets, links and tokens as they are given away, and refusals of what was sent.
#[test]
fn pages_that_are_shown_once_and_refusals_are_without_barriers_in_every_shape() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let browser = &Browser::start(&wire.sensor);
    people::sign_in(browser, &home, &wire.sensor, "carol", "administrator");

    browser.open("/settings/clients");
    browser.fill("form.narrow input[name=name]", "branch");
    browser.fill("form.narrow input[name=address]", "198.51.100.0/24");
    browser.click_text("Add it and generate a secret");
    browser.wait_seen("shown this once");
    look(browser, &[]);
    // The card of a client that is set here, with all that can be changed.
    inspect(browser, &["/settings/clients".to_owned()]);

    browser.open("/settings/tokens");
    browser.fill("input[name=name]", "script");
    browser.click_text("Make it");
    browser.wait_seen("shown this once");
    look(browser, &[]);

    browser.open("/settings/people");
    browser.fill("form.narrow input[name=account]", "frank");
    browser.choose("form.narrow select[name=role]", "analyst");
    browser.click_text("Make a link");
    browser.wait_seen("/link/");
    look(browser, &[]);

    browser.open("/users/nobody-of-this-name");
    browser.wait_seen("Not Found");
    look(browser, &["404"]);

    browser.open("/settings/detections");
    browser.fill(FIELD, "7");
    browser.click_text("Save");
    browser.wait_seen("nothing was changed");
    look(browser, &["422"]);

    tabs::change_in_both(browser);
    look(browser, &["409"]);

    browser.forget_cookies();
    people::sign_in(browser, &home, &wire.sensor, "erin", "analyst");
    browser.open("/settings/vpn");
    browser.wait_seen("for administrators");
    look(browser, &["403"]);
}

fn inspect(browser: &Browser, pages: &[String]) {
    for page in pages {
        browser.open(page);
        look(browser, &[]);
        // What is folded is looked at by those who unfold it.
        let folded = browser.run(UNFOLD, &[]);
        if folded.as_u64() > Some(0) {
            look(browser, &[]);
        }
    }
}

/// Looks at the page as it stands, in every shape; the browser may have noted these answers.
pub(crate) fn look(browser: &Browser, answers: &[&str]) {
    for theme in Theme::ALL {
        for shape in Shape::ALL {
            browser.show(theme, shape);
            browser.assert_accessible();
            browser.assert_fits();
            browser.assert_drawings_are_legible();
            if theme == Theme::Light {
                browser.assert_keyboard_reaches_everything();
            }
            browser.assert_quiet_but(answers);
        }
    }
    browser.show(Theme::Light, Shape::Narrow);
    browser.assert_fits();
}
