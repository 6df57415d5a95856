//! What the product is held against, on the same data: four ways to score a Start, which see only what came before it.
//! They learn from every line, as they would at a customer's: nobody tells them which were attacks.

mod ratio;
mod rules;

pub use ratio::{Features, Ratio};
pub use rules::{FirstCountry, NewAddress, Speed};

use crate::{
    event::{Event, Status},
    label::Label,
    world::World,
};

/// A way to score Starts.
pub trait Scorer {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// The score of a Start, by what came before it; then learns from it. Higher is riskier.
    fn score(&mut self, world: &World, start: &Event) -> f64;
}

/// All four.
pub fn all() -> Vec<Box<dyn Scorer>> {
    vec![
        Box::new(Speed::default()),
        Box::new(FirstCountry::default()),
        Box::new(NewAddress::default()),
        Box::new(Ratio::new(Features::AddressAndClient)),
    ]
}

/// The scores of all Starts, one for each label.
pub fn scores(scorer: &mut dyn Scorer, world: &World, events: &[Event], labels: &[Label]) -> Vec<f64> {
    let mut labels = labels.iter().peekable();
    let mut scores = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if event.status != Status::Start {
            continue;
        }
        let score = scorer.score(world, event);
        if labels.next_if(|label| label.n == at + 1).is_some() {
            scores.push(score);
        }
    }
    scores
}
