//! Each key of `[detect]`: that it is taken, that its mistakes are named, that the documentation has it.

use std::fs;

use insight::detect::Thresholds;

use super::{keys, markdown};
use crate::{Config, ConfigError, detecting_summary, load};

mod taken;

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path))
}

const NOW: u64 = 1_790_000_000_000_000_000;

#[test]
fn without_a_word_everything_is_as_it_comes_and_nothing_is_accepted() {
    for text in ["", "[detect]", "[detect]\naccept_after = \"off\"\n[detect.model]"] {
        let detect = load_text(text).unwrap().meaning().detect;
        assert_eq!(detect, policy::Detecting::default(), "{text}");
        assert_eq!(detect.accept_after_days, None);
        let summary = detecting_summary(&detect, NOW);
        assert_eq!(
            summary,
            "default thresholds; no exclusions; at most 50 notices a day; no alert is accepted automatically"
        );
    }
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let exclusion = |lines: &str| format!("[[detect.exclusion]]\n{lines}");
    let sound = "reason = \"x\"\nuntil = 2030-01-01\n";
    let cases: &[(String, usize, usize, &str)] = &[
        (
            "[detect]\nalert_scor = 4".into(),
            2,
            1,
            "unknown key `detect.alert_scor`, did you mean `detect.alert_score`?",
        ),
        ("[detect]\nclock_skew_s = 4".into(), 2, 1, "did you mean `detect.clock_skew`?"),
        (
            "[detect.model]\nnovelty_contry = 1".into(),
            2,
            1,
            "unknown key `detect.model.novelty_contry`, did you mean `detect.model.novelty_country`?",
        ),
        ("[detect]\nalert_score = nan".into(), 2, 15, "`detect.alert_score`: must lie between 0.1 and 100"),
        ("[detect]\nalert_score = inf".into(), 2, 15, "must lie between 0.1 and 100"),
        ("[detect]\nalert_score = 0".into(), 2, 15, "must lie between 0.1 and 100"),
        ("[detect]\nalert_score = -3.2".into(), 2, 15, "must lie between 0.1 and 100"),
        (
            "[detect]\nalert_score = \"high\"".into(),
            2,
            15,
            "`detect.alert_score` wants a number, not a string",
        ),
        (
            "[detect]\nalert_score = 9".into(),
            2,
            15,
            "`detect.alert_score_one_group` is 8 and must not be below",
        ),
        (
            "[detect]\nhigh_score = 3".into(),
            2,
            14,
            "`detect.high_score` is 3 and must not be below `detect.alert_score`, which is 6.2",
        ),
        ("[detect]\nown_cover_share = 1.5".into(), 2, 19, "must lie between 0.001 and 1"),
        ("[detect]\nown_cover_users = 0".into(), 2, 19, "must lie between 1 and 1000000"),
        ("[detect]\nown_cover_users = 1.5".into(), 2, 19, "wants a whole number, not a float"),
        ("[detect]\nclock_skew = 300".into(), 2, 14, "wants a string"),
        ("[detect]\nclock_skew = \"2h\"".into(), 2, 14, "must lie between 0s and 1h"),
        ("[detect]\ndormant = \"36h\"".into(), 2, 11, "must be whole days, from 1d to 180d"),
        ("[detect]\ndormant = \"181d\"".into(), 2, 11, "must be whole days, from 1d to 180d"),
        ("[detect]\nlearning = \"0d\"".into(), 2, 12, "must be whole days, from 1d to 90d"),
        ("[detect]\nlearning = \"91d\"".into(), 2, 12, "must be whole days, from 1d to 90d"),
        ("[detect]\nlearning_connections_min = 0".into(), 2, 28, "must lie between 1 and 255"),
        ("[detect]\nlearning_connections_min = 256".into(), 2, 28, "must lie between 1 and 255"),
        ("[detect]\nvolume_min = \"5\"".into(), 2, 14, "not a size"),
        ("[detect]\nspread_connections_min = 21".into(), 2, 26, "must lie between 1 and 20"),
        ("[detect]\nnotices_per_day = 0".into(), 2, 19, "must lie between 1 and 1000000"),
        ("[detect]\nnotices_per_alert = 0".into(), 2, 21, "must lie between 1 and 100"),
        ("[detect]\nnotices_per_alert = 101".into(), 2, 21, "must lie between 1 and 100"),
        ("[detect]\nhigh_within = \"9m\"".into(), 2, 15, "must lie between 10m and 1d"),
        ("[detect]\nrepeated_part = 1.5".into(), 2, 17, "must lie between 0 and 1"),
        ("[detect]\nusual_days = 31".into(), 2, 14, "must lie between 1 and 30"),
        ("[detect]\nusers_per_address = \"15d\"".into(), 2, 21, "must be whole days, from 1d to 14d"),
        ("[detect]\nusers_per_address_again = 1".into(), 2, 27, "must lie between 1.5 and 100"),
        ("[detect]\nstops_gap = \"1m\"".into(), 2, 13, "must lie between 2m and 1d"),
        ("[detect]\nweight_of_travel = -1".into(), 2, 20, "must lie between 0 and 20"),
        ("[detect.model]\nopen_share_min = 0".into(), 2, 18, "must lie between 0.0001 and 0.9999"),
        ("[detect.model]\naway_connections_min = 0".into(), 2, 24, "must lie between 1 and 1000000"),
        ("[detect]\naccept_after = \"12h\"".into(), 2, 16, "must be whole days, from 1d to 90d, or \"off\""),
        ("[detect]\naccept_after = true".into(), 2, 16, "wants a string, not a boolean"),
        (
            "[detect.model]\nattacker_device = 1".into(),
            2,
            19,
            "`detect.model.attacker_device`: must lie between 0.0001 and 0.9999",
        ),
        ("[detect]\nmodel = 1".into(), 2, 9, "`detect.model` wants a table: [detect.model], not an integer"),
        (
            "[detect.exclusion]\nuser = \"a\"".into(),
            1,
            1,
            "wants an array of tables: [[detect.exclusion]], not a table",
        ),
        (exclusion(sound), 1, 1, "an exclusion wants `user`, `network`, `asn` or `place`"),
        (exclusion("user = \"a\"\nuntil = 2030-01-01"), 1, 1, "an exclusion wants `reason`: why"),
        (exclusion("user = \"a\"\nreason = \"x\""), 1, 1, "an exclusion wants `until`: the day"),
        (exclusion("user = \"a\"\nuntil = 2030-01-01\nreason = \" \""), 4, 10, "a reason must not be empty"),
        (exclusion("user = \"a\"\nreason = \"x\"\nuntil = \"soon\""), 4, 9, "write it as \"2026-12-31\" or"),
        (exclusion("user = \"a\"\nreason = \"x\"\nuntil = 2030-01-01T12:00:00"), 4, 9, "with an offset"),
        (
            exclusion("user = \"a\"\nreason = \"x\"\nuntil = 7"),
            4,
            9,
            "wants a date or a date-time, not an integer",
        ),
        (exclusion(&format!("{sound}user = \" \"")), 4, 8, "is no user name"),
        (exclusion(&format!("{sound}network = \"10.1.2.3/8\"")), 4, 11, "did you mean \"10.0.0.0/8\"?"),
        (exclusion(&format!("{sound}asn = 0")), 4, 7, "must lie between 1 and 4294967295"),
        (exclusion(&format!("{sound}asn = \"AS7\"")), 4, 7, "wants a whole number"),
        (exclusion(&format!("{sound}place = \"\"")), 4, 9, "a place must not be empty"),
        (
            exclusion(&format!("{sound}usr = \"a\"")),
            4,
            1,
            "unknown key `detect.exclusion.usr`, did you mean `detect.exclusion.user`?",
        ),
        (exclusion(&format!("user = \"b\"\n{sound}")).repeat(1001), 4001, 1, "at most 1000 exclusions"),
    ];
    for (text, line, column, message) in cases {
        let text: &str = text;
        let error = match load_text(text) {
            Ok(_) => panic!("{text:.200} is taken"),
            Err(error) => error,
        };
        let hit = error.problems.iter().any(|problem| {
            (problem.line, problem.column) == (*line, *column) && problem.message.contains(message)
        });
        assert!(hit, "{text:.200}: wanted {line}:{column} {message:?}, got\n{error}");
    }
}

#[test]
fn an_exclusion_that_ended_is_a_warning() {
    let config = load_text(
        "[[detect.exclusion]]\nuser = \"a\"\nreason = \"x\"\nuntil = 2020-01-01\n\
         [[detect.exclusion]]\nuser = \"b\"\nreason = \"x\"\nuntil = 2999-01-01\n",
    )
    .unwrap();
    let [warning] = &config.warnings[..] else { panic!("{:?}", config.warnings) };
    assert!(warning.contains(".toml:1 ended at 2020-01-02T00:00:00Z: take it out"), "{warning}");
    assert!(detecting_summary(&config.detect, NOW).contains("exclusions: 2, of which 1 ended;"));
}

#[test]
fn each_default_is_one_that_the_file_may_say_and_has_a_reason() {
    let mut usual = policy::Detecting::default();
    let mut lines = "[detect]\n".to_owned();
    for keys::Key { name, reason, value } in keys::of_notices(&mut usual) {
        assert!(reason.len() > 20, "{name}: {reason:?}");
        lines += &format!("{name} = {}\n", value.shown());
    }
    for keys::Key { name, reason, value } in keys::of(&mut usual.thresholds) {
        assert!(reason.len() > 20, "{name}: {reason:?}");
        lines += &format!("{name} = {}\n", value.shown());
    }
    lines += "[detect.model]\n";
    for keys::Key { name, reason, value } in keys::of_model(&mut usual.thresholds.model) {
        assert!(reason.len() > 10, "{name}: {reason:?}");
        lines += &format!("{name} = {}\n", value.shown());
    }
    assert_eq!(load_text(&lines).unwrap().detect, policy::Detecting::default());
}

#[test]
fn what_the_guide_shows_is_taken() {
    let guide = include_str!("../../../docs/operators-guide.md");
    let block = guide.split("```toml\n").find(|block| block.starts_with("[detect]")).unwrap();
    let detect = load_text(block.split("```").next().unwrap()).unwrap().detect;
    assert_eq!(
        (detect.thresholds.alert_score, detect.notices_per_day, detect.exclusions.len()),
        (7.5, 30, 2)
    );
    assert_eq!(detect.exclusions[0].user.as_deref(), Some("alice@contoso"));
}

#[test]
fn what_guides_call_the_default_is_the_default() {
    let mut thresholds = Thresholds::default();
    let defaults = keys::of(&mut thresholds).into_iter().map(|key| (key.name, key.value.shown()));
    let defaults: std::collections::BTreeMap<_, _> = defaults.into_iter().collect();
    let mut count = 0;
    let pages = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
    for page in pages.map(|page| page.unwrap().path()).filter(|page| page.is_file()) {
        for line in fs::read_to_string(&page).unwrap().lines() {
            let Some((example, _)) = line.split_once(" as it comes") else { continue };
            let (key, default) = (example.split_once(" = ").unwrap().0, example.rsplit(' ').next().unwrap());
            assert_eq!(defaults[key], default, "{}: {line}", page.display());
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn the_page_is_up_to_date() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/thresholds.md");
    let written = fs::read_to_string(page).unwrap_or_default();
    assert!(written == markdown(), "run `cargo xtask docs` to write {page} anew");
}
