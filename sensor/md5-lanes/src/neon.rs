//! NEON: 4 lanes a vector, three vectors interleaved.
#![allow(unsafe_code, reason = "loads, stores and the call into code for this processor")]
#![allow(clippy::needless_range_loop, reason = "the same lane of several arrays")]

use std::arch::aarch64::*;

use crate::{
    kernel::{BLOCK, Coming, Kernel, Lines, Rows, SLOTS, State, Words, rows},
    rounds::round,
};

/// Lanes of a vector.
pub(crate) const LANES: usize = 4;

/// Proof that the processor has NEON.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    /// The proof, if the processor has it.
    pub(crate) fn detect() -> Option<Neon> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

impl Kernel<LANES> for Neon {
    /// A step is a chain of ten cycles of 7.5 instructions (two-cycle latency): three vectors keep two ports busy.
    /// Counted from the processors' manuals, not measured.
    const INTERLEAVED: usize = 3;

    #[inline(always)]
    fn with_instructions<R>(self, work: impl FnOnce() -> R) -> R {
        // Every aarch64 target that this is built for has NEON throughout.
        work()
    }

    #[inline(always)]
    fn load<C: Coming<LANES>>(self, coming: &mut C, lines: &mut Lines<LANES>, words: &mut Words<LANES>) {
        // SAFETY: `self` exists only where `detect` found NEON.
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
        // Not in the gaps of the rounds: that is to be found out on a processor.
        for (coming, next) in coming.iter_mut().zip(next) {
            if let Some(coming) = coming {
                self.load(coming, lines, next);
            }
        }
        // SAFETY: `self` exists only where `detect` found NEON.
        unsafe {
            match active {
                1 => compress::<1>(states, words),
                2 => compress::<2>(states, words),
                _ => compress::<3>(states, words),
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn quarter(octets: &[u8; BLOCK], n: usize) -> uint32x4_t {
    let (quarters, _) = octets.as_chunks::<16>();
    // SAFETY: 16 octets are there to be read; the instruction does not mind where they lie. The words of MD5 are little
    // endian, and so is every aarch64 that this is built for.
    unsafe { vreinterpretq_u32_u8(vld1q_u8(quarters[n].as_ptr())) }
}

#[inline]
#[target_feature(enable = "neon")]
fn get(word: &[u32; LANES]) -> uint32x4_t {
    // SAFETY: four words are 16 octets.
    unsafe { vld1q_u32(word.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn put(word: &mut [u32; LANES], value: uint32x4_t) {
    // SAFETY: four words are 16 octets.
    unsafe { vst1q_u32(word.as_mut_ptr(), value) }
}

/// Row n is the block of message n; word n has that word of every message.
#[target_feature(enable = "neon")]
fn transpose(rows: &Rows<'_, LANES>, words: &mut Words<LANES>) {
    for n in 0..4 {
        let [r0, r1] = [quarter(rows[0], n), quarter(rows[1], n)];
        let [r2, r3] = [quarter(rows[2], n), quarter(rows[3], n)];
        let even = [vtrn1q_u32(r0, r1), vtrn1q_u32(r2, r3)].map(|pair| vreinterpretq_u64_u32(pair));
        let odd = [vtrn2q_u32(r0, r1), vtrn2q_u32(r2, r3)].map(|pair| vreinterpretq_u64_u32(pair));
        put(&mut words.0[4 * n], vreinterpretq_u32_u64(vtrn1q_u64(even[0], even[1])));
        put(&mut words.0[4 * n + 1], vreinterpretq_u32_u64(vtrn1q_u64(odd[0], odd[1])));
        put(&mut words.0[4 * n + 2], vreinterpretq_u32_u64(vtrn2q_u64(even[0], even[1])));
        put(&mut words.0[4 * n + 3], vreinterpretq_u32_u64(vtrn2q_u64(odd[0], odd[1])));
    }
}

#[target_feature(enable = "neon")]
fn compress<const V: usize>(states: &mut [State<LANES>; SLOTS], words: &[Words<LANES>; SLOTS]) {
    let mut a = [vdupq_n_u32(0); V];
    let (mut b, mut c, mut d) = (a, a, a);
    for v in 0..V {
        a[v] = get(&states[v].0[0]);
        b[v] = get(&states[v].0[1]);
        c[v] = get(&states[v].0[2]);
        d[v] = get(&states[v].0[3]);
    }
    let mut words = words;
    macro_rules! mixed {
        (F $b:expr, $c:expr, $d:expr) => {
            vbslq_u32($b, $c, $d)
        };
        (G $b:expr, $c:expr, $d:expr) => {
            vbslq_u32($d, $b, $c)
        };
        (H $b:expr, $c:expr, $d:expr) => {
            veorq_u32($b, veorq_u32($c, $d))
        };
        (I $b:expr, $c:expr, $d:expr) => {
            veorq_u32($c, vornq_u32($b, $d))
        };
    }
    macro_rules! step {
        ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            for v in 0..V {
                let sum = vaddq_u32(vaddq_u32($a[v], vdupq_n_u32($constant)), get(&words[v].0[$word]));
                let sum = vaddq_u32(sum, mixed!($f $b[v], $c[v], $d[v]));
                $a[v] = vaddq_u32(rotate::<$shift, { 32 - $shift }>(sum), $b[v]);
            }
        };
    }
    // Without this the compiler loads every word once for the four rounds and, for want of registers, stores it again.
    macro_rules! between {
        () => {
            words = std::hint::black_box(words);
        };
    }
    round!(0, step, a b c d);
    between!();
    round!(1, step, a b c d);
    between!();
    round!(2, step, a b c d);
    between!();
    round!(3, step, a b c d);
    for v in 0..V {
        let state = &mut states[v].0;
        for (word, new) in state.iter_mut().zip([a[v], b[v], c[v], d[v]]) {
            let sum = vaddq_u32(get(word), new);
            put(word, sum);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn rotate<const LEFT: i32, const RIGHT: i32>(value: uint32x4_t) -> uint32x4_t {
    if LEFT == 16 {
        return vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(value)));
    }
    vsliq_n_u32::<LEFT>(vshrq_n_u32::<RIGHT>(value), value)
}
