//! The page: one file of HTML that loads nothing and runs nothing. The first screen answers whether it is faster, by how
//! much and where time goes; below is a section for each bench.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    compare::{Change, Row, rows},
    figure::{figure, times},
    headline::headlines,
    plot,
    results::Results,
    section::{Plot, bar_plot, plots, stage_plot},
    stages::{Stages, of_the_processor, of_the_wait},
    wording::{self, BENCHES, Better},
};
use crate::measure::Measurement;

const STYLE: &str = include_str!("style.css");
/// Rows of the first screen's table.
const FIRST_ROWS: usize = 6;

/// The whole page for one run, compared with an earlier one if there is one.
pub fn page(results: &Results, earlier: Option<&Results>) -> anyhow::Result<String> {
    let benches = benches(results);
    let all: Vec<(&str, Vec<Row<'_>>)> =
        benches.iter().map(|(bench, _)| (*bench, rows(results, earlier, bench))).collect();
    let mut sections = Vec::new();
    for ((bench, about), (_, rows)) in benches.iter().zip(&all) {
        sections.push(section(results, earlier.is_some(), bench, about, rows)?);
    }
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "vpn-sensor: what was measured" }
                style { (PreEscaped(STYLE)) (PreEscaped(plot::style())) }
            }
            body {
                (first_screen(results, earlier, &all)?)
                @for section in sections { (section) }
            }
        }
    };
    Ok(page.into_string())
}

/// The benches that there are, then those that are in the file besides.
fn benches(results: &Results) -> Vec<(&str, &str)> {
    let mut benches = BENCHES.to_vec();
    for bench in results.distinct(|it| &it.bench) {
        if benches.iter().all(|(known, _)| *known != bench) {
            benches.push((bench, ""));
        }
    }
    benches
}

fn first_screen(
    results: &Results,
    earlier: Option<&Results>,
    all: &[(&str, Vec<Row<'_>>)],
) -> anyhow::Result<Markup> {
    let headlines = headlines(results);
    let failed: Vec<_> = all
        .iter()
        .filter_map(|(bench, _)| Some(format!("{bench} ({})", results.whole_missing(bench)?)))
        .collect();
    let not_run: Vec<_> = all.iter().filter(|(_, rows)| rows.is_empty()).map(|(bench, _)| *bench).collect();
    let cpu = costs(results).into_iter().map(|it| bar_plot(results, it)).collect::<Result<Vec<_>, _>>()?;
    let runs =
        all.iter().find(|(bench, _)| *bench == "wire").map_or_else(String::new, |(_, rows)| spread(rows));
    let processor = of_the_processor(results);
    let wait = of_the_wait(results);
    let missing: Vec<_> = results.missing("wire").into_iter().map(wording::path).collect();
    Ok(html! {
        header {
            h1 { "vpn-sensor: what was measured" }
            p.place { (place(results)) }
            nav { @for (bench, _) in all { a href={ "#" (bench) } { (bench) } } }
        }
        main {
            section aria-label="Is it faster?" {
                h2 { "Is it faster?" }
                div.headlines {
                    @for headline in &headlines {
                        p { strong { (headline.figure) } " " (headline.sentence) }
                    }
                    @if headlines.is_empty() { p { "Nothing of what the first screen shows was measured." } }
                }
                @if !missing.is_empty() { p.note { "Missing on this host: " (missing.join(", ")) "." } }
                @if !failed.is_empty() { p.note { "Missing benches: " (failed.join("; ")) "." } }
                @if !not_run.is_empty() {
                    p.note { "Not run: " (not_run.join(", ")) "." }
                }
            }
            div.answers {
                section aria-label="By how much?" {
                    h2 { "By how much?" }
                    @for plot in &cpu { (figure_of(plot)) }
                    @if !cpu.is_empty() { p.note { (runs) } }
                    @if cpu.is_empty() { p.note { "The bench wire was not run: cargo xtask bench wire" } }
                }
                section.two aria-label="Where does time go?" {
                    h2 { "Where does time go?" }
                    div.plots {
                        (stages_of(processor.as_ref(), "replay")?)
                        (stages_of(wait.as_ref(), "latency")?)
                    }
                }
            }
            @match earlier {
                Some(earlier) => (changes(results, earlier, all)),
                None => (key_figures(all)),
            }
        }
    })
}

/// Where and what: host, kernel, commit, each as often as it differs.
fn place(results: &Results) -> String {
    let host = results.distinct(|it| &it.host).join("; ");
    let kernel = results.distinct(|it| &it.kernel).join("; ");
    let commit = results.distinct(|it| &it.commit).join("; ");
    format!("{host}, Linux {kernel}, commit {commit}")
}

/// The figures whose cases the first screen's bars have: the cost in a closed loop, where each is as busy as it gets, and
/// at a common rate, where the sensor syncs for nearly every request and FreeRADIUS never does.
fn costs(results: &Results) -> Vec<&Measurement> {
    let costs = || results.of("wire").filter(|it| it.metric == "cpu_per_request");
    let closed = costs().find(|it| !wording::is_set_rate(&it.case));
    let common = costs().find(|it| wording::is_set_rate(&it.case));
    closed.into_iter().chain(common).collect()
}

fn stages_of(stages: Option<&Stages>, bench: &str) -> anyhow::Result<Markup> {
    let Some(stages) = stages else {
        return Ok(
            html! { p.note { "The bench " (bench) " has no stages here: cargo xtask bench " (bench) } },
        );
    };
    let plot = stage_plot(stages)?;
    Ok(html! {
        div {
            (figure_of(&plot))
            @if let Some(largest) = stages.largest() { p.note { (largest) "." } }
        }
    })
}

/// What is better and worse than before, the largest first.
fn changes(results: &Results, earlier: &Results, all: &[(&str, Vec<Row<'_>>)]) -> Markup {
    let size = |row: &Row<'_>| match row.change {
        Change::Better(factor) | Change::Worse(factor) => factor,
        _ => 0.0,
    };
    let judged = |wanted: fn(&Change) -> bool| {
        let mut rows: Vec<_> =
            all.iter().flat_map(|(_, rows)| rows).filter(|row| wanted(&row.change)).collect();
        rows.sort_by(|one, other| size(other).total_cmp(&size(one)));
        rows
    };
    let worse = judged(|change| matches!(change, Change::Worse(_)));
    let better = judged(|change| matches!(change, Change::Better(_)));
    let within = judged(|change| *change == Change::WithinSpread).len();
    // Neither kind hides the other.
    let worst = worse.len().min(FIRST_ROWS.saturating_sub(better.len()).max(FIRST_ROWS / 2));
    let shown: Vec<_> =
        worse.iter().take(worst).chain(better.iter().take(FIRST_ROWS - worst)).copied().collect();
    html! {
        section aria-label="Since the earlier run" {
            h2 { "Since the earlier run" }
            p {
                (better.len()) " better, " (worse.len()) " worse, " (within) " within spread, against " (place(earlier)) "."
                @if results.distinct(|it| &it.host) != earlier.distinct(|it| &it.host) {
                    strong { " Another host: differences are the hosts' too." }
                }
            }
            @if !shown.is_empty() { (table("Table of changes", &shown, true, true)) }
        }
    }
}

/// Without an earlier run: what the headlines come from, with spread.
fn key_figures(all: &[(&str, Vec<Row<'_>>)]) -> Markup {
    let shown: Vec<_> = all
        .iter()
        .flat_map(|(_, rows)| rows)
        .filter(|row| {
            let it = row.measured;
            let key = match &*it.bench {
                "wire" if wording::is_set_rate(&it.case) => it.metric == "cpu_per_request",
                "wire" => it.metric == "requests_per_second",
                "replay" => it.metric == "time_per_request",
                "digest" => it.metric == "time_per_request" && it.case.starts_with("200 octets"),
                _ => false,
            };
            key && !wording::is_peer(&it.path)
        })
        .take(FIRST_ROWS)
        .collect();
    html! {
        @if !shown.is_empty() {
            section aria-label="Key figures" {
                h2 { "Key figures" }
                (table("Table of key figures", &shown, true, false))
            }
        }
    }
}

fn section(
    results: &Results,
    compared: bool,
    bench: &str,
    about: &str,
    rows: &[Row<'_>],
) -> anyhow::Result<Markup> {
    let mut drawn = plots(results, bench)?;
    if bench == "replay" {
        drawn.extend(of_the_processor(results).map(|stages| stage_plot(&stages)).transpose()?);
    }
    if bench == "latency" {
        drawn.extend(of_the_wait(results).map(|stages| stage_plot(&stages)).transpose()?);
    }
    let all: Vec<_> = rows.iter().collect();
    Ok(html! {
        section.bench id=(bench) aria-label=(bench) {
            h2 { (bench) }
            p { (about) }
            @if let Some(reason) = results.whole_missing(bench) { p.note { "Missing: " (reason) "." } }
            @if rows.is_empty() {
                p.note { "Not run: cargo xtask bench " (bench) }
            } @else {
                p.note { (spread(rows)) }
                div.plots { @for plot in &drawn { (figure_of(plot)) } }
                (table(&format!("Figures of {bench}"), &all, false, compared))
            }
        }
    })
}

/// Of how many runs the figures are, most of them.
fn spread(rows: &[Row<'_>]) -> String {
    let runs = || rows.iter().filter(|row| !row.is_missing()).map(|row| row.measured.runs);
    let most = runs().max_by_key(|count| runs().filter(|other| other == count).count());
    match most {
        Some(most @ 2..) => {
            format!("Most figures are of {most} interleaved runs: median, from p10 to p90.")
        }
        Some(_) => "Most figures are of one run.".to_owned(),
        None => String::new(),
    }
}

fn figure_of(plot: &Plot) -> Markup {
    html! {
        figure {
            figcaption {
                (plot.title)
                @match plot.better {
                    Some(Better::Smaller) => span.note { " less is better" },
                    Some(Better::Larger) => span.note { " more is better" },
                    None => {}
                }
                @if plot.drawing.logarithmic { span.note { " (logarithmic)" } }
            }
            div.drawing role="img" aria-label=(plot.words) { (PreEscaped(&plot.drawing.svg)) }
            @if !plot.legend.is_empty() {
                ul.legend {
                    @for (ink, name) in &plot.legend { li { span class={ "ink " (ink.class()) } {} (name) } }
                }
            }
        }
    }
}

/// Figures with their spread and all that they are compared with. A number's column is aligned to the right.
fn table(name: &str, rows: &[&Row<'_>], with_bench: bool, compared: bool) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label=(name) {
            table {
                thead { tr {
                    @if with_bench { th scope="col" { "Bench" } }
                    th scope="col" { "Case" }
                    th scope="col" { "Path" }
                    th scope="col" { "Metric" }
                    th.number scope="col" { "Median" }
                    th.number scope="col" { "p10" }
                    th.number scope="col" { "p90" }
                    th.number scope="col" { "Runs" }
                    th scope="col" { "Times better than" }
                    @if compared {
                        th.number scope="col" { "Earlier" }
                        th scope="col" { "Change" }
                    }
                } }
                tbody { @for row in rows { (table_row(row, with_bench, compared)) } }
            }
        }
    }
}

fn table_row(row: &Row<'_>, with_bench: bool, compared: bool) -> Markup {
    let it = row.measured;
    let class = match row.change {
        Change::Better(_) => "better",
        Change::Worse(_) => "worse",
        _ => "",
    };
    html! {
        tr {
            @if with_bench { td { (it.bench) } }
            td { (it.case) }
            td { (it.path) }
            @if row.is_missing() {
                td { "missing" }
                td.number colspan="4" { (it.reason.as_deref().unwrap_or("not there on this host")) }
                td {}
            } @else {
                td {
                    (wording::metric(&it.metric))
                    @if let Some(side) = &it.limit { span.note { ", limit: " (side) } }
                }
                td.number { (figure(it.median, &it.unit)) }
                td.number { (figure(it.p10, &it.unit)) }
                td.number { (figure(it.p90, &it.unit)) }
                td.number { (it.runs) }
                td { @for (index, (baseline, ratio)) in row.ratios.iter().enumerate() {
                    @if index > 0 { ", " }
                    (times(*ratio)) " " (baseline)
                } }
            }
            @if compared {
                td.number { @if let Some(earlier) = row.earlier { (figure(earlier.median, &it.unit)) } }
                td class=(class) { (row.change_in_words()) }
            }
        }
    }
}
