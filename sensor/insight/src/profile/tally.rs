//! How the values of one connection stand in a user's profile and among all users, in one pass and without allocating:
//! what detections ask for every connection. [`Everybody::known`] finds each value once; [`Profile::tallies`] counts.

use super::{
    population::{Everybody, Share},
    record::Entry,
    symbols::Symbol,
    value::{FEATURES, Feature, Scratch, Value},
    view::Profile,
    window,
};

/// A value that was looked up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    symbol: Option<Symbol>,
    /// How many have it.
    pub share: Share,
}

/// How one value of a feature stands among all those of one user, within the thirty days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Days with the value; 0: it is new to the user.
    pub days: u32,
    /// Connections with the value, of a day at most 15.
    pub connections: u32,
    /// Days of all values together: a day with two of them counts twice.
    pub all_days: u32,
    /// Different values.
    pub values: u32,
    /// Of them, those that came within the thirty days, behind the user's first day.
    pub arrived: u32,
}

/// One for each feature, in the order of [`Feature::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tallies([Tally; FEATURES]);

impl Tallies {
    /// That of a feature.
    pub fn of(&self, feature: Feature) -> &Tally {
        &self.0[feature as usize]
    }
}

impl Everybody<'_> {
    /// Looks a value up.
    pub fn known(&self, feature: Feature, value: Value<'_>) -> Known {
        let mut numbers = Scratch::default();
        let symbol = self.symbols.find(feature, value.octets(&mut numbers));
        let share = symbol.map_or(Share::default(), |symbol| {
            let (users, connections) = self.symbols.counts(symbol);
            Share { users, connections }
        });
        Known { symbol, share }
    }
}

impl Profile<'_> {
    /// Counts every feature, and in it the value that was looked up for it; see [`Feature::ALL`] for their order.
    pub fn tallies(&self, looked_up: &[Known; Feature::ALL.len()]) -> Tallies {
        let mut tallies = [Tally::default(); FEATURES];
        for entry in self.record.entries() {
            let days = entry.day_count(self.kept);
            let Some(feature) = entry.feature().filter(|_| days > 0) else { continue };
            let tally = &mut tallies[feature as usize];
            tally.all_days += days;
            tally.values += 1;
            tally.arrived += u32::from(self.has_arrived(entry));
            if looked_up[feature as usize].symbol == Some(entry.symbol()) {
                tally.days = days;
                tally.connections = entry.count(self.kept);
            }
        }
        Tallies(tallies)
    }

    fn has_arrived(&self, entry: &Entry) -> bool {
        let day = window::day(entry.first);
        day > window::day(self.record.first) && window::contains(self.today, day)
    }

    /// Every value of a feature with its days, and whether it came within the thirty days, behind the user's first day;
    /// in no order that means anything.
    pub fn each(&self, feature: Feature, mut take: impl FnMut(Value<'_>, u32, bool)) {
        for entry in self.record.entries().filter(|entry| entry.feature() == Some(feature)) {
            let days = entry.day_count(self.kept);
            if days > 0 {
                take(Value::read(feature, self.symbols.text(entry.symbol())), days, self.has_arrived(entry));
            }
        }
    }

    /// The value of a feature that the newest connection had; of several at once the one that comes last in its order.
    pub fn newest(&self, feature: Feature) -> Option<Value<'_>> {
        let entries = self.record.entries().filter(|entry| entry.feature() == Some(feature));
        let value = |entry: &Entry| Value::read(feature, self.symbols.text(entry.symbol()));
        entries
            .filter(|entry| entry.day_count(self.kept) > 0)
            .max_by_key(|entry| (entry.last, value(entry)))
            .map(value)
    }

    /// Of the hours of all days in which connections began, how many are around this one, the nearer the more; and how many
    /// there are.
    pub fn nearness_in_day(&self, hour: usize) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for (_, number) in self.record.kept_days(self.today) {
            let mut left = number & super::record::HOURS;
            while left != 0 {
                sums.0 += super::population::nearness(left.trailing_zeros() as usize, hour);
                sums.1 += 1.0;
                left &= left - 1;
            }
        }
        sums
    }

    /// On how many of the thirty days connections began around this hour of the week: in it, the one before or the one
    /// behind, on the same kind of day (Monday to Friday, or the weekend); and on how many days any began.
    pub fn days_near(&self, hour_of_week: usize) -> (u32, u32) {
        let (day, hour) = (hour_of_week / 24 % 7, (hour_of_week % 24) as u32);
        // The hour before, it, and the one behind, around the clock.
        let near = (1u32 << hour) | 1 << ((hour + 1) % 24) | 1 << ((hour + 23) % 24);
        let is_weekend = |day: usize| day >= 5;
        let mut counts = (0, 0);
        for (at, number) in self.record.kept_days(self.today) {
            let hours = number & super::record::HOURS;
            if is_weekend(super::population::first_hour(at) / 24) == is_weekend(day) {
                counts.0 += u32::from(hours & near != 0);
            }
            counts.1 += u32::from(hours != 0);
        }
        counts
    }
}
