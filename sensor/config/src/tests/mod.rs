//! Whole files: what is taken, what is refused and how, what is warned of.

mod keys;
mod mistakes;
mod portal;

use std::{fs, path::Path, time::Duration};

use insight::{detect::Severity, geo::Position};
use policy::{
    portal::Certificate,
    sink::{self, Format, Kind, Limits, Target, Trust},
};

use super::*;

const SECRET: &str = "correct-horse-battery-staple";

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path))
}

/// What is wrong, as it is told.
pub(super) fn load_error(loaded: Result<Config, ConfigError>) -> String {
    loaded.expect_err("a mistake").to_string()
}

fn client(lines: &str) -> String {
    format!("[[client]]\nname = \"a\"\naddress = [\"192.0.2.1\"]\n{lines}\n")
}

fn sink(kind: &str, lines: &str) -> String {
    format!("[[sink]]\nkind = \"{kind}\"\n{lines}\n")
}

#[test]
fn r76_a_weak_secret_is_warned_of_and_not_shown() {
    let config = load_text(&client("secret = \"hunter2\"")).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("7 octets"), "{:?}", config.warnings);
    assert!(!config.warnings[0].contains("hunter2"));
}

#[test]
fn a_secret_file_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("a.secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(&path, client("secret_file = \"a.secret\"")).unwrap();
    assert!(load(Some(&path)).unwrap().warnings[0].contains("chmod 600"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(load(Some(&path)).unwrap().warnings.is_empty());
}

#[test]
fn the_defaults_are_safe_and_make_a_client_for_this_machine() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config { state_dir: directory.path().to_owned(), ..load(None).unwrap() };
    assert_eq!(
        config.listen.addresses.iter().map(|address| address.port()).collect::<Vec<_>>(),
        [1813, 1813]
    );
    assert!(config.metrics.unwrap().ip().is_loopback());
    assert_eq!(config.ack, AckWhen::Durable);
    let secret_path = config.generate_client().unwrap().unwrap();
    assert!(secret_path.starts_with(directory.path()));
    assert!(config.clients[0].prefixes.iter().all(|prefix| prefix.network().is_loopback()));
    assert!(!config.clients[0].secret.is_weak());
    assert_eq!(config.generate_client(), Ok(None), "a client is there");
}

#[test]
fn only_clients_change_without_a_restart() {
    let old = load_text(&client(&format!("secret = \"{SECRET}\""))).unwrap();
    let new = load_text(&client("secret = \"another-secret-of-length\"")).unwrap();
    assert!(old.needs_restart(&Config { state_dir: old.state_dir.clone(), ..new }).is_empty());
    let mut new = old.clone();
    new.state_dir = "/elsewhere".into();
    new.listen.addresses.pop();
    new.listen.ring *= 2;
    new.listen.spin = Duration::from_micros(1);
    new.journal.commit_interval = Duration::from_millis(1);
    new.dedup.entries += 1;
    let keys = ["state_dir", "listen.addresses", "listen.ring", "listen.spin", "journal", "dedup"];
    assert_eq!(old.needs_restart(&new), keys);
}

#[test]
fn r9_the_old_port_1646_is_listened_on_only_when_configured() {
    let ports = |config: &Config| -> Vec<u16> {
        config.listen.addresses.iter().map(|address| address.port()).collect()
    };
    assert_eq!(ports(&Config::built_in()), [1813, 1813]);
    assert_eq!(ports(&load_text(&client("secret = \"sixteen octets..\"")).unwrap()), [1813, 1813]);
    let old =
        format!("[listen]\naddresses = [\"0.0.0.0:1646\"]\n{}", client("secret = \"sixteen octets..\""));
    assert_eq!(ports(&load_text(&old).unwrap()), [1646]);
}

#[test]
fn health_has_defaults_and_takes_off() {
    let usual = load_text("").unwrap().health;
    assert_eq!(usual.client_silent, Some(Duration::from_secs(86_400)));
    let text = "[health]\nclient_silent = \"off\"\nsensor_silent = \"20m\"\ngeo_stale = \"off\"\nsink_behind = \"30s\"\n\
                disk_free = \"1 GiB\"\nclock_skew = \"2m\"\nover_after = \"1s\"\n";
    let set = load_text(text).unwrap().health;
    let seconds = Duration::from_secs;
    assert_eq!((set.client_silent, set.sensor_silent, set.geo_stale), (None, Some(seconds(1200)), None));
    assert_eq!((set.sink_behind, set.disk_free), (seconds(30), Some(1 << 30)));
    assert_eq!((set.clock_skew, set.over_after), (seconds(120), seconds(1)));
}
