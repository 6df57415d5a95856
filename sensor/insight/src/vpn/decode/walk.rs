//! The walk over a request's attributes: what stands in the same attribute everywhere goes into the event at once, what
//! vendors put in different places is kept for [`read`](super::read), what tells the kind becomes facts.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr},
};

use radius::{
    accounting,
    attribute::{Decoded, Fault, Id, kind},
    dictionary,
};

use super::{
    super::{
        address::{Station, hardware_within},
        event::{Assigned, Counters, Event, Flaw},
        kind::{ADMINISTRATOR_ROLES, Facts},
        plan::Found,
    },
    read::shown,
};

/// One walk over the attributes.
pub(super) struct Walk<'w, 'p, 'a> {
    pub(super) event: &'w mut Event<'a>,
    pub(super) facts: Facts<'a>,
    pub(super) found: &'w mut Found<'p, 'a>,
    /// Input and output octets, input and output gigawords.
    pub(super) octets: [Option<u32>; 4],
}

impl<'a> Walk<'_, '_, 'a> {
    /// Inlined into the one loop there is: what is known of an attribute stays in registers.
    #[inline(always)]
    pub(super) fn see(&mut self, decoded: &Decoded<'a>) {
        match decoded.fault() {
            None => {}
            // Nothing said, nothing lost (R13).
            Some(Fault::Empty) => return,
            Some(fault) => {
                self.event.defects.add(decoded.id, Flaw::Invalid(fault));
                return;
            }
        }
        if self.found.see(decoded) {
            self.see_assigned(decoded);
        }
        match decoded.id {
            Id::Standard(kind) => self.see_standard(kind, decoded),
            Id::Vendor { vendor, kind } => self.see_vendor(vendor, kind, decoded),
            // Of a vendor whose attributes are laid out as usual it should have been sub-attributes.
            Id::OpaqueVendor { vendor } if has_attributes(vendor) => {
                self.event.defects.add(decoded.id, Flaw::Invalid(Fault::Length));
            }
            _ => {}
        }
    }

    fn see_standard(&mut self, kind: u8, decoded: &Decoded<'a>) {
        let event = &mut *self.event;
        // All integers of the standard attributes below are 32 bits.
        let integer = |slot: &mut Option<u32>| {
            if slot.is_none() {
                *slot = decoded.integer().and_then(|integer| u32::try_from(integer).ok());
            }
        };
        let defects = &mut event.defects;
        let mut words = |slot: &mut Option<Cow<'a, str>>| {
            if slot.is_none() {
                *slot = shown(decoded.id, decoded.octets().unwrap_or_default(), defects);
            }
        };
        match kind {
            kind::NAS_IP_ADDRESS | kind::NAS_IPV6_ADDRESS => {
                let address = decoded.address().filter(|address| !address.is_unspecified());
                event.server.address = match event.server.address {
                    // IPv4 counts, wherever it stands.
                    Some(IpAddr::V6(_)) if kind == kind::NAS_IP_ADDRESS => address.or(event.server.address),
                    given => given.or(address),
                };
            }
            kind::NAS_IDENTIFIER => words(&mut event.server.identifier),
            kind::NAS_PORT => integer(&mut event.port),
            kind::NAS_PORT_ID => words(&mut event.port_id),
            kind::NAS_PORT_TYPE => {
                integer(&mut event.port_type);
                self.facts.port_type = event.port_type;
            }
            kind::SERVICE_TYPE => {
                integer(&mut event.service_type);
                self.facts.service_type = event.service_type;
            }
            kind::LOGIN_IP_HOST | kind::LOGIN_SERVICE | kind::LOGIN_TCP_PORT => self.facts.logs_in = true,
            kind::CLASS => event.class = event.class.or(decoded.octets()),
            kind::CALLED_STATION_ID => {
                words(&mut event.called_station);
                self.facts.called_is_hardware |= hardware(decoded).is_some();
            }
            kind::CALLING_STATION_ID => {
                words(&mut event.calling_station);
                self.facts.calling = self.facts.calling.or(hardware(decoded));
            }
            kind::ACCT_STATUS_TYPE => integer(&mut self.facts.status),
            kind::ACCT_DELAY_TIME => integer(&mut event.time.delay),
            kind::EVENT_TIMESTAMP => integer(&mut event.time.timestamp),
            kind::ACCT_INPUT_OCTETS => integer(&mut self.octets[0]),
            kind::ACCT_OUTPUT_OCTETS => integer(&mut self.octets[1]),
            kind::ACCT_INPUT_GIGAWORDS => integer(&mut self.octets[2]),
            kind::ACCT_OUTPUT_GIGAWORDS => integer(&mut self.octets[3]),
            kind::ACCT_INPUT_PACKETS => integer(&mut event.counters.input_packets),
            kind::ACCT_OUTPUT_PACKETS => integer(&mut event.counters.output_packets),
            kind::ACCT_SESSION_TIME => integer(&mut event.counters.session_seconds),
            kind::ACCT_SESSION_ID => words(&mut event.session_id),
            kind::ACCT_MULTI_SESSION_ID => words(&mut event.multi_session_id),
            kind::ACCT_AUTHENTIC => integer(&mut event.authentic),
            kind::ACCT_TERMINATE_CAUSE => integer(&mut event.terminate_cause),
            kind::TUNNEL_TYPE => {
                integer(&mut event.tunnel_type);
                self.facts.tunnel_type = event.tunnel_type;
            }
            kind::CONNECT_INFO => {
                words(&mut event.connect_info);
                self.facts.connect_info = self.facts.connect_info.or(decoded.octets());
            }
            _ => {}
        }
    }

    fn see_vendor(&mut self, vendor: u32, kind: u8, decoded: &Decoded<'a>) {
        let facts = &mut self.facts;
        let integer = decoded.integer().and_then(|integer| u32::try_from(integer).ok());
        match (vendor, kind) {
            (9, 1) => facts.shell |= decoded.octets().is_some_and(|pair| pair.starts_with(b"shell:")),
            (3076, 146) => facts.tunnel_group = true,
            (3076, 150) => facts.client_type = facts.client_type.or(integer),
            (3076, 151) => facts.session_type = facts.session_type.or(integer),
            (14988, 10) => facts.hotspot = true,
            (9 | 311 | 3076, _) => {}
            _ => facts.role |= ADMINISTRATOR_ROLES.contains(&decoded.id),
        }
    }

    fn see_assigned(&mut self, decoded: &Decoded<'a>) {
        let (address, prefix_length) = match (decoded.prefix(), decoded.address(), decoded.octets()) {
            (Some((address, length)), ..) => (IpAddr::V6(address), length),
            (None, Some(address), _) => host(address),
            (None, None, Some(octets)) => match Station::parse(octets).address() {
                Some(address) => host(address),
                None => return,
            },
            (None, None, None) => return,
        };
        // RFC 2865 section 5.8: 'let the user choose' and 'assign one', which a request should not say.
        let is_no_address =
            [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::new(255, 255, 255, 254)].map(IpAddr::V4);
        let assigned = Assigned { address, prefix_length };
        if !is_no_address.contains(&address)
            && !address.is_unspecified()
            && !self.event.assigned.contains(&assigned)
        {
            // More than are kept are of no use.
            let _ = self.event.assigned.try_push(assigned);
        }
    }
}

fn has_attributes(vendor: u32) -> bool {
    dictionary::vendor(vendor).is_some_and(|vendor| !vendor.attributes.is_empty())
}

pub(super) fn host(address: IpAddr) -> (IpAddr, u8) {
    (address, if address.is_ipv4() { 32 } else { 128 })
}

fn hardware(decoded: &Decoded<'_>) -> Option<[u8; 6]> {
    hardware_within(decoded.octets()?)
}

pub(super) fn counters(counters: Counters, octets: [Option<u32>; 4]) -> Counters {
    let [input, output, input_gigawords, output_gigawords] = octets;
    let total = |octets: Option<u32>, gigawords: Option<u32>| {
        (octets.is_some() || gigawords.is_some())
            .then(|| accounting::total_octets(octets.unwrap_or(0), gigawords))
    };
    Counters {
        input_octets: total(input, input_gigawords),
        output_octets: total(output, output_gigawords),
        has_gigawords: input_gigawords.is_some() || output_gigawords.is_some(),
        ..counters
    }
}
