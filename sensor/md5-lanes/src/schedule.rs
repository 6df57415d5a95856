//! The schedule: puts the messages of a batch into lanes, feeds the kernel block by block, and hands each vector that
//! is done to the job that knows what its digests are for. Safe code, the same for every path.

use zeroize::Zeroize;

use crate::{
    kernel::{BLOCK, Kernel, NO_BLANK, Piece, SLOTS, State, Words},
    order::{BATCH, Order},
    rounds::INITIAL,
};

/// Messages longer than this go one by one, so that lengths in bits and places fit 32 bits.
pub(crate) const LONGEST: usize = 1 << 27;

/// One message to digest: octets, then what its tail says.
#[derive(Clone, Copy)]
pub(crate) struct Message<'m> {
    pub(crate) octets: &'m [u8],
    /// 64 zeros, the secret that ends the text, its padding.
    pub(crate) tail: &'m [u8],
    /// Octets of that secret.
    pub(crate) suffix: usize,
    /// Octets that were digested before these.
    pub(crate) prefix: usize,
    /// Where 16 octets count as zero, or [`NO_BLANK`].
    pub(crate) blank: usize,
}

/// Blocks of a text of so many octets, with its padding.
#[inline(always)]
pub(crate) fn blocks(octets: usize) -> usize {
    (octets + 8) / BLOCK + 1
}

/// Messages in the lanes of one vector.
pub(crate) struct Vector<'m, const L: usize> {
    pieces: [Piece<'m>; L],
    /// The last block of each.
    last: [u32; L],
    bits: [u32; L],
    places: [u16; L],
    /// Lanes in use; the others repeat the first one.
    used: usize,
    /// Blocks that lie within every message.
    whole: usize,
    /// The least and the greatest of `last`.
    ends: (usize, usize),
    /// The next block.
    block: usize,
    /// The words are there already: the outer digest of HMAC.
    pub(crate) outer: bool,
    /// What the job remembers of the first block.
    pub(crate) expected: State<L>,
}

impl<'m, const L: usize> Vector<'m, L> {
    const EMPTY: Vector<'m, L> = Vector {
        pieces: [Piece { octets: &[], tail: &[], position: 0, blank: NO_BLANK }; L],
        last: [0; L],
        bits: [0; L],
        places: [0; L],
        used: 0,
        whole: 0,
        ends: (0, 0),
        block: 0,
        outer: false,
        expected: State::ZERO,
    };

    /// Puts messages into the lanes, at least one, at most `L`.
    #[inline(always)]
    fn fill(&mut self, places: &[u16], message: impl Fn(usize) -> Message<'m>) {
        let used = places.len().min(L);
        let (mut shortest, mut least, mut greatest) = (usize::MAX, usize::MAX, 0);
        for lane in 0..L {
            let place = places[if lane < used { lane } else { 0 }];
            let message = message(usize::from(place));
            let text = message.octets.len() + message.suffix;
            let last = blocks(text) - 1;
            self.pieces[lane] =
                Piece { octets: message.octets, tail: message.tail, position: 0, blank: message.blank };
            self.last[lane] = last as u32;
            self.bits[lane] = ((message.prefix + text) * 8) as u32;
            self.places[lane] = place;
            let whole = if message.blank == NO_BLANK { message.octets.len() } else { 0 };
            shortest = shortest.min(whole);
            least = least.min(last);
            greatest = greatest.max(last);
        }
        self.used = used;
        self.whole = shortest / BLOCK;
        self.ends = (least, greatest);
        self.block = 0;
        self.outer = false;
    }

    /// The place in the batch of each lane in use.
    pub(crate) fn places(&self) -> &[u16] {
        &self.places[..self.used]
    }

    /// The next block into words, with the length in the last one.
    #[inline(always)]
    fn load(&mut self, kernel: impl Kernel<L>, words: &mut Words<L>) {
        if self.block < self.whole {
            let octets = self.pieces.each_ref().map(|piece| piece.octets);
            return kernel.load(&octets, self.block * BLOCK, words);
        }
        let block = self.block as u32;
        for (piece, &last) in self.pieces.iter_mut().zip(&self.last) {
            // A lane that is done works on its last block again, to be thrown away.
            piece.position = BLOCK * block.min(last) as usize;
        }
        kernel.compose(&self.pieces, words);
        if self.block >= self.ends.0 {
            for lane in 0..L {
                let ends = u32::from(self.last[lane] == block).wrapping_neg();
                words.0[14][lane] |= self.bits[lane] & ends;
            }
        }
    }
}

/// What the digests of a batch are for.
pub(crate) trait Job<'m, const L: usize> {
    /// How many blocks the message at this place has; 0 if it is not to be digested.
    fn blocks(&mut self, place: usize) -> usize;
    /// The message at this place.
    fn message(&self, place: usize) -> Message<'m>;
    /// The first block is loaded.
    fn begin(&mut self, vector: &mut Vector<'m, L>, state: &mut State<L>, words: &mut Words<L>);
    /// The vector's messages are digested. True if the job has put another block into the words.
    fn end(&mut self, vector: &mut Vector<'m, L>, state: &mut State<L>, words: &mut Words<L>) -> bool;
}

/// The memory of a worker's lanes. Words hold octets of secrets until the next batch overwrites them or this is
/// dropped, which wipes them.
pub(crate) struct Scratch<const L: usize> {
    order: Order,
    states: [State<L>; SLOTS],
    words: [Words<L>; SLOTS],
}

impl<const L: usize> Scratch<L> {
    pub(crate) fn new() -> Box<Scratch<L>> {
        Box::new(Scratch { order: Order::new(), states: [State::ZERO; SLOTS], words: [Words::ZERO; SLOTS] })
    }
}

impl<const L: usize> Drop for Scratch<L> {
    fn drop(&mut self) {
        self.states.zeroize();
        self.words.zeroize();
    }
}

/// Digests the messages at the places 0 to `count`, at most [`BATCH`].
#[inline(always)]
pub(crate) fn run<'m, const L: usize, K: Kernel<L>, J: Job<'m, L>>(
    kernel: K,
    scratch: &mut Scratch<L>,
    count: usize,
    job: &mut J,
) {
    debug_assert!(count <= BATCH, "larger batches come in parts");
    let Scratch { order, states, words } = scratch;
    let mut waiting = order.by_blocks(count, |place| job.blocks(place));
    let mut vectors = [const { Vector::EMPTY }; SLOTS];
    let mut active = 0;
    loop {
        while active < K::INTERLEAVED && !waiting.is_empty() {
            let (places, rest) = waiting.split_at(waiting.len().min(L));
            vectors[active].fill(places, |place| job.message(place));
            states[active] = State::all(INITIAL);
            waiting = rest;
            active += 1;
        }
        if active == 0 {
            return;
        }
        for ((vector, state), words) in vectors[..active].iter_mut().zip(&mut *states).zip(&mut *words) {
            if vector.outer {
                continue;
            }
            vector.load(kernel, words);
            if vector.block == 0 {
                job.begin(vector, state, words);
            }
        }
        compress(kernel, &vectors, active, states, words);
        for slot in (0..active).rev() {
            let vector = &mut vectors[slot];
            if !vector.outer && vector.block < vector.ends.1 {
                vector.block += 1;
                continue;
            }
            if job.end(vector, &mut states[slot], &mut words[slot]) {
                vector.outer = true;
                continue;
            }
            if waiting.is_empty() {
                active -= 1;
                vectors.swap(slot, active);
                states.swap(slot, active);
                words.swap(slot, active);
            } else {
                let (places, rest) = waiting.split_at(waiting.len().min(L));
                vector.fill(places, |place| job.message(place));
                states[slot] = State::all(INITIAL);
                waiting = rest;
            }
        }
    }
}

/// One block for every active vector; lanes whose message has ended keep their state.
#[inline(always)]
fn compress<const L: usize, K: Kernel<L>>(
    kernel: K,
    vectors: &[Vector<'_, L>; SLOTS],
    active: usize,
    states: &mut [State<L>; SLOTS],
    words: &[Words<L>; SLOTS],
) {
    let ended = |vector: &Vector<'_, L>| !vector.outer && vector.block > vector.ends.0;
    if !vectors[..active].iter().any(ended) {
        return kernel.compress(active, states, words);
    }
    let before = *states;
    kernel.compress(active, states, words);
    for ((vector, state), before) in vectors[..active].iter().zip(states).zip(&before) {
        if !ended(vector) {
            continue;
        }
        for (word, before) in state.0.iter_mut().zip(&before.0) {
            for lane in 0..L {
                let keeps = u32::from(vector.last[lane] < vector.block as u32).wrapping_neg();
                word[lane] = before[lane] & keeps | word[lane] & !keeps;
            }
        }
    }
}
