//! Shared secrets: where they come from, and that they show nowhere.

use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use rand::distr::{Alphanumeric, SampleString};
use zeroize::Zeroizing;

/// A secret of fewer octets can be guessed offline from one request (RFC 2865 section 3 prefers at least 16).
pub const SECRET_OCTETS_PREFERRED: usize = 16;

/// Characters of a generated secret: 32 alphanumeric ones are 190 bits, and no client refuses them.
const GENERATED_CHARACTERS: usize = 32;

/// A shared secret: wiped from memory when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes octets as a secret. None when there are none: RFC 2865 section 3 forbids an empty secret.
    pub fn new(octets: Vec<u8>) -> Option<Secret> {
        let octets = Zeroizing::new(octets);
        (!octets.is_empty()).then_some(Secret(octets))
    }

    /// The octets, for computing digests.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is shorter than [`SECRET_OCTETS_PREFERRED`].
    pub fn is_weak(&self) -> bool {
        self.0.len() < SECRET_OCTETS_PREFERRED
    }

    /// Reads a secret file. One line end at its end is not part of the secret.
    pub fn read(path: &Path) -> Result<Secret, String> {
        let octets = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let mut octets = Zeroizing::new(octets);
        if octets.last() == Some(&b'\n') {
            octets.pop();
            if octets.last() == Some(&b'\r') {
                octets.pop();
            }
        }
        Secret::new(std::mem::take(&mut *octets)).ok_or_else(|| format!("{} is empty", path.display()))
    }

    /// The secret in `path`; when the file is not there, a generated one is written to it first, readable by its
    /// owner alone.
    pub fn read_or_generate(path: &Path) -> Result<Secret, String> {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match file {
            Ok(mut file) => {
                let generated = Zeroizing::new(generated_secret());
                // The line end is for `cat`; `radclient -S` and Secret::read cut it.
                file.write_all(generated.as_bytes())
                    .and_then(|()| file.write_all(b"\n"))
                    .and_then(|()| file.sync_all())
                    .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot make {}: {error}", path.display())),
        }
        Secret::read(path)
    }
}

/// A new secret: letters and digits.
pub fn generated_secret() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), GENERATED_CHARACTERS)
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// Whether others than the owner may read the file.
pub(super) fn is_readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nowhere() {
        let secret = Secret::new(b"swordfish".to_vec()).unwrap();
        assert!(!format!("{secret:?}").contains("sword"));
    }

    #[test]
    fn a_generated_secret_stays_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.secret");
        let first = Secret::read_or_generate(&path).unwrap();
        assert_eq!(first.octets().len(), GENERATED_CHARACTERS);
        assert!(first.octets().iter().all(u8::is_ascii_alphanumeric));
        assert!(!is_readable_by_others(&path));
        assert!(first == Secret::read_or_generate(&path).unwrap());
    }

    #[test]
    fn one_line_end_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.secret");
        for (content, secret) in [("abc\n", "abc"), ("abc\r\n", "abc"), ("abc", "abc"), ("abc\n\n", "abc\n")]
        {
            fs::write(&path, content).unwrap();
            assert_eq!(Secret::read(&path).unwrap().octets(), secret.as_bytes());
        }
        fs::write(&path, "\n").unwrap();
        assert!(Secret::read(&path).unwrap_err().contains("empty"));
    }
}
