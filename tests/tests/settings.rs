//! Settings in the portal, with the real sensor: from the first start without a file to the first accepted packet, a wrong
//! secret shown and mended, two tabs, roles, and the file that wins.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, sync::Mutex, time::Duration};

use end_to_end::config::{ClientEntry, Config, SECRET};
use end_to_end::requests::start;
use end_to_end::sensor::{Home, program};
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, PATIENCE, Wire, wait_until};
use serde_json::{Value, json};

const PORTAL: &str = "http://127.0.0.1:8813";
const PASSWORD: &str = "correct horse battery";
/// What is typed in the portal.
const TYPED: &str = "the-secret-of-everybody-1";
const OTHERS: &str = "the-secret-on-the-gateway";

/// One browser in the sensor's namespace, without a script.
struct Browser<'n> {
    namespace: &'n Namespace,
    cookie: Mutex<String>,
}

struct Page {
    status: u16,
    location: String,
    text: String,
}

impl Page {
    fn value(&self, name: &str) -> &str {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\" value=\"")).expect("a form");
        rest.split_once('"').unwrap().0
    }

    /// What is shown once.
    fn secret(&self) -> &str {
        let (_, rest) = self.text.split_once("<code class=\"secret\">").expect("a secret");
        rest.split_once('<').unwrap().0
    }
}

impl Browser<'_> {
    /// Somebody new, by the link that `portal link` printed.
    fn signed_in<'n>(namespace: &'n Namespace, link: &str) -> Browser<'n> {
        let browser = Browser { namespace, cookie: Mutex::default() };
        let path = link.trim().strip_prefix(PORTAL).expect("a link to this portal");
        let page = browser.post(path, &[("account", "x"), ("password", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(page.status, 303, "{}", page.text);
        browser
    }

    fn get(&self, path: &str) -> Page {
        self.namespace.enter(|| {
            let request = agent().get(format!("{PORTAL}{path}")).header("cookie", self.cookie());
            self.keep(request.call().expect("a page"))
        })
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = agent().post(format!("{PORTAL}{path}")).header("origin", PORTAL);
        let request = request.header("cookie", self.cookie());
        self.namespace.enter(|| self.keep(request.send_form(form.iter().copied()).expect("a page")))
    }

    fn cookie(&self) -> String {
        self.cookie.lock().unwrap().clone()
    }

    /// Fills in the form of a page, as it was loaded.
    fn submit(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = vec![("token", page.value("token")), ("revision", page.value("revision"))];
        form.extend(fields);
        self.post(path, &form)
    }

    fn keep(&self, mut answer: ureq::http::Response<ureq::Body>) -> Page {
        let text = answer.body_mut().read_to_string().unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
        if let Some((cookie, _)) = header("set-cookie").split_once(';') {
            *self.cookie.lock().unwrap() = cookie.to_owned();
        }
        Page { status: answer.status().as_u16(), location: header("location").to_owned(), text }
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    config.timeout_global(Some(PATIENCE)).build().into()
}

fn link(home: &Home, namespace: &Namespace, account: &str, role: &str) -> String {
    let mut command = namespace.command(program());
    command.args(["portal", "link", "--account", account, "--role", role, "--state-dir"]).arg(home.state());
    let output = output(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

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
    fn look(path: &Path, secrets: &[&str]) {
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
    nas(&wire, TYPED).ask(&start(6, "the one before is good as well", TYPED));

    // Both were seen used; the rotation ends.
    let page = carol.get("/settings/clients");
    assert!(page.text.contains("Secret before, last used") && !page.text.contains("not since the start"));
    let answer = carol.submit(&page, "/settings/clients/secret", &[("name", "everybody"), ("do", "end")]);
    assert_eq!(answer.status, 303, "{}", answer.text);
    let before = sensor.metrics().verdict("bad_authenticator");
    nas(&wire, TYPED).send(&start(7, "over", TYPED));
    wait_until("the secret before is refused", PATIENCE, || {
        sensor.metrics().verdict("bad_authenticator") > before
    });

    // A generated one: letters and digits, shown once.
    let page = carol.get("/settings/vpn");
    let generated = carol.submit(&page, "/settings/vpn/secret", &[("scope", "any"), ("do", "generate")]);
    let generated = generated.secret().to_owned();
    assert!(generated.len() == 32 && generated.bytes().all(|octet| octet.is_ascii_alphanumeric()));
    assert!(!carol.get("/settings/clients").text.contains(&generated));
    nas(&wire, &generated).ask(&start(8, "generated", &generated));

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
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let carol = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "carol", "administrator"));
    let listens = || wire.sensor.run("ss", "-Huln sport = :1813").contains("1813");
    nas(&wire, SECRET).ask(&start(1, "before", SECRET));
    let page = carol.get("/settings/vpn");
    assert!(page.text.contains("then refuse log-ins"), "{}", page.text);
    assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", "false")]).status, 303);
    wait_until("the port is closed", PATIENCE, || !listens());
    let page = carol.get("/settings/vpn");
    assert!(page.text.contains("Turn accounting on"), "{}", page.text);
    assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", "true")]).status, 303);
    wait_until("the port is open", PATIENCE, listens);
    nas(&wire, SECRET).ask(&start(2, "behind", SECRET));
    // Off is off at the next start, too.
    let page = carol.get("/settings/vpn");
    assert_eq!(carol.submit(&page, "/settings/vpn/accounting", &[("on", "false")]).status, 303);
    drop(sensor);
    let sensor = home.start(&wire.sensor);
    wait_until("the port is closed", PATIENCE, || !listens());
    drop(sensor);
}

#[test]
fn two_tabs_lose_nothing_the_file_wins_and_analysts_set_nothing() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines("[detect]\nalert_score = 5.5"));
    let _sensor = home.start(&wire.sensor);
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
    for (name, address) in [("nas", "203.0.113.0/24"), ("other", "192.0.2.0/24")] {
        let page = carol.get("/settings/clients");
        let fields =
            [("new", "true"), ("name", name), ("address", address), ("secret", TYPED), ("do", "set")];
        let answer = carol.submit(&page, "/settings/clients", &fields);
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.contains("already"), "{}", answer.text);
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
    let settings = ask(&wire.sensor, "GET", &setup, "settings", None).1;
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
    let (status, saved) = ask(&wire.sensor, "PATCH", &setup, "settings", Some(&change));
    assert_eq!((status, &saved["restart_needed"]), (200, &json!([])), "{saved}");
    assert_eq!(ask(&wire.sensor, "PATCH", &setup, "settings", Some(&change)).0, 409);
    let settings = ask(&wire.sensor, "GET", &setup, "settings", None).1;
    assert_eq!(key(&settings, "detect.travel_kmh")["origin"]["layer"], "default");
    assert!(!settings.to_string().contains(OTHERS));
    let reads = carol.post(
        "/settings/tokens",
        &[("token", people.value("token")), ("name", "reads"), ("may", "read"), ("days", "1")],
    );
    assert_eq!(ask(&wire.sensor, "GET", reads.secret(), "settings", None).0, 403);

    let mut audit = home.command(&wire.sensor, "audit --limit 100");
    let audit = String::from_utf8(output(&mut audit).stdout).unwrap();
    for line in ["settings.change", "setup", "client branch: another secret", "portal.link", "token.add"] {
        assert!(audit.contains(line), "{line} is not in {audit}");
    }
    assert!(!audit.contains(OTHERS) && !audit.contains(TYPED));
    assert_nowhere(&home, &[TYPED, OTHERS]);
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
    let paths =
        [&used, &waiting, made.secret()].map(|link| link.trim().strip_prefix(PORTAL).unwrap().to_owned());
    let [used, waiting, made] = &paths;
    // Looked at, refused, used up, and with something behind it.
    let stranger = Browser { namespace: &wire.sensor, cookie: Mutex::default() };
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

/// Asks the API: status and body.
fn ask(namespace: &Namespace, method: &str, token: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    namespace.enter(|| {
        let (url, token) = (format!("{PORTAL}/api/v1/{path}"), format!("Bearer {token}"));
        let answer = match body {
            None => agent().get(url).header("authorization", token).call(),
            Some(body) => {
                assert_eq!(method, "PATCH");
                let request = agent().patch(url).header("authorization", token);
                request.header("content-type", "application/json").send(body.to_string())
            }
        };
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    })
}
