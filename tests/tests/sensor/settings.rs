//! Settings in the portal, with the real sensor: from the first start without a file to the first accepted packet, a wrong
//! secret shown and mended, two tabs, roles, and the file that wins.

use std::{fs, net::UdpSocket, time::Duration};

use end_to_end::api::{ask, patch, post};
use end_to_end::config::{ClientEntry, Config, Path, SECRET};
use end_to_end::portal::{Browser, Page, link, path_of};
use end_to_end::requests::start;
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, wait_until};
use serde_json::{Value, json};

/// What is typed in the portal.
const TYPED: &str = "the-secret-of-everybody-1";
const OTHERS: &str = "the-secret-on-the-gateway";

fn nas(wire: &Wire, secret: &str) -> Nas {
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, secret)
}

/// Waits until the page of the first packet says this, and returns it.
#[track_caller]
fn listening(browser: &Browser<'_>, what: &str) -> Page {
    wait_until(what, PATIENCE, || browser.get("/settings/listening").text.contains(what));
    browser.get("/settings/listening")
}

/// No file of the state directory, the log or the audit log but the kept secrets has any of these.
fn assert_nowhere(home: &Home, secrets: &[&str]) {
    fn look(path: &std::path::Path, secrets: &[&str]) {
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| look(&entry.unwrap().path(), secrets));
        } else if !path.to_string_lossy().ends_with(".secret") {
            let octets = fs::read(path).unwrap();
            for secret in secrets {
                let found = octets.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{} holds a secret", path.display());
            }
        }
    }
    look(home.state(), secrets);
    secrets.iter().for_each(|secret| assert!(!home.log().contains(secret)));
}

#[test]
fn from_the_first_start_to_the_first_packet_and_a_wrong_secret_mended() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start_without_a_file(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));

    // Unknown to begin with: this host alone may send.
    nas(&wire, TYPED).send(&start(1, "early", TYPED));
    let page = listening(&carol, "unknown: no VPN server or range");
    assert!(page.text.contains("192.0.2.10") && page.text.contains("gateway"), "{}", page.text);

    // One secret for everybody.
    let page = carol.get("/settings/vpn");
    assert!(page.text.contains("This host alone"), "{}", page.text);
    let set = [("scope", "any"), ("secret", TYPED), ("do", "set")];
    let answer = carol.submit(&page, "/settings/vpn/secret", &set);
    assert_eq!((answer.status, &*answer.location), (303, "/settings/listening"), "{}", answer.text);
    nas(&wire, TYPED).ask(&start(2, "first", TYPED));
    assert!(!listening(&carol, "everybody").text.contains("unknown: no VPN"), "mended");

    // A VPN server with another secret: shown, tried, mended.
    nas(&wire, OTHERS).send(&start(3, "wrong", OTHERS));
    let page = listening(&carol, "wrong secret: it is not the one of");
    assert!(page.text.contains("/settings/listening/192.0.2.10"), "{}", page.text);
    let mend = "/settings/listening/192.0.2.10";
    let page = carol.get(mend);
    let answer =
        carol.submit(&page, mend, &[("secret", "something else"), ("client", "everybody"), ("do", "try")]);
    assert!(answer.text.contains("That is not the secret"), "{}", answer.text);
    let answer =
        carol.submit(&page, mend, &[("secret", "something else"), ("client", "everybody"), ("do", "save")]);
    assert_eq!(answer.status, 422, "a wrong one is not saved by mistake");
    let right = [("secret", OTHERS), ("client", "everybody")];
    let answer = carol.submit(&page, mend, &[&right[..], &[("do", "try")]].concat());
    assert!(answer.text.contains("That is the secret"), "{}", answer.text);
    nas(&wire, OTHERS).send(&start(4, "wrong", OTHERS));
    let answer = carol.submit(&page, mend, &[&right[..], &[("do", "save")]].concat());
    assert_eq!(answer.status, 303, "{}", answer.text);
    nas(&wire, OTHERS).ask(&start(5, "mended", OTHERS));
    assert!(listening(&carol, "Nobody.").text.contains("everybody"), "mended");
    nas(&wire, TYPED).ask(&start(6, "the one before is good as well", TYPED));

    // Both were seen used; the rotation ends.
    let page = carol.get("/settings/clients");
    assert!(page.text.contains("Secret before, last used") && !page.text.contains("not seen yet"));
    let answer = carol.submit(&page, "/settings/clients/secret", &[("name", "everybody"), ("do", "end")]);
    assert_eq!(answer.status, 303, "{}", answer.text);
    nas(&wire, TYPED).send(&start(7, "over", TYPED));
    listening(&carol, "wrong secret: it is not the one of");
    // Somebody gives the VPN server the one that is in force.
    nas(&wire, OTHERS).ask(&start(11, "mended on the VPN server", OTHERS));
    listening(&carol, "Nobody.");
    nas(&wire, TYPED).send(&start(12, "and the one before once more", TYPED));
    listening(&carol, "wrong secret: it is not the one of");

    // A generated one: letters and digits, shown once.
    let page = carol.get("/settings/vpn");
    assert!(page.text.contains("Accept the one before as well"), "the box is ticked: {}", page.text);
    let form = [("scope", "any"), ("keep", "true"), ("do", "generate")];
    let generated = carol.submit(&page, "/settings/vpn/secret", &form);
    let generated = generated.secret().to_owned();
    assert!(generated.len() == 32 && generated.bytes().all(|octet| octet.is_ascii_alphanumeric()));
    assert!(!carol.get("/settings/clients").text.contains(&generated));
    nas(&wire, &generated).ask(&start(8, "generated", &generated));
    nas(&wire, OTHERS).ask(&start(10, "whoever has the one before comes in", OTHERS));
    let page = carol.get("/settings/clients");
    let answer = carol.submit(&page, "/settings/clients/secret", &[("name", "everybody"), ("do", "end")]);
    assert_eq!(answer.status, 303, "{}", answer.text);

    // All of it outlives the process.
    drop(sensor);
    let sensor = home.start_without_a_file(&wire.sensor);
    nas(&wire, &generated).ask(&start(9, "behind a restart", &generated));
    assert_nowhere(&home, &[TYPED, OTHERS, &generated, "something else"]);
    let secrets = fs::read_dir(home.state().join("settings/secrets")).unwrap().count();
    assert_eq!(secrets, 1, "those of before are gone");
    drop(sensor);
}

#[test]
fn accounting_off_closes_the_port_and_on_opens_it() {
    for way in [Path::Udp, Path::Xdp] {
        off_and_on(way);
    }
}

fn off_and_on(way: Path) {
    let wire = Wire::new();
    let home = Home::new(&way.config());
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let listens = || wire.sensor.run("ss", "-Huln sport = :1813").contains("1813");
    nas(&wire, SECRET).ask(&start(1, "before", SECRET));
    let page = carol.get("/settings/vpn");
    let warning = "Some VPN servers (ocserv, strongSwan, accel-ppp) refuse log-ins";
    assert!(page.text.contains(warning), "{}", page.text);
    assert!(!carol.get("/").text.contains("accounting is off"), "it is on");
    assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", "false")]).status, 303);
    wait_until("the port is closed", PATIENCE, || !listens());
    wait_until("nobody answers", PATIENCE, || {
        let asker = nas(&wire, SECRET);
        asker.send(&start(3, "meanwhile", SECRET));
        asker.answer(Duration::from_millis(300)).is_none()
    });
    let page = carol.get("/settings/vpn");
    assert!(page.text.contains("Turn accounting on") && page.text.contains(warning), "{}", page.text);
    let overview = carol.get("/").text;
    assert!(overview.contains("RADIUS accounting is off") && overview.contains(warning), "{overview}");
    // It is looked at each ten seconds.
    wait_until("the sensor's page says so", PATIENCE, || {
        carol.get("/sensors").text.contains("<strong>accounting is off</strong>")
    });
    let page = carol.get("/settings/tokens");
    let form = [("token", page.value("token")), ("name", "reports"), ("may", "read"), ("days", "1")];
    let token = carol.post("/settings/tokens", &form).secret().to_owned();
    let (_, now) = ask(&wire.sensor, "sensors/now", Some(&token));
    assert_eq!(now["accounting"], false, "{now}");
    // Of what version that is which people look up when something looks wrong: the same for both.
    let database = &now["databases"][0];
    assert!(database["built"].as_str().unwrap().starts_with("20"), "{now}");
    let shown = carol.get("/sensors").text;
    let release = format!("release {} of its tables", now["store_release"]);
    for part in [database["kind"].as_str().unwrap(), database["built"].as_str().unwrap(), &release] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let page = carol.get("/settings/vpn");
    assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", "true")]).status, 303);
    wait_until("the port is open", PATIENCE, listens);
    let taken = || sensor.metrics().received_on(way.label());
    let before = taken();
    nas(&wire, SECRET).ask(&start(2, "behind", SECRET));
    assert!(taken() > before, "what is sent behind that comes in by the same way, {way:?}");
    assert_eq!(ask(&wire.sensor, "sensors/now", Some(&token)).1["accounting"], true);
    // Off is off at the next start, too.
    let page = carol.get("/settings/vpn");
    assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", "false")]).status, 303);
    drop(sensor);
    let sensor = home.start(&wire.sensor);
    wait_until("the port is closed", PATIENCE, || !listens());
    drop(sensor);
}

#[test]
fn ports_that_another_program_took_while_accounting_was_off_are_told_of_until_they_are_open() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let turn = |on: &str| {
        let page = carol.get("/settings/vpn");
        assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", on)]).status, 303);
    };
    let listens = || wire.sensor.run("ss", "-Huln sport = :1813").contains("1813");
    turn("false");
    wait_until("the port is closed", PATIENCE, || !listens());
    let taken = wire.sensor.enter(|| UdpSocket::bind((SENSOR_V4, 1813)).unwrap());
    turn("true");
    let closed = "ports cannot be opened";
    for (path, says) in [
        ("/settings/vpn", closed),
        ("/settings/listening", closed),
        ("/", closed),
        ("/", "ports-closed"),
        ("/sensors", "ports are closed"),
    ] {
        wait_until(says, PATIENCE, || carol.get(path).text.contains(says));
    }
    drop(taken);
    wait_until("it is open", PATIENCE, listens);
    nas(&wire, SECRET).ask(&start(1, "heard again", SECRET));
    for path in ["/settings/vpn", "/settings/listening", "/", "/sensors"] {
        wait_until(path, PATIENCE, || {
            let page = carol.get(path).text;
            !page.contains(closed) && !page.contains("ports are closed")
        });
    }
}

#[test]
fn a_short_secret_is_warned_of_until_there_is_a_longer_one() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let warning = "The secret of <bdi>branch</bdi> is shorter than 16 characters";
    let pages = ["/settings/vpn", "/settings/clients"];
    let page = carol.get("/settings/clients");
    let branch = [("new", "true"), ("name", "branch"), ("address", "203.0.113.0/24"), ("do", "set")];
    let answer =
        carol.submit(&page, "/settings/clients", &[&branch[..], &[("secret", "fifteen-octets!")]].concat());
    assert_eq!(answer.status, 303, "{}", answer.text);
    for path in pages {
        let page = carol.get(path);
        assert_eq!(page.text.matches(warning).count(), 1, "{path}: {}", page.text);
        assert!(!page.text.contains("fifteen-octets!"), "{path} holds a secret");
    }
    // While the short one is accepted as well, it is one of hers.
    let rotate = [("name", "branch"), ("keep", "true"), ("do", "set"), ("secret", TYPED)];
    let page = carol.get("/settings/clients");
    assert_eq!(carol.submit(&page, "/settings/clients/secret", &rotate).status, 303);
    assert!(carol.get("/settings/clients").text.contains(warning));
    let page = carol.get("/settings/clients");
    let end = [("name", "branch"), ("do", "end")];
    assert_eq!(carol.submit(&page, "/settings/clients/secret", &end).status, 303);
    for path in pages {
        assert!(!carol.get(path).text.contains("is shorter than"), "{path}");
    }
}

#[test]
fn two_tabs_lose_nothing_the_file_wins_and_analysts_set_nothing() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines("[detect]\nalert_score = 5.5"));
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));

    let [first, second] = [carol.get("/settings/detections"), carol.get("/settings/detections")];
    let file = home.config().display().to_string();
    let line = fs::read_to_string(home.config()).unwrap();
    let line = line.lines().position(|line| line.starts_with("alert_score")).unwrap() + 1;
    assert!(first.text.contains(&format!("{file}:{line}")), "{}", first.text);
    assert!(!first.text.contains("name=\"detect.alert_score\""), "what the file sets cannot be edited");
    let save =
        |page: &Page, kmh: &str| carol.submit(page, "/settings/detections", &[("detect.travel_kmh", kmh)]);
    assert_eq!(save(&first, "777").status, 303);
    let lost = save(&second, "888");
    assert_eq!(lost.status, 409);
    assert!(lost.text.contains("detect.travel_kmh: default -&gt; 777"), "{}", lost.text);
    assert!(lost.text.contains("carol@portal"), "{}", lost.text);
    assert!(carol.get("/settings/detections").text.contains("value=\"777\""), "the first one is there");
    let wrong = save(&carol.get("/settings/detections"), "1");
    assert!(wrong.status == 422 && wrong.text.contains("must lie between 100 and"), "{}", wrong.text);

    // Names and prefixes that the file has.
    for (name, address, reason) in [
        ("nas", "203.0.113.0/24", "there are two clients of the name &quot;nas&quot; (in "),
        ("other", "192.0.2.0/24", "192.0.2.0/24 belongs to client &quot;nas&quot; already (in "),
    ] {
        let page = carol.get("/settings/clients");
        let fields =
            [("new", "true"), ("name", name), ("address", address), ("secret", TYPED), ("do", "set")];
        let answer = carol.submit(&page, "/settings/clients", &fields);
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.contains(&format!("{reason}{file}:")), "{}", answer.text);
    }

    // Another administrator makes an account for an analyst, who then sees people and no settings.
    let people = carol.get("/settings/people");
    let token = people.value("token").to_owned();
    let made = carol.post("/settings/people", &[("token", &token), ("account", "dave"), ("role", "analyst")]);
    let dave = Browser::signed_in(&wire.sensor, made.secret());
    assert_eq!(dave.get("/").status, 200);
    assert!(!dave.get("/").text.contains("/settings/vpn"));
    for path in ["/settings/vpn", "/settings/people", "/settings/listening", "/settings"] {
        let page = dave.get(path);
        assert!(page.status == 403 && page.text.contains("for administrators"), "{path}: {}", page.text);
    }
    let token = dave.get("/").value("token").to_owned();
    for path in ["/settings/vpn/accounting", "/settings/tokens", "/settings/people/change"] {
        assert_eq!(dave.post(path, &[("token", &token)]).status, 403, "{path}");
    }
    let last = carol.post(
        "/settings/people/change",
        &[("token", people.value("token")), ("account", "carol"), ("do", "remove")],
    );
    assert!(last.status == 409 && last.text.contains("only administrator"), "{}", last.text);

    // Whatever pages do, a script can.
    let made = carol.post(
        "/settings/tokens",
        &[("token", people.value("token")), ("name", "setup"), ("may", "administer"), ("days", "1")],
    );
    let setup = made.secret().to_owned();
    let settings = ask(&wire.sensor, "settings", Some(&setup)).1;
    let revision = settings["revision"].as_str().unwrap();
    let key = |settings: &Value, name: &str| {
        settings["keys"].as_array().unwrap().iter().find(|key| key["key"] == name).unwrap().clone()
    };
    assert_eq!(key(&settings, "detect.travel_kmh")["origin"]["layer"], "portal");
    assert_eq!(key(&settings, "detect.alert_score")["origin"]["line"], line);
    let edits = json!([
        {"put": {"list": "client", "name": "branch", "fields": {"address": ["203.0.113.0/24"], "vendor": "asa"}}},
        {"secret": {"list": "client", "name": "branch", "secret": OTHERS}},
        {"unset": {"key": "detect.travel_kmh"}},
        {"set": {"key": "journal.max_bytes", "value": "1 GiB"}},
    ]);
    let change = json!({"revision": revision, "edits": edits});
    let (status, saved) = patch(&wire.sensor, "settings", &setup, &change);
    assert_eq!((status, &saved["restart_needed"]), (200, &json!([])), "{saved}");
    assert_eq!(patch(&wire.sensor, "settings", &setup, &change).0, 409);
    let settings = ask(&wire.sensor, "settings", Some(&setup)).1;
    assert_eq!(key(&settings, "detect.travel_kmh")["origin"]["layer"], "default");
    assert!(!settings.to_string().contains(OTHERS));

    // The longest prefix of file and portal together wins: a wider one takes nothing from the file's, a narrower one does.
    let made_up = || {
        let (status, answer) = post(&wire.sensor, "settings/secret", &setup, &json!({}));
        assert_eq!(status, 200, "{answer}");
        answer["secret"].as_str().unwrap().to_owned()
    };
    let [wide, narrow] = [made_up(), made_up()];
    assert!(
        wide != narrow && narrow.len() == 32 && narrow.bytes().all(|octet| octet.is_ascii_alphanumeric())
    );
    let add = |name: &str, address: &str, secret: &str| {
        let edits = json!([
            {"add": {"list": "client", "name": name, "fields": {"address": [address]}}},
            {"secret": {"list": "client", "name": name, "secret": secret}},
        ]);
        let (status, saved) = patch(&wire.sensor, "settings", &setup, &json!({"edits": edits}));
        assert_eq!(status, 200, "{saved}");
    };
    add("wide", "192.0.0.0/16", &wide);
    nas(&wire, SECRET).ask(&start(1, "of-the-file", SECRET));
    add("narrow", "192.0.2.10", &narrow);
    nas(&wire, &narrow).ask(&start(2, "of-the-portal", &narrow));
    let refused = sensor.metrics().verdict("bad_authenticator");
    nas(&wire, SECRET).send(&start(3, "of-the-file", SECRET));
    wait_until("the file's secret is wrong there", PATIENCE, || {
        sensor.metrics().verdict("bad_authenticator") > refused
    });
    let reads = carol.post(
        "/settings/tokens",
        &[("token", people.value("token")), ("name", "reads"), ("may", "read"), ("days", "1")],
    );
    assert_eq!(ask(&wire.sensor, "settings", Some(reads.secret())).0, 403);

    let mut audit = home.command(&wire.sensor, "audit --limit 100");
    let audit = String::from_utf8(output(&mut audit).stdout).unwrap();
    for line in ["settings.change", "setup", "client branch: another secret", "portal.link", "token.add"] {
        assert!(audit.contains(line), "{line} is not in {audit}");
    }
    assert!(!audit.contains(OTHERS) && !audit.contains(TYPED));
    assert_nowhere(&home, &[TYPED, OTHERS, &wide, &narrow]);
}

#[test]
fn a_link_is_shown_once_and_kept_nowhere() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let used = link(&home, &wire.sensor, "carol", "administrator");
    let carol = Browser::signed_in(&wire.sensor, &used);
    let waiting = link(&home, &wire.sensor, "dave", "analyst");
    let token = carol.get("/settings/people").value("token").to_owned();
    let made = carol.post("/settings/people", &[("token", &token), ("account", "erin"), ("role", "analyst")]);
    let paths = [&used, &waiting, made.secret()].map(|link| path_of(link).to_owned());
    let [used, waiting, made] = &paths;
    // Looked at, refused, used up, and with something behind it.
    let stranger = Browser::stranger(&wire.sensor);
    assert_eq!(stranger.get(waiting).status, 200);
    let short = [("account", "dave"), ("password", "short"), ("again", "short")];
    assert_eq!(stranger.post(made, &short).status, 422);
    assert_eq!(stranger.get(used).status, 410);
    assert_eq!(stranger.get(&format!("{waiting}/more")).status, 404);
    sensor.stop();
    assert!(home.log().contains("the journal is open"), "{}", home.log());
    let links = paths.each_ref().map(|path| path.rsplit('/').next().unwrap());
    assert!(links.iter().all(|link| link.len() > 20), "{links:?}");
    assert_nowhere(&home, &links);
    let mut audit = home.command(&wire.sensor, "audit");
    let audit = String::from_utf8(output(&mut audit).stdout).unwrap();
    assert!(audit.contains("portal.link") && links.iter().all(|link| !audit.contains(link)), "{audit}");
}

#[test]
fn who_is_refused_in_the_kernel_is_shown_and_let_in() {
    let wire = Wire::new();
    let elsewhere = ClientEntry::new("elsewhere", &["198.51.100.0/24"], SECRET);
    let home = Home::new(&Config::xdp().clients(&[elsewhere]));
    let _sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    nas(&wire, TYPED).send(&start(1, "early", TYPED));
    listening(&carol, "unknown: no VPN server or range");
    // A sample of what the steer program refuses comes up: a secret can be tried on it.
    let mend = "/settings/listening/192.0.2.10";
    wait_until("its request is kept", PATIENCE, || {
        nas(&wire, TYPED).send(&start(2, "early", TYPED));
        std::thread::sleep(Duration::from_millis(200));
        carol.get(mend).text.contains("Try it on the latest request")
    });
    let page = carol.get(mend);
    let fields = [
        ("name", "gateway"),
        ("address", "192.0.2.10"),
        ("vendor", "asa"),
        ("secret", TYPED),
        ("do", "save"),
    ];
    let answer = carol.submit(&page, mend, &fields);
    assert_eq!(answer.status, 303, "{}", answer.text);
    nas(&wire, TYPED).ask(&start(3, "let in", TYPED));
}
