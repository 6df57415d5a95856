//! What is usual for a user and for all: for each user thirty days of countries, places, networks and parts of them,
//! devices, client software, VPN servers, hours of the week, lengths and volumes. The service hands in each connection once, when it
//! begins ([`Profiles::learn`]) and when it is over ([`Profiles::learn_end`]), and the time ([`Profiles::advance`]). No
//! clock is read; equal calls give equal profiles. Detections ask [`Profiles::get`] and [`Profiles::everybody`].
//!
//! # What is exact
//!
//! For each value of a feature the connections of the thirty days, day by day, up to 15 a day (a client that flaps all
//! day does not make a network more usual); on how many days; when first and last. A day falls out as a whole, at
//! midnight UTC. A value that fell out of the window and comes back is new: *first* is the first since.
//! Hours of the week: on how many days connections began in each. Lengths and volumes: of the newest 20 connections
//! that ended within the window, each to within six per cent.
//!
//! # Bounds
//!
//! A user has at most [`Feature::values_max`] values of a feature; when full, the one not seen for longest leaves, and
//! [`Profile::displaced`] counts it. There are at most [`Options::users_max`] users and [`Options::values_max`] different
//! values, beyond which new ones are not learned and counted ([`Counts`]). A user not seen for [`Options::forgotten_after_days`]
//! is forgotten.
//!
//! # Memory
//!
//! All of a user lies in one record of fixed size, with numbers for texts; each text is kept once, with its count of users
//! and connections beside it. So a connection of a user that is known costs a handful of cache misses, and a snapshot is
//! written and read in one pass.
//!
//! | file | what lives there |
//! |---|---|
//! | `value` | [`Feature`], [`Value`], [`Prefix`], [`Observation`]: what comes in |
//! | `window` | which days are in the window, where each is kept, clocks that jump |
//! | `record` | what is kept of one user |
//! | `spread` | lengths and volumes |
//! | `symbols` | texts that many share |
//! | `tally` | how one connection's values stand in a profile, for detections |
//! | `unlearn` | what a connection taught is taken back |
//! | `population` | sums over all users |
//! | `view` | [`Profile`]: what comes out |
//! | `snapshot` | all of it as octets, and back |

mod population;
mod record;
mod records;
mod snapshot;
mod spread;
mod symbols;
mod tally;
mod unlearn;
mod value;
mod view;
mod window;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use population::{Everybody, Share, WEEK_HOURS};
pub use snapshot::SnapshotError;
pub use spread::Spread;
pub use tally::{Known, Tallies, Tally};
pub use value::{Ended, Feature, Observation, Prefix, Value};
pub use view::{Learned, Learning, Profile, Usual};
pub(crate) use window::Today;
pub use window::WINDOW_DAYS;

use population::Population;
use record::{Record, Surroundings};
use records::Records;
use spread::Sample;
use symbols::Symbols;
use value::Scratch;

/// What bounds the profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most users.
    pub users_max: usize,
    /// Most different values of all features and users together.
    pub values_max: usize,
    /// Most values in lists of their own, of all users together: those of a user beyond the sixteenth.
    pub spilled_max: usize,
    /// A user not seen for so many days is forgotten; at least the window.
    pub forgotten_after_days: u16,
}

impl Default for Options {
    /// Room for twice the million users that a service must carry.
    fn default() -> Options {
        Options {
            users_max: 2_000_000,
            values_max: 8_000_000,
            spilled_max: 8_000_000,
            forgotten_after_days: 180,
        }
    }
}

/// What was not learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Connections, or ends of them, that lie outside the window: too late, ahead, or the clock jumped.
    pub outside: u64,
    /// Connections of users for whom there was no room.
    pub users_surplus: u64,
    /// Values for which there was no room.
    pub values_surplus: u64,
}

/// So many users are looked at in one call of [`Profiles::advance`], to take out days that are over: a million within a
/// day if it is called every few minutes, and a millisecond at most each time.
const SWEEP_USERS: usize = 4096;

/// The profiles of all users.
#[derive(Debug, Default)]
pub struct Profiles {
    options: Options,
    today: Today,
    symbols: Symbols,
    records: Records,
    population: Population,
    spilled: usize,
    /// The next record to be looked at; none: all were today.
    sweep: Option<u32>,
    counts: Counts,
}

impl Profiles {
    /// None yet.
    pub fn new(options: Options) -> Profiles {
        Profiles { options, ..Profiles::default() }
    }

    /// Takes a connection that began, or what came to be known of it later.
    pub fn learn(&mut self, seen: &Observation<'_>) {
        let unix_s = window::seconds(seen.start_unix_ns);
        if !window::contains(self.today.day, window::day(unix_s)) {
            self.counts.outside += 1;
            self.know_since(seen.user, unix_s);
            return;
        }
        let Some(number) = self.number_or_new(seen.user, unix_s) else {
            self.counts.users_surplus += 1;
            return;
        };
        let (record, mut around) = self.record(number);
        record.first = record.first.min(unix_s);
        record.last = record.last.max(unix_s);
        if seen.is_connection {
            record.connect(unix_s, around.population);
        }
        let mut surplus = 0;
        for (feature, value) in seen.values() {
            let mut numbers = Scratch::default();
            let text = value.octets(&mut numbers);
            surplus += u64::from(!record.see(feature, text, unix_s, &mut around));
        }
        self.counts.values_surplus += surplus;
    }

    /// Takes a connection that is over, of a user that is known.
    pub fn learn_end(&mut self, ended: &Ended<'_>) {
        let unix_s = window::seconds(ended.end_unix_ns);
        if !window::contains(self.today.day, window::day(unix_s)) {
            self.counts.outside += 1;
            return;
        }
        let Some(number) = self.records.find(ended.user, &self.symbols) else { return };
        let (record, _) = self.record(number);
        record.last = record.last.max(unix_s);
        record.take_sample(Sample::of(unix_s, ended.seconds, ended.octets));
    }

    /// Lets the time go on: days fall out, a few thousand users at a time.
    pub fn advance(&mut self, now_unix_ns: u64) {
        let before = self.today.day;
        if self.today.advance(window::seconds(now_unix_ns)) {
            self.sweep = Some(0);
            if before != 0 && self.today.day.saturating_sub(before) > WINDOW_DAYS {
                self.begin_anew(before);
            }
        }
        let Some(begin) = self.sweep else { return };
        let end = self.records.end().min(begin.saturating_add(SWEEP_USERS as u32));
        for number in begin..end {
            if !self.records.is_used(number) {
                continue;
            }
            let (today, days) = (self.today.day, self.options.forgotten_after_days);
            if self.record(number).0.is_recent(today, days) {
                continue;
            }
            self.remove(number);
        }
        self.sweep = (end < self.records.end()).then_some(end);
    }

    /// The profile of the user with this key.
    pub fn get(&self, user: &str) -> Option<Profile<'_>> {
        let number = self.records.find(user, &self.symbols)?;
        Some(Profile::new(self.records.get(number), &self.symbols, self.today.day))
    }

    /// What is usual for all users together.
    pub fn everybody(&self) -> Everybody<'_> {
        Everybody { symbols: &self.symbols, population: &self.population, users: self.records.len() }
    }

    /// Takes a user out, by key: everything learned, and the texts that nobody else has. Tells whether there was one.
    pub fn forget(&mut self, user: &str) -> bool {
        let number = self.records.find(user, &self.symbols);
        number.map(|number| self.remove(number)).is_some()
    }

    /// Takes devices and client software out whose name is one of these, of all users: a device may bear the name of
    /// somebody who is to be forgotten. The number of entries that went. Looks at every user: for rare use.
    pub fn forget_texts(&mut self, is_named: impl Fn(&str) -> bool) -> usize {
        let mut known = HashMap::new();
        let mut gone = 0;
        for number in 0..self.records.end() {
            if !self.records.is_used(number) {
                continue;
            }
            let mut names = |entry: &record::Entry| {
                let is_text = matches!(entry.feature(), Some(Feature::Device | Feature::Software));
                let symbol = entry.symbol();
                is_text
                    && *known
                        .entry(symbol)
                        .or_insert_with(|| str::from_utf8(self.symbols.text(symbol)).is_ok_and(&is_named))
            };
            let named: Vec<u32> = self
                .records
                .get(number)
                .entries()
                .filter(|entry| names(entry))
                .map(|entry| entry.key)
                .collect();
            if !named.is_empty() {
                gone += named.len();
                let (record, mut around) = self.record(number);
                record.take_out(&named, &mut around);
            }
        }
        gone
    }

    /// Users that are followed.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Different values that are kept.
    pub fn values(&self) -> usize {
        self.symbols.len()
    }

    /// Octets that all of it takes, about.
    pub fn octets(&self) -> usize {
        self.records.octets() + self.symbols.octets() + self.spilled * size_of::<record::Entry>()
    }

    /// What was not learned.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Nothing was heard since `before` for longer than people are learned: a clock that told no time, or a sensor that was
    /// off. Who came first within the window before it is learned from now on, not by days on which nobody listened.
    fn begin_anew(&mut self, before: u16) {
        let (window, _) = window::bounds(before);
        let since = u32::from(window) * window::DAY_S;
        let now = u32::from(self.today.day) * window::DAY_S;
        for number in 0..self.records.end() {
            if self.records.is_used(number) && self.records.get(number).first >= since {
                self.records.get_mut(number).first = now;
            }
        }
    }

    /// Of a connection that was told so late that it lies before the window, its time alone counts: the user was there
    /// then, and has been learned from then on.
    fn know_since(&mut self, user: &str, unix_s: u32) {
        if !self.today.is_told_late(window::day(unix_s)) {
            return;
        }
        if let Some(number) = self.number_or_new(user, unix_s) {
            let record = self.record(number).0;
            record.first = record.first.min(unix_s);
        }
    }

    fn number_or_new(&mut self, user: &str, unix_s: u32) -> Option<u32> {
        if let Some(number) = self.records.find(user, &self.symbols) {
            return Some(number);
        }
        if self.records.len() >= self.options.users_max {
            return None;
        }
        let name = self.symbols.add_name(user)?;
        let today = self.today.day;
        let record = Record { name, first: unix_s, last: unix_s.max(1), today, ..Record::default() };
        Some(self.records.add(record, self.symbols.hash_name(user)))
    }

    /// A record as of today, and what it is counted in.
    fn record(&mut self, number: u32) -> (&mut Record, Surroundings<'_>) {
        let record = self.records.get_mut(number);
        let mut around = Surroundings {
            symbols: &mut self.symbols,
            population: &mut self.population,
            spilled: &mut self.spilled,
            spilled_max: self.options.spilled_max,
            values_max: self.options.values_max,
        };
        if record.today != self.today.day {
            record.clean(self.today.day, &mut around);
        }
        (record, around)
    }

    fn remove(&mut self, number: u32) {
        let name = self.records.get(number).name;
        let hash = str::from_utf8(self.symbols.text(name)).map(|name| self.symbols.hash_name(name));
        if let Ok(hash) = hash {
            let (record, mut around) = self.record(number);
            record.clear(&mut around);
            self.records.remove(number, hash);
        }
    }
}
