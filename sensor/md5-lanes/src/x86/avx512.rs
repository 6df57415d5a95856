//! AVX-512: 16 lanes a vector, four vectors interleaved. F, G, H and I are one instruction each, and so is the rotation:
//! six a step.
#![allow(unsafe_code, reason = "loads, stores and the call into code for this processor")]
#![allow(clippy::needless_range_loop, reason = "the same lane of several arrays")]

use std::{arch::x86_64::*, hint::black_box};

use crate::{
    kernel::{BLOCK, Coming, Kernel, Lines, PIECES, Piece, SLOTS, State, Words},
    rounds::{PERIOD, STEPS, Step},
};

/// Lanes of a vector.
pub(crate) const LANES: usize = 16;

/// Proof that the processor has AVX-512 F and BW, and BMI1 and BMI2 as all of these have.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The proof, if the processor has it.
    pub(crate) fn detect() -> Option<Avx512> {
        let there = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2");
        there.then_some(Avx512(()))
    }
}

impl Kernel<LANES> for Avx512 {
    /// Sixteen words of state, of 32 registers; [`SLOTS`] says how the number was found.
    const INTERLEAVED: usize = 4;

    #[inline(always)]
    fn with_instructions<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: `self` exists only where `detect` found these features.
        unsafe { with_instructions(work) }
    }

    #[inline(always)]
    fn load<C: Coming<LANES>>(self, coming: &mut C, _: &mut Lines<LANES>, words: &mut Words<LANES>) {
        // SAFETY: `self` exists only where `detect` found these features.
        unsafe { load(coming, words) }
    }

    #[inline(always)]
    fn turn<C: Coming<LANES>>(
        self,
        active: usize,
        states: &mut [State<LANES>; SLOTS],
        words: &[Words<LANES>; SLOTS],
        coming: &mut [Option<C>; SLOTS],
        _: &mut Lines<LANES>,
        next: &mut [Words<LANES>; SLOTS],
    ) {
        // SAFETY: `self` exists only where `detect` found these features.
        unsafe {
            match active {
                1 => turn::<1, C>(states, words, coming, next),
                2 => turn::<2, C>(states, words, coming, next),
                3 => turn::<3, C>(states, words, coming, next),
                _ => turn::<4, C>(states, words, coming, next),
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn with_instructions<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline]
#[target_feature(enable = "avx512f")]
fn block(octets: &[u8; BLOCK]) -> __m512i {
    // SAFETY: 64 octets are there to be read; the instruction does not mind where they lie.
    unsafe { _mm512_loadu_si512(octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn get(word: &[u32; LANES]) -> __m512i {
    // SAFETY: 16 words are 64 octets.
    unsafe { _mm512_loadu_si512(word.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn put(word: &mut [u32; LANES], value: __m512i) {
    // SAFETY: 16 words are 64 octets.
    unsafe { _mm512_storeu_si512(word.as_mut_ptr().cast(), value) }
}

/// A block put together in a register: no octet of it is stored before it is transposed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn composed(piece: Piece<'_>) -> __m512i {
    // A pointer that may not be read would not fault under an empty mask, but cost as much as if it did.
    let octets = if piece.octets.is_empty() { piece.under.as_ptr() } else { piece.octets.as_ptr() };
    // SAFETY: the mask has bits for octets of the slice only, and what is masked out is not touched.
    let octets = unsafe { _mm512_maskz_loadu_epi8(piece.mask(), octets.cast()) };
    _mm512_or_si512(octets, block(piece.under))
}

/// Four rows of what is coming. A macro, since a function would not be inlined where it has to be, between the steps.
macro_rules! load_rows {
    ($quad:expr, $coming:expr, $rows:ident) => {
        if $coming.is_whole() {
            for lane in 0..4 {
                $rows[lane] = block($coming.row(4 * $quad + lane));
            }
        } else {
            for lane in 0..4 {
                $rows[lane] = composed($coming.piece(4 * $quad + lane));
            }
        }
    };
}

/// Does the work of what is coming, and puts its blocks into words: word n has that word of every message.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn load<C: Coming<LANES>>(coming: &mut C, words: &mut Words<LANES>) {
    for quad in 0..4 {
        coming.work(quad);
        let mut rows = [_mm512_setzero_si512(); 4];
        load_rows!(quad, coming, rows);
        transpose_rows(quad, rows, words);
    }
    for quad in 0..4 {
        transpose_words(quad, words);
    }
}

/// The first half of that for a quarter of the rows: words of four messages side by side. Part p of word 4 quad + c has
/// word 4 p + c of messages 4 quad to 4 quad + 3.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_rows(quad: usize, [r0, r1, r2, r3]: [__m512i; 4], words: &mut Words<LANES>) {
    let low = [_mm512_unpacklo_epi32(r0, r1), _mm512_unpacklo_epi32(r2, r3)];
    let high = [_mm512_unpackhi_epi32(r0, r1), _mm512_unpackhi_epi32(r2, r3)];
    let (quads, _) = words.0.as_chunks_mut::<4>();
    let quad = &mut quads[quad % 4];
    put(&mut quad[0], _mm512_unpacklo_epi64(low[0], low[1]));
    put(&mut quad[1], _mm512_unpackhi_epi64(low[0], low[1]));
    put(&mut quad[2], _mm512_unpacklo_epi64(high[0], high[1]));
    put(&mut quad[3], _mm512_unpackhi_epi64(high[0], high[1]));
}

/// The second half, when the first is done for all rows, for words c, 4 + c, 8 + c and 12 + c.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_words(c: usize, words: &mut Words<LANES>) {
    let c = c % 4;
    let [q0, q1] = [get(&words.0[c]), get(&words.0[4 + c])];
    let [q2, q3] = [get(&words.0[8 + c]), get(&words.0[12 + c])];
    let low = [_mm512_shuffle_i32x4::<0x44>(q0, q1), _mm512_shuffle_i32x4::<0x44>(q2, q3)];
    let high = [_mm512_shuffle_i32x4::<0xEE>(q0, q1), _mm512_shuffle_i32x4::<0xEE>(q2, q3)];
    put(&mut words.0[c], _mm512_shuffle_i32x4::<0x88>(low[0], low[1]));
    put(&mut words.0[4 + c], _mm512_shuffle_i32x4::<0xDD>(low[0], low[1]));
    put(&mut words.0[8 + c], _mm512_shuffle_i32x4::<0x88>(high[0], high[1]));
    put(&mut words.0[12 + c], _mm512_shuffle_i32x4::<0xDD>(high[0], high[1]));
}

/// The sum of a vector and a word, at this place and in this order. Left to itself the compiler adds first what comes
/// last in a step, and on which all else waits, so that a step is a chain of seven cycles instead of five.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_word(value: __m512i, words: &Words<LANES>, word: u8) -> __m512i {
    let mut value = value;
    // An interpreter knows no assembly, and no cycles either.
    #[cfg(miri)]
    {
        value = _mm512_add_epi32(value, get(&words.0[usize::from(word % 16)]));
    }
    // SAFETY: reads the 64 octets of one of the 16 words.
    #[cfg(not(miri))]
    unsafe {
        std::arch::asm!("vpaddd {0}, {0}, zmmword ptr [{1} + {2}]", inout(zmm_reg) value, in(reg) words,
            in(reg) usize::from(word % 16) * size_of::<[u32; LANES]>(),
            options(pure, readonly, nostack, preserves_flags));
    }
    value
}

/// The truth tables of F, G, H and I for `vpternlogd` over (b, c, d).
const F: i32 = 0xCA;
const G: i32 = 0xE4;
const H: i32 = 0x96;
const I: i32 = 0x39;

/// One block more for `V` vectors; in the first two rounds the first half of the transposition of what comes, in the
/// other two the second, and the work.
///
/// Each round is a loop over its four quarters. Expanded, all this is more than the first-level instruction cache
/// holds, and was slower by a third.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
fn turn<const V: usize, C: Coming<LANES>>(
    states: &mut [State<LANES>; SLOTS],
    words: &[Words<LANES>; SLOTS],
    coming: &mut [Option<C>; SLOTS],
    next: &mut [Words<LANES>; SLOTS],
) {
    const {
        assert!(
            PIECES == 16 / PERIOD && SLOTS == 4,
            "a piece for each quarter of a round, a slot for each half"
        )
    };
    let mut a = [_mm512_setzero_si512(); V];
    let (mut b, mut c, mut d) = (a, a, a);
    for v in 0..V {
        a[v] = get(&states[v].0[0]);
        b[v] = get(&states[v].0[1]);
        c[v] = get(&states[v].0[2]);
        d[v] = get(&states[v].0[3]);
    }
    macro_rules! step {
        ($step:expr, $f:ident $a:ident $b:ident $c:ident $d:ident, $shift:literal) => {
            let Step { word, constant } = $step;
            let constant = _mm512_set1_epi32(constant as i32);
            for v in 0..V {
                let mixed = _mm512_ternarylogic_epi32::<$f>($b[v], $c[v], $d[v]);
                let sum = add_word(_mm512_add_epi32($a[v], constant), &words[v], word);
                let sum = _mm512_add_epi32(sum, mixed);
                $a[v] = _mm512_add_epi32(_mm512_rol_epi32::<$shift>(sum), $b[v]);
            }
        };
    }
    macro_rules! beside {
        (rows, $quarter:ident, $slot:expr) => {
            if $slot < V
                && let Some(coming) = &coming[$slot]
            {
                let mut rows = [_mm512_setzero_si512(); 4];
                load_rows!($quarter, coming, rows);
                transpose_rows($quarter, rows, &mut next[$slot]);
            }
        };
        (words, $quarter:ident, $slot:expr) => {
            if $slot < V
                && let Some(coming) = &mut coming[$slot]
            {
                transpose_words($quarter, &mut next[$slot]);
                coming.work($quarter);
            }
        };
    }
    macro_rules! round {
        ($round:literal, $f:ident, $s0:literal $s1:literal $s2:literal $s3:literal, $half:ident, $first:literal) => {
            let (quarters, _) = STEPS[$round].as_chunks::<PERIOD>();
            for (quarter, steps) in quarters.iter().enumerate() {
                step!(steps[0], $f a b c d, $s0);
                beside!($half, quarter, $first);
                step!(steps[1], $f d a b c, $s1);
                step!(steps[2], $f c d a b, $s2);
                beside!($half, quarter, $first + 1);
                step!(steps[3], $f b c d a, $s3);
            }
        };
    }
    round!(0, F, 7 12 17 22, rows, 0);
    round!(1, G, 5 9 14 20, rows, 2);
    round!(2, H, 4 11 16 23, words, 0);
    round!(3, I, 6 10 15 21, words, 2);
    // Otherwise the compiler keeps what it loaded at the beginning, in memory of its own.
    let states = black_box(states);
    for v in 0..V {
        let state = &mut states[v].0;
        for (word, new) in state.iter_mut().zip([a[v], b[v], c[v], d[v]]) {
            let sum = _mm512_add_epi32(get(word), new);
            put(word, sum);
        }
    }
}
