//! What the sources of a vendor's table say: the remote address and the texts.

use std::borrow::Cow;

use arrayvec::ArrayVec;
use radius::attribute::{Decoded, Id, kind};

use super::{
    super::{
        address::{Scope, Station},
        event::{Defects, Event, Flaw, Remote},
        plan::Found,
        source::{Field, Form, SOURCES_MAX, Source},
        text::text,
    },
    walk::host,
};

/// The first placeable address in the order of trust, else the first.
pub(super) fn read_remote(found: &Found<'_, '_>, event: &mut Event<'_>) {
    let mut candidates: ArrayVec<Remote, SOURCES_MAX> = ArrayVec::new();
    for (source, decoded) in found.of(Field::Remote) {
        let octets = decoded.octets().and_then(|octets| source.take(octets)).unwrap_or_default();
        let station = match decoded.address() {
            Some(address) => Station::Address(address.to_canonical(), None),
            None => Station::parse(octets),
        };
        match station {
            Station::Address(address, port) => {
                let of_pool =
                    event.assigned.iter().any(|inner| host(address) == (inner.address, inner.prefix_length));
                let scope = if of_pool { Scope::OwnPool } else { Scope::of(address) };
                // As many as there are sources at most.
                let _ = candidates.try_push(Remote { address, port, scope, from: decoded.id });
            }
            // A Calling-Station-Id may be anything.
            Station::Other(_) | Station::Telephone | Station::Hardware(_)
                if decoded.id != Id::Standard(kind::CALLING_STATION_ID) =>
            {
                event.defects.add(decoded.id, Flaw::NotAnAddress);
            }
            _ => {}
        }
    }
    let mut placeable = candidates.iter().filter(|remote| remote.scope.is_placeable());
    event.remote = placeable.next().or(candidates.first()).copied();
    event.remote_other = event.remote.and_then(|remote| {
        placeable.find(|other| other.address != remote.address).map(|other| other.address)
    });
}

pub(super) fn read_texts<'a>(found: &Found<'_, 'a>, event: &mut Event<'a>) {
    let defects = &mut event.defects;
    let mut first =
        |field: Field| found.of(field).find_map(|(source, decoded)| worded(source, decoded, defects));
    event.device = first(Field::Device);
    event.device_model = first(Field::DeviceModel);
    event.software = first(Field::Software);
    event.operating_system = first(Field::OperatingSystem);
    event.operating_system_version = first(Field::OperatingSystemVersion);
    event.group = first(Field::Group);
    event.correlation = first(Field::Correlation);
}

/// The text that a source means. Numbers and addresses as people read them.
fn worded<'a>(source: &Source, decoded: &Decoded<'a>, defects: &mut Defects) -> Option<Cow<'a, str>> {
    if decoded.integer().is_some() || decoded.address().is_some() {
        return Some(Cow::Owned(decoded.render().to_string()));
    }
    let octets = source.take(decoded.octets()?)?;
    // SoftEther puts an address where RRAS puts the computer's name.
    if source.form == Form::RasClientName && Station::parse(octets).address().is_some() {
        return None;
    }
    let words = shown(decoded.id, octets, defects)?;
    match source.form {
        Form::Prefixed(prefix) => Some(Cow::Owned(format!("{prefix}{words}"))),
        _ => Some(words),
    }
}

pub(super) fn shown<'a>(attribute: Id, octets: &'a [u8], defects: &mut Defects) -> Option<Cow<'a, str>> {
    let (words, flaw) = text(octets)?;
    if let Some(flaw) = flaw {
        defects.add(attribute, flaw);
    }
    Some(words)
}
