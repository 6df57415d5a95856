//! One database in MaxMind's format: checked when it is read, asked for one address at a time. The octets are handed in,
//! from a file or from the binary.

use std::{borrow::Cow, collections::HashSet, fmt, net::IpAddr};

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use siphasher::sip128::SipHasher13;

use super::record::{Facts, Form};

/// Different records that are looked at when a database is read: enough to see its schema and what it holds; all of a city
/// database would hold up a start.
pub const SAMPLE_RECORDS: usize = 4096;
/// Steps through the search tree for that, at most: most networks share a record, in a country database nearly all.
const SAMPLE_STEPS: usize = 1 << 18;

/// A database that can be asked.
pub struct Database {
    name: String,
    reader: Reader<Cow<'static, [u8]>>,
    form: Form,
    contents: Contents,
    fingerprint: u128,
}

/// What a database can say. From the records that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Countries at least.
    pub countries: bool,
    /// Places finer than a country.
    pub cities: bool,
    /// Accuracy radii; without, constants by precision and kind of line stand in.
    pub radii: bool,
    /// Autonomous systems.
    pub networks: bool,
    /// Kinds of networks.
    pub kinds: bool,
}

/// What a complete check went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Networks in the search tree that have a record.
    pub networks: usize,
    /// Different records.
    pub records: usize,
}

impl Database {
    /// Reads one. `name` is what people know it by, a path or a title. Looks at the structure and at up to
    /// [`SAMPLE_RECORDS`] records; damage further in shows in [`check`](Database::check), or when it is met.
    ///
    /// # Errors
    /// Not in the format, damaged, or of a type that says nothing about places and networks; the error says what to do.
    pub fn read(
        name: impl Into<String>,
        octets: impl Into<Cow<'static, [u8]>>,
    ) -> Result<Database, DatabaseError> {
        let (name, octets) = (name.into(), octets.into());
        let fault = match Self::examined(&octets) {
            Ok((form, contents)) => {
                let fingerprint = SipHasher13::new().hash(&octets).as_u128();
                match Reader::from_source(octets) {
                    Ok(reader) => return Ok(Database { name, reader, form, contents, fingerprint }),
                    Err(error) => damaged(&error),
                }
            }
            Err(fault) => fault,
        };
        Err(DatabaseError { name, fault })
    }

    /// Finds out which schema the records have and what they hold.
    fn examined(octets: &[u8]) -> Result<(Form, Contents), DatabaseFault> {
        if let Some(other) = other_format(octets) {
            return Err(DatabaseFault::OtherFormat(other));
        }
        let reader = Reader::from_source(octets).map_err(|error| damaged(&error))?;
        let options = WithinOptions::default().include_networks_without_data();
        let mut seen = HashSet::new();
        let mut nested = Tally::default();
        let mut flat = Tally::default();
        for result in reader.networks(options).map_err(|error| damaged(&error))?.take(SAMPLE_STEPS) {
            let result = result.map_err(|error| damaged(&error))?;
            let Some(offset) = result.offset() else { continue };
            if seen.insert(offset) {
                nested.count(Form::Nested.read(&result));
                flat.count(Form::Flat.read(&result));
                if seen.len() >= SAMPLE_RECORDS {
                    break;
                }
            }
        }
        if seen.is_empty() {
            return Err(DatabaseFault::Empty);
        }
        let (form, tally) =
            if flat.telling > nested.telling { (Form::Flat, &flat) } else { (Form::Nested, &nested) };
        let unreadable = nested.faults == seen.len() && flat.faults == seen.len();
        match &tally.fault {
            Some(fault) if tally.telling > 0 || unreadable => Err(DatabaseFault::Damaged(fault.clone())),
            _ if tally.telling > 0 => Ok((form, tally.contents)),
            _ => Err(DatabaseFault::OtherContents(reader.metadata().database_type.clone())),
        }
    }

    /// Goes through all of it: every network, every record. Seconds for a city database.
    ///
    /// # Errors
    /// [`DatabaseFault::Damaged`].
    pub fn check(&self) -> Result<Checked, DatabaseError> {
        let failed = |fault| DatabaseError { name: self.name.clone(), fault };
        let failed_reading = |error: MaxMindDbError| failed(damaged(&error));
        // A tree of n nodes has n + 1 leaves; some writers let leaves share a node.
        let limit = (self.reader.metadata().node_count as usize).saturating_mul(3).saturating_add(3);
        let options = WithinOptions::default().include_networks_without_data();
        let (mut steps, mut networks, mut offsets) = (0, 0, HashSet::new());
        for result in self.reader.networks(options).map_err(failed_reading)? {
            let result = result.map_err(failed_reading)?;
            steps += 1;
            if steps > limit {
                return Err(failed(DatabaseFault::Damaged("its search tree has a loop".to_owned())));
            }
            let Some(offset) = result.offset() else { continue };
            networks += 1;
            if offsets.insert(offset) {
                self.form.read(&result).map_err(failed_reading)?;
            }
        }
        Ok(Checked { networks, records: offsets.len() })
    }

    /// What its record for the address says; `None` without a record.
    ///
    /// # Errors
    /// The record is damaged.
    pub(super) fn facts(&self, address: IpAddr) -> Result<Option<Facts<'_>>, DatabaseError> {
        if address.is_ipv6() && !self.has_ipv6() {
            return Ok(None);
        }
        self.reader
            .lookup(address)
            .and_then(|result| self.form.read(&result))
            .map_err(|error| DatabaseError { name: self.name.clone(), fault: damaged(&error) })
    }

    /// What people know it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it calls itself: `GeoIP2-City`.
    pub fn kind(&self) -> &str {
        &self.reader.metadata().database_type
    }

    /// What it can say.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// When it was made, in seconds since 1970.
    pub fn built_unix_s(&self) -> u64 {
        self.reader.metadata().build_epoch
    }

    /// Whether it has IPv6 networks; IPv4 only otherwise.
    pub fn has_ipv6(&self) -> bool {
        self.reader.metadata().ip_version == 6
    }

    /// Tells versions apart: equal octets have equal fingerprints. No proof against somebody who makes two that agree.
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("name", &self.name)
            .field("kind", &self.kind())
            .field("form", &self.form)
            .field("contents", &self.contents)
            .field("built_unix_s", &self.built_unix_s())
            .finish_non_exhaustive()
    }
}

/// What reading a sample in one form came to.
#[derive(Default)]
struct Tally {
    /// Records that say something.
    telling: usize,
    /// Records that could not be read.
    faults: usize,
    /// What was wrong with the first of them.
    fault: Option<String>,
    contents: Contents,
}

impl Tally {
    fn count(&mut self, read: Result<Option<Facts<'_>>, MaxMindDbError>) {
        match read {
            Ok(Some(facts)) => {
                self.telling += usize::from(!facts.is_empty());
                self.contents.countries |= facts.country.is_some();
                self.contents.cities |= facts.city.is_some();
                self.contents.radii |= facts.radius_km.is_some();
                self.contents.networks |= facts.network.is_some();
                self.contents.kinds |= !facts.kinds.is_empty();
            }
            Ok(None) => {}
            Err(error) => {
                self.faults += 1;
                self.fault.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

fn damaged(error: &MaxMindDbError) -> DatabaseFault {
    DatabaseFault::Damaged(error.to_string())
}

/// What a file is that somebody took for a database, by its first octets.
fn other_format(octets: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 6] = [
        (&[0x1f, 0x8b], "a gzip archive: unpack it first"),
        (b"PK\x03\x04", "a ZIP archive: unpack it first"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "an xz archive: unpack it first"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "a zstd archive: unpack it first"),
        (b"<", "a web page or XML: the download was answered with an error page; log in and download again"),
        (b"version https://git-lfs", "a Git LFS pointer: fetch the file that it stands for"),
    ];
    // A search tree may begin with any of these octets, but then the end of the file is a database's.
    let ends_like_one = octets.windows(METADATA_MARK.len()).rev().any(|octets| octets == METADATA_MARK);
    if ends_like_one {
        return None;
    }
    let known = starts.into_iter().find(|(start, _)| octets.starts_with(start)).map(|(_, what)| what);
    Some(known.unwrap_or(if octets.is_empty() {
        "empty: download it again"
    } else {
        "no MaxMind database (.mmdb), or the end of one is missing: download it again, or convert it (CSV is not read)"
    }))
}

/// Stands before the metadata at the end of each database.
const METADATA_MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// A database that is not taken, or a look-up in it that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseError {
    /// What people know the database by.
    pub name: String,
    /// What is wrong with it.
    pub fault: DatabaseFault,
}

/// What is wrong with a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseFault {
    /// Another format. The text says which and what to do.
    OtherFormat(&'static str),
    /// The format, but broken.
    Damaged(String),
    /// No network has a record.
    Empty,
    /// It says nothing about places and networks; this is what it calls itself.
    OtherContents(String),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.fault {
            DatabaseFault::OtherFormat(what) => f.write_str(what),
            DatabaseFault::Damaged(what) => {
                write!(f, "damaged ({what}): download it again and compare its size and checksum")
            }
            DatabaseFault::Empty => f.write_str("without a single record: download it again"),
            DatabaseFault::OtherContents(kind) => write!(
                f,
                "'{kind}' says nothing about places or networks: take a City, Country, ASN, Anonymous-IP, \
                 Connection-Type or Enterprise database"
            ),
        }
    }
}

impl std::error::Error for DatabaseError {}
