//! Stable names in the place of persons', for exports: equal names get equal pseudonyms, and without the key nobody can
//! tell whose they are, not even by trying all names.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::params;
use sha2::Sha256;

use super::{Control, ControlError};

/// Names in the place of others.
pub struct Pseudonyms {
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}

impl Control {
    /// The pseudonyms of this installation. Their random key is made with the first use.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn pseudonyms(&self) -> Result<Pseudonyms, ControlError> {
        let read = || {
            self.connection.execute(
                "INSERT INTO secret (name, octets) VALUES ('pseudonyms', ?1) ON CONFLICT DO NOTHING",
                params![rand::random::<[u8; 64]>()],
            )?;
            let query = "SELECT octets FROM secret WHERE name = 'pseudonyms'";
            self.connection.query_row(query, [], |row| row.get::<_, [u8; 64]>(0))
        };
        let key = read().map_err(|error| self.flawed(error))?;
        Ok(Pseudonyms { keyed: Hmac::new(&key.into()) })
    }
}

impl Pseudonyms {
    /// Of a user's key: `user-` and 16 hexadecimal digits. 64 bits: a million users share none by chance.
    pub fn user(&self, key: &str) -> String {
        self.name("user", key)
    }

    /// Of a device: `device-` and 16 hexadecimal digits.
    pub fn device(&self, name: &str) -> String {
        self.name("device", name)
    }

    /// Of an address: `address-` and 16 hexadecimal digits.
    pub fn address(&self, address: &str) -> String {
        self.name("address", address)
    }

    fn name(&self, sort: &str, name: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(sort.as_bytes());
        keyed.update(&[0]);
        keyed.update(name.as_bytes());
        let digest = keyed.finalize().into_bytes();
        digest.iter().take(8).fold(format!("{sort}-"), |text, octet| text + &format!("{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_stable_differ_and_hold_no_name() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = |folder: &tempfile::TempDir| {
            Control::open(folder.path()).unwrap().pseudonyms().unwrap().user("alice@contoso.example")
        };
        assert_eq!(name(&one), name(&one));
        assert_ne!(name(&one), name(&other), "each installation has a key of its own");
        let pseudonyms = Control::open(one.path()).unwrap().pseudonyms().unwrap();
        assert_ne!(pseudonyms.user("x")[5..], pseudonyms.device("x")[7..]);
        assert!(pseudonyms.address("192.0.2.1").starts_with("address-"));
        assert_eq!(pseudonyms.user("x").len(), 21);
    }
}
