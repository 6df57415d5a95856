//! AVX2: 8 lanes a vector, up to three vectors interleaved.
#![allow(unsafe_code, reason = "loads, stores and the call into code for this processor")]
#![allow(clippy::needless_range_loop, reason = "the same lane of several arrays")]

use std::arch::x86_64::*;

use crate::{
    kernel::{BLOCK, Coming, Kernel, Lines, Rows, SLOTS, State, Words, rows},
    rounds::round,
};

/// Lanes of a vector.
pub(crate) const LANES: usize = 8;

/// Proof that the processor has AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, if the processor has it.
    pub(crate) fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }
}

impl Kernel<LANES> for Avx2 {
    /// Three vectors have 12 words of state, which 16 registers just hold; a fourth would be kept in memory.
    /// Counted, not measured.
    const INTERLEAVED: usize = 3;

    #[inline(always)]
    fn with_instructions<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: `self` exists only where `detect` found AVX2.
        unsafe { with_instructions(work) }
    }

    #[inline(always)]
    fn load<C: Coming<LANES>>(self, coming: &mut C, lines: &mut Lines<LANES>, words: &mut Words<LANES>) {
        // SAFETY: `self` exists only where `detect` found AVX2.
        unsafe { transpose(&rows(coming, lines), words) }
    }

    #[inline(always)]
    fn turn<C: Coming<LANES>>(
        self,
        active: usize,
        states: &mut [State<LANES>; SLOTS],
        words: &[Words<LANES>; SLOTS],
        coming: &mut [Option<C>; SLOTS],
        lines: &mut Lines<LANES>,
        next: &mut [Words<LANES>; SLOTS],
    ) {
        // Beside the rounds there is no room for the transposition in 16 registers.
        for (coming, next) in coming.iter_mut().zip(next) {
            if let Some(coming) = coming {
                self.load(coming, lines, next);
            }
        }
        // SAFETY: `self` exists only where `detect` found AVX2.
        unsafe {
            match active {
                1 => compress::<1>(states, words),
                2 => compress::<2>(states, words),
                _ => compress::<3>(states, words),
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn with_instructions<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline]
#[target_feature(enable = "avx2")]
fn half(octets: &[u8; BLOCK], n: usize) -> __m256i {
    let (halves, _) = octets.as_chunks::<32>();
    // SAFETY: 32 octets are there to be read; the instruction does not mind where they lie.
    unsafe { _mm256_loadu_si256(halves[n].as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn get(word: &[u32; LANES]) -> __m256i {
    // SAFETY: 8 words are 32 octets.
    unsafe { _mm256_loadu_si256(word.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn put(word: &mut [u32; LANES], value: __m256i) {
    // SAFETY: 8 words are 32 octets.
    unsafe { _mm256_storeu_si256(word.as_mut_ptr().cast(), value) }
}

/// Row n is the block of message n; word n has that word of every message.
#[target_feature(enable = "avx2")]
fn transpose(rows: &Rows<'_, LANES>, words: &mut Words<LANES>) {
    for n in 0..2 {
        // Part p of `quads[q][c]` has word 4p + c of messages 4q to 4q + 3.
        let mut quads = [[_mm256_setzero_si256(); 4]; 2];
        for q in 0..2 {
            let r0 = half(rows[4 * q], n);
            let r1 = half(rows[4 * q + 1], n);
            let r2 = half(rows[4 * q + 2], n);
            let r3 = half(rows[4 * q + 3], n);
            let low = [_mm256_unpacklo_epi32(r0, r1), _mm256_unpacklo_epi32(r2, r3)];
            let high = [_mm256_unpackhi_epi32(r0, r1), _mm256_unpackhi_epi32(r2, r3)];
            quads[q] = [
                _mm256_unpacklo_epi64(low[0], low[1]),
                _mm256_unpackhi_epi64(low[0], low[1]),
                _mm256_unpacklo_epi64(high[0], high[1]),
                _mm256_unpackhi_epi64(high[0], high[1]),
            ];
        }
        for c in 0..4 {
            let [q0, q1] = [quads[0][c], quads[1][c]];
            put(&mut words.0[8 * n + c], _mm256_permute2x128_si256::<0x20>(q0, q1));
            put(&mut words.0[8 * n + 4 + c], _mm256_permute2x128_si256::<0x31>(q0, q1));
        }
    }
}

#[target_feature(enable = "avx2")]
fn compress<const V: usize>(states: &mut [State<LANES>; SLOTS], words: &[Words<LANES>; SLOTS]) {
    let mut a = [_mm256_setzero_si256(); V];
    let (mut b, mut c, mut d) = (a, a, a);
    for v in 0..V {
        a[v] = get(&states[v].0[0]);
        b[v] = get(&states[v].0[1]);
        c[v] = get(&states[v].0[2]);
        d[v] = get(&states[v].0[3]);
    }
    // F picks c or d by b. G = (b & d) | (c & !d) has two parts without a common bit, so they are added one after the
    // other and the part without b does not wait for it. I = c ^ (b | !d) = !(c ^ (!b & d)), and adding !x is
    // subtracting x and one.
    macro_rules! mixed {
        (F $sum:ident $b:ident $c:ident $d:ident $v:ident) => {
            _mm256_add_epi32(
                $sum,
                _mm256_xor_si256($d[$v], _mm256_and_si256($b[$v], _mm256_xor_si256($c[$v], $d[$v]))),
            )
        };
        (G $sum:ident $b:ident $c:ident $d:ident $v:ident) => {
            _mm256_add_epi32(
                _mm256_add_epi32($sum, _mm256_andnot_si256($d[$v], $c[$v])),
                _mm256_and_si256($b[$v], $d[$v]),
            )
        };
        (H $sum:ident $b:ident $c:ident $d:ident $v:ident) => {
            _mm256_add_epi32($sum, _mm256_xor_si256($b[$v], _mm256_xor_si256($c[$v], $d[$v])))
        };
        (I $sum:ident $b:ident $c:ident $d:ident $v:ident) => {
            _mm256_sub_epi32($sum, _mm256_xor_si256($c[$v], _mm256_andnot_si256($b[$v], $d[$v])))
        };
    }
    macro_rules! constant {
        (I $constant:literal) => {
            ($constant as u32).wrapping_sub(1)
        };
        ($f:ident $constant:literal) => {
            $constant as u32
        };
    }
    macro_rules! step {
        ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            for v in 0..V {
                let constant = _mm256_set1_epi32(constant!($f $constant) as i32);
                let sum = add_word::<$word>(_mm256_add_epi32($a[v], constant), &words[v]);
                let sum = mixed!($f sum $b $c $d v);
                $a[v] = _mm256_add_epi32(rotate::<$shift, { 32 - $shift }>(sum), $b[v]);
            }
        };
    }
    round!(0, step, a b c d);
    round!(1, step, a b c d);
    round!(2, step, a b c d);
    round!(3, step, a b c d);
    for v in 0..V {
        let state = &mut states[v].0;
        for (word, new) in state.iter_mut().zip([a[v], b[v], c[v], d[v]]) {
            let sum = _mm256_add_epi32(get(word), new);
            put(word, sum);
        }
    }
}

/// The sum of a vector and word `W`, at this place and in this order. Left to itself the compiler loads every word once
/// for the four rounds, and for want of registers stores it again; and it adds first what comes last in a step.
#[inline]
#[target_feature(enable = "avx2")]
fn add_word<const W: usize>(value: __m256i, words: &Words<LANES>) -> __m256i {
    const { assert!(W < 16, "a block has 16 words") };
    let mut value = value;
    // An interpreter knows no assembly, and no cycles either.
    #[cfg(miri)]
    {
        value = _mm256_add_epi32(value, get(&words.0[W]));
    }
    // SAFETY: reads the 32 octets of one of the 16 words.
    #[cfg(not(miri))]
    unsafe {
        std::arch::asm!("vpaddd {0}, {0}, ymmword ptr [{1} + {2}]", inout(ymm_reg) value, in(reg) words, const W * size_of::<[u32; LANES]>(),
            options(pure, readonly, nostack, preserves_flags));
    }
    value
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const LEFT: i32, const RIGHT: i32>(value: __m256i) -> __m256i {
    if LEFT == 16 {
        let swapped = _mm256_set_epi8(
            13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6,
            1, 0, 3, 2,
        );
        return _mm256_shuffle_epi8(value, swapped);
    }
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(value), _mm256_srli_epi32::<RIGHT>(value))
}
