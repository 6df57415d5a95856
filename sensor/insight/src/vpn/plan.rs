//! A vendor's table with a client's changes, made ready: which attributes matter, in which order. Made once when the
//! configuration is read, used for every record.

use radius::attribute::{Decoded, Id};

use super::{
    source::{Field, Mapping, SOURCES_MAX, Source},
    vendors::Vendor,
};

/// Most sources of one plan.
const PLAN_SOURCES_MAX: usize = Field::ALL.len() * SOURCES_MAX;
/// No attribute found.
const NONE: u8 = u8::MAX;

/// The sources of all fields in the order of the fields, the most trusted of each first.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    sources: Vec<Source>,
    /// Where the sources of each field end in `sources`.
    ends: [u8; Field::ALL.len()],
    /// A bit for each standard type that a source names: most attributes are passed over by one look.
    standard: [u64; 4],
}

impl Plan {
    pub(super) fn new(vendor: Vendor, mapping: &Mapping) -> Plan {
        let mut plan = Plan { sources: Vec::new(), ends: [0; Field::ALL.len()], standard: [0; 4] };
        for (field, end) in Field::ALL.into_iter().zip(0..) {
            plan.sources.extend_from_slice(mapping.get(field).unwrap_or_else(|| vendor.sources(field)));
            // Bounded by PLAN_SOURCES_MAX, which is below 255.
            plan.ends[end] = plan.sources.len() as u8;
        }
        for source in &plan.sources {
            if let Id::Standard(kind) = source.attribute {
                plan.standard[usize::from(kind >> 6)] |= 1 << (kind & 63);
            }
        }
        plan
    }

    fn reads(&self, id: Id) -> bool {
        match id {
            Id::Standard(kind) => self.standard[usize::from(kind >> 6)] >> (kind & 63) & 1 == 1,
            Id::Vendor { .. } | Id::Extended { .. } => true,
            Id::OpaqueVendor { .. } | Id::ExtendedVendor { .. } => false,
        }
    }

    fn range(&self, field: Field) -> std::ops::Range<usize> {
        let at = field as usize;
        let start = at.checked_sub(1).map_or(0, |before| usize::from(self.ends[before]));
        start..usize::from(self.ends[at])
    }
}

/// The attributes of one request that a plan reads.
pub(super) struct Found<'p, 'a> {
    plan: &'p Plan,
    values: Vec<Decoded<'a>>,
    /// For each source the place of its first attribute in `values`.
    places: [u8; PLAN_SOURCES_MAX],
}

impl<'p, 'a> Found<'p, 'a> {
    pub(super) fn new(plan: &'p Plan) -> Found<'p, 'a> {
        // As many as a usual request has; at most one for each source.
        Found { plan, values: Vec::with_capacity(12), places: [NONE; PLAN_SOURCES_MAX] }
    }

    /// Keeps the attribute for each source that reads it and has none yet (R40).
    pub(super) fn see(&mut self, decoded: &Decoded<'a>) {
        if !self.plan.reads(decoded.id) {
            return;
        }
        let Some(octets) = decoded.octets() else { return };
        let mut place = NONE;
        for (source, slot) in self.plan.sources.iter().zip(&mut self.places) {
            if source.attribute == decoded.id && *slot == NONE && source.take(octets).is_some() {
                if place == NONE {
                    // Below the number of sources.
                    place = self.values.len() as u8;
                    self.values.push(*decoded);
                }
                *slot = place;
            }
        }
    }

    /// What was found for a field, the most trusted first.
    pub(super) fn of(&self, field: Field) -> impl Iterator<Item = (&'p Source, Decoded<'a>)> {
        self.plan.range(field).filter_map(|at| {
            let decoded = self.values.get(usize::from(self.places[at]))?;
            Some((&self.plan.sources[at], *decoded))
        })
    }

    /// The sources of a field, found or not.
    pub(super) fn sources(&self, field: Field) -> &'p [Source] {
        &self.plan.sources[self.plan.range(field)]
    }
}
