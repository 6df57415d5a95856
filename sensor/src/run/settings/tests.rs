//! Changes that fail half-way, over a real state directory: whatever the document names is there, and nothing else stays.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, thread};

use caps::{CapSet, Capability};
use ingest::{Ingest, IngestOptions};
use journal::RealStorage;
use service::settings::{Edit, List};
use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::run::clients;

const FIRST: &str = "the first secret, twenty octets";
const SECOND: &str = "the second secret, twenty octets";

/// A state directory and what administers it.
struct House {
    folder: TempDir,
    administration: Arc<Administration>,
}

impl House {
    /// With a control loop that puts each order in force as `answer` says.
    fn new(answer: impl Fn(&Path) -> Result<(), String> + Send + 'static) -> House {
        let folder = tempfile::tempdir().unwrap();
        let (administration, mut control) = administration(folder.path());
        let state_dir = folder.path().to_owned();
        thread::spawn(move || {
            while let Some(order) = control.orders.blocking_recv() {
                let answered = answer(&state_dir).map(|()| Vec::new());
                if answered.is_ok()
                    && let Ok(config) = config::load_over(None, Some(&state_dir))
                {
                    let in_force = InForce { config: Arc::new(config), restart: Vec::new() };
                    control.in_force.send_replace(in_force);
                }
                drop(order.answer.send(answered));
            }
        });
        House { folder, administration }
    }

    fn state_dir(&self) -> &Path {
        self.folder.path()
    }

    fn settings(&self, file: &str) -> PathBuf {
        config::settings::folder(self.state_dir()).join(file)
    }

    fn change(&self, edits: Vec<Edit>) -> Result<Saved, Refusal> {
        self.administration.change(&Change { revision: None, edits }, &mut |_| Ok(()))
    }

    /// The names of the secrets that are there, and of those that the document names.
    fn secrets(&self) -> (Vec<String>, Vec<String>) {
        let files = fs::read_dir(self.settings("secrets")).unwrap();
        let name = |file: fs::DirEntry| format!("secrets/{}", file.file_name().to_string_lossy());
        let mut there: Vec<String> = files.map(|file| name(file.unwrap())).collect();
        let text = fs::read_to_string(self.settings("settings.toml")).unwrap();
        let mut named = Settings::parse(&text).unwrap().secret_files();
        there.sort();
        named.sort();
        (there, named)
    }

    /// As after a start: the configuration is read, and what was left behind goes.
    fn start_again(&self) -> Config {
        drop(administration(self.state_dir()));
        config::load_over(None, Some(self.state_dir())).unwrap()
    }
}

fn administration(state_dir: &Path) -> (Arc<Administration>, Control) {
    started(&Config { state_dir: state_dir.to_owned(), ..Config::built_in() })
}

fn started(config: &Config) -> (Arc<Administration>, Control) {
    let storage = RealStorage::create(config.journal_dir()).unwrap();
    let opened = journal::open(storage, journal::Options::default()).unwrap();
    let options = IngestOptions { duplicate_entries: 1024, ..IngestOptions::default() };
    let ingest = Ingest::new(clients::snapshot(&config.clients).unwrap(), opened.handle.clone(), &options);
    let (_, standing) = watch::channel(Arc::default());
    let observed = Observed::new(ingest, opened.handle, Vec::new(), Arc::default(), standing);
    Administration::new(config, &observed)
}

fn put(address: &str) -> Edit {
    let fields = serde_json::json!({"address": [address]}).as_object().unwrap().clone();
    Edit::Put { list: List::Client, name: "branch".to_owned(), fields }
}

fn secret(text: &str) -> Edit {
    Edit::Secret { list: List::Client, name: "branch".to_owned(), secret: SecretText::new(text.to_owned()) }
}

fn secret_in_force(config: &Config) -> &[u8] {
    config.clients[0].secret.octets()
}

/// Runs as somebody whom permissions bind: capabilities are a thread's own.
fn without_privileges<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            for capability in [Capability::CAP_DAC_OVERRIDE, Capability::CAP_DAC_READ_SEARCH] {
                caps::drop(None, CapSet::Effective, capability).unwrap();
            }
            run()
        });
        thread.join().unwrap()
    })
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_change_that_is_not_put_in_force_leaves_the_document_and_the_secrets_of_before() {
    let house = House::new(|state_dir| {
        let config = config::load_over(None, Some(state_dir)).map_err(|error| error.to_string())?;
        match secret_in_force(&config) == SECOND.as_bytes() {
            true => Err("no".to_owned()),
            false => Ok(()),
        }
    });
    house.change(vec![put("192.0.2.1"), secret(FIRST)]).unwrap();
    let before = house.secrets();
    let refused = house.change(vec![secret(SECOND)]);
    assert_eq!(refused.unwrap_err(), Refusal::Failed("no".to_owned()));
    assert_eq!(house.secrets(), before);
    assert_eq!(before.0, before.1);
    assert_eq!(secret_in_force(&house.start_again()), FIRST.as_bytes());
}

#[test]
fn a_change_that_can_neither_be_put_in_force_nor_undone_has_its_secrets() {
    let house = House::new(|state_dir| {
        let config = config::load_over(None, Some(state_dir)).map_err(|error| error.to_string())?;
        if secret_in_force(&config) == FIRST.as_bytes() {
            return Ok(());
        }
        // The document before cannot be written.
        fs::create_dir_all(config::settings::folder(state_dir).join("settings.new/in the way")).unwrap();
        Err("no".to_owned())
    });
    house.change(vec![put("192.0.2.1"), secret(FIRST)]).unwrap();
    house.change(vec![secret(SECOND)]).unwrap_err();
    assert_eq!(house.secrets().0.len(), 2);
    assert_eq!(secret_in_force(&house.start_again()), SECOND.as_bytes());
    let (there, named) = house.secrets();
    assert_eq!(there, named, "what was left behind is gone");
}

#[test]
fn a_document_that_may_or_may_not_be_replaced_has_its_secrets_either_way() {
    let house = House::new(|_| Ok(()));
    house.change(vec![put("192.0.2.1"), secret(FIRST)]).unwrap();
    let folder = house.settings("");
    // Files can be made and renamed there, and the folder cannot be opened to make that durable.
    permit(&folder, 0o300);
    let failed = without_privileges(|| house.change(vec![secret(SECOND)]));
    permit(&folder, 0o700);
    let Err(Refusal::Failed(reason)) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("Permission denied") && !reason.contains(SECOND), "{reason}");
    let (there, named) = house.secrets();
    assert!(there.len() == 2 && named.iter().all(|name| there.contains(name)), "{there:?} {named:?}");
    assert_eq!(secret_in_force(&house.start_again()), FIRST.as_bytes());
    let (there, named) = house.secrets();
    assert_eq!(there, named, "what was left behind is gone");
}

#[test]
fn a_secret_that_cannot_be_kept_leaves_no_file() {
    let house = House::new(|_| Ok(()));
    house.change(vec![put("192.0.2.1"), secret(FIRST)]).unwrap();
    let before = house.secrets();
    permit(&house.settings("secrets"), 0o300);
    let failed = without_privileges(|| house.change(vec![secret(SECOND)]));
    permit(&house.settings("secrets"), 0o700);
    assert!(matches!(&failed, Err(Refusal::Failed(reason)) if reason.contains("secrets")), "{failed:?}");
    assert_eq!(house.secrets(), before);
}

#[test]
fn a_change_that_comes_too_late_is_put_in_force_and_undone_and_the_audit_log_has_both() {
    let folder = tempfile::tempdir().unwrap();
    let (mut administration, mut control) = administration(folder.path());
    let patience = [Duration::from_millis(300), Duration::from_secs(20)];
    Arc::get_mut(&mut administration).unwrap().patience = patience;
    let document = document_path(folder.path());
    let control = thread::spawn(move || {
        let mut read = Vec::new();
        while let Some(order) = control.orders.blocking_recv() {
            read.push(fs::read_to_string(&document).unwrap());
            // Busy for longer than anybody waits, and then it is in force all the same.
            thread::sleep(if read.len() == 1 { 2 * patience[0] } else { Duration::ZERO });
            drop(order.answer.send(Ok(Vec::new())));
        }
        read
    });
    let mut notes = Vec::new();
    let set = Edit::Set { key: "detect.travel_kmh".to_owned(), value: 777.into() };
    let change = Change { revision: None, edits: vec![set] };
    let refused = administration.change(&change, &mut |planned| {
        notes.push(planned.clone());
        Ok(())
    });
    assert!(matches!(&refused, Err(Refusal::Failed(reason)) if reason.contains("busy")), "{refused:?}");
    drop(administration);
    let read = control.join().unwrap();
    assert!(read.len() == 2 && read[0].contains("777") && read[1].is_empty(), "{read:?}");
    let [planned, undone] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(planned.edits[0].contains("777") && undone.edits[0].contains("not made"), "{notes:?}");
    assert_eq!((&undone.before, &undone.after), (&planned.after, &planned.before));
}

#[test]
fn while_the_control_loop_is_busy_nothing_is_written_and_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (administration, _control) = administration(folder.path());
    let (answer, _answered) = bounded(1);
    administration.orders.try_send(Order { answer }).unwrap();
    let edits = vec![put("192.0.2.1"), secret(FIRST)];
    let refused = administration.change(&Change { revision: None, edits }, &mut |_| panic!("not noted"));
    assert!(matches!(&refused, Err(Refusal::Failed(reason)) if reason.contains("try again")), "{refused:?}");
    assert!(!document_path(folder.path()).exists());
    assert_eq!(fs::read_dir(config::settings::folder(folder.path()).join("secrets")).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_read_is_left_out_for_whoever_only_asks_and_keeps_a_sensor_from_starting() {
    let house = House::new(|_| Ok(()));
    house.change(vec![put("192.0.2.1"), secret(FIRST)]).unwrap();
    let file = house.state_dir().join("sensor.toml");
    fs::write(&file, format!("state_dir = {:?}\n", house.state_dir())).unwrap();
    let document = house.settings("settings.toml");
    permit(&document, 0);
    without_privileges(|| {
        for refused in [config::load(Some(&file)), config::load_over(Some(&file), Some(house.state_dir()))] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(&*document.to_string_lossy()) && refused.contains("chown"), "{refused}");
        }
        let asked = config::load_to_ask(Some(&file)).unwrap();
        assert!(asked.clients.is_empty() && asked.warnings[0].contains("left out"), "{:?}", asked.warnings);
    });
    permit(&document, 0o600);
    assert_eq!(config::load_to_ask(Some(&file)).unwrap().clients.len(), 1);
}

#[test]
fn what_is_shown_is_in_force_and_not_what_a_document_says_that_nobody_read() {
    let house = House::new(|_| Ok(()));
    house.change(vec![Edit::Set { key: "detect.travel_kmh".to_owned(), value: 777.into() }]).unwrap();
    let shown = || {
        let view = house.administration.view().unwrap();
        view.keys.into_iter().find(|key| key.key == "detect.travel_kmh").unwrap().value
    };
    assert_eq!(shown(), "777");
    fs::write(house.settings("settings.toml"), "[detect]\ntravel_kmh = 888\n").unwrap();
    assert_eq!(shown(), "777");
    house.change(vec![Edit::Unset { key: "detect.travel_kmh".to_owned() }]).unwrap();
    assert_ne!(shown(), "777");
}

fn rotate(text: &str, replace_newest: bool) -> Edit {
    Edit::Rotate { name: "branch".to_owned(), secret: SecretText::new(text.to_owned()), replace_newest }
}

#[test]
fn a_newest_secret_that_proved_nothing_makes_room_and_one_that_is_used_does_not() {
    const THIRD: &str = "the third secret, twenty octets";
    const FOURTH: &str = "the fourth secret, twenty octets";
    let house = House::new(|_| Ok(()));
    let ingest = || house.administration.observed.ingest();
    let change = |edit: Edit| {
        let done = house.change(vec![edit]);
        let config = config::load_over(None, Some(house.state_dir())).unwrap();
        // As the control loop does.
        ingest().clients().replace(clients::snapshot(&config.clients).unwrap());
        let [client] = &config.clients[..] else { panic!("{:?}", config.clients) };
        let previous = client.previous_secret.as_ref().map(|secret| secret.octets().to_vec());
        (done.map(drop), client.secret.octets().to_vec(), previous)
    };
    let used = || {
        let clients = ingest().clients().current();
        let (_, client) = clients.iter().next().unwrap();
        client.secrets[0].as_ref().unwrap().note_used(1_790_000_000);
    };
    let two =
        |newest: &str, before: &str| (Ok(()), newest.as_bytes().to_vec(), Some(before.as_bytes().to_vec()));
    house.change(vec![put("192.0.2.1")]).unwrap_err();
    house.change(vec![put("192.0.2.1"), secret(FIRST)]).unwrap();
    change(put("192.0.2.1")).0.unwrap();
    used();
    assert_eq!(change(rotate(SECOND, false)), two(SECOND, FIRST));
    assert_eq!(change(rotate(THIRD, false)), two(THIRD, FIRST), "the second was lost, and nobody misses it");
    used();
    let (refused, newest, before) = change(rotate(FOURTH, false));
    assert!(
        matches!(&refused, Err(Refusal::Invalid(reason)) if reason.contains("replace_newest")),
        "{refused:?}"
    );
    assert_eq!((Ok(()), newest, before), two(THIRD, FIRST));
    assert_eq!(change(rotate(FOURTH, true)), two(FOURTH, FIRST));
    assert!(house.administration.has_unused_newest("branch"));
    // Behind a start nobody knows who used it before.
    let config = Config { state_dir: house.state_dir().to_owned(), ..house.start_again() };
    let (again, _control) = started(&config);
    assert!(!again.has_unused_newest("branch"));
    assert_eq!(
        again.view().unwrap().entries[0].heard.as_ref().map(|heard| heard.is_newest_unused),
        Some(false)
    );
    let (there, named) = house.secrets();
    assert_eq!(there, named, "those that were replaced are gone");
}
