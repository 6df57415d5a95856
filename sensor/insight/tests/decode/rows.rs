//! Every vendor that is known, every form and trap, and every bad day, each with the tests that hold it, from the octets
//! of a packet to an event (`tests/decode`), a session (`tests/session`) or, where a packet must not come so far, to the
//! verdict (`radius`, `ingest`, end to end in `tests/tests`). Whoever adds a vendor or a form adds a row; that each test
//! named here is there, and that each vendor with a table has a row, is tested below.
//!
//! | vendor | tests |
//! |---|---|
//! | microsoft (RRAS, NPS) | microsoft_rras_over_sstp, microsoft_ike_v2_has_no_client_name_and_a_machine_name_counts_first, a_machine_tunnel_of_rras_is_no_person, the_forms_of_a_ras_client_name |
//! | f5 (BIG-IP APM) | f5_start_without_and_stop_with_an_inner_address |
//! | check-point | check_point_is_carried_by_the_standard_attributes, check_point_takes_the_tunnel_endpoint_before_the_calling_station |
//! | asa (FTD, AnyConnect) | cisco_asa_with_anyconnect, cisco_asa_by_pairs_alone_takes_the_next_best, asa_session_types_tell_sites_proxies_and_clients |
//! | cisco (IOS and others) | cisco_ios_by_any_of_its_pairs, ids_that_come_round_after_many_reboots_are_new_sessions |
//! | palo-alto (GlobalProtect) | palo_alto_global_protect |
//! | fortinet (FortiGate) | fortinet_tells_vpn_from_administrators_and_web |
//! | ivanti (Juniper, Pulse) | ivanti_by_its_enterprises |
//! | ocserv | ocserv_says_its_user_agent_in_connect_info, what_only_the_start_says_stays_with_the_session |
//! | strongswan | strong_swan_by_its_default_name_and_by_its_session_id, a_session_id_that_does_not_name_the_port_is_not_strong_swans, the_address_may_change_within_a_session, ids_that_name_the_boot_are_different_sessions |
//! | accel-ppp | accel_ppp_tunnels_are_vpn_and_pppoe_is_not |
//! | openvpn (radiusplugin) | openvpn_radiusplugin_by_its_digest |
//! | SoftEther | softether_pretends_to_be_microsoft_and_its_address_is_no_device |
//! | citrix (NetScaler Gateway) | citrix_gives_no_place_and_says_what_there_was |
//! | sonicwall (SMA 1000) | watchguard_and_sonicwall_are_carried_by_the_standard_attributes |
//! | SEIL | vendors_without_a_table_are_carried_by_the_standard_attributes, ids_that_name_the_boot_are_different_sessions |
//! | D-Link NetDefendOS | vendors_without_a_table_are_carried_by_the_standard_attributes |
//! | mikrotik | mikrotik_tunnels_hotspots_and_pppoe |
//! | watchguard | watchguard_and_sonicwall_are_carried_by_the_standard_attributes |
//! | pfsense (mpd5, log-in script) | pfsense_over_mpd_and_from_a_script_without_an_address |
//! | unknown | vendors_without_a_table_are_carried_by_the_standard_attributes, check_point_is_carried_by_the_standard_attributes |
//!
//! | form or trap | tests |
//! |---|---|
//! | 66 with a tag 0x00 or 0x01, and without | a_tunnel_client_endpoint_comes_with_and_without_a_tag |
//! | 64 = 00 01 37 01 is SSTP | a_tunnel_type_of_24_bits_is_sstp, microsoft_rras_over_sstp |
//! | 31 an address, with a port, in brackets, v4-mapped, `(null)`, empty | a_calling_station_is_an_address_or_no_place, empty_attributes_say_nothing_and_are_no_defect, every_form_of_an_address_is_read |
//! | 31 a MAC, a telephone, a host name | a_calling_station_is_an_address_or_no_place, what_is_no_address_is_told_apart |
//! | 1 in every form of a name; absent in On and Off | user_names_of_every_form_become_users, one_person_under_two_names_where_realms_mean_the_same, what_is_of_no_session_is_no_connection |
//! | 9/1 mdm-tlv with `=` and commas in the value | several_pairs_in_one_vendor_specific_attribute_are_read, cisco_asa_with_anyconnect |
//! | several sub-attributes in a VSA; a vendor length of 0, 1, past the end | several_pairs_in_one_vendor_specific_attribute_are_read, a_vendor_specific_attribute_that_is_no_sub_attributes_costs_itself_alone |
//! | attribute length 0, 1, past Length; octets behind Length | a_request_whose_attributes_do_not_fill_it_is_no_event_and_padding_is_not_read, r11_attributes_must_fill_length_exactly, r05_octets_after_length_are_padding, malformed_datagrams_get_silence |
//! | Request Authenticator all zero | r23_a_wrong_secret_and_a_zero_authenticator_do_not_verify |
//! | same Identifier, source and Authenticator again | a_duplicate_after_commit_gets_the_same_octets, a_duplicate_while_pending_is_answered_once |
//! | same event, new Identifier, grown Acct-Delay-Time | the_same_with_another_delay_is_a_retransmission, the_same_again_tells_nothing |
//! | the same event at two sensors | two_sensors_tell_one_start, any_order_and_repetition_give_the_same_sessions |
//! | Interim or Stop without Start | without_a_start_it_began_when_its_length_says |
//! | Stop, then a late Interim; Start behind Stop | an_interim_behind_the_stop_does_not_reopen, a_start_that_comes_last_of_all_changes_nothing_about_the_end, a_second_stop_counts_if_it_is_later_or_the_only_one_with_a_time |
//! | Acct-Session-Id used again | a_reboot_that_nobody_told_of, on_and_off_end_the_sessions_of_their_server_alone, a_lost_stop_shows_when_the_id_is_used_again |
//! | Cisco IOS: ids wrap after 256 reboots | ids_that_come_round_after_many_reboots_are_new_sessions |
//! | Start without 8 | a_start_without_address_is_filled_from_the_next_message, f5_start_without_and_stop_with_an_inner_address |
//! | octets lower than before | without_gigawords_octets_wrap, with_gigawords_a_lower_value_is_a_counter_that_began_again |
//! | Acct-Delay-Time 0xFFFFFFFF, Event-Timestamp 0 or in 2106 | the_time_of_an_event_is_the_timestamp_else_arrival_less_the_delay, a_clamped_delay_gives_the_arrival |
//! | Status-Server | status_server_is_answered_and_never_recorded, r59_status_server_is_answered_with_code_5_and_no_attributes |
//! | Proxy-State | proxy_state_comes_back_unchanged_and_in_order, r31_proxy_states_are_copied_unmodified_in_order_with_duplicates |
//!
//! | bad day | tests |
//! |---|---|
//! | attributes of a wrong length or type | a_value_of_the_wrong_length_is_left_out_and_listed, a_wrong_value_does_not_hide_a_right_one_behind_it, any_request_becomes_an_event |
//! | names that are not UTF-8, with control or bidirectional characters | texts_that_are_not_clean_are_escaped_and_listed, names_that_only_look_alike_are_different_users |
//! | names of 4 KiB | names_that_fill_a_packet_stay_bounded, names_as_long_as_an_attribute_stay_bounded |
//! | a million users in an hour | a_million_users_in_an_hour_stay_within_the_bound_and_are_counted, sessions_that_were_forgotten_leave_nothing_behind, a_storm_of_new_ids_when_full_leaves_nothing_behind |
//! | clocks that jump | a_clock_that_jumps_a_day_ahead_and_back_closes_nothing, nobody_is_silent_while_nobody_listens |
//! | events from the future and from two months ago | a_time_from_the_future_or_two_months_ago_is_the_arrival, a_longer_past_may_be_trusted |
//! | counters that go back | volumes_never_overflow, a_wrap_is_seen_in_whatever_order_it_comes |
//! | Acct-Session-Time longer than the session lived | a_server_that_lies_about_lengths_makes_no_second_session, a_session_that_says_it_lasted_a_lifetime_began_when_it_was_first_seen |
//! | a storm of On | a_storm_of_on_closes_every_session_once_and_stays_bounded, on_repeated_pushes_no_other_out_of_memory |
//! | equal ids for different users | one_id_for_everybody_is_a_session_each, other_users_are_other_sessions_and_nobody_is_anybody |
//! | two RRAS with one secret and equal ids, one rebooting | two_rras_with_one_secret_and_equal_session_ids_one_of_them_rebooting |

use std::{collections::BTreeSet, fs, path::Path};

use insight::vpn::{Client, Decoder, Settings, Vendor};

use crate::{decoder, event, received, start};

const PAGE: &str = include_str!("rows.rs");

/// The cells of the rows above: what it is, and its tests.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.rsplit_once(" | ").unwrap());
    cells
        .filter(|(_, tests)| *tests != "tests")
        .map(|(row, tests)| (row, tests.split(", ").collect()))
        .collect()
}

/// Adds the names of the tests in a folder and those below it.
fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(tests_of(&fs::read_to_string(path).unwrap()));
        }
    }
}

/// Functions behind `#[test]`, and those that `on_each_path!` makes tests of.
fn tests_of(text: &str) -> Vec<String> {
    let (mut is_test, mut is_list) = (false, false);
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        match line {
            "#[test]" => is_test = true,
            "on_each_path!(" => is_list = true,
            ");" => is_list = false,
            _ if is_list => names.push(line.trim_end_matches(',').to_owned()),
            _ => {
                if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('))
                    && std::mem::take(&mut is_test)
                {
                    names.push(name.to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn every_row_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut names = BTreeSet::new();
    for folder in ["sensor/insight", "sensor/radius", "tests/tests"] {
        tests_below(&root.join(folder), &mut names);
    }
    let rows = rows();
    assert_eq!(rows.len(), 21 + 21 + 11, "{rows:#?}");
    let missing: Vec<_> =
        rows.iter().flat_map(|(_, tests)| tests).filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn every_vendor_with_a_table_has_a_row() {
    let rows = rows();
    let has_row = |vendor: &Vendor| rows.iter().any(|(row, _)| row.split(' ').next() == Some(vendor.name()));
    let missing: Vec<_> = Vendor::all().filter(|vendor| !has_row(vendor)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn check_point_takes_the_tunnel_endpoint_before_the_calling_station() {
    let octets = start(|b| {
        b.text(1, "alice").text(31, "198.51.100.9").text(66, "203.0.113.7");
    });
    let decoder = decoder(Client { vendor: Some(Vendor::CheckPoint), ..Client::default() });
    let event = decoder.decode(&received(&octets)).unwrap();
    assert_eq!(event.remote.unwrap().address.to_string(), "203.0.113.7");
    assert_eq!(event.remote_other, Some([198, 51, 100, 9].into()));
}

#[test]
fn a_request_whose_attributes_do_not_fill_it_is_no_event_and_padding_is_not_read() {
    let whole = start(|b| {
        b.text(1, "alice").text(31, "203.0.113.7");
    });
    // The last attribute is 31: its length octet stands 12 from the end.
    let at = whole.len() - 12;
    assert_eq!(usize::from(whole[at]), 13);
    let decoder = Decoder::new(Settings::default());
    for length in [0, 1, 14, 255] {
        let mut octets = whole.clone();
        octets[at] = length;
        assert!(decoder.decode(&received(&octets)).is_err(), "{length}");
    }
    // A second user, behind Length.
    let padded = [&whole[..], b"\x01\x09mallory"].concat();
    assert_eq!(&*event(&padded).user.unwrap().key, "alice");
    assert_eq!(crate::shown(&event(&padded)), crate::shown(&event(&whole)));
}

#[test]
fn names_that_fill_a_packet_stay_bounded() {
    // Sixteen User-Names are 4 KiB: the first counts, the others are listed.
    for octet in [b'a', 0xff, 0x1b] {
        let octets = start(|b| {
            for _ in 0..15 {
                b.attribute(1, &[octet; 253]);
            }
        });
        assert!(octets.len() > 3800);
        let event = event(&octets);
        let user = event.user.unwrap();
        let most = 253 * "\\xff".len();
        assert!((253..=most).contains(&user.original.len()) && user.key.len() <= most);
        assert!(!user.key.chars().any(char::is_control));
    }
}
