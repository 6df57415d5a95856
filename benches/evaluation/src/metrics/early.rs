//! The beginning of ROC curves, exactly: what is found with no false alert, with one, with two, up to a rate of
//! [`PARTIAL`](super::PARTIAL). Two curves of the same genuine days are lines between those counts, so that one is above
//! the other at every rate if it is at each count.

use super::{curve::PARTIAL, sample::Sample};

/// What is found at a number of users' days with a false alert.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The share of attackers found just before the number is reached.
    pub before: f64,
    /// The share that the same number of false alerts finds at most.
    pub reached: f64,
}

/// The beginning of one curve over all attackers, of the users as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Early {
    /// By the number of days, from none on.
    pub steps: Vec<Step>,
    /// Users' days with a genuine Start.
    pub days: usize,
}

impl Early {
    pub(super) fn new(sample: &Sample) -> Early {
        let attackers = sample.attackers.iter().map(|it| (it.highest(), true));
        let days = sample.genuine.iter().filter(|it| it.is_highest).map(|it| (it.score, false));
        let mut scores: Vec<(f64, bool)> = attackers.chain(days).collect();
        scores.sort_by(|one, other| other.0.total_cmp(&one.0));
        let (all, days) = (sample.attackers.len() as f64, scores.len() - sample.attackers.len());
        let end = (PARTIAL * days as f64).ceil() as usize;
        let mut steps = vec![Step::default()];
        let mut found = 0.0;
        for equal in scores.chunk_by(|one, other| one.0 == other.0) {
            let gained = equal.iter().filter(|(_, is_attacker)| *is_attacker).count() as f64;
            let missed = equal.len() - gained as usize;
            // Evenly between the two counts.
            for day in 1..=missed {
                let share = (found + gained * day as f64 / missed as f64) / all;
                steps.push(Step { before: share, reached: share });
            }
            found += gained;
            if let Some(last) = steps.last_mut() {
                last.reached = found / all;
            }
            if steps.len() > end + 1 {
                break;
            }
        }
        steps.truncate(end + 1);
        Early { steps, days }
    }

    /// Rates below [`PARTIAL`] at which another curve finds more, right there or just before it.
    pub fn rates_below<'a>(&'a self, other: &'a Early) -> impl Iterator<Item = f64> + 'a {
        let is_below =
            |(own, other): (&Step, &Step)| own.reached < other.reached || own.before < other.before;
        let rate = |count: usize| count as f64 / self.days.max(1) as f64;
        let counts = self.steps.iter().zip(&other.steps).enumerate();
        counts
            .filter(move |(_, both)| is_below(*both))
            .map(move |(count, _)| rate(count))
            .filter(|it| *it < PARTIAL)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::tests::sample, *};

    /// A genuine day for each of these, and an attacker.
    fn early(genuine: &[f64], attackers: &[f64]) -> Early {
        let names: Vec<_> = (0..attackers.len()).map(|number| format!("x{number}")).collect();
        let mut starts: Vec<_> =
            genuine.iter().enumerate().map(|(day, score)| ("a", 31 + day as i64, *score, None)).collect();
        starts.extend(attackers.iter().zip(&names).map(|(score, name)| ("b", 35, *score, Some(&**name))));
        Early::new(&sample(10, 500, &starts))
    }

    /// 200 genuine days of which the highest have these scores.
    fn genuine(highest: &[f64]) -> Vec<f64> {
        let rest = (0..200 - highest.len()).map(|day| -1.0 - day as f64);
        highest.iter().copied().chain(rest).collect()
    }

    #[test]
    fn steps_by_hand() {
        // Two days of 200 are the rate of 0.01. Above both is one attacker, between them one.
        let found = early(&genuine(&[5.0, 3.0]), &[6.0, 4.0, 2.0, -900.0]);
        let step = |before, reached| Step { before, reached };
        assert_eq!(found.days, 200);
        assert_eq!(found.steps, [step(0.0, 0.25), step(0.25, 0.5), step(0.5, 0.75)]);
        // Two days and two attackers that no score tells apart.
        let tied = early(&genuine(&[5.0, 5.0]), &[5.0, 5.0, -900.0, -900.0]);
        assert_eq!(tied.steps, [step(0.0, 0.0), step(0.25, 0.25), step(0.5, 0.5)]);
    }

    #[test]
    fn one_place_where_another_finds_more_is_seen() {
        let whole = early(&genuine(&[5.0, 3.0]), &[6.0, 4.0, 2.0, -900.0]);
        assert_eq!(whole.rates_below(&whole).count(), 0);
        // Fewer without a false alert, and as many from the first on.
        let late = early(&genuine(&[5.0, 3.0]), &[4.5, 4.0, 2.0, -900.0]);
        assert_eq!(late.rates_below(&whole).collect::<Vec<_>>(), [0.0, 0.005]);
        assert_eq!(whole.rates_below(&late).count(), 0);
        // Beyond the rate of 0.01 it says nothing.
        let beyond = early(&genuine(&[5.0, 3.0, 2.5]), &[6.0, 4.0, 2.0, -900.0]);
        assert_eq!(beyond.rates_below(&whole).count(), 0);
        let at_its_end = early(&genuine(&[5.0, 3.9]), &[6.0, 3.8, 2.0, -900.0]);
        assert_eq!(at_its_end.rates_below(&whole).collect::<Vec<_>>(), [0.005]);
    }
}
