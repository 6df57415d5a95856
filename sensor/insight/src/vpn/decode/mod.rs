//! One record becomes one event. The service calls [`Decoder::decode`] for every record of the journal, in order; the
//! decoder remembers nothing between two of them.
//!
//! The request is walked twice: once raw, for the marks of its vendor (only where the configuration does not name it),
//! once with meaning. What is wrong with an attribute costs that attribute and is listed; it never costs the event.
//!
//! [`Decoder::interim`] is the short way for what was decoded before.

mod interim;
mod read;
mod walk;

use std::{collections::HashMap, net::SocketAddr};

use arrayvec::ArrayVec;
use radius::{
    Framed, Marks, Rejected, Request, accounting,
    attribute::{Decoded, Id, kind},
};

use super::{
    Classified, Kind,
    event::{ATTRIBUTES_MAX, Counters, Defects, Event, EventTime, Flaw, Status, TimeSource, VpnServer},
    kind::{Facts, classify},
    names::{NameSort, Realms, UserName},
    plan::{Found, Plan},
    recognise::{Recognised, Recogniser},
    source::{Field, Mapping, Source},
    vendors::Vendor,
};
pub use interim::{Fingerprint, Interim};
use interim::{Keys, leaves_out};
use read::{read_remote, read_texts};
use walk::{Walk, counters};

/// A record's parts.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The request as it was verified.
    pub octets: &'a [u8],
    /// Where the datagram came from.
    pub source: SocketAddr,
    /// Where it was sent to.
    pub destination: SocketAddr,
    /// Name of the configured client.
    pub client: &'a str,
    /// Arrival, ns since 1970 UTC.
    pub arrival_unix_ns: u64,
}

/// What the configuration says about one client.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Its vendor; `None` recognises it in each request.
    pub vendor: Option<Vendor>,
    /// Other attributes than the vendor's table has.
    pub mapping: Mapping,
    /// It is a VPN server and nothing else: what looks like access to a network is a VPN connection.
    pub is_vpn: bool,
}

/// What the configuration says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Realms that mean the same.
    pub realms: Realms,
    /// How far before its arrival an event may lie for its time to be trusted, seconds.
    pub accept_past_s: u64,
    /// Clients by name. A record of a client that is not among them (any more) is decoded like one with vendor `auto`.
    pub clients: HashMap<String, Client>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            realms: Realms::default(),
            accept_past_s: accounting::TRUSTED_PAST,
            clients: HashMap::new(),
        }
    }
}

/// Makes events of records. Cheap to share, expensive to make: one for each configuration.
#[derive(Debug)]
pub struct Decoder {
    realms: Realms,
    accept_past_s: u64,
    recogniser: Recogniser,
    /// One plan for each vendor, unchanged.
    plans: Vec<Plan>,
    clients: HashMap<String, Ready>,
    keys: Keys,
}

/// A client, made ready.
#[derive(Debug)]
struct Ready {
    vendor: Option<Vendor>,
    is_vpn: bool,
    /// One plan for each vendor, if the client changes any.
    plans: Option<Vec<Plan>>,
    /// What fingerprints leave out is read for nothing else.
    may_be_abridged: bool,
}

impl Decoder {
    /// A decoder for this configuration.
    pub fn new(settings: Settings) -> Decoder {
        let plans = |mapping: &Mapping| Vendor::all().map(|vendor| Plan::new(vendor, mapping)).collect();
        let clients = settings.clients.into_iter().map(|(name, client)| {
            let own: Option<Vec<Plan>> = (!client.mapping.is_empty()).then(|| plans(&client.mapping));
            let reads = |kind| own.iter().flatten().any(|plan| plan.reads(kind));
            let may_be_abridged = !(0..=u8::MAX).any(|kind| leaves_out(kind) && reads(kind));
            (name, Ready { vendor: client.vendor, is_vpn: client.is_vpn, plans: own, may_be_abridged })
        });
        Decoder {
            realms: settings.realms,
            accept_past_s: settings.accept_past_s,
            recogniser: Recogniser::new(),
            clients: clients.collect(),
            plans: plans(&Mapping::default()),
            keys: Keys::new(),
        }
    }

    /// The event of one record. An error only for octets that no sensor would have recorded: no request at all.
    pub fn decode<'a>(&self, received: &Received<'a>) -> Result<Event<'a>, Rejected> {
        let request = Framed::parse(received.octets)?.request()?;
        Ok(self.event(received, &request))
    }

    /// Apart from [`Decoder::decode`], which would else move the event into its result.
    #[inline(never)]
    fn event<'a>(&self, received: &Received<'a>, request: &Request<'a>) -> Event<'a> {
        let client = self.clients.get(received.client);
        let (vendor, recognised) = match client.and_then(|client| client.vendor) {
            Some(vendor) => (vendor, Recognised::Configured),
            None => self.recogniser.recognise(request),
        };
        let plans = client.and_then(|client| client.plans.as_ref()).unwrap_or(&self.plans);
        // Both are large and stay where they are made.
        let mut event = blank(received, request, vendor, recognised);
        let mut found = Found::new(&plans[vendor as usize]);
        let mut walk = Walk {
            event: &mut event,
            facts: Facts { vendor: Some(vendor), ..Facts::default() },
            found: &mut found,
            octets: [None; 4],
        };
        let mut attributes = request.decoded();
        // By reference: an attribute is large to move.
        while let Some(attribute) = &attributes.next() {
            walk.see(attribute);
        }
        let Walk { mut facts, octets, .. } = walk;
        event.counters = counters(event.counters, octets);
        event.time = self.time(&mut event);
        self.read_user(&found, &mut event, &mut facts);
        read_remote(&found, &mut event);
        read_texts(&found, &mut event);
        facts.has_remote = event.remote.is_some();
        event.classified = classify(&facts, client.is_some_and(|client| client.is_vpn));
        if event.classified.kind == Kind::Person && event.remote.is_none() {
            event.attributes = different_attributes(request);
        }
        event
    }

    fn time(&self, event: &mut Event<'_>) -> EventTime {
        let EventTime { timestamp, delay, .. } = event.time;
        let (time, weighed) = self.weigh(event.arrival_unix_ns, timestamp, delay);
        if weighed.timestamp_implausible {
            event.defects.add(Id::Standard(kind::EVENT_TIMESTAMP), Flaw::Implausible);
        }
        if weighed.delay_implausible {
            event.defects.add(Id::Standard(kind::ACCT_DELAY_TIME), Flaw::Implausible);
        }
        time
    }

    /// When something was sent that arrived then and says this of its time.
    fn weigh(
        &self,
        arrival_unix_ns: u64,
        timestamp: Option<u32>,
        delay: Option<u32>,
    ) -> (EventTime, accounting::EventTime) {
        let arrival_s = arrival_unix_ns / 1_000_000_000;
        let weighed = accounting::event_time(arrival_s, delay, timestamp, self.accept_past_s);
        let applied_s = arrival_s - weighed.by_delay;
        let (unix_ns, source) = match weighed.by_timestamp {
            Some(seconds) => (seconds * 1_000_000_000, TimeSource::Timestamp),
            None if applied_s > 0 => (arrival_unix_ns - applied_s * 1_000_000_000, TimeSource::Delay),
            None => (arrival_unix_ns, TimeSource::Arrival),
        };
        (EventTime { unix_ns, source, timestamp, delay }, weighed)
    }

    fn read_user<'a>(&self, found: &Found<'_, 'a>, event: &mut Event<'a>, facts: &mut Facts<'_>) {
        let taken =
            |(source, decoded): (&Source, &Decoded<'a>)| Some((decoded.id, source.take(decoded.octets()?)?));
        let realm = found.of(Field::Domain).find_map(taken).map(|(_, octets)| octets);
        for (attribute, octets) in found.of(Field::User).filter_map(taken) {
            match UserName::parse(octets, realm, &self.realms) {
                Ok(Some((user, flaw))) => {
                    if let Some(flaw) = flaw {
                        event.defects.add(attribute, flaw);
                    }
                    facts.user = Some(user.sort);
                    facts.user_is_calling_hardware = user.sort == NameSort::Person
                        && facts.calling.is_some_and(|hardware| is_hardware(&user.account, hardware));
                    event.user = Some(user);
                    return;
                }
                Ok(None) => {}
                Err(flaw) => event.defects.add(attribute, flaw),
            }
        }
    }
}

/// Whether a name is these octets as 12 hexadecimal digits.
fn is_hardware(name: &str, hardware: [u8; 6]) -> bool {
    let [a, b, c, d, e, f] = hardware;
    let number = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    name.len() == 12 && u64::from_str_radix(name, 16) == Ok(number)
}

/// An event of which only the record's parts are known.
fn blank<'a>(
    received: &Received<'a>,
    request: &Request<'a>,
    vendor: Vendor,
    recognised: Recognised,
) -> Event<'a> {
    let mut defects = Defects::default();
    for (mark, kind) in [
        (Marks::STATUS_TYPE_REPEATED, kind::ACCT_STATUS_TYPE),
        (Marks::SESSION_ID_REPEATED, kind::ACCT_SESSION_ID),
    ] {
        if request.marks().contains(mark) {
            defects.add(Id::Standard(kind), Flaw::Repeated);
        }
    }
    Event {
        client: received.client,
        source: received.source,
        destination: received.destination,
        arrival_unix_ns: received.arrival_unix_ns,
        time: EventTime {
            unix_ns: received.arrival_unix_ns,
            source: TimeSource::Arrival,
            timestamp: None,
            delay: None,
        },
        status: Status::of(request.status_type()),
        classified: Classified { kind: Kind::Other, reason: "" },
        vendor,
        recognised,
        server: VpnServer::default(),
        user: None,
        remote: None,
        remote_other: None,
        attributes: Vec::new(),
        assigned: ArrayVec::new(),
        device: None,
        device_model: None,
        software: None,
        operating_system: None,
        operating_system_version: None,
        group: None,
        correlation: None,
        session_id: None,
        multi_session_id: None,
        class: None,
        called_station: None,
        calling_station: None,
        connect_info: None,
        port: None,
        port_id: None,
        port_type: None,
        service_type: None,
        tunnel_type: None,
        authentic: None,
        counters: Counters::default(),
        terminate_cause: None,
        marks: request.marks(),
        defects,
    }
}

fn different_attributes(request: &Request<'_>) -> Vec<Id> {
    let mut different = Vec::with_capacity(24);
    for attribute in request.decoded() {
        if different.len() == ATTRIBUTES_MAX {
            break;
        }
        if !different.contains(&attribute.id) {
            different.push(attribute.id);
        }
    }
    different
}
