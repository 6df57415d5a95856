//! The three things digests are for: Request Authenticators, Response Authenticators, Message-Authenticators.

use crate::{
    MessageCheck, RequestCheck, ResponseSignature,
    kernel::{NO_BLANK, State, Words},
    order::BATCH,
    prepared::PADDING,
    scalar,
    schedule::{Job, LONGEST, Message, Vector, blocks},
};

/// The words of the first block that are the Authenticator field.
const AUTHENTICATOR: std::ops::Range<usize> = 1..5;

/// Lanes whose words are all equal. The time depends on nothing.
fn equal<const L: usize>(one: &State<L>, other: &State<L>) -> [bool; L] {
    let mut different = [0; L];
    for (one, other) in one.0.iter().zip(&other.0) {
        for lane in 0..L {
            different[lane] |= one[lane] ^ other[lane];
        }
    }
    different.map(|bits| bits == 0)
}

/// Request Authenticators to check: the field's own words are taken out of the first block and compared.
pub(crate) struct Requests<'c, 'a> {
    pub(crate) checks: &'c mut [RequestCheck<'a>],
}

impl<'a, const L: usize> Job<'a, L> for Requests<'_, 'a> {
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
        Message {
            octets: check.octets,
            tail: check.secret.tail(),
            suffix: check.secret.length(),
            prefix: 0,
            blank: NO_BLANK,
        }
    }

    #[inline(always)]
    fn begin(&mut self, vector: &mut Vector<'a, L>, _: &mut State<L>, words: &mut Words<L>) {
        for (expected, word) in vector.expected.0.iter_mut().zip(&mut words.0[AUTHENTICATOR]) {
            *expected = std::mem::replace(word, [0; L]);
        }
    }

    #[inline(always)]
    fn end(&mut self, vector: &mut Vector<'a, L>, state: &mut State<L>, _: &mut Words<L>) -> bool {
        let genuine = equal(state, &vector.expected);
        for (&place, genuine) in vector.places().iter().zip(genuine) {
            self.checks[usize::from(place)].genuine = genuine;
        }
        false
    }
}

/// Response Authenticators to make.
pub(crate) struct Responses<'c, 'a> {
    pub(crate) responses: &'c [ResponseSignature<'a>],
    /// Out: what to put into each response.
    pub(crate) digests: &'c mut [[u8; 16]; BATCH],
}

impl<'c, const L: usize> Job<'c, L> for Responses<'c, '_> {
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
        Message {
            octets: response.octets,
            tail: response.secret.tail(),
            suffix: response.secret.length(),
            prefix: 0,
            blank: NO_BLANK,
        }
    }

    #[inline(always)]
    fn begin(&mut self, _: &mut Vector<'c, L>, _: &mut State<L>, _: &mut Words<L>) {}

    #[inline(always)]
    fn end(&mut self, vector: &mut Vector<'c, L>, state: &mut State<L>, _: &mut Words<L>) -> bool {
        for (lane, &place) in vector.places().iter().enumerate() {
            let (words, _) = self.digests[usize::from(place)].as_chunks_mut();
            for (octets, word) in words.iter_mut().zip(&state.0) {
                *octets = word[lane].to_le_bytes();
            }
        }
        false
    }
}

/// Message-Authenticators to check: an inner digest of the packet, an outer one of the inner.
pub(crate) struct Messages<'c, 'a> {
    pub(crate) checks: &'c mut [MessageCheck<'a>],
}

impl<'a, const L: usize> Job<'a, L> for Messages<'_, 'a> {
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
        Message { octets: check.octets, tail: &PADDING, suffix: 0, prefix: 64, blank: check.offset }
    }

    #[inline(always)]
    fn begin(&mut self, vector: &mut Vector<'a, L>, state: &mut State<L>, words: &mut Words<L>) {
        for (lane, &place) in vector.places().iter().enumerate() {
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
    fn end(&mut self, vector: &mut Vector<'a, L>, state: &mut State<L>, words: &mut Words<L>) -> bool {
        if !vector.outer {
            // The inner digest, its padding, and the length: a block of the key and 16 octets.
            *words = Words::ZERO;
            words.0[..4].copy_from_slice(&state.0);
            words.0[4] = [0x80; L];
            words.0[14] = [(64 + 16) * 8; L];
            for (lane, &place) in vector.places().iter().enumerate() {
                for (word, &outer) in state.0.iter_mut().zip(self.checks[usize::from(place)].secret.outer()) {
                    word[lane] = outer;
                }
            }
            return true;
        }
        let mut expected = State::ZERO;
        for (lane, &place) in vector.places().iter().enumerate() {
            let check = &self.checks[usize::from(place)];
            let Some(received) = scalar::message_authenticator(check.octets, check.offset) else { continue };
            let (received, _) = received.as_chunks();
            for (word, octets) in expected.0.iter_mut().zip(received) {
                word[lane] = u32::from_le_bytes(*octets);
            }
        }
        let genuine = equal(state, &expected);
        for (&place, genuine) in vector.places().iter().zip(genuine) {
            self.checks[usize::from(place)].genuine = genuine;
        }
        false
    }
}
