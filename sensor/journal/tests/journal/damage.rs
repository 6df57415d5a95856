//! Damage inside acknowledged data is reported, kept aside and read around; a torn tail is neither.

use std::collections::BTreeSet;
use std::sync::Arc;

use journal::{Options, ReadError, Reader, verify_storage};

use crate::common::{Acknowledged, Session, record, small, tag};
use crate::disk::{Cut, Disk};

/// Three segments, all acknowledged; the last batch is known to be so from the watermark file only.
fn example() -> (Disk, Acknowledged) {
    let disk = Disk::default();
    let mut acknowledged = Acknowledged::new();
    let mut session = Session::open(&disk, small()).unwrap();
    for round in 0..5 {
        for n in 0..1 + round % 2 {
            session.submit(round * 10 + n * 2 + 1..round * 10 + n * 2 + 3, 2400);
        }
        assert!(session.turn(&mut acknowledged).is_empty());
    }
    assert_eq!(disk.segments().len(), 3);
    (disk.kill().copy(), acknowledged)
}

fn put_damaged(disk: &Disk, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Disk {
    let disk = disk.copy();
    let mut octets = disk.octets(name);
    change(&mut octets);
    disk.put(name, octets);
    disk
}

/// Octets of a segment in front of the zeros that are there to be written over. What ends in zeros itself is padded to 8.
fn written(disk: &Disk, name: &str) -> usize {
    let octets = disk.octets(name);
    octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| (last + 1).next_multiple_of(8))
}

/// The journal opens; what is lost is in the report, all else can be read, and new records go on above.
/// Returns what is lost.
fn survive(disk: &Disk, acknowledged: &Acknowledged, at: &str) -> BTreeSet<u64> {
    let verified = verify_storage(disk).unwrap();
    let mut session = Session::open(disk, small()).unwrap();
    let mut lost = BTreeSet::new();
    for damage in &session.report.damage {
        if let Some((first, last)) = damage.lost {
            lost.extend(first..=last);
        }
        if damage.bytes > 0 {
            let name = damage.quarantine.as_ref().unwrap_or_else(|| panic!("no copy: {at}"));
            let region = damage.offset as usize..(damage.offset + damage.bytes) as usize;
            assert_eq!(disk.octets(name), disk.octets(&damage.segment)[region], "{at}");
            // It is there after a power cut, too.
            assert_eq!(disk.power_cut(Cut::Nothing).octets(name), disk.octets(name), "{at}");
        }
    }
    let told: Vec<_> =
        session.report.damage.iter().map(|d| (&d.segment, d.offset, d.bytes, d.lost)).collect();
    let seen: Vec<_> = verified.damage.iter().map(|d| (&d.segment, d.offset, d.bytes, d.lost)).collect();
    assert_eq!(told, seen, "{at}");

    session.submit(900..902, 100);
    assert!(session.turn(&mut Acknowledged::new()).is_empty());
    let mut read_lost = BTreeSet::new();
    let mut read = Acknowledged::new();
    for record in Reader::over(Arc::new(disk.clone()), Some(session.handle.clone())).records_from(1) {
        match record {
            Ok(record) => assert_eq!(read.insert(record.sequence, tag(&record.octets)), None, "{at}"),
            Err(ReadError::Damaged(damage)) => {
                let (first, last) = damage.lost.unwrap();
                read_lost.extend(first..=last);
            }
            Err(error) => panic!("{error}: {at}"),
        }
    }
    assert_eq!(lost, read_lost, "{at}");
    let last = *acknowledged.last_key_value().unwrap().0;
    assert_eq!(read.remove(&(last + 1)), Some(900), "{at}");
    assert_eq!(read.remove(&(last + 2)), Some(901), "{at}");
    for (sequence, tag) in acknowledged {
        assert_eq!(read.remove(sequence), (!lost.contains(sequence)).then_some(*tag), "{sequence}: {at}");
    }
    assert!(read.is_empty(), "{at}");
    lost
}

#[test]
fn damage_at_any_octet_is_reported_and_read_around() {
    let (disk, acknowledged) = example();
    assert_eq!(survive(&disk.copy(), &acknowledged, "whole"), BTreeSet::new());
    for name in disk.segments() {
        let length = written(&disk, &name);
        // Every octet of the headers, and every 97th of the rest.
        for at in (0..length).filter(|at| *at < 200 || at % 97 == 0 || at + 8 > length) {
            let damaged = put_damaged(&disk, &name, |octets| octets[at] ^= 0x40);
            let text = format!("octet {at} of {name}");
            let report = verify_storage(&damaged).unwrap();
            assert_eq!(report.damage.len(), 1, "{text}");
            let lost = survive(&damaged, &acknowledged, &text);
            // A damaged segment header costs no record, a damaged batch its own.
            assert_eq!(lost.len(), if at < 64 { 0 } else { 2 }, "{text}");
        }
    }
}

#[test]
fn zeros_behind_the_last_batch_are_written_over_and_no_part_of_the_journal() {
    let disk = Disk::default();
    let mut acknowledged = Acknowledged::new();
    let mut session = Session::open(&disk, Options { segment_bytes: 1 << 20, ..small() }).unwrap();
    let mut lengths = BTreeSet::new();
    for round in 0..40 {
        session.submit(round * 2 + 1..round * 2 + 3, 300);
        session.turn(&mut acknowledged);
        let [name] = &disk.segments()[..] else { panic!("one segment") };
        lengths.insert(disk.octets(name).len());
        assert!(written(&disk, name) <= *lengths.last().unwrap());
    }
    // 40 commits of some 700 octets: the segment's first, one that needed zeros, and all others written over them.
    assert_eq!(lengths.len(), 2, "{lengths:?}");
    // Whatever of the zeros has become something else: nothing was acknowledged there.
    let name = disk.segments()[0].clone();
    for (at, noise) in [(0, 1), (8, 0x4A), (30_000, 0xFF)] {
        let damaged = put_damaged(&disk.kill(), &name, |octets| {
            let end = octets.iter().rposition(|octet| *octet != 0).unwrap().next_multiple_of(8) + 8;
            octets[end + at] = noise;
        });
        assert_eq!(survive(&damaged, &acknowledged, &format!("{noise} at {at}")), BTreeSet::new());
    }
}

#[test]
fn sectors_of_zeros_and_short_files_are_damage_too() {
    let (disk, acknowledged) = example();
    for name in disk.segments() {
        let length = written(&disk, &name);
        for start in (512..length).step_by(512) {
            let text = format!("{name}, zeros from {start}");
            let damaged = put_damaged(&disk, &name, |o| {
                let end = (start + 512).min(o.len());
                o[start..end].fill(0);
            });
            assert!(!survive(&damaged, &acknowledged, &text).is_empty());
            let text = format!("{name}, cut at {start}");
            assert!(
                !survive(&put_damaged(&disk, &name, |o| o.truncate(start)), &acknowledged, &text).is_empty()
            );
        }
    }
}

#[test]
fn a_lost_segment_is_damage() {
    let (disk, acknowledged) = example();
    let middle = &disk.segments()[1];
    let damaged = disk.copy();
    journal::Storage::remove(&damaged, middle).unwrap();
    let report = verify_storage(&damaged).unwrap();
    assert_eq!(report.damage.len(), 1);
    assert!(!survive(&damaged, &acknowledged, "without the middle segment").is_empty());
}

#[test]
fn damage_is_reported_and_kept_again_at_the_next_start() {
    let (disk, _) = example();
    let name = disk.segments()[0].clone();
    let disk = put_damaged(&disk, &name, |octets| octets[700] ^= 1);
    let first = Session::open(&disk, small()).unwrap().report;
    assert!(first.quarantined_bytes > 0);
    let second = Session::open(&disk.kill(), small()).unwrap().report;
    assert_eq!((second.quarantined_bytes, &second.damage), (0, &first.damage));
}

#[test]
fn a_last_batch_torn_at_any_octet_is_no_damage() {
    // Killed without a watermark file, so that nothing says that the last batch was committed.
    let disk = Disk::default();
    let mut acknowledged = Acknowledged::new();
    let mut session = Session::open(&disk, small()).unwrap();
    session.submit(0..2, 300);
    session.turn(&mut acknowledged);
    let name = disk.segments()[0].clone();
    let before = written(&disk, &name);
    let all_but_last = acknowledged.clone();
    session.submit(10..12, 300);
    session.turn(&mut acknowledged);
    let disk = disk.kill().copy();
    journal::Storage::remove(&disk, "watermark").unwrap();
    let after = written(&disk, &name);
    for length in before..after {
        for zeros in [0, 3, 5000] {
            let torn = put_damaged(&disk, &name, |octets| {
                octets.truncate(length);
                octets.resize(length + zeros, 0);
            });
            let mut session = Session::open(&torn, small()).unwrap();
            let at = format!("cut at {length}, {zeros} zeros");
            assert_eq!(session.report.rescued_records, 2, "{at}");
            if zeros == 0 {
                assert_eq!(session.report.torn_bytes, (length - before) as u64, "{at}");
            }
            assert_eq!(session.check(&all_but_last).unwrap().len(), 2, "{at}");
            session.submit(20..22, 100);
            session.turn(&mut Acknowledged::new());
            assert_eq!(session.check(&all_but_last).unwrap().len(), 4, "{at}");
        }
    }
    // Whole, it is kept.
    let session = Session::open(&disk, small()).unwrap();
    assert_eq!(session.check(&acknowledged).unwrap().len(), 4);
}

#[test]
fn what_a_client_writes_into_an_attribute_never_passes_for_a_batch() {
    let disk = Disk::default();
    let mut session = Session::open(&disk, small()).unwrap();
    session.submit(1..2, 100);
    session.turn(&mut Acknowledged::new());
    // A whole batch, as another segment holds it, in a request; at each of eight places, to hit the alignment.
    let batch = disk.octets(&disk.segments()[0])[64..].to_vec();
    let disk = Disk::default();
    let mut session = Session::open(&disk, small()).unwrap();
    let mut filled = session.port.take_free().unwrap();
    let mut octets = vec![0xFF; 8 * 300];
    for n in 0..8 {
        octets[n * 300 + n..][..batch.len()].copy_from_slice(&batch);
    }
    filled.append(&record(&octets)).unwrap();
    session.port.submit(filled);
    session.writer.turn();
    // Damage to the true batch's header makes the search begin.
    let name = &disk.segments()[0];
    let damaged = put_damaged(&disk.kill(), name, |octets| octets[64 + 20] ^= 1);
    assert!(journal::codec::check(&damaged.octets(name)) > 0, "no place was aligned");
    let report = verify_storage(&damaged).unwrap();
    assert_eq!((report.records, report.damage.len()), (0, 1));
}
