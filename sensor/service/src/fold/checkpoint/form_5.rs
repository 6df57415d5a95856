//! Version 5 of the form, in which the meaning stood as plain fields: without the two keys of the learning rule, which came
//! later. The copy of the store that a rebuild begins with may hold one for years, and there is no other way to what it holds.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ClientMeaning;

/// Its number.
pub(super) const VERSION: u16 = 5;

/// What the keys have by default, as they are written: 30 days, 5 connections.
const LEARNING: [u8; 2] = [30, 5];

/// All that stands before them: of the meaning, and of its thresholds up to `change_km_min`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read for its length")]
struct Before {
    accept_past_s: u64,
    realms: Vec<Vec<String>>,
    clients: BTreeMap<String, ClientMeaning>,
    missed_interims: u32,
    unknown_after_s: u64,
    keep_s: u64,
    scores: [f64; 4],
    travel: [f64; 2],
    clocks_s: [u32; 2],
    simultaneous_km_min: f64,
    alive_s: u32,
    change_km_min: f64,
}

/// The octets behind the version with the keys in their place.
///
/// # Errors
/// Octets that are none of this form.
pub(super) fn with_learning(octets: &[u8]) -> Result<Vec<u8>, postcard::Error> {
    let (_, behind) = postcard::take_from_bytes::<Before>(octets)?;
    let before = &octets[..octets.len() - behind.len()];
    Ok([before, &LEARNING, behind].concat())
}
