//! Counts by size, as a scrape has them: what came between two scrapes, and where in it a share of all lies.

/// Buckets with an upper bound each, the last one infinite, and the sum of all values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    /// Upper bound, and how many values lie in the bucket (not below its bound).
    buckets: Vec<(f64, u64)>,
    sum: f64,
}

impl Histogram {
    /// From pairs of upper bound and number of values up to it, in any order.
    pub(super) fn cumulative(buckets: impl Iterator<Item = (f64, u64)>, sum: f64) -> Histogram {
        let mut buckets: Vec<(f64, u64)> = buckets.collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0;
        for (_, count) in &mut buckets {
            let through = *count;
            *count = through.saturating_sub(below);
            below = through.max(below);
        }
        Histogram { buckets, sum }
    }

    /// What came since an earlier state of the same histogram.
    pub(super) fn since(&self, before: &Histogram) -> Histogram {
        if self.buckets.len() != before.buckets.len() {
            return self.clone();
        }
        let buckets = self.buckets.iter().zip(&before.buckets);
        Histogram {
            buckets: buckets.map(|(now, before)| (now.0, now.1.saturating_sub(before.1))).collect(),
            sum: (self.sum - before.sum).max(0.0),
        }
    }

    /// How many values.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// Their mean; none without values.
    pub(super) fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum / count as f64)
    }

    /// The value below which this share (0 to 1) of all lies, interpolated within its bucket as Prometheus does; the
    /// greatest finite bound when it lies beyond.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let (index, within) = self.place(share)?;
        let lower = index.checked_sub(1).map_or(0.0, |before| self.buckets[before].0);
        let (upper, count) = self.buckets[index];
        Some(if upper.is_finite() { lower + (upper - lower) * within / count as f64 } else { lower })
    }

    /// The least bound that this share (0 to 1) of all values does not exceed; infinite beyond the greatest bound.
    pub(super) fn at_most(&self, share: f64) -> Option<f64> {
        self.place(share).map(|(index, _)| self.buckets[index].0)
    }

    /// The bucket in which a share of all ends, and how many of its values are needed.
    fn place(&self, share: f64) -> Option<(usize, f64)> {
        let mut wanted = share * self.count() as f64;
        for (index, &(_, count)) in self.buckets.iter().enumerate() {
            if count > 0 && wanted <= count as f64 {
                return Some((index, wanted));
            }
            wanted -= count as f64;
        }
        None
    }

    /// Upper bound and share of all values of each bucket, from the first to the last one with any.
    pub(super) fn shares(&self) -> Vec<(f64, f64)> {
        let has_values = |bucket: &(f64, u64)| bucket.1 > 0;
        let (Some(first), Some(last)) =
            (self.buckets.iter().position(has_values), self.buckets.iter().rposition(has_values))
        else {
            return Vec::new();
        };
        let all = self.count() as f64;
        self.buckets[first..=last].iter().map(|&(bound, count)| (bound, count as f64 / all)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: [u64; 4], sum: f64) -> Histogram {
        let mut through = 0;
        let cumulative = [1.0, 2.0, 4.0, f64::INFINITY].into_iter().zip(counts).map(|(bound, count)| {
            through += count;
            (bound, through)
        });
        Histogram::cumulative(cumulative, sum)
    }

    #[test]
    fn shares_are_found_and_interpolated() {
        let histogram = histogram([0, 50, 40, 10], 300.0);
        assert_eq!((histogram.count(), histogram.mean()), (100, Some(3.0)));
        assert_eq!(
            [0.25, 0.5, 0.7, 0.99].map(|share| histogram.quantile(share).unwrap()),
            [1.5, 2.0, 3.0, 4.0]
        );
        assert_eq!(
            [0.5, 0.51, 0.95].map(|share| histogram.at_most(share).unwrap()),
            [2.0, 4.0, f64::INFINITY]
        );
        assert_eq!(histogram.shares(), [(2.0, 0.5), (4.0, 0.4), (f64::INFINITY, 0.1)]);
    }

    #[test]
    fn an_interval_holds_what_came_in_it() {
        let (before, now) = (histogram([5, 5, 0, 0], 12.0), histogram([5, 7, 1, 0], 18.5));
        let interval = now.since(&before);
        assert_eq!((interval.count(), interval.shares().len()), (3, 2));
        assert_eq!(interval.mean(), Some(6.5 / 3.0));
    }

    #[test]
    fn nothing_has_no_share() {
        let empty = histogram([0; 4], 0.0);
        assert_eq!(
            (empty.mean(), empty.quantile(0.5), empty.at_most(0.5), empty.shares()),
            (None, None, None, vec![])
        );
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
