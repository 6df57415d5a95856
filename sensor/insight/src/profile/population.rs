//! What is usual for all users together: the denominators of every comparison. Days fall out of it when their users are
//! next looked at, which is within a day.

use super::{
    symbols::Symbols,
    value::{FEATURES, Feature, Scratch, Value},
    window::{RING, WINDOW_DAYS},
};

/// Hours of a week.
pub const WEEK_HOURS: usize = 168;

/// Sums over all users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Population {
    pub(super) connections: u64,
    pub(super) features: [u64; FEATURES],
    pub(super) hours: [u64; WEEK_HOURS],
}

impl Default for Population {
    fn default() -> Population {
        Population { connections: 0, features: [0; FEATURES], hours: [0; WEEK_HOURS] }
    }
}

/// What an hour of the day counts for another one: a bell of an hour and a half around it, of which the sum over all hours
/// is 1.
pub(super) fn nearness(hour: usize, other: usize) -> f64 {
    const AT: [f64; 13] = [
        0.265_96,
        0.212_97,
        0.109_34,
        0.035_994,
        0.007_597_4,
        0.001_028_2,
        8.922e-5,
        4.964e-6,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ];
    let apart = hour.abs_diff(other) % 24;
    AT[apart.min(24 - apart)]
}

/// The hour of the week in which a day begins; Monday begins with 0. 1970 began on a Thursday.
pub(super) fn first_hour(day: u16) -> usize {
    (usize::from(day) + 3) % 7 * 24
}

impl Population {
    pub(super) fn add_day(&mut self, day: u16, connections: u32, hours: u32) {
        self.connections += u64::from(connections);
        self.each_hour(day, hours, |sum| *sum += 1);
    }

    pub(super) fn remove_day(&mut self, day: u16, connections: u32, hours: u32) {
        self.connections = self.connections.saturating_sub(u64::from(connections));
        self.each_hour(day, hours, |sum| *sum = sum.saturating_sub(1));
    }

    fn each_hour(&mut self, day: u16, hours: u32, change: impl Fn(&mut u64)) {
        let first = first_hour(day);
        let mut left = hours;
        while left != 0 {
            let hour = left.trailing_zeros();
            left &= left - 1;
            change(&mut self.hours[first + hour as usize]);
        }
    }

    pub(super) fn count(&mut self, feature: Feature, connections: i64) {
        let sum = &mut self.features[feature as usize];
        *sum = sum.saturating_add_signed(connections);
    }
}

/// How many have a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Users.
    pub users: u32,
    /// Their connections within the thirty days, of a user and a day at most 15.
    pub connections: u32,
}

/// What is usual for all users, to be read.
#[derive(Debug, Clone, Copy)]
pub struct Everybody<'p> {
    pub(super) symbols: &'p Symbols,
    pub(super) population: &'p Population,
    pub(super) users: usize,
}

impl<'p> Everybody<'p> {
    /// Users that are followed.
    pub fn users(&self) -> usize {
        self.users
    }

    /// Connections within the thirty days.
    pub fn connections(&self) -> u64 {
        self.population.connections
    }

    /// Connections within the thirty days that had a value of this feature, counted as [`Share::connections`] are.
    pub fn connections_with(&self, feature: Feature) -> u64 {
        self.population.features[feature as usize]
    }

    /// How many have this value.
    pub fn share(&self, feature: Feature, value: Value<'_>) -> Share {
        let mut numbers = Scratch::default();
        let symbol = self.symbols.find(feature, value.octets(&mut numbers));
        symbol.map_or(Share::default(), |symbol| {
            let (users, connections) = self.symbols.counts(symbol);
            Share { users, connections }
        })
    }

    /// Of the hours of all users' days in which connections began, how many are around this one, the nearer the more; and
    /// how many there are.
    pub fn nearness_in_day(&self, hour: usize) -> (f64, f64) {
        let mut of_day = [0; 24];
        for day in self.population.hours.as_chunks::<24>().0 {
            of_day.iter_mut().zip(day).for_each(|(sum, count)| *sum += count);
        }
        let near = of_day.iter().enumerate().map(|(at, count)| *count as f64 * nearness(at, hour)).sum();
        (near, of_day.iter().sum::<u64>() as f64)
    }

    /// For each hour of the week, Monday 0 h UTC first, on how many days of how many users connections began in it.
    pub fn hours(&self) -> &'p [u64; WEEK_HOURS] {
        &self.population.hours
    }
}

// A day of a user counts in one hour of the week only while the ring is longer than the window.
const _: () = assert!(RING > WINDOW_DAYS as usize);
