//! The loop that `replay` measures allocates nothing for a request, a burst or a commit: counted by the test's own
//! allocator, on the thread that runs it.
#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(unsafe_code, reason = "a global allocator that counts")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Instant,
};

use ingest::IngestOptions;
use replay::{FrameOptions, Frames, Replay, SEGMENT_BYTES, clients};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

impl Counting {
    fn note() {
        // A thread that is ending has no thread-locals any more, and is none that counts.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
    }
}

// SAFETY: hands everything to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::note();
        // SAFETY: as our caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // Giving back is as much a sign of allocation on the hot path as taking.
        Counting::note();
        // SAFETY: as our caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Counting::note();
        // SAFETY: as our caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often all frames are taken: bursts of 256, a commit each eight bursts.
const PASSES: u64 = 100;

/// Takes the frames of four vendors and 1,000 clients over and over. A pass that allocates is one in which the journal
/// keeps house: once a second it lists its directory, and each new segment has a name and a file.
fn takes_all_without_allocating(options: &FrameOptions) {
    let frames = Frames::build(options).unwrap();
    let (requests, octets) = (frames.len() as u64, frames.mean_length * frames.len() as f64);
    let folder = tempfile::tempdir().unwrap();
    // Warm when it returns.
    let ingest = IngestOptions::default();
    let mut replay = Replay::new(folder.path(), clients(options.clients).unwrap(), frames, &ingest).unwrap();
    replay.check(1).unwrap();
    let began = Instant::now();
    let mut allocating = 0;
    for _ in 0..PASSES {
        let before = ALLOCATIONS.get();
        assert_eq!(replay.run(1).unwrap().requests, requests, "a pass is all frames once");
        allocating += u64::from(ALLOCATIONS.get() > before);
    }
    // With a record's header twice the request, at the most.
    let segments = (PASSES as f64 * 2.0 * octets / SEGMENT_BYTES as f64).ceil() as u64;
    let housekeeping = began.elapsed().as_secs() + 1 + segments;
    assert!(
        allocating <= housekeeping,
        "{allocating} of {PASSES} passes allocate; seconds and new segments explain {housekeeping}"
    );
    // However slow the machine is: some passes have no second and no segment of their own.
    assert!(allocating < PASSES, "every one of {PASSES} passes allocates");
}

#[test]
fn the_replay_loop_allocates_nothing() {
    takes_all_without_allocating(&FrameOptions::default());
}

#[test]
fn nor_does_it_with_message_authenticators() {
    takes_all_without_allocating(&FrameOptions { message_authenticator: true, ..FrameOptions::default() });
}
