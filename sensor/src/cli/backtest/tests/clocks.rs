//! Times that lie far from those before them.

use super::*;

/// Nobody's, so that nothing is learned of it.
fn nobody(unix_s: i64, session: &str) -> Value {
    json!({"time": at(unix_s), "status": "Stop", "client": "asa", "session": session, "nas": "gateway"})
}

#[test]
fn one_line_of_a_clock_that_is_wrong_changes_nothing_for_the_others() {
    let lines = log_lines();
    let right = said(&lines);
    for days in [3, 30, 36_500, -30] {
        let mut wrong = lines.clone();
        for (at, day) in [(700, 17), (1600, 39)] {
            wrong.insert(at, nobody((day + days) * DAY_S, "nobody"));
        }
        for (at, (said, right)) in said(&wrong).iter().zip(&right).enumerate() {
            assert_eq!(said.0, right.0, "{days} days, Start {at}");
            // So few days profiles take for days without a connection.
            assert!(days == 3 || said.1 == right.1, "{days} days, Start {at}: {said:?}, {right:?}");
        }
        let log: String = wrong.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(scored(log.as_bytes()).1.doubted, 2, "{days} days");
    }
}

#[test]
fn a_clock_that_was_wrong_for_some_lines_is_left_with_the_second_that_is_not() {
    let mut lines = log_lines();
    // In the hours in which everybody connects, so that those behind are not alone in their hour.
    let (ahead, of_day) = (30 * DAY_S, 45 * DAY_S + 8 * 3600 - 60);
    for (number, at) in (0..5).zip(45 * 40..) {
        lines.insert(at, nobody(of_day + ahead + number, &format!("nobody {number}")));
    }
    let log: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (said, sum) = scored(log.as_bytes());
    assert_eq!(sum.to_string(), "1201 Starts, 1 with an alert; 1 line was not taken as written");
    assert_eq!(said.last().unwrap()["alert"], json!(true));
}

#[test]
fn behind_a_gap_of_weeks_detections_see_as_if_the_service_had_been_there() {
    let lines = log_lines();
    let begin = 60 * DAY_S;
    let gap = 12 * DAY_S;
    let start = |user: i64, seconds: i64| {
        json!({
            "time": at(begin + gap + seconds), "status": "Start", "client": "asa", "session": format!("behind {user}"),
            "user": format!("user{user}"), "address": format!("81.2.69.{}", 160 + user), "nas": "gateway",
            "device": format!("PC-{user}"), "software": "AnyConnect Windows 5.1",
        })
    };
    let stranger = |seconds: i64| {
        let line = with(lines.last().unwrap(), json!({"remote": {"address": "175.16.199.7"}}));
        with(&line, json!({"time": at(begin + gap + seconds)}))
    };
    // The first alone may be a wrong clock's.
    let first = nobody(begin + gap, "first");
    let behind = [first, start(3, 0), start(7, 60), start(4, 120), stranger(1800)];
    let ticked: Vec<Value> = (0..12).map(|day| nobody(begin + day * DAY_S, &format!("{day}"))).collect();
    let before = &lines[..lines.len() - 1];
    let quiet = said(&[before, &behind].concat());
    let heard = said(&[before, &ticked, &behind].concat());
    assert_eq!(quiet[1200..], heard[1200..]);
    let stranger = &quiet.last().unwrap().0;
    assert!(stranger.contains("at the same time") || stranger.contains("km"), "{stranger}");
}

#[test]
fn a_gap_of_a_hundred_years_takes_no_time() {
    let lines = log_lines();
    let before = &lines[..lines.len() - 1];
    let began = std::time::Instant::now();
    let years = 100 * 365 * DAY_S;
    let behind =
        ["a", "b"].map(|session| with(lines.last().unwrap(), json!({"time": at(years), "session": session})));
    assert_eq!(said(&[before, &behind].concat()).len(), 1202);
    // Its days one by one would be 36,500.
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}
