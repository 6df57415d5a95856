//! A month of a small company, as its four VPN servers report it: who works there, what they do, what is sent.
//!
//! It ends at a given time, so that sensors believe it; the same seed and end give the same month. The parts are people
//! (`company`), places (`networks`) and what happens (`diary`); this file makes sessions and requests of it. The requests
//! themselves are written like all others of [`traffic`](super). Used by `send --month` for the demo.

mod company;
mod diary;
mod networks;

use std::{iter, net::Ipv4Addr};

use super::{Attribute, Moment, Session, Status, Vendor, people::Dice, vendors};
use company::{PEOPLE, Person, staff};
use diary::{Calendar, Stay};

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
/// The company's clocks show Central European Time, without summer time: a month need not care.
const UTC_OFFSET_S: u64 = HOUR_S;
/// When RRAS is restarted on the Sunday before the week of journeys.
const RESTART_S: u64 = 3 * HOUR_S + 600;

/// How long from one Interim-Update to the next; F5 documents none.
fn interim_s(vendor: Vendor) -> Option<u64> {
    match vendor {
        Vendor::Rras => Some(20 * 60),
        Vendor::CheckPoint | Vendor::Asa => Some(30 * 60),
        Vendor::F5 => None,
    }
}

/// The month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    sessions: Vec<Session>,
    reports: Vec<Report>,
}

/// What one request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which VPN server sends it.
    pub vendor: Vendor,
    /// What it reports.
    pub status: Status,
    /// When that happened, seconds since 1970.
    pub unix_s: u64,
    /// How long the session has lasted, seconds.
    pub elapsed_s: u64,
    session: usize,
}

impl Month {
    /// How many people work at the company.
    pub const PEOPLE: usize = PEOPLE;
    /// The longest that anything of a month lies before its end, seconds.
    pub const LENGTH_S: u64 = 34 * DAY_S;

    /// The month that ends at `end_unix_s` (seconds since 1970, between 1971 and 2106): who is connected then, still is.
    pub fn new(seed: u64, end_unix_s: u64) -> Month {
        let calendar = Calendar::new(seed, end_unix_s);
        let restart_s = (calendar.monday - 1) * DAY_S + RESTART_S - UTC_OFFSET_S;
        let staff = staff();
        let mut month = Month { sessions: Vec::new(), reports: Vec::new() };
        month.restart(seed, restart_s);
        // RRAS counts its sessions from its start.
        let (mut counted, mut restarted) = (0, false);
        for stay in calendar.stays() {
            if !restarted && stay.from_s > restart_s {
                (counted, restarted) = (0, true);
            }
            let number = month.sessions.len();
            let mut session = session(&staff[stay.person], &stay, seed, number as u64);
            if stay.server == Vendor::Rras {
                session.session_id = vendors::session_id(Vendor::Rras, 0, counted);
                counted += 1;
            }
            month.sessions.push(session);
            month.reports.extend(reports(&stay, number));
        }
        month.reports.retain(|report| report.unix_s <= end_unix_s);
        // Stable: of one session in its order.
        month.reports.sort_by_key(|report| report.unix_s);
        month
    }

    /// All that is reported, in the order in which it happened.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The session that a report of [`Month::reports`] belongs to. Of an Accounting-On only the VPN server means anything.
    pub fn session(&self, report: &Report) -> &Session {
        &self.sessions[report.session]
    }

    /// The attributes of a report that is sent at `now_unix_s`.
    pub fn attributes(&self, report: &Report, now_unix_s: u64) -> Vec<Attribute> {
        let seconds = |seconds: u64| u32::try_from(seconds).unwrap_or(u32::MAX);
        let moment = Moment {
            unix_s: seconds(report.unix_s),
            delay_s: seconds(now_unix_s.saturating_sub(report.unix_s)),
            elapsed_s: seconds(report.elapsed_s),
        };
        self.session(report).attributes_of(report.status, moment)
    }

    /// RRAS starts: the first of the sessions, with nobody in it.
    fn restart(&mut self, seed: u64, unix_s: u64) {
        let session = Session { session_id: "0".to_owned(), ..Session::made_up(Vendor::Rras, seed, 0) };
        self.sessions.push(session);
        let (vendor, status) = (Vendor::Rras, Status::AccountingOn);
        self.reports.push(Report { vendor, status, unix_s, elapsed_s: 0, session: 0 });
    }
}

/// Start, interims and Stop of a stay.
fn reports(stay: &Stay, session: usize) -> impl Iterator<Item = Report> {
    let (vendor, length_s) = (stay.server, stay.until_s - stay.from_s);
    let from_s = stay.from_s;
    let interims = interim_s(vendor)
        .into_iter()
        .flat_map(|interim_s| (1..).map(move |number| number * interim_s))
        .take_while(move |elapsed_s| *elapsed_s < length_s)
        .map(|elapsed_s| (Status::InterimUpdate, elapsed_s));
    iter::once((Status::Start, 0)).chain(interims).chain([(Status::Stop, length_s)]).map(
        move |(status, elapsed_s)| Report { vendor, status, unix_s: from_s + elapsed_s, elapsed_s, session },
    )
}

fn session(person: &Person, stay: &Stay, seed: u64, number: u64) -> Session {
    let vendor = stay.server;
    let mut dice = Dice::new(seed, 1 << 61 | number);
    let device = person.telephone.as_ref().filter(|_| stay.by_telephone).unwrap_or(&person.laptop);
    Session {
        user: user_name(vendor, person.name),
        session_id: vendors::session_id(vendor, seed, number),
        calling_station_id: stay.address.to_string(),
        // Each VPN server has a pool of its own.
        assigned: Ipv4Addr::new(10, 20, vendor as u8, 10 + (number % 240) as u8),
        device: device.clone(),
        // From a trickle to a day of video.
        octets_per_second: (200 + dice.below(25_000), 2_000 + dice.below(250_000)),
        // Two in three dial by SSTP, one by L2TP.
        tunnel_type: if person.number % 3 == 2 { vendors::TUNNEL_L2TP } else { vendors::TUNNEL_SSTP },
        // User-Request mostly; some lids are closed (2 Lost-Carrier), some forgotten (4 Idle-Timeout).
        terminate_cause: match dice.below(100) {
            0..85 => 1,
            85..95 => 2,
            _ => 4,
        },
        ..Session::made_up(vendor, seed, number)
    }
}

/// How each VPN server knows its users.
fn user_name(vendor: Vendor, name: &str) -> String {
    match vendor {
        Vendor::Rras => format!("CONTOSO\\{name}"),
        Vendor::F5 => format!("{name}@contoso.example"),
        Vendor::CheckPoint | Vendor::Asa => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
