//! When somebody or something was seen first and last and in how many connections: users, devices, VPN servers,
//! sensors. Totals that no sum over the stored sessions gives once retention has taken the old ones.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

/// What is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Sort {
    /// By the user's key.
    User = 1,
    /// By the device's name.
    Device = 2,
    /// By the client's name, NAS-Identifier and NAS address.
    Server = 3,
    /// By the sensor's name.
    Sensor = 4,
}

/// When and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What is seen.
    pub sort: Sort,
    /// Its name.
    pub name: Arc<str>,
    /// ns since 1970 UTC.
    pub first_unix_ns: u64,
    /// ns since 1970 UTC.
    pub last_unix_ns: u64,
    /// Connections; records for a sensor.
    pub count: u64,
    /// How a user's name was written in the newest connection.
    pub original: Option<Arc<str>>,
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
    sorts: [HashMap<Arc<str>, Number>; 4],
    places: Vec<Place>,
    free: Vec<Number>,
    /// Those that changed since they were last taken out.
    changed: Vec<Number>,
    surplus: u64,
}

/// Where one stands, and whether it is among those that changed: both are asked of each event, so they lie together.
#[derive(Debug, Default)]
struct Place {
    sighting: Option<Sighting>,
    is_changed: bool,
}

impl Sightings {
    /// The number of a name; seen now if it is new.
    pub(super) fn number(&mut self, sort: Sort, name: &str, unix_ns: u64) -> Number {
        let names = &mut self.sorts[sort as usize - 1];
        if let Some(number) = names.get(name) {
            return *number;
        }
        if names.len() >= NAMES_MAX {
            self.surplus += 1;
            return NOBODY;
        }
        let name: Arc<str> = name.into();
        let (first_unix_ns, last_unix_ns) = (unix_ns, unix_ns);
        let new =
            Sighting { sort, name: Arc::clone(&name), first_unix_ns, last_unix_ns, count: 0, original: None };
        let number = self.put(new);
        self.sorts[sort as usize - 1].insert(name, number);
        number
    }

    fn put(&mut self, sighting: Sighting) -> Number {
        match self.free.pop() {
            Some(number) => {
                self.places[number as usize].sighting = Some(sighting);
                number
            }
            None => {
                // Bounded by four times `NAMES_MAX`.
                self.places.push(Place { sighting: Some(sighting), is_changed: false });
                (self.places.len() - 1) as Number
            }
        }
    }

    /// Takes one more look: seen from `first` to `last`, in `count` more connections.
    pub(super) fn see(&mut self, number: Number, first: u64, last: u64, count: i64) {
        let Some(place) = self.places.get_mut(number as usize) else { return };
        let Some(sighting) = &mut place.sighting else { return };
        sighting.first_unix_ns = sighting.first_unix_ns.min(first);
        sighting.last_unix_ns = sighting.last_unix_ns.max(last);
        sighting.count = sighting.count.saturating_add_signed(count);
        if !std::mem::replace(&mut place.is_changed, true) {
            self.changed.push(number);
        }
    }

    /// How the name was written.
    pub(super) fn write(&mut self, number: Number, original: &str) {
        let Some(place) = self.places.get_mut(number as usize) else { return };
        let Some(sighting) = &mut place.sighting else { return };
        if sighting.original.as_deref() != Some(original) {
            sighting.original = Some(original.into());
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
            into.extend(place.sighting.clone());
        }
    }

    /// Those not seen since are forgotten. Their numbers mean nothing from here on.
    pub(super) fn forget_before(&mut self, unix_ns: u64) {
        for (number, place) in (0..).zip(&mut self.places) {
            if let Some(old) = place.sighting.take_if(|sighting| sighting.last_unix_ns < unix_ns) {
                self.sorts[old.sort as usize - 1].remove(&old.name);
                self.free.push(number);
            }
        }
    }

    /// One is forgotten. Its number means nothing from here on.
    pub(super) fn forget(&mut self, sort: Sort, name: &str) {
        let Some(number) = self.sorts[sort as usize - 1].remove(name) else { return };
        self.places[number as usize].sighting = None;
        self.free.push(number);
    }

    pub(super) fn count(&self, sort: Sort) -> usize {
        self.sorts[sort as usize - 1].len()
    }

    pub(super) fn surplus(&self) -> u64 {
        self.surplus
    }

    /// In a form that can be kept, in the order of their names.
    pub(super) fn kept(&self) -> (Vec<&Sighting>, u64) {
        let mut kept: Vec<&Sighting> =
            self.places.iter().filter_map(|place| place.sighting.as_ref()).collect();
        kept.sort_unstable_by_key(|sighting| (sighting.sort, &sighting.name));
        (kept, self.surplus)
    }

    pub(super) fn restored(kept: Vec<Sighting>, surplus: u64) -> Sightings {
        let mut sightings = Sightings { surplus, ..Sightings::default() };
        for sighting in kept {
            let (sort, name) = (sighting.sort, Arc::clone(&sighting.name));
            let number = sightings.put(sighting);
            sightings.sorts[sort as usize - 1].insert(name, number);
        }
        sightings
    }
}
