//! Which plots a bench has, of figures that are made up.

use super::{
    super::results::tests::{measured, results},
    *,
};

fn scale(case: &str, path: &str, ns: f64) -> Measurement {
    measured(["scale", case, path, "time_per_request"], "ns", [ns - 1.0, ns, ns + 1.0])
}

/// As the bench says what its workers reach.
fn rate(case: &str, rate: f64) -> Measurement {
    measured(["scale", case, "workers", "requests_per_second"], "1/s", [rate - 1.0, rate, rate + 1.0])
}

#[test]
fn cases_that_differ_in_a_number_are_one_line_and_others_have_bars() {
    let run = results(&[
        scale("1000 clients", "tmpfs", 310.0),
        scale("10 clients", "tmpfs", 300.0),
        scale("100000 clients", "tmpfs", 330.0),
        scale("clients and remembered requests", "1 and 1000", 300.0),
        scale("clients and remembered requests", "100000 and 10000000", 330.0),
        rate("1 workers", 2e6),
        rate("2 workers", 3.8e6),
    ]);
    let plots = plots(&run, "scale").unwrap();
    let titles: Vec<_> = plots.iter().map(|plot| &*plot.title).collect();
    let both = "Time per request, clients and remembered requests";
    assert_eq!(titles, ["Time per request against clients", both, "Requests per second by workers"]);
    assert!(
        plots[1].words.ends_with("; 1 and 1000 300 ns, 100000 and 10000000 330 ns"),
        "{}",
        plots[1].words
    );
    assert!(plots[2].words.ends_with("; 1 workers 2 M/s, 2 workers 3.80 M/s"), "{}", plots[2].words);
    assert_eq!(plots[2].better, Some(Better::Larger));
    assert!(plots[0].drawing.svg.contains("polyline"));
    assert_eq!(plots[0].legend, [(Ink::Series(0), "tmpfs".to_owned())]);
}

#[test]
fn a_missing_peer_is_drawn_as_missing() {
    let figure = |path, metric| measured(["wire", "10000 a second", path, metric], "ns", [1.0, 2.0, 3.0]);
    let own = figure("xdp", "cpu_per_request");
    let plot = bar_plot(&results(&[own.clone(), figure("freeradius", "missing")]), &own).unwrap();
    assert!(plot.drawing.svg.contains("\nmissing\n"), "{}", plot.drawing.svg);
    assert!(plot.words.ends_with("XDP 2 ns, FreeRADIUS missing"), "{}", plot.words);
    // What is not missing has a bar.
    assert_eq!(plot.drawing.svg.matches("<rect").count(), 1);
}

#[test]
fn latency_has_a_chart_a_path_and_a_line_a_percentile() {
    let mut run = Vec::new();
    for path in ["xdp-durable", "udp-durable"] {
        for load in ["10 % of saturation", "50 % of saturation", "100 % of saturation"] {
            for metric in ["latency_p50", "latency_p99"] {
                run.push(measured(["latency", load, path, metric], "ns", [1e5, 2e5, 3e5]));
            }
        }
    }
    let plots = plots(&results(&run), "latency").unwrap();
    let shown: Vec<_> = plots.iter().map(|plot| (&*plot.title, plot.legend.len())).collect();
    assert_eq!(shown, [("Latency, xdp-durable", 2), ("Latency, udp-durable", 2)]);
}

#[test]
fn a_knobs_values_are_points_of_a_curve_and_named_ones_bars() {
    let mut run = Vec::new();
    for path in ["xdp", "udp"] {
        for (value, ns) in [("0us", 2e5), ("200us", 3e5), ("1ms", 8e5)] {
            let case = format!("journal.commit_interval {value}");
            run.push(measured(["knobs", &case, path, "latency_p50"], "ns", [ns * 0.9, ns, ns * 1.1]));
        }
        for value in ["beside the load", "beside the writer"] {
            let case = format!("listen.cores {value}");
            run.push(measured(["knobs", &case, path, "latency_p50"], "ns", [1e5, 2e5, 3e5]));
        }
    }
    let plots = plots(&results(&run), "knobs").unwrap();
    let [curve, named] = &plots[..] else { panic!("{}", plots.len()) };
    assert_eq!(curve.title, "Latency p50 against journal.commit_interval");
    assert!(curve.words.contains("XDP: 200 µs at 0 300 µs at 200 800 µs at 1 k"), "{}", curve.words);
    assert!(curve.drawing.svg.contains("journal.commit_interval, µs"));
    assert_eq!(curve.legend.len(), 2);
    assert_eq!(named.title, "Latency p50 by listen.cores");
    assert_eq!(named.words.matches("beside the load 200 µs").count(), 2, "{}", named.words);
    assert_eq!(named.legend.len(), 2);
}

#[test]
fn a_loads_latencies_are_one_plot_and_its_requests_another() {
    let say = |metric, unit, value| measured(["load", "20000 a second", "xdp", metric], unit, [value; 3]);
    let run = [
        say("sent", "1", 1000.0),
        say("latency_p50", "ns", 2e5),
        say("answered", "1", 990.0),
        say("latency_p99", "ns", 3e6),
    ];
    let plots = plots(&results(&run), "load").unwrap();
    let words: Vec<_> = plots.iter().map(|plot| &*plot.words).collect();
    assert_eq!(
        words,
        [
            "Requests, 20000 a second; sent 1 k, answered 990",
            "Latency, 20000 a second; latency p50 200 µs, latency p99 3 ms",
        ]
    );
    assert_eq!((plots[0].better, plots[1].better), (None, Some(Better::Smaller)));
}

#[test]
fn what_becomes_of_records_is_a_plot_for_each_unit() {
    let say = |case, metric, unit, value| measured(["insight", case, "one core", metric], unit, [value; 3]);
    let run = [
        say("1000 users connect", "events_per_second", "1/s", 9e5),
        say("1000 users connected", "events_per_second", "1/s", 1e6),
        say("1000 users connected", "resident_per_user", "B", 2048.0),
        say("1000 users connected", "checkpoint_seconds", "s", 0.5),
        say("journal", "rebuild_records_per_second", "1/s", 6e5),
    ];
    let plots = plots(&results(&run), "insight").unwrap();
    let words: Vec<_> = plots.iter().map(|plot| &*plot.words).collect();
    assert_eq!(
        words,
        [
            "A second; events, users connect 900 k/s, events, users connected 1 M/s, rebuild records 600 k/s",
            "Octets a user; resident 2 KiB",
            "Seconds; checkpoint 0.50 s",
        ]
    );
    assert_eq!(plots[0].better, Some(Better::Larger));
}
