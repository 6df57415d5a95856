//! When somebody or something was seen first and last and in how many connections: users, devices, VPN servers,
//! sensors. Totals that no sum over the stored sessions gives once retention has taken the old ones.
//!
//! There are two million of them. What each event changes lies in half a line of the cache; the names lie apart and are
//! found by tables of nothing but numbers.

use std::{hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};

/// What is seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Sort {
    /// By the user's key.
    #[default]
    User = 1,
    /// By the device's name.
    Device = 2,
    /// By the client's name, NAS-Identifier and NAS address.
    Server = 3,
    /// By the sensor's name.
    Sensor = 4,
}

/// When and how often.
#[derive(Debug, Clone)]
pub struct Sighting {
    text: Arc<str>,
    place: Place,
}

impl Sighting {
    /// What is seen.
    pub fn sort(&self) -> Sort {
        self.place.sort
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.place.name(&self.text)
    }

    /// ns since 1970 UTC.
    pub fn first_unix_ns(&self) -> u64 {
        self.place.first_unix_ns
    }

    /// ns since 1970 UTC.
    pub fn last_unix_ns(&self) -> u64 {
        self.place.last_unix_ns
    }

    /// Connections; records for a sensor.
    pub fn count(&self) -> u64 {
        self.place.count
    }

    /// How a user's name was written in the newest connection.
    pub fn original(&self) -> Option<&str> {
        self.place.original(&self.text)
    }
}

/// A sighting as [`Sightings`] numbers them; [`NOBODY`] where there is no name or no room.
pub(super) type Number = u32;
pub(super) const NOBODY: Number = Number::MAX;

/// Most names of one sort that are followed. Twice the million users that a service must carry; beyond, new ones are
/// counted and have no totals.
const NAMES_MAX: usize = 2_000_000;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// Numbers by name, one table for each sort.
    sorts: [HashTable<Number>; 4],
    /// Seeded at random: nobody can choose names that collide. Nothing visible depends on it.
    hasher: RandomState,
    places: Vec<Place>,
    /// The name of each, and behind it how it was written, if otherwise.
    texts: Vec<Arc<str>>,
    free: Vec<Number>,
    /// Those that changed since they were last taken out.
    changed: Vec<Number>,
    surplus: u64,
}

/// How a name was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Original {
    /// Nobody said.
    #[default]
    Unknown,
    /// As the name, for which no second text is kept: most.
    Same,
    /// As the text goes on behind the name.
    Behind,
}

/// Where one stands, and whether it is among those that changed: what is asked of each event.
#[derive(Debug, Clone, Default)]
#[repr(align(32))]
struct Place {
    first_unix_ns: u64,
    last_unix_ns: u64,
    count: u64,
    /// Octets of the text.
    name_length: u32,
    sort: Sort,
    original: Original,
    is_changed: bool,
    /// Somebody is here.
    is_used: bool,
}

const _: () = assert!(size_of::<Place>() == 32);

impl Place {
    fn name<'t>(&self, text: &'t str) -> &'t str {
        &text[..self.name_length as usize]
    }

    fn original<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.original {
            Original::Unknown => None,
            Original::Same => Some(self.name(text)),
            Original::Behind => Some(&text[self.name_length as usize..]),
        }
    }

    /// The text that says both, and how.
    fn text(name: &str, original: Option<&str>) -> (Arc<str>, Original) {
        match original {
            None => (name.into(), Original::Unknown),
            Some(original) if original == name => (name.into(), Original::Same),
            Some(original) => ([name, original].concat().into(), Original::Behind),
        }
    }
}

impl Sightings {
    /// The number of a name; seen now if it is new.
    pub(super) fn number(&mut self, sort: Sort, name: &str, unix_ns: u64) -> Number {
        if let Some(number) = self.find(sort, name) {
            return number;
        }
        if self.count(sort) >= NAMES_MAX {
            self.surplus += 1;
            return NOBODY;
        }
        let kept = Kept { sort, name, first: unix_ns, last: unix_ns, count: 0, original: None };
        self.put(&kept)
    }

    /// Has what is kept of one brought near.
    pub(super) fn bring_near(&self, number: Number) -> bool {
        self.places.get(number as usize).is_some_and(|place| place.is_changed)
    }

    /// Its number, if it was seen.
    pub(super) fn find(&self, sort: Sort, name: &str) -> Option<Number> {
        let is_it = |number: &Number| self.name(*number) == name;
        self.sorts[sort as usize - 1].find(self.hasher.hash_one(name), is_it).copied()
    }

    fn name(&self, number: Number) -> &str {
        let at = number as usize;
        self.places[at].name(&self.texts[at])
    }

    /// Puts one in whose name is not there.
    fn put(&mut self, kept: &Kept<'_>) -> Number {
        let (text, original) = Place::text(kept.name, kept.original);
        let new = Place {
            first_unix_ns: kept.first,
            last_unix_ns: kept.last,
            count: kept.count,
            // A name comes from one request or one configuration.
            name_length: kept.name.len() as u32,
            sort: kept.sort,
            original,
            is_changed: false,
            is_used: true,
        };
        let number = match self.free.pop() {
            Some(number) => {
                let place = &mut self.places[number as usize];
                // Whoever was here before may still be among those that changed.
                *place = Place { is_changed: place.is_changed, ..new };
                self.texts[number as usize] = text;
                number
            }
            None => {
                // Bounded by four times `NAMES_MAX`.
                self.places.push(new);
                self.texts.push(text);
                (self.places.len() - 1) as Number
            }
        };
        let Sightings { sorts, hasher, places, texts, .. } = self;
        let hash = |number: &Number| {
            let at = *number as usize;
            hasher.hash_one(places[at].name(&texts[at]))
        };
        sorts[kept.sort as usize - 1].insert_unique(hash(&number), number, hash);
        number
    }

    /// Takes one more look: seen from `first` to `last`, in `count` more connections.
    pub(super) fn see(&mut self, number: Number, first: u64, last: u64, count: i64) {
        let Some(place) = self.places.get_mut(number as usize).filter(|place| place.is_used) else { return };
        place.first_unix_ns = place.first_unix_ns.min(first);
        place.last_unix_ns = place.last_unix_ns.max(last);
        place.count = place.count.saturating_add_signed(count);
        if !std::mem::replace(&mut place.is_changed, true) {
            self.changed.push(number);
        }
    }

    /// How the name was written.
    pub(super) fn write(&mut self, number: Number, original: &str) {
        let Some(place) = self.places.get_mut(number as usize).filter(|place| place.is_used) else { return };
        let text = &mut self.texts[number as usize];
        if place.original(text) != Some(original) {
            if place.original == Original::Unknown && place.name(text) == original {
                place.original = Original::Same;
            } else {
                (*text, place.original) = Place::text(place.name(text), Some(original));
            }
            if !std::mem::replace(&mut place.is_changed, true) {
                self.changed.push(number);
            }
        }
    }

    /// How many changed since they were last taken out.
    pub(super) fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Those that changed, as they are now.
    pub(super) fn take_changed(&mut self, into: &mut Vec<Sighting>) {
        for number in self.changed.drain(..) {
            let place = &mut self.places[number as usize];
            place.is_changed = false;
            if place.is_used {
                into.push(Sighting { text: Arc::clone(&self.texts[number as usize]), place: place.clone() });
            }
        }
    }

    /// Those not seen since are forgotten. Their numbers mean nothing from here on.
    pub(super) fn forget_before(&mut self, unix_ns: u64) {
        for at in 0..self.places.len() {
            if self.places[at].is_used && self.places[at].last_unix_ns < unix_ns {
                self.remove(at as Number);
            }
        }
    }

    /// One is forgotten. Its number means nothing from here on.
    pub(super) fn forget(&mut self, sort: Sort, name: &str) {
        if let Some(number) = self.find(sort, name) {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: Number) {
        let hash = self.hasher.hash_one(self.name(number));
        let place = &mut self.places[number as usize];
        place.is_used = false;
        let names = &mut self.sorts[place.sort as usize - 1];
        if let Ok(entry) = names.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
        place.name_length = 0;
        place.original = Original::Unknown;
        self.texts[number as usize] = Arc::default();
        self.free.push(number);
    }

    pub(super) fn count(&self, sort: Sort) -> usize {
        self.sorts[sort as usize - 1].len()
    }

    pub(super) fn surplus(&self) -> u64 {
        self.surplus
    }

    /// Names of one sort, in no order, and when each was seen last, ns.
    pub(super) fn seen_last(&self, sort: Sort) -> impl Iterator<Item = (&str, u64)> {
        let numbers = self.sorts[sort as usize - 1].iter();
        numbers.map(|number| (self.name(*number), self.places[*number as usize].last_unix_ns))
    }

    /// All, in the order of sorts and names.
    pub(super) fn iter(&self) -> impl Iterator<Item = Sighting> {
        self.order().into_iter().map(|number| {
            let at = number as usize;
            Sighting { text: Arc::clone(&self.texts[at]), place: self.places[at].clone() }
        })
    }

    fn order(&self) -> Vec<Number> {
        let is_used = |number: &Number| self.places[*number as usize].is_used;
        let mut order: Vec<Number> = (0..self.places.len() as Number).filter(is_used).collect();
        order.sort_unstable_by_key(|number| (self.places[*number as usize].sort, self.name(*number)));
        order
    }

    pub(super) fn restored(kept: &[Kept<'_>], surplus: u64) -> Sightings {
        let mut sightings = Sightings { surplus, ..Sightings::default() };
        sightings.places.reserve_exact(kept.len());
        sightings.texts.reserve_exact(kept.len());
        for one in kept {
            // Damage aside each is there once.
            if sightings.find(one.sort, one.name).is_none() {
                sightings.put(one);
            }
        }
        sightings
    }
}

/// One as it is kept in a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept<'a> {
    sort: Sort,
    name: &'a str,
    first: u64,
    last: u64,
    count: u64,
    original: Option<&'a str>,
}

/// All as they are kept, in the order of sorts and names: one after the other, since a second million of them is a
/// hundred megabytes.
impl Serialize for Sightings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order = self.order();
        let mut kept = serializer.serialize_seq(Some(order.len()))?;
        for number in order {
            let (place, text) = (&self.places[number as usize], &self.texts[number as usize]);
            kept.serialize_element(&Kept {
                sort: place.sort,
                name: place.name(text),
                first: place.first_unix_ns,
                last: place.last_unix_ns,
                count: place.count,
                original: place.original(text),
            })?;
        }
        kept.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sightings: &Sightings) -> Vec<(Sort, String, Option<String>, u64)> {
        let told =
            |seen: Sighting| (seen.sort(), seen.name().into(), seen.original().map(Into::into), seen.count());
        sightings.iter().map(told).collect()
    }

    fn alice(original: Option<&str>) -> Vec<(Sort, String, Option<String>, u64)> {
        vec![(Sort::User, "alice".into(), original.map(Into::into), 1)]
    }

    #[test]
    fn a_name_is_written_as_it_was_last() {
        let mut sightings = Sightings::default();
        let number = sightings.number(Sort::User, "alice", 5);
        sightings.see(number, 5, 6, 1);
        assert_eq!(told(&sightings), alice(None));
        for original in ["alice", "ALICE", "corp\\Alice", "alice"] {
            sightings.take_changed(&mut Vec::new());
            sightings.write(number, original);
            assert_eq!((told(&sightings), sightings.changed()), (alice(Some(original)), 1));
            sightings.write(number, original);
            assert_eq!(sightings.changed(), 1);
            let octets = postcard::to_stdvec(&sightings).unwrap();
            let kept: Vec<Kept<'_>> = postcard::from_bytes(&octets).unwrap();
            assert_eq!(told(&Sightings::restored(&kept, 0)), told(&sightings));
        }
    }

    #[test]
    fn a_place_that_is_used_again_says_nothing_of_whom_it_was() {
        let mut sightings = Sightings::default();
        let device = sightings.number(Sort::Device, "laptop", 5);
        let number = sightings.number(Sort::User, "alice", 5);
        sightings.write(number, "ALICE");
        sightings.forget(Sort::User, "alice");
        sightings.see(number, 5, 6, 1);
        assert_eq!((sightings.count(Sort::User), sightings.count(Sort::Device)), (0, 1));
        let mut changed = Vec::new();
        sightings.take_changed(&mut changed);
        sightings.see(number, 5, 6, 1);
        assert_eq!((changed.len(), sightings.changed()), (0, 0));
        assert_eq!(sightings.number(Sort::Device, "alice", 7), number);
        assert_eq!(sightings.number(Sort::Device, "laptop", 7), device);
        sightings.see(number, 7, 8, 0);
        sightings.take_changed(&mut changed);
        assert_eq!(
            changed.iter().map(|seen| (seen.name(), seen.original())).collect::<Vec<_>>(),
            [("alice", None)]
        );
        sightings.forget_before(6);
        let left = ("alice".to_owned(), None, 0);
        assert_eq!(told(&sightings), [(Sort::Device, left.0, left.1, left.2)]);
    }
}
