//! Answers of one socket that wait for the next `sendmmsg`.

use std::{
    net::{IpAddr, SocketAddr},
    os::fd::BorrowedFd,
};

use arrayvec::ArrayVec;

use super::{MESSAGES, syscall, would_block};

/// Octets of answers in one call: 64 of the usual 20 octets and seven of the longest beside them. When they are used
/// up, or the list is full, the next answer is refused until a flush.
const OCTETS: usize = 32 << 10;

/// One answer: where it goes, from where, and its octets.
pub(super) struct Message {
    pub(super) peer: SocketAddr,
    pub(super) from: IpAddr,
    pub(super) interface: u32,
    pub(super) start: usize,
    pub(super) length: usize,
}

pub(super) struct Waiting {
    list: ArrayVec<Message, MESSAGES>,
    octets: Box<[u8]>,
    used: usize,
    /// Messages at the head of the list that are gone.
    gone: usize,
}

impl Waiting {
    pub(super) fn new() -> Waiting {
        Waiting { list: ArrayVec::new(), octets: vec![0; OCTETS].into_boxed_slice(), used: 0, gone: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Answers that were not sent yet.
    pub(super) fn len(&self) -> usize {
        self.list.len() - self.gone
    }

    /// False when there is no room before the next flush.
    pub(super) fn push(&mut self, peer: SocketAddr, from: IpAddr, interface: u32, response: &[u8]) -> bool {
        let end = self.used + response.len();
        if self.list.is_full() || end > self.octets.len() {
            return false;
        }
        self.octets[self.used..end].copy_from_slice(response);
        self.list.push(Message { peer, from, interface, start: self.used, length: response.len() });
        self.used = end;
        true
    }

    /// Sends what waits. What the socket has no room for stays; a message that the kernel refuses for a reason of its
    /// own (no route, a firewall) is let go, so that it cannot hold up the others. Returns how many were refused.
    pub(super) fn flush(&mut self, socket: BorrowedFd<'_>) -> u64 {
        let mut refused = 0;
        while !self.is_empty() {
            match syscall::send(socket, &self.list[self.gone..], &self.octets) {
                Ok(sent) => self.gone += sent,
                Err(error) if would_block(&error) => break,
                Err(_) => {
                    self.gone += 1;
                    refused += 1;
                }
            }
        }
        if self.is_empty() {
            self.list.clear();
            self.used = 0;
            self.gone = 0;
        }
        refused
    }
}
