//! When shared secrets were last used, from one start to the next: whoever rotates a secret is to see that nobody uses the
//! one before, also if the sensor was restarted meanwhile.
//!
//! Beside the settings, in a file of its own: no secret and no name, but by what the secret of each client is known again
//! ([`Secret::mark`](ingest::clients::Secret::mark)) and a second. A second that is yet to come is of a clock that was wrong,
//! and is not taken. Written by the control loop every few minutes and at the end; a sensor that is killed forgets what was
//! since. Without the file, or with one that nobody can read, secrets count as unused until they are used.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ingest::clients::{Client, Clients, Secret};
use rand::distr::{Alphanumeric, SampleString as _};
use serde::{Deserialize, Serialize};

const FILE: &str = "secrets-used.json";
/// How often it is written. Who rotates a secret waits for days.
pub(super) const EVERY: Duration = Duration::from_secs(300);
/// 190 bits.
const SALT_LENGTH: usize = 32;

/// What the file holds: as many entries as there are secrets in force.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    salt: String,
    /// By mark, seconds since 1970 UTC.
    used: BTreeMap<String, u64>,
}

/// The file and its salt.
#[derive(Clone, Debug)]
pub(super) struct SecretsUsed {
    path: PathBuf,
    salt: String,
    /// One at a time: at the end the one before may be under way.
    writing: Arc<Mutex<()>>,
}

impl SecretsUsed {
    /// Tells the secrets of these clients when they were used before this start.
    pub(super) fn recall(state_dir: &Path, clients: &Clients) -> SecretsUsed {
        let path = state_dir.join(FILE);
        let document = read(&path).unwrap_or_else(|error| {
            let path = path.display();
            tracing::warn!(
                "{path}: {error}: when secrets were last used is known from now on; it is written anew"
            );
            None
        });
        let new = || Document {
            salt: Alphanumeric.sample_string(&mut rand::rng(), SALT_LENGTH),
            used: BTreeMap::new(),
        };
        let Document { salt, used } = document.unwrap_or_else(new);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        for (client, secret) in secrets(clients) {
            let unix_s = marked(client, secret, &salt).and_then(|mark| used.get(&mark));
            if let Some(unix_s) = unix_s.filter(|unix_s| **unix_s <= now) {
                secret.note_used(*unix_s);
            }
        }
        SecretsUsed { path, salt, writing: Arc::default() }
    }

    /// Writes down when the secrets of these clients were used. The file before stays behind an error.
    pub(super) fn write(&self, clients: &Clients) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let used = secrets(clients)
            .filter_map(|(client, secret)| {
                Some((marked(client, secret, &self.salt)?, secret.last_used_unix_s()?))
            })
            .collect();
        let written = serde_json::to_vec(&Document { salt: self.salt.clone(), used })
            .map_err(io::Error::from)
            .and_then(|octets| replace(&self.path, &octets));
        if let Err(error) = written {
            let path = self.path.display();
            tracing::warn!(
                "{path}: when secrets were last used cannot be written down, and is forgotten at the next start: {error}"
            );
        }
    }
}

/// With the names of their clients.
fn secrets(clients: &Clients) -> impl Iterator<Item = (&str, &Secret)> {
    clients.iter().flat_map(|(_, client)| secrets_of(client))
}

fn secrets_of(client: &Client) -> impl Iterator<Item = (&str, &Secret)> {
    client.secrets.iter().flatten().map(|secret| (&*client.name, secret))
}

fn marked(client: &str, secret: &Secret, salt: &str) -> Option<String> {
    let mark = u128::from_be_bytes(secret.mark(salt, client)?);
    Some(format!("{mark:032x}"))
}

fn read(path: &Path) -> io::Result<Option<Document>> {
    match fs::read(path) {
        Ok(octets) => Ok(serde_json::from_slice(&octets)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn replace(path: &Path, octets: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    // What a crash left behind.
    drop(fs::remove_file(&new));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(octets)?;
    file.sync_data()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn client(name: &str, network: &str, texts: [&str; 2]) -> Client {
        Client {
            name: name.into(),
            secrets: texts.map(|text| Some(Secret::new(text.into()).unwrap())),
            status_server: false,
            require_message_authenticator: false,
            max_rate: None,
            prefixes: vec![network.parse().unwrap()],
            vendor: "auto".to_owned(),
        }
    }

    fn clients(texts: [&str; 2]) -> Clients {
        Clients::build(vec![client("vpn", "192.0.2.0/24", texts)]).unwrap()
    }

    fn used(clients: &Clients) -> Vec<Option<u64>> {
        secrets(clients).map(|(_, secret)| secret.last_used_unix_s()).collect()
    }

    #[test]
    fn a_start_knows_what_was_used_before_and_of_another_secret_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let before = clients(["the new secret on it", "the old secret on it"]);
        let file = SecretsUsed::recall(folder.path(), &before);
        assert_eq!(used(&before), [None, None]);
        secrets(&before).zip([9, 7]).for_each(|((_, secret), unix_s)| secret.note_used(unix_s));
        file.write(&before);

        // The new one became the old one, and a newer one came.
        let after = clients(["a newer secret on it", "the new secret on it"]);
        SecretsUsed::recall(folder.path(), &after);
        assert_eq!(used(&after), [None, Some(9)]);

        let path = folder.path().join(FILE);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("secret on it"), "{text}");
    }

    #[test]
    fn clients_that_share_a_secret_keep_their_own_times() {
        let folder = tempfile::tempdir().unwrap();
        let both = || {
            let texts = ["the new secret on it", "the old secret on it"];
            let [one, other] = [("vpn", "192.0.2.0/24"), ("branch", "198.51.100.0/24")]
                .map(|(name, network)| client(name, network, texts));
            Clients::build(vec![one, other]).unwrap()
        };
        let before = both();
        let file = SecretsUsed::recall(folder.path(), &before);
        secrets(&before).zip([9, 8, 7, 6]).for_each(|((_, secret), unix_s)| secret.note_used(unix_s));
        file.write(&before);
        let after = both();
        SecretsUsed::recall(folder.path(), &after);
        assert_eq!(used(&after), [Some(9), Some(8), Some(7), Some(6)]);
    }

    #[test]
    fn what_a_clock_that_was_ahead_wrote_down_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let texts = ["the new secret on it", "the old secret on it"];
        let before = clients(texts);
        let file = SecretsUsed::recall(folder.path(), &before);
        // In the year 2100.
        secrets(&before).zip([4_102_444_800, 7]).for_each(|((_, secret), unix_s)| secret.note_used(unix_s));
        file.write(&before);
        let after = clients(texts);
        SecretsUsed::recall(folder.path(), &after);
        assert_eq!(used(&after), [None, Some(7)]);
    }

    #[test]
    fn the_file_before_stays_where_another_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let texts = ["the new secret on it", "the old secret on it"];
        let before = clients(texts);
        let file = SecretsUsed::recall(folder.path(), &before);
        secrets(&before).for_each(|(_, secret)| secret.note_used(3));
        file.write(&before);
        // Nobody can make a file in the place of a folder.
        fs::create_dir(folder.path().join(FILE).with_extension("new")).unwrap();
        secrets(&before).for_each(|(_, secret)| secret.note_used(4));
        file.write(&before);
        let after = clients(texts);
        SecretsUsed::recall(folder.path(), &after);
        assert_eq!(used(&after), [Some(3), Some(3)]);
    }

    #[test]
    fn a_file_that_nobody_can_read_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "{\"salt\": 7}").unwrap();
        fs::write(path.with_extension("new"), "half of").unwrap();
        let before = clients(["the new secret on it", "the old secret on it"]);
        let file = SecretsUsed::recall(folder.path(), &before);
        secrets(&before).for_each(|(_, secret)| secret.note_used(3));
        file.write(&before);
        let after = clients(["the new secret on it", "the old secret on it"]);
        SecretsUsed::recall(folder.path(), &after);
        assert_eq!(used(&after), [Some(3), Some(3)]);
    }
}
