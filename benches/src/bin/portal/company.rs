//! A company of many users and half a year of their sessions, a few users with thousands each, as its VPN servers
//! reported them.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use journal::{CapturePath, Record};
use traffic::{Session, Status, Vendor};

const SECRET: &[u8] = b"of no worth";
/// Less than the store keeps.
const SPAN_S: u64 = 170 * 86_400;
/// Of each session.
const LENGTH_S: u64 = 3600;
/// Machines that connect all day, with as many sessions together as one in so many.
pub(super) const BUSY: u64 = 10;
const BUSY_SHARE: u64 = 50;

pub(super) struct Company {
    users: u64,
    sessions: u64,
    begin_unix_s: u64,
    /// Those that have not ended, the oldest first.
    open: VecDeque<u64>,
    begun: u64,
    sequence: u64,
    client: Arc<str>,
    buffer: Box<[u8; radius::MAX_LENGTH]>,
}

impl Company {
    /// Its last session ends before `end_unix_s`.
    pub(super) fn new(users: u64, sessions: u64, end_unix_s: u64) -> Company {
        Company {
            users,
            sessions,
            begin_unix_s: end_unix_s - SPAN_S - LENGTH_S,
            open: VecDeque::new(),
            begun: 0,
            sequence: 0,
            client: "vpn".into(),
            buffer: Box::new([0; radius::MAX_LENGTH]),
        }
    }

    pub(super) fn user_name(user: u64) -> String {
        format!("user{user}@contoso.example")
    }

    pub(super) fn device_name(user: u64) -> String {
        format!("LAPTOP-{user:06}")
    }

    pub(super) fn session_id(session: u64) -> String {
        format!("{session:012x}")
    }

    /// Whose the session is.
    fn user_of(&self, session: u64) -> u64 {
        let hash = session.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        if session.is_multiple_of(BUSY_SHARE) { hash % BUSY.min(self.users) } else { hash % self.users }
    }

    /// Home, and now and then elsewhere.
    pub(super) fn line(user: u64, session: u64) -> Ipv4Addr {
        let place = if session.is_multiple_of(17) { 1 + session % 3 } else { 0 };
        let line = (user.wrapping_mul(2_654_435_761) + place * 0x0123_4567) % 0x6000_0000 + 0x5000_0000;
        Ipv4Addr::from(line as u32)
    }

    fn begin_of(&self, session: u64) -> u64 {
        self.begin_unix_s + (u128::from(session) * u128::from(SPAN_S) / u128::from(self.sessions)) as u64
    }

    /// Every session has two.
    pub(super) fn next(&mut self) -> anyhow::Result<Record> {
        let ends = self.open.front().copied().filter(|&session| {
            self.begun == self.sessions || self.begin_of(session) + LENGTH_S <= self.begin_of(self.begun)
        });
        let (session, status, unix_s) = match ends {
            Some(session) => {
                self.open.pop_front();
                (session, Status::Stop, self.begin_of(session) + LENGTH_S)
            }
            None => {
                let session = self.begun;
                self.open.push_back(session);
                self.begun += 1;
                (session, Status::Start, self.begin_of(session))
            }
        };
        let user = self.user_of(session);
        let vendor = Vendor::ALL[(user % 4) as usize];
        let mut made = Session::made_up(vendor, 1, user);
        made.user = Company::user_name(user);
        made.session_id = Company::session_id(session);
        made.device.name = Company::device_name(user);
        let [.., high, middle, low] = user.to_be_bytes();
        made.device.hardware = format!("02-00-5e-{high:02x}-{middle:02x}-{low:02x}");
        made.calling_station_id = Company::line(user, session).to_string();
        let attributes = made.attributes(status, unix_s as u32);
        let octets = traffic::write(&mut *self.buffer, status, session as u8, &[0; 16], &attributes, SECRET)?;
        self.sequence += 1;
        Ok(Record {
            sequence: self.sequence,
            arrival_unix_ns: unix_s * 1_000_000_000,
            source: SocketAddr::from(([192, 0, 2, 1 + (user % 4) as u8], 1024)),
            destination: SocketAddr::from(([192, 0, 2, 250], 1813)),
            path: CapturePath::Udp,
            client: Arc::clone(&self.client),
            sensor: Arc::clone(&self.client),
            octets: octets.to_vec(),
            redacted: false,
        })
    }
}
