//! Starts that come when their session is known already.

use super::*;

/// The stranger's Start, after two months of all others.
fn stranger(lines: &[Value]) -> Value {
    with(lines.last().unwrap(), json!({"address": "175.16.199.7", "remote": null}))
}

#[test]
fn a_start_behind_another_message_of_its_session_has_the_score_of_the_session() {
    let mut lines = log_lines();
    let start = stranger(&lines);
    lines.pop();
    let whole = |more: &[Value]| said(&[&lines[..], more].concat());
    let alone = whole(std::slice::from_ref(&start)).pop().unwrap();
    assert!(f64::from_bits(alone.1) > 10.0 && alone.0.contains("true"), "{alone:?}");
    let interim = with(&start, json!({"status": "Interim-Update"}));
    let stop = with(&start, json!({"status": "Stop", "input_octets": 5, "output_octets": 5}));
    for (order, more) in [
        ("an Interim-Update first", vec![interim.clone(), start.clone()]),
        ("its Stop first", vec![stop.clone(), start.clone()]),
        ("of both", vec![interim.clone(), stop.clone(), start.clone()]),
        ("one that names nobody", vec![with(&interim, json!({"user": null})), start.clone()]),
    ] {
        let said = whole(&more);
        assert_eq!(said.len(), 60 * 20 + 1, "{order}");
        assert_eq!(said.last(), Some(&alone), "{order}");
    }
    // What raised an alert is not asked about again, however much more the Start knows.
    let less = with(&interim, json!({"device": null}));
    let less = whole(&[less, start.clone()]).pop().unwrap();
    assert!(f64::from_bits(less.1) > 10.0 && less.0.contains("none was told"), "{less:?}");
    // Of somebody else's session under this id it says nothing.
    let other = with(&interim, json!({"user": "user3", "address": "81.2.69.163", "device": "PC-3"}));
    assert_eq!(whole(&[other, start.clone()]).last(), Some(&alone));
    // A place where the session came to be later is another matter.
    let moved = with(&interim, json!({"time": at(60 * DAY_S + 60), "address": "81.2.69.160"}));
    assert_eq!(whole(&[interim, moved, start]).last(), Some(&alone));
}

#[test]
fn a_start_that_is_sent_twice_has_its_score_twice() {
    let mut lines = log_lines();
    let start = stranger(&lines);
    lines.pop();
    let later = |seconds: i64| with(&start, json!({"time": at(60 * DAY_S + seconds)}));
    let said = said(&[&lines[..], &[start.clone(), start.clone(), later(240), later(590)]].concat());
    let [.., first, again, soon, late] = &said[..] else { panic!("{}", said.len()) };
    assert!(f64::from_bits(first.1) > 10.0, "{first:?}");
    assert_eq!([again, soon, late], [first; 3]);
}

#[test]
fn what_is_said_of_a_known_session_rests_on_the_lines_before_it() {
    let mut lines = log_lines();
    let start = stranger(&lines);
    lines.pop();
    let more = [
        with(&start, json!({"status": "Interim-Update"})),
        start.clone(),
        with(&start, json!({"time": at(95 * DAY_S), "session": "ahead"})),
        with(&start, json!({"status": "Stop", "time": at(60 * DAY_S + 5), "nas_identifier": null})),
        start.clone(),
        with(&start, json!({"time": at(95 * DAY_S), "session": "ahead too"})),
        with(&start, json!({"time": at(95 * DAY_S + 1), "session": "ahead again", "nas_identifier": null})),
        with(&start, json!({"session": "back"})),
        with(&start, json!({"session": "back again"})),
    ];
    lines.extend(more);
    let text = |lines: &[Value]| -> String { lines.iter().map(|line| format!("{line}\n")).collect() };
    let (whole, _) = scored(text(&lines).as_bytes());
    assert_eq!(whole.len(), 60 * 20 + 7);
    for end in 2400..lines.len() {
        let (part, _) = scored(text(&lines[..end]).as_bytes());
        assert_eq!(part, whole[..part.len()], "{end} lines");
    }
}
