//! A worker allocates nothing in steady state, and the journal's writer nothing for a commit: counted by the test's own
//! allocator, on their threads alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]
#![allow(unsafe_code, reason = "a global allocator that counts")]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use ingest::{
    Ingest, IngestOptions,
    capture::{Datagram, FrameError, udp::UdpSource},
    verdict::Verdict,
    worker::Observer,
};
use journal::RealStorage;
use support::*;

thread_local! {
    static COUNTED: Cell<Option<&'static AtomicU64>> = const { Cell::new(None) };
}

/// What the worker allocates and gives back.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// And the journal's writer.
static WRITER_ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

impl Counting {
    fn note() {
        // A thread that is ending has no thread-locals any more, and is none that counts.
        if let Some(count) = COUNTED.try_with(Cell::get).ok().flatten() {
            count.fetch_add(1, SeqCst);
        }
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

/// Runs on the worker's thread, and so knows which one it is.
struct Marking;

impl Observer for Marking {
    fn datagram(&mut self, _: u64, _: &Result<Datagram<'_>, FrameError>) {
        COUNTED.set(Some(&ALLOCATIONS));
    }
}

#[test]
fn a_worker_allocates_nothing_in_steady_state() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = journal::open(RealStorage::create(folder.path()).unwrap(), journal_options()).unwrap();
    let mut ingest = Ingest::new(everyone(), opened.handle.clone(), &IngestOptions::default());
    let source = UdpSource::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let server = source.addresses().next().unwrap();
    ingest.spawn_observed("udp-0", None, source, &mut opened.writer, Marking).unwrap();
    let handle = opened.handle.clone();
    let writer = std::thread::spawn(move || {
        COUNTED.set(Some(&WRITER_ALLOCATIONS));
        opened.writer.run();
    });

    let nas = Nas::new("127.0.0.1:0");
    let mut session = 0;
    let mut round = || {
        for _ in 0..500 {
            session += 1;
            let octets = request((session % 256) as u8, &format!("{session:08}"));
            let answer = nas.ask(server, &octets);
            assert_eq!(nas.ask(server, &octets), answer, "a retransmission");
            // What is refused goes its own ways through the worker.
            let mut forged = octets.clone();
            forged[10] ^= 1;
            nas.send(server, &forged);
            nas.send(server, &octets[..15]);
        }
    };
    // What is allocated once, at the first datagram or the first notice, is not steady state.
    round();
    ALLOCATIONS.store(0, SeqCst);
    WRITER_ALLOCATIONS.store(0, SeqCst);
    let commits = handle.statistics().commits;
    round();
    let allocations = ALLOCATIONS.load(SeqCst);
    let commits = handle.statistics().commits - commits;
    let of_the_writer = WRITER_ALLOCATIONS.load(SeqCst);
    let snapshot = ingest.snapshot().pop().unwrap();
    assert_eq!(snapshot.verdict(Verdict::Accepted), 1000);
    assert!(snapshot.verdict(Verdict::BadAuthenticator) > 0, "forgeries were seen, too");
    for ended in ingest.stop() {
        ended.result.unwrap();
    }
    handle.stop();
    writer.join().unwrap();
    assert_eq!(allocations, 0, "allocations on the worker's thread");
    // Once a second it lists the directory for retention: a few dozen names.
    assert!(commits >= 400, "{commits} commits of 500 requests one by one");
    assert!(of_the_writer < commits / 2, "{of_the_writer} allocations of the writer in {commits} commits");
}
