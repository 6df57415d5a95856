//! The three things digests are for: Request Authenticators, Response Authenticators, Message-Authenticators.

use crate::{
    MessageCheck, RequestCheck, ResponseSignature,
    kernel::{BLOCK, State, Words},
    order::BATCH,
    prepared::PADDING,
    scalar,
    schedule::Job,
    vector::{LONGEST, Message, Vector, blocks},
};

/// The words of the first block that are the Authenticator field.
const AUTHENTICATOR: std::ops::Range<usize> = 1..5;

/// Lanes whose words are all equal: bit n for lane n. The time depends on nothing.
#[inline(always)]
fn equal<const L: usize>(one: &State<L>, other: &State<L>) -> u32 {
    let mut different = [0; L];
    for (one, other) in one.0.iter().zip(&other.0) {
        for ((different, one), other) in different.iter_mut().zip(one).zip(other) {
            *different |= one ^ other;
        }
    }
    let mut equal = 0;
    for (lane, different) in different.into_iter().enumerate() {
        equal |= u32::from(different == 0) << lane;
    }
    equal
}

/// Request Authenticators to check: the field's own words are taken out of the first block and compared.
pub(crate) struct Requests<'c, 'a> {
    pub(crate) checks: &'c mut [RequestCheck<'a>],
}

impl<'a, const L: usize> Job<'a, L> for Requests<'_, 'a> {
    const PREFIX: u32 = 0;
    const BLANKS: bool = false;
    const TWICE: bool = false;

    #[inline(always)]
    fn blocks(&mut self, place: usize) -> usize {
        let check = &mut self.checks[place];
        check.genuine = false;
        let text = check.octets.len() + check.secret.length();
        if check.octets.len() < scalar::HEADER || check.secret.is_empty() {
            return 0;
        }
        if text > LONGEST {
            check.genuine = scalar::request(check.octets, check.secret.octets());
            return 0;
        }
        blocks(text)
    }

    #[inline(always)]
    fn message(&self, place: usize) -> Message<'a> {
        let check = &self.checks[place];
        Message { octets: check.octets, tail: check.secret.tail(), suffix: check.secret.length() }
    }

    #[inline(always)]
    fn blank(&self, _: usize, _: usize) -> u64 {
        0
    }

    #[inline(always)]
    fn begin(&mut self, _: &Vector<'a, L>, _: &mut State<L>, words: &mut Words<L>, aside: &mut State<L>) {
        for (expected, word) in aside.0.iter_mut().zip(&mut words.0[AUTHENTICATOR]) {
            *expected = std::mem::replace(word, [0; L]);
        }
    }

    #[inline(always)]
    fn between(&mut self, _: &Vector<'a, L>, _: &mut State<L>, _: &mut Words<L>) {}

    #[inline(always)]
    fn end(&mut self, vector: &Vector<'a, L>, state: &State<L>, aside: &State<L>) {
        let genuine = equal(state, aside);
        for (lane, &place) in vector.used_places().iter().enumerate() {
            self.checks[usize::from(place)].genuine = genuine >> lane & 1 == 1;
        }
    }
}

/// Response Authenticators to make.
pub(crate) struct Responses<'c, 'a> {
    pub(crate) responses: &'c [ResponseSignature<'a>],
    /// Out: what to put into each response.
    pub(crate) digests: &'c mut [[u8; 16]; BATCH],
}

impl<'c, const L: usize> Job<'c, L> for Responses<'c, '_> {
    const PREFIX: u32 = 0;
    const BLANKS: bool = false;
    const TWICE: bool = false;

    #[inline(always)]
    fn blocks(&mut self, place: usize) -> usize {
        let response = &self.responses[place];
        let text = response.octets.len() + response.secret.length();
        if response.octets.len() < scalar::HEADER {
            return 0;
        }
        if text > LONGEST {
            self.digests[place] = scalar::response(response.octets, response.secret.octets());
            return 0;
        }
        blocks(text)
    }

    #[inline(always)]
    fn message(&self, place: usize) -> Message<'c> {
        let response = &self.responses[place];
        Message { octets: response.octets, tail: response.secret.tail(), suffix: response.secret.length() }
    }

    #[inline(always)]
    fn blank(&self, _: usize, _: usize) -> u64 {
        0
    }

    #[inline(always)]
    fn begin(&mut self, _: &Vector<'c, L>, _: &mut State<L>, _: &mut Words<L>, _: &mut State<L>) {}

    #[inline(always)]
    fn between(&mut self, _: &Vector<'c, L>, _: &mut State<L>, _: &mut Words<L>) {}

    #[inline(always)]
    fn end(&mut self, vector: &Vector<'c, L>, state: &State<L>, _: &State<L>) {
        for (lane, &place) in vector.used_places().iter().enumerate() {
            let (words, _) = self.digests[usize::from(place)].as_chunks_mut();
            for (octets, word) in words.iter_mut().zip(&state.0) {
                *octets = word[lane].to_le_bytes();
            }
        }
    }
}

/// Message-Authenticators to check: an inner digest of the packet, an outer one of the inner.
pub(crate) struct Messages<'c, 'a> {
    pub(crate) checks: &'c mut [MessageCheck<'a>],
}

impl<'a, const L: usize> Job<'a, L> for Messages<'_, 'a> {
    const PREFIX: u32 = BLOCK as u32;
    const BLANKS: bool = true;
    const TWICE: bool = true;

    #[inline(always)]
    fn blocks(&mut self, place: usize) -> usize {
        let check = &mut self.checks[place];
        check.genuine = false;
        if scalar::message_authenticator(check.octets, check.offset).is_none() || check.secret.is_empty() {
            return 0;
        }
        if check.octets.len() > LONGEST {
            check.genuine = scalar::message(check);
            return 0;
        }
        blocks(check.octets.len())
    }

    #[inline(always)]
    fn message(&self, place: usize) -> Message<'a> {
        let check = &self.checks[place];
        Message { octets: check.octets, tail: &PADDING, suffix: 0 }
    }

    #[inline(always)]
    fn blank(&self, place: usize, position: usize) -> u64 {
        let offset = self.checks[place].offset;
        let blank = if offset >= position {
            0xFFFF_u64.checked_shl((offset - position).min(BLOCK) as u32)
        } else {
            0xFFFF_u64.checked_shr((position - offset).min(BLOCK) as u32)
        };
        blank.unwrap_or(0)
    }

    #[inline(always)]
    fn begin(
        &mut self,
        vector: &Vector<'a, L>,
        state: &mut State<L>,
        words: &mut Words<L>,
        _: &mut State<L>,
    ) {
        for (lane, &place) in vector.used_places().iter().enumerate() {
            let check = &self.checks[usize::from(place)];
            for (word, &inner) in state.0.iter_mut().zip(check.secret.inner()) {
                word[lane] = inner;
            }
            let keeps = u32::from(check.keeps_authenticator).wrapping_neg();
            for word in &mut words.0[AUTHENTICATOR] {
                word[lane] &= keeps;
            }
        }
    }

    #[inline(always)]
    fn between(&mut self, vector: &Vector<'a, L>, state: &mut State<L>, words: &mut Words<L>) {
        // The inner digest, its padding, and the length: a block of the key and 16 octets.
        *words = Words::ZERO;
        words.0[..4].copy_from_slice(&state.0);
        words.0[4] = [0x80; L];
        words.0[14] = [(64 + 16) * 8; L];
        for (lane, &place) in vector.used_places().iter().enumerate() {
            for (word, &outer) in state.0.iter_mut().zip(self.checks[usize::from(place)].secret.outer()) {
                word[lane] = outer;
            }
        }
    }

    #[inline(always)]
    fn end(&mut self, vector: &Vector<'a, L>, state: &State<L>, _: &State<L>) {
        let mut expected = State::ZERO;
        for (lane, &place) in vector.used_places().iter().enumerate() {
            let check = &self.checks[usize::from(place)];
            let Some(received) = scalar::message_authenticator(check.octets, check.offset) else { continue };
            let (received, _) = received.as_chunks();
            for (word, octets) in expected.0.iter_mut().zip(received) {
                word[lane] = u32::from_le_bytes(*octets);
            }
        }
        let genuine = equal(state, &expected);
        for (lane, &place) in vector.used_places().iter().enumerate() {
            self.checks[usize::from(place)].genuine = genuine >> lane & 1 == 1;
        }
    }
}
