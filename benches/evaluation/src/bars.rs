//! What the product set out to reach, beside what it reaches. Printed with every report, and no more than that: who reads a
//! figure sees whether it is enough, and no run fails because of it.

use std::fmt;

use crate::{
    attackers::Model,
    metrics::{BUDGETS, Estimate, Group, PARTIAL},
    product,
    run::{Evaluation, Scored},
};

/// The budget of alerts at which recall has bars: one for 1,000 users a day.
const BUDGET: usize = 1;
/// Least area under the curve over all attackers.
const AUC: f64 = 0.97;
/// Least recall of a model's attackers. The other models have none.
const RECALL: [(Model, f64); 3] = [(Model::Naive, 0.95), (Model::Vpn, 0.85), (Model::Targeted, 0.6)];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asked {
    /// Over all attackers an area of so much.
    Auc(f64),
    /// Of a model's attackers so many are found at one alert for 1,000 users a day.
    Recall(Model, f64),
    /// More attackers are found than by each baseline, at every false-positive rate below 0.01.
    AboveBaselines,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reached {
    /// A figure with its interval.
    Figure(Estimate),
    /// Rates at which a baseline is above.
    RatesBelow(usize),
}

/// One bar and what is reached of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// What is asked for.
    pub asked: Asked,
    /// What there is.
    pub reached: Reached,
}

impl Bar {
    /// Whether it is enough. By the figure itself; what its interval holds is left to the reader.
    pub fn is_met(&self) -> bool {
        match (self.asked, self.reached) {
            (Asked::Auc(least) | Asked::Recall(_, least), Reached::Figure(figure)) => figure.value >= least,
            (Asked::AboveBaselines, Reached::RatesBelow(rates)) => rates == 0,
            _ => false,
        }
    }

    /// `met` or `not met`.
    pub fn verdict(&self) -> &'static str {
        if self.is_met() { "met" } else { "not met" }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Auc(least) => write!(f, "AUC over all attackers at least {least}"),
            Asked::Recall(model, least) => {
                write!(f, "recall at {} of {} attackers at least {least}", BUDGETS[BUDGET], model.name())
            }
            Asked::AboveBaselines => {
                write!(f, "above all baselines at every false-positive rate below {PARTIAL}")
            }
        }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reached::Figure(Estimate { value, low, high }) => write!(f, "{value:.3} ({low:.2}-{high:.2})"),
            Reached::RatesBelow(0) => f.write_str("at all of them"),
            Reached::RatesBelow(rates) => write!(f, "not at {rates} of them"),
        }
    }
}

/// All bars that there are figures for: none if the product was not scored, and no model's where there are no attackers
/// of it.
pub fn bars(evaluation: &Evaluation) -> Vec<Bar> {
    let Some(own) = evaluation.scored.first().filter(|scored| scored.name == product::NAME) else {
        return Vec::new();
    };
    let figure = |asked, estimate: &Estimate| Bar { asked, reached: Reached::Figure(*estimate) };
    let mut all = Vec::new();
    if let Some(overall) = found(own, Group::Overall) {
        all.push(figure(Asked::Auc(AUC), &overall.auc));
    }
    for (model, least) in RECALL {
        if let Some(figures) = found(own, Group::Model(model)) {
            all.push(figure(Asked::Recall(model, least), &figures.recall[BUDGET]));
        }
    }
    if evaluation.scored.len() > 1 && !all.is_empty() {
        let reached = Reached::RatesBelow(evaluation.rates_below_others());
        all.push(Bar { asked: Asked::AboveBaselines, reached });
    }
    all
}

fn found(scored: &Scored, group: Group) -> Option<&crate::metrics::GroupFigures> {
    scored.figures.of(group).filter(|figures| figures.attackers > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_met_from_its_value_on() {
        let bar =
            |asked, value| Bar { asked, reached: Reached::Figure(Estimate { value, low: 0.0, high: 1.0 }) };
        for (bar, is_met) in [
            (bar(Asked::Auc(0.97), 0.97), true),
            (bar(Asked::Auc(0.97), 0.969_9), false),
            (bar(Asked::Auc(0.97), f64::NAN), false),
            (bar(Asked::Recall(Model::Naive, 0.95), 0.946), false),
            (bar(Asked::Recall(Model::Naive, 0.95), 1.0), true),
            (Bar { asked: Asked::AboveBaselines, reached: Reached::RatesBelow(0) }, true),
            (Bar { asked: Asked::AboveBaselines, reached: Reached::RatesBelow(1) }, false),
        ] {
            assert_eq!((bar.is_met(), bar.verdict() == "met"), (is_met, is_met), "{bar:?}");
        }
    }
}
