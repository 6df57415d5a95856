//! The power is cut at every operation of a workload, and again at every operation of the recovery: nothing
//! acknowledged is missing, nothing is there twice. Without any one of the journal's syncs this check fails.

use journal::{Cursor, Options, Retention};

use crate::common::{Acknowledged, Session, small};
use crate::disk::{Cut, Disk, SyncKind};

const CUTS: [Cut; 5] = [Cut::Nothing, Cut::Everything, Cut::Some(1), Cut::Some(2), Cut::Some(3)];

/// Commits of one and of two batches over several segments; returns as soon as the journal fails.
fn work(session: &mut Session<Disk>, tags: &mut u64, acknowledged: &mut Acknowledged) {
    for round in 0..5 {
        for _ in 0..1 + round % 2 {
            session.submit(*tags..*tags + 2, 2400);
            *tags += 2;
        }
        if !session.turn(acknowledged).is_empty() {
            return;
        }
    }
}

/// What a run is told to go through.
struct Plan {
    options: Options,
    ignore: Option<SyncKind>,
    /// The first run is killed at this operation; the second one finds its page cache.
    kill_at: Option<u64>,
}

/// The workload, a kill, the workload again; the power goes at operation `cut_at` of all of it. Returns the disk at
/// that moment, what was acknowledged, and whether the workload ended before.
fn run(plan: &Plan, cut_at: u64) -> Result<(Disk, Acknowledged, bool), String> {
    let mut acknowledged = Acknowledged::new();
    let mut tags = 1;
    let disk = Disk::default();
    disk.with(|d| {
        d.ignore = plan.ignore;
        d.cut_at = Some(plan.kill_at.map_or(cut_at, |kill| kill.min(cut_at)));
    });
    if let Ok(mut session) = Session::open(&disk, plan.options.clone()) {
        work(&mut session, &mut tags, &mut acknowledged);
    }
    let done = disk.with(|d| d.operations);
    if plan.kill_at.is_none_or(|kill| kill >= cut_at) && done > cut_at {
        return Ok((disk, acknowledged, false));
    }
    let disk = disk.kill();
    disk.with(|d| d.cut_at = cut_at.checked_sub(done));
    if let Ok(mut session) = Session::open(&disk, plan.options.clone()) {
        // What recovery shows is answered again from now on: it counts as acknowledged.
        acknowledged.extend(session.check(&acknowledged)?);
        work(&mut session, &mut tags, &mut acknowledged);
    }
    let ended = disk.with(|d| d.operations) + done <= cut_at;
    Ok((disk, acknowledged, ended))
}

/// Cuts the power everywhere; the first thing that is wrong is the error. Returns the number of cuts.
fn sweep(plan: &Plan) -> Result<u64, String> {
    let mut count = 0;
    for cut_at in 0.. {
        let (disk, acknowledged, ended) = run(plan, cut_at)?;
        for cut in CUTS {
            for again_at in 0.. {
                let disk = disk.power_cut(cut);
                disk.with(|d| d.cut_at = Some(again_at));
                let at = || format!("cut {cut:?} at {cut_at}, again at {again_at}");
                let mut acknowledged = acknowledged.clone();
                if let Ok(session) = Session::open(&disk, plan.options.clone()) {
                    acknowledged.extend(session.check(&acknowledged).map_err(|e| format!("{e}: {}", at()))?);
                }
                let recovered = disk.with(|d| d.operations) <= again_at;
                // The second cut, and a recovery that nothing disturbs.
                let disk = disk.power_cut(if again_at % 2 == 0 { Cut::Nothing } else { Cut::Some(again_at) });
                let mut session =
                    Session::open(&disk, plan.options.clone()).map_err(|e| format!("{e}: {}", at()))?;
                session.check(&acknowledged).map_err(|e| format!("{e}: {}", at()))?;
                // And it works: what is new follows.
                session.submit(1_000_000..1_000_003, 300);
                session.turn(&mut acknowledged);
                session.check(&acknowledged).map_err(|e| format!("{e}: {}, afterwards", at()))?;
                count += 1;
                if recovered {
                    break;
                }
            }
        }
        if ended {
            return Ok(count);
        }
    }
    Ok(count)
}

fn plans(ignore: Option<SyncKind>) -> Vec<Plan> {
    let plan = |kill_at, retention| Plan { options: Options { retention, ..small() }, ignore, kill_at };
    // Killed when a batch is in the page cache only: one in a segment with others, one in a new segment.
    let disk = Disk::default();
    let mut session = Session::open(&disk, small()).unwrap();
    work(&mut session, &mut 1, &mut Acknowledged::new());
    let writes = disk.with(|d| d.writes.clone());
    assert_eq!(disk.segments().len(), 3);
    let few = || Retention { max_bytes: 40 << 10, ..Retention::default() };
    vec![
        plan(None, Retention::default()),
        plan(Some(writes[1]), Retention::default()),
        plan(Some(writes[2]), Retention::default()),
        plan(None, few()),
    ]
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_power_goes() {
    for plan in plans(None) {
        let cuts = sweep(&plan).unwrap();
        assert!(cuts > 300, "{cuts}");
    }
}

#[test]
fn every_sync_is_needed() {
    use SyncKind::*;
    for kind in [Batch, NewSegment, NewSegmentName, Recovery, RecoveryName, Removal] {
        let found = plans(Some(kind)).iter().find_map(|plan| sweep(plan).err());
        assert!(found.is_some(), "without the sync {kind:?} all is still well");
    }
}

/// What a cursor said before a power cut at any operation is what it says after, and not less.
fn cursor_sweep(ignore: Option<SyncKind>) -> Result<(), String> {
    for cut_at in 0..40 {
        for cut in CUTS {
            let disk = Disk::default();
            disk.with(|d| {
                d.ignore = ignore;
                d.cut_at = Some(cut_at);
            });
            let mut said = 0;
            if let Ok(mut cursor) = Cursor::over(std::sync::Arc::new(disk.clone()), "service") {
                for position in [5, 9, 12] {
                    if cursor.advance(position).is_ok() {
                        said = position;
                    }
                }
            }
            let disk = disk.power_cut(cut);
            // Leftovers are removed when the journal is opened.
            Session::open(&disk, small()).map_err(|e| e.to_string())?;
            let cursor = Cursor::over(std::sync::Arc::new(disk), "service").map_err(|e| e.to_string())?;
            if cursor.position() < said {
                return Err(format!("{} instead of {said}", cursor.position()));
            }
        }
    }
    Ok(())
}

#[test]
fn a_cursor_survives_the_power_cut_and_needs_its_syncs() {
    cursor_sweep(None).unwrap();
    assert!(cursor_sweep(Some(SyncKind::Replacement)).is_err());
    assert!(cursor_sweep(Some(SyncKind::ReplacementName)).is_err());
}
