//! A population and what its VPN servers report: records as a journal hands them out, of as many users as are asked for,
//! each with a home line, a device and one of four vendors.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use journal::{CapturePath, Record};
use traffic::{Session, Status, Vendor};

const SECRET: &[u8] = b"of no worth";
const SECOND_NS: u64 = 1_000_000_000;
/// Seconds between two of a session's interims.
const INTERIM_S: u64 = 600;

/// The population.
pub(super) struct People {
    users: u64,
    sensor: Arc<str>,
    client: Arc<str>,
    sequence: u64,
    /// Requests so far in this round: every user once a round.
    turn: u64,
    round: u64,
    start_unix_s: u64,
    buffer: Box<[u8; radius::MAX_LENGTH]>,
}

impl People {
    pub(super) fn new(users: u64, start_unix_s: u64) -> People {
        People {
            users,
            sensor: "bench".into(),
            client: "vpn".into(),
            sequence: 0,
            turn: 0,
            round: 0,
            start_unix_s,
            buffer: Box::new([0; radius::MAX_LENGTH]),
        }
    }

    /// The next record: in the first round every user connects; in the rounds behind it, ten minutes each, nine in ten
    /// report that they are still there, and one in ten goes, to come back in the next.
    pub(super) fn next(&mut self) -> anyhow::Result<Record> {
        let user = self.turn;
        let vendor = Vendor::ALL[(user % 4) as usize];
        let leaves = (user + self.round).is_multiple_of(10) && self.round > 0;
        let comes = self.round == 0 || (user + self.round - 1).is_multiple_of(10) && self.round > 1;
        let status = match (comes, leaves) {
            (true, _) => Status::Start,
            (false, true) => Status::Stop,
            (false, false) => Status::InterimUpdate,
        };
        // A user's sessions have numbers of their own: one for each coming.
        let coming = (0..self.round).rev().find(|round| *round > 0 && (user + round).is_multiple_of(10));
        let coming = coming.map_or(0, |round| round + 1).min(self.round);
        let mut session = Session::made_up(vendor, 1, user);
        session.user = format!("user{user}@contoso.example");
        session.session_id = format!("{user:08x}{coming:04x}");
        session.device.name = format!("LAPTOP-{user:06}");
        let [.., high, middle, low] = user.to_be_bytes();
        session.device.hardware = format!("02-00-5e-{high:02x}-{middle:02x}-{low:02x}");
        // Home lines all over the provider networks of the world, two in three years.
        let line = (user.wrapping_mul(2_654_435_761) % 0x6000_0000) as u32 + 0x5000_0000;
        session.calling_station_id = Ipv4Addr::from(line).to_string();
        let offset_s = self.round * INTERIM_S + user * INTERIM_S / self.users;
        let unix_s = self.start_unix_s + offset_s;
        let attributes = session.attributes(status, unix_s as u32);
        let octets = traffic::write(&mut *self.buffer, status, user as u8, &[0; 16], &attributes, SECRET)?;
        let source = SocketAddr::from(([192, 0, 2, 1 + (user % 4) as u8], 1024));
        self.sequence += 1;
        self.turn += 1;
        if self.turn == self.users {
            (self.turn, self.round) = (0, self.round + 1);
        }
        Ok(Record {
            sequence: self.sequence,
            arrival_unix_ns: unix_s * SECOND_NS + user * INTERIM_S * SECOND_NS / self.users % SECOND_NS,
            source,
            destination: SocketAddr::from(([192, 0, 2, 250], 1813)),
            path: CapturePath::Udp,
            client: Arc::clone(&self.client),
            sensor: Arc::clone(&self.sensor),
            octets: octets.to_vec(),
            redacted: false,
        })
    }

    /// The next so many.
    pub(super) fn take(&mut self, count: usize) -> anyhow::Result<Vec<Record>> {
        (0..count).map(|_| self.next()).collect()
    }
}
