//! What is kept of one user: of fixed size, so that a million lie one behind the other, and beside it a list for those
//! few who have many values. Called within the profiles only.

use super::{
    population::Population,
    spread::{Sample, Samples},
    symbols::{Symbol, Symbols},
    value::Feature,
    window::{self, RING, WINDOW_DAYS},
};

/// Values that fit into the record. Two places, networks, prefixes, devices and VPN servers, one or two of the others:
/// most users.
const INLINE: usize = 16;
/// Connections of one day that are counted for one value: 4 bits.
pub(super) const DAY_COUNT_MAX: u8 = 15;
/// Connections of one day that are counted for a user: 8 bits.
const DAY_CONNECTIONS_MAX: u32 = 255;
/// The bits of the hours in a day's number; above them its connections.
pub(super) const HOURS: u32 = (1 << 24) - 1;
/// Of an entry's key, those of the symbol.
const SYMBOL_BITS: u32 = 29;

/// One value of one user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Feature and symbol in one.
    pub(super) key: u32,
    /// Seconds since 1970.
    pub(super) first: u32,
    /// Seconds since 1970.
    pub(super) last: u32,
    /// Connections of each day: 4 bits for each place of the ring.
    pub(super) days: [u32; RING / 8],
}

pub(super) fn key(feature: Feature, symbol: Symbol) -> u32 {
    (feature as u32) << SYMBOL_BITS | symbol
}

/// For every bit of the low eight, four.
fn nibbles(bits: u32) -> u32 {
    let mut bits = bits & 0xff;
    bits = (bits | bits << 12) & 0x000f_000f;
    bits = (bits | bits << 6) & 0x0303_0303;
    bits = (bits | bits << 3) & 0x1111_1111;
    bits.wrapping_mul(15)
}

impl Entry {
    pub(super) fn symbol(&self) -> Symbol {
        self.key & ((1 << SYMBOL_BITS) - 1)
    }

    pub(super) fn feature(&self) -> Option<Feature> {
        Feature::of((self.key >> SYMBOL_BITS) as u8)
    }

    fn is_of(&self, feature: Feature) -> bool {
        self.key >> SYMBOL_BITS == feature as u32
    }

    /// Connections within the days of `kept`.
    pub(super) fn count(&self, kept: u32) -> u32 {
        let words = (0u32..).zip(&self.days);
        words.fold(0, |sum, (at, word)| {
            let word = word & nibbles(kept >> (8 * at));
            let pairs = (word & 0x0f0f_0f0f) + (word >> 4 & 0x0f0f_0f0f);
            sum + (pairs.wrapping_mul(0x0101_0101) >> 24)
        })
    }

    /// Days of `kept` with connections.
    pub(super) fn day_count(&self, kept: u32) -> u32 {
        let words = (0u32..).zip(&self.days);
        words.fold(0, |sum, (at, word)| {
            let word = word & nibbles(kept >> (8 * at));
            let folded = word | word >> 1 | word >> 2 | word >> 3;
            sum + (folded & 0x1111_1111).count_ones()
        })
    }

    /// Places of the ring with connections: a bit for each.
    pub(super) fn used_places(&self) -> u32 {
        self.days.iter().rev().fold(0, |places, word| {
            let mut bits = (word | word >> 1 | word >> 2 | word >> 3) & 0x1111_1111;
            bits = (bits | bits >> 3) & 0x0303_0303;
            bits = (bits | bits >> 6) & 0x000f_000f;
            places << 8 | (bits | bits >> 12) & 0xff
        })
    }

    /// Connections of the day at this place.
    pub(super) fn count_at(&self, place: usize) -> u8 {
        (self.days[place / 8] >> (place % 8 * 4) & 0xf) as u8
    }

    /// Whether no day has more than one.
    pub(super) fn is_once_a_day(&self) -> bool {
        self.days.iter().all(|word| word & 0xeeee_eeee == 0)
    }

    fn keep(&mut self, kept: u32) {
        for (at, word) in (0u32..).zip(&mut self.days) {
            *word &= nibbles(kept >> (8 * at));
        }
    }

    /// One more on this day; whether there was room.
    fn add(&mut self, day: u16) -> bool {
        let place = window::place(day);
        let (word, shift) = (&mut self.days[place / 8], place % 8 * 4);
        let is_full = *word >> shift & 0xf == u32::from(DAY_COUNT_MAX);
        if !is_full {
            *word += 1 << shift;
        }
        !is_full
    }
}

/// One user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The user's key; without meaning where nobody is.
    pub(super) name: Symbol,
    /// First connection, seconds since 1970.
    pub(super) first: u32,
    /// Newest sign of life, seconds since 1970; 0: nobody is here.
    pub(super) last: u32,
    /// The day for which it was last cleaned.
    pub(super) today: u16,
    /// Values that left for want of room, since the first connection.
    pub(super) displaced: u16,
    /// Entries in the record.
    pub(super) count: u8,
    pub(super) samples: Samples,
    /// Connections in the upper 8 bits, hours in which some began in the lower 24.
    pub(super) days: [u32; RING],
    pub(super) entries: [Entry; INLINE],
    pub(super) more: Option<Box<More>>,
}

/// Entries beyond those in the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct More(pub(super) Vec<Entry>);

/// Where values are counted besides the record.
pub(super) struct Surroundings<'a> {
    pub(super) symbols: &'a mut Symbols,
    pub(super) population: &'a mut Population,
    /// Entries beyond those in records, of all users.
    pub(super) spilled: &'a mut usize,
    pub(super) spilled_max: usize,
    /// Different values, of all users.
    pub(super) values_max: usize,
}

impl Record {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let more = self.more.as_ref().map(|more| &more.0[..]).unwrap_or_default();
        self.entries[..usize::from(self.count)].iter().chain(more)
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        let more = self.more.as_mut().map(|more| &mut more.0[..]).unwrap_or_default();
        self.entries[..usize::from(self.count)].iter_mut().chain(more)
    }

    /// Days whose numbers count while it is `today`: a bit for each place of the ring.
    pub(super) fn kept(&self, today: u16) -> u32 {
        window::kept(self.today, today)
    }

    /// Connections within the thirty days.
    pub(super) fn connections(&self, today: u16) -> u32 {
        self.kept_days(today).map(|(_, number)| number >> 24).sum()
    }

    /// The days within the thirty that have anything.
    pub(super) fn kept_days(&self, today: u16) -> impl Iterator<Item = (u16, u32)> {
        let kept = self.kept(today);
        (0..RING).filter(move |place| kept >> place & 1 == 1 && self.days[*place] != 0).map(move |place| {
            // One that is in both windows has the same number in both.
            (window::day_at(self.today, place), self.days[place])
        })
    }

    /// Takes out what is no longer within the thirty days.
    pub(super) fn clean(&mut self, today: u16, around: &mut Surroundings<'_>) {
        let kept = self.kept(today);
        if kept != u32::MAX {
            for place in (0..RING).filter(|place| kept >> place & 1 == 0) {
                let number = std::mem::take(&mut self.days[place]);
                if number != 0 {
                    around.population.remove_day(
                        window::day_at(self.today, place),
                        number >> 24,
                        number & HOURS,
                    );
                }
            }
            let mut is_any_empty = false;
            for entry in self.entries_mut() {
                let gone = entry.count(!kept);
                if gone > 0 {
                    entry.keep(kept);
                    around.uncount(entry, gone);
                    is_any_empty |= entry.days == [0; RING / 8];
                }
            }
            if is_any_empty {
                self.remove_where(around, |entry| entry.days == [0; RING / 8]);
            }
            self.samples.keep(today);
        }
        if today < self.today {
            // The clock was ahead: what lies behind it did not happen then.
            let end = (u32::from(today) + 2) * window::DAY_S - 1;
            self.last = self.last.min(end);
            self.first = self.first.min(end);
            for entry in self.entries_mut() {
                (entry.first, entry.last) = (entry.first.min(end), entry.last.min(end));
            }
        }
        self.today = today;
    }

    /// Takes out entries.
    pub(super) fn remove_where(&mut self, around: &mut Surroundings<'_>, is_gone: impl Fn(&Entry) -> bool) {
        let mut left: Vec<Entry> = Vec::new();
        for entry in self.entries() {
            match is_gone(entry) {
                true => around.symbols.release(entry.symbol()),
                false => left.push(*entry),
            }
        }
        self.set_entries(&left, around.spilled);
    }

    pub(super) fn set_entries(&mut self, entries: &[Entry], spilled: &mut usize) {
        *spilled -= self.more.take().map_or(0, |more| more.0.len());
        let (inside, more) = entries.split_at(entries.len().min(INLINE));
        self.entries = [Entry::default(); INLINE];
        self.entries[..inside.len()].copy_from_slice(inside);
        self.count = inside.len() as u8;
        if !more.is_empty() {
            *spilled += more.len();
            self.more = Some(Box::new(More(more.to_vec())));
        }
    }

    /// Takes the entries with these keys out.
    pub(super) fn take_out(&mut self, keys: &[u32], around: &mut Surroundings<'_>) {
        for entry in self.entries().filter(|entry| keys.contains(&entry.key)) {
            around.uncount(entry, entry.count(u32::MAX));
        }
        self.remove_where(around, |entry| keys.contains(&entry.key));
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self, around: &mut Surroundings<'_>) {
        for place in 0..RING {
            let number = self.days[place];
            around.population.remove_day(window::day_at(self.today, place), number >> 24, number & HOURS);
        }
        for entry in self.entries() {
            around.uncount(entry, entry.count(u32::MAX));
        }
        self.remove_where(around, |_| true);
        around.symbols.release(self.name);
        *self = Record::default();
    }

    /// A connection that began at this second of today's window.
    pub(super) fn connect(&mut self, unix_s: u32, population: &mut Population) {
        let day = window::day(unix_s);
        let hour = unix_s % window::DAY_S / 3600;
        let number = &mut self.days[window::place(day)];
        let is_counted = *number >> 24 < DAY_CONNECTIONS_MAX;
        let is_new_hour = *number >> hour & 1 == 0;
        *number += u32::from(is_counted) << 24;
        *number |= 1 << hour;
        population.add_day(day, u32::from(is_counted), u32::from(is_new_hour) << hour);
    }

    /// A value of a connection that began then. Tells whether there was room for it.
    pub(super) fn see(
        &mut self,
        feature: Feature,
        text: &[u8],
        unix_s: u32,
        around: &mut Surroundings<'_>,
    ) -> bool {
        let symbols = &*around.symbols;
        // Its own values first: most connections are like those before, and then nothing is hashed.
        let known =
            self.entries_mut().find(|entry| entry.is_of(feature) && symbols.text(entry.symbol()) == text);
        if let Some(entry) = known {
            entry.first = entry.first.min(unix_s);
            entry.last = entry.last.max(unix_s);
            if entry.add(window::day(unix_s)) {
                around.symbols.count(entry.symbol(), 1);
                around.population.count(feature, 1);
            }
            return true;
        }
        if !self.make_room(feature, text, unix_s, around) {
            self.displaced = self.displaced.saturating_add(1);
            return false;
        }
        let Some(symbol) = around.symbols.intern(feature, text, around.values_max) else { return false };
        let mut entry = Entry { key: key(feature, symbol), first: unix_s, last: unix_s, ..Entry::default() };
        entry.add(window::day(unix_s));
        around.symbols.hold(symbol);
        around.symbols.count(symbol, 1);
        around.population.count(feature, 1);
        if usize::from(self.count) < INLINE {
            self.entries[usize::from(self.count)] = entry;
            self.count += 1;
        } else {
            let more = &mut self.more.get_or_insert_default().0;
            more.reserve_exact(1);
            more.push(entry);
            *around.spilled += 1;
        }
        true
    }

    /// Lets the value of the feature leave that was seen last the longest ago, where there is no room for another.
    fn make_room(
        &mut self,
        feature: Feature,
        text: &[u8],
        unix_s: u32,
        around: &mut Surroundings<'_>,
    ) -> bool {
        let same = || self.entries().filter(|entry| entry.is_of(feature));
        let has_place = usize::from(self.count) < INLINE || *around.spilled < around.spilled_max;
        if has_place && same().count() < feature.values_max() {
            return true;
        }
        let symbols = &*around.symbols;
        // Equally long: the text decides, not the order in which they came.
        let order = |entry: &&Entry| (entry.last, symbols.text(entry.symbol()));
        let Some(oldest) = same().min_by_key(order).copied() else { return false };
        if (oldest.last, symbols.text(oldest.symbol())) > (unix_s, text) {
            return false;
        }
        self.take_out(&[oldest.key], around);
        self.displaced = self.displaced.saturating_add(1);
        true
    }

    /// Whether it was within the last so many days that anything was seen.
    pub(super) fn is_recent(&self, today: u16, days: u16) -> bool {
        window::day(self.last).saturating_add(days.max(WINDOW_DAYS)) >= today
    }

    pub(super) fn take_sample(&mut self, sample: Sample) {
        self.samples.take(sample);
    }
}

impl Surroundings<'_> {
    pub(super) fn uncount(&mut self, entry: &Entry, connections: u32) {
        self.symbols.count(entry.symbol(), -i64::from(connections));
        if let Some(feature) = entry.feature() {
            self.population.count(feature, -i64::from(connections));
        }
    }
}
