//! A vendor's table with a client's changes, made ready: which attributes matter, in which order. Made once when the
//! configuration is read, used for every record.

use arrayvec::ArrayVec;
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
    /// Each attribute that a source names, once.
    attributes: Vec<Reading>,
    /// For each standard type its place in `attributes`: most attributes are passed over by one look.
    standard: Box<[u8; 256]>,
    /// The same for vendors' types, of which a plan reads a few.
    vendors: Vec<((u32, u8), u8)>,
}

/// One attribute and the sources that are read from it.
#[derive(Debug, Clone)]
struct Reading {
    attribute: Id,
    sources: Vec<u8>,
    /// One of them is of [`Field::Assigned`], of which all count and not the first alone.
    is_assigned: bool,
}

impl Plan {
    pub(super) fn new(vendor: Vendor, mapping: &Mapping) -> Plan {
        let mut plan = Plan {
            sources: Vec::new(),
            ends: [0; Field::ALL.len()],
            attributes: Vec::new(),
            standard: Box::new([NONE; 256]),
            vendors: Vec::new(),
        };
        for (field, end) in Field::ALL.into_iter().zip(0..) {
            for source in mapping.get(field).unwrap_or_else(|| vendor.sources(field)) {
                plan.add(field, source);
            }
            // Bounded by PLAN_SOURCES_MAX, which is below 255; so are all places.
            plan.ends[end] = plan.sources.len() as u8;
        }
        plan
    }

    fn add(&mut self, field: Field, source: &Source) {
        let attribute = source.attribute;
        let known = self.attributes.iter().position(|reading| reading.attribute == attribute);
        let place = known.unwrap_or_else(|| {
            self.attributes.push(Reading { attribute, sources: Vec::new(), is_assigned: false });
            self.attributes.len() - 1
        });
        match attribute {
            Id::Standard(kind) => self.standard[usize::from(kind)] = place as u8,
            Id::Vendor { vendor, kind } if known.is_none() => {
                self.vendors.push(((vendor, kind), place as u8))
            }
            _ => {}
        }
        let reading = &mut self.attributes[place];
        reading.sources.push(self.sources.len() as u8);
        reading.is_assigned |= field == Field::Assigned;
        self.sources.push(source.clone());
    }

    fn reading(&self, id: Id) -> Option<&Reading> {
        let place = match id {
            Id::Standard(kind) => self.standard[usize::from(kind)],
            Id::Vendor { vendor, kind } => {
                self.vendors.iter().find(|(of, _)| *of == (vendor, kind)).map(|(_, place)| *place)?
            }
            Id::Extended { .. } => return self.attributes.iter().find(|reading| reading.attribute == id),
            Id::OpaqueVendor { .. } | Id::ExtendedVendor { .. } => return None,
        };
        self.attributes.get(usize::from(place))
    }

    /// Whether a standard attribute is read for any field.
    pub(super) fn reads(&self, kind: u8) -> bool {
        self.standard[usize::from(kind)] != NONE
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
    /// At most one for each source. Large, but nothing of it is written in vain.
    values: ArrayVec<Decoded<'a>, PLAN_SOURCES_MAX>,
    /// For each source the place of its first attribute in `values`.
    places: [u8; PLAN_SOURCES_MAX],
}

impl<'p, 'a> Found<'p, 'a> {
    pub(super) fn new(plan: &'p Plan) -> Found<'p, 'a> {
        Found { plan, values: ArrayVec::new(), places: [NONE; PLAN_SOURCES_MAX] }
    }

    /// Keeps the attribute for each source that reads it and has none yet (R40). Returns whether it may hold an address
    /// inside the tunnel. Inlined like the walk that calls it.
    #[inline(always)]
    pub(super) fn see(&mut self, decoded: &Decoded<'a>) -> bool {
        let Some(reading) = self.plan.reading(decoded.id) else { return false };
        let Some(octets) = decoded.octets() else { return false };
        let mut place = NONE;
        for at in reading.sources.iter().map(|at| usize::from(*at)) {
            if self.places[at] == NONE && self.plan.sources[at].take(octets).is_some() {
                if place == NONE {
                    // Below the number of sources.
                    place = self.values.len() as u8;
                    self.values.push(*decoded);
                }
                self.places[at] = place;
            }
        }
        reading.is_assigned
    }

    /// What was found for a field, the most trusted first.
    pub(super) fn of(&self, field: Field) -> impl Iterator<Item = (&'p Source, &Decoded<'a>)> {
        self.plan.range(field).filter_map(|at| {
            let decoded = self.values.get(usize::from(self.places[at]))?;
            Some((&self.plan.sources[at], decoded))
        })
    }
}
