//! Times sorted into buckets that are the same for everybody, so that two looks can be subtracted.

/// Buckets: four to an octave, from 1 us to beyond a minute.
pub const BUCKETS: usize = 4 * OCTAVES;
/// Octaves: what a plot tells apart.
pub(super) const OCTAVES: usize = 27;
/// Upper bound of the first octave's last bucket, twice the shortest time that is told apart, ns.
const LOWEST_NS: f64 = 1_000.0;

/// How many times were how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts(Box<[u64; BUCKETS]>);

impl Default for Counts {
    fn default() -> Counts {
        Counts(Box::new([0; BUCKETS]))
    }
}

impl Counts {
    /// Adds so many times of this length, ns.
    pub fn add(&mut self, ns: u64, count: u64) {
        let place = (ns as f64 / LOWEST_NS).max(1.0).log2() * 4.0;
        self.0[(place as usize).min(BUCKETS - 1)] += count;
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The time that this share of them, 0 to 1, did not exceed, seconds, to a fifth; 0 of none.
    pub fn percentile(&self, share: f64) -> f64 {
        let wanted = (self.total() as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        for (index, count) in self.0.iter().enumerate() {
            below += count;
            if below >= wanted {
                return upper_s(index + 1);
            }
        }
        0.0
    }

    /// What came since an earlier look.
    pub(super) fn since(&self, earlier: &Counts) -> Counts {
        let mut counts = self.clone();
        for (count, before) in counts.0.iter_mut().zip(earlier.0.iter()) {
            *count = count.saturating_sub(*before);
        }
        counts
    }

    /// By octave.
    pub(super) fn octaves(&self) -> [u32; OCTAVES] {
        std::array::from_fn(|octave| {
            let count: u64 = self.0[4 * octave..4 * octave + 4].iter().sum();
            u32::try_from(count).unwrap_or(u32::MAX)
        })
    }
}

/// Upper bound of so many buckets, seconds.
fn upper_s(buckets: usize) -> f64 {
    LOWEST_NS * 2f64.powf(buckets as f64 / 4.0) / 1e9
}

/// Upper bound of an octave, seconds.
pub(super) fn octave_s(octave: usize) -> f64 {
    upper_s(4 * (octave + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_fifth() {
        let mut counts = Counts::default();
        counts.add(100_000, 99);
        counts.add(50_000_000, 1);
        for (share, expected) in [(0.5, 100e-6), (0.99, 100e-6), (0.999, 50e-3)] {
            let said = counts.percentile(share);
            assert!(said >= expected && said < expected * 1.2, "{share}: {said}");
        }
        assert_eq!(Counts::default().percentile(0.5), 0.0);
        counts.add(0, 1);
        counts.add(u64::MAX, 1);
        assert_eq!(counts.total(), 102);
        assert_eq!(counts.octaves().iter().sum::<u32>(), 102);
    }

    #[test]
    fn what_came_since_is_what_is_more() {
        let mut earlier = Counts::default();
        earlier.add(5_000, 3);
        let mut later = earlier.clone();
        later.add(9_000, 2);
        assert_eq!(later.since(&earlier).total(), 2);
        assert!((later.since(&earlier).percentile(1.0) - 9.5e-6).abs() < 1e-6);
    }
}
