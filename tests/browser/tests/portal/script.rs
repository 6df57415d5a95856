//! What the script adds, and what paper leaves out: lists that follow what is typed, one box that ticks all, printing.

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
use serde_json::json;

/// How many of the page's boxes are ticked, and how many there are.
const TICKED: &str = "
    const all = [...document.querySelectorAll('input[name=alert]')];
    return [all.filter(box => box.checked).length, all.length]";
/// Of each end of an axis of time what is shown, what should be, and what is shown on hover.
const ENDS: &str = "
    const zone = { timeZone: 'Asia/Kolkata', timeStyle: 'short' };
    return [...document.querySelectorAll('text[data-unix]')].map(e => [
        e.firstChild.data, new Date(e.dataset.unix * 1000).toLocaleTimeString(undefined, zone),
        e.querySelector('title').textContent])";
/// Puts the focus on a link of the results, and types without taking it away: an answer comes when its reader is in the list.
const FOCUS_AND_TYPE: &str = "
    document.querySelector('#results ' + arguments[0]).focus();
    const input = document.querySelector('main input[type=search]');
    input.value = arguments[1];
    input.dispatchEvent(new Event('input'));";
/// Which elements that a selector finds take room on the page.
const SHOWN: &str = "
    const all = [...document.querySelectorAll(arguments[0])];
    return all.filter(e => e.getClientRects().length > 0).map(e => e.outerHTML.slice(0, 120))";

/// Which elements are wider than the page.
const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    const all = [...document.querySelectorAll('main *')];
    return all.filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 120))";

#[test]
fn lists_follow_what_is_typed_one_box_ticks_all_and_paper_has_no_menus() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (number, user) in ["alice@contoso.example", "bob@contoso.example"].into_iter().enumerate() {
        for (way, address) in [AT_HOME, FAR_AWAY].into_iter().enumerate() {
            let identifier = (2 * number + way) as u8;
            let session = format!("{number}-{way}");
            let device = format!("PC-{session}");
            Connection { user, session: &session, address, device: &device }.begin(&nas, identifier);
        }
    }
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "analyst");

    browser.open_until("/users", "bob@contoso.example");
    browser.run("window.isSame = true; window.results = document.getElementById('results')", &[]);
    assert_eq!(browser.text("#results-count"), "2 users");
    browser.fill("main input[type=search]", "ALI");
    wait_until("bob is gone", PATIENCE, || !browser.text("#results").contains("bob@contoso.example"));
    assert!(browser.text("#results").contains("alice@contoso.example"), "{}", browser.seen());
    assert_eq!(browser.path(), "/users?q=ALI", "which can be kept");
    // That is read out, in an element that stays; the table is not, and keeps the focus of a row that is still there.
    assert_eq!(browser.text("#results-count"), "1 user");
    assert!(browser.has("#results-count[role=status]") && !browser.has("#results[aria-live]"));
    browser.fill("main input[type=search]", "contoso");
    wait_until("bob is back", PATIENCE, || browser.text("#results").contains("bob@contoso.example"));
    browser.run(FOCUS_AND_TYPE, &[json!("a[href*=alice]"), json!("alic")]);
    wait_until("bob is gone", PATIENCE, || !browser.text("#results").contains("bob@contoso.example"));
    assert_eq!(browser.run("return document.activeElement.textContent", &[]), "alice@contoso.example");
    let is_same = "return window.results === document.getElementById('results')";
    assert_eq!(browser.run(is_same, &[]), true);
    browser.fill("main input[type=search]", "nobody");
    browser.wait_seen("Nobody has nobody in the name");
    assert_eq!(browser.text("#results-count"), "0 users");
    assert_eq!(browser.run("return window.isSame === true", &[]), true, "without another page");

    browser.open_until("/alerts", "alice@contoso.example");
    browser.open_until("/alerts", "bob@contoso.example");
    let all = browser.run(TICKED, &[])[1].clone();
    assert!(all.as_u64() >= Some(2), "{}", browser.seen());
    browser.click("input[data-all=alert]");
    assert_eq!(browser.run(TICKED, &[]), json!([all, all]));
    browser.click("input[data-all=alert]");
    assert_eq!(browser.run(TICKED, &[]), json!([0, all]));

    // Times, those at the ends of plots as well, are of the viewer's zone; all of the moment is there on hover.
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Kolkata"}));
    let ends = || {
        browser.open("/");
        browser.run(ENDS, &[]).as_array().unwrap().clone()
    };
    wait_until("plots have an axis of time", PATIENCE, || ends().len() >= 4);
    for end in ends() {
        assert_eq!(end[0], end[1], "the hour in Kolkata");
        assert!(end[2].as_str().unwrap().ends_with('Z'), "{end}");
    }

    browser.open("/users/alice@contoso.example");
    let menus = "header, header a, form:not(:has(table)), input, select, button, .skip, .exports";
    assert_ne!(browser.run(SHOWN, &[menus.into()]), json!([]));
    assert!(!browser.text("main").contains("Times are those of"), "each time says it on hover");
    browser.command("Emulation.setEmulatedMedia", json!({"media": "print"}));
    for page in ["/users/alice@contoso.example", "/alerts", "/"] {
        browser.open(page);
        assert_eq!(browser.run(SHOWN, &[menus.into()]), json!([]), "{page}, on paper");
        assert!(browser.text("main").contains("alice@contoso.example"), "{page}: {}", browser.seen());
        // Chromium has the older of the two names of Kolkata.
        assert!(browser.text("main").contains("Times are those of Asia/"), "{page}: {}", browser.seen());
        // A4 upright, less its margins. What is wider would make everything small.
        let paper = json!({"width": 720, "height": 1040, "deviceScaleFactor": 1, "mobile": false});
        browser.command("Emulation.setDeviceMetricsOverride", paper);
        assert_eq!(browser.run(TOO_WIDE, &[]), json!([]), "{page}, on paper");
    }
    browser.assert_quiet();
}
