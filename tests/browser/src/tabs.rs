//! Two tabs in which somebody changes the same setting.

use end_to_end::{PATIENCE, wait_until};

use crate::Browser;

/// The field that both change.
pub const FIELD: &str = "input[name='detect.travel_kmh']";

/// Opens the thresholds in two tabs and saves 777 in the second, then 888 in the first, which is told of it and stays in
/// front. The second one's number.
#[track_caller]
pub fn change_in_both(browser: &Browser) -> usize {
    browser.open("/settings/detections");
    let other = browser.new_tab();
    browser.open("/settings/detections");
    browser.fill(FIELD, "777");
    browser.click_text("Save");
    wait_until("777 is saved", PATIENCE, || browser.has("input[name='detect.travel_kmh'][value='777']"));
    browser.go_to_tab(0);
    browser.fill(FIELD, "888");
    browser.click_text("Save");
    browser.wait_seen("detect.travel_kmh: default -> 777");
    other
}
