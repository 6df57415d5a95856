//! The order of a batch: messages of the same number of blocks next to each other, the longest first, so that the lanes
//! of a vector end together.

/// How many messages are ordered at once; a larger batch is taken in parts. 64 vectors of 16 lanes: of these only the
/// few at a boundary between lengths are mixed, and 1024 places (2 KiB) stay in the first-level cache. By the bench `digest`
/// mixed lengths gain as much from 64 to 1024 as they can (docs/tuning.md: 12 to 16 times `md-5`), packets of one length
/// nothing above 256.
pub(crate) const BATCH: usize = 1024;

/// Numbers of blocks that are told apart; longer messages share the last place. A packet of 4096 octets with a secret of
/// up to 887 has 78.
const CLASSES: usize = 80;

/// Messages of more blocks than this may come in any order, though before all others.
pub(crate) const UNORDERED: usize = CLASSES - 2;

/// Parts of the batch that are counted on their own: a counter that is raised for every message would make each wait
/// for the store of the one before. Derived, not measured: a store is there for a load some four cycles later, and four
/// counters in turn are that many messages.
const PARTS: usize = 4;

/// The memory for it, and the result.
pub(crate) struct Order {
    classes: [u8; BATCH],
    places: [u16; BATCH],
}

impl Order {
    pub(crate) fn new() -> Order {
        Order { classes: [0; BATCH], places: [0; BATCH] }
    }

    /// The places 0 to `count` (at most [`BATCH`]) in order; those with no blocks are left out.
    #[inline(always)]
    pub(crate) fn by_blocks(&mut self, count: usize, mut blocks: impl FnMut(usize) -> usize) -> &[u16] {
        let count = count.min(BATCH);
        let classes = &mut self.classes[..count];
        let (mut least, mut most) = (u8::MAX, 0);
        for (place, class) in classes.iter_mut().enumerate() {
            *class = blocks(place).min(CLASSES - 1) as u8;
        }
        for &class in &*classes {
            least = least.min(class);
            most = most.max(class);
        }
        if least == most {
            for (place, slot) in self.places[..count].iter_mut().enumerate() {
                *slot = place as u16;
            }
            return if most == 0 { &[] } else { &self.places[..count] };
        }
        let part = count.div_ceil(PARTS);
        let mut next = [[0_u16; PARTS]; CLASSES];
        for at in 0..part {
            for (n, classes) in classes.chunks(part).enumerate() {
                if let Some(&class) = classes.get(at) {
                    next[usize::from(class).min(CLASSES - 1)][n] += 1;
                }
            }
        }
        let mut begin = 0;
        for class in next[1..=usize::from(most)].iter_mut().rev() {
            for part in class {
                begin += std::mem::replace(part, begin);
            }
        }
        for at in 0..part {
            for (n, classes) in classes.chunks(part).enumerate() {
                if let Some(&class) = classes.get(at)
                    && class > 0
                {
                    let next = &mut next[usize::from(class).min(CLASSES - 1)][n];
                    self.places[usize::from(*next)] = (n * part + at) as u16;
                    *next += 1;
                }
            }
        }
        &self.places[..usize::from(begin)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_first_and_nothing_lost() {
        let mut order = Order::new();
        // An interpreter gets fewer.
        let counts: &[_] =
            if cfg!(miri) { &[0, 1, 5, 90] } else { &[0, 1, 2, 3, 4, 5, 16, 63, 64, 65, 1000, BATCH] };
        for &count in counts {
            for spread in [1, 2, 7, 78, 79, 80, 200] {
                let blocks = |place: usize| place * 37 % spread;
                let ordered = order.by_blocks(count, blocks);
                let mut seen: Vec<_> = ordered.iter().map(|&place| usize::from(place)).collect();
                assert!(seen.is_sorted_by_key(|&place| std::cmp::Reverse(blocks(place).min(CLASSES - 1))));
                seen.sort_unstable();
                let all: Vec<_> = (0..count).filter(|&place| blocks(place) > 0).collect();
                assert_eq!(seen, all, "{count} of {spread} lengths");
            }
        }
    }

    #[test]
    fn messages_of_one_length_keep_their_order() {
        let mut order = Order::new();
        let ordered = order.by_blocks(100, |_| 4).to_vec();
        assert!(ordered.into_iter().eq(0..100));
    }
}
