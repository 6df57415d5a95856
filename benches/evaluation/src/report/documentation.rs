//! The figures as the documentation has them: tables between two marks of a page, and the ROC as an SVG file beside it. Both
//! are made from the lines of JSON, so that figures which somebody has can be written down without another run.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{
    console::interval,
    ink::Ink,
    plot::{Across, HEIGHT, Line, WIDTH, lines},
};
use crate::{
    attackers::Model,
    metrics::{Estimate, Frequency, Group},
    own::{OwnThresholds, Told},
    product,
};

/// Where the tables stand in a page.
const BEGIN: &str = "<!-- figures begin: written by the evaluation, do not edit -->\n";
const END: &str = "<!-- figures end -->\n";
/// Metrics of the tables, with their heads.
const COLUMNS: [(&str, &str); 5] = [
    ("auc", "AUC"),
    ("partial_auc_0.01", "partial AUC"),
    ("recall_at_0.1", "found at 0.1"),
    ("recall_at_1", "at 1"),
    ("recall_at_10", "at 10"),
];
/// What points of a curve are called.
const POINT: &str = "recall_at_fpr_";
/// At which budgets precision is told, with the metrics of recall and of precision.
const BUDGETS: [(&str, &str, &str); 3] = [
    ("0.1", "recall_at_0.1", "precision_at_0.1"),
    ("1", "recall_at_1", "precision_at_1"),
    ("10", "recall_at_10", "precision_at_10"),
];
/// What stands above the tables.
const FOUND: &str = "
Found at one alert for 1,000 users a day, with 95 % bootstrap intervals over users:

| attacker | of | found | 95 % interval |
|---|---|---|---|
";
const FREQUENCIES: &str = "
**By how often the victim connects**, at the same threshold for all; where few connect, few attackers are, and the interval is
wide:

| connects | attackers | found | 95 % interval |
|---|---|---|---|
";
const TIMES: &str = "
**Time to detection**, at the same threshold: how many are found, how many of those at their first Start, the moment it begins,
and within how many hours of it nine in ten are:

| attacker | found | at the first Start | nine in ten within, hours |
|---|---|---|---|
";
const PRECISION: &str = "
**Precision.** Attacks are rare. Were one connection in 100,000 an attacker's, so many of the alerts would be right:

| alerts for 1,000 users a day | attackers found | alerts that are right | 95 % interval | is one in |
|---|---|---|---|---|
";
const OWN: &str = "
**With the thresholds as they come** alerts are raised, or grow, by so many:

| | told of | of | |
|---|---|---|---|
";
/// The drawing's file lies beside the page.
const ALL: &str = "
**All figures**, with 95 % bootstrap intervals over users: the area under the curve (AUC), the mean share found below a
false-positive rate of 0.01 (partial AUC), and the share found at 0.1, 1 and 10 alerts for 1,000 users a day.

![Share of attackers found over the false-positive rate, by way to score and by attacker](detection-roc.svg)

The band is the interval of vpn-sensor.
";
/// What stands between them.
const BETWEEN: &str = "
Four simpler ways on the same connections: a speed limit, a country that is new to the user, an address that is, and the
published ratio of address and client.
";
/// Of the drawing: room above the axes for a title, and for a line of the legend below them.
const TITLE: u32 = 26;
const LEGEND: u32 = 18;

/// By the way to score, the attackers and the metric; the ways in their order.
#[derive(Debug, Default)]
struct Read {
    scorers: Vec<String>,
    times: Vec<Times>,
    own: Option<OwnThresholds>,
    figures: BTreeMap<(String, String, String), Estimate>,
    counts: BTreeMap<String, u64>,
}

/// How soon the product finds attackers of a model.
#[derive(Debug, Deserialize)]
struct Times {
    attackers: String,
    count: u64,
    found: u64,
    found_at_once: u64,
    p90_h: Option<[f64; 3]>,
}

/// What the lines of an evaluation become.
#[derive(Debug)]
pub struct Documentation {
    /// Markdown.
    pub tables: String,
    /// A drawing that stands alone.
    pub svg: String,
}

impl Documentation {
    /// Of the lines of one evaluation of the product.
    ///
    /// # Errors
    /// A line cannot be read, or a figure is missing.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Documentation> {
        let read = Read::of(lines)?;
        ensure!(
            read.scorers.first().is_some_and(|first| first == product::NAME),
            "the figures are not of {}: evaluate it, not the baselines alone",
            product::NAME
        );
        Ok(Documentation { tables: read.tables()?, svg: read.svg()? })
    }

    /// The page with these tables instead of those that are there.
    ///
    /// # Errors
    /// The page has no place for them.
    pub fn put_into(&self, page: &str) -> anyhow::Result<String> {
        let place = page.split_once(BEGIN).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(END)?;
            Some((before, after))
        });
        let (before, after) =
            place.with_context(|| format!("the page has no place for the figures: {BEGIN}{END}"))?;
        Ok(format!("{before}{BEGIN}{}{END}{after}", self.tables))
    }
}

impl Read {
    fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Read> {
        let mut read = Read::default();
        for line in lines.into_iter().filter(|line| !line.trim().is_empty()) {
            let line: Value = serde_json::from_str(line).context("this is no line of an evaluation")?;
            if line["scorer"] == product::NAME
                && let Some(own) = line.get("own_thresholds")
            {
                let own =
                    OwnThresholds::deserialize(own).context("what the thresholds do lacks something")?;
                read.own = Some(own);
            }
            let text = |name: &str| line[name].as_str().map(str::to_owned);
            let (Some(scorer), Some(attackers), Some(metric)) =
                (text("scorer"), text("attackers"), text("metric"))
            else {
                continue;
            };
            if metric == "time_to_detection" && scorer == product::NAME {
                read.times.push(serde_json::from_value(line).context("a time to detection lacks something")?);
                continue;
            }
            let number = |name: &str| line[name].as_f64();
            let (Some(value), Some(low), Some(high)) = (number("value"), number("low"), number("high"))
            else {
                continue;
            };
            if let Some(count) = line["count"].as_u64() {
                read.counts.insert(attackers.clone(), count);
            } else {
                // A bar repeats a figure.
                continue;
            }
            if !read.scorers.contains(&scorer) {
                read.scorers.push(scorer.clone());
            }
            read.figures.insert((scorer, attackers, metric), Estimate { value, low, high });
        }
        Ok(read)
    }

    fn figure(&self, scorer: &str, attackers: &str, metric: &str) -> anyhow::Result<&Estimate> {
        let key = (scorer.to_owned(), attackers.to_owned(), metric.to_owned());
        self.figures.get(&key).with_context(|| format!("there is no {metric} of {scorer}, {attackers}"))
    }

    /// All of them together, then each model's, as far as there are any.
    fn groups(&self) -> impl Iterator<Item = String> {
        let groups = [Group::Overall].into_iter().chain(Model::ALL.map(Group::Model));
        groups.map(|group| group.to_string()).filter(|group| self.counts.contains_key(group))
    }

    fn tables(&self) -> anyhow::Result<String> {
        let own = self.own.as_ref().context("there is nothing of the thresholds as they come")?;
        let parts = [
            self.found()?,
            self.frequencies()?,
            self.soon(),
            self.precision()?,
            thresholds(own),
            self.all()?,
        ];
        Ok(parts.concat())
    }

    fn found(&self) -> anyhow::Result<String> {
        let mut out = FOUND.to_owned();
        for model in Model::ALL.iter().filter(|model| self.counts.contains_key(model.name())) {
            let (name, count) = (model.name(), self.count(model.name()));
            let found = self.figure(product::NAME, name, "recall_at_1")?;
            // Writing to a string cannot fail.
            let _ = writeln!(out, "| `{name}`: {} | {count} | {} |", model.what(), apart(found, 3));
        }
        let found = self.figure(product::NAME, &Group::Overall.to_string(), "recall_at_1")?;
        let _ = writeln!(out, "| all | {} | {} |", self.count(&Group::Overall.to_string()), apart(found, 3));
        Ok(out)
    }

    fn frequencies(&self) -> anyhow::Result<String> {
        let mut out = FREQUENCIES.to_owned();
        for name in Frequency::ALL.map(Frequency::name) {
            if self.counts.contains_key(name) {
                let found = self.figure(product::NAME, name, "recall_at_1")?;
                let _ = writeln!(out, "| {name} | {} | {} |", self.count(name), apart(found, 2));
            }
        }
        Ok(out)
    }

    fn soon(&self) -> String {
        let mut out = TIMES.to_owned();
        for Times { attackers, count, found, found_at_once, p90_h } in
            self.times.iter().filter(|it| it.count > 0)
        {
            let hours = p90_h.map_or_else(
                || "-".to_owned(),
                |[value, low, high]| format!("{value:.0} ({low:.0}-{high:.0})"),
            );
            let _ = writeln!(out, "| {attackers} | {found} of {count} | {found_at_once} | {hours} |");
        }
        out
    }

    fn precision(&self) -> anyhow::Result<String> {
        let (mut out, overall) = (PRECISION.to_owned(), Group::Overall.to_string());
        for (budget, recall, precision) in BUDGETS {
            let found = interval(self.figure(product::NAME, &overall, recall)?);
            let Estimate { value, low, high } = *self.figure(product::NAME, &overall, precision)?;
            let percent = |share: f64| format!("{:.3}", share * 100.0);
            let _ = writeln!(
                out,
                "| {budget} | {found} | {} % | {}-{} % | {:.0} |",
                percent(value),
                percent(low),
                percent(high),
                1.0 / value
            );
        }
        Ok(out)
    }

    fn count(&self, group: &str) -> u64 {
        self.counts.get(group).copied().unwrap_or_default()
    }

    fn all(&self) -> anyhow::Result<String> {
        let mut out = format!("{ALL}\n");
        let heads = COLUMNS.map(|(_, head)| head).join(" | ");
        let _ = writeln!(out, "| attacker | how many | {heads} |\n|---|---|---|---|---|---|---|");
        for group in self.groups() {
            let count = self.count(&group);
            let _ = writeln!(out, "| {group} | {count} | {} |", self.row(product::NAME, &group)?);
        }
        let _ = writeln!(out, "{BETWEEN}");
        let _ = writeln!(out, "| attacker | way | {heads} |\n|---|---|---|---|---|---|---|");
        for group in self.groups() {
            for scorer in self.scorers.iter().skip(1) {
                let _ = writeln!(out, "| {group} | {scorer} | {} |", self.row(scorer, &group)?);
            }
        }
        out.push('\n');
        Ok(out)
    }

    fn row(&self, scorer: &str, group: &str) -> anyhow::Result<String> {
        let figures = COLUMNS.map(|(metric, _)| self.figure(scorer, group, metric).map(interval));
        Ok(figures.into_iter().collect::<anyhow::Result<Vec<_>>>()?.join(" | "))
    }

    /// Two drawings beside each other: all ways to score, and the product by attackers.
    fn svg(&self) -> anyhow::Result<String> {
        let overall = Group::Overall.to_string();
        let ways = self.scorers.iter().map(|scorer| (scorer.clone(), scorer.clone(), overall.clone()));
        let models = self.groups().skip(1);
        let models = models.map(|group| (group.clone(), product::NAME.to_owned(), group));
        let left = self.panel("All attackers, by way to score", ways.collect(), true)?;
        let right = self.panel("vpn-sensor, by attacker", models.collect(), false)?;
        let rows = self.scorers.len().max(self.groups().count()).div_ceil(3) as u32;
        let (width, height) = (2 * WIDTH, TITLE + HEIGHT + LEGEND * rows + 8);
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-label=\"Share of attackers found over the false-positive rate\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>\n\
             {left}<g transform=\"translate({WIDTH} 0)\">\n{right}</g>\n</svg>\n"
        ))
    }

    /// `curves`: what a curve is called, by whom, of whom.
    fn panel(
        &self,
        title: &str,
        curves: Vec<(String, String, String)>,
        has_band: bool,
    ) -> anyhow::Result<String> {
        let across = Across { name: "false-positive rate", is_logarithmic: true, ends: [1e-4, 1.0] };
        let (mut drawn, mut legend) = (Vec::new(), String::new());
        for (at, (name, scorer, group)) in curves.iter().enumerate() {
            let points = self.curve(scorer, group)?;
            let band = points.iter().filter(|_| has_band && at == 0);
            let band = band.map(|(rate, it)| (*rate, it.low, it.high)).collect();
            let ink = Ink::Series(at);
            let points = points.iter().map(|(rate, it)| (*rate, it.value)).collect();
            drawn.push(Line { ink, points, band });
            let (x, y) = (42 + 120 * (at as u32 % 3), TITLE + HEIGHT + LEGEND * (at as u32 / 3) + 12);
            let _ = writeln!(
                legend,
                "<rect x=\"{x}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{}\"/>\
                 <text x=\"{}\" y=\"{y}\" {LETTERS} font-size=\"12\">{name}</text>",
                y - 6,
                ink.hex(),
                x + 17,
            );
        }
        // The first on top.
        drawn.reverse();
        let plot = lines(&drawn, &across)?;
        Ok(format!(
            "<text x=\"42\" y=\"18\" {LETTERS} font-size=\"13\" font-weight=\"600\">{title}</text>\n\
             <g transform=\"translate(0 {TITLE})\">\n{plot}</g>\n{legend}"
        ))
    }

    /// By the rate.
    fn curve(&self, scorer: &str, group: &str) -> anyhow::Result<Vec<(f64, Estimate)>> {
        let of = self.figures.iter().filter(|((by, of, _), _)| by == scorer && of == group);
        let points =
            of.filter_map(|((.., metric), it)| Some((metric.strip_prefix(POINT)?.parse().ok()?, *it)));
        let mut points: Vec<(f64, Estimate)> = points.collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        ensure!(!points.is_empty(), "there is no curve of {scorer}, {group}");
        Ok(points)
    }
}

fn thresholds(own: &OwnThresholds) -> String {
    let mut out = OWN.to_owned();
    let mut row = |what: &str, it: Told, share: &str| {
        let _ = writeln!(out, "| {what} | {} | {} | {share} |", it.told, it.of);
    };
    let share = |it: Told| it.told as f64 / it.of.max(1) as f64;
    let a_day = |told: usize| {
        format!("{:.2} for 1,000 users a day", 1000.0 * told as f64 / own.days.of.max(1) as f64)
    };
    row("genuine Starts", own.genuine, &a_day(own.genuine.told));
    row("users' days with one", own.days, &a_day(own.days.told));
    row("attackers' Starts", own.attacks, &format!("{:.2}", share(own.attacks)));
    let attackers = own.attackers.iter().map(|(model, told)| (format!("attackers, `{model}`"), *told));
    let mut all = Told::default();
    for (what, told) in attackers {
        all = Told { told: all.told + told.told, of: all.of + told.of };
        row(&what, told, &format!("{:.2}", share(told)));
    }
    row("attackers, all", all, &format!("{:.2}", share(all)));
    out
}

/// `0.91 | 0.87-0.94`.
fn apart(Estimate { value, low, high }: &Estimate, digits: usize) -> String {
    format!("{value:.digits$} | {low:.2}-{high:.2}")
}

const LETTERS: &str = "font-family=\"system-ui, sans-serif\" fill=\"#1F2328\"";
