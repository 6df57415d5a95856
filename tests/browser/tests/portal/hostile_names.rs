//! Names that a stranger chose, on every page that shows them.

use browser::{
    Browser,
    people::{self, AT_HOME, Connection, FAR_AWAY},
};
use end_to_end::{
    Nas, Wire,
    config::{ClientEntry, Config, SECRET},
    sensor::Home,
    wire::{NAS_V4, SENSOR_V4},
};
use radius::{Code, build::RequestBuilder};

/// A script, one that leaves an attribute and a title, and one that reads from right to left.
const NAMES: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"'></title><img src=x onerror=alert(2)>",
    "gpj.\u{202e}ecila",
    "javascript:alert(3)",
];

/// No client's address.
const STRANGER: &str = "192.0.2.77";

fn first_packet() -> Vec<u8> {
    let mut buffer = [0; radius::MAX_LENGTH];
    let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
    request.integer(40, 1).text(44, "first").text(32, &NAMES.concat());
    request.seal(b"a secret of its own").unwrap().to_vec()
}

#[test]
fn names_of_strangers_are_text_on_every_page() {
    let wire = Wire::new();
    let gateway = ClientEntry::new("gateway", &["192.0.2.10"], SECRET);
    let home = Home::new(&Config::udp().clients(&[gateway]));
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
    // A VPN server that was let in may lie, too: about itself, the client and the end.
    for (number, name) in NAMES.into_iter().enumerate() {
        for (step, status) in [(0, 1), (1, 2)] {
            let mut buffer = [0; radius::MAX_LENGTH];
            let identifier = (100 + 2 * number + step) as u8;
            let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, identifier);
            request.integer(40, status).text(44, &format!("lie-{number}")).text(32, name);
            request.text(1, "alice").text(31, AT_HOME).text(30, name).integer(61, 5);
            request.vendor(9, 1, format!("mdm-tlv=device-platform={name}").as_bytes());
            request.vendor(9, 1, format!("mdm-tlv=ac-user-agent={name}").as_bytes());
            nas.ask(request.seal(SECRET.as_bytes()).unwrap());
        }
    }
    // Somebody whom nobody let in, who calls himself all of them: a page shows that so that he may be.
    let stranger = STRANGER.parse().unwrap();
    wire.add_nas_address(stranger);
    Nas::new(&wire.nas, stranger, SENSOR_V4, SECRET).send(&first_packet());
    sensor.stored();
    let browser = Browser::start(&wire.sensor);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    browser.open_until("/", NAMES[0]);

    let (mut shown, mut unknown) = (0, 0);
    let pages = browser.for_every_page(|path| {
        let html = browser.run("return document.documentElement.outerHTML", &[]);
        let html = html.as_str().unwrap();
        assert!(!html.contains('\u{202e}'), "{path} holds a character that turns text around");
        let foreign = browser.run(
            "return [...document.querySelectorAll('main img, main script, [onerror], a[href^=javascript]')].length",
            &[],
        );
        assert_eq!(foreign, 0, "{path} holds elements of a stranger");
        let is_shown = browser.seen().contains(NAMES[0]);
        shown += usize::from(is_shown);
        unknown += usize::from(is_shown && path.starts_with("/settings/listening"));
        browser.assert_quiet();
    });
    assert!(pages > 15 && shown > 4, "{shown} of {pages} pages show the script's name");
    assert!(unknown >= 2, "the page of the first packet, and that of its sender");
    for name in NAMES {
        let asked: String = name.bytes().map(|octet| format!("%{octet:02X}")).collect();
        browser.open(&format!("/search?q={asked}"));
        browser.assert_quiet();
    }
}
