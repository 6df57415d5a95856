//! Files that are no good: each is refused, and says what it is and what to do.

use insight::geo::DatabaseFault;

use super::*;

fn refused(octets: impl Into<Vec<u8>>) -> (DatabaseFault, String) {
    let error = Database::read("/etc/geo/a.mmdb", octets.into()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("/etc/geo/a.mmdb: "), "{text}");
    (error.fault, text)
}

#[test]
fn other_formats_are_named() {
    for (octets, expected) in [
        (&b""[..], "empty"),
        (b"\x1f\x8b\x08\0\0", "gzip"),
        (b"PK\x03\x04abc", "ZIP"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd\0", "zstd"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"1.0.0.0,1.0.0.255,AU\n", "no MaxMind database"),
    ] {
        let (fault, text) = refused(octets);
        assert!(matches!(fault, DatabaseFault::OtherFormat(_)), "{fault:?}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_database_about_something_else_says_what_to_take() {
    let (fault, text) = refused(DOMAIN);
    assert_eq!(fault, DatabaseFault::OtherContents("GeoIP2-Domain".to_owned()));
    assert!(text.contains("'GeoIP2-Domain'") && text.contains("City, Country, ASN"), "{text}");
}

#[test]
fn a_download_that_broke_off_is_refused_wherever_it_broke() {
    for octets in [CITY, FLAT_COUNTRY] {
        for length in (0..octets.len()).step_by(97) {
            refused(&octets[..length]);
        }
        // The beginning is missing: the search tree would reach into the data.
        let (fault, text) = refused(&octets[octets.len() - 1000..]);
        assert!(matches!(fault, DatabaseFault::Damaged(_)), "{fault:?}");
        assert!(text.contains("download it again"), "{text}");
    }
}

/// What other readers of the format once stumbled over.
#[test]
fn known_bad_databases_are_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geo/data/bad");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let octets = std::fs::read(&path).unwrap();
        let read = Database::read(path.display().to_string(), octets);
        assert!(read.is_err(), "{read:?}");
        count += 1;
    }
    assert_eq!(count, 25);
}

/// One record of nine is broken: found before it is used.
#[test]
fn one_broken_record_is_found() {
    let mut octets = FLAT_COUNTRY.to_vec();
    // The map of the first record becomes a type that does not exist.
    let at = octets.windows(3).position(|part| part == b"\xe1\x20\x00").unwrap();
    octets[at] = 0x01;
    let (fault, _) = refused(octets);
    assert!(matches!(fault, DatabaseFault::Damaged(_)), "{fault:?}");
}
