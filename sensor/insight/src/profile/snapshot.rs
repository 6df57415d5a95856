//! All profiles as octets, and back. One that was loaded answers everything as the one that was saved would, and goes on
//! as it: records and texts keep their numbers. Sums are not written but made again, so that they cannot contradict what
//! they are sums of. Equal states give equal octets. For the service's checkpoints.
//!
//! Numbers are written in 7 bits an octet, the lowest first; of the days only those that have anything, and those with
//! one connection, which most are, shorter.

use super::{
    Counts, Options, Profiles,
    population::Population,
    record::{Entry, Record, key},
    records::Records,
    spread::{Sample, Samples},
    symbols::{Symbol, Symbols},
    value::Feature,
    window::{self, RING, Today},
};

/// Of the form of the octets: it, a CRC32C of the rest, the rest.
const VERSION: u16 = 2;
/// Octets of both.
const HEAD: usize = size_of::<u16>() + size_of::<u32>();
/// A day of a user that has more than one connection. One connection is written as its hour.
const MANY: u8 = 24;
/// In a day's number.
const ONE_CONNECTION: u32 = 1 << 24;
/// Octets that a user takes at least: what a count of users is checked by before room is made for them.
const USER_OCTETS_MIN: usize = 16;

/// Octets that are no snapshot of this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Another version.
    #[error("version {0} is not {VERSION}")]
    Version(u16),
    /// They are not what was written.
    #[error("damaged: the checksum is another")]
    Checksum,
    /// They end too early.
    #[error("damaged: they end too early")]
    Short,
    /// They can be read, and what they say contradicts itself.
    #[error("damaged: {0}")]
    Contradiction(&'static str),
}

impl Profiles {
    /// Appends the state to `octets`.
    pub fn save(&self, octets: Vec<u8>) -> Vec<u8> {
        let mut octets = octets;
        let begin = octets.len();
        // About what users and texts take, so that little is copied on the way.
        octets.reserve(self.symbols.used_octets() + self.len() * 384 + 4096);
        octets.extend_from_slice(&VERSION.to_le_bytes());
        octets.extend_from_slice(&[0; size_of::<u32>()]);
        self.write_head(&mut octets);
        self.write_symbols(&mut octets);
        put(&mut octets, u64::from(self.records.end()));
        put(&mut octets, self.records.len() as u64);
        for number in 0..self.records.end() {
            let record = self.records.get(number);
            octets.push(u8::from(self.records.is_used(number)));
            if self.records.is_used(number) {
                write_record(record, &mut octets);
            }
        }
        write_numbers(self.records.free(), &mut octets);
        let checksum = crc32c::crc32c(&octets[begin + HEAD..]);
        octets[begin + size_of::<u16>()..begin + HEAD].copy_from_slice(&checksum.to_le_bytes());
        octets
    }

    fn write_head(&self, octets: &mut Vec<u8>) {
        put(octets, u64::from(self.today.day));
        put_optional(octets, self.today.jumped_to.map(u64::from));
        put_optional(octets, self.sweep.map(u64::from));
        let Counts { outside, users_surplus, values_surplus } = self.counts;
        [outside, users_surplus, values_surplus].into_iter().for_each(|count| put(octets, count));
    }

    fn write_symbols(&self, octets: &mut Vec<u8>) {
        put(octets, self.symbols.len() as u64);
        put(octets, self.symbols.used_octets() as u64);
        let (chunks, free) = self.symbols.kept();
        chunks.for_each(|chunk| octets.extend_from_slice(chunk));
        put(octets, free.len() as u64);
        free.iter().for_each(|blocks| write_numbers(blocks, octets));
    }

    /// The state that was saved, under these options: they may be others than before.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn load(options: Options, octets: &[u8]) -> Result<Profiles, SnapshotError> {
        let mut read = Read(octets);
        let version = u16::from_le_bytes(read.array()?);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        if u32::from_le_bytes(read.array()?) != crc32c::crc32c(read.0) {
            return Err(SnapshotError::Checksum);
        }
        let mut profiles = Profiles::new(options);
        profiles.today = Today { day: read.number()?, jumped_to: read.optional()? };
        profiles.sweep = read.optional()?;
        profiles.counts =
            Counts { outside: read.number()?, users_surplus: read.number()?, values_surplus: read.number()? };
        profiles.symbols = read.symbols()?;
        profiles.read_records(&mut read)?;
        match read.0 {
            [] => Ok(profiles),
            _ => Err(SnapshotError::Contradiction("more octets than there are users")),
        }
    }

    fn read_records(&mut self, read: &mut Read<'_>) -> Result<(), SnapshotError> {
        let (end, users): (u32, usize) = (read.number()?, read.number()?);
        if users.saturating_mul(USER_OCTETS_MIN) > read.0.len() || end as usize > read.0.len() {
            return Err(SnapshotError::Short);
        }
        self.records = Records::with_capacity(users);
        let mut entries = Vec::new();
        for _ in 0..end {
            let record = match read.array()? {
                [0] => None,
                [_] => Some(self.read_record(read, &mut entries)?),
            };
            if !self.records.restore(record, &self.symbols) {
                return Err(SnapshotError::Contradiction("a user who is there twice"));
            }
        }
        if self.records.len() != users || !self.records.restore_free(read.numbers()?) {
            return Err(SnapshotError::Contradiction("users where none are"));
        }
        match self.symbols.are_all_held() {
            true => Ok(()),
            false => Err(SnapshotError::Contradiction("a value that nobody has")),
        }
    }

    /// The next record, counted in, and the hash of its key. `entries`: for its entries, used again and again.
    fn read_record(
        &mut self,
        read: &mut Read<'_>,
        entries: &mut Vec<Entry>,
    ) -> Result<(Record, u32), SnapshotError> {
        let name: Symbol = read.number()?;
        if !self.symbols.restore_holder(name, None, 0) {
            return Err(SnapshotError::Contradiction("a user without a name"));
        }
        let user = str::from_utf8(self.symbols.text(name));
        let hash =
            self.symbols.hash_name(user.map_err(|_| SnapshotError::Contradiction("a name that is no text"))?);
        let first: u32 = read.number()?;
        let last = first.wrapping_add(read.number()?);
        let (today, displaced): (u16, u16) = (read.number()?, read.number()?);
        if last == 0 {
            return Err(SnapshotError::Contradiction("a user who was never seen"));
        }
        let mut record = Record { name, first, last, today, displaced, ..Record::default() };
        let days = u32::from_le_bytes(read.array()?);
        for place in bits(days) {
            record.days[place] = match read.array()? {
                [hour @ 0..MANY] => ONE_CONNECTION | 1 << hour,
                [_] => u32::from_le_bytes(read.array()?),
            };
        }
        add_days(&record, days, &mut self.population);
        record.samples = read.samples()?;
        let [count] = read.array()?;
        entries.clear();
        for _ in 0..count {
            entries.push(self.read_entry(first, last, read)?);
        }
        record.set_entries(entries, &mut self.spilled);
        Ok((record, hash))
    }

    fn read_entry(&mut self, first: u32, last: u32, read: &mut Read<'_>) -> Result<Entry, SnapshotError> {
        let number: u64 = read.number()?;
        let feature = Feature::of((number & 7) as u8);
        let symbol = u32::try_from(number >> 4).ok();
        let known = feature.zip(symbol);
        let (feature, symbol) = known.ok_or(SnapshotError::Contradiction("a value that is not there"))?;
        let mut entry = Entry {
            key: key(feature, symbol),
            first: first.wrapping_add(read.number()?),
            last: last.wrapping_sub(read.number()?),
            days: [0; RING / 8],
        };
        let days = u32::from_le_bytes(read.array()?);
        let (is_once_a_day, mut left) = (number & 8 != 0, 0x11);
        for (at, place) in bits(days).enumerate() {
            if at % 2 == 0 && !is_once_a_day {
                [left] = read.array()?;
            }
            entry.days[place / 8] |= u32::from(left & 0xf) << (place % 8 * 4);
            left = left.rotate_left(4);
        }
        let connections = entry.count(u32::MAX);
        if !self.symbols.restore_holder(symbol, Some(feature), connections) {
            return Err(SnapshotError::Contradiction("a value that is not there"));
        }
        self.population.count(feature, i64::from(connections));
        Ok(entry)
    }
}

fn add_days(record: &Record, days: u32, population: &mut Population) {
    for place in bits(days) {
        let number = record.days[place];
        let day = window::day_at(record.today, place);
        population.add_day(day, number >> 24, number & (ONE_CONNECTION - 1));
    }
}

fn write_record(record: &Record, octets: &mut Vec<u8>) {
    put(octets, u64::from(record.name));
    put(octets, u64::from(record.first));
    put(octets, u64::from(record.last.wrapping_sub(record.first)));
    put(octets, u64::from(record.today));
    put(octets, u64::from(record.displaced));
    let days = (0u32..).zip(&record.days).fold(0u32, |days, (at, day)| days | u32::from(*day != 0) << at);
    octets.extend_from_slice(&days.to_le_bytes());
    for place in bits(days) {
        let day = record.days[place];
        let hours = day & (ONE_CONNECTION - 1);
        if day >> 24 == 1 && hours.is_power_of_two() {
            octets.push(hours.trailing_zeros() as u8);
        } else {
            octets.push(MANY);
            octets.extend_from_slice(&day.to_le_bytes());
        }
    }
    octets.push(record.samples.count);
    for sample in record.samples.iter() {
        octets.extend_from_slice(&sample.octets());
    }
    // At most the sum of `Feature::values_max`, 76.
    octets.push(record.entries().count() as u8);
    for entry in record.entries() {
        write_entry(entry, record, octets);
    }
}

fn write_entry(entry: &Entry, record: &Record, octets: &mut Vec<u8>) {
    let feature = entry.feature().map_or(0, |feature| feature as u64);
    let is_once_a_day = entry.is_once_a_day();
    put(octets, u64::from(entry.symbol()) << 4 | u64::from(is_once_a_day) << 3 | feature);
    put(octets, u64::from(entry.first.wrapping_sub(record.first)));
    put(octets, u64::from(record.last.wrapping_sub(entry.last)));
    let days = entry.used_places();
    octets.extend_from_slice(&days.to_le_bytes());
    if is_once_a_day {
        return;
    }
    let mut counts = [0; RING / 2];
    let mut used = 0;
    for place in bits(days) {
        counts[used / 2] |= entry.count_at(place) << (used % 2 * 4);
        used += 1;
    }
    octets.extend_from_slice(&counts[..used.div_ceil(2)]);
}

/// Those that are set, the lowest first.
fn bits(number: u32) -> impl Iterator<Item = usize> {
    let mut left = number;
    std::iter::from_fn(move || {
        let lowest = left.trailing_zeros();
        left &= left.checked_sub(1)?;
        Some(lowest as usize)
    })
}

fn write_numbers(numbers: &[u32], octets: &mut Vec<u8>) {
    put(octets, numbers.len() as u64);
    numbers.iter().for_each(|number| put(octets, u64::from(*number)));
}

fn put(octets: &mut Vec<u8>, number: u64) {
    let mut left = number;
    while left >= 0x80 {
        octets.push(left as u8 | 0x80);
        left >>= 7;
    }
    octets.push(left as u8);
}

fn put_optional(octets: &mut Vec<u8>, number: Option<u64>) {
    octets.push(u8::from(number.is_some()));
    number.into_iter().for_each(|number| put(octets, number));
}

/// What is left to read.
struct Read<'a>(&'a [u8]);

impl<'a> Read<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(SnapshotError::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], SnapshotError> {
        let (slice, rest) = self.0.split_at_checked(length).ok_or(SnapshotError::Short)?;
        self.0 = rest;
        Ok(slice)
    }

    fn number<N: TryFrom<u64>>(&mut self) -> Result<N, SnapshotError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [octet] = self.array()?;
            number |= u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                return N::try_from(number).map_err(|_| SnapshotError::Contradiction("too great a number"));
            }
        }
        Err(SnapshotError::Contradiction("a number that does not end"))
    }

    fn optional<N: TryFrom<u64>>(&mut self) -> Result<Option<N>, SnapshotError> {
        match self.array()? {
            [0] => Ok(None),
            [_] => Ok(Some(self.number()?)),
        }
    }

    fn numbers(&mut self) -> Result<Vec<u32>, SnapshotError> {
        let count: usize = self.number()?;
        // Each takes an octet at least.
        if count > self.0.len() {
            return Err(SnapshotError::Short);
        }
        (0..count).map(|_| self.number()).collect()
    }

    fn symbols(&mut self) -> Result<Symbols, SnapshotError> {
        let (values, length): (usize, usize) = (self.number()?, self.number()?);
        let octets = self.slice(length)?;
        let lists: usize = self.number()?;
        if values > length || lists > self.0.len() {
            return Err(SnapshotError::Short);
        }
        let free = (0..lists).map(|_| self.numbers()).collect::<Result<_, _>>()?;
        let wrong = SnapshotError::Contradiction("texts that overlap, or free ones that are used");
        Symbols::restored(octets, free, values).ok_or(wrong)
    }

    fn samples(&mut self) -> Result<Samples, SnapshotError> {
        let [count] = self.array()?;
        let mut samples = Samples::default();
        let is_whole = (0..count)
            .try_fold(true, |is_whole, _| Ok(samples.restore(Sample::read(self.array()?)) && is_whole))?;
        match is_whole {
            true => Ok(samples),
            false => Err(SnapshotError::Contradiction("connections that are over, out of their order")),
        }
    }
}
