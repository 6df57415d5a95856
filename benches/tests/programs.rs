//! The bench programs as `cargo xtask bench --quick` runs them: each figure that the page and `vpn-sensor sizing` go by
//! is there, or is missing with a reason.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use benches::{
    measure::{MISSING, Measurement, WHOLE},
    replay::STAGES,
    report::Results,
};
use end_to_end::sensor;

/// A bench, its paths, and the metrics of each.
type Expected = (&'static str, &'static [&'static str], &'static [&'static str]);

const TIME: &[&str] = &["time_per_request"];
const LATENCY: &[&str] = &["latency_p50", "latency_p99", "latency_p99.9"];

const EXPECTED: [Expected; 15] = [
    ("replay", &["tmpfs", "disk"], &["time_per_request", "requests_per_second"]),
    ("scale", &["clients", "remembered requests", "burst", "octets"], TIME),
    ("scale", &["lookup alone", "duplicates alone"], &["time_per_request", "bytes_each"]),
    ("scale", &["1 and 1000", "100000 and 10000000"], TIME),
    ("scale", &["workers"], &["requests_per_second"]),
    ("wire", WIRE, &["requests_per_second", "cpu_per_request", "thread_time_per_request"]),
    ("wire", WIRE, LATENCY),
    ("wire", WIRE, &["latency_max", "lost", "limited_by_generator", "limited_by_server"]),
    ("latency", ACKNOWLEDGED, LATENCY),
    ("latency", ACKNOWLEDGED, &["requests_per_second", "latency_max", "lost"]),
    ("latency", &["fdatasync-beside-xdp-durable", "fdatasync-beside-udp-durable"], LATENCY),
    ("memory", &["xdp", "udp"], &["resident", "requests_per_second", "lost", "growth", "resident_peak"]),
    ("sizing", &["xdp", "udp"], &["cpu_per_request", "requests_per_second", "resident"]),
    ("sizing", &["journal"], &["bytes_per_record", "commit_p999"]),
    ("sizing", &["duplicates"], &["bytes_per_entry"]),
];
/// Cases of the bench `latency` that are compared with another in the same round.
const COMPARED: [&str; 2] = ["lone request", "among 90 % forgeries"];
const WIRE: &[&str] = &["echo", "udp", "xdp", "freeradius", "freeradius-detail"];
const ACKNOWLEDGED: &[&str] = &["xdp-durable", "xdp-received", "udp-durable", "udp-received"];

fn bench(name: &str) -> &'static str {
    match name {
        "replay" => env!("CARGO_BIN_EXE_replay"),
        "scale" => env!("CARGO_BIN_EXE_scale"),
        "wire" => env!("CARGO_BIN_EXE_wire"),
        "latency" => env!("CARGO_BIN_EXE_latency"),
        "memory" => env!("CARGO_BIN_EXE_memory"),
        "load" => env!("CARGO_BIN_EXE_load"),
        "knobs" => env!("CARGO_BIN_EXE_knobs"),
        other => panic!("no bench {other}"),
    }
}

fn output(command: &mut Command) -> Output {
    command.env("VPN_SENSOR_BIN", sensor::program()).output().unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines of a bench that has to succeed.
fn lines(command: &mut Command) -> Vec<Measurement> {
    let output = output(command);
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, error(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether a figure is there, or its path is missing with a reason.
fn is_accounted_for(all: &[Measurement], bench: &str, path: &str, metric: &str) -> bool {
    all.iter().filter(|it| it.bench == bench).any(|it| {
        // `xdp` is in `xdp-durable` and in `fdatasync-beside-xdp-durable`.
        let in_path = it.path == path || path.split('-').any(|part| part == it.path);
        match &it.reason {
            Some(reason) => it.metric == MISSING && in_path && !reason.is_empty(),
            None => it.path == path && it.metric == metric && it.median.is_finite() && it.runs > 0,
        }
    })
}

#[test]
fn every_figure_is_there_or_missing_with_a_reason_and_sizing_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    // Valgrind takes minutes: here it is not installed.
    let programs = folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for program in ["unshare", "mount"] {
        let path = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(program));
        let path = path.iter().find(|path| path.is_file()).unwrap();
        std::os::unix::fs::symlink(path, programs.join(program)).unwrap();
    }
    let mut all = lines(Command::new(bench("replay")).arg("--quick").env("PATH", &programs));
    for name in ["scale", "wire", "latency", "memory"] {
        all.extend(lines(Command::new(bench(name)).arg("--quick")));
    }
    for (bench, paths, metrics) in EXPECTED {
        for (path, metric) in paths.iter().flat_map(|path| metrics.iter().map(move |metric| (path, metric))) {
            assert!(is_accounted_for(&all, bench, path, metric), "{bench} has no {metric} of {path}");
        }
    }
    for (case, path) in
        COMPARED.iter().flat_map(|case| ["xdp-durable", "udp-durable"].map(|path| (case, path)))
    {
        let of_it = |it: &&Measurement| it.bench == "latency" && it.case == *case && it.path == path;
        let compared = all.iter().filter(of_it).any(|it| it.metric == "latency_p50" && it.ratio.is_some());
        let missing = ["everything", "xdp", "udp"];
        let is_missing = all
            .iter()
            .any(|it| it.metric == MISSING && missing.contains(&&*it.case) && path.starts_with(&it.path));
        assert!(compared || is_missing, "{case} of {path}");
    }
    for stage in STAGES {
        assert!(is_accounted_for(&all, "replay", "tmpfs", &format!("stage_{stage}")), "{stage}");
    }
    let callgrind = all.iter().find(|it| it.path == "callgrind").unwrap();
    assert!(callgrind.reason.as_deref().unwrap().contains("apt-get install valgrind"), "{callgrind:?}");

    let (json, html) = (folder.path().join("results.jsonl"), folder.path().join("report.html"));
    let text: String = all.iter().map(|it| serde_json::to_string(it).unwrap() + "\n").collect();
    fs::write(&json, &text).unwrap();
    Results::read(&json).unwrap();
    let report = output(Command::new(env!("CARGO_BIN_EXE_report")).arg(&json).arg("--out").arg(&html));
    assert!(report.status.success(), "{}", error(&report));
    let page = fs::read_to_string(&html).unwrap();
    for name in ["replay", "scale", "wire", "latency", "memory"] {
        assert!(!page.contains(&format!("Not run: cargo xtask bench {name}")), "{name}");
    }
    for plot in ["Requests per second by workers", "Time per request, clients and remembered requests"] {
        assert!(page.contains(plot), "{plot}");
    }
    assert!(page.contains("Resident against s into the steady load"));

    let mut sizing = Command::new(sensor::program());
    let sizing = output(sizing.args(["sizing", "--users", "100000", "--bench"]).arg(&json));
    assert!(sizing.status.success(), "{}", error(&sizing));
    let said = String::from_utf8(sizing.stdout).unwrap();
    assert!(said.contains("of which the service") && said.contains(&all.last().unwrap().commit), "{said}");
}

#[test]
fn users_of_the_bench_insight_are_learned_its_mix_is_told_and_backtest_scores_their_past() {
    let said = |part: &str| {
        let mut insight = Command::new(env!("CARGO_BIN_EXE_insight"));
        lines(insight.args(["--users", "300", "--records", "900", "--only", part]))
    };
    let memory = said("memory");
    let figure = |case: &str, metric: &str| {
        let found = memory.iter().find(|it| it.case.ends_with(case) && it.metric == metric);
        found.unwrap_or_else(|| panic!("{case}: no {metric}")).median
    };
    assert!(figure("learned users connect", "learned") > 99.0);
    for (case, mix) in
        [("connect for the first time", [100.0, 0.0, 0.0]), ("learned users connect", [100.0, 0.0, 0.0])]
    {
        assert_eq!(["starts", "interim_updates", "stops"].map(|metric| figure(case, metric)), mix, "{case}");
    }
    let going_on =
        ["starts", "interim_updates", "stops"].map(|metric| figure("learned users connected", metric));
    assert!((going_on.iter().sum::<f64>() - 100.0).abs() < 1e-9 && going_on[1] > 80.0, "{going_on:?}");
    let backtest = said("backtest");
    let figure = |metric| backtest.iter().find(|it| it.metric == metric).unwrap().median;
    assert_eq!(figure("events"), 300.0 * 8.0 * 2.0);
    assert!(figure("events_per_second") > 0.0 && figure("resident_peak") > 1e6);
}

#[test]
fn a_load_comes_through_and_each_knob_moves_something() {
    // In a closed loop with fewer under way than a veth holds nothing is lost, however busy the machine is.
    let mix = "vendors=all,sources=2,duplicates=10%,forgeries=20%";
    let load = lines(Command::new(bench("load")).args(["--quick", "--window", "32", "--mix", mix]));
    let figure = |metric: &str| {
        let found = load.iter().find(|it| it.metric == metric);
        found.unwrap_or_else(|| panic!("no {metric} in {load:?}")).median
    };
    assert!(figure("answered") > 32.0 && figure("lost") == 0.0, "{load:?}");
    assert_eq!((figure("forgeries_answered"), figure("repeats")), (0.0, figure("repeats_answered")));
    assert_eq!(figure("records"), figure("answered"), "acknowledged is recorded: {load:?}");
    assert!(figure("latency_p50") > 0.0 && figure("latency_p50") <= figure("latency_max"));

    for (knob, first, last) in [("listen.ring", "2048", "8192"), ("journal.batch_records", "256", "1024")] {
        let said = lines(Command::new(bench("knobs")).args(["--quick", "--only", knob]));
        for value in [first, last] {
            let case = format!("{knob} {value}");
            let of_it = |metric| said.iter().find(|it| it.case == case && it.metric == metric);
            let answered = of_it("requests_per_second").unwrap_or_else(|| panic!("{case}: {said:?}"));
            assert!(answered.median > 0.0, "{answered:?}");
            // The default comes first, and the others are compared with it.
            let cpu = of_it("cpu_per_request").unwrap();
            assert_eq!(cpu.ratio.is_some(), value == last, "{cpu:?}");
        }
    }
    let unknown = output(Command::new(bench("knobs")).args(["--quick", "--only", "listen.knob"]));
    assert!(
        !unknown.status.success() && error(&unknown).contains("no knob's name begins"),
        "{}",
        error(&unknown)
    );
}

#[test]
fn what_a_host_cannot_do_is_missing_with_the_reason_and_no_failure() {
    for name in ["wire", "latency", "memory", "load"] {
        let one_core = lines(Command::new("taskset").args(["-c", "0"]).arg(bench(name)).arg("--quick"));
        let nobody = lines(Command::new("unshare").arg("--user").arg(bench(name)).arg("--quick"));
        for (said, word) in [(one_core, "a processor each"), (nobody, "as root")] {
            let [missing] = &said[..] else { panic!("{name}: {said:?}") };
            assert_eq!((&*missing.bench, &*missing.path, &*missing.metric), (name, WHOLE, MISSING));
            assert!(missing.reason.as_deref().unwrap().contains(word), "{missing:?}");
        }
    }
}

#[test]
fn a_bench_that_failed_has_a_line_that_says_why() {
    let mut report = Command::new(env!("CARGO_BIN_EXE_report"));
    let said = lines(report.args(["--missing", "wire", "Error: the veth \"went\""]));
    let [missing] = &said[..] else { panic!("{said:?}") };
    assert_eq!((&*missing.bench, &*missing.path, &*missing.metric), ("wire", WHOLE, MISSING));
    assert_eq!(missing.reason.as_deref(), Some("Error: the veth \"went\""));
}

#[test]
fn a_storm_is_refused_by_benches_that_have_none() {
    for name in ["wire", "latency", "memory"] {
        let refused = output(Command::new(bench(name)).args(["--quick", "--mix", "storm=50"]));
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name}");
        assert!(error(&refused).contains("storm=50 would change nothing"), "{name}: {}", error(&refused));
    }
    let refused = output(Command::new(bench("load")).args(["--quick", "--window", "8", "--mix", "storm=50"]));
    assert!(error(&refused).contains("by the clock"), "{}", error(&refused));
}
