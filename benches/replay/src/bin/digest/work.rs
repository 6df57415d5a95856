//! The packets of a case, what `md-5` says of them one by one, and the same work for lanes.

use std::hint::black_box;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use md5_lanes::{Lanes, MessageCheck, Prepared, RequestCheck, ResponseSignature};
use radius::{MAX_LENGTH, build::BuildError};

/// Packets of a case: a few bursts, and more than the first-level cache holds.
pub(crate) const PACKETS: usize = 1024;
/// Where the Message-Authenticator stands: first attribute, as senders are advised.
const MESSAGE_AUTHENTICATOR: usize = 22;

/// What is done with the packets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Requests,
    Responses,
    Messages,
}

/// Packets behind each other, as a ring or a journal has them, and the secret of each.
pub(crate) struct Packets {
    kind: Kind,
    pub(crate) octets: Vec<u8>,
    lengths: Vec<usize>,
    secrets: Vec<Prepared>,
}

impl Packets {
    /// Genuine requests of the lengths and lengths of secrets that these say.
    pub(crate) fn requests(
        kind: Kind,
        count: usize,
        length: impl Fn(usize) -> usize,
        secret: impl Fn(usize) -> usize,
    ) -> Result<Packets, BuildError> {
        let mut packets = Packets { kind, octets: Vec::new(), lengths: Vec::new(), secrets: Vec::new() };
        for n in 0..count {
            let secret = packets.secret(n, secret(n));
            let mut buffer = [0; MAX_LENGTH];
            replay::accounting_request(&mut buffer, length(n), n as u8, &secret)?;
            let octets = &mut buffer[..length(n)];
            if kind == Kind::Messages {
                let digest = digest(kind, octets, &secret);
                octets[MESSAGE_AUTHENTICATOR..MESSAGE_AUTHENTICATOR + 16].copy_from_slice(&digest);
            }
            packets.octets.extend_from_slice(octets);
            packets.lengths.push(length(n));
        }
        Ok(packets)
    }

    /// Responses without attributes, to be signed.
    pub(crate) fn responses(secret: impl Fn(usize) -> usize) -> Packets {
        let mut packets =
            Packets { kind: Kind::Responses, octets: Vec::new(), lengths: Vec::new(), secrets: Vec::new() };
        for n in 0..PACKETS {
            packets.secret(n, secret(n));
            packets.octets.extend([5, n as u8, 0, 20]);
            packets.octets.extend([n as u8; 16]);
            packets.lengths.push(20);
        }
        packets
    }

    fn secret(&mut self, n: usize, length: usize) -> Vec<u8> {
        let secret: Vec<u8> = (0..length).map(|place| (n * 31 + place * 7) as u8).collect();
        self.secrets.push(Prepared::new(&secret));
        secret
    }

    pub(crate) fn len(&self) -> usize {
        self.lengths.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &Prepared)> {
        let mut rest = self.octets.as_slice();
        let packets = self.lengths.iter().map(move |&length| {
            let (packet, others) = rest.split_at(length);
            rest = others;
            packet
        });
        packets.zip(&self.secrets)
    }

    /// The baseline.
    pub(crate) fn one_by_one(&self) {
        for (octets, secret) in self.iter() {
            let digest = digest(self.kind, octets, secret.octets());
            black_box(digest == received(self.kind, octets));
        }
    }

    /// Lanes must say what the baseline says, also of packets with a changed bit: a fast wrong answer is worth nothing.
    pub(crate) fn check(&self, batch: usize, lanes: &mut Lanes) -> Result<(), String> {
        let mut changed = self.octets.clone();
        let mut end = 0;
        for (n, length) in self.lengths.iter().enumerate() {
            end += length;
            if n % 37 == 5 {
                changed[end - 1 - n % 20] ^= 1 << (n % 8);
            }
        }
        for octets in [self.octets.clone(), changed] {
            let secrets = self.secrets.iter().map(|secret| Prepared::new(secret.octets())).collect();
            let packets = Packets { kind: self.kind, octets, lengths: self.lengths.clone(), secrets };
            let mut buffer = packets.octets.clone();
            let mut work = Work::new(&packets, &mut buffer);
            work.run(batch, lanes);
            for (n, ((octets, secret), result)) in packets.iter().zip(work.results()).enumerate() {
                let digest = digest(self.kind, octets, secret.octets());
                let right = match result {
                    Outcome::Genuine(genuine) => genuine == (digest == received(self.kind, octets)),
                    Outcome::Signed(signature) => signature == digest,
                };
                if !right {
                    return Err(format!("{} is wrong on packet {n}", lanes.path().name()));
                }
            }
        }
        Ok(())
    }
}

/// The definition (RFC 2866 section 3, RFC 2869 section 5.14), without a copy of the packet.
fn digest(kind: Kind, octets: &[u8], secret: &[u8]) -> [u8; 16] {
    if kind == Kind::Messages {
        let Ok(mut mac) = Hmac::<Md5>::new_from_slice(secret) else { return [0; 16] };
        mac.update(&octets[..4]);
        mac.update(&[0; 16]);
        mac.update(&octets[20..MESSAGE_AUTHENTICATOR]);
        mac.update(&[0; 16]);
        mac.update(&octets[MESSAGE_AUTHENTICATOR + 16..]);
        return mac.finalize().into_bytes().into();
    }
    let mut md5 = Md5::new();
    if kind == Kind::Requests {
        md5.update(&octets[..4]);
        md5.update([0; 16]);
        md5.update(&octets[20..]);
    } else {
        md5.update(octets);
    }
    md5.update(secret);
    md5.finalize().into()
}

/// The digest that the packet carries.
fn received(kind: Kind, octets: &[u8]) -> &[u8] {
    let begin = if kind == Kind::Messages { MESSAGE_AUTHENTICATOR } else { 4 };
    &octets[begin..begin + 16]
}

/// The packets as lanes take them. Made once, run in every round.
pub(crate) enum Work<'a> {
    Requests(Vec<RequestCheck<'a>>),
    Responses(Vec<ResponseSignature<'a>>),
    Messages(Vec<MessageCheck<'a>>),
}

/// What came of one packet.
pub(crate) enum Outcome {
    Genuine(bool),
    Signed([u8; 16]),
}

impl<'a> Work<'a> {
    /// `buffer` is a copy of the packets' octets, for what is signed in place.
    pub(crate) fn new(packets: &'a Packets, mut buffer: &'a mut [u8]) -> Work<'a> {
        match packets.kind {
            Kind::Requests => {
                let check = |(octets, secret)| RequestCheck { octets, secret, genuine: false };
                Work::Requests(packets.iter().map(check).collect())
            }
            Kind::Messages => {
                let check = |(octets, secret)| MessageCheck {
                    octets,
                    secret,
                    offset: MESSAGE_AUTHENTICATOR,
                    keeps_authenticator: false,
                    genuine: false,
                };
                Work::Messages(packets.iter().map(check).collect())
            }
            Kind::Responses => {
                let mut responses = Vec::new();
                for (&length, secret) in packets.lengths.iter().zip(&packets.secrets) {
                    let (octets, rest) = buffer.split_at_mut(length);
                    responses.push(ResponseSignature { octets, secret });
                    buffer = rest;
                }
                Work::Responses(responses)
            }
        }
    }

    /// Batch after batch.
    pub(crate) fn run(&mut self, batch: usize, lanes: &mut Lanes) {
        match self {
            Work::Requests(all) => all.chunks_mut(batch).for_each(|checks| lanes.verify_requests(checks)),
            Work::Responses(all) => all.chunks_mut(batch).for_each(|some| lanes.sign_responses(some)),
            Work::Messages(all) => all.chunks_mut(batch).for_each(|checks| lanes.verify_messages(checks)),
        }
    }

    fn results(&self) -> Vec<Outcome> {
        match self {
            Work::Requests(all) => all.iter().map(|check| Outcome::Genuine(check.genuine)).collect(),
            Work::Messages(all) => all.iter().map(|check| Outcome::Genuine(check.genuine)).collect(),
            Work::Responses(all) => all
                .iter()
                .map(|response| {
                    let mut signature = [0; 16];
                    signature.copy_from_slice(received(Kind::Responses, response.octets));
                    Outcome::Signed(signature)
                })
                .collect(),
        }
    }
}
