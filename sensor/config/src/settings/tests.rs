//! Layers: what the portal sets stands below the file and above the defaults, key by key.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use policy::settings::{Edit, Layer, List, Refusal, SecretText};
use serde_json::json;

use super::*;
use crate::{Origin, load, tests::load_error};

const SECRET: &str = "correct-horse-battery-staple";

/// A file and a state directory with what the portal set.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new(file: &str, document: &str) -> House {
        let folder = tempfile::tempdir().unwrap();
        let house = House { folder };
        fs::create_dir(house.state_dir()).unwrap();
        let file = format!("state_dir = {:?}\n{file}", house.state_dir());
        fs::write(house.file(), file).unwrap();
        keep_document(&house.state_dir(), document);
        house
    }

    fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("sensor.toml")
    }

    fn load(&self) -> Result<Config, ConfigError> {
        load(Some(&self.file()))
    }

    /// The document's text with a client of this name, address and secret.
    fn client(&self, name: &str, address: &str) -> String {
        let secret = keep_secret(&self.state_dir(), SECRET).unwrap();
        format!("[[client]]\nname = {name:?}\naddress = [{address:?}]\nsecret_file = {secret:?}\n")
    }
}

fn keep_document(state_dir: &Path, document: &str) {
    replace(state_dir, document).unwrap();
}

#[test]
fn the_file_wins_key_by_key_and_each_value_knows_who_set_it() {
    let house = House::new(
        "[detect]\nalert_score = 5.5\n",
        "[detect]\nalert_score = 4.25\ntravel_kmh = 777\n[listen]\naccounting = false\n",
    );
    let config = house.load().unwrap();
    let thresholds = &config.detect.thresholds;
    assert_eq!((thresholds.alert_score, thresholds.travel_kmh), (5.5, 777.0));
    assert!(!config.listen.accounting);
    assert_eq!(config.origin("detect.alert_score"), Origin::File { path: house.file(), line: 3 });
    assert_eq!(config.origin("detect.travel_kmh"), Origin::Portal);
    assert_eq!(config.origin("detect.travel_km_min"), Origin::Default);
    // What is in force is shown, whatever the file says by now.
    fs::write(house.file(), "").unwrap();
    let shown = keys(&config);
    let of = |key: &str| shown.iter().find(|shown| shown.key == key).unwrap();
    let (score, kmh) = (of("detect.alert_score"), of("detect.travel_kmh"));
    assert_eq!((&*score.value, score.origin.line, score.origin.layer), ("5.5", Some(3), Layer::File));
    assert_eq!((&*kmh.value, kmh.origin.layer), ("777", Layer::Portal));
    assert_eq!(of("detect.alive").value, of("detect.alive").default);
}

#[test]
fn what_a_file_says_is_kept_as_it_says_it_and_its_secrets_are_not() {
    let house = House::new(
        &format!(
            "[detect]\nalert_score = 5.5\n[[detect.exclusion]]\nuser = \"a\"\nreason = \"x\"\nuntil = 2099-12-31\n\
             [[client]]\nname = \"branch\"\naddress = [\"192.0.2.0/24\"]\nsecret = \"{SECRET}\"\nmax_rate = 1_000\n"
        ),
        "",
    );
    let config = house.load().unwrap();
    assert!(!format!("{:?}", config.file_says.0).contains(SECRET));
    let entries = layer_entries(&config, &Settings::default());
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| (entry.list, &*entry.name, entry.has_secret, json!(entry.fields)))
        .collect();
    let branch = json!({"name": "branch", "address": ["192.0.2.0/24"], "max_rate": 1000});
    let exclusion = json!({"user": "a", "reason": "x", "until": "2099-12-31"});
    assert_eq!(shown, [(List::Client, "branch", true, branch), (List::Exclusion, "1", false, exclusion)]);
}

#[test]
fn a_document_is_put_over_the_file_as_it_was_read_whatever_became_of_that() {
    let house = House::new("[detect]\nalert_score = 5.5\n", "[detect]\ntravel_kmh = 777\n");
    let (file, state_dir) = (house.file(), house.state_dir());
    let first = house.load().unwrap();
    fs::write(&file, "[detect]\nalert_score = 4.5\ntravel_kmh = 500\n").unwrap();
    let score_and_kmh =
        |config: &Config| (config.detect.thresholds.alert_score, config.detect.thresholds.travel_kmh);
    let planned = first.over_document(&state_dir, "[detect]\ntravel_kmh = 778\n").unwrap();
    assert_eq!(score_and_kmh(&planned), (5.5, 778.0));
    keep_document(&state_dir, "[detect]\ntravel_kmh = 779\n");
    // Of one that came about so as well.
    let second = planned.with_new_document(&state_dir).unwrap();
    assert_eq!(score_and_kmh(&second), (5.5, 779.0));
    assert_eq!(second.origin("detect.alert_score"), Origin::File { path: file.clone(), line: 3 });
    fs::remove_file(document_path(&state_dir)).unwrap();
    assert!(!second.with_new_document(&state_dir).unwrap().has_portal_settings());
    let again = crate::load_over(Some(&file), Some(&state_dir)).unwrap();
    assert_eq!(score_and_kmh(&again), (4.5, 500.0));
}

#[test]
fn clients_of_both_layers_are_in_force_together() {
    let house = House::new(
        &format!("[[client]]\nname = \"branch\"\naddress = [\"192.0.2.0/24\"]\nsecret = \"{SECRET}\"\n"),
        "",
    );
    keep_document(&house.state_dir(), &house.client("everybody", "0.0.0.0/0"));
    let config = house.load().unwrap();
    let names: Vec<_> = config.clients.iter().map(|client| (&*client.name, &client.origin)).collect();
    let file = Origin::File { path: house.file(), line: 2 };
    assert_eq!(names, [("branch", &file), ("everybody", &Origin::Portal)]);
}

#[test]
fn what_is_there_twice_is_refused_with_the_place_of_the_other() {
    let file =
        format!("[[client]]\nname = \"branch\"\naddress = [\"192.0.2.0/24\"]\nsecret = \"{SECRET}\"\n");
    let house = House::new(&file, "");
    let other = format!("(in {}:2)", house.file().display());
    for (name, address, reason) in [
        ("branch", "198.51.100.0/24", "two clients of the name \"branch\""),
        ("other", "192.0.2.0/24", "192.0.2.0/24 belongs to client \"branch\" already"),
    ] {
        let document = house.client(name, address);
        let error = load_error(with_document(Some(&house.file()), &house.state_dir(), &document));
        assert!(error.contains(reason) && error.contains(&other), "{error}");
    }
    let twice = house.client("a", "10.0.0.0/8") + &house.client("b", "10.0.0.0/8");
    let error = load_error(with_document(Some(&house.file()), &house.state_dir(), &twice));
    assert!(error.contains("belongs to client \"a\" already"), "{error}");
    let sites = House::new("[[site]]\nname = \"Berlin\"\naddress = [\"10.0.0.0/8\"]\n", "");
    let document = "[[site]]\nname = \"Berlin\"\naddress = [\"10.1.0.0/16\"]\n";
    load_error(with_document(Some(&sites.file()), &sites.state_dir(), document));
}

#[test]
fn nothing_that_is_set_here_reads_or_writes_other_files() {
    let house = House::new("", "");
    let client = "[[client]]\nname = \"a\"\naddress = [\"192.0.2.1\"]\n";
    let sink = "[[sink]]\nname = \"a\"\n";
    for document in [
        format!("{client}secret_file = \"/etc/passwd\"\n"),
        format!("{client}secret_file = \"secrets/../../sensor.toml\"\n"),
        format!("{client}secret_env = \"HOME\"\n"),
        format!("{client}secret = \"{SECRET}\"\n"),
        format!("{sink}kind = \"file\"\npath = \"/tmp/x\"\n"),
        format!("{sink}kind = \"webhook\"\nurl = \"https://a.example\"\nca_file = \"/etc/passwd\"\n"),
        format!("{sink}kind = \"webhook\"\nurl = \"https://a.example\"\nsecret_file = \"/etc/passwd\"\n"),
        "state_dir = \"/elsewhere\"\n".to_owned(),
    ] {
        let error = load_error(with_document(Some(&house.file()), &house.state_dir(), &document));
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn a_document_that_was_edited_by_hand_sets_nothing_but_what_the_portal_may() {
    let house = House::new("[listen]\naddresses = [\"127.0.0.1:1813\"]\n", "");
    for (document, key) in [
        ("[geo]\ndatabases = [\"/etc/passwd\"]", "geo.databases"),
        // The file sets it as well: it is wrong here all the same.
        ("listen.addresses = [\"0.0.0.0:1813\"]", "listen.addresses"),
        ("[listen]\naccounting = true\nworkers = 64", "listen.workers"),
        ("metrics = { address = \"0.0.0.0:9813\" }", "metrics.address"),
        ("[portal]\nlink = \"https://elsewhere.example\"", "portal.link"),
        ("[journal]\nsegment_bytes = \"1 MiB\"", "journal.segment_bytes"),
        ("[detect.model]\nno_such_key = 1", "detect.model.no_such_key"),
        ("[users]\nrealms = []", "users.realms"),
    ] {
        let error = load_error(with_document(Some(&house.file()), &house.state_dir(), document));
        let wanted = format!("`{key}` cannot be set here: set it in the configuration file");
        assert!(error.contains("settings.toml:") && error.contains(&wanted), "{document}: {error}");
    }
}

#[test]
fn edits_make_a_document_and_take_it_away_again() {
    let mut settings = Settings::default();
    let empty = settings.revision().unwrap();
    let fields = json!({"address": ["192.0.2.0/24"], "vendor": "asa"});
    let put =
        Edit::Put { list: List::Client, name: "branch".into(), fields: fields.as_object().unwrap().clone() };
    settings.edit(&put, None).unwrap();
    let secret = || SecretText::new(SECRET.to_owned());
    let first = Edit::Secret { list: List::Client, name: "branch".into(), secret: secret() };
    settings.edit(&first, Some("secrets/1.secret")).unwrap();
    let rotate = Edit::Rotate { name: "branch".into(), secret: secret(), replace_newest: false };
    let words = settings.edit(&rotate, Some("secrets/2.secret")).unwrap();
    assert!(!words.contains(SECRET) && !format!("{rotate:?}").contains(SECRET));
    assert_eq!(settings.secret_files(), ["secrets/2.secret", "secrets/1.secret"]);
    // VPN servers may use either of the two: none of them is dropped for a third.
    let third = settings.clone().edit(&rotate, Some("secrets/3.secret")).unwrap_err();
    assert!(matches!(&third, Refusal::Invalid(reason) if reason.contains("end-rotation")), "{third:?}");
    // Whoever asks for it replaces the newest, of two; of one nothing goes.
    let newest = Edit::Rotate { name: "branch".into(), secret: secret(), replace_newest: true };
    let mut replaced = settings.clone();
    let words = replaced.edit(&newest, Some("secrets/3.secret")).unwrap();
    assert_eq!(replaced.secret_files(), ["secrets/3.secret", "secrets/1.secret"], "{words}");
    assert!(words.contains("in the place of the newest"), "{words}");
    replaced.edit(&Edit::EndRotation { name: "branch".into() }, None).unwrap();
    replaced.edit(&newest, Some("secrets/4.secret")).unwrap();
    assert_eq!(replaced.secret_files(), ["secrets/4.secret", "secrets/3.secret"]);
    settings.edit(&Edit::EndRotation { name: "branch".into() }, None).unwrap();
    assert_eq!(settings.secret_files(), ["secrets/2.secret"]);
    let hook = json!({"kind": "webhook", "url": "https://hooks.example/T0/secret-part"});
    let hook = Edit::Put { list: List::Sink, name: "hook".into(), fields: hook.as_object().unwrap().clone() };
    assert!(!settings.clone().edit(&hook, None).unwrap().contains("secret-part"));
    let set = Edit::Set { key: "detect.model.feature_max".into(), value: json!(3.5) };
    assert_eq!(settings.edit(&set, None).unwrap(), "detect.model.feature_max: default -> 3.5");
    assert_eq!(Settings::parse(&settings.text().unwrap()).unwrap(), settings);
    for refused in [
        Edit::Set { key: "metrics.address".into(), value: json!("off") },
        Edit::Set { key: "detect.alert_score".into(), value: json!(null) },
        Edit::Put {
            list: List::Client,
            name: "branch".into(),
            fields: json!({"secret": SECRET}).as_object().unwrap().clone(),
        },
        // Whoever looks for it by its name would find another one.
        Edit::Put {
            list: List::Client,
            name: "branch".into(),
            fields: json!({"name": "elsewhere"}).as_object().unwrap().clone(),
        },
        Edit::Remove { list: List::Client, name: "other".into() },
        Edit::EndRotation { name: "branch".into() },
    ] {
        assert!(settings.clone().edit(&refused, None).is_err(), "{refused:?}");
    }
    settings.edit(&Edit::Unset { key: "detect.model.feature_max".into() }, None).unwrap();
    settings.edit(&Edit::Remove { list: List::Client, name: "branch".into() }, None).unwrap();
    assert_eq!((settings.text().unwrap().as_str(), settings.revision().unwrap()), ("", empty));
}

#[test]
fn a_number_that_is_gone_makes_no_exclusion() {
    let mut settings = Settings::default();
    let put = |name: &str, user: &str| {
        let fields = json!({"user": user, "reason": "on call", "until": "2099-12-31"});
        Edit::Put {
            list: List::Exclusion,
            name: name.to_owned(),
            fields: fields.as_object().unwrap().clone(),
        }
    };
    settings.edit(&put("", "alice"), None).unwrap();
    settings.edit(&put("1", "bob"), None).unwrap();
    assert_eq!(settings.list(List::Exclusion).len(), 1);
    // Somebody else took the second one away, and would find it again.
    for name in ["2", "0", "alice"] {
        let refused = settings.clone().edit(&put(name, "carol"), None).unwrap_err();
        assert!(matches!(refused, Refusal::Gone(_)), "{name}: {refused:?}");
    }
    let remove = Edit::Remove { list: List::Client, name: "other".into() };
    assert!(matches!(settings.edit(&remove, None), Err(Refusal::Gone(_))));
}

#[test]
fn exclusions_of_both_layers_together_are_bounded() {
    let exclusions = |count: usize| {
        let one = |number: usize| {
            format!("[[detect.exclusion]]\nuser = \"u{number}\"\nreason = \"x\"\nuntil = 2099-12-31\n")
        };
        (0..count).map(one).collect::<String>()
    };
    let house = House::new(&exclusions(600), "");
    keep_document(&house.state_dir(), &exclusions(400));
    assert_eq!(house.load().unwrap().detect.exclusions.len(), 1000);
    keep_document(&house.state_dir(), &exclusions(401));
    let error = load_error(house.load());
    assert!(error.contains("settings.toml:1601:") && error.contains("at most 1000"), "{error}");
}

#[test]
fn whatever_the_portal_set_is_something_that_it_set() {
    let of = |document: &str| House::new("[detect]\nalert_score = 5.5\n", document).load().unwrap();
    let ended = "[[detect.exclusion]]\nuser = \"a\"\nreason = \"x\"\nuntil = 2020-01-01\n";
    for document in [
        "[detect]\ntravel_kmh = 777\n",
        "[[site]]\nname = \"Berlin\"\naddress = [\"10.0.0.0/8\"]\n",
        "[[sink]]\nname = \"a\"\nkind = \"syslog\"\naddress = \"siem.example\"\n",
        ended,
    ] {
        assert!(of(document).has_portal_settings(), "{document}");
    }
    assert!(!of("").has_portal_settings());
    assert!(!of("[detect]\nalert_score = 4.25\n").has_portal_settings(), "the file wins");
    // A line alone would be looked for in the other file.
    let warnings = of(ended).warnings;
    assert!(warnings.iter().any(|warning| warning.contains("settings.toml:1 ended at")), "{warnings:?}");
}

#[test]
fn what_is_new_takes_no_name_that_is_there() {
    let file = "[[sink]]\nname = \"siem\"\nkind = \"syslog\"\naddress = \"127.0.0.1\"\n";
    let house = House::new(file, "");
    let syslog = json!({"kind": "syslog", "address": "192.0.2.9", "tls": false});
    let add = |list: List, name: &str, fields: &serde_json::Value| Edit::Add {
        list,
        name: name.to_owned(),
        fields: fields.as_object().unwrap().clone(),
    };
    let mut settings = Settings::default();
    settings.edit(&add(List::Sink, "desk", &syslog), None).unwrap();
    let before = settings.clone();
    for again in ["desk", " desk "] {
        let refused = settings.edit(&add(List::Sink, again, &json!({"address": "evil.example"})), None);
        assert!(refused.is_err() && format!("{refused:?}").contains("already"), "{refused:?}");
    }
    assert_eq!(settings, before, "nothing of it is merged into the one that is there");
    let exclusion = json!({"asn": 64500, "reason": "a test", "until": "2099-12-31"});
    for _ in 0..2 {
        settings.edit(&add(List::Exclusion, "", &exclusion), None).unwrap();
    }
    assert!(settings.edit(&add(List::Exclusion, "1", &exclusion), None).is_err(), "no number is chosen");
    assert_eq!(settings.list(List::Exclusion).len(), 2);
    let text = settings.text().unwrap();
    with_document(Some(&house.file()), &house.state_dir(), &text).unwrap();

    settings.edit(&add(List::Sink, "siem", &syslog), None).unwrap();
    let text = settings.text().unwrap();
    let error = load_error(with_document(Some(&house.file()), &house.state_dir(), &text));
    let place = format!("two sinks of the name \"siem\" (in {}:2)", house.file().display());
    assert!(error.contains(&place), "{error}");
}

#[test]
fn an_exclusion_is_shown_with_its_end_and_with_who_set_it() {
    let file = "[[detect.exclusion]]\nuser = \"bob\"\nreason = \"old\"\nuntil = 2026-01-31\n";
    let document = "[[detect.exclusion]]\nasn = 64500\nreason = \"a test\"\nuntil = \"2099-12-31T18:00:00+01:00\"\n\
                    set_by = \"carol@portal\"\nset_at = \"2026-11-26T10:00:00Z\"\n";
    let house = House::new(file, document);
    let config = house.load().unwrap();
    assert_eq!(config.detect.exclusions.len(), 2);
    let shown = layer_entries(&config, &Settings::parse(document).unwrap());
    let [old, new] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((old.origin.line, old.ends.as_deref()), (Some(2), Some("2026-02-01T00:00:00Z")));
    assert_eq!((new.origin.layer, new.ends.as_deref()), (Layer::Portal, Some("2099-12-31T17:00:00Z")));
    assert_eq!((&new.fields["set_by"], &new.fields["asn"]), (&json!("carol@portal"), &json!(64500)));
    let wrong = document.replace("2026-11-26T10", "yesterday");
    load_error(with_document(Some(&house.file()), &house.state_dir(), &wrong));
}

#[test]
fn documents_and_secrets_are_for_their_owner_alone_and_unused_ones_go() {
    let house = House::new("", "");
    let document = house.client("a", "192.0.2.1");
    keep_secret(&house.state_dir(), SECRET).unwrap();
    keep_document(&house.state_dir(), &document);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let secrets = folder(&house.state_dir()).join(SECRETS);
    let files = || fs::read_dir(&secrets).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    assert_eq!((mode(&folder(&house.state_dir())), mode(&secrets)), (0o700, 0o700));
    assert_eq!(mode(&document_path(&house.state_dir())), 0o600);
    assert!(files().len() == 2 && files().iter().all(|file| mode(file) == 0o600));
    remove_unused_secrets(&house.state_dir(), &Settings::parse(&document).unwrap());
    assert_eq!(files().len(), 1);
    assert_eq!(house.load().unwrap().clients[0].secret.octets(), SECRET.as_bytes());
    assert!(!document.contains(SECRET));
}

#[test]
fn a_document_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it() {
    let house = House::new("", "");
    let document = document_path(&house.state_dir());
    fs::remove_file(&document).unwrap();
    fs::create_dir_all(document.join("in the way")).unwrap();
    let failed = replace(&house.state_dir(), "x = 1").unwrap_err();
    assert!(!failed.is_in_doubt && failed.reason.contains("settings.toml"), "{failed:?}");
    assert!(document.is_dir() && !document.with_extension("new").exists());
    let secrets = folder(&house.state_dir()).join(SECRETS);
    fs::remove_dir(&secrets).unwrap();
    fs::write(&secrets, "in the way").unwrap();
    assert!(keep_secret(&house.state_dir(), SECRET).unwrap_err().contains("secrets/"));
}

#[test]
fn what_a_crash_left_behind_goes_at_the_next_start_and_what_the_document_names_stays() {
    let house = House::new("", "");
    let document = house.client("a", "192.0.2.1");
    keep_document(&house.state_dir(), &document);
    keep_secret(&house.state_dir(), "of a change that was never made").unwrap();
    let half = document_path(&house.state_dir()).with_extension("new");
    fs::write(&half, "[[cli").unwrap();
    remove_leftovers(&house.state_dir());
    let secrets = || fs::read_dir(folder(&house.state_dir()).join(SECRETS)).unwrap().count();
    assert_eq!((secrets(), half.exists(), house.load().unwrap().clients.len()), (1, false, 1));
    // A document that somebody moved away for a while finds its secrets again.
    fs::remove_file(document_path(&house.state_dir())).unwrap();
    remove_leftovers(&house.state_dir());
    assert_eq!(secrets(), 1);
}

#[test]
fn every_key_that_can_be_set_is_one_that_the_configuration_knows() {
    let house = House::new("", "");
    // All but who set it.
    let meant = |config: Config| {
        let (origins, portal_says) = Default::default();
        format!("{:?}", Config { origins, portal_says, ..config })
    };
    let usual = meant(house.load().unwrap());
    for known in known::all() {
        if known.default == "none" {
            continue;
        }
        let value = match known.kind {
            policy::settings::Kind::Text => json!(known.default),
            _ => serde_json::from_str(&known.default).unwrap(),
        };
        let mut settings = Settings::default();
        settings.edit(&Edit::Set { key: known.name.clone(), value }, None).unwrap();
        let text = settings.text().unwrap();
        let config = with_document(Some(&house.file()), &house.state_dir(), &text);
        let config = config.unwrap_or_else(|error| panic!("{}: {error}", known.name));
        assert_eq!(config.origin(&known.name), Origin::Portal, "{}", known.name);
        assert_eq!(meant(config), usual, "{}: the default is the default", known.name);
    }
}
