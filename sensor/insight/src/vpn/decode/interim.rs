//! Interim-Updates without another look at what they repeat. Most records are interims, and but for times and counters one
//! says what the one before it in its session said: who, from where, with what, and all that tells vendor and kind. To
//! know that again, a fingerprint of it is enough, which costs a fraction of decoding.
//!
//! Nothing is known by a fingerprint that was not decoded before under the same configuration: its keys are the decoder's
//! own, drawn at random, so that nobody can choose what is taken for something else, and no fingerprint outlives them.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
};

use arrayvec::ArrayVec;
use radius::{Code, HEADER_LENGTH, MAX_ATTRIBUTES, MAX_LENGTH, MIN_LENGTH, attribute::kind};
use siphasher::sip128::SipHasher13;

use super::{
    super::event::{Counters, EventTime},
    Decoder, Received,
    walk::counters,
};

/// Acct-Status-Type of an Interim-Update (RFC 2866 section 5.1).
const INTERIM_UPDATE: u32 = 3;

/// What changes from one interim to the next, each 32 bits. Acct-Status-Type is among them: it must be read.
const CHANGING: [u8; 10] = [
    kind::ACCT_STATUS_TYPE,
    kind::ACCT_DELAY_TIME,
    kind::EVENT_TIMESTAMP,
    kind::ACCT_SESSION_TIME,
    kind::ACCT_INPUT_OCTETS,
    kind::ACCT_OUTPUT_OCTETS,
    kind::ACCT_INPUT_GIGAWORDS,
    kind::ACCT_OUTPUT_GIGAWORDS,
    kind::ACCT_INPUT_PACKETS,
    kind::ACCT_OUTPUT_PACKETS,
];

/// Octets of what is repeated: of a request, an address and a client's name. Where a name leaves no room, all is decoded.
const REPEATED_MAX: usize = MAX_LENGTH + 1024;

/// What changes and says nothing of the session.
const PASSED_OVER: [u8; 2] = [kind::PROXY_STATE, kind::MESSAGE_AUTHENTICATOR];

/// What an attribute of each type is to a fingerprint.
const ROLES: [Role; 256] = {
    let mut roles = [Role::Repeated; 256];
    let mut at = 0;
    while at < CHANGING.len() {
        roles[CHANGING[at] as usize] = Role::Changing(at as u8);
        at += 1;
    }
    at = 0;
    while at < PASSED_OVER.len() {
        roles[PASSED_OVER[at] as usize] = Role::PassedOver;
        at += 1;
    }
    // Of these requests are refused, some of them: decoding tells.
    roles[0] = Role::ToBeDecoded;
    roles[kind::EAP_MESSAGE as usize] = Role::ToBeDecoded;
    roles
};

#[derive(Clone, Copy)]
enum Role {
    /// The same in each interim of a session.
    Repeated,
    /// The number at this place of [`CHANGING`].
    Changing(u8),
    /// Neither.
    PassedOver,
    /// It needs a closer look.
    ToBeDecoded,
}

/// Of everything that an Interim-Update repeats: client, source, and all attributes but those that change. 128 bits by
/// SipHash-1-3; all zeros stand for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// Of no interim.
    pub const NONE: Fingerprint = Fingerprint([0; 2]);

    /// Any but [`Fingerprint::NONE`].
    #[cfg(test)]
    pub(in crate::vpn) fn any(number: u64) -> Fingerprint {
        Fingerprint([number, !number])
    }

    /// What a table finds it by.
    pub(in crate::vpn) fn hash(self) -> u64 {
        self.0[0]
    }
}

/// An Interim-Update by what it does not repeat.
#[derive(Debug, Clone, Copy)]
pub struct Interim {
    /// Of what it repeats.
    pub fingerprint: Fingerprint,
    /// Arrival, ns since 1970 UTC.
    pub arrival_unix_ns: u64,
    /// When it was sent.
    pub time: EventTime,
    /// What was transferred.
    pub counters: Counters,
}

/// Keys of fingerprints.
#[derive(Debug)]
pub(super) struct Keys(u64, u64);

impl Keys {
    pub(super) fn new() -> Keys {
        let random = RandomState::new();
        Keys(random.hash_one(0), random.hash_one(1))
    }
}

/// Whether fingerprints leave an attribute out.
pub(super) fn leaves_out(kind: u8) -> bool {
    !matches!(ROLES[usize::from(kind)], Role::Repeated)
}

impl Decoder {
    /// What an Interim-Update does not repeat, and the fingerprint of what it does. `None`: it is none, or one that is not
    /// as they usually are, which is to be decoded whatever came before it.
    pub fn interim(&self, received: &Received<'_>) -> Option<Interim> {
        if self.clients.get(received.client).is_some_and(|client| !client.may_be_abridged) {
            return None;
        }
        let octets = received.octets;
        let &[code, _, high, low, ..] = octets else { return None };
        if code != u8::from(Code::AccountingRequest)
            || usize::from(u16::from_be_bytes([high, low])) != octets.len()
            || !(MIN_LENGTH..=MAX_LENGTH).contains(&octets.len())
        {
            return None;
        }
        // One piece is hashed faster than ten.
        let mut repeated = ArrayVec::<u8, REPEATED_MAX>::new();
        let source = match received.source.ip() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        repeated.try_extend_from_slice(&source.octets()).ok()?;
        repeated.try_extend_from_slice(received.client.as_bytes()).ok()?;
        // No name ends in it.
        repeated.try_push(0xff).ok()?;
        let mut numbers = [None; CHANGING.len()];
        let mut is_signed = false;
        // What is repeated and not yet in the fingerprint begins here.
        let mut begin = HEADER_LENGTH;
        let mut at = HEADER_LENGTH;
        let mut count = 0;
        while at < octets.len() {
            let (kind, length) = (octets[at], usize::from(*octets.get(at + 1)?));
            let value = octets.get(at + 2..at + length)?;
            count += 1;
            let is_repeated = match ROLES[usize::from(kind)] {
                Role::Repeated => true,
                Role::Changing(place) => {
                    let number = u32::from_be_bytes(value.try_into().ok()?);
                    let slot = &mut numbers[usize::from(place)];
                    if slot.is_some() || (kind == kind::ACCT_STATUS_TYPE && number != INTERIM_UPDATE) {
                        return None;
                    }
                    *slot = Some(number);
                    false
                }
                Role::PassedOver => {
                    let is_signature = kind == kind::MESSAGE_AUTHENTICATOR;
                    if is_signature && (is_signed || value.len() != 16) {
                        return None;
                    }
                    is_signed |= is_signature;
                    false
                }
                Role::ToBeDecoded => return None,
            };
            if !is_repeated {
                repeated.try_extend_from_slice(&octets[begin..at]).ok()?;
                begin = at + length;
            }
            at += length;
        }
        repeated.try_extend_from_slice(&octets[begin..]).ok()?;
        let [status, delay, timestamp, session_seconds, octets @ .., input_packets, output_packets] = numbers;
        status?;
        if count > MAX_ATTRIBUTES {
            return None;
        }
        let arrival_unix_ns = received.arrival_unix_ns;
        let hash = SipHasher13::new_with_keys(self.keys.0, self.keys.1).hash(&repeated);
        let beside = Counters { session_seconds, input_packets, output_packets, ..Counters::default() };
        Some(Interim {
            fingerprint: Fingerprint([hash.h1, hash.h2]),
            arrival_unix_ns,
            time: self.weigh(arrival_unix_ns, timestamp, delay).0,
            counters: counters(beside, octets),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{plan::Plan, source::Mapping, vendors::Vendor},
        *,
    };

    #[test]
    fn no_vendors_table_reads_what_fingerprints_leave_out() {
        let left_out: Vec<u8> = (0..=u8::MAX).filter(|kind| leaves_out(*kind)).collect();
        assert_eq!(left_out, [0, 33, 40, 41, 42, 43, 46, 47, 48, 52, 53, 55, 79, 80]);
        for vendor in Vendor::all() {
            let plan = Plan::new(vendor, &Mapping::default());
            assert!(!left_out.iter().any(|kind| plan.reads(*kind)), "{vendor}");
        }
    }
}
