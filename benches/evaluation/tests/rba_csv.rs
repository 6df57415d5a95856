//! Rows of the public set of logins through the product: the sensor's own `backtest` scores them, as lines of anybody's log.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

use end_to_end::sensor::program;
use evaluation::{
    label::Truth,
    product::{Scores, Source},
    rba_csv,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The columns as they are published.
const HEAD: &str = "index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,User Agent String,\
                    Browser Name and Version,OS Name and Version,Device Type,Login Successful,Is Attack IP,Is Account Takeover";
const HOME: &str =
    "Mozilla/5.0  (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987";
const STRANGE: &str = "python-requests/2.22.0";

/// Forty days of three people at home, in which one mistypes now and then; then one of them is taken over. The rows of one
/// day in the order of the file, which is not that of time; the same as lines of JSON in the order of time.
fn past() -> (String, String) {
    let begin: Timestamp = "2020-02-03T07:00:00.5Z".parse().unwrap();
    let (mut rows, mut lines, mut index) = (vec![HEAD.to_owned()], Vec::new(), 0);
    let mut log_in = |day: i64,
                      minute: i64,
                      user: &str,
                      address: &str,
                      agent: &str,
                      [success, takeover]: [bool; 2]| {
        let time = begin + SignedDuration::from_mins(day * 1440 + minute);
        // The set writes times without zone, with a space.
        let written = time.to_string().replace('T', " ").replace('Z', "");
        let [success, takeover] = [success, takeover].map(|is| if is { "True" } else { "False" });
        rows.push(format!(
            "{index},{written},{user},,{address},NO,-,-,29695,\"{agent}\",Chrome 80.0,Windows 10,desktop,{success},False,{takeover}"
        ));
        index += 1;
        if success == "True" {
            lines.push((time, json!({
                "time": time.to_string(), "status": "Start", "client": "rba", "session": (index + 1).to_string(),
                "user": user, "address": address, "software": agent,
            })));
        }
    };
    let users = [("-4324475583306591935", "81.167.144.58"), ("72", "84.208.20.1"), ("9001", "88.88.1.5")];
    for day in 0..40 {
        for (at, (user, address)) in (0..).zip(users) {
            let minute = 40 - at * 10;
            log_in(day, minute - 1, user, address, HOME, [day % 7 != 3, false]);
            log_in(day, minute + 480, user, address, HOME, [true, false]);
        }
    }
    log_in(40, 0, "72", "175.16.199.7", STRANGE, [false, false]);
    log_in(40, 1, "72", "175.16.199.7", STRANGE, [true, true]);
    lines.sort_by_key(|(time, _)| *time);
    (rows.join("\n") + "\n", lines.iter().map(|(_, line)| format!("{line}\n")).collect())
}

/// What `backtest` says of lines, by the score of each.
fn said(lines: &Path) -> Vec<Value> {
    let output = Command::new(program()).arg("backtest").arg(lines).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_are_scored_by_backtest_as_the_same_lines_of_any_log_are() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, lines) = past();
    let past = rba_csv::read(rows.as_bytes(), usize::MAX).unwrap();
    past.write(folder.path()).unwrap();
    let events = folder.path().join("events.jsonl");
    let Scores { scores, alerts } = Source::Sensor(program()).scores(&events, None, 0, &past.labels).unwrap();

    let other = folder.path().join("other.jsonl");
    fs::write(&other, lines).unwrap();
    let said = said(&other);
    let column = |name: &str| said.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(scores.iter().map(|score| json!(score)).collect::<Vec<_>>(), column("score"));
    assert_eq!(alerts.iter().map(|alert| json!(alert)).collect::<Vec<_>>(), column("alert"));
    assert_eq!(past.labels.iter().map(|label| json!(label.user)).collect::<Vec<_>>(), column("user"));

    // Behind the days of learning nothing is as strange as she is.
    let (last, before) = past.labels.split_last().unwrap();
    assert_eq!((last.label, &*last.user), (Truth::Attack, "72"));
    assert!(before.iter().all(|label| label.label == Truth::Genuine));
    let learned = past.events[0].time + SignedDuration::from_hours(30 * 24);
    let later = past.events.iter().zip(&scores[..before.len()]).filter(|(event, _)| event.time >= learned);
    let highest = later.map(|(_, score)| *score).fold(f64::MIN, f64::max);
    assert!(scores[before.len()] > highest, "{} is not above {highest}", scores[before.len()]);
    assert!(alerts[before.len()], "{:?}", said.last().unwrap());
}

#[test]
fn the_program_evaluates_a_file_of_rows_with_the_product_and_the_baselines() {
    let folder = tempfile::tempdir().unwrap();
    let (file, json) = (folder.path().join("rba.csv"), folder.path().join("results.jsonl"));
    fs::write(&file, past().0).unwrap();
    let mut evaluate = Command::new(env!("CARGO_BIN_EXE_evaluate"));
    evaluate.arg("--rba-csv").arg(&file).arg("--sensor").arg(program()).arg("--json").arg(&json);
    let output = evaluate.args(["--drawings", "5"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("rba-csv: 1 organisations, 3 users, "), "{text}");
    let lines: Vec<Value> =
        fs::read_to_string(&json).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let auc = |scorer: &str| {
        let of = |line: &&Value| {
            line["scorer"] == scorer && line["attackers"] == "overall" && line["metric"] == "auc"
        };
        lines.iter().find(of).map(|line| line["value"].as_f64().unwrap())
    };
    assert_eq!(auc("vpn-sensor"), Some(1.0));
    assert!(auc("published-ratio").is_some());
    assert!(lines.iter().any(|line| line["own_thresholds"]["attacks"]["told"] == 1), "{text}");
}
