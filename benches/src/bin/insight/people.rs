//! A population and what its VPN servers report: records as a journal hands them out, of as many users as are asked for,
//! each with a home line, a device and one of four vendors; if it is asked for, behind a month in which they came to be
//! learned.

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
const DAY_S: u64 = 86_400;
/// Connections of each user in the past: the first before the 30 days that a user is learned in, five within them.
const VISITS: u64 = 6;
/// Between two of them. A clock that goes on by more than seven has jumped.
const VISIT_DAYS: u64 = 5;
/// When the first is, before the first round.
const PAST_DAYS: u64 = 31;
/// All users come within so many seconds, and go so many later.
const COMING_S: u64 = 3600;
const STAYING_S: u64 = 8 * 3600;

/// The population.
pub(super) struct People {
    users: u64,
    sensor: Arc<str>,
    client: Arc<str>,
    sequence: u64,
    /// Comings and goings of all users in the past that are left.
    past: u64,
    /// Requests so far in this round: every user once a round.
    turn: u64,
    round: u64,
    start_unix_s: u64,
    mix: Mix,
    buffer: Box<[u8; radius::MAX_LENGTH]>,
}

/// What records were made of.
#[derive(Clone, Copy, Default)]
pub(super) struct Mix {
    pub(super) starts: u64,
    pub(super) interim_updates: u64,
    pub(super) stops: u64,
}

impl People {
    /// Nobody was there before.
    pub(super) fn new(users: u64, start_unix_s: u64) -> People {
        People {
            users,
            sensor: "bench".into(),
            client: "vpn".into(),
            sequence: 0,
            past: 0,
            turn: 0,
            round: 0,
            start_unix_s,
            mix: Mix::default(),
            buffer: Box::new([0; radius::MAX_LENGTH]),
        }
    }

    /// In the month before the first round each user came and went so often that she is learned when it begins.
    pub(super) fn with_past(users: u64, start_unix_s: u64) -> People {
        People { past: 2 * VISITS, ..People::new(users, start_unix_s) }
    }

    /// Records of the past that are left.
    pub(super) fn past(&self) -> usize {
        (self.past * self.users - self.turn) as usize
    }

    /// The user with this number, as a VPN server names her.
    pub(super) fn name(user: u64) -> String {
        format!("user{user}@contoso.example")
    }

    /// What the records since this was asked last were made of.
    pub(super) fn take_mix(&mut self) -> Mix {
        std::mem::take(&mut self.mix)
    }

    /// The next record: of the past; then in the first round every user connects; in the rounds behind it, ten minutes
    /// each, nine in ten report that they are still there, and one in ten goes, to come back in the next.
    pub(super) fn next(&mut self) -> anyhow::Result<Record> {
        let user = self.turn;
        let record = if self.past > 0 { self.visit(user)? } else { self.going_on(user)? };
        self.turn += 1;
        if self.turn == self.users {
            self.turn = 0;
            match self.past {
                0 => self.round += 1,
                _ => self.past -= 1,
            }
        }
        Ok(record)
    }

    fn visit(&mut self, user: u64) -> anyhow::Result<Record> {
        let visit = (2 * VISITS - self.past) / 2;
        let (status, staying_s) =
            if self.past.is_multiple_of(2) { (Status::Start, 0) } else { (Status::Stop, STAYING_S) };
        let begin_s = self.start_unix_s - PAST_DAYS * DAY_S + visit * VISIT_DAYS * DAY_S;
        let unix_ns = (begin_s + staying_s) * SECOND_NS + user * COMING_S * SECOND_NS / self.users;
        self.record(user, status, format!("{user:08x}p{visit:03x}"), unix_ns)
    }

    fn going_on(&mut self, user: u64) -> anyhow::Result<Record> {
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
        let begin_s = self.start_unix_s + self.round * INTERIM_S;
        let unix_ns = begin_s * SECOND_NS + user * INTERIM_S * SECOND_NS / self.users;
        self.record(user, status, format!("{user:08x}{coming:04x}"), unix_ns)
    }

    fn record(
        &mut self,
        user: u64,
        status: Status,
        session_id: String,
        unix_ns: u64,
    ) -> anyhow::Result<Record> {
        match status {
            Status::Start => self.mix.starts += 1,
            Status::Stop => self.mix.stops += 1,
            _ => self.mix.interim_updates += 1,
        }
        let vendor = Vendor::ALL[(user % 4) as usize];
        let mut session = Session::made_up(vendor, 1, user);
        session.user = People::name(user);
        session.session_id = session_id;
        session.device.name = format!("LAPTOP-{user:06}");
        let [.., high, middle, low] = user.to_be_bytes();
        session.device.hardware = format!("02-00-5e-{high:02x}-{middle:02x}-{low:02x}");
        session.calling_station_id = line(user).to_string();
        let attributes = session.attributes(status, (unix_ns / SECOND_NS) as u32);
        let octets = traffic::write(&mut *self.buffer, status, user as u8, &[0; 16], &attributes, SECRET)?;
        let source = SocketAddr::from(([192, 0, 2, 1 + (user % 4) as u8], 1024));
        self.sequence += 1;
        Ok(Record {
            sequence: self.sequence,
            arrival_unix_ns: unix_ns,
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

/// A user's line at home: all over the provider networks of the world, two in three years.
pub(super) fn line(user: u64) -> Ipv4Addr {
    Ipv4Addr::from((user.wrapping_mul(2_654_435_761) % 0x6000_0000) as u32 + 0x5000_0000)
}
