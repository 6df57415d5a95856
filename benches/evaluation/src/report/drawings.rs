//! Which curves are drawn.

use super::{
    ink::Ink,
    plot::{Across, Line, lines},
};
use crate::{
    attackers::Model,
    metrics::{GRID, Group, grid_rate},
    run::{Evaluation, Scored},
};

/// A title and an `svg` element.
type Drawing = (String, String);

/// A ROC for all attackers and one for each model: all ways to score in each.
pub(super) fn rocs(evaluation: &Evaluation) -> anyhow::Result<Vec<Drawing>> {
    let across = Across { name: "false-positive rate", is_logarithmic: true, ends: [1e-4, 1.0] };
    each_group(evaluation, &across, |_, rate| rate)
}

/// The same over alerts for 1,000 users a day.
pub(super) fn budgets(evaluation: &Evaluation) -> anyhow::Result<Vec<Drawing>> {
    let across = Across { name: "alerts for 1,000 users a day", is_logarithmic: true, ends: [0.1, 100.0] };
    each_group(evaluation, &across, |scored, rate| {
        let (_, _, days) = scored.sample.counts();
        rate * days as f64 / scored.sample.user_days().max(1.0) * 1000.0
    })
}

fn each_group(
    evaluation: &Evaluation,
    across: &Across<'_>,
    place: impl Fn(&Scored, f64) -> f64,
) -> anyhow::Result<Vec<Drawing>> {
    let groups = [Group::Overall].into_iter().chain(Model::ALL.map(Group::Model));
    let mut drawn = Vec::new();
    for group in groups {
        let mut all = Vec::new();
        for (at, scored) in evaluation.scored.iter().enumerate() {
            let Some(figures) = scored.figures.of(group).filter(|figures| figures.attackers > 0) else {
                continue;
            };
            let at_rate = |point: usize| place(scored, grid_rate(point));
            let points = (0..GRID).map(|point| (at_rate(point), figures.roc[point].value)).collect();
            // Of the first alone: five bands hide each other.
            let band = (0..if at == 0 { GRID } else { 0 })
                .map(|point| (at_rate(point), figures.roc[point].low, figures.roc[point].high))
                .collect();
            all.push(Line { ink: Ink::Series(at), points, band });
        }
        if !all.is_empty() {
            // The first on top.
            all.reverse();
            drawn.push((group.to_string(), lines(&all, across)?));
        }
    }
    Ok(drawn)
}

/// How scores are spread: of genuine days and of each model's attackers.
pub(super) fn spread(scored: &Scored) -> anyhow::Result<Drawing> {
    let mut all: Vec<_> =
        [None].into_iter().chain(Model::ALL.map(Some)).map(|of| scored.sample.spread(of)).collect();
    for scores in &mut all {
        scores.sort_by(f64::total_cmp);
    }
    // Without the outermost, which would press everything else together.
    let mut finite: Vec<_> = all.iter().flatten().copied().filter(|score| score.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let at = |share: f64| finite.get((finite.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(0.001), at(0.999));
    let across = Across {
        name: "score",
        is_logarithmic: false,
        ends: [low, if high > low { high } else { low + 1.0 }],
    };
    let drawn: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(_, scores)| !scores.is_empty())
        .map(|(at, scores)| {
            let points = (0..=200)
                .map(|step| {
                    let score = across.ends[0] + (across.ends[1] - across.ends[0]) * f64::from(step) / 200.0;
                    let below = scores.partition_point(|it| *it < score);
                    (score, (scores.len() - below) as f64 / scores.len() as f64)
                })
                .collect();
            Line { ink: Ink::Series(at), points, band: Vec::new() }
        })
        .collect();
    Ok((format!("Scores of {}", scored.name), lines(&drawn, &across)?))
}
