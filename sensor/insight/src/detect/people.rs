//! Where each user was last: the last two sessions that differ in place or device, with their last proof of life. What
//! travel, simultaneous sessions, address changes and long absence are measured from; it outlives the thirty days of
//! the profile, so that somebody back from a long leave is not a stranger at home.
//!
//! Bounds: 64 octets a user and an index of 4 to 8; [`PEOPLE_MAX`] users, beyond which new ones are not followed here
//! (the score goes on without them). Who was not seen for [`KEPT_DAYS`] is dropped.

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::{
    assessment::WayEnd,
    connection::{Connection, Spot},
};

/// Twice the million users that a service must carry.
pub(super) const PEOPLE_MAX: usize = 2_000_000;
/// Half a year: as long as profiles remember a user.
const KEPT_DAYS: u32 = 180;
/// So many are looked at in one call of `sweep`.
const SWEEP: usize = 4096;

/// One session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Slot {
    /// The last proof of life, seconds since 1970; 0: none is here.
    pub(super) alive: u32,
    /// The session's number, its lower half.
    session: u32,
    /// The autonomous system; 0: none is known.
    pub(super) asn: u32,
    /// Degrees, 32,767 to a right angle; and 32,767 to two.
    latitude: i16,
    longitude: i16,
    /// Kilometres.
    radius: u16,
    /// Two letters; 0: none is known.
    pub(super) country: u16,
    /// 16 bits of the device's hash; 0: none is known.
    pub(super) device: u16,
    /// From start to last proof of life, minutes.
    minutes: u16,
    /// Which database said the place; 0: none, or it is not to be compared.
    database: u8,
    /// See `OPEN`, `MOBILE`, `SUSPECT`, `TRUSTED`, `EXCLUDED`.
    flags: u8,
}

const OPEN: u8 = 1;
const MOBILE: u8 = 2;
const SUSPECT: u8 = 4;
const TRUSTED: u8 = 8;
const EXCLUDED: u8 = 16;

impl Slot {
    pub(super) fn is_there(&self) -> bool {
        self.alive != 0
    }

    pub(super) fn is_open(&self) -> bool {
        self.flags & OPEN != 0
    }

    pub(super) fn is_mobile(&self) -> bool {
        self.flags & MOBILE != 0
    }

    /// It raised an alert: what it says is not the user's.
    pub(super) fn is_suspect(&self) -> bool {
        self.flags & SUSPECT != 0
    }

    /// It was with a device that the user has, or everything was as usual: two such at once are no stranger.
    pub(super) fn is_trusted(&self) -> bool {
        self.flags & TRUSTED != 0
    }

    /// Nobody wants to hear of it.
    pub(super) fn is_excluded(&self) -> bool {
        self.flags & EXCLUDED != 0
    }

    pub(super) fn trust(&mut self) {
        self.flags |= TRUSTED;
    }

    /// The place and the network in a few words: `DE (AS3320)`; never empty.
    pub(super) fn text(&self) -> String {
        match (self.country_text(), self.asn) {
            (country, 0) if country.is_empty() => "an unknown place".to_owned(),
            (country, 0) => country,
            (country, asn) if country.is_empty() => format!("AS{asn}"),
            (country, asn) => format!("{country} (AS{asn})"),
        }
    }

    /// As an end of a way, at this time.
    pub(super) fn end(&self, place: String, unix_s: u32) -> WayEnd {
        let degrees = |of: i16, right: f64| (f64::from(of) * right / 32_767.0 * 100.0).round() / 100.0;
        WayEnd {
            place,
            country: Some(self.country_text()).filter(|country| !country.is_empty()),
            latitude: degrees(self.latitude, 90.0),
            longitude: degrees(self.longitude, 180.0),
            radius_km: self.radius,
            unix_s,
        }
    }

    /// Whether that raised an alert, and this says nothing that it did not.
    pub(super) fn repeats(&self, before: &Slot) -> bool {
        let place = |slot: &Slot| (slot.asn, slot.country, slot.device);
        before.is_there()
            && before.is_suspect()
            && before.session != self.session
            && place(before) == place(self)
    }

    pub(super) fn suspect(&mut self) {
        self.flags |= SUSPECT;
    }

    /// More came to be known of a session that has been alive since.
    pub(super) fn go_on_from(&mut self, before: &Slot) {
        self.alive = self.alive.max(before.alive);
        self.minutes = u16::try_from((self.alive - before.start()) / 60).unwrap_or(u16::MAX);
    }

    pub(super) fn start(&self) -> u32 {
        self.alive.saturating_sub(u32::from(self.minutes) * 60)
    }

    pub(super) fn is_of(&self, session: u64) -> bool {
        self.is_there() && self.session == session as u32
    }

    /// Kilometres between both after their radii are taken off; `None`: they cannot be compared.
    pub(super) fn distance_km(&self, other: &Slot) -> Option<f64> {
        if self.database == 0 || self.database != other.database {
            return None;
        }
        // Most are where they were.
        if (self.latitude, self.longitude) == (other.latitude, other.longitude) {
            return Some(0.0);
        }
        let radians = |slot: &Slot| {
            let (latitude, longitude) = (f64::from(slot.latitude), f64::from(slot.longitude));
            let right = std::f64::consts::FRAC_PI_2 / 32_767.0;
            (latitude * right, longitude * right * 2.0)
        };
        let ((latitude, longitude), (latitude_2, longitude_2)) = (radians(self), radians(other));
        let half = |angle: f64| (angle / 2.0).sin().powi(2);
        let a =
            half(latitude_2 - latitude) + latitude.cos() * latitude_2.cos() * half(longitude_2 - longitude);
        let circle = 2.0 * EARTH_KM * a.clamp(0.0, 1.0).sqrt().asin();
        Some((circle - f64::from(self.radius) - f64::from(other.radius)).max(0.0))
    }

    /// As a session that does not say its device.
    pub(super) fn without_device(self) -> Slot {
        Slot { device: 0, ..self }
    }

    /// The country as text.
    pub(super) fn country_text(&self) -> String {
        let [first, second] = self.country.to_be_bytes();
        if self.country == 0 { String::new() } else { format!("{}{}", char::from(first), char::from(second)) }
    }
}

const EARTH_KM: f64 = 6371.0;

/// One user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Person {
    key: u64,
    pub(super) slots: [Slot; 2],
}

const _: () = assert!(size_of::<Person>() == 64);

impl Person {
    fn last(&self) -> u32 {
        self.slots[0].alive.max(self.slots[1].alive)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct People {
    people: Vec<Person>,
    free: Vec<u32>,
    index: HashTable<u32>,
    sweep: Option<u32>,
    /// Fingerprints of databases, by number less one.
    databases: Vec<String>,
    /// Who was seen last before this is as good as dropped: when `sweep` comes by must not show.
    oldest: u32,
}

/// Keys of users and values: an attacker who seeks collisions finds one in 2^32 steps and gains a slot.
pub(super) fn hash(tag: u8, octets: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0x7670_6e2d_7365_6e73, u64::from(tag));
    hasher.write(octets);
    hasher.finish()
}

/// Of a user's key.
pub(super) fn user_key(user: &str) -> u64 {
    hash(0, user.as_bytes()).max(1)
}

/// 16 bits of a device; 0: none.
pub(super) fn device_key(device: Option<&str>) -> u16 {
    device.map_or(0, |device| (hash(1, device.as_bytes()) as u16).max(1))
}

pub(super) fn country_key(country: Option<&str>) -> u16 {
    country.and_then(|country| country.as_bytes().first_chunk()).map_or(0, |code| u16::from_be_bytes(*code))
}

impl People {
    pub(super) fn get(&self, key: u64) -> Option<&Person> {
        let number = self.index.find(key, |&number| self.people[number as usize].key == key)?;
        Some(&self.people[*number as usize]).filter(|person| person.last() >= self.oldest)
    }

    /// What is kept of a session of this user.
    pub(super) fn session(&self, key: u64, session: u64) -> Option<Slot> {
        self.get(key)?.slots.into_iter().find(|slot| slot.is_of(session))
    }

    fn get_mut(&mut self, key: u64) -> Option<&mut Person> {
        let number = *self.index.find(key, |&number| self.people[number as usize].key == key)?;
        Some(&mut self.people[number as usize])
    }

    pub(super) fn oldest(&self) -> u32 {
        self.oldest
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn octets(&self) -> usize {
        self.people.capacity() * size_of::<Person>() + self.index.allocation_size() + self.free.capacity() * 4
    }

    /// The number of a database; 0: there were too many, or its places are not to be compared.
    fn database(&mut self, fingerprint: &str) -> u8 {
        let at = self.databases.iter().position(|known| known == fingerprint).unwrap_or_else(|| {
            if self.databases.len() < usize::from(u8::MAX) {
                self.databases.push(fingerprint.to_owned());
            }
            self.databases.len() - 1
        });
        let is_it = self.databases.get(at).is_some_and(|known| known == fingerprint);
        if is_it { u8::try_from(at + 1).unwrap_or(0) } else { 0 }
    }

    /// A connection as it would be kept.
    pub(super) fn slot(&mut self, connection: &Connection<'_>, alive: u32) -> Slot {
        let spot = &connection.spot;
        let mut slot = Slot {
            alive: alive.max(1),
            session: connection.session as u32,
            asn: spot.asn.unwrap_or(0),
            country: country_key(spot.country),
            device: device_key(connection.device),
            flags: OPEN,
            ..Slot::default()
        };
        if connection.is_excluded {
            slot.flags |= EXCLUDED;
        }
        if spot.kinds.contains(crate::geo::NetworkKind::Mobile) {
            slot.flags |= MOBILE;
        }
        if let Some((latitude, longitude, database)) = comparable(spot) {
            // To within 300 m north, 600 m east: far below any radius.
            slot.latitude = (latitude / 90.0 * 32_767.0) as i16;
            slot.longitude = (longitude / 180.0 * 32_767.0) as i16;
            slot.radius = spot.radius_km.unwrap_or(crate::geo::UNKNOWN_RADIUS_KM);
            slot.database = self.database(database);
        }
        slot
    }

    /// Keeps a session: instead of what was kept of it, else of one like it, else of the one that has been over or silent
    /// for longest.
    pub(super) fn keep(&mut self, key: u64, new: Slot) {
        let Some(person) = self.get_or_add(key) else { return };
        let is_like = |slot: &Slot| {
            let same = (slot.asn, slot.country, slot.device) == (new.asn, new.country, new.device);
            same && slot.database == new.database && slot.distance_km(&new).is_none_or(|km| km < 1.0)
        };
        let at = (person.slots.iter().position(|slot| slot.is_there() && slot.session == new.session))
            .or_else(|| person.slots.iter().position(|slot| slot.is_there() && is_like(slot)));
        let oldest = || {
            let order = |at: &usize| (person.slots[*at].is_open(), person.slots[*at].alive);
            (0..person.slots.len()).min_by_key(order).unwrap_or(0)
        };
        let at = at.unwrap_or_else(oldest);
        person.slots[at] = new;
    }

    /// A sign of life.
    pub(super) fn alive(&mut self, key: u64, session: u64, unix_s: u32, is_open: bool) {
        let Some(person) = self.get_mut(key) else { return };
        let Some(slot) = person.slots.iter_mut().find(|slot| slot.is_of(session)) else { return };
        if unix_s > slot.alive {
            let start = slot.start();
            slot.alive = unix_s;
            slot.minutes = u16::try_from((unix_s - start) / 60).unwrap_or(u16::MAX);
        }
        slot.flags = if is_open { slot.flags | OPEN } else { slot.flags & !OPEN };
    }

    /// A session raised an alert.
    pub(super) fn suspect(&mut self, key: u64, session: u64) {
        let slots = self.get_mut(key).into_iter().flat_map(|person| &mut person.slots);
        slots.filter(|slot| slot.is_of(session)).for_each(Slot::suspect);
    }

    /// What a session says is the user's.
    pub(super) fn accept(&mut self, key: u64, session: u64) {
        let slots = self.get_mut(key).into_iter().flat_map(|person| &mut person.slots);
        slots.filter(|slot| slot.is_of(session)).for_each(|slot| slot.flags &= !SUSPECT);
    }

    /// A session was somebody else's: where it was says nothing of the user.
    pub(super) fn reject(&mut self, key: u64, session: u64) {
        let slots = self.get_mut(key).into_iter().flat_map(|person| &mut person.slots);
        slots.filter(|slot| slot.is_of(session)).for_each(|slot| *slot = Slot::default());
    }

    fn get_or_add(&mut self, key: u64) -> Option<&mut Person> {
        let People { people, index, free, .. } = self;
        if let Some(number) = index.find(key, |&number| people[number as usize].key == key) {
            let person = people.get_mut(*number as usize)?;
            if person.last() < self.oldest {
                *person = Person { key, ..Person::default() };
            }
            return Some(person);
        }
        if index.len() >= PEOPLE_MAX {
            return None;
        }
        let person = Person { key, ..Person::default() };
        let number = match free.pop() {
            Some(number) => {
                people[number as usize] = person;
                number
            }
            None => {
                if people.len() == people.capacity() {
                    // By an eighth: doubling would take twice the memory of a million.
                    people.reserve_exact((people.len() / 8).max(64));
                }
                people.push(person);
                people.len() as u32 - 1
            }
        };
        index.insert_unique(key, number, |&number| people[number as usize].key);
        people.get_mut(number as usize)
    }

    pub(super) fn forget(&mut self, key: u64) -> bool {
        let People { people, index, free, .. } = self;
        let Ok(entry) = index.find_entry(key, |&number| people[number as usize].key == key) else {
            return false;
        };
        let number = entry.remove().0;
        people[number as usize] = Person::default();
        free.push(number);
        true
    }

    /// The clock was ahead: nobody was anywhere from then on.
    pub(super) fn forget_from(&mut self, end: u32) {
        let slots = self.people.iter_mut().flat_map(|person| &mut person.slots);
        slots.filter(|slot| slot.alive >= end).for_each(|slot| *slot = Slot::default());
    }

    /// Begins to look at everybody: another day.
    pub(super) fn begin_sweep(&mut self, now: u32) {
        self.oldest = now.saturating_sub(KEPT_DAYS * 86_400);
        self.sweep = Some(0);
    }

    /// Drops those who were not seen for long, a few thousand looked at.
    pub(super) fn sweep(&mut self) {
        let Some(begin) = self.sweep else { return };
        let end = self.people.len().min(begin as usize + SWEEP);
        for number in begin as usize..end {
            let person = self.people[number];
            if person.key != 0 && person.last() < self.oldest {
                self.forget(person.key);
            }
        }
        self.sweep = (end < self.people.len()).then_some(end as u32);
    }

    /// Everybody, in the order of keys, to be written.
    pub(super) fn kept(&self) -> (Vec<Person>, Vec<String>) {
        let is_kept = |person: &&Person| person.key != 0 && person.last() >= self.oldest;
        let mut people: Vec<Person> = self.people.iter().filter(is_kept).copied().collect();
        people.sort_unstable();
        (people, self.databases.clone())
    }

    pub(super) fn restored(people: Vec<Person>, databases: Vec<String>, oldest: u32) -> People {
        let mut index = HashTable::with_capacity(people.len());
        for (number, person) in (0u32..).zip(&people) {
            index.insert_unique(person.key, number, |&number| people[number as usize].key);
        }
        People { people, index, databases, oldest, sweep: Some(0), ..People::default() }
    }
}

fn comparable<'a>(spot: &Spot<'a>) -> Option<(f64, f64, &'a str)> {
    let (latitude, longitude) = spot.latitude.zip(spot.longitude)?;
    let database = spot.database.filter(|_| spot.is_comparable())?;
    let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    on_earth.then_some((latitude, longitude, database))
}
