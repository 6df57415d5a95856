//! The page of a run in a browser: what it answers is seen without scrolling, and it asks nobody for anything.
//! `results.jsonl` is from quick runs of the benches on a machine that was busy: figures of the right shape, not to be quoted.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

use benches::measure::{Measurement, WHOLE};
use browser::{Browser, Shape, Theme};
use end_to_end::Namespace;
use serde_json::json;

const RESULTS: &str = include_str!("results.jsonl");
/// A window of this size is what the page is laid out for, pixels.
const WINDOW: (u32, u32) = (1280, 800);

/// Of each element that a selector finds: what it says, and its edges.
const PLACES: &str = "
    return [...document.querySelectorAll(arguments[0])].map(e => {
        const box = e.getBoundingClientRect();
        return [(e.textContent || e.tagName).trim().slice(0, 80), box.left, box.top, box.right, box.bottom];
    });";
/// What the three answers consist of: sentences with their figures, bars of the servers, bars of the stages.
const ANSWERS: [(&str, usize); 5] = [
    ("section[aria-label='Is it faster?'] .headlines p", 6),
    ("section[aria-label='By how much?'] svg", 2),
    ("section[aria-label='By how much?'] p", 1),
    ("section[aria-label='Where does time go?'] svg", 2),
    ("section[aria-label='Where does time go?'] p", 2),
];

/// Writes the page of these results and returns its path.
fn page(folder: &Path, results: &str, against: bool) -> String {
    let (json, html) = (folder.join("results.jsonl"), folder.join("report.html"));
    fs::write(&json, results).unwrap();
    let mut report = Command::new(env!("CARGO_BIN_EXE_report"));
    report.arg(&json).arg("--out").arg(&html);
    if against {
        report.arg("--against").arg(&json);
    }
    assert!(report.status().unwrap().success());
    html.display().to_string()
}

/// Fails unless each of the elements lies within the window.
fn assert_seen(browser: &Browser, css: &str, count: usize) {
    let places = browser.run(PLACES, &[json!(css)]);
    let places = places.as_array().unwrap();
    assert_eq!(places.len(), count, "{css}: {places:?}");
    for place in places {
        let edge = |index: usize| place[index].as_f64().unwrap();
        let (left, top, right, bottom) = (edge(1), edge(2), edge(3), edge(4));
        let within = left >= 0.0 && top >= 0.0 && right <= WINDOW.0.into() && bottom <= WINDOW.1.into();
        assert!(within && right - left > 50.0 && bottom - top > 10.0, "out of sight: {css}: {place}");
    }
}

#[test]
fn what_the_page_answers_is_seen_without_scrolling() {
    let namespace = Namespace::new("report");
    let browser = Browser::start_at(&namespace, "file://", &[]);
    let folder = tempfile::tempdir().unwrap();
    // What a host lacks and what failed is said too, and takes room.
    let reason = "the sensor does not become ready in 20s: ".repeat(7);
    let mut worst = RESULTS.to_owned();
    for (bench, path) in [("wire", "freeradius"), ("memory", WHOLE), ("portal", WHOLE)] {
        let missing = Measurement::missing(bench, "everything", path, &reason);
        worst += &(serde_json::to_string(&missing).unwrap() + "\n");
    }
    for (results, against) in [(RESULTS, false), (RESULTS, true), (&worst, true)] {
        let path = page(folder.path(), results, against);
        for theme in Theme::ALL {
            browser.show(theme, Shape::Desktop);
            let size =
                json!({"width": WINDOW.0, "height": WINDOW.1, "deviceScaleFactor": 1, "mobile": false});
            browser.command("Emulation.setDeviceMetricsOverride", size);
            browser.open(&path);
            assert_eq!(browser.run("return [scrollX, scrollY]", &[]), json!([0, 0]));
            for (css, count) in ANSWERS {
                assert_seen(&browser, css, count);
            }
            browser.assert_fits();
            let asked = browser.requests();
            assert!(asked.iter().all(|url| *url == format!("file://{path}")), "{asked:?}");
            browser.assert_quiet();
        }
    }
}

#[test]
fn the_page_is_there_for_everybody() {
    let namespace = Namespace::new("report");
    let browser = Browser::start_at(&namespace, "file://", &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = page(folder.path(), RESULTS, true);
    for theme in Theme::ALL {
        for shape in Shape::ALL {
            browser.show(theme, shape);
            browser.open(&path);
            browser.assert_accessible();
            browser.assert_fits();
        }
    }
    browser.assert_quiet();
}
