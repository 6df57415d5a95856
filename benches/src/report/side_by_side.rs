//! Bars of different metrics with one unit beside each other: for benches whose figures are of one whole that was done
//! once, not of ways to do the same.

use super::{
    figure::figure,
    plot::{Bar, Ink, bars},
    section::{Plot, capital, groups, in_words, sweep},
    wording,
};
use crate::measure::Measurement;

/// The benches that are drawn so.
pub(super) const BENCHES: [&str; 2] = ["load", "insight"];
/// What a metric's name ends with where the title of its plot says it for all.
const SAID_BY_THE_TITLE: [&str; 3] = ["_per_second", "_seconds", "_per_user"];

/// A plot for each case's unit; in `insight` all cases are parts of one whole.
pub(super) fn plots(figures: &[&Measurement]) -> anyhow::Result<Vec<Plot>> {
    let whole = |it: &Measurement| if it.bench == "insight" { "" } else { it.case.as_str() }.to_owned();
    let mut keys: Vec<(String, String)> = Vec::new();
    for it in figures {
        let key = (whole(it), it.unit.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let of = |key: &(String, String)| {
        let its = figures.iter().filter(|it| whole(it) == key.0 && it.unit == key.1);
        its.copied().collect::<Vec<_>>()
    };
    keys.iter().map(|key| plot(&key.0, &of(key))).collect()
}

fn plot(case: &str, figures: &[&Measurement]) -> anyhow::Result<Plot> {
    let first = figures[0];
    let by_metric = groups(figures, |it| it.metric.as_str());
    let name = |it: &Measurement| {
        let alone = by_metric.iter().any(|all| all[0].metric == it.metric && all.len() == 1);
        let short =
            SAID_BY_THE_TITLE.iter().find_map(|end| it.metric.strip_suffix(end)).unwrap_or(&it.metric);
        match sweep(it) {
            Some((_, rest)) if !alone => format!("{}, {rest}", wording::metric(short)),
            _ => wording::metric(short),
        }
    };
    let bar = |it: &&Measurement| Bar {
        name: name(it),
        spread: Some([it.median, it.p10, it.p90]),
        figure: figure(it.median, &it.unit),
        ink: Ink::Series(0),
    };
    let all: Vec<Bar> = figures.iter().map(bar).collect();
    let what = match (&*first.unit, SAID_BY_THE_TITLE.iter().any(|end| first.metric.ends_with(end))) {
        ("1/s", _) => "a second",
        ("s", _) => "seconds",
        ("B", true) => "octets a user",
        ("ns", _) => "latency",
        _ => "requests",
    };
    let title = if case.is_empty() { capital(what) } else { format!("{}, {case}", capital(what)) };
    let better = wording::better(&first.metric);
    let alike = figures.iter().all(|it| wording::better(&it.metric) == better);
    Ok(Plot {
        words: in_words(&title, &all),
        title,
        better: better.filter(|_| alike),
        drawing: bars(&all, &first.unit)?,
        legend: Vec::new(),
    })
}
