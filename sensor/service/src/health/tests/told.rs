//! What people read: every condition has its section in the runbook; what stands is kept.

use super::*;

#[test]
fn the_runbook_has_a_section_for_each_condition() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/runbook.md");
    let runbook = std::fs::read_to_string(path).unwrap();
    for condition in Condition::ALL {
        let heading = format!("### `{}`", condition.name());
        assert!(runbook.lines().any(|line| line == heading), "{path} has no section {heading}");
    }
}

#[test]
fn what_stands_is_kept_across_a_restart_and_damage_costs_a_repeated_message() {
    let state = tempfile::tempdir().unwrap();
    let mut watch = Watch::new();
    watch.seen.duplicates_evicted = 3;
    watch.after(HOUR);
    let standing = watch.monitor.standing();
    assert_eq!(standing.len(), 1);
    let (mut memory, before) = Memory::open(state.path());
    assert_eq!(before, []);
    memory.keep(&standing).unwrap();
    assert_eq!(Memory::open(state.path()).1, standing);
    memory.keep(&[]).unwrap();
    assert_eq!(Memory::open(state.path()).1, []);
    std::fs::write(crate::folder(state.path()).join("health.json"), "[{\"condition\":").unwrap();
    assert_eq!(Memory::open(state.path()).1, []);
}
