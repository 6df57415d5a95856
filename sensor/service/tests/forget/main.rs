//! Somebody is forgotten by a service over a real journal, stopped at every look whether to go on, and started again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

use std::{
    cell::Cell,
    fs,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use insight::geo::Places;
use journal::{CapturePath, Handle, NewRecord, Options, Port, Reader, RealStorage, Redactor, Wake};
use radius::{Code, build::RequestBuilder};
use service::{
    Detecting, Exclusion, Meaning, ServiceError,
    control::{Control, ForgetState, Names},
    forget::Forgetting,
    live::{Live, Retention},
    rebuild::{WAITING_MAX, position_of, rebuild},
    store::{self, Digest, StoreReader, UserPart},
};

/// 2026-09-21T14:13:20Z.
const START_S: u64 = 1_790_000_000;

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

fn meaning() -> Meaning {
    let realms = vec![vec!["contoso.example".to_owned(), "CONTOSO".to_owned(), String::new()]];
    Meaning { realms, ..Meaning::default() }
}

/// With exclusions of the person, and of others for her sake.
fn excluding() -> Meaning {
    let exclusion = |user: &str, reason: &str| Exclusion {
        user: Some(user.to_owned()),
        reason: reason.to_owned(),
        until_unix_s: 2 * START_S,
        ..Exclusion::default()
    };
    let exclusions = vec![
        exclusion("mallory@contoso.example", "a trip"),
        exclusion("bob@contoso.example", "as for Mallory"),
    ];
    Meaning { detect: Detecting { exclusions, ..Detecting::default() }, ..meaning() }
}

/// A sensor's journal and service over a state directory.
struct Running {
    handle: Handle,
    writer: JoinHandle<()>,
    port: Port,
    live: Live,
    forgetting: Forgetting,
}

impl Running {
    fn open(state: &Path) -> Running {
        let journal = state.join("journal");
        let options = Options { segment_bytes: 40 << 10, batch_bytes: 8 << 10, ..Options::default() };
        let mut opened = journal::open(RealStorage::create(&journal).unwrap(), options).unwrap();
        let port = opened.writer.port(4, Arc::new(Silent));
        let handle = opened.handle;
        let writer = thread::spawn(move || opened.writer.run());
        let reader = Reader::beside(&journal, &handle).unwrap();
        let retention = Retention { max_octets: u64::MAX, max_age: None };
        let places = Arc::new(Places::new(Arc::default(), Vec::new()));
        let live = Live::open(state, &reader, &meaning(), places, retention, false).unwrap();
        let forgetting = Forgetting::new(state, Redactor::beside(&journal, &handle).unwrap());
        Running { handle, writer, port, live, forgetting }
    }

    fn say(&mut self, at: u64, status: u32, user: &str, session: &str, more: &str) {
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, at as u8);
        request.integer(40, status).text(1, user).text(44, session).text(32, "gateway");
        request.integer(61, 5).integer(6, 2).text(31, "203.0.113.7").integer(55, (START_S + at) as u32);
        request.vendor(9, 1, format!("mdm-tlv=device-uid={more}").as_bytes());
        let record = NewRecord {
            arrival_unix_ns: (START_S + at) * 1_000_000_000,
            source: "192.0.2.10:49152".parse().unwrap(),
            destination: "192.0.2.1:1813".parse().unwrap(),
            path: CapturePath::Udp,
            client: "branch",
            octets: request.seal(b"secret").unwrap(),
        };
        let mut batch = self.port.take_free().unwrap();
        batch.append(&record).unwrap();
        self.port.submit(batch);
        while self.port.free() < 4 {
            match self.port.completed() {
                Some((batch, _)) => self.port.give_back(batch),
                None => thread::yield_now(),
            }
        }
    }

    /// The service takes what is committed.
    fn take(&mut self, at: u64) {
        while self.live.turn((START_S + at) * 1_000_000_000).unwrap() {}
    }

    /// As by a kill: nothing is stored that was not.
    fn kill(self) {
        drop(self.live);
        self.handle.stop();
        self.writer.join().unwrap();
    }

    fn stop(self) {
        self.live.stop().unwrap();
        self.handle.stop();
        self.writer.join().unwrap();
    }
}

/// People come and go, one of them under several names; the last records are committed and not taken yet.
fn fill(state: &Path) {
    let mut running = Running::open(state);
    let names = ["CONTOSO\\Mallory", "mallory@contoso.example", "MALLORY"];
    for at in 0..150u64 {
        let status = if at % 4 == 3 { 2 } else { 1 };
        match at % 5 {
            0 => running.say(at, status, names[at as usize % 3], &format!("m{at}"), "PC-0"),
            1 => running.say(at, status, names[at as usize % 3], "reused", "laptop of Mallory"),
            2 => running.say(at, status, "bob@contoso.example", &format!("b{}", at % 20), "PC-0"),
            // With others' names in which this one is a part.
            _ => running.say(at, status, &format!("carol{}", at % 7), &format!("c{at}"), "PC-1"),
        }
        if at == 120 {
            running.take(at);
            running.stop();
            running = Running::open(state);
        }
    }
    let entry = service::control::AuditEntry {
        who: "reports",
        action: "user.show",
        subject: Some("mallory@contoso.example"),
        details: None,
    };
    Control::open(state).unwrap().write_audit(&entry).unwrap();
    running.kill();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path));
        } else if fs::read(&path).unwrap().windows(7).any(|part| part.eq_ignore_ascii_case(b"mallory")) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// The digest of the store in force is that of a rebuild.
fn check_rebuild(state: &Path, file: &Path) {
    let folder = service::folder(state);
    let in_force = folder.join(store::FILE);
    let reader = Reader::open(state.join("journal")).unwrap();
    let places = Places::new(Arc::default(), Vec::new());
    let until = position_of(&in_force).unwrap();
    rebuild(&folder, &reader, file, until, &places, WAITING_MAX, |_| {}).unwrap();
    assert_eq!(Digest::of(&in_force).unwrap(), Digest::of(file).unwrap());
}

fn users(state: &Path) -> Vec<(String, i64)> {
    let store = StoreReader::open(&service::folder(state).join(store::FILE)).unwrap();
    let mut users: Vec<_> = store
        .users(&UserPart::default(), None, 100)
        .unwrap()
        .into_iter()
        .map(|user| (user.user, user.connections))
        .collect();
    users.sort();
    users
}

#[test]
fn stopped_at_any_look_the_next_start_forgets_all_and_everybody_else_stays() {
    let template = tempfile::tempdir().unwrap();
    fill(template.path());
    let scratch = tempfile::tempdir().unwrap();
    let others = {
        let state = scratch.path().join("untouched");
        copy(template.path(), &state);
        let mut running = Running::open(&state);
        running.take(200);
        running.stop();
        let others = users(&state).into_iter().filter(|(user, _)| !user.contains("mallory"));
        others.collect::<Vec<_>>()
    };
    assert!(others.len() == 8, "{others:?}");
    for patience in (0u64..).step_by(7) {
        let state = scratch.path().join(patience.to_string());
        copy(template.path(), &state);
        assert!(holding(&state).len() >= 3);
        let control = Control::open(&state).unwrap();
        let names =
            Names { typed: "mallory".into(), key: "mallory@contoso.example".into(), written: Vec::new() };
        let number = control.ask_to_forget(&names, "uid 0").unwrap();
        let mut running = Running::open(&state);
        // The service has come so far into a file that is written anew under it.
        running.live.set_meaning(&excluding()).unwrap();
        running.say(151, 1, "MALLORY", "taken", "PC-3");
        running.take(151);
        running.say(152, 1, "MALLORY", "late", "PC-3");
        let left = Cell::new(patience);
        let goes_on = || left.replace(left.get().saturating_sub(1)) > 0;
        let result = running.forgetting.execute_next(&mut running.live, None, &goes_on);
        let was_stopped = match result {
            Ok(true) => false,
            Err(ServiceError::Redact(_)) => true,
            other => panic!("{other:?}"),
        };
        if was_stopped {
            // It may take more before it is killed.
            if patience % 2 == 0 {
                running.take(200);
            }
            running.kill();
            running = Running::open(&state);
            assert!(matches!(control.forget_state(number).unwrap(), Some(ForgetState::Pending { .. })));
            assert!(running.forgetting.execute_next(&mut running.live, None, &|| true).unwrap());
        }
        assert!(matches!(control.forget_state(number).unwrap(), Some(ForgetState::Done(_))));
        assert_eq!(holding(&state), Vec::<String>::new(), "{patience}");
        running.take(200);
        running.say(201, 1, "mallory", "new", "PC-2");
        running.take(201);
        running.stop();
        check_rebuild(&state, &scratch.path().join(format!("{patience}.sqlite")));
        let mut expected = others.clone();
        expected.push(("mallory@contoso.example".to_owned(), 1));
        expected.sort();
        assert_eq!(users(&state), expected);
        assert!(journal::verify(state.join("journal")).unwrap().is_good());
        fs::remove_dir_all(&state).unwrap();
        if !was_stopped {
            assert!(patience > 20, "{patience}");
            return;
        }
    }
}

#[test]
fn a_device_that_others_used_stays_and_one_of_the_person_alone_goes() {
    let state = tempfile::tempdir().unwrap();
    fill(state.path());
    let names = Names { typed: "mallory".into(), key: "mallory@contoso.example".into(), written: Vec::new() };
    Control::open(state.path()).unwrap().ask_to_forget(&names, "uid 0").unwrap();
    let mut running = Running::open(state.path());
    running.take(200);
    let devices = || {
        let store = StoreReader::open(&service::folder(state.path()).join(store::FILE)).unwrap();
        let seen = store.seen(service::fold::Sort::Device, None, 100).unwrap();
        seen.into_iter().map(|row| row.name).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(running.forgetting.execute_next(&mut running.live, None, &|| true).unwrap());
    assert!(!running.forgetting.execute_next(&mut running.live, None, &|| true).unwrap());
    let left = devices();
    assert!(left.contains("PC-0") && left.contains("PC-1") && left.len() == 2, "{left:?}");
    running.stop();
}

#[test]
fn a_comment_that_waits_does_not_outlive_whom_it_names() {
    let state = tempfile::tempdir().unwrap();
    fill(state.path());
    let control = Control::open(state.path()).unwrap();
    let names = Names { typed: "mallory".into(), key: "mallory@contoso.example".into(), written: Vec::new() };
    control.ask_to_forget(&names, "uid 0").unwrap();
    control.decide(1, None, Some("Mallory is at home"), "desk").unwrap();
    let mut running = Running::open(state.path());
    running.take(200);
    assert!(running.forgetting.execute_next(&mut running.live, None, &|| true).unwrap());
    running.live.take_decisions(&control).unwrap();
    running.stop();
    drop(control);
    assert_eq!(holding(state.path()), Vec::<String>::new());
}
