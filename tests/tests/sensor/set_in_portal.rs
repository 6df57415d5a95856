//! What is set in the portal is in force: retention in the journal, health in what is told, a threshold in what raises an
//! alert. What is wrong is refused with the reason, and changes nothing.

use std::{fs, path::Path};

use end_to_end::config::{ClientEntry, Config, SECRET};
use end_to_end::portal::{Browser, link};
use end_to_end::requests::{Status, of_length};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, wait_until};
use radius::{Code, build::RequestBuilder};
use serde_json::Value;

const DAY_S: u64 = 86_400;

fn text(home: &Home, wire: &Wire, command: &str) -> String {
    let output = output(&mut home.command(&wire.sensor, command));
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Saves fields on a page of the settings; the answer's status and text.
fn save(browser: &Browser<'_>, page: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = browser.submit(&browser.get(page), page, fields);
    (answer.status, answer.text)
}

/// The changes of settings, as the audit log has them: by whom and what.
fn changes(home: &Home, wire: &Wire) -> Vec<String> {
    let audit = text(home, wire, "audit --limit 100 --format json");
    let lines = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let said =
        |line: Value| format!("{} {}", line["who"].as_str().unwrap(), line["details"].as_str().unwrap());
    lines.filter(|line| line["action"] == "settings.change").map(said).collect()
}

#[test]
fn retention_that_is_saved_takes_from_the_journal_and_what_is_wrong_is_refused() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines("[journal]\nsegment_bytes = \"1 MiB\"\nfree_reserve = 0"));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let send = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            nas.ask_once(&of_length(4000, number as u8, &format!("{number}"), SECRET));
        }
    };
    send(0..2000);
    sensor.stored();
    // Whether the service has come to them or not.
    let removed = || home.log().matches("retention removed ").count();
    assert_eq!(removed(), 0, "16 GiB are kept without a word");

    let (page, largest) = ("/settings/retention", "journal.max_bytes");
    for (field, value, reason) in [
        (largest, "1 MiB", "must lie between 4194304 and"),
        (largest, "many", "not a size"),
        ("store.keep", "90d", "must lie between 91d and"),
        ("journal.max_age", "soon", "journal.max_age"),
        ("journal.max_age", "1m", "no unit of months"),
        ("journal.keep_unread", "perhaps", "journal.keep_unread"),
    ] {
        let (status, said) = save(&carol, page, &[(field, value)]);
        assert!(
            status == 422 && said.contains(reason) && said.contains("nothing was changed"),
            "{value}: {said}"
        );
        assert!(!carol.get(page).text.contains(&format!("value=\"{value}\"")), "{value}");
    }
    // The file has it.
    assert!(!carol.get(page).text.contains("name=\"journal.free_reserve\""));
    assert!(changes(&home, &wire).is_empty() && removed() == 0);

    let less = [(largest, "4 MiB"), ("store.keep", "100d")];
    let (status, asked) = save(&carol, page, &less);
    assert!(
        status == 200 && asked.contains("Nothing is saved yet") && asked.contains("4 MiB at most"),
        "{asked}"
    );
    assert!(changes(&home, &wire).is_empty() && removed() == 0, "asked twice");
    let saved = save(&carol, page, &[&less[..], &[("sure", "true")]].concat());
    assert_eq!(saved.0, 303, "{}", saved.1);
    let there = carol.get(page).text;
    assert!(there.contains("value=\"4 MiB\"") && there.contains("value=\"100d\""), "{there}");
    // At the next segment, at the latest.
    send(2000..2500);
    wait_until("the oldest records go", PATIENCE, || removed() >= 2);
    let changed = changes(&home, &wire);
    let [change] = &changed[..] else { panic!("{changed:?}") };
    for part in ["carol@portal", "journal.max_bytes: default -> \"4 MiB\"", "store.keep: default -> \"100d\""]
    {
        assert!(change.contains(part), "{part}: {change}");
    }
}

/// Health messages about this condition.
fn told(file: &Path, condition: &str) -> usize {
    let all = fs::read_to_string(file).unwrap_or_default();
    let lines = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == "health" && line.to_string().contains(condition)).count()
}

#[test]
fn health_that_is_saved_decides_what_is_told_and_what_is_wrong_is_refused() {
    let wire = Wire::new();
    let folder = tempfile::tempdir().unwrap();
    let all = folder.path().join("all.json");
    let home = Home::new(&Config::udp().lines(&format!(
        "[[sink]]\nname = \"all\"\nkind = \"file\"\npath = {all:?}\nformat = \"json\"\nwhat = [\"health\"]\n"
    )));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask_once(&of_length(200, 1, "only one", SECRET));
    sensor.stored();

    let page = "/settings/health";
    for (field, value, reason) in [
        ("health.client_silent", "0s", "must lie between 1s and"),
        ("health.clock_skew", "59s", "must lie between 1m and"),
        ("health.sink_behind", "off", "health.sink_behind"),
        ("health.over_after", "a while", "health.over_after"),
    ] {
        let (status, said) = save(&carol, page, &[(field, value)]);
        assert!(
            status == 422 && said.contains(reason) && said.contains("nothing was changed"),
            "{value}: {said}"
        );
    }
    assert!(changes(&home, &wire).is_empty());
    assert_eq!(told(&all, "client-silent"), 0, "a day is not over");

    assert_eq!(save(&carol, page, &[("health.client_silent", "2s")]).0, 303);
    assert!(carol.get(page).text.contains("value=\"2s\""));
    wait_until("its silence is told", PATIENCE, || told(&all, "client-silent") > 0);
    let changed = changes(&home, &wire);
    let [change] = &changed[..] else { panic!("{changed:?}") };
    assert!(change.contains("carol@portal") && change.contains("health.client_silent: "), "{change}");
}

#[test]
fn a_threshold_that_is_saved_decides_whether_the_same_connection_raises_an_alert() {
    let wire = Wire::new();
    // What is new for the whole organisation would be told whatever the score is.
    let file = "[events]\naccept_past = \"60d\"\n[detect]\norganisation_learning = \"365d\"";
    let home = Home::new(&Config::udp().lines(file));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let now = jiff::Timestamp::now().as_second() as u64;
    let mut number = 0;
    let mut connect = |user: &str, address: &str, ago_s: u64| {
        number += 1;
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, number as u8);
        request.integer(40, Status::Start as u32).text(44, &format!("{number}")).text(32, "gateway");
        request.text(1, user).text(31, address).integer(61, 5).integer(55, (now - ago_s) as u32);
        nas.ask_once(request.seal(SECRET.as_bytes()).unwrap());
    };
    // A month at home, told today as after an outage; then each of them in a country of her own, as on a holiday.
    for day in (1..=31).rev() {
        for user in ["anna", "berta", "clara", "dora"] {
            connect(user, "81.2.69.160", day * DAY_S);
        }
    }
    let mut abroad = |user: &str, address: &str| {
        connect(user, address, 0);
        sensor.stored();
        let listed = text(&home, &wire, "alerts --open --format json");
        listed
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["user"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(abroad("anna", "175.16.199.7"), [] as [Value; 0], "as it comes");

    let page = "/settings/detections";
    let low = [("detect.alert_score", "0.5"), ("detect.alert_score_one_group", "0.5")];
    assert_eq!(save(&carol, page, &low).0, 303);
    assert_eq!(abroad("berta", "89.160.20.112"), ["berta"]);

    // Nobody is learned within a month from here on.
    let (status, said) = save(&carol, page, &[&low[..], &[("detect.learning", "91d")]].concat());
    assert!(status == 422 && said.contains("must be whole days, from 1d to 90d"), "{said}");
    assert_eq!(save(&carol, page, &[&low[..], &[("detect.learning", "90d")]].concat()).0, 303);
    assert_eq!(abroad("clara", "128.199.64.23"), ["berta"]);
    // And as it comes again: a field that is empty takes the default.
    assert_eq!(save(&carol, page, &low).0, 303);
    let mut users = abroad("dora", "139.162.120.1");
    users.sort_by_key(Value::to_string);
    assert_eq!(users, ["berta", "dora"]);
    let changed = changes(&home, &wire);
    assert_eq!(changed.len(), 3, "{changed:?}");
    assert!(
        changed.iter().any(|change| change.contains("detect.learning: default -> \"90d\"")),
        "{changed:?}"
    );
}

/// When the first client's secret was last used, as its card says.
fn last_used(browser: &Browser<'_>) -> String {
    let page = browser.get("/settings/clients").text;
    let (_, card) = page.split_once("Secret last used</dt><dd>").unwrap_or_else(|| panic!("{page}"));
    card.split("</dd>").next().unwrap().to_owned()
}

#[test]
fn when_a_secret_was_last_used_is_known_after_a_restart_and_of_another_secret_nothing_is() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    assert!(last_used(&carol).contains("not seen yet"), "{}", last_used(&carol));
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&of_length(200, 1, "only one", SECRET));
    let used = last_used(&carol);
    assert!(used.contains("<time"), "{used}");
    assert!(sensor.stop().success());

    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    assert_eq!(last_used(&carol), used);
    assert!(sensor.stop().success());
    let kept = fs::read_to_string(home.state().join("secrets-used.json")).unwrap();
    assert!(!kept.contains(SECRET), "{kept}");

    // Another one is in the file when the sensor starts again.
    let other = ClientEntry::new("nas", &["192.0.2.0/24"], "another that nobody has used");
    home.configure(&Config::udp().clients(&[other]));
    let _sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    assert!(last_used(&carol).contains("not seen yet"), "{}", last_used(&carol));
}

#[test]
fn a_vpn_server_of_a_range_gets_a_secret_of_its_own_and_is_told_what_of_the_range_it_leaves() {
    const OWN: &str = "a secret of its own, of the branch";
    let wire = Wire::new();
    let whole = |address: &str| {
        format!(
            "[[client]]\nname = \"range\"\naddress = [{address:?}]\nvendor = \"fortinet\"\nmax_rate = 100\nsecret = {SECRET:?}\n"
        )
    };
    let home = Home::new(&Config::udp().clients(&[]).lines(&whole("192.0.2.0/24")));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, OWN);
    nas.send(&of_length(200, 1, "first", OWN));
    let page = format!("/settings/listening/{NAS_V4}");
    wait_until("it is seen", PATIENCE, || carol.get(&page).status == 200);
    let there = carol.get(&page);
    for part in [
        "Or a secret of its own",
        "range</bdi> is for 192.0.2.0/24",
        "any more: max_rate.",
        "\"fortinet\" selected",
    ] {
        assert!(there.text.contains(part), "{part:?} is not in {}", there.text);
    }
    let fields = [
        ("name", "branch"),
        ("address", "192.0.2.10"),
        ("vendor", "fortinet"),
        ("secret", OWN),
        ("do", "save"),
    ];
    assert_eq!(carol.submit(&there, &page, &fields).status, 303);
    nas.ask(&of_length(200, 2, "second", OWN));

    // Of one that the file has by itself there is nothing to leave.
    drop(sensor);
    let home = Home::new(&Config::udp().clients(&[]).lines(&whole("192.0.2.10")));
    let _sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    nas.send(&of_length(200, 3, "third", OWN));
    wait_until("it is seen", PATIENCE, || carol.get(&page).status == 200);
    assert!(!carol.get(&page).text.contains("Or a secret of its own"));
}
