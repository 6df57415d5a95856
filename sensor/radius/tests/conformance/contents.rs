//! Section E: what a request contains; accounting meaning of sections F and G.

use radius::accounting::{EventTime, TRUSTED_PAST, event_time, total_octets};
use radius::{Malformed, Marks, Rejected, dictionary, record};

use crate::{accepted, accounting, answer, decoded, parse, rendered, request, start};

fn marks(octets: &[u8]) -> Marks {
    assert!(accepted(octets));
    assert_eq!(answer(&request(octets)).len(), 20);
    request(octets).marks()
}

#[test]
fn r36_any_of_the_nas_attributes_will_do_and_none_is_marked() {
    assert_eq!(marks(&start()), Marks::NONE);
    let with = |kind: u8, value: &[u8]| {
        marks(&accounting(|b| {
            b.integer(40, 1).text(44, "1").attribute(kind, value);
        }))
    };
    assert_eq!(with(4, &[192, 0, 2, 1]), Marks::NONE);
    assert_eq!(with(32, b"g"), Marks::NONE);
    assert_eq!(with(95, &[0x20; 16]), Marks::NONE);
    // Neither an empty name nor half an address says who it is.
    assert_eq!(with(32, b""), Marks::NAS_MISSING);
    assert_eq!(with(4, &[192, 0]), Marks::NAS_MISSING);
    assert_eq!(with(1, b"alice"), Marks::NAS_MISSING);
    assert_eq!(with(1, b"alice").names().collect::<Vec<_>>(), ["nas_missing"]);
}

#[test]
fn r37_status_type_and_session_id_are_marked_unless_there_is_one_of_each() {
    let with = |fill: &dyn Fn(&mut radius::build::RequestBuilder<'_>)| {
        marks(&accounting(|b| {
            b.text(32, "g");
            fill(b);
        }))
    };
    assert_eq!(with(&|_| {}), Marks::STATUS_TYPE_MISSING | Marks::SESSION_ID_MISSING);
    assert_eq!(
        with(&|b| {
            b.integer(40, 1).integer(40, 2).text(44, "1").text(44, "2");
        }),
        Marks::STATUS_TYPE_REPEATED | Marks::SESSION_ID_REPEATED
    );
    // Length at least 3: an empty id is none.
    assert_eq!(
        with(&|b| {
            b.attribute(40, &[1]).attribute(44, b"");
        }),
        Marks::STATUS_TYPE_INVALID | Marks::SESSION_ID_MISSING
    );
}

#[test]
fn r38_forbidden_attributes_are_marked_and_passwords_blanked_and_hidden() {
    let octets = accounting(|b| {
        b.text(1, "alice").attribute(2, b"sixteen octets!!").attribute(3, &[7; 17]).attribute(2, b"");
        b.text(18, "hi").attribute(24, b"s").attribute(60, &[9; 16]);
        b.integer(40, 1).text(44, "1").text(32, "g");
    });
    assert_eq!(marks(&octets), Marks::PASSWORD_PRESENT | Marks::FORBIDDEN_ATTRIBUTE);
    assert_eq!(request(&octets).decoded().nth(1).unwrap().render().to_string(), "(hidden)");
    let mut stored = octets.clone();
    assert_eq!(record::blank_passwords(&mut stored), 3);
    assert_eq!(stored.len(), octets.len());
    let before: Vec<_> = request(&octets).attributes().collect();
    let after: Vec<_> = request(&stored).attributes().collect();
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        if matches!(before.kind, 2 | 3) {
            assert_eq!(after.value, vec![0; before.value.len()]);
        } else {
            assert_eq!(before, after);
        }
    }
    assert_eq!(record::blank_passwords(&mut start()), 0);
}

#[test]
fn r39_eap_message_without_message_authenticator_is_discarded() {
    let unsigned = accounting(|b| {
        b.attribute(79, &[2, 1, 0, 4]);
    });
    assert_eq!(parse(&unsigned).unwrap_err(), Rejected::Malformed(Malformed::EapMessageUnsigned));
    assert!(accepted(&accounting(|b| {
        b.attribute(79, &[2, 1, 0, 4]).message_authenticator();
    })));
}

#[test]
fn r40_the_first_of_a_repeated_attribute_counts_and_all_are_kept() {
    let octets = accounting(|b| {
        b.text(1, "alice").text(1, "bob").integer(40, 1).integer(40, 2);
    });
    let request = request(&octets);
    assert_eq!(request.first(1), Some(&b"alice"[..]));
    assert_eq!(request.status_type(), Some(1));
    assert_eq!(request.attributes().count(), 4);
}

#[test]
fn r41_every_status_type_is_accepted_and_the_known_ones_have_names() {
    let names = [
        "0",
        "Start",
        "Stop",
        "Interim-Update",
        "4",
        "5",
        "6",
        "Accounting-On",
        "Accounting-Off",
        "Tunnel-Start",
        "Tunnel-Stop",
        "Tunnel-Reject",
        "Tunnel-Link-Start",
        "Tunnel-Link-Stop",
        "Tunnel-Link-Reject",
        "Failed",
        "16",
    ];
    for (value, name) in names.iter().enumerate() {
        let value = value as u32;
        let octets = accounting(|b| {
            b.integer(40, value);
        });
        assert!(accepted(&octets));
        assert_eq!(request(&octets).status_type(), Some(value));
        assert_eq!(
            rendered(|b| {
                b.integer(40, value);
            }),
            *name
        );
    }
    assert_eq!(
        rendered(|b| {
            b.integer(40, u32::MAX);
        }),
        "4294967295"
    );
    assert_eq!(dictionary::value_name(40, 3), Some("Interim-Update"));
}

#[test]
fn r42_accounting_on_without_user_and_session_is_accepted() {
    let octets = accounting(|b| {
        b.integer(40, 7).text(32, "g");
    });
    assert_eq!(marks(&octets), Marks::SESSION_ID_MISSING);
}

#[test]
fn r43_stop_only_attributes_are_accepted_elsewhere() {
    let octets = accounting(|b| {
        b.integer(40, 3).text(44, "1").text(32, "g").integer(49, 1).integer(46, 60).integer(42, 1);
    });
    assert_eq!(marks(&octets), Marks::NONE);
    assert_eq!(
        rendered(|b| {
            b.integer(49, 1);
        }),
        "User-Request"
    );
}

#[test]
fn r52_event_times_never_overflow_and_say_when_they_are_odd() {
    let arrival = 1_800_000_000;
    let sound = EventTime {
        by_delay: arrival - 7,
        by_timestamp: Some(arrival - 8),
        delay_implausible: false,
        timestamp_implausible: false,
    };
    assert_eq!(event_time(arrival, Some(7), Some(arrival as u32 - 8), TRUSTED_PAST), sound);
    let plain = event_time(arrival, None, None, TRUSTED_PAST);
    assert_eq!((plain.by_delay, plain.by_timestamp), (arrival, None));
    assert!(!plain.timestamp_implausible && !plain.delay_implausible);
    let late = event_time(arrival, Some(u32::MAX), Some(0), TRUSTED_PAST);
    assert_eq!((late.by_delay, late.by_timestamp), (arrival, None));
    assert!(late.delay_implausible && late.timestamp_implausible);
    assert!(event_time(arrival, None, Some(u32::MAX), TRUSTED_PAST).timestamp_implausible);
    assert!(!event_time(arrival, Some(TRUSTED_PAST as u32), None, TRUSTED_PAST).delay_implausible);
    // Delay larger than arrival; the ends of the numbers.
    // A longer past may be trusted.
    let month = 30 * TRUSTED_PAST;
    assert_eq!(event_time(arrival, Some(month as u32), None, month).by_delay, arrival - month);
    assert_eq!(event_time(5, Some(6), None, TRUSTED_PAST).by_delay, 5);
    assert_eq!(event_time(0, Some(1), Some(1), TRUSTED_PAST).by_delay, 0);
    assert_eq!(event_time(u64::MAX, Some(1), Some(1), TRUSTED_PAST).by_delay, u64::MAX - 1);
}

#[test]
fn r56_gigawords_count_above_four_gibibytes() {
    assert_eq!(total_octets(7, None), 7);
    assert_eq!(total_octets(7, Some(0)), 7);
    assert_eq!(total_octets(1, Some(1)), (1 << 32) + 1);
    assert_eq!(total_octets(u32::MAX, Some(u32::MAX)), u64::MAX);
}

#[test]
fn r57_access_attributes_and_repeated_connect_info_are_accepted() {
    let all = decoded(|b| {
        b.integer(85, 600).text(77, "vpn-ssl").text(77, "54000").text(87, "tun0").integer(55, 1);
    });
    assert!(all.iter().all(|d| d.3.is_none()));
    assert_eq!(all.len(), 5);
}
