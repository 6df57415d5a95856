//! Ethernet frames with signed requests of the four imitated VPN servers, laid out as a UMEM lays them out.

use std::net::{IpAddr, Ipv4Addr};

use etherparse::PacketBuilder;
use ingest::clients::{Client, Clients, Secret};
use radius::attribute::kind::MESSAGE_AUTHENTICATOR;
use traffic::{Attribute, Session, Status, Vendor};

/// Where frames lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// One behind the other, each at a multiple of 64 octets.
    Packed,
    /// One in each slot of this many octets, as in a UMEM of aligned chunks.
    Slots(usize),
}

/// What frames to make.
#[derive(Clone, Debug)]
pub struct FrameOptions {
    /// How many, before source ports are varied.
    pub count: usize,
    /// From how many clients, each with an address and a secret of its own.
    pub clients: usize,
    /// Where they lie.
    pub placement: Placement,
    /// Pad every request to this length with Class attributes, and give it nothing else; none: as the VPN servers send
    /// them.
    pub length: Option<usize>,
    /// Every request has a Message-Authenticator, and so has its answer.
    pub message_authenticator: bool,
    /// Frames of different seeds tell of different sessions, and so are different requests.
    pub seed: u64,
}

impl Default for FrameOptions {
    fn default() -> FrameOptions {
        FrameOptions {
            // As many as a queue's UMEM has frames: what the worker reads lies in the same cache as there.
            count: 4096,
            clients: 1000,
            placement: Placement::Slots(2048),
            length: None,
            message_authenticator: false,
            seed: 7,
        }
    }
}

/// The frames and who sends them.
#[derive(Clone, Debug)]
pub struct Frames {
    pub(super) memory: Vec<u8>,
    /// Start and length of each.
    pub(super) places: Vec<(usize, usize)>,
    /// The client of each.
    pub(super) clients: Vec<usize>,
    /// Mean length of the requests, octets.
    pub mean_length: f64,
}

/// Octets in front of a frame in its slot: XDP_PACKET_HEADROOM.
const HEADROOM: usize = 256;
/// The source port of the first 256 frames; those of each 256 more have the next one.
const FIRST_PORT: u16 = 1024;
/// Ethernet, IPv4, UDP.
pub(super) const HEADERS: usize = 14 + 20 + 8;

/// The address of client `number`.
pub(super) fn client_address(number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0001 + number as u32)
}

/// The secret of client `number`: 16 to 31 octets.
pub(super) fn client_secret(number: usize) -> Vec<u8> {
    format!("secret {number:08}{}", &"0123456789abcdef"[..number % 16]).into_bytes()
}

/// `count` clients with one address and one secret each.
///
/// # Errors
/// What the product says to such clients: nothing, up to 2^24 of them.
pub fn clients(count: usize) -> anyhow::Result<Clients> {
    let client = |number: usize| -> anyhow::Result<Client> {
        Ok(Client {
            name: format!("vpn-{number:06}").into(),
            secrets: [Some(Secret::new(client_secret(number))?), None],
            status_server: true,
            require_message_authenticator: false,
            max_rate: None,
            prefixes: vec![IpAddr::from(client_address(number)).into()],
            vendor: "auto".into(),
        })
    };
    Ok(Clients::build((0..count).map(client).collect::<Result<_, _>>()?)?)
}

impl Frames {
    /// Signs and lays out the frames, those of all clients mixed.
    ///
    /// # Errors
    /// When a request cannot be built.
    pub fn build(options: &FrameOptions) -> anyhow::Result<Frames> {
        let mut frames = Frames {
            memory: Vec::new(),
            places: Vec::with_capacity(options.count),
            clients: Vec::with_capacity(options.count),
            mean_length: 0.0,
        };
        let statuses = [Status::Start, Status::InterimUpdate, Status::InterimUpdate, Status::Stop];
        let mut at = 0;
        for number in 0..options.count {
            // A stride that is coprime to any likely count, so that neighbours are of different clients.
            let client = number.wrapping_mul(7_919) % options.clients;
            let mut buffer = [0; radius::MAX_LENGTH];
            let secret = client_secret(client);
            let octets = match options.length {
                Some(length) => crate::accounting_request(&mut buffer, length, number as u8, &secret)?,
                None => {
                    let vendor = Vendor::ALL[number % 4];
                    let status = statuses[number / 4 % 4];
                    let session = Session::made_up(vendor, options.seed, number as u64);
                    let mut attributes = session.attributes(status, 1_790_000_000);
                    if options.message_authenticator {
                        attributes.push(Attribute::new(MESSAGE_AUTHENTICATOR, []));
                    }
                    traffic::write(&mut buffer, status, number as u8, &[0; 16], &attributes, &secret)?
                }
            };
            frames.mean_length += octets.len() as f64 / options.count as f64;
            let start = match options.placement {
                Placement::Packed => at,
                Placement::Slots(slot) => number * slot + HEADROOM,
            };
            let mut frame = Vec::with_capacity(HEADERS + octets.len());
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4(client_address(client).octets(), [192, 0, 2, 1], 64)
                .udp(FIRST_PORT + (number >> 8) as u16, 1813)
                .write(&mut frame, octets)?;
            at = (start + frame.len()).next_multiple_of(64);
            frames.memory.resize(start + frame.len() + 64, 0);
            frames.memory[start..start + frame.len()].copy_from_slice(&frame);
            frames.places.push((start, frame.len()));
            frames.clients.push(client);
        }
        Ok(frames)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The octets of one.
    pub fn frame(&self, index: usize) -> &[u8] {
        let (start, length) = self.places[index];
        &self.memory[start..start + length]
    }

    /// The request in one.
    pub fn request(&self, index: usize) -> &[u8] {
        &self.frame(index)[HEADERS..]
    }

    /// The secret that the request in one is signed with.
    pub fn secret(&self, index: usize) -> Vec<u8> {
        client_secret(self.clients[index])
    }

    /// Gives a frame another UDP source port, so that it is another request (the duplicate table's key has the port,
    /// the Request Authenticator has not), and mends the checksum (RFC 1624).
    pub(super) fn next_port(&mut self, index: usize) {
        let (start, _) = self.places[index];
        let step = self.len().div_ceil(256).next_power_of_two() as u16;
        let udp = &mut self.memory[start + 34..start + 42];
        let old = u16::from_be_bytes([udp[0], udp[1]]);
        // Frames of one Identifier have ports of their own by their number: the step keeps them apart.
        let new = old.checked_add(step).unwrap_or(FIRST_PORT + (old - FIRST_PORT) % step);
        udp[..2].copy_from_slice(&new.to_be_bytes());
        let checksum = u16::from_be_bytes([udp[6], udp[7]]);
        let mut sum = u32::from(!checksum) + u32::from(!old) + u32::from(new);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        // Zero would say that there is none (RFC 768).
        let checksum = if sum == 0xffff { 0xffff } else { !(sum as u16) };
        udp[6..].copy_from_slice(&checksum.to_be_bytes());
    }
}
