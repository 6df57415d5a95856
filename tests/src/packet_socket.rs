//! Raw frames on a device: the one place of the harness with `unsafe`, for an address family that no safe crate binds.
#![allow(unsafe_code, reason = "AF_PACKET has no safe bind")]

use std::io;
use std::mem::{size_of, zeroed};
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType, send, socket};

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
        let on: libc::c_int = 1;
        // SAFETY: the descriptor is open, the pointer is to an integer of the given size that lives through the call.
        let set = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_AUXDATA,
                (&raw const on).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        if set < 0 {
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
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = Timespec::try_from(left).expect("a short time");
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            if poll(&mut fds, Some(&wait)).expect("poll") == 0 {
                return None;
            }
            let frame = self.receive_one().expect("receive a frame");
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }

    /// The frame that is waiting, as it was on the wire: the stack takes the outermost VLAN tag out of what it receives
    /// and tells it beside the frame; here it goes back in.
    fn receive_one(&self) -> io::Result<Vec<u8>> {
        const TAG_OFFSET: usize = 12;
        let mut frame = vec![0_u8; 16 * 1024];
        // Aligned as control messages want it.
        let mut control = [0_u64; 16];
        let mut part = libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: frame.len() };
        // SAFETY: msghdr is made of integers and pointers; all of them zero is a value.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        // SAFETY: the descriptor is open; message names one buffer and one control buffer with their true sizes, and all
        // three live through the call.
        let length = unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
        frame.truncate(usize::try_from(length).map_err(|_| io::Error::last_os_error())?);
        // SAFETY: the kernel has filled in message, whose control buffer is still there.
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        if !header.is_null() {
            // SAFETY: CMSG_FIRSTHDR returned a header within the control buffer, which is aligned for it.
            let (level, kind) = unsafe { ((*header).cmsg_level, (*header).cmsg_type) };
            if (level, kind) == (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
                // SAFETY: a message of this kind carries a tpacket_auxdata, which may stand unaligned.
                let data: libc::tpacket_auxdata =
                    unsafe { libc::CMSG_DATA(header).cast::<libc::tpacket_auxdata>().read_unaligned() };
                if data.tp_status & libc::TP_STATUS_VLAN_VALID != 0 {
                    let tag = [data.tp_vlan_tpid.to_be_bytes(), data.tp_vlan_tci.to_be_bytes()].concat();
                    frame.splice(TAG_OFFSET..TAG_OFFSET, tag);
                }
            }
        }
        Ok(frame)
    }
}
