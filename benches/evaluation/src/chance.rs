//! Chance that is the same everywhere: only whole numbers and the four operations of IEEE 754, no logarithm or sine, whose
//! last digit differs from one C library to the next.

/// A stream of random numbers: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of one thing of an organisation. Each user and each kind of event has its own, so that a change to one
    /// leaves the others as they were.
    pub fn of(seed: u64, what: &str, number: u64) -> Chance {
        // FNV-1a.
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for octet in what.bytes() {
            state = (state ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut chance = Chance(state ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mixed = chance.next();
        let mut chance = Chance(mixed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        chance.next();
        chance
    }

    /// Any number.
    #[expect(
        clippy::should_implement_trait,
        reason = "a stream without end is no iterator that a caller would loop over"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to but without `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A place in a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// From the first to the last, both included. The last is not below the first.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below((last - first + 1).max(1) as u64) as i64
    }

    /// From 0 up to but without 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` up to `high`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Around `mean`, at most `spread` away, near the mean more often: the mean of four even ones, about a bell.
    pub fn around(&mut self, mean: f64, spread: f64) -> f64 {
        let sum = self.share() + self.share() + self.share() + self.share();
        mean + (sum - 2.0) / 2.0 * spread
    }

    /// Between two powers of two, as often in one doubling as in the next: sizes differ by factors.
    pub fn by_factors(&mut self, low_power: i64, high_power: i64) -> u64 {
        let power = self.between(low_power, high_power - 1).clamp(0, 62) as u32;
        (1_u64 << power) + self.below(1 << power)
    }

    /// One of a list; `None` of an empty one.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index(list.len()))
    }

    /// The place of one of these weights, each as probable as it is large. 0 if all are 0.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.share() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// In any order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.index(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one_and_stays_so() {
        // The first numbers of SplitMix64 from 1234567, as its authors' code prints them.
        let mut chance = Chance(1_234_567);
        assert_eq!([chance.next(), chance.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn streams_differ_by_seed_thing_and_number() {
        let first = |seed, what, number| Chance::of(seed, what, number).next();
        let all = [first(1, "a", 1), first(2, "a", 1), first(1, "b", 1), first(1, "a", 2), first(2, "b", 2)];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one));
        }
        assert_eq!(first(7, "user", 3), first(7, "user", 3));
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_them() {
        let mut chance = Chance::of(1, "bounds", 0);
        let mut seen = [0; 3];
        for _ in 0..3000 {
            seen[(chance.between(-1, 1) + 1) as usize] += 1;
            assert!((0.0..1.0).contains(&chance.share()));
            assert!((4.0..6.0).contains(&chance.around(5.0, 1.0)));
            assert!((8..32).contains(&chance.by_factors(3, 5)));
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
        assert_eq!(chance.below(0), 0);
        assert_eq!(chance.pick::<u8>(&[]), None);
    }

    #[test]
    fn weights_count() {
        let mut chance = Chance::of(2, "weights", 0);
        let mut seen = [0; 3];
        for _ in 0..4000 {
            seen[chance.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((2.6..3.4).contains(&(f64::from(seen[2]) / f64::from(seen[0]))), "{seen:?}");
    }
}
