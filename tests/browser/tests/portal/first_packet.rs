//! From the first start without a file to the first accepted packet; a wrong secret shown, tried and mended; two tabs; and an
//! analyst who may set nothing.

use std::net::Ipv4Addr;

use browser::{
    Browser, people,
    tabs::{self, FIELD},
};
use end_to_end::{
    Nas, Wire,
    config::Config,
    radclient,
    requests::start,
    sensor::Home,
    wire::{NAS_V4, SENSOR_V4},
};

/// Another VPN server of the range that has one secret for everybody.
const BRANCH: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
/// Its own.
const BRANCHS: &str = "the-secret-of-the-branch-1";
/// What is typed in the portal.
const TYPED: &str = "the-secret-of-everybody-1";
const OTHERS: &str = "the-secret-on-the-gateway";

fn nas(wire: &Wire, secret: &str) -> Nas {
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, secret)
}

#[test]
fn an_administrator_hears_her_first_packet_and_mends_a_wrong_secret() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start_without_a_file(&wire.sensor);
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");

    browser.click_text("Settings");
    browser.wait_seen("This host alone");
    browser.wait_seen("point your VPN servers at 192.0.2.1 or 2001:db8::1, UDP port 1813");
    browser.choose("select[name=scope]", "any");
    browser.fill("input[name=secret]", TYPED);
    browser.click_text("Use this secret");
    browser.wait_path("/settings/listening");
    browser.wait_seen("nothing yet");
    // The page looks again by itself. The client is one that we did not write.
    let folder = tempfile::tempdir().unwrap();
    let summary =
        radclient::run(&wire.nas, folder.path(), SENSOR_V4.into(), &radclient::four_vendors(1), TYPED);
    assert_eq!(summary, radclient::Summary { answered: 1, lost: 0 });
    browser.wait_seen("everybody 1 ");
    browser.click_text("Cisco ASA and AnyConnect");
    browser.wait_seen("aaa-server SENSOR (inside) host 192.0.2.1");

    nas(&wire, OTHERS).send(&start(2, "wrong", OTHERS));
    browser.wait_seen("wrong secret: it is not the one of everybody");
    browser.open("/settings/listening/192.0.2.10");
    browser.fill("input[name=secret]", "something else");
    browser.click_text("Try it on the latest request");
    browser.wait_seen("That is not the secret");
    browser.fill("input[name=secret]", OTHERS);
    browser.click_text("Try it on the latest request");
    browser.wait_seen("That is the secret");
    browser.fill("input[name=secret]", OTHERS);
    browser.click_text("Use this secret");
    browser.wait_path("/settings/listening");
    nas(&wire, OTHERS).ask(&start(3, "mended", OTHERS));

    wire.add_nas_address(BRANCH.into());
    let branch = Nas::new(&wire.nas, BRANCH, SENSOR_V4, BRANCHS);
    branch.send(&start(4, "branch", BRANCHS));
    browser.wait_seen("Mend 192.0.2.11");
    browser.open("/settings/listening/192.0.2.11");
    browser.wait_seen("Or a secret of its own");
    browser.fill("form:has(input[name=name]) input[name=secret]", BRANCHS);
    browser.click_text("Add it");
    browser.wait_path("/settings/listening");
    branch.ask(&start(5, "own", BRANCHS));
    nas(&wire, OTHERS).ask(&start(6, "still", OTHERS));
    assert!(!browser.seen().contains(OTHERS) && !browser.seen().contains(TYPED));
    browser.assert_quiet();
}

#[test]
fn of_two_tabs_the_second_is_told_what_the_first_changed_and_an_analyst_sets_nothing() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    let other = tabs::change_in_both(&browser);
    assert!(browser.seen().contains("carol@portal"), "{}", browser.seen());
    browser.go_to_tab(other);
    browser.open("/settings/detections");
    assert_eq!(browser.run("return document.querySelector(arguments[0]).value", &[FIELD.into()]), "777");

    browser.forget_cookies();
    people::sign_in(&browser, &home, &wire.sensor, "dave", "analyst");
    assert!(!browser.has("a[href='/settings/vpn']"));
    browser.open("/settings/vpn");
    browser.wait_seen("for administrators");
    browser.assert_quiet_but(&["403", "409"]);
}
