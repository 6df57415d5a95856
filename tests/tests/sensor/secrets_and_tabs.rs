//! Changes that meet others, with the real sensor: a secret that was lost while another one replaces it, two tabs, a file that
//! somebody edits meanwhile; and a first packet over IPv6.

use std::fs;

use end_to_end::config::Config;
use end_to_end::portal::{Browser, Page, link};
use end_to_end::requests::start;
use end_to_end::sensor::{Home, Sensor};
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, NAS_V6, SENSOR_V4, SENSOR_V6};
use end_to_end::{Nas, PATIENCE, Wire, wait_until};

const TYPED: &str = "the-secret-of-everybody-1";
const OTHERS: &str = "the-secret-on-the-gateway";

fn nas(wire: &Wire, secret: &str) -> Nas {
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, secret)
}

/// Whoever has this secret is not let in.
#[track_caller]
fn assert_wrong(wire: &Wire, sensor: &Sensor<'_>, number: u8, secret: &str) {
    let refused = || sensor.metrics().verdict("bad_authenticator");
    let before = refused();
    let nas = nas(wire, secret);
    nas.send(&start(number, "refused", secret));
    wait_until("it is refused", PATIENCE, || refused() > before);
    nas.assert_silence();
}

fn audit(home: &Home, wire: &Wire) -> String {
    let output = output(&mut home.command(&wire.sensor, "audit --limit 100"));
    String::from_utf8(output.stdout).unwrap()
}

/// One secret for everybody, from the page as it was loaded.
fn set(browser: &Browser<'_>, page: &Page, fields: &[(&str, &str)]) -> Page {
    browser.submit(page, "/settings/vpn/secret", &[&[("scope", "any")], fields].concat())
}

#[test]
fn a_secret_that_was_lost_on_its_way_is_replaced_while_every_vpn_server_goes_on() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().clients(&[]));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let vpn = || carol.get("/settings/vpn");
    assert_eq!(set(&carol, &vpn(), &[("secret", TYPED), ("do", "set")]).status, 303);
    nas(&wire, TYPED).ask(&start(1, "alice", TYPED));

    // The tab closes before anybody has copied it.
    let generate = [("keep", "true"), ("do", "generate")];
    let lost = set(&carol, &vpn(), &generate).secret().to_owned();
    for page in ["/settings/vpn", "/settings/clients"] {
        let page = carol.get(page).text;
        assert!(page.contains("no request was made with the newest yet"), "{page}");
        assert!(!page.contains("name=\"newest\""), "{page}");
    }
    let answer = set(&carol, &vpn(), &generate);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let copied = answer.secret().to_owned();
    nas(&wire, TYPED).ask(&start(2, "bob", TYPED));
    assert_wrong(&wire, &sensor, 3, &lost);
    nas(&wire, &copied).ask(&start(4, "clara", &copied));

    // Now both are used: whoever means to replace the newest says so.
    assert!(vpn().text.contains("name=\"newest\""), "{}", vpn().text);
    nas(&wire, OTHERS).send(&start(5, "dora", OTHERS));
    let mend = format!("/settings/listening/{NAS_V4}");
    wait_until("a wrong secret is seen", PATIENCE, || {
        let page = carol.get(&mend);
        page.status == 200 && page.text.contains("Use this secret")
    });
    let page = carol.get(&mend);
    assert!(page.text.contains("name=\"newest\""), "{}", page.text);
    let this = [("secret", OTHERS), ("client", "everybody")];
    // The one before, with the secret that was lost, is kept until this one is.
    let mut tries = 0;
    wait_until("it is tried on the latest request", PATIENCE, || {
        tries += 1;
        let tried = carol.submit(&page, &mend, &[&this[..], &[("do", "try")]].concat());
        tried.text.contains("That is the secret")
    });
    let refused = carol.submit(&page, &mend, &[&this[..], &[("do", "save")]].concat());
    assert!(refused.status == 422 && refused.text.contains("Replace the newest"), "{}", refused.text);
    nas(&wire, &copied).ask(&start(6, "erin", &copied));
    let saved = carol.submit(&page, &mend, &[&this[..], &[("do", "save"), ("newest", "true")]].concat());
    assert_eq!(saved.status, 303, "{}", saved.text);
    nas(&wire, OTHERS).ask(&start(7, "frank", OTHERS));
    nas(&wire, TYPED).ask(&start(8, "grace", TYPED));
    assert_wrong(&wire, &sensor, 9, &copied);
    let secrets = fs::read_dir(home.state().join("settings/secrets")).unwrap().count();
    assert_eq!(secrets, 2, "those that were replaced are gone");

    let audit = audit(&home, &wire);
    let replaced =
        "client everybody: another secret in the place of the newest, the one before it accepted as well";
    assert_eq!(audit.matches(replaced).count(), 2, "{audit}");
    let tried = audit.lines().filter(|line| line.contains("settings.try"));
    let is_told =
        |line: &str| line.contains("carol@portal") && line.contains(&format!("a secret on {NAS_V4}"));
    // Saving tries it as well.
    assert!(tried.clone().count() == tries + 2 && tried.clone().all(is_told), "{audit}");
    for secret in [TYPED, OTHERS, &lost, &copied] {
        assert!(!audit.contains(secret), "{audit}");
    }
}

#[test]
fn of_two_tabs_the_second_overwrites_no_secret_and_no_vpn_server() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().clients(&[]));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let dave = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "dave", "administrator"));
    let [first, second] = [&carol, &dave].map(|browser| browser.get("/settings/vpn"));
    assert_eq!(set(&carol, &first, &[("secret", TYPED), ("do", "set")]).status, 303);
    for way in ["set", "generate"] {
        let late = set(&dave, &second, &[("secret", OTHERS), ("do", way)]);
        assert_eq!(late.status, 409, "{}", late.text);
        assert!(
            late.text.contains("carol@portal") && !late.text.contains("code class=\"secret\""),
            "{}",
            late.text
        );
    }
    nas(&wire, TYPED).ask(&start(1, "alice", TYPED));
    assert_wrong(&wire, &sensor, 2, OTHERS);

    let [first, second] = [&carol, &dave].map(|browser| browser.get("/settings/clients"));
    let add = [("name", "branch"), ("address", "192.0.2.10"), ("secret", OTHERS), ("do", "set")];
    assert_eq!(carol.submit(&first, "/settings/clients", &add).status, 303);
    for (path, fields) in [
        (
            "/settings/clients",
            &[("name", "other"), ("address", "192.0.2.0/24"), ("secret", TYPED), ("do", "set")][..],
        ),
        ("/settings/clients/secret", &[("name", "everybody"), ("secret", OTHERS), ("do", "set")]),
        ("/settings/clients/remove", &[("name", "everybody")]),
    ] {
        let late = dave.submit(&second, path, fields);
        assert!(late.status == 409 && late.text.contains("carol@portal"), "{path}: {}", late.text);
    }
    let there = dave.get("/settings/clients").text;
    assert!(there.contains("branch") && there.contains("everybody") && !there.contains(">other<"), "{there}");
    nas(&wire, OTHERS).ask(&start(3, "bob", OTHERS));
}

#[test]
fn what_is_saved_puts_nothing_of_an_edited_file_in_force() {
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("branch.secret");
    let file = |score: &str| {
        format!(
            "[detect]\nalert_score = {score}\n[[client]]\nname = \"branch\"\naddress = [\"192.0.2.0/24\"]\n\
             secret_file = {secret_file:?}\n"
        )
    };
    fs::write(&secret_file, TYPED).unwrap();
    let home = Home::new(&Config::udp().clients(&[]).lines(&file("5.25")));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    nas(&wire, TYPED).ask(&start(1, "alice", TYPED));

    // Somebody is at work on the file.
    home.configure(&Config::udp().clients(&[]).lines(&file("4.75")));
    fs::write(&secret_file, OTHERS).unwrap();
    let page = "/settings/detections";
    let save = |kmh: &str| {
        let answer = carol.submit(&carol.get(page), page, &[("detect.travel_kmh", kmh)]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        let shown = carol.get(page).text;
        assert!(shown.contains(&format!("value=\"{kmh}\"")), "{shown}");
        shown
    };
    let shown = save("777");
    assert!(shown.contains("5.25") && !shown.contains("4.75"), "{shown}");
    nas(&wire, TYPED).ask(&start(2, "bob", TYPED));
    assert_wrong(&wire, &sensor, 3, OTHERS);
    // A mistake in it is the file's, and keeps nobody from anything here.
    home.configure_with("[detect\n");
    save("778");
    sensor.reload("refused");
    let is_good = || sensor.metrics().sum("vpn_sensor_last_reload_successful", &[]) == 1;
    assert!(!is_good());
    save("779");
    assert!(!is_good(), "the file still is not");

    home.configure(&Config::udp().clients(&[]).lines(&file("4.75")));
    sensor.reload("the configuration is in force");
    let shown = save("780");
    assert!(shown.contains("4.75") && !shown.contains("5.25"), "{shown}");
    nas(&wire, OTHERS).ask(&start(4, "clara", OTHERS));
    assert_wrong(&wire, &sensor, 5, TYPED);
}

#[test]
fn a_first_packet_over_ipv6_is_seen_tried_and_let_in() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().clients(&[]));
    let _sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let nas = Nas::new(&wire.nas, NAS_V6, SENSOR_V6, TYPED);
    nas.send(&start(1, "early", TYPED));
    let mend = format!("/settings/listening/{NAS_V6}");
    wait_until("it is listed", PATIENCE, || {
        carol.get("/settings/listening").text.contains(&format!("href=\"{mend}\""))
    });
    wait_until("its request is kept", PATIENCE, || {
        carol.get(&mend).text.contains("Try it on the latest request")
    });
    let page = carol.get(&mend);
    let own = NAS_V6.to_string();
    assert!(page.text.contains(&format!("name=\"address\" value=\"{own}\"")), "{}", page.text);
    let with = |secret: &str, way: &str| {
        let fields = [("name", "gateway"), ("address", &*own), ("secret", secret), ("do", way)];
        carol.submit(&page, &mend, &fields)
    };
    assert!(with(OTHERS, "try").text.contains("That is not the secret"));
    assert!(with(TYPED, "try").text.contains("That is the secret"));
    assert_eq!(with(TYPED, "save").status, 303);
    nas.ask(&start(2, "let in", TYPED));
    wait_until("nobody is refused", PATIENCE, || carol.get("/settings/listening").text.contains("Nobody."));
}
