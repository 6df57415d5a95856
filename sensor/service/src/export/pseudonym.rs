//! Connections without names: who reads them can tell persons apart, follow each, and compare, and needs the key to find
//! out who is who. Still personal data (GDPR, article 4 (5)): the key lies beside the store, and habits tell a lot.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::store::{PlaceRow, SessionRow};

/// Name of the key's file in the service's folder.
const FILE: &str = "pseudonyms.key";
const KEY_OCTETS: usize = 32;
/// Octets of the code that are shown: among a million names two are equal once in 10^12 exports.
const SHOWN_OCTETS: usize = 10;

/// Why there are no pseudonyms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PseudonymsError {
    /// The file of the key, or its folder.
    #[error("the key of pseudonyms {}: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Not what this program wrote.
    #[error(
        "the key of pseudonyms {} has {found} octets and not {KEY_OCTETS}: remove it, and later exports cannot be joined \
         with earlier ones",
        .path.display()
    )]
    Damaged {
        /// Its file.
        path: PathBuf,
        /// Its length, octets.
        found: usize,
    },
}

/// Makes pseudonyms: HMAC-SHA-256 (RFC 2104) under a key that stays here, so that nobody can try all names of a company,
/// or all addresses, as a plain digest would let him.
pub struct Pseudonyms([u8; KEY_OCTETS]);

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}

impl Pseudonyms {
    /// By the key below this state directory, made if there is none: equal names are equal in all exports.
    ///
    /// # Errors
    /// [`PseudonymsError`].
    pub fn kept(state_dir: &Path) -> Result<Pseudonyms, PseudonymsError> {
        let path = crate::folder(state_dir).join(FILE);
        let failed = |error| PseudonymsError::Io { path: path.clone(), error };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                let fresh = Pseudonyms::fresh();
                file.write_all(&fresh.0).and_then(|()| file.sync_all()).map_err(failed)?;
                Ok(fresh)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let octets = fs::read(&path).map_err(failed)?;
                let key = <[u8; KEY_OCTETS]>::try_from(&*octets);
                key.map(Pseudonyms).map_err(|_| PseudonymsError::Damaged { path, found: octets.len() })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// By a key that is kept nowhere: nobody can join this export with another, nor find out who is who.
    pub fn fresh() -> Pseudonyms {
        Pseudonyms(rand::random())
    }

    /// Of a text of some sort: `user-9f0c…`. Equal texts of two sorts have nothing in common.
    pub fn of(&self, sort: &str, text: &str) -> String {
        // HMAC takes a key of any length.
        let Ok(mut code) = Hmac::<Sha256>::new_from_slice(&self.0) else { return format!("{sort}-") };
        code.update(sort.as_bytes());
        code.update(&[0]);
        code.update(text.as_bytes());
        let code = code.finalize().into_bytes();
        let shown: String = code.iter().take(SHOWN_OCTETS).map(|octet| format!("{octet:02x}")).collect();
        format!("{sort}-{shown}")
    }

    /// A connection without names and addresses of its person: user, device and addresses become pseudonyms; the name
    /// as it was sent, the city and the point on the map are left out. What stays is when, how long, how much, through
    /// which VPN server, with what software, from which country, site and network.
    pub fn cover(&self, session: &SessionRow) -> SessionRow {
        let cover = |sort: &str, text: &Option<String>| text.as_ref().map(|text| self.of(sort, text));
        SessionRow {
            user: cover("user", &session.user),
            user_original: None,
            remote: cover("address", &session.remote),
            assigned: session.assigned.iter().map(|address| self.of("address", address)).collect(),
            session: self.of("session", &session.session),
            device: cover("device", &session.device),
            place: session.place.as_ref().map(coarse),
            // Messages of alerts name the user beside this number.
            alert: None,
            ..session.clone()
        }
    }
}

/// No nearer than a country or a site.
fn coarse(place: &PlaceRow) -> PlaceRow {
    let name = match (&place.site, &place.country) {
        (Some(site), _) => site.clone(),
        (None, Some(country)) => country.clone(),
        // `internal`, `not-listed`.
        (None, None) => place.name.clone(),
    };
    PlaceRow {
        name,
        region: None,
        city: None,
        latitude: None,
        longitude: None,
        radius_km: None,
        ..place.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn session() -> SessionRow {
        SessionRow {
            number: 1,
            start: "2026-11-01T08:00:00.000000Z".into(),
            start_source: "start".into(),
            end: None,
            end_reason: None,
            terminate_cause: None,
            last_seen: "2026-11-01T08:00:00.000000Z".into(),
            seconds: 0,
            user: Some("alice".into()),
            user_original: Some("CONTOSO\\Alice".into()),
            remote: Some("203.0.113.7".into()),
            place: Some(PlaceRow {
                id: 7,
                name: "Lyon, Rhone, FR".into(),
                country: Some("FR".into()),
                region: Some("Rhone".into()),
                city: Some("Lyon".into()),
                site: None,
                latitude: Some(45.76),
                longitude: Some(4.84),
                radius_km: Some(20),
                asn: Some(3215),
                organisation: Some("Orange".into()),
                kinds: vec!["mobile".into()],
            }),
            assigned: vec!["10.9.8.7".into()],
            client: "branch".into(),
            nas_identifier: Some("asa-1".into()),
            nas_address: None,
            session: "alice-17".into(),
            device: Some("ALICE-PC".into()),
            software: Some("AnyConnect".into()),
            operating_system: None,
            group: None,
            input_octets: Some(5),
            output_octets: None,
            alert: Some(3),
            start_unix_ns: 0,
        }
    }

    #[test]
    fn nothing_of_the_person_is_left_and_the_rest_is() {
        let covered = Pseudonyms::fresh().cover(&session());
        let text = serde_json::to_string(&covered).unwrap().to_lowercase();
        for gone in ["alice", "alert", "contoso", "203.0.113.7", "10.9.8.7", "lyon", "rhone", "45.7", "4.84"]
        {
            assert!(!text.contains(gone), "{gone} is in {text}");
        }
        for kept in ["asa-1", "anyconnect", "\"fr\"", "3215", "mobile", "2026-11-01t08"] {
            assert!(text.contains(kept), "{kept} is not in {text}");
        }
    }

    #[test]
    fn equal_names_are_equal_under_one_key_and_different_under_another() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(crate::folder(folder.path())).unwrap();
        let (one, again) =
            (Pseudonyms::kept(folder.path()).unwrap(), Pseudonyms::kept(folder.path()).unwrap());
        assert_eq!(one.of("user", "alice"), again.of("user", "alice"));
        assert_ne!(one.of("user", "alice"), one.of("user", "bob"));
        assert_ne!(one.of("user", "alice")[5..], one.of("device", "alice")[7..]);
        assert_ne!(one.of("user", "alice"), Pseudonyms::fresh().of("user", "alice"));
        let key = crate::folder(folder.path()).join(FILE);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(format!("{one:?}"), "Pseudonyms(..)");
        fs::write(&key, b"short").unwrap();
        let refused = Pseudonyms::kept(folder.path()).unwrap_err();
        assert!(matches!(refused, PseudonymsError::Damaged { found: 5, .. }));
    }
}
