//! What happens at one threshold: how long an attacker goes unseen, and how many users are never bothered.

use std::collections::HashSet;

use crate::attackers::Model;

use super::sample::Sample;

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
    pub median_h: Option<f64>,
    /// Of those found nine in ten are faster.
    pub p90_h: Option<f64>,
}

/// Above this score, for all and for each model, and the share of users who are never alerted in genuine use.
pub fn detections(sample: &Sample, above: f64) -> (Vec<Detection>, f64) {
    let mut all = vec![detection(sample, None, above)];
    all.extend(Model::ALL.into_iter().map(|model| detection(sample, Some(model), above)));
    let alerted: HashSet<_> = sample.genuine.iter().filter(|it| it.score > above).map(|it| it.user).collect();
    (all, 1.0 - alerted.len() as f64 / sample.users.len().max(1) as f64)
}

fn detection(sample: &Sample, model: Option<Model>, above: f64) -> Detection {
    let mut hours = Vec::new();
    let (mut attackers, mut found_at_once) = (0, 0);
    for attacker in sample.attackers.iter().filter(|it| model.is_none() || it.model == model) {
        attackers += 1;
        let Some((first_s, first)) = attacker.starts.first() else { continue };
        found_at_once += usize::from(*first > above);
        let found = attacker.starts.iter().find(|(_, score)| *score > above);
        hours.extend(found.map(|(at_s, _)| (at_s - first_s) as f64 / 3600.0));
    }
    hours.sort_by(f64::total_cmp);
    let at =
        |share: f64| hours.get(((hours.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied();
    Detection { model, attackers, found: hours.len(), found_at_once, median_h: at(0.5), p90_h: at(0.9) }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::tests::sample, *};

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
        let (all, never) = detections(&sample, 4.0);
        let overall = &all[0];
        assert_eq!((overall.attackers, overall.found, overall.found_at_once), (3, 2, 1));
        assert_eq!(overall.median_h, Some(0.0));
        let p90 = overall.p90_h.unwrap();
        assert!((p90 - 7.0 * 24.0).abs() < 0.01, "{p90}");
        // a is bothered; b, c and d are not.
        assert_eq!(never, 0.75);
        assert_eq!(detections(&sample, 99.0).0[0].median_h, None);
    }
}
