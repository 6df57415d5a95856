//! A person is forgotten by a running sensor: no octet of the state directory names them afterwards, everybody else is as
//! before, and the store is what its rebuild makes. Also where no sensor runs, and wherever the sensor is killed meanwhile.

use std::{fs, path::Path, process::Stdio, thread, time::Duration};

use end_to_end::config::{Config, SECRET};
use end_to_end::requests::{Status, kind};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, PATIENCE, Wire, wait_until};
use radius::{Code, build::RequestBuilder};
use serde_json::Value;

/// Nobody listens there, so that all that it is told waits.
const DEAD_SINK: &str = "[[sink]]\nname = \"dead\"\nkind = \"syslog\"\naddress = \"127.0.0.1:9\"\ntls = false\n\
                         what = [\"alerts\", \"connections\"]";
const REALMS: &str = "[users]\nrealms = [[\"contoso.example\", \"contoso\", \"\"]]";
/// One person.
const ALIASES: [&str; 4] =
    ["CONTOSO\\wilhelmina", "wilhelmina@contoso.example", "WILHELMINA", "Wilhelmina@Contoso.Example"];

fn text(home: &Home, namespace: &Namespace, command: &str) -> String {
    let output = output(&mut home.command(namespace, command));
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What connects, each request with an identifier of its own.
struct VpnServer {
    nas: Nas,
    identifier: u8,
}

impl VpnServer {
    fn new(wire: &Wire) -> VpnServer {
        VpnServer { nas: Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET), identifier: 0 }
    }

    fn say(&mut self, status: Status, session: &str, user: &str, info: &str) {
        self.identifier = self.identifier.wrapping_add(1);
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, self.identifier);
        builder.integer(kind::STATUS_TYPE, status as u32);
        builder
            .text(kind::SESSION_ID, session)
            .text(kind::NAS_IDENTIFIER, "gateway")
            .text(kind::USER_NAME, user);
        builder.text(31, "203.0.113.7").attribute(61, &5_u32.to_be_bytes()).text(77, info);
        self.nas.ask(builder.seal(SECRET.as_bytes()).unwrap());
    }

    /// Somebody connects under all names, others in between; some stay connected.
    fn connect_all(&mut self, round: &str) {
        for (at, alias) in ALIASES.into_iter().enumerate() {
            self.say(Status::Start, &format!("{round}-m{at}"), alias, &format!("OU=x,CN={alias},O=y"));
            let other = format!("bob{at}@contoso.example");
            self.say(Status::Start, &format!("{round}-b{at}"), &other, "OU=x");
            if at % 2 == 0 {
                self.say(Status::Stop, &format!("{round}-m{at}"), alias, "x");
                self.say(Status::Stop, &format!("{round}-b{at}"), &other, "x");
            }
        }
        // Somebody else's request that names the person.
        self.say(Status::Interim, &format!("{round}-b1"), "bob1@contoso.example", "lent by Wilhelmina.");
    }
}

/// Every file below a folder that holds the name in any letter case.
fn holding(folder: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, name));
            continue;
        }
        // A file may go while we look.
        let octets = fs::read(&path).unwrap_or_default();
        if octets.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name.as_bytes())) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[track_caller]
fn nothing_holds(home: &Home, name: &str) {
    assert_eq!(holding(home.state(), name), Vec::<String>::new());
}

/// The digest of the store in force is that of its rebuild.
#[track_caller]
fn store_is_its_rebuild(home: &Home, namespace: &Namespace, name: &str) {
    let rebuilt = home.file(name);
    let digest =
        |file: &str| lines(&text(home, namespace, &format!("store digest --json {file}")))[0].clone();
    let live = digest("");
    text(home, namespace, &format!("rebuild --to {}", rebuilt.display()));
    assert_eq!(live, digest(&rebuilt.display().to_string()));
}

/// Requests that are not done.
fn pending(home: &Home) -> i64 {
    let control = rusqlite::Connection::open(home.state().join("service/control.sqlite")).unwrap();
    control.busy_timeout(PATIENCE).unwrap();
    control.query_row("SELECT count(*) FROM forget WHERE state <> 'done'", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_running_sensor_forgets_a_person_under_every_name_and_nobody_else() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines(&format!("{REALMS}\n{DEAD_SINK}")));
    let sensor = home.start(&wire.sensor);
    let mut server = VpnServer::new(&wire);
    server.connect_all("one");
    sensor.stored();
    wait_until("what nobody takes waits in the spool", PATIENCE, || {
        holding(home.state(), "wilhelmina").iter().any(|path| path.contains("/spool/dead/"))
    });
    text(&home, &wire.sensor, "user wilhelmina");
    text(&home, &wire.sensor, "user bob1@contoso.example");
    let before = lines(&text(&home, &wire.sensor, "journal dump"));
    // What a rebuild put aside or wrote beside it is a copy as well.
    let (old, copy) = (home.state().join("service/store.sqlite.old"), home.state().join("rebuilt.sqlite"));
    for to in [&old, &copy] {
        text(&home, &wire.sensor, &format!("rebuild --to {}", to.display()));
    }
    assert!(holding(home.state(), "wilhelmina").len() >= 3);

    // Nobody is there to be asked.
    let asked = output(home.command(&wire.sensor, "forget wilhelmina").stdin(Stdio::null()));
    assert_eq!(asked.status.code(), Some(2), "{}", String::from_utf8_lossy(&asked.stderr));
    let told = text(&home, &wire.sensor, "forget WILHELMINA --yes --json");
    let tombstone = &lines(&told)[0];
    assert_eq!((&tombstone["records"], &tombstone["sessions"]), (&7.into(), &4.into()), "{tombstone}");
    nothing_holds(&home, "wilhelmina");

    let verified: Value = serde_json::from_str(&text(&home, &wire.sensor, "journal verify --json")).unwrap();
    assert_eq!((&verified["good"], &verified["redacted"]), (&true.into(), &7.into()), "{verified}");
    assert_eq!(verified["records"], before.len());
    for (before, after) in before.iter().zip(lines(&text(&home, &wire.sensor, "journal dump"))) {
        assert_eq!((&before["seq"], &before["time"]), (&after["seq"], &after["time"]));
        let is_named = before.to_string().to_lowercase().contains("wilhelmina");
        match is_named {
            true => assert_eq!(after["redacted"], true, "{after}"),
            false => assert_eq!(*before, after),
        }
    }
    let users = lines(&text(&home, &wire.sensor, "users --format json"));
    assert!(users.len() == 4 && users.iter().all(|user| user["connections"] == 1), "{users:?}");
    let audit = lines(&text(&home, &wire.sensor, "audit --format json"));
    let subjects = |action: &str| -> Vec<Value> {
        audit.iter().filter(|line| line["action"] == action).map(|line| line["subject"].clone()).collect()
    };
    assert_eq!(subjects("user.forget"), [tombstone["pseudonym"].clone()]);
    assert_eq!(subjects("user.show"), [tombstone["pseudonym"].clone(), "bob1@contoso.example".into()]);
    store_is_its_rebuild(&home, &wire.sensor, "rebuilt.sqlite");
    for copy in [old, copy] {
        let digest = lines(&text(&home, &wire.sensor, &format!("store digest --json {}", copy.display())));
        assert_eq!(digest, lines(&text(&home, &wire.sensor, "store digest --json")));
    }

    // Who comes again is somebody new; the others' sessions go on.
    server.say(Status::Stop, "one-m1", "WILHELMINA", "x");
    server.say(Status::Stop, "one-b1", "bob1@contoso.example", "x");
    server.say(Status::Start, "two", "WILHELMINA", "x");
    sensor.stored();
    let page: Value =
        serde_json::from_str(&text(&home, &wire.sensor, "user wilhelmina --format json")).unwrap();
    assert_eq!(page["connections"], 2, "{page}");
    let bob = text(&home, &wire.sensor, "user bob1@contoso.example --format json");
    let bob: Value = serde_json::from_str(&bob).unwrap();
    assert_eq!(
        (&bob["connections"], &bob["sessions"][0]["end_reason"]),
        (&1.into(), &"stop".into()),
        "{bob}"
    );
    store_is_its_rebuild(&home, &wire.sensor, "rebuilt-again.sqlite");
    assert!(sensor.stop().success());

    // Without a sensor the command does it.
    let told = text(&home, &wire.sensor, "forget wilhelmina@contoso.example --yes");
    assert!(told.starts_with("forgotten: 2 records and 2 connections are taken out"), "{told}");
    nothing_holds(&home, "wilhelmina");
    store_is_its_rebuild(&home, &wire.sensor, "rebuilt-offline.sqlite");
    text(&home, &wire.sensor, "rebuild");
    let sensor = home.start(&wire.sensor);
    sensor.wait_metrics("the service is up", |metrics| metrics.sum("vpn_sensor_service_up", &[]) == 1);
    nothing_holds(&home, "wilhelmina");
    assert_eq!(lines(&text(&home, &wire.sensor, "users --format json")).len(), 4);
}

#[test]
fn killed_anywhere_the_next_start_forgets_who_was_to_be_forgotten() {
    const KILLS: u64 = 10;
    let wire = Wire::new();
    // Small segments: there are several to be written anew.
    let home = Home::new(&Config::udp().lines(&format!("{REALMS}\n[journal]\nsegment_bytes = \"1 MiB\"")));
    let mut sensor = home.start(&wire.sensor);
    let mut server = VpnServer::new(&wire);
    let secret = home.file("secret");
    fs::write(&secret, SECRET).unwrap();
    let load = format!(
        "send --to 192.0.2.1 --count 6000 --status start --rate 6000 --window 200 --retries 100 --secret-file {}",
        secret.display()
    );
    text(&home, &wire.nas, &load);
    for kill in 0..KILLS {
        server.connect_all(&format!("round{kill}"));
        sensor.stored();
        assert!(holding(home.state(), "wilhelmina").len() >= 2, "{kill}");
        let mut command = home.command(&wire.sensor, "forget wilhelmina --yes");
        let mut asks = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("the request is there", PATIENCE, || pending(&home) > 0);
        thread::sleep(Duration::from_millis(kill * 379 % 2500));
        // The command would do it in the sensor's place.
        asks.kill().unwrap();
        asks.wait().unwrap();
        sensor.kill();
        sensor = home.start(&wire.sensor);
        wait_until("the request is executed", PATIENCE, || pending(&home) == 0);
        nothing_holds(&home, "wilhelmina");
    }
    let users = lines(&text(&home, &wire.sensor, "users --format json --limit 100000"));
    for at in 0..4 {
        let key = format!("bob{at}@contoso.example");
        let bob = users.iter().find(|user| user["user"] == *key).unwrap();
        assert_eq!(bob["connections"], KILLS, "{bob}");
    }
    let verified: Value = serde_json::from_str(&text(&home, &wire.sensor, "journal verify --json")).unwrap();
    assert_eq!((&verified["good"], &verified["redacted"]), (&true.into(), &(7 * KILLS).into()), "{verified}");
    store_is_its_rebuild(&home, &wire.sensor, "rebuilt.sqlite");
    assert!(!home.log().contains("damaged"), "{}", home.log());
}
