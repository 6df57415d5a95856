//! When somebody or something was seen first and last and in how many connections: users, devices, VPN servers, places,
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
    /// ns since 1970 UTC.
    pub first_unix_ns: u64,
    /// ns since 1970 UTC.
    pub last_unix_ns: u64,
    /// Connections; records for a sensor.
    pub count: u64,
    /// How a user's name was written in the newest connection.
    pub original: Option<Arc<str>>,
}

/// What one change shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) first_unix_ns: u64,
    pub(super) last_unix_ns: u64,
    /// So many more connections; one less where two turned out to be one.
    pub(super) count: i64,
    pub(super) original: Option<&'a str>,
}

/// Most names of one sort that are followed. Twice the million users that a service must carry; beyond, new ones are
/// counted and have no totals.
const NAMES_MAX: usize = 2_000_000;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    sorts: [HashMap<Box<str>, Sighting>; 4],
    surplus: u64,
}

impl Sightings {
    /// Takes one more look. Tells how it stands now; `None` if there is no more room.
    pub(super) fn see(&mut self, sort: Sort, name: &str, look: &Look<'_>) -> Option<&Sighting> {
        let names = &mut self.sorts[sort as usize - 1];
        if !names.contains_key(name) {
            if names.len() >= NAMES_MAX {
                self.surplus += 1;
                return None;
            }
            let first_unix_ns = look.first_unix_ns;
            let new = Sighting { first_unix_ns, last_unix_ns: look.last_unix_ns, count: 0, original: None };
            names.insert(name.into(), new);
        }
        let known = names.get_mut(name)?;
        known.first_unix_ns = known.first_unix_ns.min(look.first_unix_ns);
        known.last_unix_ns = known.last_unix_ns.max(look.last_unix_ns);
        known.count = known.count.saturating_add_signed(look.count);
        if let Some(original) = look.original.filter(|text| known.original.as_deref() != Some(text)) {
            known.original = Some(original.into());
        }
        Some(known)
    }

    /// Those not seen since are forgotten.
    pub(super) fn forget_before(&mut self, unix_ns: u64) {
        for names in &mut self.sorts {
            names.retain(|_, sighting| sighting.last_unix_ns >= unix_ns);
        }
    }

    pub(super) fn count(&self, sort: Sort) -> usize {
        self.sorts[sort as usize - 1].len()
    }

    pub(super) fn surplus(&self) -> u64 {
        self.surplus
    }

    pub(super) fn kept(&self) -> (Vec<(u8, &str, Sighting)>, u64) {
        let mut kept: Vec<(u8, &str, Sighting)> = Vec::new();
        for (at, names) in (0..).zip(&self.sorts) {
            kept.extend(names.iter().map(|(name, sighting)| (at, &**name, sighting.clone())));
        }
        kept.sort_unstable_by_key(|(at, name, _)| (*at, *name));
        (kept, self.surplus)
    }

    pub(super) fn restored(kept: Vec<(u8, &str, Sighting)>, surplus: u64) -> Sightings {
        let mut sightings = Sightings { surplus, ..Sightings::default() };
        for (at, name, sighting) in kept {
            if let Some(names) = sightings.sorts.get_mut(usize::from(at)) {
                names.insert(name.into(), sighting);
            }
        }
        sightings
    }
}
