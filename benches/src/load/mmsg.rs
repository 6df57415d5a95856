//! `recvmmsg` and `sendmmsg`, many datagrams a call, over buffers that are allocated once.
//!
//! Here since the bare echo is the measure of what a UDP server costs at least, and the generator must not be the
//! slower side: safe wrappers (nix) allocate on every call. Nothing keeps a pointer beyond its call.
#![allow(unsafe_code, reason = "no safe crate offers batched datagrams without an allocation a call")]

use std::{
    io, mem,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::{AsFd, AsRawFd as _},
    ptr,
};

use libc::{c_uint, iovec, mmsghdr, sockaddr_in};

/// Datagrams in one call.
pub const BATCH: usize = 64;
/// Octets kept of a datagram.
const OCTETS: usize = 2048;

/// Buffers for one batch of IPv4 datagrams and their other ends.
pub struct Batch {
    buffers: Box<[[u8; OCTETS]; BATCH]>,
    lengths: [usize; BATCH],
    names: Box<[sockaddr_in; BATCH]>,
    count: usize,
    /// Datagrams at the head that are sent.
    sent: usize,
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        // SAFETY: `sockaddr_in` is integers; all of them zero is a value.
        let names = Box::new(unsafe { mem::zeroed::<[sockaddr_in; BATCH]>() });
        Batch { buffers: Box::new([[0; OCTETS]; BATCH]), lengths: [0; BATCH], names, count: 0, sent: 0 }
    }

    /// Datagrams in it.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether no further datagram fits.
    pub fn is_full(&self) -> bool {
        self.count == BATCH
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.count = 0;
        self.sent = 0;
    }

    /// Appends a datagram for a connected socket; at most 2048 octets. There must be room.
    pub fn push(&mut self, octets: &[u8]) {
        self.buffers[self.count][..octets.len()].copy_from_slice(octets);
        self.lengths[self.count] = octets.len();
        self.count += 1;
    }

    /// A datagram.
    pub fn get(&self, index: usize) -> &[u8] {
        &self.buffers[index][..self.lengths[index]]
    }

    /// The first `length` octets of a datagram's buffer, which is all that it will have.
    pub fn cut(&mut self, index: usize, length: usize) -> &mut [u8] {
        self.lengths[index] = length;
        &mut self.buffers[index][..length]
    }

    /// Who sent a received datagram.
    pub fn source(&self, index: usize) -> SocketAddr {
        let name = &self.names[index];
        let address = Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes());
        SocketAddrV4::new(address, u16::from_be(name.sin_port)).into()
    }

    /// Takes what is there instead of what it held. With `wait` it sleeps until there is at least one.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing, without `wait` or after the socket's receive timeout.
    pub fn receive(&mut self, socket: impl AsFd, wait: bool) -> io::Result<usize> {
        self.clear();
        let mut vectors = [const { iovec { iov_base: ptr::null_mut(), iov_len: 0 } }; BATCH];
        // SAFETY: an all-zero `mmsghdr` is valid: null pointers, no lengths.
        let mut headers: [mmsghdr; BATCH] = unsafe { mem::zeroed() };
        for i in 0..BATCH {
            vectors[i] = iovec { iov_base: self.buffers[i].as_mut_ptr().cast(), iov_len: OCTETS };
            let header = &mut headers[i].msg_hdr;
            header.msg_name = (&raw mut self.names[i]).cast();
            header.msg_namelen = size_of::<sockaddr_in>() as libc::socklen_t;
            header.msg_iov = &raw mut vectors[i];
            header.msg_iovlen = 1;
        }
        let flags = if wait { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        // SAFETY: every header points to a buffer and a name of the lengths stated, which outlive the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_fd().as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as c_uint,
                flags as _,
                ptr::null_mut(),
            )
        };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (length, header) in self.lengths.iter_mut().zip(&headers).take(self.count) {
            *length = (header.msg_len as usize).min(OCTETS);
        }
        Ok(self.count)
    }

    /// Sends all that it holds, `back` to where each came from or where the socket is connected to, and empties it.
    /// True when all went; false when the socket has no room now: call again.
    ///
    /// # Errors
    /// Whatever else the kernel says; the datagram that it was said of is dropped.
    pub fn send(&mut self, socket: impl AsFd, back: bool) -> io::Result<bool> {
        let mut vectors = [const { iovec { iov_base: ptr::null_mut(), iov_len: 0 } }; BATCH];
        // SAFETY: an all-zero `mmsghdr` is valid: null pointers, no lengths.
        let mut headers: [mmsghdr; BATCH] = unsafe { mem::zeroed() };
        for i in self.sent..self.count {
            vectors[i] = iovec { iov_base: self.buffers[i].as_mut_ptr().cast(), iov_len: self.lengths[i] };
            let header = &mut headers[i].msg_hdr;
            if back {
                header.msg_name = (&raw mut self.names[i]).cast();
                header.msg_namelen = size_of::<sockaddr_in>() as libc::socklen_t;
            }
            header.msg_iov = &raw mut vectors[i];
            header.msg_iovlen = 1;
        }
        while self.sent < self.count {
            // SAFETY: the headers from `sent` to `count` point to buffers and names of the lengths stated.
            let went = unsafe {
                libc::sendmmsg(
                    socket.as_fd().as_raw_fd(),
                    headers[self.sent..].as_mut_ptr(),
                    (self.count - self.sent) as c_uint,
                    (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
                )
            };
            match usize::try_from(went) {
                Ok(went) => self.sent += went,
                Err(_) => {
                    let error = io::Error::last_os_error();
                    match error.kind() {
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => return Ok(false),
                        _ => {
                            self.sent += 1;
                            return Err(error);
                        }
                    }
                }
            }
        }
        self.clear();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_batch_goes_out_and_comes_back() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(server.local_addr().unwrap()).unwrap();
        let mut batch = Batch::new();
        for length in [3, 200, 7] {
            batch.push(&vec![length as u8; length]);
        }
        assert!(batch.send(&client, false).unwrap() && batch.is_empty());
        let mut received = Batch::new();
        let mut echoed = 0;
        while echoed < 3 {
            let count = received.receive(&server, true).unwrap();
            for index in 0..count {
                assert_eq!(received.source(index), client.local_addr().unwrap());
                assert_eq!(received.get(index).len(), usize::from(received.get(index)[0]));
                received.cut(index, 2)[1] = 0xEE;
            }
            assert!(received.send(&server, true).unwrap());
            echoed += count;
        }
        let mut back = Vec::new();
        while back.len() < 3 {
            for index in 0..batch.receive(&client, true).unwrap() {
                back.push(batch.get(index).to_vec());
            }
        }
        assert_eq!(back, [vec![3, 0xEE], vec![200, 0xEE], vec![7, 0xEE]]);
        assert_eq!(batch.receive(&client, false).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
