//! Notices of a day, of one alert, and open alerts have an end.

use super::*;

#[test]
fn no_day_begins_twice_and_a_clock_that_was_far_ahead_costs_none() {
    let mut alerts = Alerts::default();
    let mut held = |session: u64, now: u64| {
        let user = format!("user{session}");
        let case = Case { now, ..of(&user, from(session, "192.0.2.1", "A")) };
        alerts.take(case, &mut medium(vec![country("CN")]));
        told(&mut alerts)[0].2
    };
    // Events around midnight, some of them from clocks that are a little ahead.
    let midnight = (DAY + 1) * DAY_NS;
    let around: Vec<bool> =
        (0..10).map(|at| held(at, if at % 2 == 0 { midnight + at } else { midnight - at })).collect();
    assert_eq!(around.iter().filter(|is_held| !**is_held).count(), 3, "{around:?}");
    // A year ahead, and back; two days.
    for (first, ahead) in [(20, 365), (30, 2)] {
        assert!(!held(first, midnight + ahead * DAY_NS));
        let back = [1, 2, 3, 4].map(|at| held(first + at, midnight));
        assert_eq!(back, [false, false, false, true], "{ahead}");
    }
    // A day ahead is a VPN server's, or ours around midnight.
    assert!(!held(40, midnight + DAY_NS));
    assert_eq!([41, 42, 43].map(|at| held(at, midnight)), [false, false, true]);
}

#[test]
fn what_is_about_to_be_kept_no_longer_is_closed_as_it_was() {
    let mut alerts = Alerts::default();
    let ago = |days: u64| (DAY - days) * DAY_NS;
    for (user, session, days) in [("alice", 1, 20), ("bob", 2, 10)] {
        let case = Case { now: ago(days), ..of(user, from(session, "192.0.2.1", "A")) };
        alerts.take(case, &mut medium(vec![country("CN")]));
    }
    told(&mut alerts);
    alerts.close_before(ago(15), ago(0));
    let notices = alerts.take_changes().1;
    let [closed] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((closed.news, closed.alert.number, closed.is_held), (News::Closed, 1, false));
    // It goes when it would have gone, and says when it was closed.
    assert_eq!((closed.alert.changed_unix_ns, closed.unix_ns()), (ago(20), ago(0)));
    assert!(alerts.open.contains_key(&2) && alerts.open.len() == 1);
}

#[test]
fn somebody_who_floods_with_something_new_each_time_fills_nothing_and_hides_nobody() {
    // What one alert tells, or a day, and one row for all that is beyond.
    let plenty = Detecting { notices_per_day: 1000, ..Detecting::default() };
    for (detecting, told_max) in [(&plenty, plenty.notices_per_alert), (&*DETECTING, 3)] {
        floods(detecting, told_max);
    }
}

fn floods(detecting: &Detecting, told_max: u32) {
    let mut alerts = Alerts::default();
    let mut notices = Vec::new();
    for session in 1..5000 {
        let name = format!("D{session}");
        let place = reason(Detection::AddressChange, None, &name, 3.5);
        alerts.take(
            Case { detecting, ..of("eve", from(session, "192.0.2.1", &name)) },
            &mut medium(vec![country("CN"), device(&name), place]),
        );
        notices.append(&mut alerts.take_changes().1);
    }
    let beyond = notices.iter().find(|notice| notice.sequence > u64::from(told_max)).unwrap().sequence;
    let gathered = notices.split_off(told_max as usize);
    assert!(gathered.iter().all(|notice| notice.is_held && notice.sequence == beyond));
    let held = gathered.last().unwrap().alert.held_back.unwrap();
    assert_eq!((notices.len(), held.count), (told_max as usize, 4999 - u64::from(told_max)));
    let octets = serde_json::to_string(&alerts).unwrap().len();
    assert!(octets < 200_000, "{octets}");
    // All that happened is listed, and what is not sent says so.
    assert!(notices.iter().all(|notice| !notice.is_held));
    assert!(notices.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
    // It gets more urgent, and so does somebody else's.
    for (user, session) in [("eve", 5001), ("alice", 5002)] {
        let mut high = abnormal(Severity::High, vec![reason(Detection::ImpossibleTravel, None, "FR", 6.0)]);
        alerts.take(of(user, from(session, "203.0.113.1", "A")), &mut high);
        assert!(high.is_alert);
    }
    let high: Vec<_> = told(&mut alerts);
    assert_eq!(high, [(News::Updated, 1, false), (News::New, 2, false)]);
}

#[test]
fn there_is_an_end_of_open_alerts_and_what_is_closed_for_want_of_room_is_listed() {
    let mut alerts = Alerts::default();
    let (over, mut closed) = (50, 0);
    for session in 0..(OPEN_MAX + over) as u64 {
        let user = format!("user{session}");
        let severity = if session % 2 == 0 { Severity::High } else { Severity::Medium };
        let case = Case { now: DAY * DAY_NS + session, ..of(&user, from(session, "192.0.2.1", "A")) };
        alerts.take(case, &mut abnormal(severity, vec![country("CN")]));
        for notice in alerts.take_changes().1 {
            assert!(!notice.is_held || notice.alert.severity != Severity::High, "what is urgent is sent");
            closed += usize::from(notice.news == News::Closed);
        }
    }
    assert_eq!((alerts.open.len(), alerts.subjects.len(), closed), (OPEN_MAX, OPEN_MAX, over));
    assert_eq!(alerts.held.len(), OPEN_MAX);
}
