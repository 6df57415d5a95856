//! Messages in the lanes of one vector: which they are, where they lie, where they end.

use std::ops::Range;

use crate::{
    kernel::{BLOCK, Words},
    order::UNORDERED,
    schedule::Job,
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
}

/// Blocks of a text of so many octets, with its padding.
#[inline(always)]
pub(crate) fn blocks(octets: usize) -> usize {
    (octets + 8) / BLOCK + 1
}

/// Messages in the lanes of one vector.
pub(crate) struct Vector<'m, const L: usize> {
    pub(crate) octets: [&'m [u8]; L],
    pub(crate) tails: [&'m [u8]; L],
    /// Octets of each message.
    lengths: [u32; L],
    /// The last block of each.
    pub(crate) last: [u32; L],
    /// Octets of each text: message and secret.
    texts: [u32; L],
    /// The place in the batch of each.
    pub(crate) places: [u16; L],
    /// Lanes in use; the others repeat the last one. None: the vector is empty.
    pub(crate) used: usize,
    /// Blocks that lie within every message.
    pub(crate) whole: usize,
    /// The least and the greatest of `last`.
    pub(crate) ends: (usize, usize),
}

impl<'m, const L: usize> Vector<'m, L> {
    pub(crate) const EMPTY: Vector<'m, L> = Vector {
        octets: [&[]; L],
        tails: [&[]; L],
        lengths: [0; L],
        last: [0; L],
        texts: [0; L],
        places: [0; L],
        used: 0,
        whole: 0,
        ends: (0, 0),
    };

    /// Takes the next of the waiting messages, if there are any. Their lanes are to be filled.
    #[inline(always)]
    pub(crate) fn take(&mut self, waiting: &mut &[u16]) -> bool {
        if let Some((places, rest)) = waiting.split_first_chunk() {
            self.places = *places;
            self.used = L;
            *waiting = rest;
            return true;
        }
        let Some(&last) = waiting.last() else { return false };
        self.places = [last; L];
        self.places[..waiting.len()].copy_from_slice(waiting);
        self.used = waiting.len();
        *waiting = &[];
        true
    }

    /// Fills these lanes.
    #[inline(always)]
    pub(crate) fn fill<J: Job<'m, L>>(&mut self, lanes: Range<usize>, job: &J) {
        for lane in lanes {
            let message = job.message(usize::from(self.places[lane]));
            self.octets[lane] = message.octets;
            self.tails[lane] = message.tail;
            self.lengths[lane] = message.octets.len() as u32;
            self.texts[lane] = message.octets.len().wrapping_add(message.suffix) as u32;
        }
    }

    /// All lanes are filled.
    #[inline(always)]
    pub(crate) fn filled<J: Job<'m, L>>(&mut self) {
        let mut shortest = u32::MAX;
        // No sum here can wrap: no text is longer than `LONGEST`.
        for lane in 0..L {
            self.last[lane] = self.texts[lane].wrapping_add(8) / BLOCK as u32;
            shortest = shortest.min(self.lengths[lane]);
        }
        self.whole = if J::BLANKS { 0 } else { shortest as usize / BLOCK };
        // They come in the order of their blocks, only the longest of all in any.
        let [first, .., last] = self.last.as_slice() else { return };
        self.ends = (*last as usize, *first as usize);
        if self.ends.1 >= UNORDERED {
            let ends = (self.last.iter().min(), self.last.iter().max());
            self.ends = (ends.0.map_or(0, |&last| last as usize), ends.1.map_or(0, |&last| last as usize));
        }
    }

    /// The place in the batch of each lane in use.
    #[inline(always)]
    pub(crate) fn used_places(&self) -> &[u16] {
        &self.places[..self.used.min(L)]
    }

    /// The length in bits into the words of messages that end with this block.
    #[inline(always)]
    pub(crate) fn lengths<J: Job<'m, L>>(&self, block: usize, words: &mut Words<L>) {
        if block >= self.ends.0 {
            for lane in 0..L {
                let ends = u32::from(self.last[lane] == block as u32).wrapping_neg();
                let bits = self.texts[lane].wrapping_add(J::PREFIX).wrapping_mul(8);
                words.0[14][lane] |= bits & ends;
            }
        }
    }
}
