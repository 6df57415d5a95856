//! What comes out: a user's profile, to be read and explained. Plain questions; whoever asks sees the state as of the day
//! that the profiles have come to.

use super::{
    population::{WEEK_HOURS, first_hour},
    record::{Entry, Record},
    spread::Spread,
    symbols::Symbols,
    value::{Feature, Scratch, Value},
    window,
};

/// One user's profile.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'p> {
    pub(super) record: &'p Record,
    pub(super) symbols: &'p Symbols,
    pub(super) today: u16,
    /// Of the record's days those that count.
    pub(super) kept: u32,
}

/// One value of a user, and how usual it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual<'p> {
    /// The value.
    pub value: Value<'p>,
    /// Connections within the thirty days, of each at most 15.
    pub connections: u32,
    /// Days of the thirty with such connections.
    pub days: u32,
    /// The first time since it came into the window, seconds since 1970 UTC.
    pub first_unix_s: u32,
    /// The last time, seconds since 1970 UTC.
    pub last_unix_s: u32,
    /// Users that have it, this one included.
    pub users: u32,
}

/// From when on a profile is good for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learning {
    /// So many days after the user's first connection.
    pub days: u16,
    /// And if there were so many connections within the thirty days, of one day at most 255.
    pub connections_min: u32,
}

impl Default for Learning {
    /// As published for Microsoft Defender for Identity: 30 days from the first connection, and five connections in the last
    /// 30 days.
    fn default() -> Learning {
        Learning { days: 30, connections_min: 5 }
    }
}

/// Whether a profile is good for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// It is.
    Yes,
    /// The user's first connection is not long enough ago.
    Young {
        /// When it will be, seconds since 1970 UTC.
        until_unix_s: u32,
    },
    /// There were too few connections within the thirty days.
    Few {
        /// So many.
        connections: u32,
        /// So many are needed.
        needed: u32,
    },
}

impl<'p> Profile<'p> {
    pub(super) fn new(record: &'p Record, symbols: &'p Symbols, today: u16) -> Profile<'p> {
        Profile { record, symbols, today, kept: record.kept(today) }
    }

    /// The user's key.
    pub fn user(&self) -> &'p str {
        str::from_utf8(self.symbols.text(self.record.name)).unwrap_or_default()
    }

    /// The first connection, as long as the user is followed; seconds since 1970 UTC.
    pub fn first_unix_s(&self) -> u32 {
        self.record.first
    }

    /// The newest beginning or end of a connection, seconds since 1970 UTC.
    pub fn last_unix_s(&self) -> u32 {
        self.record.last
    }

    /// Connections within the thirty days, of each at most 255.
    pub fn connections(&self) -> u32 {
        self.record.connections(self.today)
    }

    /// Days of the thirty with connections.
    pub fn days(&self) -> u32 {
        self.record.kept_days(self.today).count() as u32
    }

    /// Whether it is good for comparison at this time.
    pub fn learned(&self, now_unix_s: u32, learning: Learning) -> Learned {
        self.learned_since(self.record.first, now_unix_s, learning)
    }

    /// The same where the first connection is known to be another.
    pub fn learned_since(&self, first_unix_s: u32, now_unix_s: u32, learning: Learning) -> Learned {
        let until_unix_s = first_unix_s.saturating_add(u32::from(learning.days) * window::DAY_S);
        let (connections, needed) = (self.connections(), learning.connections_min);
        if now_unix_s < until_unix_s {
            Learned::Young { until_unix_s }
        } else if connections < needed {
            Learned::Few { connections, needed }
        } else {
            Learned::Yes
        }
    }

    /// The values of a feature within the thirty days, the most usual first.
    pub fn values(&self, feature: Feature) -> Vec<Usual<'p>> {
        let mut values: Vec<Usual<'p>> =
            self.entries(feature).map(|entry| self.usual(feature, entry)).collect();
        values.sort_unstable_by_key(|usual| {
            (std::cmp::Reverse((usual.connections, usual.last_unix_s)), usual.value)
        });
        values
    }

    /// One value, if it was seen within the thirty days.
    pub fn value(&self, feature: Feature, value: Value<'_>) -> Option<Usual<'p>> {
        let mut numbers = Scratch::default();
        let text = value.octets(&mut numbers);
        let entry = self.entries(feature).find(|entry| self.symbols.text(entry.symbol()) == text)?;
        Some(self.usual(feature, entry))
    }

    /// Connections within the thirty days that had a value of this feature, and how many values there are.
    pub fn connections_with(&self, feature: Feature) -> (u32, usize) {
        let counts = self.entries(feature).map(|entry| entry.count(self.kept));
        counts.fold((0, 0), |(connections, values), count| (connections + count, values + 1))
    }

    /// On how many days connections began in each hour of the week, Monday 0 h UTC first.
    pub fn hours(&self) -> [u8; WEEK_HOURS] {
        let mut hours = [0; WEEK_HOURS];
        for (day, number) in self.record.kept_days(self.today) {
            let first = first_hour(day);
            for hour in (0..24).filter(|hour| number >> hour & 1 == 1) {
                hours[first + hour] += 1;
            }
        }
        hours
    }

    /// How long connections last, seconds; `None`: none ended within the thirty days.
    pub fn lengths(&self) -> Option<Spread> {
        self.record.samples.lengths(self.today)
    }

    /// Octets of a connection in both directions; `None`: none is known.
    pub fn volumes(&self) -> Option<Spread> {
        self.record.samples.volumes(self.today)
    }

    /// Values that left, or were not taken in, for want of room; it ends at 65,535.
    pub fn displaced(&self) -> u16 {
        self.record.displaced
    }

    fn entries(&self, feature: Feature) -> impl Iterator<Item = &'p Entry> {
        let kept = self.kept;
        let of = move |entry: &&Entry| entry.feature() == Some(feature) && entry.count(kept) > 0;
        self.record.entries().filter(of)
    }

    fn usual(&self, feature: Feature, entry: &'p Entry) -> Usual<'p> {
        Usual {
            value: Value::read(feature, self.symbols.text(entry.symbol())),
            connections: entry.count(self.kept),
            days: entry.day_count(self.kept),
            first_unix_s: entry.first,
            last_unix_s: entry.last,
            users: self.symbols.counts(entry.symbol()).0,
        }
    }
}
