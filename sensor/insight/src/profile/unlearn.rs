//! What a connection taught is taken back: it was somebody else's, as a person found out. Counts of the user and of all
//! become what they would be without it. What cannot be known any more: which value left for want of room when it came,
//! whether another connection of the same day began in the same hour (the hour stays then), and the second at which a
//! value was seen last before it (the end of that day stands for it).

use super::{
    Profiles, Record,
    record::Surroundings,
    spread::Sample,
    value::{Ended, Feature, Observation, Scratch},
    window::{self, DAY_S, RING},
};

impl Profiles {
    /// Takes back what [`Profiles::learn`] learned, called with the same observation. What fell out of the window since is
    /// gone already. A user who is left with nothing is forgotten. Tells whether there was such a user.
    pub fn unlearn(&mut self, seen: &Observation<'_>) -> bool {
        let unix_s = window::seconds(seen.start_unix_ns);
        let Some(number) = self.records.find(seen.user, &self.symbols) else { return false };
        if !window::contains(self.today.day, window::day(unix_s)) {
            return true;
        }
        let (record, mut around) = self.record(number);
        for (feature, value) in seen.values() {
            let mut numbers = Scratch::default();
            record.unsee(feature, value.octets(&mut numbers), unix_s, &mut around);
        }
        if seen.is_connection {
            record.disconnect(unix_s, &mut around);
        }
        let is_left = record.days != [0; RING] || record.entries().next().is_some() || record.first != unix_s;
        if !is_left {
            self.remove(number);
        }
        true
    }

    /// Takes back what [`Profiles::learn_end`] learned.
    pub fn unlearn_end(&mut self, ended: &Ended<'_>) {
        let unix_s = window::seconds(ended.end_unix_ns);
        let Some(number) = self.records.find(ended.user, &self.symbols) else { return };
        self.record(number).0.samples.remove(Sample::of(unix_s, ended.seconds, ended.octets));
    }
}

impl Record {
    /// One connection less.
    fn disconnect(&mut self, unix_s: u32, around: &mut Surroundings<'_>) {
        let day = window::day(unix_s);
        let number = &mut self.days[window::place(day)];
        let connections = *number >> 24;
        if connections == 0 {
            return;
        }
        let hour = 1 << (unix_s % DAY_S / 3600);
        // As many hours as connections: each has its own.
        let all = *number & super::record::HOURS;
        let hours = match connections {
            1 => all,
            _ if all.count_ones() == connections => all & hour,
            _ => 0,
        };
        *number = (*number - (1 << 24)) & !hours;
        around.population.remove_day(day, 1, hours);
    }

    /// A value was seen once less.
    fn unsee(&mut self, feature: Feature, text: &[u8], unix_s: u32, around: &mut Surroundings<'_>) {
        let symbols = &*around.symbols;
        let is_it = |entry: &&mut super::record::Entry| {
            entry.feature() == Some(feature) && symbols.text(entry.symbol()) == text
        };
        let Some(entry) = self.entries_mut().find(is_it) else { return };
        let day = window::day(unix_s);
        let (word, shift) = (&mut entry.days[window::place(day) / 8], window::place(day) % 8 * 4);
        if *word >> shift & 0xf == 0 {
            return;
        }
        *word -= 1 << shift;
        let changed = *entry;
        around.uncount(&changed, 1);
        if changed.days == [0; RING / 8] {
            self.remove_where(around, |entry| entry.key == changed.key);
            return;
        }
        let today = self.today;
        if let Some(entry) = self.entries_mut().find(|entry| entry.key == changed.key) {
            entry.narrow(unix_s, today);
        }
    }
}

impl super::record::Entry {
    /// First and last, without what was at this second.
    fn narrow(&mut self, unix_s: u32, today: u16) {
        let places = self.used_places();
        let days = (0..RING).filter(|place| places >> place & 1 == 1);
        let days = days.map(|place| u32::from(window::day_at(today, place)));
        let (first, last) = days.fold((u32::MAX, 0), |(first, last), day| (first.min(day), last.max(day)));
        if self.last == unix_s {
            self.last = unix_s.min(last * DAY_S + DAY_S - 1);
        }
        if self.first == unix_s {
            self.first = unix_s.max(first.saturating_mul(DAY_S));
        }
        self.first = self.first.min(self.last);
    }
}
