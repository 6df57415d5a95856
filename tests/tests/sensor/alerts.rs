//! A stolen account over the wire: the alert that it raises, where that arrives, and what becomes of it.

use std::{
    fs::{self, File},
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use end_to_end::api::{ask, post};
use end_to_end::config::{Config, SECRET};
use end_to_end::requests::{Status, with};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, PATIENCE, Wire, wait_until};
use radius::{Code, build::RequestBuilder};
use serde_json::{Value, json};

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

/// A command that goes on until somebody ends it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
    sensor.stored();
    let followed = folder.path().join("followed.json");
    let mut follow = home.command(&wire.sensor, "alerts --follow --format json");
    let follow = Ended(follow.stdout(File::create(&followed).unwrap()).spawn().unwrap());
    wait_until("somebody follows", PATIENCE, || {
        text(&home, &wire.sensor, "audit --format json").contains("alerts.list")
    });
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

    // Whoever follows was told of each: new, a comment, the one of the closing, closed.
    let stands = || -> Vec<(u64, Value)> {
        let whole = fs::read_to_string(&followed).unwrap();
        let whole = whole.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let mut stands: Vec<_> = lines(whole)
            .iter()
            .map(|alert| (alert["revision"].as_u64().unwrap(), alert["state"]["state"].clone()))
            .collect();
        // What happens as it begins may be told twice.
        stands.dedup();
        stands
    };
    wait_until("the one who follows is told", IN_TIME, || stands().len() == 4);
    let open = |revision: u64| (revision, Value::from("open"));
    assert_eq!(stands(), [open(1), open(2), open(3), (4, "closed".into())]);
    drop(follow);

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

#[test]
fn an_alert_is_read_and_closed_by_the_api_and_its_messages_link_to_it() {
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let (all, siem) = (folder.path().join("all.json"), folder.path().join("siem.cef"));
    let config = |link: &str| {
        Config::udp().lines(&format!(
            "[portal]\n{link}\n\
             [[sink]]\nname = \"all\"\nkind = \"file\"\npath = {all:?}\nformat = \"json\"\n\
             [[sink]]\nname = \"siem\"\nkind = \"file\"\npath = {siem:?}\nformat = \"cef\"\n"
        ))
    };
    let home = Home::new(&config("link = \"https://sensor.contoso.example/vpn/\""));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (identifier, session, address) in [(1, "hers", "81.2.69.160"), (2, "his", "175.16.199.7")] {
        nas.ask_once(&with(Status::Start, identifier, session, SECRET, |builder| {
            builder.text(31, address).attribute(61, &5_u32.to_be_bytes());
        }));
    }
    wait_until("the alert arrives", IN_TIME, || arrived(&all, "alert").len() == 1);
    wait_until("it arrives as CEF", IN_TIME, || {
        siem.exists() && fs::read_to_string(&siem).unwrap().contains("suser=")
    });
    let told = &arrived(&all, "alert")[0];
    let number = told["alert"]["number"].as_u64().unwrap();
    let link = format!("https://sensor.contoso.example/vpn/alerts/{number}");
    assert_eq!(told["url"], Value::from(&*link));
    assert!(fs::read_to_string(&siem).unwrap().contains(&format!("cs1Label=url cs1={link} ")));

    let token = |command: &str| text(&home, &wire.sensor, command).trim().to_owned();
    let (desk, reports) = (token("token add desk --may decide"), token("token add reports"));
    let (status, listed) =
        ask(&wire.sensor, "alerts?state=open&user=alice%40contoso.example", Some(&reports));
    assert_eq!((status, &listed["items"][0]["number"]), (200, &number.into()), "{listed}");
    let (status, page) = ask(&wire.sensor, &format!("alerts/{number}"), Some(&reports));
    assert_eq!((status, &page["message"]), (200, &told["alert"]["message"]), "{page}");
    assert_eq!(page["connections"][0]["address"], "175.16.199.7", "{page}");

    let closing = json!({"verdict": "malicious", "comment": "she is at home"});
    let close = format!("alerts/{number}/close");
    assert_eq!(post(&wire.sensor, &close, &reports, &closing).0, 403);
    // Without a link from here on.
    home.configure(&config(""));
    sensor.reload("the configuration is in force");
    let (status, closed) = post(&wire.sensor, &close, &desk, &closing);
    assert_eq!((status, &closed["state"]["by"]), (200, &"desk".into()), "{closed}");
    wait_until("it is closed there too", IN_TIME, || {
        arrived(&all, "alert").iter().any(|line| line["trigger"] == "closed")
    });
    assert!(arrived(&all, "alert").iter().all(|line| (line["trigger"] == "new") == line["url"].is_string()));

    // The terminal says the same, and whoever decides there now learns it.
    let shown = text(&home, &wire.sensor, &format!("alerts show {number}"));
    for part in ["closed as malicious by desk", "desk: she is at home", "T1078 Valid Accounts"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let again = output(&mut home.command(&wire.sensor, &format!("alerts close {number} --as usual")));
    assert!(String::from_utf8_lossy(&again.stderr).contains("closed already: closed as malicious by desk"));
    let count =
        |filter: &str| lines(&text(&home, &wire.sensor, &format!("alerts {filter} --format json"))).len();
    assert_eq!((count("--state malicious"), count("--state usual"), count("--open")), (1, 0, 0));
    assert_eq!((count("--user alice@contoso.example"), count("--held"), count("--reason hour")), (1, 0, 0));
    assert_eq!((count("--since 2020-01-01T00:00:00Z"), count("--until 2020-01-01T00:00:00Z")), (1, 0));
    let (status, conflict) = post(&wire.sensor, &close, &desk, &json!({"verdict": "usual"}));
    assert_eq!((status, &conflict["state"]), (409, &closed["state"]), "{conflict}");
    let audit = lines(&text(&home, &wire.sensor, "audit --format json"));
    let decided: Vec<&Value> = audit.iter().filter(|line| line["action"] == "alert.close").collect();
    assert_eq!(
        (&decided[0]["who"], &decided[0]["subject"]),
        (&"desk".into(), &"alice@contoso.example".into())
    );

    sensor.stored();
    let rebuilt = folder.path().join("rebuilt.sqlite");
    let digest = |file: &str| {
        lines(&text(&home, &wire.sensor, &format!("store digest --json {file}")))[0]["digest"].clone()
    };
    let live = digest("");
    text(&home, &wire.sensor, &format!("rebuild --to {}", rebuilt.display()));
    assert_eq!(live, digest(&rebuilt.display().to_string()));
}

#[test]
fn an_exclusion_in_the_file_silences_whom_it_names_until_it_ends() {
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let all = folder.path().join("all.json");
    let config = Config::udp().lines(&format!(
        "[users]\nrealms = [[\"contoso.example\", \"CONTOSO\"]]\n\
         [[sink]]\nname = \"all\"\nkind = \"file\"\npath = {all:?}\nformat = \"json\"\n\
         what = [\"alerts\", \"connections\"]\n"
    ));
    let home = Home::new(&config);
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let mut connections = 0;
    let mut connect = |user: &str, address: &str, device: &str| {
        connections += 1;
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, connections as u8);
        request.integer(40, Status::Start as u32).text(44, &format!("{connections}")).text(32, "gateway");
        request.text(1, &format!("{user}@contoso.example")).text(31, address).integer(61, 5);
        request.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
        nas.ask_once(request.seal(SECRET.as_bytes()).unwrap());
        wait_until("the connection arrives", PATIENCE, || arrived(&all, "connection").len() == connections);
    };
    let alerts_of = |user: &str| {
        let is_of = |line: &Value| line["alert"]["user"] == format!("{user}@contoso.example");
        arrived(&all, "alert").iter().filter(|line| is_of(line)).count()
    };
    connect("alice", "81.2.69.160", "PC-7");
    connect("bob", "81.2.69.161", "PC-8");

    // One is expected in China for some seconds, as the file says from the SIGHUP on.
    let end = jiff::Timestamp::now() + Duration::from_secs(12);
    let exclusion = format!(
        "[detect]\nnotices_per_day = 20\n[[detect.exclusion]]\nuser = 'CONTOSO\\Alice'\n\
         reason = \"ticket 7\"\nuntil = \"{end}\"\n"
    );
    home.configure(&config.clone().lines(&exclusion));
    sensor.reload("the configuration is in force");
    connect("alice", "175.16.199.7", "KALI");
    connect("bob", "175.16.199.8", "KALI-2");
    wait_until("the other's alert arrives", PATIENCE, || alerts_of("bob") == 1);
    assert_eq!(alerts_of("alice"), 0);
    assert!(jiff::Timestamp::now() < end, "the exclusion ended too early for this host");

    wait_until("the exclusion ends", PATIENCE, || jiff::Timestamp::now() > end);
    connect("alice", "216.160.83.56", "KALI-3");
    wait_until("her alert arrives", PATIENCE, || alerts_of("alice") == 1);
    let checked = text(&home, &wire.sensor, "check");
    assert!(checked.contains("exclusions: 1, of which 1 ended"), "{checked}");

    sensor.stored();
    let rebuilt = folder.path().join("rebuilt.sqlite").display().to_string();
    text(&home, &wire.sensor, &format!("rebuild --to {rebuilt}"));
    let digest = |file: &str| {
        lines(&text(&home, &wire.sensor, &format!("store digest --json {file}")))[0]["digest"].clone()
    };
    assert_eq!(digest(""), digest(&rebuilt));
}
