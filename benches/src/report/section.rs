//! The plots of one bench. Cases that differ in a number only (`100 clients`, `1000 clients`) are points on lines; each
//! other case has bars, one a path.

use std::collections::BTreeMap;

use super::{
    figure::figure,
    plot::{Axes, Bar, Drawing, Ink, Point, Series, bars, lines, parts},
    results::Results,
    stages::Stages,
    wording::{self, Better},
};
use crate::measure::Measurement;

/// So many points make a line.
const POINTS_OF_A_LINE: usize = 3;
/// The metrics that are drawn, of each bench. The table has the others.
const DRAWN: [(&str, &[&str]); 6] = [
    ("wire", &["cpu_per_request", "requests_per_second", "latency_p99"]),
    ("replay", &["time_per_request"]),
    ("digest", &["time_per_request"]),
    ("latency", &["latency_p50", "latency_p99", "latency_p99.9"]),
    ("scale", &["time_per_request", "requests_per_second"]),
    ("memory", &["resident"]),
];

/// A drawing with what stands around it.
pub(super) struct Plot {
    pub(super) title: String,
    /// Which values are the good ones.
    pub(super) better: Option<Better>,
    /// What can be seen, for those who cannot.
    pub(super) words: String,
    pub(super) drawing: Drawing,
    /// Lines and what they are.
    pub(super) legend: Vec<(Ink, String)>,
}

/// All plots of a bench.
pub(super) fn plots(results: &Results, bench: &str) -> anyhow::Result<Vec<Plot>> {
    let drawn = DRAWN.iter().find(|(name, _)| *name == bench).map_or(&[][..], |(_, metrics)| *metrics);
    let told = |it: &&Measurement| {
        drawn.contains(&&*it.metric)
            && !(it.metric == "requests_per_second" && wording::is_set_rate(&it.case))
    };
    let figures: Vec<_> = results.of(bench).filter(told).collect();
    let (swept, single): (Vec<_>, Vec<_>) = figures.iter().partition(|it| is_swept(&figures, it));
    let mut plots = Vec::new();
    for group in groups(&swept, |it| (sweep(&it.case).map_or("", |(_, rest)| rest), chart_of(it))) {
        plots.extend(line_plot(&group)?);
    }
    // Cases that differ in their number only, too few for a line: bars beside each other, if there is one path.
    for group in groups(&single, |it| (sweep(&it.case).map_or(&*it.case, |(_, rest)| rest), &*it.metric)) {
        let first = group[0];
        if group.iter().any(|it| it.case != first.case) && group.iter().all(|it| it.path == first.path) {
            plots.push(case_plot(&group)?);
            continue;
        }
        for case in groups(&group, |it| &*it.case) {
            plots.push(bar_plot(results, case[0])?);
        }
    }
    Ok(plots)
}

/// One metric of several cases by the only path that they have.
fn case_plot(group: &[&Measurement]) -> anyhow::Result<Plot> {
    let bar = |it: &&Measurement| Bar {
        name: it.case.clone(),
        spread: Some([it.median, it.p10, it.p90]),
        figure: figure(it.median, &it.unit),
        ink: Ink::Series(0),
    };
    let all: Vec<Bar> = group.iter().map(bar).collect();
    let what = sweep(&group[0].case).map_or(&*group[0].case, |(_, rest)| rest);
    let title = format!("{} by {what}", capital(&wording::metric(&group[0].metric)));
    Ok(Plot {
        words: in_words(&title, &all),
        title,
        better: wording::better(&group[0].metric),
        drawing: bars(&all, &group[0].unit)?,
        legend: Vec::new(),
    })
}

/// One metric of one case by each path that has it, and those that are missing.
pub(super) fn bar_plot(results: &Results, of: &Measurement) -> anyhow::Result<Plot> {
    let mut all: Vec<Bar> = Vec::new();
    for it in results.of(&of.bench).filter(|it| it.case == of.case && it.metric == of.metric) {
        let name = wording::short_path(&it.path);
        // The same figure comes once for each path that it is compared with.
        if all.iter().all(|bar| bar.name != name) {
            all.push(Bar {
                name: name.to_owned(),
                spread: Some([it.median, it.p10, it.p90]),
                figure: match it.limit.as_deref() {
                    Some(side) => {
                        format!("{} ({})", figure(it.median, &it.unit), side.trim_start_matches("the "))
                    }
                    None => figure(it.median, &it.unit),
                },
                ink: if wording::is_peer(&it.path) { Ink::Peer } else { Ink::Series(0) },
            });
        }
    }
    for path in results.missing(&of.bench) {
        let name = wording::short_path(path);
        if all.iter().all(|bar| bar.name != name) {
            all.push(Bar {
                name: name.to_owned(),
                spread: None,
                figure: "missing".to_owned(),
                ink: Ink::Peer,
            });
        }
    }
    let mut title = format!("{}, {}", capital(&wording::metric(&of.metric)), of.case);
    if of.limit.is_some() {
        title += " (what limits it)";
    }
    let better = wording::better(&of.metric);
    Ok(Plot {
        words: in_words(&title, &all),
        title,
        better,
        drawing: bars(&all, &of.unit)?,
        legend: Vec::new(),
    })
}

/// The stages of one whole.
pub(super) fn stage_plot(stages: &Stages) -> anyhow::Result<Plot> {
    let all: Vec<_> = stages
        .parts
        .iter()
        .map(|(name, spread)| Bar {
            name: wording::metric(name),
            spread: Some(*spread),
            figure: format!("{}, {:.0} %", figure(spread[0], "ns"), 100.0 * stages.share(spread[0])),
            ink: Ink::Series(2),
        })
        .collect();
    let title = format!("{}: {}", stages.title, figure(stages.whole, "ns"));
    Ok(Plot {
        words: in_words(&title, &all),
        title,
        better: None,
        drawing: parts(&all, "ns")?,
        legend: Vec::new(),
    })
}

/// Lines of one sweep; none if no line has two points.
fn line_plot(group: &[&Measurement]) -> anyhow::Result<Option<Plot>> {
    let Some(first) = group.first() else { return Ok(None) };
    let by_metric = first.bench == "latency";
    let line_of = |it: &Measurement| {
        if by_metric { wording::metric(&it.metric) } else { wording::path(&it.path).to_owned() }
    };
    let mut series: Vec<(String, Series)> = Vec::new();
    for it in group {
        let Some((x, _)) = sweep(&it.case) else { continue };
        let point = Point { x, spread: [it.median, it.p10, it.p90] };
        let name = line_of(it);
        match series.iter_mut().find(|(known, _)| *known == name) {
            Some((_, series)) if series.points.iter().any(|point| point.x == x) => {}
            Some((_, series)) => series.points.push(point),
            None => {
                let peer = !by_metric && wording::is_peer(&it.path);
                let ink = if peer { Ink::Peer } else { Ink::Series(series.len()) };
                series.push((name, Series { ink, points: vec![point] }));
            }
        }
    }
    series.retain(|(_, series)| series.points.len() > 1);
    if series.is_empty() {
        return Ok(None);
    }
    let rest = sweep(&first.case).map_or("", |(_, rest)| rest);
    let title = if by_metric {
        format!("Latency, {}", first.path)
    } else {
        format!("{} against {rest}", capital(&wording::metric(&first.metric)))
    };
    let mut words = title.clone();
    for (name, series) in &series {
        words += &format!("; {name}:");
        for point in &series.points {
            words += &format!(" {} at {}", figure(point.spread[0], &first.unit), figure(point.x, "1"));
        }
    }
    let (names, series): (Vec<_>, Vec<_>) = series.into_iter().unzip();
    let drawing = lines(&series, &Axes { x: rest, unit: &first.unit })?;
    let legend = series.iter().map(|series| series.ink).zip(names).collect();
    Ok(Some(Plot { title, words, better: wording::better(&first.metric), drawing, legend }))
}

/// A sweep's lines share a chart if they are percentiles of one path's latency, or paths with the same metric.
fn chart_of(measured: &Measurement) -> &str {
    if measured.bench == "latency" { &measured.path } else { &measured.metric }
}

/// The number that a case begins with, and what it counts.
fn sweep(case: &str) -> Option<(f64, &str)> {
    let (number, rest) = case.split_once(' ')?;
    Some((number.parse().ok()?, rest))
}

/// Whether the case is one of several that differ in their number only.
fn is_swept(figures: &[&Measurement], it: &Measurement) -> bool {
    let Some((_, rest)) = sweep(&it.case) else { return false };
    let mut cases: Vec<_> = figures
        .iter()
        .filter(|other| sweep(&other.case).is_some_and(|(_, its)| its == rest))
        .map(|other| &other.case)
        .collect();
    cases.sort();
    cases.dedup();
    cases.len() >= POINTS_OF_A_LINE
}

/// Those with the same key together, the groups in the order of their firsts.
fn groups<'m, K: Ord + Copy>(
    figures: &[&'m Measurement],
    key: impl Fn(&'m Measurement) -> K,
) -> Vec<Vec<&'m Measurement>> {
    let mut groups: Vec<Vec<&Measurement>> = Vec::new();
    let mut places = BTreeMap::new();
    for it in figures {
        let place = *places.entry(key(it)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(it);
    }
    groups
}

fn in_words(title: &str, bars: &[Bar]) -> String {
    let bars: Vec<_> = bars.iter().map(|bar| format!("{} {}", bar.name, bar.figure)).collect();
    format!("{title}; {}", bars.join(", "))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
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
}
