//! Answers that are built and not yet sent, in memory allocated at start.

use radius::{Request, response};

use crate::dedup;

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
    sent: usize,
}

impl<R> Answers<R> {
    pub(super) fn new(answers: usize, octets: usize) -> Answers<R> {
        Answers {
            list: Vec::with_capacity(answers),
            octets: vec![0; octets].into_boxed_slice(),
            used: 0,
            sent: 0,
        }
    }

    /// Whether an answer of `octets` octets fits.
    pub(super) fn has_room(&self, octets: usize) -> bool {
        self.list.len() < self.list.capacity() && self.used + octets <= self.octets.len()
    }

    /// Writes the answer to `request`. False, and nothing changed, if it does not fit.
    pub(super) fn push(
        &mut self,
        request: &Request<'_>,
        secret: &[u8],
        route: R,
        slot: Option<dedup::Slot>,
        number: u64,
        arrival_monotonic_ns: u64,
    ) -> bool {
        if self.list.len() == self.list.capacity() {
            return false;
        }
        let Ok(length) = response::write(request, secret, &mut self.octets[self.used..]) else {
            return false;
        };
        let start = self.used as u32;
        self.used += length;
        self.list.push(Answer { route, slot, number, arrival_monotonic_ns, start, length: length as u32 });
        true
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
        self.sent = 0;
    }
}
