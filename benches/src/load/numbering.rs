//! Which source, Identifier and contents request number n has: no two requests of a run are the same request.
//!
//! A server knows a repetition by addresses, ports, Code, Identifier and Authenticator. Requests are signed beforehand,
//! one Identifier and Authenticator each, and sent from many source ports: each pair of a port and a signed request is
//! a request of its own, and nothing has to be signed while the load runs.

/// Identifiers of one source port (RFC 2866 section 3).
pub(super) const IDENTIFIERS: u32 = 256;

/// How requests are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Pairs of source address and port.
    pub flows: u32,
    /// Signed requests of each Identifier.
    pub variants: u32,
}

/// Where request number n belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source, from 0.
    pub flow: u32,
    /// The Identifier.
    pub identifier: u8,
    /// Which signed request, as [`super::Requests`] counts them.
    pub request: u32,
}

impl Numbering {
    /// Of the least variants that `count` requests need.
    pub fn for_count(flows: u32, count: u64) -> Numbering {
        let in_a_round = u64::from(flows) * u64::from(IDENTIFIERS);
        let variants = count.div_ceil(in_a_round.max(1)).clamp(1, u64::from(u32::MAX / IDENTIFIERS));
        Numbering { flows, variants: variants as u32 }
    }

    /// Requests until one comes again.
    pub fn capacity(self) -> u64 {
        u64::from(self.slots()) * u64::from(self.variants)
    }

    /// Pairs of source and Identifier: so many can wait for their answers at once.
    pub fn slots(self) -> u32 {
        self.flows * IDENTIFIERS
    }

    /// The place of request `number`. Identifiers change fastest: the 256 requests of a source leave together, as a
    /// socket that sends batches wants it, and a source is used again only after all others.
    pub fn place(self, number: u64) -> Place {
        let identifier = (number % u64::from(IDENTIFIERS)) as u8;
        let flow = (number / u64::from(IDENTIFIERS) % u64::from(self.flows)) as u32;
        let variant = (number / u64::from(self.slots()) % u64::from(self.variants)) as u32;
        Place { flow, identifier, request: variant * IDENTIFIERS + u32::from(identifier) }
    }

    /// The slot of a source and an Identifier.
    pub(super) fn slot(flow: u32, identifier: u8) -> usize {
        (flow * IDENTIFIERS + u32::from(identifier)) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_request_comes_twice_before_all_came_once() {
        let numbering = Numbering { flows: 3, variants: 5 };
        let all: HashSet<(u32, u8, u32)> = (0..numbering.capacity())
            .map(|number| numbering.place(number))
            .map(|place| (place.flow, place.identifier, place.request))
            .collect();
        assert_eq!(all.len(), 3 * 5 * 256);
        assert_eq!(numbering.place(0), numbering.place(numbering.capacity()));
    }

    #[test]
    fn a_slot_is_used_again_only_after_all_others() {
        let numbering = Numbering { flows: 4, variants: 9 };
        let slots: HashSet<usize> = (700..700 + u64::from(numbering.slots()))
            .map(|number| numbering.place(number))
            .map(|place| Numbering::slot(place.flow, place.identifier))
            .collect();
        assert_eq!(slots.len(), 4 * 256);
    }

    #[test]
    fn a_request_has_its_own_identifier() {
        let numbering = Numbering { flows: 2, variants: 3 };
        for number in 0..numbering.capacity() {
            let place = numbering.place(number);
            assert_eq!(place.request % IDENTIFIERS, u32::from(place.identifier));
            assert!(place.request < 3 * IDENTIFIERS && place.flow < 2);
        }
    }

    #[test]
    fn there_are_as_many_variants_as_the_count_needs() {
        assert_eq!(Numbering::for_count(10, 2560).variants, 1);
        assert_eq!(Numbering::for_count(10, 2561).variants, 2);
        assert_eq!(Numbering::for_count(10, 0).variants, 1);
        assert!(Numbering::for_count(64, 1_000_000).capacity() >= 1_000_000);
    }
}
