//! What the product is held against, on the same data: four ways to score a Start, which see only what came before it.
//! They learn from every line, as they would at a customer's: nobody tells them which were attacks.

mod ratio;
mod rules;

pub use ratio::{Features, Ratio};
pub(crate) use rules::distance_km;
pub use rules::{FirstCountry, NewAddress, Speed};

use crate::{
    event::{Event, Status},
    label::Label,
    organisation::GeoUpdate,
    world::{Whereabouts, World},
};

/// What the databases say of addresses, as of each event.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    world: &'a World,
    update: Option<&'a GeoUpdate>,
}

impl<'a> Seen<'a> {
    /// From the update on they say something else of its networks.
    pub fn new(world: &'a World, update: Option<&'a GeoUpdate>) -> Seen<'a> {
        Seen { world, update }
    }

    /// Where an event comes from.
    pub fn find(&self, event: &Event) -> Whereabouts {
        let found = self.world.find(event.address);
        let update = self.update.filter(|update| update.at <= event.time);
        let country = update.and_then(|update| update.country(event.address)).or(found.country);
        Whereabouts { country, ..found }
    }
}

/// A way to score Starts.
pub trait Scorer {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// The score of a Start, by what came before it; then learns from it. Higher is riskier.
    fn score(&mut self, seen: &Seen<'_>, start: &Event) -> f64;
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
pub fn scores(scorer: &mut dyn Scorer, seen: &Seen<'_>, events: &[Event], labels: &[Label]) -> Vec<f64> {
    let mut labels = labels.iter().peekable();
    let mut scores = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if event.status != Status::Start {
            continue;
        }
        let score = scorer.score(seen, event);
        if labels.next_if(|label| label.n == at + 1).is_some() {
            scores.push(score);
        }
    }
    scores
}
