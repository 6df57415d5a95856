//! The vendor tables: for each vendor which attributes carry what, how it is recognised, and what of that is confirmed
//! by its documentation, source code or published records. The data is in `table`, what can be asked of it in here. The
//! operators' page `docs/vendor-attributes.md` is checked against it.

mod table;

use std::{fmt, str::FromStr};

pub(super) use table::ROWS;
use table::STANDARD;

use radius::attribute::Id;

use super::source::{Field, Source};

/// The VPN servers with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table names them")]
pub enum Vendor {
    CiscoAsa,
    PaloAlto,
    Fortinet,
    MikroTik,
    F5,
    CheckPoint,
    Ivanti,
    Citrix,
    SonicWall,
    PfSense,
    AccelPpp,
    Microsoft,
    Cisco,
    StrongSwan,
    OpenVpn,
    Ocserv,
    WatchGuard,
    /// None of these, or one that could not be recognised.
    Unknown,
}

/// How a request shows its vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It carries an attribute of this Private Enterprise Number.
    Enterprise(u32),
    /// It carries one of these attributes of the enterprise.
    Attributes(u32, &'static [u8]),
    /// A Cisco-AVPair begins with this.
    Pair(&'static str),
    /// Connect-Info begins with this.
    ConnectInfo(&'static str),
    /// This is a word of NAS-Identifier, numbers at its end left out: a default, or what administrators call it.
    Word(&'static str),
    /// Acct-Session-Id is `<number>-<number>` and the second is the NAS-Port.
    SessionIdNamesPort,
    /// Acct-Session-Id is 32 hexadecimal digits.
    SessionIdIsDigest,
}

/// One vendor.
pub(super) struct Row {
    pub(super) vendor: Vendor,
    /// The name in configuration, and others that are accepted.
    pub(super) name: &'static str,
    pub(super) also: &'static [&'static str],
    /// The name for people.
    pub(super) title: &'static str,
    pub(super) marks: &'static [Mark],
    pub(super) reads: &'static [(Field, &'static [Source])],
    /// Attributes that are confirmed for accounting.
    pub(super) confirmed: &'static [Id],
}

impl Vendor {
    /// All of them, [`Vendor::Unknown`] last.
    pub fn all() -> impl Iterator<Item = Vendor> {
        ROWS.iter().map(|row| row.vendor)
    }

    /// The name in configuration: `asa`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name for people: `Cisco ASA, FTD, AnyConnect`.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// Other names that configuration accepts.
    pub fn also(self) -> &'static [&'static str] {
        self.row().also
    }

    /// Where `field` is read from, the most trusted first; empty if the vendor is not known to send it.
    pub fn sources(self, field: Field) -> &'static [Source] {
        let find = |reads: &'static [(Field, &'static [Source])]| {
            reads.iter().find(|(of, _)| *of == field).map(|(_, sources)| *sources)
        };
        find(self.row().reads).or_else(|| find(STANDARD)).unwrap_or(&[])
    }

    /// Whether documentation, source code or published records show that accounting carries this attribute with the
    /// meaning that the table gives it.
    pub fn is_confirmed(self, attribute: Id) -> bool {
        self.row().confirmed.contains(&attribute)
    }

    fn row(self) -> &'static Row {
        // The rows stand in the order of the variants, which a test checks.
        &ROWS[self as usize]
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A vendor's name that no row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVendor(String);

impl fmt::Display for UnknownVendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no vendor that is known: auto", self.0)?;
        Vendor::all().try_for_each(|vendor| write!(f, ", {vendor}"))
    }
}

impl std::error::Error for UnknownVendor {}

impl FromStr for Vendor {
    type Err = UnknownVendor;

    fn from_str(name: &str) -> Result<Vendor, UnknownVendor> {
        let row = ROWS.iter().find(|row| {
            row.name.eq_ignore_ascii_case(name) || row.also.iter().any(|also| also.eq_ignore_ascii_case(name))
        });
        row.map(|row| row.vendor).ok_or_else(|| UnknownVendor(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use radius::dictionary;

    use super::{super::source::SOURCES_MAX, *};

    #[test]
    fn rows_stand_in_the_order_of_the_vendors_and_names_are_unique() {
        let mut names = HashSet::new();
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!(row.vendor as usize, at, "{}", row.name);
            for name in row.also.iter().chain([&row.name]) {
                assert!(names.insert(*name) && *name != "auto", "{name}");
                assert_eq!(name.to_uppercase().parse(), Ok(row.vendor));
            }
        }
        assert_eq!(ROWS.last().unwrap().vendor, Vendor::Unknown);
        let error = "cisko".parse::<Vendor>().unwrap_err().to_string();
        assert!(error.contains("auto, asa"), "{error}");
    }

    #[test]
    fn every_source_is_an_attribute_with_a_name() {
        for vendor in Vendor::all() {
            for field in Field::ALL {
                let sources = vendor.sources(field);
                assert!(sources.len() <= SOURCES_MAX);
                for source in sources {
                    assert!(dictionary::lookup(source.attribute).is_some(), "{vendor} {source}");
                }
            }
            let read = |id: &Id| {
                Field::ALL.iter().any(|field| vendor.sources(*field).iter().any(|s| s.attribute == *id))
            };
            assert!(vendor.row().confirmed.iter().all(read), "{vendor}: confirmed and not read");
        }
    }
}
