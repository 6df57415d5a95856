//! The portal from another host: TLS by a certificate that was made, known by its fingerprint.

use base64::Engine as _;
use browser::{Browser, people};
use end_to_end::{PATIENCE, Wire, config::Config, sensor::Home, tools::output, wait_until, wire::SENSOR_V4};
use serde_json::json;
use sha2::{Digest as _, Sha256};

#[test]
fn from_another_host_the_made_certificate_is_the_one_whose_fingerprint_is_told() {
    let wire = Wire::new();
    let address = format!("{SENSOR_V4}:8813");
    let home = Home::new(&Config::udp().lines(&format!("[portal]\naddress = {address:?}\n")));
    let _sensor = home.start(&wire.sensor);
    // In place of a person who compares the fingerprint: the browser takes any, and it is compared below.
    let browser =
        Browser::start_at(&wire.nas, &format!("https://{address}"), &["--ignore-certificate-errors"]);

    let printed = output(&mut home.command(&wire.sensor, "portal link --account carol --role analyst"));
    let link = String::from_utf8(printed.stdout).unwrap();
    assert!(link.starts_with(&format!("https://{address}/link/")), "{link}");
    browser.open_url(link.trim());
    // The browser notes the certificate beside the page, and on a busy host at times not at all: it is asked for a page
    // until it has both.
    let mut der = None;
    wait_until("the browser has a certificate", PATIENCE, || {
        let shown = browser.command("Network.getCertificate", json!({"origin": browser.origin()}));
        der = shown["tableNames"][0].as_str().map(str::to_owned);
        if der.is_none() {
            browser.open_url(link.trim());
        }
        der.is_some()
    });
    let der = base64::prelude::BASE64_STANDARD.decode(der.unwrap()).unwrap();
    let digest = Sha256::digest(der).iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":");
    assert!(String::from_utf8_lossy(&printed.stderr).contains(&digest), "by `portal link`");
    assert!(home.log().contains(&digest), "in the log");
    assert!(people::command(&home, &wire.sensor, "check").contains(&digest), "by `check`");

    browser.fill("input[name=password]", people::PASSWORD);
    browser.fill("input[name=again]", people::PASSWORD);
    browser.click("main button");
    browser.wait_seen("carol (analyst)");
    let cookies = browser.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    assert_eq!(cookies[0]["name"], "__Host-vpn-sensor-visit");
    let of_the_cookie = (&cookies[0]["secure"], &cookies[0]["httpOnly"], &cookies[0]["sameSite"]);
    assert_eq!(of_the_cookie, (&json!(true), &json!(true), &json!("Strict")));
    // What tells the zone goes by TLS alone as well.
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Tokyo"}));
    browser.open("/");
    let cookies = browser.cookies();
    let of_zone = cookies.iter().find(|cookie| cookie["name"] == "vpn-sensor-zone").expect("a zone");
    let parts = (&of_zone["value"], &of_zone["secure"], &of_zone["sameSite"]);
    assert_eq!(parts, (&json!("Asia/Tokyo"), &json!(true), &json!("Strict")));
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": "UTC"}));
    browser.open("/");
    browser.click_text("Sign out");
    browser.wait_path("/sign-in");
    assert!(browser.cookies().is_empty());
    browser.assert_quiet();
}
