//! What happens at one threshold: how long an attacker goes unseen, and how many users are never bothered.

use crate::{attackers::Model, chance::Chance};

use super::{
    bootstrap::{Estimate, draw},
    sample::{Attacker, Sample},
};

/// For the attackers of one model, or all.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The model; none for all.
    pub model: Option<Model>,
    /// Attackers.
    pub attackers: usize,
    /// Those with a Start above the threshold.
    pub found: usize,
    /// Those whose first Start is.
    pub found_at_once: usize,
    /// Hours from the first Start to the first one above the threshold: of those found half are faster; none if none is.
    pub median_h: Option<Estimate>,
    /// Of those found nine in ten are faster.
    pub p90_h: Option<Estimate>,
}

/// Above this score, for all and for each model, and the share of users who are never alerted in genuine use. Intervals
/// come from so many drawings of users, at the same threshold.
pub fn detections(sample: &Sample, above: f64, drawings: usize, seed: u64) -> (Vec<Detection>, Estimate) {
    let drawn: Vec<_> =
        (0..drawings).map(|number| draw(sample, &mut Chance::of(seed, "detection", number as u64))).collect();
    let models = [None].into_iter().chain(Model::ALL.map(Some));
    let all = models.map(|model| detection(sample, model, above, &drawn)).collect();
    let mut alerted = vec![false; sample.users.len()];
    for genuine in sample.genuine.iter().filter(|it| it.score > above) {
        alerted[genuine.user] = true;
    }
    let never = |times: &[u32]| {
        let users: u32 = times.iter().sum();
        let spared: u32 =
            times.iter().zip(&alerted).filter(|(_, alerted)| !**alerted).map(|(times, _)| times).sum();
        f64::from(spared) / f64::from(users.max(1))
    };
    let value = never(&vec![1; sample.users.len()]);
    (all, Estimate::of(value, drawn.iter().map(|times| never(times)).collect()))
}

fn detection(sample: &Sample, model: Option<Model>, above: f64, drawn: &[Vec<u32>]) -> Detection {
    let of: Vec<_> = sample.attackers.iter().filter(|it| model.is_none() || it.model == model).collect();
    let mut hours: Vec<_> =
        of.iter().filter_map(|attacker| Some((hours_to(attacker, above)?, attacker.user))).collect();
    hours.sort_by(|one, other| one.0.total_cmp(&other.0));
    let quantile = |share: f64| {
        let value = weighted_quantile(&hours, share, |_| 1)?;
        let values = drawn.iter().filter_map(|times| weighted_quantile(&hours, share, |user| times[user]));
        Some(Estimate::of(value, values.collect()))
    };
    Detection {
        model,
        attackers: of.len(),
        found: hours.len(),
        found_at_once: of
            .iter()
            .filter(|it| it.starts.first().is_some_and(|(_, score)| *score > above))
            .count(),
        median_h: quantile(0.5),
        p90_h: quantile(0.9),
    }
}

fn hours_to(attacker: &Attacker, above: f64) -> Option<f64> {
    let (first_s, _) = attacker.starts.first()?;
    let (at_s, _) = attacker.starts.iter().find(|(_, score)| *score > above)?;
    Some((at_s - first_s) as f64 / 3600.0)
}

/// The value that this share is not above; each counts as often as its user is drawn. None of none.
fn weighted_quantile(sorted: &[(f64, usize)], share: f64, times: impl Fn(usize) -> u32) -> Option<f64> {
    let all: u32 = sorted.iter().map(|(_, user)| times(*user)).sum();
    let mut left = (f64::from(all) * share).ceil().max(1.0) as u32;
    for (value, user) in sorted {
        let times = times(*user);
        if times >= left {
            return Some(*value);
        }
        left -= times;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{super::sample::tests::sample, *};

    #[test]
    fn a_quantile_counts_users_as_often_as_they_are_drawn() {
        let sorted = [(1.0, 0), (2.0, 1), (3.0, 2)];
        let of = |share, times: [u32; 3]| weighted_quantile(&sorted, share, |user| times[user]);
        assert_eq!(of(0.5, [1, 1, 1]), Some(2.0));
        assert_eq!(of(0.5, [3, 1, 1]), Some(1.0));
        assert_eq!(of(0.9, [1, 1, 0]), Some(2.0));
        assert_eq!(of(0.5, [0, 0, 0]), None);
    }

    #[test]
    fn the_time_runs_from_the_first_start_to_the_first_above_the_threshold() {
        let sample = sample(
            4,
            60,
            &[
                ("a", 31, 5.0, None),
                ("b", 31, 1.0, None),
                ("c", 31, 1.0, Some("slow")),
                ("c", 38, 9.0, Some("slow")),
                ("d", 31, 9.0, Some("fast")),
                ("d", 33, 9.0, Some("fast")),
                ("b", 31, 2.0, Some("unseen")),
            ],
        );
        let (all, never) = detections(&sample, 4.0, 50, 1);
        let overall = &all[0];
        assert_eq!((overall.attackers, overall.found, overall.found_at_once), (3, 2, 1));
        assert_eq!(overall.median_h.unwrap().value, 0.0);
        let p90 = overall.p90_h.unwrap();
        assert!((p90.value - 7.0 * 24.0).abs() < 0.01, "{p90:?}");
        // Of four users drawn anew there may be the fast one's victim alone.
        assert!(p90.low < 1.0 && p90.high > 160.0, "{p90:?}");
        // a is bothered; b, c and d are not.
        assert_eq!(never.value, 0.75);
        assert!(never.low < 0.75 && never.high > 0.75);
        assert_eq!(detections(&sample, 99.0, 5, 1).0[0].median_h, None);
    }
}
