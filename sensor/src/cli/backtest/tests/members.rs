//! Lines as other products write them.

use super::*;

#[test]
fn members_that_only_mean_something_to_us_mean_nothing_in_another_log() {
    let lines = log_lines();
    let right = said(&lines);
    for foreign in [
        json!({"kind": "other", "session_seconds": 3600, "operating_system": "Plan 9", "group": "all"}),
        json!({"kind": 1, "session_seconds": 3600.5, "operating_system": {}, "group": 3}),
        json!({"kind": ["other"], "session_seconds": -1, "operating_system": [1], "group": true}),
        json!({"kind": {"a": {"b": []}}, "session_seconds": "1 h", "group": 1e300, "nas_address": "192.0.2.1"}),
        json!({"arrival": "2030-01-01T00:00:00Z", "src": 7, "time_source": false, "kind_reason": {}}),
    ] {
        let lines: Vec<Value> = lines.iter().map(|line| with(line, foreign.clone())).collect();
        assert_eq!(said(&lines), right, "{foreign}");
    }
    for remote in [json!("203.0.113.5"), json!(5), json!(["203.0.113.5"]), json!({"address": {}})] {
        let lines: Vec<Value> =
            lines[..2400].iter().map(|line| with(line, json!({"remote": remote}))).collect();
        assert_eq!(said(&lines), right[..1200], "{remote}");
    }
}

#[test]
fn in_lines_of_events_they_mean_what_events_says() {
    let lines = log_lines();
    let of_events = json!({"time_source": "event-timestamp", "kind_reason": "it is so"});
    let of_events: Vec<Value> = lines.iter().map(|line| with(line, of_events.clone())).collect();
    assert_eq!(said(&of_events), said(&lines));
    let others: Vec<Value> = of_events.iter().map(|line| with(line, json!({"kind": "other"}))).collect();
    assert!(said(&others).iter().all(|(_, score)| f64::from_bits(*score) == 0.0));
    // Those about no session are passed by, as in the journal; and one without an id is its user's.
    let mut more = of_events.clone();
    more.insert(0, with(&of_events[0], json!({"status": "Tunnel-Start", "session": null})));
    assert_eq!(said(&more), said(&lines));
    let nameless: Vec<Value> = of_events.iter().map(|line| with(line, json!({"session": null}))).collect();
    assert_eq!(said(&nameless).len(), 1201);
}

#[test]
fn numbers_and_texts_are_one() {
    let numbered = |text: bool| -> Vec<Value> {
        let each = |(at, line): (usize, Value)| {
            let number = |number: u64| if text { json!(number.to_string()) } else { json!(number) };
            let octets = if text { json!(1_000_000) } else { json!(1e6) };
            let members = json!({
                "session": number(at as u64 / 2), "user": number(1000 + at as u64 / 2 % 20), "client": number(17),
                "nas": number(3), "device": number(at as u64 / 2 % 20), "software": number(5),
            });
            let line = with(&line, members);
            if at % 2 == 1 {
                with(&line, json!({"input_octets": octets, "output_octets": octets}))
            } else {
                line
            }
        };
        log_lines().into_iter().enumerate().map(each).collect()
    };
    let as_texts = said(&numbered(true));
    assert_eq!(said(&numbered(false)), as_texts);
    assert!(as_texts[0].0.starts_with("\"1000\""), "{}", as_texts[0].0);
    let octets: Vec<Value> =
        numbered(true).iter().map(|line| with(line, json!({"input_octets": "1000000"}))).collect();
    let (_, sum) = scored(octets.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes());
    assert_eq!(sum.left_out, 0);
}

#[test]
fn what_the_lines_are_about_has_to_be_what_it_should() {
    let good = json!({"time": at(0), "status": "Start", "client": "asa", "session": "1", "user": "alice"});
    for wrong in [
        json!({"session": {}}),
        json!({"user": true}),
        json!({"client": []}),
        json!({"address": ["192.0.2.1"]}),
        json!({"assigned": {}}),
        json!({"assigned": [{}]}),
        json!({"device": {"name": "PC"}}),
        json!({"input_octets": 1.5}),
        json!({"input_octets": -1}),
        json!({"output_octets": 1e300}),
        json!({"output_octets": {}}),
    ] {
        let (lines, sum) = scored(with(&good, wrong.clone()).to_string().as_bytes());
        assert_eq!((lines.len(), sum.left_out), (0, 1), "{wrong}");
    }
    for right in
        [json!({"assigned": [null, "10.0.0.1", "10.0.0.2"]}), json!({"assigned": []}), json!({"device": ""})]
    {
        assert_eq!(scored(with(&good, right.clone()).to_string().as_bytes()).0.len(), 1, "{right}");
    }
}
