//! ROC curves of all groups in one pass over the scores, each user as often as she is drawn.

use super::sample::{Group, Sample};

/// Alerts on genuine use for 1,000 users a day that an administrator accepts.
pub const BUDGETS: [f64; 3] = [0.1, 1.0, 10.0];
/// The false-positive rate up to which the partial area counts.
pub const PARTIAL: f64 = 0.01;
/// One attack in so many connections, for the precision.
const BASE_RATE: f64 = 1e-5;
/// False-positive rates at which curves are drawn: eight to a power of ten.
pub const GRID: usize = 33;

/// The false-positive rate of a point of the grid, from 0.0001 to 1.
pub fn grid_rate(point: usize) -> f64 {
    10_f64.powf(point as f64 / 8.0 - 4.0)
}

/// Everything that is read off the curves, by group.
#[derive(Clone, Debug, Default)]
pub(super) struct Curves {
    /// The area.
    pub(super) auc: Vec<f64>,
    /// The mean recall at false-positive rates from 0 to [`PARTIAL`].
    pub(super) partial: Vec<f64>,
    /// Recall at the budgets.
    pub(super) recall: Vec<[f64; 3]>,
    /// The share of alerts that are attacks, if one connection in 100,000 is one.
    pub(super) precision: Vec<[f64; 3]>,
    /// Recall at the grid's rates.
    pub(super) roc: Vec<Vec<f64>>,
    /// Scores from which on the budgets are used up.
    pub(super) thresholds: [f64; 3],
}

/// Scores in their order, made once and walked over for each drawing of users.
pub(super) struct Ranked {
    entries: Vec<Entry>,
    groups: usize,
    user_days: f64,
}

#[derive(Clone, Copy)]
struct Entry {
    score: f64,
    user: u32,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// A genuine Start that is not the highest of its day.
    Start,
    /// One that is.
    Day,
    /// An attacker, by groups as bits.
    Attacker(u32),
}

impl Ranked {
    /// Orders a sample's scores.
    pub(super) fn new(sample: &Sample) -> Ranked {
        let groups = Group::all();
        let mut entries = Vec::with_capacity(sample.genuine.len() + 2 * sample.attackers.len());
        for genuine in &sample.genuine {
            let what = if genuine.is_highest { What::Day } else { What::Start };
            entries.push(Entry { score: genuine.score, user: genuine.user as u32, what });
        }
        for attacker in &sample.attackers {
            let frequency = sample.users[attacker.user].frequency;
            let (mut whole, mut first) = (0, 0);
            for (at, group) in groups.iter().enumerate() {
                match group {
                    Group::FirstStart => first |= 1 << at,
                    Group::Overall => whole |= 1 << at,
                    Group::Model(model) if attacker.model == Some(*model) => whole |= 1 << at,
                    Group::Frequency(of) if frequency == *of => whole |= 1 << at,
                    _ => {}
                }
            }
            let user = attacker.user as u32;
            entries.push(Entry { score: attacker.highest(), user, what: What::Attacker(whole) });
            let first_score = attacker.starts.first().map_or(f64::NEG_INFINITY, |(_, score)| *score);
            entries.push(Entry { score: first_score, user, what: What::Attacker(first) });
        }
        entries.sort_by(|one, other| other.score.total_cmp(&one.score));
        Ranked { entries, groups: groups.len(), user_days: sample.user_days }
    }

    /// The curves, with each user counted so many times. Groups without attackers have figures that are not numbers.
    pub(super) fn curves(&self, times: &[u32]) -> Curves {
        let mut days = 0.0;
        let mut starts = 0.0;
        let mut attackers = vec![0.0; self.groups];
        for entry in &self.entries {
            let weight = f64::from(times[entry.user as usize]);
            match entry.what {
                What::Start => starts += weight,
                What::Day => {
                    starts += weight;
                    days += weight;
                }
                What::Attacker(groups) => each(groups, |group| attackers[group] += weight),
            }
        }
        let mut walk = Walk::new(self.groups, days, starts, attackers, self.user_days);
        let mut at = 0;
        while at < self.entries.len() {
            let score = self.entries[at].score;
            walk.begin();
            while let Some(entry) = self.entries.get(at).filter(|entry| entry.score == score) {
                let weight = f64::from(times[entry.user as usize]);
                match entry.what {
                    What::Start => walk.starts.1 += weight,
                    What::Day => {
                        walk.starts.1 += weight;
                        walk.days.1 += weight;
                    }
                    What::Attacker(groups) => each(groups, |group| walk.found[group].1 += weight),
                }
                at += 1;
            }
            walk.end(score);
        }
        walk.finish()
    }
}

fn each(mut groups: u32, mut call: impl FnMut(usize)) {
    while groups != 0 {
        call(groups.trailing_zeros() as usize);
        groups &= groups - 1;
    }
}

/// A point on the way down the scores: what lies above the last score, and including this one.
struct Walk {
    all_days: f64,
    all_starts: f64,
    all: Vec<f64>,
    days: (f64, f64),
    starts: (f64, f64),
    found: Vec<(f64, f64)>,
    budgets: [f64; 3],
    next_budget: usize,
    next_grid: usize,
    curves: Curves,
}

impl Walk {
    fn new(groups: usize, days: f64, starts: f64, all: Vec<f64>, user_days: f64) -> Walk {
        let curves = Curves {
            auc: vec![0.0; groups],
            partial: vec![0.0; groups],
            recall: vec![[1.0; 3]; groups],
            precision: vec![[0.0; 3]; groups],
            roc: vec![Vec::with_capacity(GRID); groups],
            thresholds: [f64::NEG_INFINITY; 3],
        };
        Walk {
            all_days: days,
            all_starts: starts,
            all,
            days: (0.0, 0.0),
            starts: (0.0, 0.0),
            found: vec![(0.0, 0.0); groups],
            budgets: BUDGETS.map(|budget| budget / 1000.0 * user_days),
            next_budget: 0,
            next_grid: 0,
            curves,
        }
    }

    fn begin(&mut self) {
        self.days.0 = self.days.1;
        self.starts.0 = self.starts.1;
        for found in &mut self.found {
            found.0 = found.1;
        }
    }

    fn end(&mut self, score: f64) {
        let (before, after) = self.days;
        let limit = PARTIAL * self.all_days;
        for (group, (from, to)) in self.found.iter().enumerate() {
            let gained = to - from;
            if gained > 0.0 {
                // They are found evenly between the two points.
                self.curves.auc[group] += gained * (self.all_days - (before + after) / 2.0);
                self.curves.partial[group] += gained * ramp(before, after, limit);
            }
        }
        while self.next_budget < 3 && after > self.budgets[self.next_budget] {
            let part = (self.budgets[self.next_budget] - before) / (after - before);
            self.at_budget(self.next_budget, part);
            self.curves.thresholds[self.next_budget] = score;
            self.next_budget += 1;
        }
        while self.next_grid < GRID && after >= grid_rate(self.next_grid) * self.all_days && after > before {
            let part =
                ((grid_rate(self.next_grid) * self.all_days - before) / (after - before)).clamp(0.0, 1.0);
            self.at_grid(part);
        }
    }

    fn at_grid(&mut self, part: f64) {
        for (group, (from, to)) in self.found.iter().enumerate() {
            self.curves.roc[group].push((from + (to - from) * part) / self.all[group]);
        }
        self.next_grid += 1;
    }

    fn at_budget(&mut self, budget: usize, part: f64) {
        let false_rate = (self.starts.0 + (self.starts.1 - self.starts.0) * part) / self.all_starts;
        for (group, (from, to)) in self.found.iter().enumerate() {
            let recall = (from + (to - from) * part) / self.all[group];
            self.curves.recall[group][budget] = recall;
            self.curves.precision[group][budget] = precision(recall, false_rate);
        }
    }

    fn finish(mut self) -> Curves {
        // A budget larger than all genuine days: everything is alerted.
        self.begin();
        while self.next_budget < 3 {
            self.at_budget(self.next_budget, 1.0);
            self.next_budget += 1;
        }
        while self.next_grid < GRID {
            self.at_grid(1.0);
        }
        for group in 0..self.all.len() {
            self.curves.auc[group] /= self.all[group] * self.all_days;
            self.curves.partial[group] /= self.all[group] * PARTIAL * self.all_days;
        }
        self.curves
    }
}

/// The area up to `limit` under a line that rises from 0 at `before` to 1 at `after` and stays there.
fn ramp(before: f64, after: f64, limit: f64) -> f64 {
    if limit <= before {
        0.0
    } else if limit >= after {
        limit - (before + after) / 2.0
    } else {
        (limit - before).powi(2) / (2.0 * (after - before))
    }
}

/// The share of alerts that are attacks, if one connection in 100,000 is.
fn precision(recall: f64, false_rate: f64) -> f64 {
    let (attacks, genuine) = (BASE_RATE * recall, (1.0 - BASE_RATE) * false_rate);
    if attacks + genuine > 0.0 { attacks / (attacks + genuine) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::tests::sample, *};

    fn curves(users: usize, days: i64, starts: &[(&str, i64, f64, Option<&str>)]) -> Curves {
        let sample = sample(users, days, starts);
        Ranked::new(&sample).curves(&vec![1; sample.users.len()])
    }

    /// Ten genuine days with scores 1 to 10, attackers with 10.5, 8.5, 4 (as high as one genuine day) and 0.
    fn small() -> Vec<(&'static str, i64, f64, Option<&'static str>)> {
        let mut starts: Vec<_> = (0..10).map(|day| ("a", 31 + day, (day + 1) as f64, None)).collect();
        let attackers = [("w", 10.5), ("x", 8.5), ("y", 4.0), ("z", 0.0)];
        starts.extend(attackers.map(|(name, score)| ("b", 35, score, Some(name))));
        starts
    }

    #[test]
    fn areas_by_hand() {
        // Pairs that are in the right order, a tie half: 10 + 8 + 3.5 + 0 of 40.
        let curves = curves(10, 50, &small());
        assert!((curves.auc[0] - 21.5 / 40.0).abs() < 1e-12, "{}", curves.auc[0]);
        // Up to a rate of 0.01 only the first of four is found.
        assert!((curves.partial[0] - 0.25).abs() < 1e-12);
    }

    #[test]
    fn recall_at_budgets_by_hand() {
        // 10 users, 20 days: 200 user days. 10 alerts for 1,000 are 2 days: scores 10 and 9 are spent, and with 8 begins
        // what is too many. Found by then: 10.5 and 8.5.
        let found = curves(10, 50, &small());
        assert_eq!(found.recall[0], [0.25, 0.25, 0.5]);
        assert_eq!(found.thresholds[2], 8.0);
        // A budget of three and a half days: 10, 9, 8 and half of 7.
        let ties = curves(
            5,
            100,
            &[
                ("a", 40, 1.0, None),
                ("a", 41, 1.0, None),
                ("b", 40, 1.0, Some("x")),
                ("b", 40, 0.0, Some("y")),
            ],
        );
        // 350 user days, 3.5 alerts: more than there are days, so everything is alerted.
        assert_eq!(ties.recall[0][2], 1.0);
        // 0.35 of 2 days at the first score, which one attacker of two shares: 0.175 of it.
        assert!((ties.recall[0][1] - 0.35 / 2.0 / 2.0).abs() < 1e-12, "{:?}", ties.recall[0]);
    }

    #[test]
    fn precision_by_hand() {
        // Half are found and 2 of 10 genuine Starts are alerted.
        let found = curves(10, 50, &small());
        let expected = 1e-5 * 0.5 / (1e-5 * 0.5 + (1.0 - 1e-5) * 0.2);
        assert!((found.precision[0][2] - expected).abs() < 1e-12);
    }

    #[test]
    fn a_perfect_score_and_one_that_says_nothing() {
        let perfect = curves(10, 50, &[("a", 31, 0.0, None), ("b", 31, 1.0, Some("x"))]);
        assert_eq!((perfect.auc[0], perfect.partial[0], perfect.roc[0][0]), (1.0, 1.0, 1.0));
        let nothing = curves(10, 50, &[("a", 31, 1.0, None), ("b", 31, 1.0, Some("x"))]);
        assert_eq!(nothing.auc[0], 0.5);
        assert!((nothing.partial[0] - PARTIAL / 2.0).abs() < 1e-12);
        assert!((nothing.roc[0][GRID - 9] - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_user_counts_as_often_as_she_is_drawn() {
        let sample = sample(10, 50, &[("a", 31, 2.0, None), ("b", 31, 1.0, None), ("c", 31, 1.5, Some("x"))]);
        let ranked = Ranked::new(&sample);
        assert!((ranked.curves(&[1, 3, 1]).auc[0] - 0.75).abs() < 1e-12);
    }
}
