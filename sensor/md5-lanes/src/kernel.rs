//! What a path brings to the schedule: the transposition of message blocks into lanes, and the rounds. Everything here is
//! plain arrays, so that the schedule is safe code and the same for every path.

use zeroize::Zeroize;

/// Octets of an MD5 block.
pub(crate) const BLOCK: usize = 64;

/// How many vectors of lanes a call of [`Kernel::compress`] works on at most.
///
/// One vector alone waits for its own results: a step is a chain of four instructions, and only independent vectors
/// fill the gaps. Four of 16 lanes keep the ports of Zen 4 busy (two already suffice there) and come within a tenth of
/// the best on Zen 5 (six); they leave registers for the sums, and 64 lanes are one burst of a worker.
pub(crate) const SLOTS: usize = 4;

/// The words A, B, C, D of `L` digests.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct State<const L: usize>(pub(crate) [[u32; L]; 4]);

/// One block of each of `L` messages, word by word.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Words<const L: usize>(pub(crate) [[u32; L]; 16]);

impl<const L: usize> State<L> {
    pub(crate) const ZERO: State<L> = State([[0; L]; 4]);

    /// The same state in every lane.
    pub(crate) fn all(state: [u32; 4]) -> State<L> {
        State(state.map(|word| [word; L]))
    }
}

impl<const L: usize> Words<L> {
    pub(crate) const ZERO: Words<L> = Words([[0; L]; 16]);
}

impl<const L: usize> Zeroize for State<L> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl<const L: usize> Zeroize for Words<L> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Where the block of one message that begins at `position` lies: in its octets as far as they reach, then in its tail.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'m> {
    /// The message.
    pub(crate) octets: &'m [u8],
    /// 64 zeros and what follows the message: secret, padding.
    pub(crate) tail: &'m [u8],
    /// Where the block begins, counted from the message's first octet.
    pub(crate) position: usize,
    /// Where 16 octets begin that count as zero; [`NO_BLANK`] without any.
    pub(crate) blank: usize,
}

/// No octets of the message count as zero.
pub(crate) const NO_BLANK: usize = usize::MAX;

impl<'m> Piece<'m> {
    /// How many octets of the block belong to the message (0 to 64), and the 64 octets of the tail that lie under it:
    /// zeros where the message is.
    #[inline(always)]
    pub(crate) fn parts(&self) -> (&'m [u8], &'m [u8; BLOCK]) {
        let begin = self.position.min(self.octets.len());
        let rest = &self.octets[begin..];
        let under = (BLOCK + self.position).saturating_sub(self.octets.len());
        (&rest[..rest.len().min(BLOCK)], block_at(self.tail, under))
    }

    /// The bits of the block whose octets the message gives: bit n for octet n.
    #[inline(always)]
    pub(crate) fn mask(&self, length: usize) -> u64 {
        let mask = u64::MAX.checked_shr(64 - length as u32).unwrap_or(0);
        if self.blank == NO_BLANK {
            return mask;
        }
        let blank = if self.blank >= self.position {
            0xFFFF_u64.checked_shl((self.blank - self.position).min(64) as u32)
        } else {
            0xFFFF_u64.checked_shr((self.position - self.blank).min(64) as u32)
        };
        mask & !blank.unwrap_or(0)
    }
}

/// The 64 octets from `at` on.
#[inline(always)]
pub(crate) fn block_at(octets: &[u8], at: usize) -> &[u8; BLOCK] {
    match octets[at..].first_chunk() {
        Some(block) => block,
        None => outside(at, octets.len()),
    }
}

#[cold]
#[inline(never)]
fn outside(at: usize, length: usize) -> ! {
    panic!("a block at {at} of {length} octets: the schedule and the lengths disagree")
}

/// The machine's part of many digests at once, `L` lanes a vector.
///
/// A value of an implementing type is the proof that the processor has what it needs.
pub(crate) trait Kernel<const L: usize>: Copy {
    /// How many vectors to interleave, 1 to [`SLOTS`].
    const INTERLEAVED: usize;

    /// Transposes the 64 octets at `position` of each message. They lie within all of them.
    fn load(self, octets: &[&[u8]; L], position: usize, words: &mut Words<L>);

    /// Transposes blocks that the messages may only cover in part, or not at all.
    fn compose(self, pieces: &[Piece<'_>; L], words: &mut Words<L>);

    /// One block more for the first `active` (1 to [`INTERLEAVED`](Kernel::INTERLEAVED)) states.
    fn compress(self, active: usize, states: &mut [State<L>; SLOTS], words: &[Words<L>; SLOTS]);
}
