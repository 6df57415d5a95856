//! Everything that detections remember as octets, and back: equal states give equal octets, in whatever order unrelated
//! users came. For the service's checkpoints.

use serde::{Deserialize, Serialize};

use super::{
    Detector, Today,
    accounting::Accounting,
    adoption::Adoptions,
    many_users::Addresses,
    people::{People, Person},
    rhythm::Rhythm,
    threshold::Thresholds,
};

/// Of the form of the octets: it, a CRC32C of the rest, the rest.
const VERSION: u16 = 4;
const HEAD: usize = size_of::<u16>() + size_of::<u32>();

/// Octets that are no snapshot of this release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Another version.
    #[error("version {0} is not {VERSION}: rebuild from the journal")]
    Version(u16),
    /// They are not what was written.
    #[error("damaged: rebuild from the journal")]
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    day: u16,
    jumped_to: Option<u16>,
    oldest: u32,
    databases: Vec<String>,
    people: Vec<Person>,
    adoptions: Adoptions,
    rhythm: Rhythm,
    addresses: Addresses,
    accounting: Accounting,
}

impl Detector {
    /// Appends what is remembered to `octets`; thresholds are not.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] where it cannot be written; plain data always can.
    pub fn save(&self, octets: Vec<u8>) -> Result<Vec<u8>, SnapshotError> {
        let (people, databases) = self.people.kept();
        let kept = Kept {
            day: self.today.day,
            jumped_to: self.today.jumped_to,
            oldest: self.people.oldest(),
            databases,
            people,
            adoptions: self.adoptions.clone(),
            rhythm: self.rhythm.clone(),
            addresses: self.addresses.clone(),
            accounting: self.accounting.clone(),
        };
        let mut octets = octets;
        let begin = octets.len();
        octets.extend_from_slice(&VERSION.to_le_bytes());
        octets.extend_from_slice(&[0; size_of::<u32>()]);
        let mut octets = postcard::to_extend(&kept, octets).map_err(|_| SnapshotError::Damaged)?;
        let checksum = crc32c::crc32c(&octets[begin + HEAD..]);
        octets[begin + size_of::<u16>()..begin + HEAD].copy_from_slice(&checksum.to_le_bytes());
        Ok(octets)
    }

    /// What was saved, under these thresholds: they may be others than before.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn load(thresholds: Thresholds, octets: &[u8]) -> Result<Detector, SnapshotError> {
        let (version, rest) = octets.split_first_chunk().ok_or(SnapshotError::Damaged)?;
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let (checksum, rest) = rest.split_first_chunk().ok_or(SnapshotError::Damaged)?;
        if u32::from_le_bytes(*checksum) != crc32c::crc32c(rest) {
            return Err(SnapshotError::Damaged);
        }
        let kept: Kept = postcard::from_bytes(rest).map_err(|_| SnapshotError::Damaged)?;
        Ok(Detector {
            thresholds,
            today: Today { day: kept.day, jumped_to: kept.jumped_to },
            people: People::restored(kept.people, kept.databases, kept.oldest),
            adoptions: kept.adoptions,
            rhythm: kept.rhythm,
            addresses: kept.addresses,
            accounting: kept.accounting,
        })
    }
}
