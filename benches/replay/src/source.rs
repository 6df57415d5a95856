//! Frames in memory as a source: does with each what the XDP source does, and writes each answer as a frame.

use std::os::fd::BorrowedFd;

use anyhow::ensure;
use ingest::capture::{
    BURST, Datagram, FrameError, Source, SourceError, bring_near,
    frame::{Checksum, Layout, ReplyHeader},
};
use journal::CapturePath;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    time::{ClockId, clock_gettime},
};

use super::frames::{Frames, HEADERS, client_secret};

/// Answers of a transmit ring's worth: they are written over and over, as there.
const ANSWER_SLOTS: usize = 2048;
const ANSWER_SLOT: usize = 2048;

/// Frames in memory, again and again; each time round every frame is another request.
pub struct MemorySource {
    frames: Frames,
    next: usize,
    left: u64,
    per_burst: u64,
    /// Makes each frame another request at the moment it arrives, and lets none arrive while so many are without an
    /// answer: for a source that nobody else can reach, and whose writer has a thread of its own.
    window: Option<u64>,
    /// Requests that have arrived and are not answered.
    waiting: u64,
    burst: Vec<Received>,
    answers: Vec<u8>,
    answer: usize,
    kept: Option<Vec<(usize, Vec<u8>)>>,
    now_ns: u64,
    unix_offset_ns: u64,
}

struct Received {
    index: usize,
    layout: Result<Layout, FrameError>,
}

/// The way back, and which frame it answers.
#[derive(Clone, Copy)]
pub struct MemoryRoute {
    header: ReplyHeader,
    index: u32,
}

impl MemorySource {
    pub(super) fn new(frames: Frames) -> MemorySource {
        MemorySource {
            frames,
            next: 0,
            left: 0,
            per_burst: BURST as u64,
            window: None,
            waiting: 0,
            burst: Vec::with_capacity(BURST),
            answers: vec![0; ANSWER_SLOTS * ANSWER_SLOT],
            answer: 0,
            kept: None,
            now_ns: 0,
            unix_offset_ns: 0,
        }
    }

    /// A source that lets `requests` frames arrive, each as another request than before, as soon as fewer than `window`
    /// wait for their answers.
    pub fn running(frames: Frames, requests: u64, window: u64) -> MemorySource {
        MemorySource { left: requests, window: Some(window), ..MemorySource::new(frames) }
    }

    /// How many frames arrive at once, 1 to [`BURST`].
    pub(super) fn set_burst(&mut self, frames: usize) {
        self.per_burst = frames.clamp(1, BURST) as u64;
    }

    /// Lets every frame arrive once more, each as another request than before.
    pub(super) fn offer(&mut self) -> u64 {
        debug_assert_eq!(self.next, 0, "all frames have arrived");
        (0..self.frames.len()).for_each(|index| self.frames.next_port(index));
        self.left = self.frames.len() as u64;
        self.left
    }

    /// Frames that have not arrived yet.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// From now on keeps what is sent, or stops keeping.
    pub(super) fn keep_answers(&mut self, keep: bool) {
        self.kept = keep.then(Vec::new);
    }

    /// Checks what was kept; returns how many answers that were.
    pub(super) fn check_answers(&mut self) -> anyhow::Result<usize> {
        let kept = self.kept.take().unwrap_or_default();
        for (index, answer) in &kept {
            let frame = self.frames.frame(*index);
            let request = &frame[HEADERS..];
            let authenticator: &[u8; 16] = request[4..20].try_into()?;
            let secret = client_secret(self.frames.clients[*index]);
            ensure!(answer[..2] == [5, request[1]], "code or Identifier of the answer to frame {index}");
            ensure!(
                radius::authenticator::verify_response(answer, authenticator, &secret),
                "Response Authenticator of the answer to frame {index}"
            );
        }
        for index in 0..self.frames.len() {
            let frame = self.frames.frame(index);
            let right = Layout::find(frame).is_ok_and(|layout| layout.checksum(frame) == Checksum::Right);
            ensure!(right, "frame {index} has a wrong UDP checksum");
        }
        Ok(kept.len())
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

impl Source for MemorySource {
    type Route = MemoryRoute;
    const PATH: CapturePath = CapturePath::Xdp;

    #[inline]
    fn receive(&mut self) -> Result<usize, SourceError> {
        let room = self.window.map_or(u64::MAX, |window| window.saturating_sub(self.waiting));
        let count = self.left.min(self.per_burst).min(room);
        self.left -= count;
        self.waiting += count;
        if count > 0 {
            self.now_ns = nanoseconds(ClockId::Monotonic);
            self.unix_offset_ns = nanoseconds(ClockId::Realtime).wrapping_sub(self.now_ns);
        }
        let mut index = self.next;
        let mut near = 0;
        for _ in 0..count {
            near ^= bring_near(self.frames.frame(index));
            index = if index + 1 == self.frames.len() { 0 } else { index + 1 };
        }
        std::hint::black_box(near);
        for _ in 0..count {
            let index = self.next;
            self.next = if index + 1 == self.frames.len() { 0 } else { index + 1 };
            if self.window.is_some() {
                self.frames.next_port(index);
            }
            let frame = self.frames.frame(index);
            self.burst.push(Received { index, layout: Layout::find(frame) });
        }
        Ok(self.burst.len())
    }

    #[inline]
    fn datagram(&self, index: usize) -> Result<Datagram<'_>, FrameError> {
        let received = self.burst.get(index).ok_or(FrameError)?;
        let layout = received.layout?;
        let frame = self.frames.frame(received.index);
        Ok(Datagram {
            payload: layout.payload(frame),
            source: layout.source(frame),
            destination: layout.destination(frame),
            arrival_unix_ns: self.now_ns.wrapping_add(self.unix_offset_ns),
            arrival_monotonic_ns: self.now_ns,
        })
    }

    #[inline]
    fn route(&self, index: usize) -> MemoryRoute {
        let received = &self.burst[index];
        let frame = self.frames.frame(received.index);
        let header = match &received.layout {
            Ok(layout) => ReplyHeader::to_sender_of(frame, layout),
            Err(_) => ReplyHeader::NONE,
        };
        MemoryRoute { header, index: received.index as u32 }
    }

    fn release(&mut self) {
        self.burst.clear();
    }

    #[inline]
    fn send(&mut self, route: &MemoryRoute, response: &[u8]) -> bool {
        let slot = self.answer % ANSWER_SLOTS * ANSWER_SLOT;
        self.answer += 1;
        self.waiting = self.waiting.saturating_sub(1);
        route.header.write(response, &mut self.answers[slot..slot + ANSWER_SLOT]);
        if let Some(kept) = &mut self.kept {
            kept.push((route.index as usize, response.to_vec()));
        }
        true
    }

    fn flush(&mut self) -> Result<(), SourceError> {
        Ok(())
    }

    fn wait(&mut self, wake: BorrowedFd<'_>, timeout_ms: i32) -> Result<(), SourceError> {
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(timeout_ms.clamp(0, 999)) * 1_000_000 };
        poll(&mut [PollFd::new(&wake, PollFlags::IN)], Some(&timeout))
            .map(drop)
            .map_err(|error| SourceError::Io { operation: "waiting for the writer", error: error.into() })
    }
}
