//! Suspicious VPN connection: what is quiet, what is not, who is learned, and what a value says that nobody ever had.

use insight::{
    detect::{Connection, Detection, Model, ReasonFeature, Severity, Spot, Thresholds},
    geo::NetworkKind,
};

use crate::{
    DAY_S, HOUR_S, MONDAY, NINE, SECOND, Service, address, brazil, cable, germany, has, home, hosting, kinds,
};

fn stranger() -> Connection<'static> {
    Connection {
        device: Some("DESKTOP-66"),
        remote: address("198.51.100.9"),
        spot: hosting(),
        ..home("alice")
    }
}

fn learned() -> Service {
    let mut service = Service::new();
    service.works(&["alice", "bob", "carol"]);
    service
}

#[test]
fn everyday_life_is_quiet() {
    let home = home("alice");
    let everyday = [
        ("at home", home),
        ("a new laptop at home", Connection { device: Some("LT-99"), ..home }),
        ("a hotel", Connection { remote: address("203.0.113.4"), spot: cable(), ..home }),
        ("abroad", Connection { remote: address("203.0.113.4"), spot: brazil(), ..home }),
        ("an update", Connection { software: Some("AnyConnect Windows 5.1.3"), ..home }),
        ("another VPN server", Connection { server: Some("munich"), ..home }),
        (
            "an office",
            Connection {
                remote: address("10.0.0.7"),
                spot: Spot { place: Some("Headquarters"), is_own: true, ..Spot::default() },
                ..home
            },
        ),
        ("another prefix", Connection { remote: address("203.0.113.4"), ..home }),
        (
            "a phone's network",
            Connection {
                remote: address("203.0.113.4"),
                spot: Spot { kinds: kinds(&[NetworkKind::Mobile]), ..cable() },
                ..home
            },
        ),
        ("nothing is known", Connection { user: "alice", ..Connection::default() }),
    ];
    for (what, connection) in everyday {
        let assessment = learned().opens(NINE, &connection);
        assert!(!assessment.is_alert, "{what}: {} {assessment}", assessment.score);
    }
}

#[test]
fn strangers_are_not() {
    let home = home("alice");
    let device = Some("DESKTOP-66");
    let strangers = [
        ("hosting in the country", stranger()),
        ("another provider of the country", Connection { spot: cable(), ..stranger() }),
        ("abroad", Connection { spot: brazil(), ..stranger() }),
        ("the same provider", Connection { device, remote: address("203.0.113.4"), ..home }),
    ];
    for (what, connection) in strangers {
        let assessment = learned().opens(NINE, &connection);
        assert!(has(&assessment, Detection::SuspiciousConnection), "{what}");
        assert!(assessment.is_alert, "{what}: {} {assessment}", assessment.score);
        assert!(assessment.severity >= Severity::Medium, "{what}");
        // The weightiest first.
        assert!(assessment.reasons.is_sorted_by(|one, other| one.log_ratio >= other.log_ratio));
    }
    // A new network and a new device say more together than either.
    let score = |connection| learned().opens(NINE, &connection).score;
    let both = score(Connection { device, spot: cable(), remote: address("203.0.113.4"), ..home });
    let network = score(Connection { spot: cable(), remote: address("203.0.113.4"), ..home });
    assert!(both > network + 3.0 && both > score(Connection { device, ..home }) + 3.0);
}

#[test]
fn the_text_says_what_was_expected_and_what_was_seen() {
    let assessment = learned().opens(NINE, &stranger());
    let text = assessment.to_string();
    assert!(
        text.contains("network never seen for alice: AS64500 Example Hosting; usual: AS3320 (20 connections, last on 2026-11-20)"),
        "{text}"
    );
    assert!(text.contains("device never seen for alice: DESKTOP-66; usual: LT-"), "{text}");
    assert!(text.contains("kind of network unusual for alice: hosting"), "{text}");
    let network = assessment.reasons.iter().find(|reason| reason.feature == Some(ReasonFeature::Network));
    let network = network.unwrap();
    assert_eq!(network.techniques(), ["T1133", "T1078"]);
    assert_eq!((network.expected[0].connections, network.expected[0].days, network.users), (20, 20, 0));
    assert_eq!(network.detection.external_id(), Some(2025));
}

#[test]
fn an_alert_waits_for_thirty_days_and_five_connections() {
    // Twenty-nine days after the first connection.
    let mut service = Service::new();
    let home = home("alice");
    for day in MONDAY - 29..MONDAY {
        service.opens(day * DAY_S + 9 * HOUR_S, &home);
    }
    // The first was at nine.
    let young = service.opens(NINE - 1, &stranger());
    assert!(!young.is_alert && young.score > 6.0, "{}", young.score);
    let mut service = Service::new();
    for day in MONDAY - 30..MONDAY {
        service.opens(day * DAY_S + 9 * HOUR_S, &home);
    }
    assert!(service.opens(NINE, &stranger()).is_alert);
    // Four connections within thirty days, and five.
    for (connections, is_learned) in [(4, false), (5, true)] {
        let mut service = Service::new();
        service.opens((MONDAY - 40) * DAY_S + 9 * HOUR_S, &home);
        for ago in (1..=connections).rev() {
            service.opens((MONDAY - ago * 3) * DAY_S + 9 * HOUR_S, &home);
        }
        let far = Connection { spot: Spot { ..hosting() }, ..stranger() };
        assert_eq!(service.opens(NINE, &far).is_alert, is_learned, "{connections}");
    }
}

#[test]
fn the_learning_rule_is_that_of_the_thresholds() {
    // Ten days with a connection each.
    let stranger_comes = |learning_days, learning_connections_min| {
        let thresholds = Thresholds { learning_days, learning_connections_min, ..Thresholds::default() };
        let mut service = Service::new();
        service.detector.set_thresholds(thresholds);
        for day in MONDAY - 10..MONDAY {
            service.opens(day * DAY_S + 9 * HOUR_S, &home("alice"));
        }
        service.opens(NINE, &stranger()).is_alert
    };
    for (days, connections, is_alert) in
        [(30, 5, false), (10, 5, true), (11, 5, false), (10, 10, true), (10, 11, false), (1, 1, true)]
    {
        assert_eq!(stranger_comes(days, connections), is_alert, "{days} {connections}");
    }
}

#[test]
fn a_stranger_stands_out_before_anybody_is_learned() {
    let mut service = Service::new();
    service.works(&["alice", "bob", "carol"]);
    let new = Connection { user: "newcomer", device: Some("LT-50"), ..home("bob") };
    let ordinary = service.opens(NINE, &new).score;
    let strange = service
        .opens(NINE, &Connection { user: "other", spot: hosting(), remote: address("198.51.100.9"), ..new });
    assert!(strange.score > ordinary + 4.0, "{} {ordinary}", strange.score);
}

/// The trap of the published smoothing: a value that nobody ever had scored low.
#[test]
fn what_nobody_ever_had_scores_at_least_as_high_as_what_only_she_never_had() {
    type Change = fn(Connection<'static>) -> Connection<'static>;
    let unseen: [(&str, Change); 7] = [
        ("country", |at| Connection {
            spot: Spot { country: Some("ZA"), place: Some("ZA"), ..at.spot },
            ..at
        }),
        ("place", |at| Connection { spot: Spot { place: Some("Bonn, NW, DE"), ..at.spot }, ..at }),
        ("network", |at| Connection { spot: Spot { asn: Some(64_999), ..at.spot }, ..at }),
        ("prefix", |at| Connection { remote: address("203.0.113.77"), ..at }),
        ("device", |at| Connection { device: Some("NOBODY"), ..at }),
        ("software", |at| Connection { software: Some("strongSwan 6.0"), ..at }),
        ("server", |at| Connection { server: Some("hamburg"), ..at }),
    ];
    for (what, change) in unseen {
        for users in [1, 2, 20] {
            let mut alone = learned();
            let mut shared = learned();
            // Others have it, for so long that no move explains it.
            for user in ["bob", "carol"].into_iter().cycle().take(users) {
                for day in MONDAY - 2..MONDAY {
                    let theirs = change(Connection { user: "alice", ..home("alice") });
                    shared.sessions += 1;
                    let observation =
                        Connection { user, start_unix_ns: day * DAY_S * crate::SECOND, ..theirs };
                    shared.profiles.learn(&observation.observation());
                }
            }
            let connection = change(home("alice"));
            let (nobody, only) = (alone.opens(NINE, &connection), shared.opens(NINE, &connection));
            assert!(nobody.score >= only.score, "{what} of {users}: {} {}", nobody.score, only.score);
            let usual = learned().opens(NINE, &home("alice"));
            assert!(nobody.score > usual.score, "{what}: {} {}", nobody.score, usual.score);
        }
    }
}

#[test]
fn what_was_told_is_told_once_and_accepted_when_she_says_so() {
    let mut service = learned();
    let first = service.opens(NINE, &stranger());
    assert!(first.is_alert && !first.is_repeat);
    let again = service.opens(NINE + 2 * HOUR_S, &stranger());
    assert!(again.is_alert && again.is_repeat && again.score < first.score / 2.0);
    // Another place is news.
    let other = service.opens(NINE + 3 * HOUR_S, &Connection { spot: cable(), ..stranger() });
    assert!(other.is_alert && !other.is_repeat);
    // Closed as usual: learned, and trusted.
    let taught = Connection { session: service.sessions, start_unix_ns: NINE * crate::SECOND, ..stranger() };
    service.profiles.learn(&taught.observation());
    service.detector.accept("alice", service.sessions);
    let after = service.opens(NINE + 4 * HOUR_S, &stranger());
    assert!(!after.is_alert, "{} {after}", after.score);
}

#[test]
fn addresses_that_change_daily_say_little_and_one_that_never_did_much() {
    let mut daily = Service::new();
    for day in MONDAY - 50..MONDAY {
        let remote = address(&format!("203.0.{}.7", day % 256));
        daily.opens(day * DAY_S + 9 * HOUR_S, &Connection { remote, ..home("alice") });
    }
    let other = Connection { remote: address("198.51.100.9"), ..home("alice") };
    let (daily, never) = (daily.opens(NINE, &other), learned().opens(NINE, &other));
    assert!(never.score > daily.score + 2.0, "{} {}", never.score, daily.score);
}

#[test]
fn a_town_far_from_all_others_says_more_than_one_in_the_region() {
    let town = |place, region| Connection {
        spot: Spot {
            place: Some(place),
            region: Some(region),
            latitude: Some(50.9),
            radius_km: Some(20),
            ..germany()
        },
        ..home("alice")
    };
    let score = |connection: Connection<'_>| {
        let mut service = Service::new();
        for day in MONDAY - 50..MONDAY {
            service.opens(day * DAY_S + 9 * HOUR_S, &town("Cologne, NW, DE", "NW"));
        }
        service.opens(NINE, &connection).score
    };
    let [same, near, far] =
        [town("Cologne, NW, DE", "NW"), town("Bonn, NW, DE", "NW"), town("Passau, BY, DE", "BY")].map(score);
    assert!(same < near && near < far, "{same} {near} {far}");
}

#[test]
fn without_devices_a_new_country_alone_is_no_alert_and_hosting_abroad_is() {
    let mut service = Service::new();
    let home = Connection { device: None, software: None, ..home("alice") };
    for day in MONDAY - 50..MONDAY {
        service.opens(day * DAY_S + 9 * HOUR_S, &home);
    }
    // Yesterday's session is over; there was time to travel.
    service.go_to(NINE);
    let colleague = Connection { user: "bob", start_unix_ns: NINE * crate::SECOND, spot: brazil(), ..home };
    service.profiles.learn(&colleague.observation());
    let abroad = Connection { spot: brazil(), remote: address("198.51.100.9"), ..home };
    let holiday = service.opens(NINE + 6 * HOUR_S, &abroad);
    assert!(!holiday.is_alert && holiday.score > 3.0, "{} {holiday}", holiday.score);
    let spot =
        Spot { kinds: kinds(&[NetworkKind::Hosting]), asn: Some(64_501), country: Some("ZA"), ..brazil() };
    let attack =
        service.opens(NINE + 7 * HOUR_S, &Connection { spot, remote: address("192.0.2.9"), ..abroad });
    assert!(attack.is_alert, "{} {attack}", attack.score);
}

#[test]
fn a_device_that_is_not_told_says_something_of_whoever_always_tells_one() {
    let hidden = Connection { device: None, remote: address("203.0.113.4"), spot: cable(), ..home("alice") };
    let told = Connection { device: home("alice").device, ..hidden };
    let (without, with) = (learned().opens(NINE, &hidden), learned().opens(NINE, &told));
    assert!(without.score > with.score + 4.0, "{} {}", without.score, with.score);
    assert!(without.to_string().contains("none was told"), "{without}");
    // At home it is no alert, and of somebody whose client seldom tells one it says nothing.
    let at_home = learned().opens(NINE, &Connection { device: None, ..home("alice") });
    assert!(!at_home.is_alert, "{at_home}");
    let mut seldom = Service::new();
    for day in MONDAY - 50..MONDAY {
        let device = home("alice").device.filter(|_| day % 2 == 0);
        seldom.opens(day * DAY_S + 9 * HOUR_S, &Connection { device, ..home("alice") });
    }
    assert!(seldom.opens(NINE, &hidden).score < without.score - 3.0);
    // Nor where all Starts begin without one on a day: the VPN server's doing.
    let names: Vec<String> = (0..60).map(|number| format!("colleague{number}")).collect();
    let mut people: Vec<&str> = names.iter().map(String::as_str).collect();
    people.push("alice");
    let mut all = Service::new();
    all.works(&people);
    for (number, user) in (0..).zip(&names) {
        all.opens(NINE - 3600 + number * 30, &Connection { device: None, ..home(user) });
    }
    let all = all.opens(NINE, &hidden);
    assert!(all.score < without.score - 2.0, "{} {}", all.score, without.score);
}

#[test]
fn whoever_comes_while_she_is_connected_elsewhere_is_likelier_a_stranger() {
    let other = Connection { device: None, remote: address("203.0.113.4"), spot: cable(), ..home("alice") };
    let weighed = |weight_of_away: f64, ends: bool, next: &Connection<'_>| {
        let mut service = learned();
        let model = Model { weight_of_away, ..Model::default() };
        service.detector.set_thresholds(Thresholds { model, ..Thresholds::default() });
        service.opens(NINE - 7200, &home("alice"));
        if ends {
            service.ends(NINE - 3600, &home("alice"), 3600, 1_000_000);
        }
        service.opens(NINE, next)
    };
    let score = |ends, next: &Connection<'_>| weighed(Model::default().weight_of_away, ends, next);
    // How long she was away speaks too where it is known, and for an attacker.
    let (open, over) = (weighed(0.0, false, &other), weighed(0.0, true, &other));
    assert!(open.score > over.score + 3.0, "{} {}", open.score, over.score);
    let (open, over) = (score(false, &other), score(true, &other));
    assert!(open.score > over.score + 1.5, "{} {}", open.score, over.score);
    assert!(open.to_string().contains("connected already"), "{open}");
    // An end that was lost is no stranger at home.
    let (lost, told) = (score(false, &home("alice")), score(true, &home("alice")));
    assert!(lost.score <= told.score, "{} {}", lost.score, told.score);
    // But for how long she was away, which nobody knows then, it says nothing at all.
    let (lost, told) = (weighed(0.0, false, &home("alice")), weighed(0.0, true, &home("alice")));
    assert_eq!(lost.score, told.score);
}

#[test]
fn whoever_goes_back_to_what_was_left_is_likelier_a_stranger() {
    // Since a week in another part of the network and with other software.
    let moved = Connection {
        remote: address("203.0.113.4"),
        software: Some("AnyConnect Windows 5.1.3"),
        ..home("alice")
    };
    let since = || {
        let mut service = learned();
        for day in MONDAY..MONDAY + 5 {
            service.opens(day * DAY_S + 8 * HOUR_S, &moved);
            service.ends(day * DAY_S + 16 * HOUR_S, &moved, 8 * HOUR_S, 1_000_000);
        }
        service
    };
    let at = NINE + 7 * DAY_S;
    let stays = since().opens(at, &moved).score;
    let line = since().opens(at, &Connection { software: moved.software, ..home("alice") }).score;
    let software = since().opens(at, &Connection { remote: moved.remote, ..home("alice") }).score;
    // Although she had it on three times as many days.
    assert!(line > stays + 0.2, "{line} {stays}");
    assert!(software > stays + 0.2, "{software} {stays}");
    // On another device, so that there is something to tell.
    let mut service = since();
    service.detector.set_thresholds(Thresholds { reason_log_ratio: 0.1, ..Thresholds::default() });
    let both = service.opens(at, &Connection { device: Some("DESKTOP-66"), ..home("alice") });
    let text = both.to_string();
    let software = "alice goes back to the client software AnyConnect Windows 5.1.2, which was left; \
                    the last time: 2026-11-20";
    assert!(text.contains(software) && !text.contains("software seldom"), "{text}");
}

#[test]
fn a_value_that_is_not_among_the_most_usual_is_not_called_never_seen() {
    // Three cities more often than the fourth, which she left a fortnight ago.
    let lines = [("203.0.113.4", 20), ("203.0.114.4", 15), ("203.0.115.4", 10), ("203.0.116.4", 2)];
    let mut service = Service::new();
    service.works(&["bob", "carol"]);
    for (line, days) in lines {
        for day in (MONDAY - 29..MONDAY).filter(|day| (day * 7 % 29) < days) {
            let from = Connection { remote: address(line), device: None, ..home("alice") };
            service.profiles.learn(&Connection { start_unix_ns: day * DAY_S * SECOND, ..from }.observation());
        }
    }
    let fourth = Connection { remote: address("203.0.116.4"), device: Some("DESKTOP-66"), ..home("alice") };
    let assessment = service.opens(NINE, &fourth);
    let reason = assessment.reasons.iter().find(|reason| reason.feature == Some(ReasonFeature::Prefix));
    let reason = reason.unwrap_or_else(|| panic!("{assessment}"));
    assert!(!reason.expected.iter().any(|usual| usual.value == reason.seen), "{reason}");
    assert!(!reason.to_string().contains("never seen"), "{reason}");
}

#[test]
fn a_country_that_a_database_errs_about_says_less_than_one_with_its_own_networks() {
    let there = Connection { remote: address("203.0.113.4"), ..home("alice") };
    let errs = Spot { country: Some("AT"), place: Some("AT"), ..germany() };
    let abroad = Spot { asn: Some(8447), organisation: Some("A1"), ..errs };
    let errs = learned().opens(NINE, &Connection { spot: errs, ..there });
    let abroad = learned().opens(NINE, &Connection { spot: abroad, ..there });
    assert!(abroad.score > errs.score + 2.0, "{} {}", abroad.score, errs.score);
}

#[test]
fn who_comes_when_people_never_do_is_told_why() {
    // At work from eight to twelve and from one on: nobody comes five hours after the end.
    let mut service = Service::new();
    service.works(&["alice", "bob", "carol", "dave"]);
    let stranger = Connection { device: None, remote: address("203.0.113.4"), ..home("alice") };
    let morning = service.opens(MONDAY * DAY_S + 8 * HOUR_S, &home("alice"));
    service.ends(MONDAY * DAY_S + 9 * HOUR_S, &home("alice"), HOUR_S, 1_000_000);
    assert!(!morning.reasons.iter().any(|reason| reason.feature == Some(ReasonFeature::Away)));
    let after = service.opens(MONDAY * DAY_S + 14 * HOUR_S, &stranger);
    assert!(after.to_string().contains("connects 5 h after the last sign of life"), "{after}");
}

#[test]
fn another_address_of_the_same_pool_says_less_than_one_far_away() {
    let Some(std::net::IpAddr::V4(at)) = home("alice").remote else { panic!("no IPv4") };
    let [a, b, c, d] = at.octets();
    let from = |octets: [u8; 4]| {
        learned().opens(NINE, &Connection { remote: Some(octets.into()), ..home("alice") }).score
    };
    let (near, far) = (from([a, b, c ^ 1, d]), from([a, b ^ 128, c, d]));
    assert!(far > near + 2.0, "{far} {near}");
}

#[test]
fn the_other_family_of_addresses_in_the_usual_network_says_little() {
    let from = |remote: &str, spot: Spot<'static>| {
        learned().opens(NINE, &Connection { remote: address(remote), spot, ..home("alice") }).score
    };
    let (far, other_family) = (from("203.0.113.4", germany()), from("2001:db8:7:9::4", germany()));
    assert!(other_family < far - 2.5, "{other_family} {far}");
    // It is no free pass: what is known says less of it than of the line at home, and another network stays one.
    let usual = learned().opens(NINE, &home("alice")).score;
    assert!(other_family > usual + 1.0, "{other_family} {usual}");
    assert!(from("2001:db8:7:9::4", cable()) > other_family + 1.0);
    // Who has both since long is known by either.
    let mut service = Service::new();
    let v6 = Connection { remote: address("2001:db8:7:9::4"), ..home("alice") };
    for day in MONDAY - 40..MONDAY {
        for (hour, connection) in [(8, &home("alice")), (13, &v6)] {
            service.opens(day * DAY_S + hour * HOUR_S, connection);
            service.ends(day * DAY_S + (hour + 3) * HOUR_S, connection, 3 * HOUR_S, 1_000_000);
        }
    }
    let far_v6 = Connection { remote: address("2001:db8:ffff:9::4"), ..home("alice") };
    assert!(service.opens(NINE, &far_v6).score > service.opens(NINE + 60, &v6).score + 2.0);
}

#[test]
fn a_vpn_server_that_is_the_first_to_tell_a_device_makes_nobody_a_stranger() {
    // The gateway of these people tells none.
    let silent = |user: &'static str| Connection { device: None, software: None, ..home(user) };
    let service = || {
        let mut service = Service::new();
        for day in MONDAY - 56..MONDAY {
            for user in ["alice", "bob", "carol"] {
                service.opens(day * DAY_S + 8 * HOUR_S, &silent(user));
                service.ends(day * DAY_S + 16 * HOUR_S, &silent(user), 8 * HOUR_S, 1_000_000);
            }
        }
        service
    };
    let told = Connection { device: Some("LT-99"), ..silent("alice") };
    let score = |connection: &Connection<'_>| service().opens(NINE, connection).score;
    let through = |server: &'static str, connection| Connection { server: Some(server), ..connection };
    // It failed over to one that does: only that none is told speaks for her no more.
    let failed_over = score(&through("munich", told)) - score(&through("munich", silent("alice")));
    assert!(failed_over < 1.0, "{failed_over}");
    // Through the old one it is news, and so it is through another to whoever had a device.
    let same = score(&told) - score(&silent("alice"));
    assert!(same > 3.0, "{same}");
    let with = |device| Connection { device: Some(device), ..through("munich", home("alice")) };
    let usual = home("alice").device.unwrap();
    let other = learned().opens(NINE, &with("DESKTOP-66")).score - learned().opens(NINE, &with(usual)).score;
    assert!(other > 3.0, "{other}");
}

#[test]
fn a_session_that_is_open_at_an_unknown_place_is_told_as_a_sentence() {
    let mut service = learned();
    service.opens(NINE - 7200, &Connection { spot: Spot::default(), remote: None, ..home("alice") });
    let assessment =
        service.opens(NINE, &Connection { device: Some("DESKTOP-66"), spot: cable(), ..stranger() });
    let text = assessment.to_string();
    assert!(text.contains("connected already, from an unknown place"), "{text}");
}
