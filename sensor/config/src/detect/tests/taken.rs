//! That each key is taken for what it is the key of.

use insight::detect::{Model, Thresholds};
use policy::Exclusion;

use super::{NOW, load_text};
use crate::detecting_summary;

#[test]
fn every_key_is_taken() {
    let config = load_text(
        r#"
        [users]
        realms = [["contoso.example", "CONTOSO", ""]]
        [detect]
        notices_per_day = 12
        accept_after = "14d"
        notices_per_alert = 8
        high_within = "30m"
        alert_score = 4
        alert_score_one_group = 8.5
        alert_score_unlearned = 9.5
        population_users_min = 200
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
        device_log_ratio = 1.25
        software_log_ratio = 0.65
        repeated_part = 0.5
        usual_days = 3
        weight_of_travel = 4.25
        weight_of_travel_known_device = 1.75
        weight_of_change = 3.75
        open = "4h"
        flap = "10m"
        weight_of_first_country = 0.75
        counted_days = 4
        deviceless_part = 0.25
        new_pair_days = 7
        new_pair_users = 9
        weight_of_new_pair = 0.75
        weight_of_dormant = 2.75
        weight_of_dormant_known = 0.75
        weight_of_spread = 1.75
        users_per_address = "4d"
        users_per_address_again = 3
        weight_of_users_per_address = 2.25
        stops_halved = "14d"
        stops_gap = "30m"
        weight_of_stops = 3.25
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
        attacker_hour = 0.45
        attacker_new_country = 0.26
        attacker_new_place = 0.27
        attacker_new_network = 0.27
        attacker_new_software = 0.55
        attacker_new_server = 0.45
        weight_of_all = 0.75
        usual_for_all_max = 3.25
        unknown_to_all_max = 2.75
        move_users = 6
        move_times = 30
        calm_connections = 75
        software_known_device_max = 1.25
        weight_of_software_new_device = 0.55
        weight_of_software_update = 0.75
        weight_of_shared_device = 0.45
        shared_device_max = 2.75
        no_device_max = 4.75
        weight_of_server = 0.55
        new_server_max = 1.25
        known_server_max = 0.5
        weight_of_away_against = 0.5
        away_max = 3.25
        away_connections_min = 250
        country_of_nobody_share = 0.255
        country_of_nobody_days = 10
        weight_of_place = 0.75
        weight_of_place_in_region = 0.5
        weight_of_nearness = 1.25
        weight_of_colleagues = 0.75
        colleagues_max = 2.25
        other_family_days = 20
        hours_of_all = 4.25
        time_of_day_max = 3.25
        hour_max = 1.75
        usual_hour_max = 1.25
        weight_of_usual_hour = 1.25
        weight_of_open_known_device = 0.75
        open_share_min = 0.275
        cover_times = 40
        mobile = 0.45
        own_network = 2.25
        known_for_max = 2.25
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
    assert_eq!((detect.notices_per_alert, detect.high_within_s), (8, 1800));
    let thresholds = Thresholds {
        alert_score: 4.0,
        alert_score_one_group: 8.5,
        alert_score_unlearned: 9.5,
        population_users_min: 200,
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
        device_log_ratio: 1.25,
        software_log_ratio: 0.65,
        repeated_part: 0.5,
        usual_days: 3,
        weight_of_travel: 4.25,
        weight_of_travel_known_device: 1.75,
        weight_of_change: 3.75,
        open_s: 14_400,
        flap_s: 600,
        weight_of_first_country: 0.75,
        counted_days: 4,
        deviceless_part: 0.25,
        new_pair_days: 7,
        new_pair_users: 9,
        weight_of_new_pair: 0.75,
        weight_of_dormant: 2.75,
        weight_of_dormant_known: 0.75,
        weight_of_spread: 1.75,
        users_per_address_days: 4,
        users_per_address_again: 3.0,
        weight_of_users_per_address: 2.25,
        stops_halved_days: 14,
        stops_gap_s: 1800,
        weight_of_stops: 3.25,
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
            attacker_hour: 0.45,
            attacker_new_country: 0.26,
            attacker_new_place: 0.27,
            attacker_new_network: 0.27,
            attacker_new_software: 0.55,
            attacker_new_server: 0.45,
            weight_of_all: 0.75,
            usual_for_all_max: 3.25,
            unknown_to_all_max: 2.75,
            move_users: 6.0,
            move_times: 30.0,
            calm_connections: 75.0,
            software_known_device_max: 1.25,
            weight_of_software_new_device: 0.55,
            weight_of_software_update: 0.75,
            weight_of_shared_device: 0.45,
            shared_device_max: 2.75,
            no_device_max: 4.75,
            weight_of_server: 0.55,
            new_server_max: 1.25,
            known_server_max: 0.5,
            weight_of_away_against: 0.5,
            away_max: 3.25,
            away_connections_min: 250,
            country_of_nobody_share: 0.255,
            country_of_nobody_days: 10,
            weight_of_place: 0.75,
            weight_of_place_in_region: 0.5,
            weight_of_nearness: 1.25,
            weight_of_colleagues: 0.75,
            colleagues_max: 2.25,
            other_family_days: 20,
            hours_of_all: 4.25,
            time_of_day_max: 3.25,
            hour_max: 1.75,
            usual_hour_max: 1.25,
            weight_of_usual_hour: 1.25,
            weight_of_open_known_device: 0.75,
            open_share_min: 0.275,
            cover_times: 40.0,
            mobile: 0.45,
            own_network: 2.25,
            known_for_max: 2.25,
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
        "notices_per_alert = 8 (default 32), high_within = \"30m\" (default \"1h\"), alert_score = 4 (default 6.2)",
        "alive = \"90m\" (default \"20m\")",
        "volume_min = \"10 GB\" (default \"5 GB\")",
        "open = \"4h\" (default \"10h\")",
        "users_per_address = \"4d\" (default \"2d\")",
        "model.known_max = 3 (default 4.5)",
        "exclusions: 2;",
        "at most 12 notices a day",
        "accepted after 14d",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}
