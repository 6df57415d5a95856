//! Raw frames on a device: the one place of the harness with `unsafe`, for an address family that no safe crate binds.
#![allow(unsafe_code, reason = "AF_PACKET has no safe bind")]

use std::io;
use std::mem::{size_of, zeroed};
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketType, recv, send, socket};

use crate::Namespace;

/// A socket that sends and sees whole Ethernet frames of one device.
pub struct PacketSocket {
    socket: OwnedFd,
}

impl PacketSocket {
    /// Opens a socket on a device of a namespace.
    #[track_caller]
    pub fn new(namespace: &Namespace, device: &str) -> PacketSocket {
        namespace.enter(|| PacketSocket::open(device).unwrap_or_else(|error| panic!("{device}: {error}")))
    }

    fn open(device: &str) -> io::Result<PacketSocket> {
        let protocol = (libc::ETH_P_ALL as u16).to_be();
        let raw = Protocol::from_raw(NonZeroU32::new(protocol.into()).ok_or(io::ErrorKind::InvalidInput)?);
        let socket = socket(AddressFamily::PACKET, SocketType::RAW, Some(raw))?;
        let index = rustix::net::netdevice::name_to_index(&socket, device)?;
        // SAFETY: sockaddr_ll is made of integers; all of them zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol;
        address.sll_ifindex = index as i32;
        // SAFETY: the descriptor is open, the pointer is to a sockaddr_ll that lives through the call and has this size.
        let bound = unsafe {
            libc::bind(
                socket.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        };
        if bound < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(PacketSocket { socket })
    }

    /// Sends a frame.
    #[track_caller]
    pub fn send(&self, frame: &[u8]) {
        let sent = send(&self.socket, frame, SendFlags::empty()).expect("send a frame");
        assert_eq!(sent, frame.len(), "the whole frame");
    }

    /// The first frame that arrives and satisfies `wanted`, or `None` after `timeout`.
    #[track_caller]
    pub fn receive(&self, timeout: Duration, wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut buffer = [0; 16 * 1024];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = Timespec::try_from(left).expect("a short time");
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            if poll(&mut fds, Some(&wait)).expect("poll") == 0 {
                return None;
            }
            let (length, _) =
                recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT).expect("receive a frame");
            if wanted(&buffer[..length]) {
                return Some(buffer[..length].to_vec());
            }
        }
    }
}
