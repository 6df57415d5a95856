//! The page as a whole.

use super::{
    page,
    results::{
        Results,
        tests::{measured, results},
    },
};
use crate::measure::Measurement;

/// A run that fills every part of the page.
fn run(xdp_ns: f64, udp_ns: f64) -> Vec<Measurement> {
    let spread = |median: f64| [median * 0.95, median, median * 1.05];
    let mut run = Vec::new();
    for (path, ns) in [("xdp", xdp_ns), ("udp", udp_ns), ("freeradius-detail", 38_000.0)] {
        let cost = measured(["wire", "10000 a second", path, "cpu_per_request"], "ns", spread(ns));
        run.push(cost.against("freeradius-detail", &[38_000.0 / ns]));
    }
    for (path, ns) in [("xdp", 2000.0), ("freeradius-detail", 40_000.0)] {
        let cost = measured(["wire", "window 192", path, "cpu_per_request"], "ns", spread(ns));
        run.push(cost.against("freeradius-detail", &[40_000.0 / ns]));
    }
    let mut missing = measured(["wire", "10000 a second", "freeradius", "missing"], "1", [1.0; 3]);
    missing.reason = Some("freeradius is not installed".to_owned());
    run.push(missing);
    for (metric, ns) in [("time_per_request", 300.0), ("stage_verify", 200.0), ("stage_append", 90.0)] {
        run.push(measured(["replay", "four vendors", "tmpfs", metric], "ns", spread(ns)));
    }
    for load in [10.0, 50.0, 100.0] {
        for metric in ["latency_p50", "latency_p99", "stage_commit_p50"] {
            let case = format!("{load} % of saturation");
            run.push(measured(["latency", &case, "xdp-durable", metric], "ns", spread(1e4 * load)));
        }
    }
    run
}

fn shown(run: &[Measurement], earlier: Option<&[Measurement]>) -> String {
    page(&results(run), earlier.map(results).as_ref()).unwrap()
}

/// What is between the first occurrences of two texts.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from}")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} behind {from}")).0
}

#[test]
fn the_first_screen_answers_all_three_questions() {
    let page = shown(&run(3000.0, 8000.0), None);
    let first = between(&page, "<main>", "</main>");
    assert!(first.contains("<strong>20×</strong> less CPU a request than FreeRADIUS with its detail file"));
    let much = between(first, "By how much?</h2>", "</section>");
    assert!(
        much.contains("\n2 µs\n") && much.contains("\n3 µs\n"),
        "in the closed loop and at the common rate"
    );
    assert!(much.contains("Most figures are of 20 interleaved runs: median, from p10 to p90."));
    let stages = between(first, "Where does time go?</h2>", "</section>");
    assert!(stages.contains("\n200 ns, 67 %\n") && stages.contains("Most is verify: 200 ns of 300 ns"));
    assert!(first.contains("Missing on this host: FreeRADIUS."));
    assert!(first.contains("Not run: digest, scale, memory, knobs, load, insight, portal."));
    assert!(first.contains("Key figures"));
}

#[test]
fn with_an_earlier_run_the_first_screen_has_the_changes_beyond_the_spread() {
    let (now, earlier) = (run(3000.0, 8000.0), run(6000.0, 4000.0));
    let page = shown(&now, Some(&earlier));
    let changes = between(&page, "Since the earlier run</h2>", "</section>");
    // All but these two and the one that is not judged, `missing`, are as they were.
    let same = now.len() - 3;
    assert!(changes.contains(&format!("1 better, 1 worse, {same} within spread")), "{changes}");
    assert_eq!(changes.matches("<tr>").count(), 3);
    assert!(changes.contains("class=\"better\">2× better") && changes.contains("class=\"worse\">2× worse"));
    assert!(!changes.contains("Another host"));
}

#[test]
fn another_host_is_pointed_out() {
    let mut earlier = run(3000.0, 8000.0);
    earlier.iter_mut().for_each(|it| it.host = "elsewhere".to_owned());
    assert!(shown(&run(3000.0, 8000.0), Some(&earlier)).contains("Another host"));
}

#[test]
fn a_bench_that_was_not_run_says_so_and_a_missing_peer_is_a_row() {
    let page = shown(&run(3000.0, 8000.0), None);
    assert!(between(&page, "id=\"digest\"", "</section>").contains("Not run: cargo xtask bench digest"));
    let wire = between(&page, "id=\"wire\"", "</section>");
    assert!(!wire.contains("Not run"));
    let row = between(wire, "<td>freeradius</td><td>missing</td>", "</tr>");
    assert!(row.contains(">freeradius is not installed<"), "{row}");
}

#[test]
fn a_bench_that_failed_says_so_and_shows_what_it_had_measured() {
    let mut run = run(3000.0, 8000.0);
    run.retain(|it| it.bench != "latency");
    for bench in ["latency", "replay"] {
        let mut failed = measured([bench, "everything", crate::measure::WHOLE, "missing"], "1", [1.0; 3]);
        failed.reason = Some(format!("{bench} fell over"));
        run.push(failed);
    }
    let page = shown(&run, None);
    let first = between(&page, "<main>", "</main>");
    assert!(first.contains("Missing benches: replay (replay fell over); latency (latency fell over)."));
    assert!(!between(first, "Not run:", "</p>").contains("latency"));
    assert!(between(&page, "id=\"latency\"", "</section>").contains("Missing: latency fell over."));
    let replay = between(&page, "id=\"replay\"", "</section>");
    assert!(replay.contains("Missing: replay fell over.") && replay.contains("<svg"), "{replay}");
    // No path of that name.
    assert!(!page.contains("the whole bench missing"));
}

#[test]
fn an_empty_file_is_a_page_that_says_that_nothing_was_run() {
    let page = page(&Results::default(), None).unwrap();
    assert_eq!(page.matches("Not run: cargo xtask bench").count(), 10);
}

#[test]
fn nothing_in_a_result_becomes_part_of_the_page() {
    const HOSTILE: &str = "</text></svg></style><script>alert(1)</script>\" onload=\"x' &amp; <b";
    let mut hostile = Vec::new();
    for mut it in run(3000.0, 8000.0) {
        for field in [&mut it.case, &mut it.path, &mut it.unit, &mut it.host, &mut it.kernel, &mut it.commit]
        {
            field.insert_str(0, HOSTILE);
        }
        it.reason = it.reason.map(|_| HOSTILE.to_owned());
        it.baseline = Some(HOSTILE.to_owned());
        it.ratio = Some(2.0);
        // Once where it is drawn, as a stage, and once as a bench and metric of its own.
        let mut other = it.clone();
        other.bench.push_str(HOSTILE);
        other.metric.push_str(HOSTILE);
        let mut stage = it.clone();
        (stage.bench, stage.path) = ("replay".to_owned(), "tmpfs".to_owned());
        stage.metric = format!("stage_{HOSTILE}");
        hostile.extend([it, other, stage]);
    }
    let page = shown(&hostile, Some(&hostile));
    assert!(page.contains("&lt;script&gt;alert(1)"), "the test's own strings have to be shown");
    for raw in ["<script", "<b", "\" onload=\"", "</text></svg></style>"] {
        // `<body` is the only element of ours that begins like one of them.
        assert!(!page.replace("<body", "").contains(raw), "{raw} came through");
    }
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn the_page_loads_and_runs_nothing() {
    let page = shown(&run(3000.0, 8000.0), Some(&run(6000.0, 4000.0)));
    // The name of SVG's namespace is no address that is loaded.
    let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for loads in ["http:", "https:", "//", "src=", "<script", "<link", "<iframe", "<image", "@import", "url("]
    {
        assert!(!page.contains(loads), "{loads}");
    }
    assert!(page.matches("href=").count() == page.matches("href=\"#").count());
}

#[test]
fn every_drawing_is_put_in_words() {
    let page = shown(&run(3000.0, 8000.0), None);
    assert!(page.contains("<svg"));
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=\"").count());
    assert!(!page.contains("aria-label=\"\""));
}
