//! What an administrator has in her lists: a sink, a site and an exclusion, set by their forms.

use crate::Browser;

/// Sets one of each.
#[track_caller]
pub fn set(browser: &Browser) {
    add(
        browser,
        "/settings/sinks",
        "Add",
        &[("name", "siem"), ("target", "https://siem.contoso.example/vpn"), ("secret", "signs what is sent")],
        "Change siem",
    );
    add(
        browser,
        "/settings/sites",
        "Add",
        &[("name", "Headquarters, Berlin"), ("address", "10.20.0.0/16"), ("position", "52.52, 13.40")],
        "Change Headquarters, Berlin",
    );
    add(
        browser,
        // A link may fill fields in: until is a week away then.
        "/settings/exclusions?network=198.51.100.0%2F24",
        "Exclude",
        &[("reason", "penetration test, ask the security office")],
        "Change 1",
    );
}

#[track_caller]
fn add(browser: &Browser, path: &str, button: &str, fields: &[(&str, &str)], then: &str) {
    browser.open(path);
    if path.ends_with("sinks") {
        browser.choose("select[name=kind]", "webhook");
    }
    for (name, value) in fields {
        browser.fill(&format!("form.narrow input[name={name}]"), value);
    }
    browser.click_text(button);
    browser.wait_seen(then);
}
