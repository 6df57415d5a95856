//! Packets that end where memory ends, and that begin where it begins: whoever reads or writes an octet too much dies.
#![cfg(not(miri))]
#![allow(unsafe_code, reason = "mapping memory with gaps")]
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod common;

use std::{os::fd::AsRawFd as _, ptr, slice};

use common::{every_path, message_authenticator, noise, request_authenticator, response_authenticator};
use md5_lanes::{MessageCheck, Prepared, RequestCheck, ResponseSignature};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// A page of the largest size that Linux uses here, so that the gaps are whole pages everywhere.
const PAGE: usize = 65536;
/// The longest packet.
const LONGEST: usize = 4096;

/// One accessible page between two that are not.
struct Guarded(*mut u8);

impl Guarded {
    fn new() -> Guarded {
        // SAFETY: new memory that nothing else knows; only the middle page is opened.
        unsafe {
            let begin = mmap_anonymous(ptr::null_mut(), 3 * PAGE, ProtFlags::empty(), MapFlags::PRIVATE)
                .unwrap()
                .cast::<u8>();
            let middle = begin.add(PAGE);
            mprotect(middle.cast(), PAGE, MprotectFlags::READ | MprotectFlags::WRITE).unwrap();
            Guarded(middle)
        }
    }

    /// So many octets at the page's beginning or end.
    fn octets(&mut self, length: usize, at_end: bool) -> &mut [u8] {
        let begin = if at_end { PAGE - length } else { 0 };
        // SAFETY: within the open page, which this alone owns.
        unsafe { slice::from_raw_parts_mut(self.0.add(begin), length) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: what `new` mapped; nothing is borrowed any more.
        unsafe { munmap(self.0.sub(PAGE).cast(), 3 * PAGE).unwrap() }
    }
}

#[test]
fn the_gaps_are_gaps() {
    let mut memory = Guarded::new();
    let page = memory.octets(PAGE, false).as_mut_ptr();
    let (_reader, writer) = std::io::pipe().unwrap();
    // The kernel is asked to read, since it says what it cannot instead of killing the process.
    let reads = |address: *const u8| {
        // SAFETY: the kernel looks for itself what it may read.
        unsafe { libc::write(writer.as_raw_fd(), address.cast(), 1) == 1 }
    };
    assert!(reads(page) && reads(page.wrapping_add(PAGE - 1)));
    assert!(!reads(page.wrapping_sub(1)) && !reads(page.wrapping_add(PAGE)));
}

#[test]
fn no_octet_outside_a_packet_is_touched() {
    // The shortest, one of a usual length, and one that fills a block: what follows the packet in its last block, or begins
    // another.
    for secret in [1, 21, 64] {
        touches_nothing_outside(&noise(8, secret));
    }
}

fn touches_nothing_outside(secret_octets: &[u8]) {
    const BATCH: usize = 70;
    let secret = Prepared::new(secret_octets);
    let mut memory: Vec<_> = (0..BATCH).map(|_| Guarded::new()).collect();
    let step = if cfg!(emulated) { 17 } else { 1 };
    let mut lengths: Vec<_> = (20..=LONGEST).step_by(step).collect();
    // Both neighbours in length and lengths far apart come together in a batch.
    lengths.extend((20..=LONGEST).step_by(step).map(|n| 20 + n * 1009 % (LONGEST - 19)));
    for mut lanes in every_path() {
        for lengths in lengths.chunks(BATCH) {
            for at_end in [false, true] {
                for (memory, &length) in memory.iter_mut().zip(lengths) {
                    memory.octets(length, at_end).copy_from_slice(&noise(length as u64, length));
                }
                let expected: Vec<_> = lengths
                    .iter()
                    .map(|&length| response_authenticator(&noise(length as u64, length), secret_octets))
                    .collect();
                let mut responses: Vec<_> = memory
                    .iter_mut()
                    .zip(lengths)
                    .map(|(memory, &length)| ResponseSignature {
                        octets: memory.octets(length, at_end),
                        secret: &secret,
                    })
                    .collect();
                lanes.sign_responses(&mut responses);
                for (response, expected) in responses.iter().zip(expected) {
                    assert_eq!(
                        response.octets[4..20],
                        expected,
                        "{lanes:?}, {} octets",
                        response.octets.len()
                    );
                }
                for (memory, &length) in memory.iter_mut().zip(lengths) {
                    let octets = memory.octets(length, at_end);
                    let digest = request_authenticator(octets, secret_octets);
                    octets[4..20].copy_from_slice(&digest);
                }
                let mut checks: Vec<_> = memory
                    .iter_mut()
                    .zip(lengths)
                    .map(|(memory, &length)| RequestCheck {
                        octets: memory.octets(length, at_end),
                        secret: &secret,
                        genuine: false,
                    })
                    .collect();
                lanes.verify_requests(&mut checks);
                for check in &checks {
                    assert!(check.genuine, "{lanes:?}, {} octets", check.octets.len());
                }
                // The value at the packet's very end.
                for (memory, &length) in memory.iter_mut().zip(lengths).filter(|(_, length)| **length >= 36) {
                    let octets = memory.octets(length, at_end);
                    let digest = message_authenticator(octets, length - 16, true, secret_octets);
                    octets[length - 16..].copy_from_slice(&digest);
                }
                let mut checks: Vec<_> = memory
                    .iter_mut()
                    .zip(lengths)
                    .map(|(memory, &length)| MessageCheck {
                        octets: memory.octets(length, at_end),
                        secret: &secret,
                        offset: length.saturating_sub(16),
                        keeps_authenticator: true,
                        genuine: false,
                    })
                    .collect();
                lanes.verify_messages(&mut checks);
                for check in &checks {
                    let length = check.octets.len();
                    assert_eq!(check.genuine, length >= 36, "{lanes:?}, {length} octets");
                }
            }
        }
    }
}
