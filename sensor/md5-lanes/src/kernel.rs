//! What a path brings to the schedule: the transposition of message blocks into lanes, and the rounds. Everything here is
//! plain arrays, so that the schedule is safe code and the same for every path.

use zeroize::Zeroize;

/// Octets of an MD5 block.
pub(crate) const BLOCK: usize = 64;

/// How many vectors of lanes a call of [`Kernel::compress`] works on at most.
///
/// One vector alone waits for its own results: a step is a chain of four instructions, and only independent vectors
/// fill the gaps. Four of 16 lanes keep the ports of Zen 4 busy (two nearly do) and come within a tenth of the best on
/// Zen 5 (six); they leave registers for the transposition, and 64 lanes are one burst of a worker.
pub(crate) const SLOTS: usize = 4;

/// The words A, B, C, D of `L` digests.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct State<const L: usize>(pub(crate) [[u32; L]; 4]);

/// One block of each of `L` messages, word by word.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Words<const L: usize>(pub(crate) [[u32; L]; 16]);

/// Room to compose blocks in.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Lines<const L: usize>(pub(crate) [[u8; BLOCK]; L]);

/// The next block of each message of a vector, where it lies.
pub(crate) type Rows<'r, const L: usize> = [&'r [u8; BLOCK]; L];

/// A block that the message has only in part, or not at all.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'r> {
    /// What the message has from the block's first octet on; it may be more than the block, or nothing.
    pub(crate) octets: &'r [u8],
    /// The octets behind the message, and zeros where the message is.
    pub(crate) under: &'r [u8; BLOCK],
    /// The octets of the message that count as zeros: bit n for octet n of the block.
    pub(crate) blank: u64,
}

impl Piece<'_> {
    /// The octets of the block that the message gives: bit n for octet n.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn mask(&self) -> u64 {
        let mask = match self.octets.len() {
            length @ ..BLOCK => (1 << length) - 1,
            _ => u64::MAX,
        };
        mask & !self.blank
    }

    /// The block, for kernels that have no better way.
    #[inline(always)]
    fn compose(&self, line: &mut [u8; BLOCK]) {
        *line = *self.under;
        let length = self.octets.len().min(BLOCK);
        line[..length].copy_from_slice(&self.octets[..length]);
        if self.blank != 0 {
            for (place, octet) in line.iter_mut().enumerate() {
                // What is blank is part of the message.
                *octet &= u8::from(self.blank >> place & 1 == 0).wrapping_neg();
            }
        }
    }
}

/// What comes after the block that is being digested. There is work to be done on the way.
pub(crate) trait Coming<const L: usize> {
    /// One piece of that work, 0 to [`PIECES`], all in order. It does not touch the blocks.
    fn work(&mut self, piece: usize);

    /// Whether all messages have the whole block; if so it is a row, otherwise a piece.
    fn is_whole(&self) -> bool;

    /// The block of one message.
    fn row(&self, lane: usize) -> &[u8; BLOCK];

    /// The block of one message.
    fn piece(&self, lane: usize) -> Piece<'_>;
}

/// In so many pieces the lanes of a vector are filled for later. What a Zen core can do beside its vector units while
/// these have a queue to work off is some 64 instructions at a time, measured: pieces of about that many cost no time
/// between the steps of a round, all at once nearly what they cost alone.
pub(crate) const PIECES: usize = 4;

impl<const L: usize> State<L> {
    pub(crate) const ZERO: State<L> = State([[0; L]; 4]);

    /// The same state in every lane.
    #[inline(always)]
    pub(crate) fn all(state: [u32; 4]) -> State<L> {
        State(state.map(|word| [word; L]))
    }
}

impl<const L: usize> Words<L> {
    pub(crate) const ZERO: Words<L> = Words([[0; L]; 16]);
}

impl<const L: usize> Lines<L> {
    pub(crate) const ZERO: Lines<L> = Lines([[0; BLOCK]; L]);
}

impl<const L: usize> Zeroize for Lines<L> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
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

/// The 64 octets from `at` on.
#[inline(always)]
pub(crate) fn block_at(octets: &[u8], at: usize) -> &[u8; BLOCK] {
    match octets.get(at..).and_then(|rest| rest.first_chunk()) {
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

    /// Calls `work` where the compiler may use all instructions of this path.
    fn with_instructions<R>(self, work: impl FnOnce() -> R) -> R;

    /// Does all the work of what is coming and puts its blocks into words. `lines` is room to compose them in.
    fn load<C: Coming<L>>(self, coming: &mut C, lines: &mut Lines<L>, words: &mut Words<L>);

    /// One block more for the first `active` (1 to [`INTERLEAVED`](Kernel::INTERLEAVED)) states. While that goes on, the
    /// work of what is coming is done, and its blocks are put into the words `next` of the same slot.
    fn turn<C: Coming<L>>(
        self,
        active: usize,
        states: &mut [State<L>; SLOTS],
        words: &[Words<L>; SLOTS],
        coming: &mut [Option<C>; SLOTS],
        lines: &mut Lines<L>,
        next: &mut [Words<L>; SLOTS],
    );
}

/// Where the blocks of what is coming lie, for kernels that read them from memory. All its work is done.
#[inline(always)]
pub(crate) fn rows<'r, const L: usize, C: Coming<L>>(
    coming: &'r mut C,
    lines: &'r mut Lines<L>,
) -> Rows<'r, L> {
    for piece in 0..PIECES {
        coming.work(piece);
    }
    let mut rows = [&[0; BLOCK]; L];
    if coming.is_whole() {
        for (lane, row) in rows.iter_mut().enumerate() {
            *row = coming.row(lane);
        }
    } else {
        for (lane, (line, row)) in lines.0.iter_mut().zip(&mut rows).enumerate() {
            coming.piece(lane).compose(line);
            *row = line;
        }
    }
    rows
}
