//! The schedule: puts the messages of a batch into lanes, feeds the kernel block by block, and hands each vector that
//! is done to the job that knows what its digests are for. Safe code, the same for every path.
//!
//! All active vectors advance together, by a block a turn. In the same turn the kernel loads what comes next, the
//! following block or the first one of a vector that waits, and the lanes of the vector after that are filled: work for
//! the units that the rounds leave idle. When a vector is done the next takes its slot, so that all slots are busy
//! until the batch runs out. Octets are read where they lie; only the end of a message is composed, from its last
//! octets and the tail of its secret.

use zeroize::Zeroize;

use crate::{
    kernel::{self, BLOCK, Kernel, Lines, PIECES, Piece, SLOTS, State, Words, block_at},
    order::{BATCH, Order},
    rounds::INITIAL,
    vector::{Message, Vector},
};

/// What the digests of a batch are for.
pub(crate) trait Job<'m, const L: usize> {
    /// Octets that were digested before the message.
    const PREFIX: u32;
    /// Whether octets of the message count as zero.
    const BLANKS: bool;
    /// Whether the digest is digested once more, so that nothing can follow it at once.
    const TWICE: bool;
    /// How many blocks the message at this place has; 0 if it is not to be digested.
    fn blocks(&mut self, place: usize) -> usize;
    /// The message at this place.
    fn message(&self, place: usize) -> Message<'m>;
    /// Which octets count as zero in the block at `position` of the message at this place: bit n for octet n.
    fn blank(&self, place: usize, position: usize) -> u64;
    /// The first block is in the words. `aside` is the vector's to keep until the end.
    fn begin(
        &mut self,
        vector: &Vector<'m, L>,
        state: &mut State<L>,
        words: &mut Words<L>,
        aside: &mut State<L>,
    );
    /// The first of two digests is in the state: put the block for the second into the words.
    fn between(&mut self, vector: &Vector<'m, L>, state: &mut State<L>, words: &mut Words<L>);
    /// The vector's messages are digested.
    fn end(&mut self, vector: &Vector<'m, L>, state: &State<L>, aside: &State<L>);
}

/// The memory of a worker's lanes. Words hold octets of secrets until the next batch overwrites them or this
/// is dropped, which wipes them.
pub(crate) struct Scratch<const L: usize> {
    order: Order,
    states: [State<L>; SLOTS],
    /// The states of before the turn, where lanes have ended.
    before: [State<L>; SLOTS],
    aside: [State<L>; SLOTS],
    /// What is digested in this turn, and what comes in the next, by turns.
    words: [[Words<L>; SLOTS]; 2],
    lines: Lines<L>,
}

impl<const L: usize> Scratch<L> {
    pub(crate) fn new() -> Box<Scratch<L>> {
        Box::new(Scratch {
            order: Order::new(),
            states: [State::ZERO; SLOTS],
            before: [State::ZERO; SLOTS],
            aside: [State::ZERO; SLOTS],
            words: [[Words::ZERO; SLOTS]; 2],
            lines: Lines::ZERO,
        })
    }
}

impl<const L: usize> Drop for Scratch<L> {
    fn drop(&mut self) {
        self.states.zeroize();
        self.before.zeroize();
        self.aside.zeroize();
        self.words.zeroize();
        self.lines.zeroize();
    }
}

/// What a slot does after this turn.
#[derive(Clone, Copy, PartialEq)]
enum Coming {
    /// The following block.
    Block,
    /// The first block of the vector that waits beside it.
    Vector,
    /// Nothing that is known before this turn's digests are.
    Nothing,
}

/// A vector at work and the one that follows it.
struct Slot<'m, const L: usize> {
    vectors: [Vector<'m, L>; 2],
    /// Which of them is at work.
    at_work: usize,
    /// The block in this turn.
    block: usize,
    /// Whether this turn is for the second of two digests.
    again: bool,
    coming: Coming,
}

impl<'m, const L: usize> Slot<'m, L> {
    const EMPTY: Slot<'m, L> = Slot {
        vectors: [const { Vector::EMPTY }; 2],
        at_work: 0,
        block: 0,
        again: false,
        coming: Coming::Nothing,
    };

    #[inline(always)]
    fn vector(&self) -> &Vector<'m, L> {
        &self.vectors[self.at_work & 1]
    }

    /// Whether some message of the vector has ended before this turn's block.
    #[inline(always)]
    fn is_mixed(&self) -> bool {
        !self.again && self.block > self.vector().ends.0
    }

    /// Decides what comes next: the block, if it is known.
    #[inline(always)]
    fn prepare<'s, J: Job<'m, L>>(
        &'s mut self,
        job: &'s J,
        waiting: &mut &[u16],
    ) -> Option<Preparation<'s, 'm, L, J>> {
        let [one, other] = &mut self.vectors;
        let (vector, spare) = if self.at_work & 1 == 0 { (one, other) } else { (other, one) };
        if !self.again && self.block < vector.ends.1 {
            self.coming = Coming::Block;
            // The vector that follows is filled on the way, a turn or more before it is needed.
            let fill = if spare.used == 0 && spare.take(waiting) { Some(spare) } else { None };
            return Some(Preparation::new(job, vector, self.block + 1, fill));
        }
        if spare.used == 0 && spare.take(waiting) {
            spare.fill(0..L, job);
            spare.filled::<J>();
        }
        if spare.used == 0 || (J::TWICE && !self.again) {
            self.coming = Coming::Nothing;
            return None;
        }
        self.coming = Coming::Vector;
        Some(Preparation::new(job, spare, 0, None))
    }
}

/// A block to come, and perhaps a vector to fill for later.
struct Preparation<'s, 'm, const L: usize, J> {
    job: &'s J,
    vector: &'s Vector<'m, L>,
    /// Where the block begins in the messages that are not done.
    position: usize,
    whole: bool,
    fill: Option<&'s mut Vector<'m, L>>,
}

impl<'s, 'm, const L: usize, J: Job<'m, L>> Preparation<'s, 'm, L, J> {
    #[inline(always)]
    fn new(
        job: &'s J,
        vector: &'s Vector<'m, L>,
        block: usize,
        fill: Option<&'s mut Vector<'m, L>>,
    ) -> Preparation<'s, 'm, L, J> {
        Preparation { job, vector, position: block * BLOCK, whole: block < vector.whole, fill }
    }
}

impl<'m, const L: usize, J: Job<'m, L>> kernel::Coming<L> for Preparation<'_, 'm, L, J> {
    #[inline(always)]
    fn work(&mut self, piece: usize) {
        if let Some(vector) = &mut self.fill {
            vector.fill(L * piece / PIECES..L * (piece + 1) / PIECES, self.job);
            if piece + 1 == PIECES {
                vector.filled::<J>();
            }
        }
    }

    #[inline(always)]
    fn is_whole(&self) -> bool {
        self.whole
    }

    #[inline(always)]
    fn row(&self, lane: usize) -> &[u8; BLOCK] {
        block_at(self.vector.octets[lane], self.position)
    }

    #[inline(always)]
    fn piece(&self, lane: usize) -> Piece<'_> {
        // A lane that is done works on its last block again, to be thrown away.
        let position = self.position.min(self.vector.last[lane] as usize * BLOCK);
        let octets = self.vector.octets[lane];
        let under = (position + BLOCK).saturating_sub(octets.len());
        Piece {
            octets: octets.get(position..).unwrap_or(&[]),
            under: block_at(self.vector.tails[lane], under),
            blank: self.job.blank(usize::from(self.vector.places[lane]), position),
        }
    }
}

/// Digests the messages at the places 0 to `count`, at most [`BATCH`].
pub(crate) fn run<'m, const L: usize, K: Kernel<L>, J: Job<'m, L>>(
    kernel: K,
    scratch: &mut Scratch<L>,
    count: usize,
    job: &mut J,
) {
    kernel.with_instructions(
        #[inline(always)]
        || turns(kernel, scratch, count, job),
    );
}

#[inline(always)]
fn turns<'m, const L: usize, K: Kernel<L>, J: Job<'m, L>>(
    kernel: K,
    scratch: &mut Scratch<L>,
    count: usize,
    job: &mut J,
) {
    debug_assert!(count <= BATCH, "larger batches come in parts");
    let Scratch { order, states, before, aside, words, lines } = scratch;
    let [mut words, mut next] = words.each_mut();
    let mut waiting = order.by_blocks(count, |place| job.blocks(place));
    let mut slots = [const { Slot::EMPTY }; SLOTS];
    let mut active = 0;
    while active < K::INTERLEAVED && !waiting.is_empty() {
        let vector = &mut slots[active].vectors[0];
        vector.take(&mut waiting);
        vector.fill(0..L, job);
        vector.filled::<J>();
        let mut first = Preparation::new(job, vector, 0, None);
        kernel.load(&mut first, lines, &mut words[active]);
        begin(vector, job, &mut states[active], &mut words[active], &mut aside[active]);
        active += 1;
    }
    while active > 0 {
        let mixed = slots[..active].iter().any(Slot::is_mixed);
        if mixed {
            *before = *states;
        }
        let mut coming = [const { None }; SLOTS];
        for (coming, slot) in coming.iter_mut().zip(&mut slots[..active]) {
            *coming = slot.prepare(job, &mut waiting);
        }
        kernel.turn(active, states, words, &mut coming, lines, next);
        if mixed {
            keep_ended(&slots[..active], states, before);
        }
        for number in (0..active).rev() {
            let (slot, state, words) = (&mut slots[number], &mut states[number], &mut next[number]);
            match slot.coming {
                Coming::Block => {
                    slot.block += 1;
                    slot.vector().lengths::<J>(slot.block, words);
                }
                Coming::Nothing if J::TWICE && !slot.again => {
                    job.between(slot.vector(), state, words);
                    slot.again = true;
                }
                Coming::Vector => {
                    job.end(slot.vector(), state, &aside[number]);
                    slot.vectors[slot.at_work & 1].used = 0;
                    slot.at_work ^= 1;
                    slot.block = 0;
                    slot.again = false;
                    begin(slot.vector(), job, state, words, &mut aside[number]);
                }
                Coming::Nothing => {
                    job.end(slot.vector(), state, &aside[number]);
                    active -= 1;
                    if number < active {
                        slots.swap(number, active);
                        states.swap(number, active);
                        aside.swap(number, active);
                        next.swap(number, active);
                    }
                }
            }
        }
        std::mem::swap(&mut words, &mut next);
    }
}

/// The first block of a vector is in the words.
#[inline(always)]
fn begin<'m, const L: usize, J: Job<'m, L>>(
    vector: &Vector<'m, L>,
    job: &mut J,
    state: &mut State<L>,
    words: &mut Words<L>,
    aside: &mut State<L>,
) {
    *state = State::all(INITIAL);
    vector.lengths::<J>(0, words);
    job.begin(vector, state, words, aside);
}

/// Lanes whose message had ended before this turn keep their state.
#[inline(always)]
fn keep_ended<const L: usize>(
    slots: &[Slot<'_, L>],
    states: &mut [State<L>; SLOTS],
    before: &[State<L>; SLOTS],
) {
    for ((slot, state), before) in slots.iter().zip(states).zip(before) {
        if !slot.is_mixed() {
            continue;
        }
        for (word, before) in state.0.iter_mut().zip(&before.0) {
            for lane in 0..L {
                let keeps = u32::from(slot.vector().last[lane] < slot.block as u32).wrapping_neg();
                word[lane] = before[lane] & keeps | word[lane] & !keeps;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MessageCheck, Prepared, RequestCheck, ResponseSignature,
        jobs::{Messages, Requests, Responses},
        portable::tests::Portable,
        scalar,
    };

    /// Batches of mixed lengths and secrets around the block boundaries, so large that vectors are refilled, and so small
    /// that lanes stay empty.
    fn batches() -> Vec<Vec<(Vec<u8>, Prepared)>> {
        let lengths: &[usize] = &[20, 36, 39, 40, 54, 55, 56, 63, 64, 65, 103, 104, 128, 190, 256, 300];
        let sizes: &[usize] = if cfg!(miri) { &[1, 5, 18] } else { &[1, 2, 3, 4, 5, 11, 12, 13, 30, 200] };
        let batch = |&size: &usize| {
            let message = |place: usize| {
                let length = lengths[place * 5 % lengths.len()];
                let octets = (0..length).map(|n| (n * 37 + place * 11) as u8).collect();
                let secret = vec![place as u8; 1 + place * 29 % 90];
                (octets, Prepared::new(&secret))
            };
            (0..size).map(message).collect()
        };
        let mut batches: Vec<Vec<_>> = sizes.iter().map(batch).collect();
        // Longer than what is told apart in the order, in the wrong order; an interpreter has not the time for it.
        if cfg!(miri) {
            return batches;
        }
        let long = [(5_500, 1), (6_000, 1), (5_000, 900), (40, 10), (5_200, 3)];
        batches.push(long.map(|(octets, secret)| (vec![7; octets], Prepared::new(&vec![9; secret]))).into());
        batches
    }

    #[test]
    fn requests_agree_with_one_by_one() {
        let mut scratch = Scratch::new();
        for mut batch in batches() {
            for (place, (octets, secret)) in batch.iter_mut().enumerate() {
                octets[4..20].fill(0);
                let digest = scalar::response(octets, secret.octets());
                octets[4..20].copy_from_slice(&digest);
                octets[place % 20] ^= u8::from(place % 4 == 2);
            }
            let mut checks: Vec<_> =
                batch.iter().map(|(octets, secret)| RequestCheck { octets, secret, genuine: true }).collect();
            run(Portable, &mut scratch, checks.len(), &mut Requests { checks: &mut checks });
            for (place, check) in checks.iter().enumerate() {
                assert_eq!(check.genuine, scalar::request(check.octets, check.secret.octets()));
                assert_eq!(check.genuine, place % 4 != 2);
            }
        }
    }

    #[test]
    fn responses_agree_with_one_by_one() {
        let mut scratch = Scratch::new();
        let mut digests = Box::new([[0; 16]; BATCH]);
        for mut batch in batches() {
            let expected: Vec<_> =
                batch.iter().map(|(octets, secret)| scalar::response(octets, secret.octets())).collect();
            let responses: Vec<_> =
                batch.iter_mut().map(|(octets, secret)| ResponseSignature { octets, secret }).collect();
            let mut job = Responses { responses: &responses, digests: &mut digests };
            run(Portable, &mut scratch, responses.len(), &mut job);
            assert_eq!(digests[..expected.len()], expected);
        }
    }

    #[test]
    fn messages_agree_with_one_by_one() {
        let mut scratch = Scratch::new();
        for batch in batches() {
            let mut checks: Vec<_> = batch
                .iter()
                .enumerate()
                .map(|(place, (octets, secret))| MessageCheck {
                    octets,
                    secret,
                    offset: 20 + place * 7 % (octets.len() - 19),
                    keeps_authenticator: place % 2 == 0,
                    genuine: true,
                })
                .collect();
            run(Portable, &mut scratch, checks.len(), &mut Messages { checks: &mut checks });
            assert!(checks.iter().all(|check| !check.genuine), "noise is no authenticator");
            let right: Vec<_> = checks
                .iter()
                .map(|check| {
                    let mut octets = check.octets.to_vec();
                    if let Some(digest) = scalar::message_digest(check) {
                        octets[check.offset..check.offset + 16].copy_from_slice(&digest);
                    }
                    octets
                })
                .collect();
            let mut again: Vec<_> = checks.clone();
            for (check, octets) in again.iter_mut().zip(&right) {
                check.octets = octets;
            }
            run(Portable, &mut scratch, again.len(), &mut Messages { checks: &mut again });
            for check in &again {
                assert_eq!(check.genuine, check.offset + 16 <= check.octets.len(), "{check:?}");
            }
        }
    }

    #[test]
    fn a_batch_in_which_nothing_is_to_be_digested() {
        let secret = Prepared::new(b"s");
        let mut checks = [RequestCheck { octets: &[4; 19], secret: &secret, genuine: true }; 5];
        run(Portable, &mut Scratch::new(), 5, &mut Requests { checks: &mut checks });
        assert!(checks.iter().all(|check| !check.genuine));
    }
}
