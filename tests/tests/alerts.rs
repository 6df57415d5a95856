//! A stolen account over the wire: the alert that it raises, where that arrives, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use end_to_end::config::{Config, SECRET};
use end_to_end::requests::{Status, with};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, Wire, wait_until};
use serde_json::Value;

/// What a lonely alert may take from its datagram to its sinks.
const IN_TIME: Duration = Duration::from_secs(5);

fn text(home: &Home, namespace: &Namespace, command: &str) -> String {
    let output = output(&mut home.command(namespace, command));
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Messages of this kind that have arrived in a file.
fn arrived(file: &Path, kind: &str) -> Vec<Value> {
    let mut all = lines(&fs::read_to_string(file).unwrap_or_default());
    all.retain(|line| line["kind"] == kind);
    all
}

#[test]
fn a_stolen_account_raises_one_alert_that_arrives_is_closed_and_is_never_sent_again() {
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let (all, siem) = (folder.path().join("all.json"), folder.path().join("siem.cef"));
    let sinks = format!(
        "[[sink]]\nname = \"all\"\nkind = \"file\"\npath = {all:?}\nformat = \"json\"\n\
         what = [\"alerts\", \"connections\", \"health\"]\n\
         [[sink]]\nname = \"siem\"\nkind = \"file\"\npath = {siem:?}\nformat = \"cef\"\n"
    );
    let home = Home::new(&Config::udp().lines(&sinks));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let connect = |identifier: u8, session: &str, address: &str, device: &str| {
        nas.ask_once(&with(Status::Start, identifier, session, SECRET, |builder| {
            builder.text(31, address).attribute(61, &5_u32.to_be_bytes());
            builder.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
        }));
    };
    // At home in Great Britain, and a moment later in China with another computer.
    connect(1, "hers", "81.2.69.160", "PC-7");
    let began = Instant::now();
    connect(2, "his", "175.16.199.7", "KALI");
    wait_until("the alert arrives", IN_TIME, || arrived(&all, "alert").len() == 1);
    wait_until("it arrives as CEF", IN_TIME, || {
        siem.exists() && fs::read_to_string(&siem).unwrap().contains("suser=")
    });
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());

    let told = &arrived(&all, "alert")[0];
    assert_eq!(told["trigger"], "new", "{told}");
    let alert = &told["alert"];
    assert_eq!(alert["user"], "alice@contoso.example", "{alert}");
    let message = alert["message"].as_str().unwrap();
    assert!(message.contains("at once") && message.contains("CN"), "{message}");
    let kinds: Vec<Value> =
        arrived(&all, "connection").iter().map(|line| line["connection"]["what"].clone()).collect();
    assert_eq!(kinds, ["open", "open"]);

    let listed = lines(&text(&home, &wire.sensor, "alerts --open --format json"));
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(&listed[0], alert);
    let number = alert["number"].as_u64().unwrap();
    let shown = text(&home, &wire.sensor, &format!("alerts show {number}"));
    for part in ["alice@contoso.example", "175.16.199.7", "KALI", "reset the password"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    let sum = |name: &str| sensor.metrics().sum(&format!("vpn_sensor_{name}"), &[]);
    assert_eq!((sum("alerts_opened_total"), sum("alerts_open"), sum("alerts_closed_total")), (1, 1, 0));
    assert!(sum("alert_notices_sent_total") >= 1);

    text(&home, &wire.sensor, &format!("alerts comment {number} asked_her"));
    text(&home, &wire.sensor, &format!("alerts close {number} --as malicious --comment stolen"));
    wait_until("it is closed there too", IN_TIME, || {
        arrived(&all, "alert").iter().any(|line| line["trigger"] == "closed")
    });
    assert!(lines(&text(&home, &wire.sensor, "alerts --open --format json")).is_empty());
    assert_eq!((sum("alerts_opened_total"), sum("alerts_open"), sum("alerts_closed_total")), (1, 0, 1));
    assert_eq!((sum("alert_notices_sent_total"), sum("alert_notices_held_total")), (4, 0));
    let closed = text(&home, &wire.sensor, &format!("alerts show {number} --json"));
    let closed = &lines(&closed)[0];
    assert_eq!(closed["state"]["verdict"], "malicious", "{closed}");
    assert_eq!(closed["comments"][0]["text"], "asked_her", "{closed}");
    let again = output(&mut home.command(&wire.sensor, &format!("alerts close {number} --as usual")));
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("closed already"));

    // Neither a start nor a rebuild sends anything again.
    let before = fs::read_to_string(&all).unwrap();
    sensor.stop();
    let sensor = home.start(&wire.sensor);
    connect(3, "later", "81.2.69.160", "PC-7");
    wait_until("the sinks go on", IN_TIME, || arrived(&all, "connection").len() == 3);
    let after = fs::read_to_string(&all).unwrap();
    assert!(after.starts_with(&before), "nothing that was sent is written over");
    let news: Vec<Value> = arrived(&all, "alert").iter().map(|line| line["trigger"].clone()).collect();
    assert_eq!(news, ["new", "updated", "updated", "closed"], "she herself raises none");
    sensor.stored();
    let rebuilt = folder.path().join("rebuilt.sqlite");
    let digest = |file: &str| {
        lines(&text(&home, &wire.sensor, &format!("store digest --json {file}")))[0]["digest"].clone()
    };
    let live = digest("");
    text(&home, &wire.sensor, &format!("rebuild --to {}", rebuilt.display()));
    assert_eq!(live, digest(&rebuilt.display().to_string()));
    assert!(fs::read_to_string(&all).unwrap() == after, "a rebuild sends nothing");
}
