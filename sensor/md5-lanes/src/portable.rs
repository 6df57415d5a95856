//! The rounds in plain Rust over any number of lanes: HMAC's key states are made with one lane of it, and with four it is
//! the kernel over which the schedule is tested where the processor's own cannot run (Miri).

use crate::{
    kernel::{Rows, State, Words},
    rounds::round,
};

/// One block more for every state.
pub(crate) fn compress<const L: usize>(states: &mut [State<L>], words: &[Words<L>]) {
    for (state, words) in states.iter_mut().zip(words) {
        for lane in 0..L {
            let [mut a, mut b, mut c, mut d] = state.0.map(|word| word[lane]);
            macro_rules! function {
                (F $b:ident $c:ident $d:ident) => {
                    ($b & $c) | (!$b & $d)
                };
                (G $b:ident $c:ident $d:ident) => {
                    ($b & $d) | ($c & !$d)
                };
                (H $b:ident $c:ident $d:ident) => {
                    $b ^ $c ^ $d
                };
                (I $b:ident $c:ident $d:ident) => {
                    $c ^ ($b | !$d)
                };
            }
            macro_rules! step {
                ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
                    $a = $a
                        .wrapping_add(function!($f $b $c $d))
                        .wrapping_add(words.0[$word][lane])
                        .wrapping_add($constant)
                        .rotate_left($shift)
                        .wrapping_add($b);
                };
            }
            round!(0, step, a b c d);
            round!(1, step, a b c d);
            round!(2, step, a b c d);
            round!(3, step, a b c d);
            for (word, new) in state.0.iter_mut().zip([a, b, c, d]) {
                word[lane] = word[lane].wrapping_add(new);
            }
        }
    }
}

/// Rows into words.
pub(crate) fn transpose<const L: usize>(rows: &Rows<'_, L>, words: &mut Words<L>) {
    for lane in 0..L {
        let (octets, _) = rows[lane].as_chunks();
        for (word, octets) in words.0.iter_mut().zip(octets) {
            word[lane] = u32::from_le_bytes(*octets);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::kernel::{self, Coming, Kernel, Lines, SLOTS, State, Words, rows};

    /// A kernel of four lanes, three vectors interleaved, for every processor.
    #[derive(Clone, Copy)]
    pub(crate) struct Portable;

    impl Kernel<4> for Portable {
        const INTERLEAVED: usize = 3;

        fn with_instructions<R>(self, work: impl FnOnce() -> R) -> R {
            work()
        }

        fn load<C: Coming<4>>(self, coming: &mut C, lines: &mut Lines<4>, words: &mut Words<4>) {
            super::transpose(&rows(coming, lines), words);
        }

        fn turn<C: kernel::Coming<4>>(
            self,
            active: usize,
            states: &mut [State<4>; SLOTS],
            words: &[Words<4>; SLOTS],
            coming: &mut [Option<C>; SLOTS],
            lines: &mut Lines<4>,
            next: &mut [Words<4>; SLOTS],
        ) {
            for (coming, next) in coming.iter_mut().zip(next) {
                if let Some(coming) = coming {
                    self.load(coming, lines, next);
                }
            }
            super::compress(&mut states[..active], &words[..active]);
        }
    }
}
