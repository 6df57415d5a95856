//! Takes the pictures of the portal that README and guide show: every page, light, dark and on a phone, of the demo's
//! made-up company, and a page that shows them side by side. Called by `cargo xtask screenshots` with the folder to write
//! to.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails by panicking")]

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use base64::Engine as _;
use browser::{Browser, Shape, Theme, lists, people, picture};
use end_to_end::{
    Wire,
    config::{ClientEntry, Config, PORT},
    sensor::Home,
    tools::output,
    wire::{NAS_DEVICE, SENSOR_V4},
};
use serde_json::json;

/// The VPN servers of the made-up company in the order of `send --month`: vendor, and where it sends from.
const VPN_SERVERS: [(&str, &str); 4] =
    [("rras", "192.0.2.11"), ("f5", "192.0.2.12"), ("check-point", "192.0.2.13"), ("asa", "192.0.2.14")];
const SECRET: &str = "demo secret of no worth";
/// Whose account is stolen.
const USER: &str = "alice@contoso.example";
/// From a server for rent in Singapore, with a computer that nobody knows.
const THEFT: [&str; 6] = [
    "--calling-station-id",
    "128.199.64.23",
    "--attribute",
    "Cisco-AVPair=mdm-tlv=device-uid=DESKTOP-4F8K2",
    "--attribute",
    "Cisco-AVPair=mdm-tlv=ac-user-agent=AnyConnect Windows 4.10.04065",
];
/// Whose account two people use: now in Great Britain, and within the minute in China, by the databases that come with the
/// product.
const TRAVELLER: &str = "frank@contoso.example";
const JOURNEY: [&str; 2] = ["81.2.69.160", "175.16.199.7"];
/// An address that is no client's.
const STRANGER: &str = "192.0.2.99";
/// How much of a page is shown, CSS pixels: all but the longest lists on a phone.
const HEIGHT_MAX: u64 = 8000;
const FIRST_ALERT: &str = "return document.querySelector('main a[href^=\"/alerts/\"]').getAttribute('href')";
/// Each page is taken in these.
const KINDS: [(Theme, Shape, &str); 3] = [
    (Theme::Light, Shape::Desktop, "light"),
    (Theme::Dark, Shape::Desktop, "dark"),
    (Theme::Light, Shape::Phone, "phone"),
];

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("the folder to write to"));
    fs::create_dir_all(&folder).expect("the folder can be made");
    let wire = Wire::new();
    let mut config = Config::xdp();
    let clients: Vec<ClientEntry> = VPN_SERVERS
        .iter()
        .map(|(vendor, address)| {
            wire.nas.ip(&format!("address add {address}/24 dev {NAS_DEVICE}"));
            ClientEntry::new(vendor, &[*address], SECRET).line(&format!("vendor = {vendor:?}"))
        })
        .collect();
    config = config.clients(&clients).lines(
        "[events]\naccept_past = \"35d\"\n[users]\nrealms = [[\"contoso.example\", \"CONTOSO\", \"\"]]\n\
         [health]\ngeo_stale = \"off\"\n",
    );
    let home = Home::new(&config);
    let sensor = home.start(&wire.sensor);

    let secret = home.file("secret");
    fs::write(&secret, SECRET).expect("the secret's file");
    let send = |arguments: &[&str]| {
        let mut command: Command = wire.nas.command(end_to_end::sensor::program());
        command.args(["send", "--to", &format!("{SENSOR_V4}:{PORT}"), "--secret-file"]).arg(&secret);
        let sent = output(command.args(arguments));
        assert!(sent.status.success(), "{command:?}: {}", String::from_utf8_lossy(&sent.stderr));
    };
    let sources = VPN_SERVERS.map(|(_, address)| address).join(",");
    send(&["--month", &sources, "--month-seconds", "10", "--seed", "1"]);
    sensor.stored();
    send(&[&["--vendor", "asa", "--user", USER, "--source", VPN_SERVERS[3].1], &THEFT[..]].concat());
    for address in JOURNEY {
        send(&[
            "--vendor",
            "asa",
            "--user",
            TRAVELLER,
            "--source",
            VPN_SERVERS[3].1,
            "--status",
            "start",
            "--calling-station-id",
            address,
        ]);
        sensor.stored();
    }

    // A VPN server that nobody has set yet: what is sent is not answered.
    wire.nas.ip(&format!("address add {STRANGER}/24 dev {NAS_DEVICE}"));
    let mut stranger: Command = wire.nas.command(end_to_end::sensor::program());
    stranger.args(["send", "--to", &format!("{SENSOR_V4}:{PORT}"), "--source", STRANGER, "--vendor", "f5"]);
    output(stranger.args(["--timeout", "0.3", "--secret-file"]).arg(&secret));

    let browser = Browser::start(&wire.sensor);
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": "UTC"}));
    let link = people::link(&home, &wire.sensor, "dora", "analyst");
    let link = link.strip_prefix(browser.origin()).expect("a link to this portal").to_owned();
    let sign_in = BTreeMap::from([("sign-in".to_owned(), "/sign-in".to_owned()), ("link".to_owned(), link)]);
    take(&browser, &folder, &sign_in);
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    lists::set(&browser);
    browser.open_until("/", "DESKTOP-4F8K2");
    let mut pages: BTreeMap<String, String> = browser
        .kinds_of_pages()
        .into_iter()
        .filter(|path| !path.contains('?') || path.contains("/change?"))
        .map(|path| (name(&path), path))
        .collect();
    pages.insert("user".to_owned(), format!("/users/{USER}"));
    pages.insert("search".to_owned(), "/search?q=a".to_owned());
    pages.insert("connections".to_owned(), "/connections?open=true".to_owned());
    browser.open_until(&format!("/users/{TRAVELLER}"), "Open alerts");
    let alert = browser.run(FIRST_ALERT, &[]);
    pages.insert("alert-travel".to_owned(), alert.as_str().expect("an alert of the journey").to_owned());
    // Behind more pages than are looked through.
    for path in [
        &format!("/settings/listening/{STRANGER}"),
        "/settings/sites/change?name=Headquarters%2C%20Berlin",
        "/settings/exclusions/change?name=1",
    ] {
        pages.insert(name(path), path.to_owned());
    }
    take(&browser, &folder, &pages);
    pages.extend(sign_in);
    fs::write(folder.join("README.md"), side_by_side(&pages)).expect("the page can be written");
}

/// A page with all pictures, for whoever looks through them.
fn side_by_side(pages: &BTreeMap<String, String>) -> String {
    let mut text = String::from(
        "# The portal's pages\n\nOf the demo's made-up company, light, dark and on a phone; taken by \
         `cargo xtask screenshots`, as this page is.\n",
    );
    for name in pages.keys() {
        let cells = KINDS.map(|(_, _, kind)| format!("![{name}, {kind}]({name}-{kind}.png)"));
        text +=
            &format!("\n## {name}\n\n| light | dark | phone |\n|---|---|---|\n| {} |\n", cells.join(" | "));
    }
    text
}

/// `/` is the overview, `/users/alice` a user, `/settings/vpn` what it says.
fn name(path: &str) -> String {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts[..] {
        [""] => "overview".to_owned(),
        [many @ ("users" | "devices" | "alerts"), _, ref rest @ ..] => {
            [&[many.trim_end_matches('s')], rest].concat().join("-")
        }
        ["settings", "listening", _] => "settings-listening-sender".to_owned(),
        _ => parts.join("-"),
    }
}

fn take(browser: &Browser, folder: &std::path::Path, pages: &BTreeMap<String, String>) {
    for (name, path) in pages {
        for (theme, shape, kind) in KINDS {
            browser.show(theme, shape);
            browser.open(path);
            let taken =
                base64::prelude::BASE64_STANDARD.decode(browser.screenshot(HEIGHT_MAX)).expect("base64");
            let picture = picture::small(&taken);
            let file = folder.join(format!("{name}-{kind}.png"));
            fs::write(&file, &picture).expect("the picture can be written");
            println!("{} KiB {path} {}", picture.len() >> 10, file.display());
        }
    }
}
