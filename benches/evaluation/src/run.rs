//! A whole evaluation: pasts, scores of the product and of the baselines, figures.

use std::{fs, path::Path};

use anyhow::Context as _;

use crate::{
    baselines::{self, Scorer, Seen},
    metrics::{Detection, Estimate, Figures, Past, Sample, detections, figures},
    organisation::{Difficulty, GEO_UPDATE, Organisation, Summary},
    own::OwnThresholds,
    product::{self, Source},
    world::World,
};

/// One way to score, over all organisations.
pub struct Scored {
    /// What it is called.
    pub name: String,
    /// What is compared.
    pub sample: Sample,
    /// Its figures.
    pub figures: Figures,
    /// At 1 alert for 1,000 users a day: how fast, for all attackers and for each model.
    pub detections: Vec<Detection>,
    /// There: the share of users who are never alerted in genuine use.
    pub never_alerted: Estimate,
    /// There: how many genuine Starts with each difficulty are alerted, of how many.
    pub by_difficulty: Vec<(Difficulty, usize, usize)>,
    /// Of the product with its own thresholds.
    pub own: Option<OwnThresholds>,
}

/// The result.
pub struct Evaluation {
    /// What was evaluated: `held-back`.
    pub title: String,
    /// The organisations.
    pub organisations: Vec<Summary>,
    /// The product first if it was scored, then the baselines.
    pub scored: Vec<Scored>,
}

impl Evaluation {
    /// False-positive rates below 0.01 at which the first way to score finds fewer attackers than another one, with the
    /// other's name, from the lowest on; none if it is above all of them everywhere. Every rate that there is: one for each
    /// genuine day.
    pub fn below_others(&self) -> Vec<(f64, &str)> {
        let Some((first, others)) = self.scored.split_first() else { return Vec::new() };
        let below = others.iter().flat_map(|other| {
            first.figures.early.rates_below(&other.figures.early).map(|rate| (rate, &*other.name))
        });
        let mut below: Vec<_> = below.collect();
        below.sort_by(|one, other| one.0.total_cmp(&other.0));
        below
    }

    /// How many of those rates there are.
    pub fn rates_below_others(&self) -> usize {
        let mut rates: Vec<f64> = self.below_others().into_iter().map(|(rate, _)| rate).collect();
        rates.dedup();
        rates.len()
    }
}

/// An organisation's scores by one way.
struct Column {
    name: String,
    scores: Vec<Vec<f64>>,
}

/// Scores of pasts as they come in.
pub struct Running<'a> {
    world: &'a World,
    source: Option<&'a Source>,
    folder: &'a Path,
    columns: Vec<Column>,
    own: OwnThresholds,
    pasts: Vec<Organisation>,
}

impl<'a> Running<'a> {
    /// Begins. Without a source only the baselines score. `folder`: where events are put for the product to read.
    pub fn new(world: &'a World, source: Option<&'a Source>, folder: &'a Path) -> Running<'a> {
        let (columns, pasts) = (Vec::new(), Vec::new());
        Running { world, source, folder, columns, own: OwnThresholds::default(), pasts }
    }

    /// Scores a past in all ways.
    ///
    /// # Errors
    /// Those of [`Source::scores`], and the disk.
    pub fn add(&mut self, past: Organisation) -> anyhow::Result<()> {
        let seed = past.summary.seed;
        if let Some(source) = self.source {
            let folder = self.folder.join(seed.to_string());
            past.write(&folder)?;
            let update = past.geo_update.as_ref().map(|update| (update.at, folder.join(GEO_UPDATE)));
            let scores = source.scores(&folder.join("events.jsonl"), update, seed, &past.labels)?;
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            self.own.add(&past, &scores.alerts);
            self.push(product::NAME, scores.scores);
        }
        for mut scorer in baselines::all() {
            let scorer: &mut dyn Scorer = &mut *scorer;
            let name = scorer.name();
            let seen = Seen::new(self.world, past.geo_update.as_ref());
            self.push(name, baselines::scores(scorer, &seen, &past.events, &past.labels));
        }
        self.pasts.push(past);
        Ok(())
    }

    fn push(&mut self, name: &str, scores: Vec<f64>) {
        match self.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => column.scores.push(scores),
            None => self.columns.push(Column { name: name.to_owned(), scores: vec![scores] }),
        }
    }

    /// The figures, with intervals from so many drawings.
    pub fn finish(self, title: &str, drawings: usize, mut progress: impl FnMut(&str)) -> Evaluation {
        let mut scored = Vec::new();
        for column in self.columns {
            progress(&column.name);
            let mut sample = Sample::default();
            for (past, scores) in self.pasts.iter().zip(&column.scores) {
                let Summary { users, days, .. } = past.summary;
                sample.add(&Past { users, days, events: &past.events, labels: &past.labels, scores });
            }
            let figures = figures(&sample, drawings, 1);
            let above = figures.thresholds[1];
            let (detections, never_alerted) = detections(&sample, above, drawings, 2);
            scored.push(Scored {
                by_difficulty: by_difficulty(&self.pasts, &column.scores, above),
                own: (column.name == product::NAME).then(|| self.own.clone()),
                name: column.name,
                sample,
                figures,
                detections,
                never_alerted,
            });
        }
        let organisations = self.pasts.into_iter().map(|past| past.summary).collect();
        Evaluation { title: title.to_owned(), organisations, scored }
    }
}

fn by_difficulty(pasts: &[Organisation], scores: &[Vec<f64>], above: f64) -> Vec<(Difficulty, usize, usize)> {
    let mut all: Vec<_> = Difficulty::ALL.into_iter().map(|difficulty| (difficulty, 0, 0)).collect();
    for (past, scores) in pasts.iter().zip(scores) {
        for (label, score) in past.labels.iter().zip(scores) {
            if past.counted_day(label.n).is_none() {
                continue;
            }
            for (difficulty, alerts, of) in &mut all {
                if label.difficulties.contains(difficulty) {
                    *of += 1;
                    *alerts += usize::from(*score > above);
                }
            }
        }
    }
    all.retain(|(_, _, of)| *of > 0);
    all
}
