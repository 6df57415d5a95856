//! Realistic Accounting-Requests of the VPN servers that we know best, from made-up people at documentation addresses.
//!
//! The same seed and number give the same session, whatever else is sent; [`month`] makes a month of a
//! company. Used by the `send` command, by tests, by benches and by the demo. What each vendor sends, and how sure that is, is said beside its attributes in `vendors`.
#![forbid(unsafe_code)]

mod attribute;
mod device;
pub mod month;
mod parse;
mod people;
mod vendors;

use std::net::Ipv4Addr;

use radius::{
    Code,
    attribute::kind,
    build::{BuildError, RequestBuilder},
};

pub use self::{attribute::Attribute, device::Device, parse::ParseError};

/// The VPN servers whose accounting we can imitate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Vendor {
    /// Microsoft Routing and Remote Access
    Rras,
    /// F5 BIG-IP Access Policy Manager
    F5,
    /// Check Point gateway
    CheckPoint,
    /// Cisco ASA with AnyConnect
    Asa,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Vendor; 4] = [Vendor::Rras, Vendor::F5, Vendor::CheckPoint, Vendor::Asa];
}

/// What a request reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Status {
    /// A session begins
    Start,
    /// It goes on
    InterimUpdate,
    /// It ended
    Stop,
    /// The VPN server started
    AccountingOn,
    /// It is about to stop
    AccountingOff,
    /// A probe (RFC 5997), no accounting
    StatusServer,
}

impl Status {
    /// The value of Acct-Status-Type (RFC 2866 section 5.1); none for a probe.
    pub fn acct_status_type(self) -> Option<u32> {
        match self {
            Status::Start => Some(1),
            Status::Stop => Some(2),
            Status::InterimUpdate => Some(3),
            Status::AccountingOn => Some(7),
            Status::AccountingOff => Some(8),
            Status::StatusServer => None,
        }
    }

    /// The code of the request that carries it.
    pub fn code(self) -> Code {
        match self {
            Status::StatusServer => Code::StatusServer,
            _ => Code::AccountingRequest,
        }
    }
}

/// When what a request reports happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub unix_s: u32,
    /// How long after it the request leaves, seconds.
    pub delay_s: u32,
    /// How long the session has lasted by then, seconds.
    pub elapsed_s: u32,
}

/// One person's stay in the VPN. Every field may be overwritten before requests are made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which VPN server tells of it.
    pub vendor: Vendor,
    /// Which of the sessions of its seed it is.
    pub number: u64,
    /// User-Name, in the form that the vendor uses.
    pub user: String,
    /// Acct-Session-Id.
    pub session_id: String,
    /// Where the person is, as the VPN server writes it in Calling-Station-Id (F5 and others: Tunnel-Client-Endpoint).
    pub calling_station_id: String,
    /// The address inside the tunnel.
    pub assigned: Ipv4Addr,
    /// NAS-IP-Address.
    pub nas: Ipv4Addr,
    /// NAS-Identifier.
    pub nas_identifier: String,
    /// The person's computer.
    pub device: Device,
    /// Tunnel-Type, where the vendor sends one.
    pub tunnel_type: u32,
    /// Acct-Terminate-Cause of its Stop.
    pub terminate_cause: u32,
    /// Octets a second from and to the person.
    pub octets_per_second: (u64, u64),
}

impl Session {
    /// Session `number` of the sequence that `seed` stands for.
    pub fn made_up(vendor: Vendor, seed: u64, number: u64) -> Session {
        let mut dice = people::Dice::new(seed, number);
        let person = people::person(&mut dice);
        let nas_host = 1 + vendor as u8;
        Session {
            vendor,
            number,
            user: vendors::user_name(vendor, person),
            session_id: vendors::session_id(vendor, seed, number),
            calling_station_id: people::public_address(&mut dice).to_string(),
            assigned: Ipv4Addr::new(192, 0, 2, dice.between(1, 254)),
            nas: Ipv4Addr::new(198, 51, 100, nas_host),
            nas_identifier: vendors::nas_identifier(vendor).to_owned(),
            device: Device::windows(
                format!("{}-PC{}", person.to_uppercase(), dice.between(1, 9)),
                people::Dice::new(1, number).between(0, 255),
            ),
            tunnel_type: [vendors::TUNNEL_SSTP, vendors::TUNNEL_ESP, vendors::TUNNEL_L2TP]
                [(number % 3) as usize],
            // 1 User-Request.
            terminate_cause: 1,
            octets_per_second: (
                u64::from(dice.between(1, 255)) * 100,
                // Some are fast enough that an hour of them needs gigawords.
                u64::from(dice.between(1, 255)) * 20_000,
            ),
        }
    }

    /// How long the session has lasted when it reports `status`, in seconds.
    pub fn elapsed_s(&self, status: Status) -> u32 {
        // At most some hours, so the casts cannot cut.
        let odd = (self.number % 600) as u32;
        match status {
            Status::InterimUpdate => 900,
            Status::Stop => 3600 + odd,
            _ => 0,
        }
    }

    /// The attributes of the request that reports `status` at `unix_s` (seconds since 1970).
    pub fn attributes(&self, status: Status, unix_s: u32) -> Vec<Attribute> {
        self.attributes_of(status, Moment { unix_s, delay_s: 0, elapsed_s: self.elapsed_s(status) })
    }

    /// The same of another moment of the session.
    pub fn attributes_of(&self, status: Status, moment: Moment) -> Vec<Attribute> {
        vendors::attributes(self, status, moment)
    }
}

/// Replaces in `attributes` whatever `given` names: all attributes of that type go, the given ones come instead. A type
/// that was not there is appended.
pub fn overlay(attributes: &mut Vec<Attribute>, given: &[Attribute]) {
    let mut seen: Vec<(Option<u32>, u8)> = Vec::new();
    for attribute in given {
        let key = (attribute.vendor, attribute.kind);
        if seen.contains(&key) {
            attributes.push(attribute.clone());
            continue;
        }
        seen.push(key);
        let place = attributes.iter().position(|there| (there.vendor, there.kind) == key);
        attributes.retain(|there| (there.vendor, there.kind) != key);
        attributes.insert(place.unwrap_or(attributes.len()).min(attributes.len()), attribute.clone());
    }
}

/// Writes one request into `buffer` (4096 octets are always enough) and signs it. `authenticator` is used by a
/// Status-Server alone and must then be random (RFC 5997 section 3).
pub fn write<'b>(
    buffer: &'b mut [u8],
    status: Status,
    identifier: u8,
    authenticator: &[u8; 16],
    attributes: &[Attribute],
    secret: &[u8],
) -> Result<&'b [u8], BuildError> {
    let mut request = RequestBuilder::new(buffer, status.code(), identifier);
    if status == Status::StatusServer {
        request.authenticator(authenticator);
    }
    for attribute in attributes {
        match (attribute.vendor, attribute.kind) {
            (Some(vendor), kind) => request.vendor(vendor, kind, &attribute.value),
            // Computed when the request is sealed: a value of it can only be asked for, not given.
            (None, kind::MESSAGE_AUTHENTICATOR) => request.message_authenticator(),
            (None, kind) => request.attribute(kind, &attribute.value),
        };
    }
    request.seal(secret)
}

#[cfg(test)]
mod tests;
