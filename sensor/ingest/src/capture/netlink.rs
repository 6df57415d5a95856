//! What the kernel says about links and addresses: asked at start, watched while running.
//!
//! AF_XDP reports nothing when its device is deleted, so that the control thread has to hear it here. Both sockets are
//! opened before privileges are dropped and need none afterwards. Called by the control thread and by `check`; never
//! by a worker.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, BorrowedFd},
};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{LinkAttribute, LinkFlags, LinkMessage, LinkXdp},
};
use netlink_sys::{Socket, SocketAddr as NetlinkAddress, protocols::NETLINK_ROUTE};
use rustix::event::{PollFd, PollFlags, Timespec};

/// Multicast groups of rtnetlink(7), as bits of the address that a socket binds to.
const RTMGRP_LINK: u32 = 1;
const RTMGRP_IPV4_IFADDR: u32 = 0x10;
const RTMGRP_IPV6_IFADDR: u32 = 0x100;

/// Room for events while the control thread is busy; when it is full the kernel says so, see [`Event::Overrun`].
const EVENT_BUFFER_BYTES: usize = 1 << 20;

/// How long the kernel may take to answer a question, seconds. It answers from memory.
const ANSWER_TIMEOUT_S: i64 = 5;

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A link appeared or changed.
    Link(Link),
    /// A link was deleted, or moved to another network namespace.
    LinkRemoved {
        /// Its interface index, which no later link of this namespace will have soon.
        index: u32,
        /// The name it had.
        name: String,
    },
    /// An address was added, or one of its attributes changed.
    AddressAdded(Address),
    /// An address was removed.
    AddressRemoved(Address),
    /// The kernel had to drop events: ask for links and addresses anew.
    Overrun,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Interface index.
    pub index: u32,
    /// Name.
    pub name: String,
    /// Longest IP packet, octets.
    pub mtu: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether it has a carrier and can pass packets.
    pub running: bool,
    /// Ids of the XDP programs attached to it, at whatever hook.
    pub xdp_program_ids: Vec<u32>,
}

/// An address of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Index of the interface that holds it.
    pub interface: u32,
    /// The address.
    pub address: IpAddr,
    /// Length of its network's prefix, bits.
    pub prefix_length: u8,
}

/// A watch on links and addresses of the network namespace in which it was opened.
pub struct Watch {
    events: Socket,
    questions: Socket,
    sequence: u32,
}

impl Watch {
    /// Opens the sockets; events count from here. Needs no privilege.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn open() -> io::Result<Watch> {
        let mut events = Socket::new(NETLINK_ROUTE)?;
        events.bind(&NetlinkAddress::new(0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))?;
        events.set_non_blocking(true)?;
        events.set_rx_buf_sz(EVENT_BUFFER_BYTES as i32)?;
        let mut questions = Socket::new(NETLINK_ROUTE)?;
        questions.bind_auto()?;
        Ok(Watch { events, questions, sequence: 0 })
    }

    /// Takes all events that are there; does not block. Wait for more with the descriptor ([`AsFd`], readable).
    ///
    /// # Errors
    /// Whatever the kernel says, except for the overrun that is an event.
    pub fn events(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        loop {
            match self.events.recv_from_full() {
                Ok((datagram, sender)) if sender.port_number() == 0 => {
                    for message in messages(&datagram)? {
                        events.extend(event(message));
                    }
                }
                // Only the kernel is believed; any process may send to us.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(events),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => events.push(Event::Overrun),
                Err(error) => return Err(error),
            }
        }
    }

    /// All addresses of this host, of all interfaces, loopback included.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn addresses(&mut self) -> io::Result<Vec<Address>> {
        let answers = self.ask(RouteNetlinkMessage::GetAddress(AddressMessage::default()))?;
        let addresses = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewAddress(message) => address(&message),
            _ => None,
        });
        Ok(addresses.collect())
    }

    /// All links.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn links(&mut self) -> io::Result<Vec<Link>> {
        let answers = self.ask(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
        let links = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(message) => Some(link(message)),
            _ => None,
        });
        Ok(links.collect())
    }

    /// Asks for all objects of a kind.
    fn ask(&mut self, question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::from(question);
        message.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut buffer = vec![0; message.buffer_len()];
        message.serialize(&mut buffer);
        self.questions.send_to(&buffer, &NetlinkAddress::new(0, 0), 0)?;

        let mut answers = Vec::new();
        loop {
            wait_readable(self.questions.as_fd())?;
            let (datagram, sender) = self.questions.recv_from_full()?;
            if sender.port_number() != 0 {
                continue;
            }
            for message in messages(&datagram)? {
                // What is left of an earlier question that failed half-way.
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                match message.payload {
                    NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                    NetlinkPayload::Done(_) => return Ok(answers),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    _ => {}
                }
            }
        }
    }
}

impl AsFd for Watch {
    /// The descriptor to poll for events: readable when there are some.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

/// The addresses and ports to steer by: what the host's sockets bound to `listening` would receive on `interface`.
///
/// An unspecified address stands for all addresses of its family that the host has: the host's model is the weak
/// one (RFC 1122 section 3.3.4.2), any interface receives for any address, only link-local ones belong to theirs.
/// Loopback addresses never arrive by a wire.
pub fn endpoints(listening: &[SocketAddr], addresses: &[Address], interface: u32) -> Vec<SocketAddr> {
    let is_link_local = |address: IpAddr| match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let mut endpoints = Vec::new();
    for listen in listening {
        let held = addresses.iter().filter(|held| {
            (if listen.ip().is_unspecified() {
                held.address.is_ipv4() == listen.is_ipv4()
            } else {
                held.address == listen.ip()
            }) && !held.address.is_loopback()
                && (held.interface == interface || !is_link_local(held.address))
        });
        endpoints.extend(held.map(|held| SocketAddr::new(held.address, listen.port())));
    }
    endpoints.sort_unstable();
    endpoints.dedup();
    endpoints
}

/// The messages of one datagram.
fn messages(datagram: &[u8]) -> io::Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
    let mut messages = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        // Messages start at multiples of four octets.
        let length = (message.header.length as usize).next_multiple_of(4).min(rest.len());
        messages.push(message);
        if length == 0 {
            break;
        }
        rest = &rest[length..];
    }
    Ok(messages)
}

fn event(message: NetlinkMessage<RouteNetlinkMessage>) -> Option<Event> {
    let NetlinkPayload::InnerMessage(message) = message.payload else { return None };
    match message {
        RouteNetlinkMessage::NewLink(message) => Some(Event::Link(link(message))),
        RouteNetlinkMessage::DelLink(message) => {
            let Link { index, name, .. } = link(message);
            Some(Event::LinkRemoved { index, name })
        }
        RouteNetlinkMessage::NewAddress(message) => address(&message).map(Event::AddressAdded),
        RouteNetlinkMessage::DelAddress(message) => address(&message).map(Event::AddressRemoved),
        _ => None,
    }
}

fn link(message: LinkMessage) -> Link {
    let mut link = Link {
        index: message.header.index,
        up: message.header.flags.contains(LinkFlags::Up),
        running: message.header.flags.contains(LinkFlags::Running),
        ..Link::default()
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::Xdp(attributes) => {
                for attribute in attributes {
                    match attribute {
                        LinkXdp::ProgId(id)
                        | LinkXdp::DrvProgId(id)
                        | LinkXdp::SkbProgId(id)
                        | LinkXdp::HwProgId(id)
                            if id != 0 && !link.xdp_program_ids.contains(&id) =>
                        {
                            link.xdp_program_ids.push(id);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    link
}

/// On a point-to-point link `IFA_ADDRESS` is the peer and `IFA_LOCAL` ours; IPv6 mostly has the former alone.
fn address(message: &AddressMessage) -> Option<Address> {
    let mut found = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => {
                found = Some(*address);
                break;
            }
            AddressAttribute::Address(address) => found = Some(*address),
            _ => {}
        }
    }
    let (interface, prefix_length) = (message.header.index, message.header.prefix_len);
    found.map(|address| Address { interface, address, prefix_length })
}

fn wait_readable(socket: BorrowedFd<'_>) -> io::Result<()> {
    let timeout = Timespec { tv_sec: ANSWER_TIMEOUT_S, tv_nsec: 0 };
    match rustix::event::poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&timeout)) {
        Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "the kernel does not answer on netlink")),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(interface: u32, address: &str) -> Address {
        Address { interface, address: address.parse().unwrap(), prefix_length: 24 }
    }

    fn listen(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn an_unspecified_address_is_every_address_of_its_family_that_a_wire_can_bring() {
        let addresses = [
            held(1, "127.0.0.1"),
            held(1, "::1"),
            held(2, "192.0.2.1"),
            held(3, "198.51.100.1"),
            held(2, "2001:db8::1"),
            held(2, "fe80::2"),
            held(3, "fe80::3"),
        ];
        let all = ["192.0.2.1:1813", "198.51.100.1:1813", "[2001:db8::1]:1813", "[fe80::2]:1813"];
        assert_eq!(endpoints(&listen(&["0.0.0.0:1813", "[::]:1813"]), &addresses, 2), listen(&all));
        assert_eq!(
            endpoints(&listen(&["0.0.0.0:1646"]), &addresses, 3)[1],
            listen(&["198.51.100.1:1646"])[0]
        );
    }

    #[test]
    fn a_named_address_counts_once_and_only_if_the_host_has_it() {
        let addresses = [held(2, "192.0.2.1"), held(3, "192.0.2.1"), held(1, "127.0.0.1")];
        let listening = listen(&["192.0.2.1:1813", "0.0.0.0:1813", "192.0.2.9:1813", "127.0.0.1:1813"]);
        assert_eq!(endpoints(&listening, &addresses, 2), listen(&["192.0.2.1:1813"]));
    }

    #[test]
    fn a_datagram_of_rubbish_is_an_error() {
        assert!(messages(&[0xFF; 7]).is_err());
        assert!(messages(&[0; 64]).is_err());
        assert_eq!(messages(&[]).unwrap(), []);
    }
}
