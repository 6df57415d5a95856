//! The few calls that need raw pointers: `recvmmsg` and `sendmmsg` over preallocated buffers, and socket options.
//!
//! Every pointer handed to the kernel is made from a live slice or local right before the call and is dead after it;
//! nothing here keeps one.

use std::{
    io,
    mem::{self, MaybeUninit},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

use libc::{c_int, c_void, cmsghdr, iovec, mmsghdr, sockaddr_in, sockaddr_in6};

use super::{MESSAGES, waiting::Message};

/// Octets taken of a datagram: the longest packet and a little, so that a longer datagram is seen to be one.
const BUFFER: usize = radius::MAX_LENGTH + 64;

/// Room for the control messages of one datagram: time (32 octets with header), IPv6 packet info (40), drops (24).
const CONTROL: usize = 128;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// A socket address of either family; both begin with the family.
#[repr(C)]
#[derive(Clone, Copy)]
union Name {
    v4: sockaddr_in,
    v6: sockaddr_in6,
}

impl Name {
    const ZERO: Name = Name {
        v6: sockaddr_in6 {
            sin6_family: 0,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
            sin6_scope_id: 0,
        },
    };

    fn get(&self) -> Option<SocketAddr> {
        // SAFETY: both variants are plain integers, begin with the family, and every octet of the union is
        // initialised (it starts as `ZERO` and the kernel writes over it), so either may be read.
        let (v4, v6) = unsafe { (self.v4, self.v6) };
        match c_int::from(v6.sin6_family) {
            libc::AF_INET => {
                let address = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddrV4::new(address, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                Some(SocketAddrV6::new(address, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }

    /// The address and how many octets of it count.
    fn set(address: SocketAddr) -> (Name, usize) {
        match address {
            SocketAddr::V4(v4) => {
                let name = sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: v4.port().to_be(),
                    sin_addr: in_addr(*v4.ip()),
                    sin_zero: [0; 8],
                };
                (Name { v4: name }, size_of::<sockaddr_in>())
            }
            SocketAddr::V6(v6) => {
                let name = sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                (Name { v6: name }, size_of::<sockaddr_in6>())
            }
        }
    }
}

fn in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) }
}

/// What the kernel said about one datagram.
#[derive(Clone, Copy)]
pub(super) struct Arrived {
    pub(super) length: usize,
    /// The datagram was longer than the buffer.
    pub(super) cut: bool,
    pub(super) peer: SocketAddr,
    /// The destination in its header.
    pub(super) destination: Option<IpAddr>,
    /// The address of this host to answer from: the destination, unless that was a broadcast.
    pub(super) local: Option<IpAddr>,
    pub(super) interface: u32,
    pub(super) unix_ns: Option<u64>,
    pub(super) drops: Option<u32>,
}

/// The receive buffers of one worker, for one burst.
pub(super) struct Room {
    buffers: Box<[[u8; BUFFER]]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    arrived: Box<[Arrived]>,
}

impl Room {
    pub(super) fn new() -> Room {
        let nothing = Arrived {
            length: 0,
            cut: false,
            peer: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
            destination: None,
            local: None,
            interface: 0,
            unix_ns: None,
            drops: None,
        };
        Room {
            buffers: vec![[0; BUFFER]; MESSAGES].into_boxed_slice(),
            names: vec![Name::ZERO; MESSAGES].into_boxed_slice(),
            controls: vec![Control([0; CONTROL]); MESSAGES].into_boxed_slice(),
            arrived: vec![nothing; MESSAGES].into_boxed_slice(),
        }
    }

    /// The first `length` octets of buffer `index`.
    pub(super) fn payload(&self, index: usize, length: usize) -> &[u8] {
        &self.buffers[index][..length]
    }

    /// What was said about the `count` datagrams from `at` on.
    pub(super) fn arrived(&self, at: usize, count: usize) -> &[Arrived] {
        &self.arrived[at..at + count]
    }

    /// Takes what is there into the buffers from `at` on; at least one, or `WouldBlock`.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>, at: usize) -> io::Result<usize> {
        let room = MESSAGES - at;
        let mut vectors = [const { iovec { iov_base: ptr::null_mut(), iov_len: 0 } }; MESSAGES];
        // SAFETY: an all-zero `mmsghdr` is valid: null pointers, no lengths.
        let mut headers: [mmsghdr; MESSAGES] = unsafe { mem::zeroed() };
        for i in 0..room {
            vectors[i] = iovec { iov_base: self.buffers[at + i].as_mut_ptr().cast(), iov_len: BUFFER };
            let header = &mut headers[i].msg_hdr;
            header.msg_name = (&raw mut self.names[at + i]).cast();
            header.msg_namelen = size_of::<Name>() as libc::socklen_t;
            header.msg_iov = &raw mut vectors[i];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[at + i].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
        }
        // SAFETY: `room` headers are set up, each with pointers into buffers of at least the length stated, which
        // live in `self` and in `vectors` beyond the call. A null timeout is allowed; the socket does not block.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                room as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (i, header) in headers.iter().enumerate().take(count) {
            let peer = self.names[at + i].get();
            let mut arrived = Arrived {
                length: (header.msg_len as usize).min(BUFFER),
                cut: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
                peer: peer.unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0)),
                destination: None,
                local: None,
                interface: 0,
                unix_ns: None,
                drops: None,
            };
            read_control(&header.msg_hdr, &mut arrived);
            self.arrived[at + i] = arrived;
        }
        Ok(count)
    }
}

/// Reads the control messages of a header that `recvmmsg` just filled.
fn read_control(header: &libc::msghdr, arrived: &mut Arrived) {
    // SAFETY: the kernel set msg_controllen to the octets that it wrote into msg_control, which is aligned for
    // `cmsghdr` and still borrowed by the caller.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !message.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give only headers that lie within the control buffer.
        let cmsghdr { cmsg_level: level, cmsg_type: kind, cmsg_len: length, .. } = unsafe { *message };
        // SAFETY: as above; the pointer is to the data behind this header, of which `length` tells how much there is.
        let data = unsafe { libc::CMSG_DATA(message) };
        // SAFETY: arithmetic on a constant.
        let head = unsafe { libc::CMSG_LEN(0) } as usize;
        let available = (length).saturating_sub(head);
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                if let Some(time) = read::<libc::timespec>(data, available)
                    && let (Ok(seconds), Ok(nanoseconds)) =
                        (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec))
                {
                    arrived.unix_ns = Some(seconds * 1_000_000_000 + nanoseconds);
                }
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => arrived.drops = read::<u32>(data, available),
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                if let Some(info) = read::<libc::in_pktinfo>(data, available) {
                    arrived.destination = Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()).into());
                    arrived.local = Some(Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes()).into());
                    arrived.interface = info.ipi_ifindex as u32;
                }
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                if let Some(info) = read::<libc::in6_pktinfo>(data, available) {
                    let address = IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr));
                    arrived.destination = Some(address);
                    arrived.local = (!address.is_multicast()).then_some(address);
                    arrived.interface = info.ipi6_ifindex;
                }
            }
            _ => {}
        }
        // SAFETY: `message` came from the same header.
        message = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
}

/// Types of which any octets are a value.
trait Plain: Copy {}
impl Plain for u32 {}
impl Plain for libc::timespec {}
impl Plain for libc::in_pktinfo {}
impl Plain for libc::in6_pktinfo {}

/// A value out of a control message that has `available` octets.
fn read<T: Plain>(data: *const u8, available: usize) -> Option<T> {
    // SAFETY: the caller states how many octets lie at `data`; the read needs no alignment, and `T` is plain.
    (available >= size_of::<T>()).then(|| unsafe { data.cast::<T>().read_unaligned() })
}

/// Sends up to a burst of messages whose octets lie in `octets`; returns how many went, at least one.
pub(super) fn send(socket: BorrowedFd<'_>, messages: &[Message], octets: &[u8]) -> io::Result<usize> {
    let count = messages.len().min(MESSAGES);
    // Only what a message needs is written: setting all of it to zero takes longer than all else here when a lone
    // request is answered (132 ns against 4 for 64 messages, and as much again for each 64 more).
    let mut vectors = [const { MaybeUninit::<iovec>::uninit() }; MESSAGES];
    let mut names = [const { MaybeUninit::<Name>::uninit() }; MESSAGES];
    let mut controls = [const { MaybeUninit::<Control>::uninit() }; MESSAGES];
    let mut headers = [const { MaybeUninit::<mmsghdr>::uninit() }; MESSAGES];
    for (i, message) in messages.iter().enumerate().take(count) {
        let payload = &octets[message.start..message.start + message.length];
        // The kernel only reads through this pointer.
        let vector = iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        let (name, name_length) = Name::set(message.peer);
        // SAFETY: an all-zero `mmsghdr` is valid: null pointers, no lengths.
        let header = headers[i].write(unsafe { mem::zeroed() });
        let header = &mut header.msg_hdr;
        header.msg_name = (&raw mut *names[i].write(name)).cast();
        header.msg_namelen = name_length as libc::socklen_t;
        header.msg_iov = &raw mut *vectors[i].write(vector);
        header.msg_iovlen = 1;
        let control = controls[i].write(Control([0; CONTROL]));
        let used = write_control(control, message);
        if used > 0 {
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = used as _;
        }
    }
    // SAFETY: `count` headers are set up, each with pointers to live locals and to `octets`, of the lengths stated.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            count as libc::c_uint,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// The control message that chooses the source address, if one is known. Returns its octets.
fn write_control(control: &mut Control, message: &Message) -> usize {
    match message.from {
        from if from.is_unspecified() => 0,
        IpAddr::V4(from) => {
            let info =
                libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: in_addr(from), ipi_addr: in_addr(from) };
            put(control, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
        }
        IpAddr::V6(from) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr { s6_addr: from.octets() },
                ipi6_ifindex: message.interface as _,
            };
            put(control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
        }
    }
}

fn put<T: Plain>(control: &mut Control, level: c_int, kind: c_int, value: T) -> usize {
    // SAFETY: arithmetic on constants.
    let (space, length) =
        unsafe { (libc::CMSG_SPACE(size_of::<T>() as u32), libc::CMSG_LEN(size_of::<T>() as u32)) };
    assert!(space as usize <= CONTROL);
    let header = control.0.as_mut_ptr().cast::<cmsghdr>();
    // SAFETY: `Control` is aligned to 8 as `cmsghdr` wants it and holds `space` octets, in which the header and the
    // value behind it lie.
    unsafe {
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = length as _;
        libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
    }
    space as usize
}

/// Sets what a listening socket needs before it is bound.
pub(super) fn prepare(socket: BorrowedFd<'_>, v6: bool, receive_buffer: usize) -> io::Result<()> {
    let set = |level, option, value: c_int| {
        // SAFETY: the option's value is a live `c_int` of the stated length.
        let failed = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                level,
                option,
                (&raw const value).cast::<c_void>(),
                size_of::<c_int>() as libc::socklen_t,
            )
        };
        if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    set(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    set(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    if v6 {
        set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
        set(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
    } else {
        set(libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
    }
    let size = c_int::try_from(receive_buffer).unwrap_or(c_int::MAX);
    // The first needs CAP_NET_ADMIN; the second is cut to net.core.rmem_max without a word.
    set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, size)
        .or_else(|_| set(libc::SOL_SOCKET, libc::SO_RCVBUF, size))
}
