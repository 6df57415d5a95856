//! Each key of `[detect]`: that it is taken, that its mistakes are named, that the documentation has it.

use std::fs;

use insight::detect::{Model, Thresholds};
use policy::Exclusion;

use super::{keys, markdown};
use crate::{Config, ConfigError, detecting_summary, load};

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path))
}

const NOW: u64 = 1_790_000_000_000_000_000;

#[test]
fn every_key_is_taken() {
    let config = load_text(
        r#"
        [users]
        realms = [["contoso.example", "CONTOSO", ""]]
        [detect]
        notices_per_day = 12
        accept_after = "14d"
        alert_score = 4
        alert_score_one_group = 8.5
        high_score = 12.25
        reason_log_ratio = 1.5
        travel_kmh = 1000
        travel_km_min = 300
        clock_skew = "30s"
        dual_stack = "1h"
        simultaneous_km_min = 50
        alive = "1h 30m"
        change_km_min = 200
        learning = "21d"
        learning_connections_min = 8
        organisation_learning = "30d"
        own_cover_share = 0.25
        own_cover_users = 7
        dormant = "60d"
        volume_times = 20
        volume_min = "10 GB"
        length_times = 3
        length_min = "12h"
        spread_connections_min = 5
        users_per_address_min = 6
        users_per_address_times = 4
        stops_per_hour_min = 100
        stops_times = 9
        stops_learning = "2d"
        [detect.model]
        novelty_country = 0.25
        novelty_place = 0.75
        novelty_network = 0.5
        novelty_prefix = 0.25
        novelty_device = 0.5
        novelty_software = 0.25
        novelty_server = 0.5
        attacker_country = 0.5
        attacker_place = 0.25
        attacker_network = 0.25
        attacker_prefix = 0.125
        attacker_device = 0.125
        attacker_no_device = 0.25
        attacker_while_open = 0.25
        weight_of_device = 1.25
        weight_of_software = 0.75
        weight_of_away = 0.5
        software_back = 0.25
        prefix_back = 1.75
        country_of_known_network = 1.5
        country_of_nobody = 2.5
        weight_of_time_of_day = 0.75
        weight_of_others = 1
        cover_hosting = 2
        cover_anonymiser = 3
        cover_tor = 4
        feature_max = 6
        known_max = 3
        [[detect.exclusion]]
        user = 'CONTOSO\Alice'
        reason = "pentest, ticket 7"
        until = 2030-01-01
        [[detect.exclusion]]
        network = "198.51.100.0/24"
        asn = 64500
        place = "fr"
        reason = " conference "
        until = "2030-01-01T12:00:00+01:00"
        "#,
    )
    .unwrap();
    let detect = config.meaning().detect;
    assert_eq!((detect.notices_per_day, detect.accept_after_days), (12, Some(14)));
    let thresholds = Thresholds {
        alert_score: 4.0,
        alert_score_one_group: 8.5,
        high_score: 12.25,
        reason_log_ratio: 1.5,
        travel_kmh: 1000.0,
        travel_km_min: 300.0,
        clock_skew_s: 30,
        dual_stack_s: 3600,
        simultaneous_km_min: 50.0,
        alive_s: 5400,
        change_km_min: 200.0,
        learning_days: 21,
        learning_connections_min: 8,
        organisation_learning_days: 30,
        own_cover_share: 0.25,
        own_cover_users: 7,
        dormant_days: 60,
        volume_times: 20.0,
        volume_octets_min: 10_000_000_000,
        length_times: 3.0,
        length_seconds_min: 43_200,
        spread_connections_min: 5,
        users_per_address_min: 6,
        users_per_address_times: 4.0,
        stops_per_hour_min: 100,
        stops_times: 9.0,
        stops_learning_s: 172_800,
        model: Model {
            novelty_country: 0.25,
            novelty_place: 0.75,
            novelty_network: 0.5,
            novelty_prefix: 0.25,
            novelty_device: 0.5,
            novelty_software: 0.25,
            novelty_server: 0.5,
            attacker_country: 0.5,
            attacker_place: 0.25,
            attacker_network: 0.25,
            attacker_prefix: 0.125,
            attacker_device: 0.125,
            attacker_no_device: 0.25,
            attacker_while_open: 0.25,
            weight_of_device: 1.25,
            weight_of_software: 0.75,
            weight_of_away: 0.5,
            software_back: 0.25,
            prefix_back: 1.75,
            country_of_known_network: 1.5,
            country_of_nobody: 2.5,
            weight_of_time_of_day: 0.75,
            weight_of_others: 1.0,
            cover_hosting: 2.0,
            cover_anonymiser: 3.0,
            cover_tor: 4.0,
            feature_max: 6.0,
            known_max: 3.0,
        },
    };
    assert_eq!(detect.thresholds, thresholds);
    let exclusions = [
        Exclusion {
            user: Some("alice@contoso.example".into()),
            reason: "pentest, ticket 7".into(),
            // The end of that day.
            until_unix_s: 1_893_542_400,
            ..Exclusion::default()
        },
        Exclusion {
            network: Some("198.51.100.0/24".parse().unwrap()),
            asn: Some(64500),
            place: Some("FR".into()),
            reason: "conference".into(),
            until_unix_s: 1_893_495_600,
            ..Exclusion::default()
        },
    ];
    assert_eq!(detect.exclusions, exclusions);
    let summary = detecting_summary(&detect, NOW);
    for part in [
        "alert_score = 4 (default 6.2)",
        "alive = \"90m\" (default \"20m\")",
        "volume_min = \"10 GB\" (default \"5 GB\")",
        "model.known_max = 3 (default 4.5)",
        "exclusions: 2;",
        "at most 12 notices a day",
        "accepted after 14d",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}

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
    let mut thresholds = Thresholds::default();
    let mut lines = "[detect]\n".to_owned();
    for keys::Key { name, reason, value } in keys::of(&mut thresholds) {
        assert!(reason.len() > 20, "{name}: {reason:?}");
        lines += &format!("{name} = {}\n", value.shown());
    }
    lines += "[detect.model]\n";
    for keys::Key { name, reason, value } in keys::of_model(&mut thresholds.model) {
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
