//! The rounds in plain Rust over any number of lanes: HMAC's key states are made with one lane of it, and the
//! schedule is tested over it where the processor's own paths cannot run (Miri).

use crate::{
    kernel::{BLOCK, Piece, State, Words},
    rounds::rounds,
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
                ($f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
                    $a = $a
                        .wrapping_add(function!($f $b $c $d))
                        .wrapping_add(words.0[$word][lane])
                        .wrapping_add($constant)
                        .rotate_left($shift)
                        .wrapping_add($b);
                };
            }
            macro_rules! between {
                () => {};
            }
            rounds!(step, between, a b c d);
            for (word, new) in state.0.iter_mut().zip([a, b, c, d]) {
                word[lane] = word[lane].wrapping_add(new);
            }
        }
    }
}

/// Blocks into words.
pub(crate) fn transpose<const L: usize>(blocks: &[&[u8; BLOCK]; L], words: &mut Words<L>) {
    for (lane, block) in blocks.iter().enumerate() {
        let (octets, _) = block.as_chunks();
        for (word, octets) in words.0.iter_mut().zip(octets) {
            word[lane] = u32::from_le_bytes(*octets);
        }
    }
}

/// The octets of one block, partly or wholly from behind the message's end.
pub(crate) fn compose(piece: &Piece<'_>, line: &mut [u8; BLOCK]) {
    let (octets, under) = piece.parts();
    *line = *under;
    line[..octets.len()].copy_from_slice(octets);
    let mut blank = !piece.mask(octets.len());
    if octets.len() < BLOCK {
        blank &= (1 << octets.len()) - 1;
    }
    if blank != 0 {
        for (place, octet) in line.iter_mut().enumerate() {
            if blank >> place & 1 == 1 {
                *octet = 0;
            }
        }
    }
}
