//! AVX-512: 16 lanes a vector, four vectors interleaved. F, G, H and I are one instruction each, and so is the rotation:
//! six a step.
#![allow(unsafe_code, reason = "loads, stores and the call into code for this processor")]
#![allow(clippy::needless_range_loop, reason = "the same lane of several arrays")]

use std::arch::x86_64::*;

use crate::{
    kernel::{BLOCK, Kernel, Piece, SLOTS, State, Words, block_at},
    rounds::rounds,
};

/// Lanes of a vector.
pub(crate) const LANES: usize = 16;

/// Proof that the processor has AVX-512 F and BW.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The proof, if the processor has it.
    pub(crate) fn detect() -> Option<Avx512> {
        let there = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        there.then_some(Avx512(()))
    }
}

impl Kernel<LANES> for Avx512 {
    const INTERLEAVED: usize = 4;

    #[inline(always)]
    fn load(self, octets: &[&[u8]; LANES], position: usize, words: &mut Words<LANES>) {
        // SAFETY: `self` exists only where `detect` found these features.
        unsafe { load(octets, position, words) }
    }

    #[inline(always)]
    fn compose(self, pieces: &[Piece<'_>; LANES], words: &mut Words<LANES>) {
        // SAFETY: `self` exists only where `detect` found these features.
        unsafe { compose(pieces, words) }
    }

    #[inline(always)]
    fn compress(self, active: usize, states: &mut [State<LANES>; SLOTS], words: &[Words<LANES>; SLOTS]) {
        // SAFETY: `self` exists only where `detect` found these features.
        unsafe {
            match active {
                1 => compress::<1>(states, words),
                2 => compress::<2>(states, words),
                3 => compress::<3>(states, words),
                _ => compress::<4>(states, words),
            }
        }
    }
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

#[target_feature(enable = "avx512f,avx512bw")]
fn load(octets: &[&[u8]; LANES], position: usize, words: &mut Words<LANES>) {
    let mut rows = [_mm512_setzero_si512(); LANES];
    for lane in 0..LANES {
        rows[lane] = block(block_at(octets[lane], position));
    }
    transpose(rows, words);
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compose(pieces: &[Piece<'_>; LANES], words: &mut Words<LANES>) {
    let mut rows = [_mm512_setzero_si512(); LANES];
    for lane in 0..LANES {
        let (octets, under) = pieces[lane].parts();
        let mask = pieces[lane].mask(octets.len());
        // SAFETY: the mask has bits for octets of the slice only, and what is masked out is not touched.
        let octets = unsafe { _mm512_maskz_loadu_epi8(mask, octets.as_ptr().cast()) };
        rows[lane] = _mm512_or_si512(octets, block(under));
    }
    transpose(rows, words);
}

/// Row n is the block of message n; word n has that word of every message.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; LANES], words: &mut Words<LANES>) {
    // Words of four messages side by side: part p of `quads[q][c]` has word 4p + c of messages 4q to 4q + 3.
    let mut quads = [[_mm512_setzero_si512(); 4]; 4];
    for q in 0..4 {
        let [r0, r1, r2, r3] = [rows[4 * q], rows[4 * q + 1], rows[4 * q + 2], rows[4 * q + 3]];
        let low = [_mm512_unpacklo_epi32(r0, r1), _mm512_unpacklo_epi32(r2, r3)];
        let high = [_mm512_unpackhi_epi32(r0, r1), _mm512_unpackhi_epi32(r2, r3)];
        quads[q] = [
            _mm512_unpacklo_epi64(low[0], low[1]),
            _mm512_unpackhi_epi64(low[0], low[1]),
            _mm512_unpacklo_epi64(high[0], high[1]),
            _mm512_unpackhi_epi64(high[0], high[1]),
        ];
    }
    // The same of all sixteen.
    for c in 0..4 {
        let [q0, q1, q2, q3] = [quads[0][c], quads[1][c], quads[2][c], quads[3][c]];
        let low = [_mm512_shuffle_i32x4::<0x44>(q0, q1), _mm512_shuffle_i32x4::<0x44>(q2, q3)];
        let high = [_mm512_shuffle_i32x4::<0xEE>(q0, q1), _mm512_shuffle_i32x4::<0xEE>(q2, q3)];
        put(&mut words.0[c], _mm512_shuffle_i32x4::<0x88>(low[0], low[1]));
        put(&mut words.0[4 + c], _mm512_shuffle_i32x4::<0xDD>(low[0], low[1]));
        put(&mut words.0[8 + c], _mm512_shuffle_i32x4::<0x88>(high[0], high[1]));
        put(&mut words.0[12 + c], _mm512_shuffle_i32x4::<0xDD>(high[0], high[1]));
    }
}

/// The truth tables of F, G, H and I for `vpternlogd` over (b, c, d).
const F: i32 = 0xCA;
const G: i32 = 0xE4;
const H: i32 = 0x96;
const I: i32 = 0x39;

#[target_feature(enable = "avx512f")]
fn compress<const V: usize>(states: &mut [State<LANES>; SLOTS], words: &[Words<LANES>; SLOTS]) {
    let mut a = [_mm512_setzero_si512(); V];
    let (mut b, mut c, mut d) = (a, a, a);
    for v in 0..V {
        a[v] = get(&states[v].0[0]);
        b[v] = get(&states[v].0[1]);
        c[v] = get(&states[v].0[2]);
        d[v] = get(&states[v].0[3]);
    }
    let mut words = words;
    macro_rules! step {
        ($f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            for v in 0..V {
                let constant = _mm512_set1_epi32($constant as u32 as i32);
                let mixed = _mm512_ternarylogic_epi32::<$f>($b[v], $c[v], $d[v]);
                let sum = _mm512_add_epi32(_mm512_add_epi32($a[v], constant), get(&words[v].0[$word]));
                let sum = _mm512_add_epi32(sum, mixed);
                $a[v] = _mm512_add_epi32(_mm512_rol_epi32::<$shift>(sum), $b[v]);
            }
        };
    }
    // Without this the compiler loads every word once for the four rounds and keeps it, in memory again, since it has no
    // register left.
    macro_rules! between {
        () => {
            words = std::hint::black_box(words);
        };
    }
    rounds!(step, between, a b c d);
    for v in 0..V {
        let state = &mut states[v].0;
        for (word, new) in state.iter_mut().zip([a[v], b[v], c[v], d[v]]) {
            let sum = _mm512_add_epi32(get(word), new);
            put(word, sum);
        }
    }
}
