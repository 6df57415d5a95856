//! Answers that are built and not yet sent, in memory allocated at start.

use arrayvec::ArrayVec;
use md5_lanes::{Lanes, Prepared, ResponseSignature};
use radius::{Request, response};

use crate::{capture::BURST, dedup};

/// One answer and what there is to do about its request.
pub(super) struct Answer<R> {
    pub(super) route: R,
    /// The request's entry in the duplicate table; `None` for an answer that records nothing.
    pub(super) slot: Option<dedup::Slot>,
    /// The number of the datagram, from 0, as the observer knows it.
    pub(super) number: u64,
    pub(super) arrival_monotonic_ns: u64,
    start: u32,
    length: u32,
}

/// A list of answers with their octets. Bounded by its two capacities: what does not fit is refused.
pub(super) struct Answers<R> {
    list: Vec<Answer<R>>,
    octets: Box<[u8]>,
    used: usize,
    /// Answers whose digest is computed.
    signed: usize,
    sent: usize,
}

impl<R> Answers<R> {
    pub(super) fn new(answers: usize, octets: usize) -> Answers<R> {
        Answers {
            list: Vec::with_capacity(answers),
            octets: vec![0; octets].into_boxed_slice(),
            used: 0,
            signed: 0,
            sent: 0,
        }
    }

    /// Whether an answer of `octets` octets fits.
    pub(super) fn has_room(&self, octets: usize) -> bool {
        self.list.len() < self.list.capacity() && self.used + octets <= self.octets.len()
    }

    /// Writes the answer to `request`, all but its digest. False, and nothing changed, if it does not fit.
    pub(super) fn push(
        &mut self,
        request: &Request<'_>,
        route: R,
        slot: Option<dedup::Slot>,
        number: u64,
        arrival_monotonic_ns: u64,
    ) -> bool {
        if self.list.len() == self.list.capacity() {
            return false;
        }
        let Ok(length) = response::write_unsigned(request, &mut self.octets[self.used..]) else {
            return false;
        };
        let start = self.used as u32;
        self.used += length;
        self.list.push(Answer { route, slot, number, arrival_monotonic_ns, start, length: length as u32 });
        true
    }

    /// Computes the digests of the answers written since the last call, under `secrets` in their order.
    pub(super) fn sign(&mut self, lanes: &mut Lanes, secrets: &[&Prepared]) {
        debug_assert_eq!(self.list.len() - self.signed, secrets.len(), "a secret for each answer");
        let Some(first) = self.list.get(self.signed) else { return };
        let mut rest = &mut self.octets[first.start as usize..self.used];
        let mut answers = self.list[self.signed..].iter().zip(secrets);
        // A burst writes no more than this, but nothing here depends on it.
        loop {
            let mut signatures: ArrayVec<ResponseSignature<'_>, BURST> = ArrayVec::new();
            for (answer, secret) in answers.by_ref().take(BURST) {
                let (octets, behind) = std::mem::take(&mut rest).split_at_mut(answer.length as usize);
                rest = behind;
                signatures.push(ResponseSignature { octets, secret });
            }
            if signatures.is_empty() {
                break;
            }
            lanes.sign_responses(&mut signatures);
        }
        self.signed = self.list.len();
    }

    /// The next answer to send.
    pub(super) fn next(&self) -> Option<(&Answer<R>, &[u8])> {
        let answer = self.list.get(self.sent)?;
        Some((answer, &self.octets[answer.start as usize..][..answer.length as usize]))
    }

    /// The one that `next` gave is sent.
    pub(super) fn sent_one(&mut self) {
        self.sent += 1;
    }

    pub(super) fn unsent(&self) -> usize {
        self.list.len() - self.sent
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Answer<R>> {
        self.list.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.used = 0;
        self.signed = 0;
        self.sent = 0;
    }
}
