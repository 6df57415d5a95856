//! Records are taken out for good: in segments and quarantine, beside the writer, and wherever the power goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use journal::codec::RecordView;
use journal::{
    Reader, RealStorage, Redact, RedactError, Redacted, Redactor, Storage, open, verify, verify_storage,
};

use crate::common::{Acknowledged, Session, Silent, outcomes, record, small};
use crate::disk::{Cut, Disk, SyncKind};

const NAME: &[u8] = b"mallory";

/// Whoever is named so.
struct Named {
    /// Batches that may still be looked at.
    patience: usize,
}

impl Redact for Named {
    fn takes_record(&mut self, record: &RecordView<'_>) -> bool {
        self.takes_octets(record.octets)
    }

    fn takes_octets(&mut self, octets: &[u8]) -> bool {
        octets.windows(NAME.len()).any(|part| part == NAME)
    }

    fn goes_on(&mut self) -> bool {
        self.patience = self.patience.saturating_sub(1);
        self.patience > 0
    }
}

fn named() -> Named {
    Named { patience: usize::MAX }
}

/// Every third request is of the person.
fn is_of(tag: u64) -> bool {
    tag.is_multiple_of(3)
}

fn request(tag: u64) -> Vec<u8> {
    let mut octets = crate::common::octets(tag, 2400);
    if is_of(tag) {
        octets[100..100 + NAME.len()].copy_from_slice(NAME);
    }
    octets
}

fn work<S: Storage + Clone>(
    session: &mut Session<S>,
    acknowledged: &mut Acknowledged,
    tags: std::ops::Range<u64>,
) {
    for tag in tags {
        let mut batch = session.port.take_free().unwrap();
        batch.append(&record(&request(tag))).unwrap();
        session.port.submit(batch);
        session.writer.turn();
        for (first, _) in outcomes(&mut session.port) {
            acknowledged.insert(first.unwrap(), tag);
        }
    }
}

/// Several segments, the last batch not known to be committed by anything on the disk but the watermark file.
fn example() -> (Disk, Acknowledged) {
    let (disk, mut acknowledged) = (Disk::default(), Acknowledged::new());
    let mut session = Session::open(&disk, small()).unwrap();
    work(&mut session, &mut acknowledged, 1..20);
    assert!(disk.segments().len() >= 3);
    (disk.kill(), acknowledged)
}

/// All is there, the person's as tombstones if `is_over`, else perhaps.
fn check(disk: &Disk, acknowledged: &Acknowledged, is_over: bool) -> Result<(), String> {
    let session = Session::open(disk, small()).map_err(|e| e.to_string())?;
    if !session.report.damage.is_empty() {
        return Err(format!("{:?}", session.report.damage));
    }
    let mut tombstones = 0;
    let mut expected = 1;
    for record in Reader::over(Arc::new(disk.clone()), Some(session.handle.clone())).records_from(1) {
        let record = record.map_err(|e| e.to_string())?;
        let Some(&tag) = acknowledged.get(&record.sequence) else { return Err("never acknowledged".into()) };
        if record.sequence != expected || record.arrival_unix_ns != 1_790_000_000_000_000_000 + tag {
            return Err(format!("{record:?} is not {expected}, {tag}"));
        }
        expected += 1;
        if record.redacted {
            tombstones += 1;
            if !is_of(tag) {
                return Err(format!("record {} of somebody else is gone", record.sequence));
            }
        } else if record.octets != request(tag) || (is_over && is_of(tag)) {
            return Err(format!("record {} is there as before", record.sequence));
        }
    }
    if expected != acknowledged.len() as u64 + 1 {
        return Err(format!("{expected} comes next"));
    }
    let verified = verify_storage(disk).map_err(|e| e.to_string())?;
    if !verified.is_good() || verified.redacted != tombstones {
        return Err(format!("{verified:?}, {tombstones} tombstones"));
    }
    Ok(())
}

fn is_anywhere(disk: &Disk) -> bool {
    disk.list().unwrap().iter().any(|entry| named().takes_octets(&disk.octets(&entry.name)))
}

fn redact(disk: &Disk) -> Result<Redacted, RedactError> {
    Redactor::over(Arc::new(disk.clone()), None).run(&mut named())
}

/// The power goes at every operation of a redaction. Returns how many cuts there were.
fn sweep(ignore: Option<SyncKind>) -> Result<u64, String> {
    let (before, acknowledged) = example();
    let mut count = 0;
    for cut_at in 0.. {
        for cut in [Cut::Nothing, Cut::Everything, Cut::Some(1), Cut::Some(2), Cut::Some(3)] {
            let disk = before.copy();
            disk.with(|d| {
                d.ignore = ignore;
                d.cut_at = Some(cut_at);
            });
            let is_over = redact(&disk).is_ok();
            let at = format!("cut {cut:?} at {cut_at}");
            let disk = disk.power_cut(cut);
            check(&disk.copy(), &acknowledged, is_over).map_err(|e| format!("{e}: {at}"))?;
            if is_over && is_anywhere(&disk) {
                return Err(format!("the name is there again: {at}"));
            }
            // What was left of it is done by the next one, behind the recovery.
            let disk = disk.copy();
            drop(Session::open(&disk, small()).map_err(|e| e.to_string())?);
            let disk = disk.kill();
            redact(&disk).map_err(|e| format!("{e}: {at}"))?;
            if is_anywhere(&disk) {
                return Err(format!("the name is still there: {at}"));
            }
            check(&disk, &acknowledged, true).map_err(|e| format!("{e}: {at}, afterwards"))?;
            count += 1;
            if is_over && matches!(cut, Cut::Some(3)) {
                return Ok(count);
            }
        }
    }
    Ok(count)
}

#[test]
fn wherever_the_power_goes_all_others_stay_and_the_next_redaction_does_the_rest() {
    let cuts = sweep(None).unwrap();
    assert!(cuts > 60, "{cuts}");
}

#[test]
fn a_redaction_needs_its_syncs() {
    for kind in [SyncKind::Replacement, SyncKind::RecoveryName] {
        assert!(sweep(Some(kind)).is_err(), "without the sync {kind:?} all is still well");
    }
}

#[test]
fn a_second_redaction_changes_nothing_and_a_stopped_one_leaves_nothing_behind() {
    let (disk, acknowledged) = example();
    let names: Vec<String> = disk.list().unwrap().into_iter().map(|entry| entry.name).collect();
    for patience in 1.. {
        let disk = disk.copy();
        let result = Redactor::over(Arc::new(disk.clone()), None).run(&mut Named { patience });
        let left: Vec<String> = disk.list().unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(left, names, "{patience}");
        check(&disk, &acknowledged, result.is_ok()).unwrap();
        match result {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, RedactError::Stopped), "{error}"),
        }
    }
    let done = redact(&disk).unwrap();
    assert_eq!((done.records, done.damaged_bytes), (6, 0));
    assert!(done.segments >= 3);
    let operations = disk.with(|d| d.operations);
    assert_eq!(redact(&disk).unwrap(), Redacted::default());
    assert_eq!(disk.with(|d| d.operations), operations);
}

#[test]
fn damaged_octets_are_blanked_up_to_the_next_batch_in_segments_and_in_quarantine() {
    let (disk, acknowledged) = example();
    let disk = disk.copy();
    // The first octet of two requests of the person and one of another's.
    let name = disk.segments().into_iter().next().unwrap();
    let mut octets = disk.octets(&name);
    // Octets of a batch with one request.
    let batch = 2512;
    for tag in [3usize, 4, 6] {
        octets[64 + (tag - 1) * batch + 90] ^= 1;
    }
    disk.put(&name, octets);
    let session = Session::open(&disk, small()).unwrap();
    let lost: Vec<_> = session.report.damage.iter().map(|damage| damage.lost.unwrap()).collect();
    assert_eq!(lost, [(3, 4), (6, 6)]);
    let quarantined: Vec<_> =
        session.report.damage.iter().map(|damage| damage.quarantine.clone().unwrap()).collect();
    drop(session);
    let disk = disk.kill();
    let bob = disk.octets(&quarantined[0])[batch..].to_vec();

    let done = redact(&disk).unwrap();
    assert_eq!(done.damaged_bytes, 4 * batch as u64);
    assert!(!is_anywhere(&disk));
    // What is of somebody else may still be looked at by hand.
    assert_eq!(disk.octets(&quarantined[0])[batch..], bob);
    let session = Session::open(&disk, small()).unwrap();
    let lost: Vec<_> = session.report.damage.iter().map(|damage| damage.lost.unwrap()).collect();
    assert_eq!(lost, [(3, 4), (6, 6)]);
    let read = Reader::over(Arc::new(disk.clone()), Some(session.handle)).records_from(1).flatten().count();
    assert_eq!(read, acknowledged.len() - 3);
}

#[test]
fn beside_a_writer_and_readers_at_work_records_go_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(RealStorage::create(dir.path()).unwrap(), small()).unwrap();
    let mut port = opened.writer.port(4, Arc::new(Silent));
    let (handle, stopping) = (opened.handle.clone(), AtomicBool::new(false));
    let writer = std::thread::spawn(move || opened.writer.run());
    let reader = Reader::beside(dir.path(), &handle).unwrap();
    let last = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut tag = 1;
            while !stopping.load(SeqCst) {
                let Some(mut batch) = port.take_free() else {
                    outcomes(&mut port);
                    continue;
                };
                batch.append(&record(&request(tag))).unwrap();
                port.submit(batch);
                tag += 1;
            }
            tag - 1
        });
        let follower = scope.spawn(|| {
            let (mut records, mut expected) = (reader.records_from(1), 1);
            loop {
                let is_last = stopping.load(SeqCst);
                for record in records.by_ref() {
                    let record = record.unwrap();
                    assert_eq!(record.sequence, expected);
                    assert!(record.redacted || record.octets == request(expected));
                    expected += 1;
                }
                if is_last {
                    return;
                }
            }
        });
        for _ in 0..5 {
            while handle.watermark() < 30 {
                std::thread::yield_now();
            }
            let before = handle.watermark();
            Redactor::beside(dir.path(), &handle).unwrap().run(&mut named()).unwrap();
            let mut records = reader.records_from(1);
            for sequence in 1..=before {
                assert_eq!(records.next().unwrap().unwrap().redacted, is_of(sequence), "{sequence}");
            }
        }
        stopping.store(true, SeqCst);
        follower.join().unwrap();
        worker.join().unwrap()
    });
    handle.stop();
    writer.join().unwrap();
    let report = verify(dir.path()).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.last, report.records), (Some(last), last));
    // Once the writer has ended there is nobody to wait for.
    let after = Redactor::beside(dir.path(), &handle).unwrap().run(&mut named());
    assert!(matches!(after, Err(RedactError::Stopped)), "{after:?}");
}
