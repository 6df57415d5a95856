//! The plots of one bench. Cases that differ in a number only (`100 clients`, `1000 clients`; of a knob `ring 256`,
//! `ring 512`) are points on lines; each other case has bars, one a path.

use std::collections::BTreeMap;

use super::{
    figure::figure,
    plot::{Axes, Bar, Drawing, Ink, Point, Series, bars, lines, parts},
    results::Results,
    side_by_side,
    stages::Stages,
    wording::{self, Better},
};
use crate::measure::Measurement;

/// The bench whose cases are values of knobs.
const KNOBS: &str = "knobs";
/// So many points make a line.
const POINTS_OF_A_LINE: usize = 3;
/// The metrics that are drawn, of each bench. The table has the others.
const DRAWN: [(&str, &[&str]); 10] = [
    ("wire", &["cpu_per_request", "requests_per_second", "latency_p99"]),
    ("replay", &["time_per_request"]),
    ("digest", &["time_per_request"]),
    ("latency", &["latency_p50", "latency_p99", "latency_p99.9"]),
    ("scale", &["time_per_request", "requests_per_second"]),
    ("memory", &["resident"]),
    ("knobs", &["latency_p50", "latency_p99", "storm_latency_p99", "cpu_per_request", "lost"]),
    (
        "load",
        &[
            "latency_p50",
            "latency_p99",
            "latency_p99.9",
            "latency_max",
            "storm_latency_max",
            "sent",
            "answered",
            "lost",
            "overload",
            "kernel_drops",
        ],
    ),
    (
        "insight",
        &[
            "events_per_second",
            "session_changes_per_second",
            "live_records_per_second",
            "rebuild_records_per_second",
            "checkpoint_seconds",
            "checkpoint_load_seconds",
            "restart_seconds",
            "resident_per_user",
            "profile_octets_per_user",
        ],
    ),
    ("portal", &["time", "time_p99", "octets_max"]),
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
    if side_by_side::BENCHES.contains(&bench) {
        return side_by_side::plots(&figures);
    }
    let (swept, single): (Vec<_>, Vec<_>) = figures.iter().partition(|it| is_swept(&figures, it));
    let mut plots = Vec::new();
    for group in groups(&swept, |it| (sweep(it).map_or("", |(_, rest)| rest), chart_of(it))) {
        plots.extend(line_plot(&group)?);
    }
    // Cases that differ in their number only, too few for a line: bars beside each other, if there is one path. A knob's
    // values are so in any case.
    for group in groups(&single, |it| (varied(it), &*it.metric)) {
        let first = group[0];
        let one_path = group.iter().all(|it| it.path == first.path);
        if group.iter().any(|it| it.case != first.case) && (one_path || bench == KNOBS) {
            plots.push(case_plot(&group)?);
            continue;
        }
        for case in groups(&group, |it| &*it.case) {
            plots.push(bar_plot(results, case[0])?);
        }
    }
    Ok(plots)
}

/// One metric of several cases: a bar each, in a colour for each path if there are several.
fn case_plot(group: &[&Measurement]) -> anyhow::Result<Plot> {
    let what = varied(group[0]);
    let mut paths: Vec<&str> = Vec::new();
    let mut all: Vec<Bar> = Vec::new();
    for it in group {
        let number = paths.iter().position(|path| *path == it.path).unwrap_or_else(|| {
            paths.push(&it.path);
            paths.len() - 1
        });
        let value = it.case.strip_prefix(what).map_or(&*it.case, str::trim_start);
        all.push(Bar {
            name: if value.is_empty() { it.case.clone() } else { value.to_owned() },
            spread: Some([it.median, it.p10, it.p90]),
            figure: figure(it.median, &it.unit),
            ink: Ink::Series(number),
        });
    }
    let title = format!("{} by {what}", capital(&wording::metric(&group[0].metric)));
    let legend =
        paths.iter().enumerate().map(|(number, path)| (Ink::Series(number), wording::path(path).to_owned()));
    Ok(Plot {
        words: in_words(&title, &all),
        title,
        better: wording::better(&group[0].metric),
        drawing: bars(&all, &group[0].unit)?,
        legend: if paths.len() > 1 { legend.collect() } else { Vec::new() },
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
        let Some((x, _)) = sweep(it) else { continue };
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
    let rest = varied(first);
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
    let x = if is_duration(first) { format!("{rest}, µs; 0 is at the left end") } else { rest.to_owned() };
    let drawing = lines(&series, &Axes { x: &x, unit: &first.unit })?;
    let legend = series.iter().map(|series| series.ink).zip(names).collect();
    Ok(Some(Plot { title, words, better: wording::better(&first.metric), drawing, legend }))
}

/// A sweep's lines share a chart if they are percentiles of one path's latency, or paths with the same metric.
fn chart_of(measured: &Measurement) -> &str {
    if measured.bench == "latency" { &measured.path } else { &measured.metric }
}

/// The number that a case begins with, and what it counts; of a knob the value that it ends with (durations in
/// microseconds), and the knob.
pub(super) fn sweep(it: &Measurement) -> Option<(f64, &str)> {
    if it.bench != KNOBS {
        let (number, rest) = it.case.split_once(' ')?;
        return Some((number.parse().ok()?, rest));
    }
    let (knob, value) = it.case.split_once(' ')?;
    let (number, factor) = match (value.strip_suffix("us"), value.strip_suffix("ms")) {
        (Some(number), _) => (number, 1.0),
        (_, Some(number)) => (number, 1000.0),
        _ => (value, 1.0),
    };
    Some((number.parse::<f64>().ok()? * factor, knob))
}

/// What differs between the cases that are beside this one; of a case that stands alone, all of it.
fn varied(it: &Measurement) -> &str {
    let knob = || it.case.split_once(' ').filter(|_| it.bench == KNOBS).map(|(knob, _)| knob);
    sweep(it).map(|(_, rest)| rest).or_else(knob).unwrap_or(&it.case)
}

fn is_duration(it: &Measurement) -> bool {
    it.bench == KNOBS && it.case.ends_with('s')
}

/// Whether the case is one of several that differ in their number only.
fn is_swept(figures: &[&Measurement], it: &Measurement) -> bool {
    let Some((_, rest)) = sweep(it) else { return false };
    let alike = figures.iter().filter(|other| sweep(other).is_some_and(|(_, its)| its == rest));
    let mut cases: Vec<_> = alike.map(|other| &other.case).collect();
    cases.sort();
    cases.dedup();
    cases.len() >= POINTS_OF_A_LINE
}

/// Those with the same key together, the groups in the order of their firsts.
pub(super) fn groups<'m, K: Ord + Copy>(
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

pub(super) fn in_words(title: &str, bars: &[Bar]) -> String {
    let bars: Vec<_> = bars.iter().map(|bar| format!("{} {}", bar.name, bar.figure)).collect();
    format!("{title}; {}", bars.join(", "))
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
