//! AF_XDP at the far end of the server's veth pair: whole frames out, answers in with the time at which the kernel
//! had them.
//!
//! The answers come through our own steer program: to it the generator's sources are addresses of this host, and the
//! server is the one known client. What it does not know (ARP) passes to the kernel.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::Context as _;
use etherparse::PacketBuilder;
use ingest::capture::{
    frame::{Layout, ReplyHeader},
    steer::{self, Steer},
};
use ipnet::IpNet;
use sensor_ebpf::Meta;
use xsk::{Interface, KernelRelease, Mode, Packet, Socket};

use super::{Answer, Sender, monotonic_ns};

/// The first source port. Linux hands out those from 32768 to whoever asks, so these are nobody else's.
const FIRST_PORT: u16 = 10_000;
/// Packets taken from the ring at once.
const BURST: usize = 64;

/// Where the frames go from and to.
#[derive(Clone, Debug)]
pub struct Way {
    /// The device at the generator's end.
    pub device: String,
    /// Hardware addresses: ours and the server's.
    pub mac: ([u8; 6], [u8; 6]),
    /// Source addresses.
    pub from: Vec<Ipv4Addr>,
    /// The server.
    pub server: (Ipv4Addr, u16),
}

/// One AF_XDP socket and the program that feeds it.
pub struct Xdp {
    /// Detached before the socket closes.
    _steer: Steer,
    socket: Socket,
    /// The headers of each source's datagrams.
    headers: Vec<ReplyHeader>,
    from: Vec<Ipv4Addr>,
    incoming: Vec<Packet>,
}

impl Xdp {
    /// Opens the socket and attaches the program. To be called in the namespace of the device.
    ///
    /// # Errors
    /// When the device does not have it, or the host: needs root and Linux 6.1.
    pub fn open(way: &Way, flows: u32) -> anyhow::Result<Xdp> {
        let interface = Interface::query(&way.device)?;
        let sources = |flow: u32| {
            let address = way.from[flow as usize % way.from.len()];
            (address, FIRST_PORT + (flow as usize / way.from.len()) as u16)
        };
        let options = steer::Options { endpoints_max: flows.max(64), ..steer::Options::default() };
        let mut steer = Steer::load(&interface, &options)?;
        steer.set_endpoints((0..flows).map(|flow| SocketAddr::from(sources(flow))))?;
        steer.set_clients([(IpNet::from(IpAddr::from(way.server.0)), 0)])?;
        let plan = xsk::Plan {
            modes: &[Mode::NativeCopy],
            options: xsk::Options::default(),
            release: KernelRelease::running()?,
            force_copy_mode: false,
        };
        let mut opened = xsk::ladder::open(&interface, &mut steer, &plan)?;
        let headers = (0..flows).map(|flow| header(way, sources(flow))).collect::<Result<_, _>>()?;
        Ok(Xdp {
            _steer: steer,
            socket: opened.sockets.pop().context("the device has no queue")?,
            headers,
            from: way.from.clone(),
            incoming: Vec::with_capacity(BURST),
        })
    }

    /// The source that an answer is for.
    fn flow(&self, to: SocketAddr) -> Option<u32> {
        let IpAddr::V4(address) = to.ip() else { return None };
        let index = self.from.iter().position(|from| *from == address)?;
        let port = to.port().checked_sub(FIRST_PORT)?;
        let flow = usize::from(port) * self.from.len() + index;
        (flow < self.headers.len()).then_some(flow as u32)
    }
}

/// The headers of a source's datagrams: those of an answer, reversed.
fn header(way: &Way, source: (Ipv4Addr, u16)) -> anyhow::Result<ReplyHeader> {
    let builder = PacketBuilder::ethernet2(way.mac.1, way.mac.0)
        .ipv4(way.server.0.octets(), source.0.octets(), 64)
        .udp(way.server.1, source.1);
    let mut frame = Vec::new();
    builder.write(&mut frame, &[]).context("writing a frame")?;
    let layout = Layout::find(&frame).context("reading our own frame")?;
    Ok(ReplyHeader::to_sender_of(&frame, &layout))
}

impl Sender for Xdp {
    fn send(&mut self, flow: u32, octets: &[u8]) -> io::Result<bool> {
        let Some(mut frame) = self.socket.take_frame() else { return Ok(false) };
        let header = &self.headers[flow as usize];
        let Some(length) = header.write(octets, self.socket.frame_mut(&mut frame)) else {
            self.socket.give_back(frame);
            return Err(io::Error::other("a request is longer than a frame"));
        };
        match self.socket.transmit(frame, length) {
            Ok(()) => Ok(true),
            Err(frame) => {
                self.socket.give_back(frame);
                Ok(false)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.socket.flush()?.completed > 0 {
            self.socket.refill();
        }
        Ok(())
    }

    fn receive(&mut self, take: &mut dyn FnMut(Answer<'_>)) -> io::Result<usize> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let count = self.socket.receive(&mut incoming, BURST);
        let now = monotonic_ns();
        for packet in incoming.drain(..) {
            let frame = self.socket.packet(&packet);
            if let Ok(layout) = Layout::find(frame)
                && let Some(flow) = self.flow(layout.destination(frame))
            {
                let meta = self.socket.before_packet(&packet, Meta::LENGTH).and_then(<[u8]>::first_chunk);
                let at_ns = meta.and_then(Meta::from_bytes).map_or(now, |meta| meta.arrival_ns);
                take(Answer { flow, octets: layout.payload(frame), at_ns });
            }
            self.socket.give_back(packet.into_frame());
        }
        self.incoming = incoming;
        if count > 0 {
            self.socket.refill();
        }
        Ok(count)
    }
}
