//! The keys that say what records mean: `[events]`, `[users]`, and a client's vendor, attributes and kind.

use std::time::Duration;

use insight::vpn::{Field, Mapping, Source, UnknownVendor, Vendor, names::Realms};

use super::document::Section;

/// Retransmissions after an outage come this late at least.
const ACCEPT_PAST_MIN: Duration = Duration::from_secs(3600);
/// Older events would change profiles that have long been judged by.
const ACCEPT_PAST_MAX: Duration = Duration::from_secs(90 * 86_400);

pub(super) fn read_events(section: Section<'_, '_>, accept_past: &mut Duration) {
    if let Some(past) = section.duration("accept_past", ACCEPT_PAST_MIN..=ACCEPT_PAST_MAX) {
        *accept_past = past;
    }
    section.finish(&[]);
}

pub(super) fn read_users(section: Section<'_, '_>, realms: &mut Realms) {
    if let Some(groups) = section.groups("realms") {
        match Realms::new(&groups) {
            Ok(read) => *realms = read,
            Err(error) => section.problem(section.span.clone(), format!("`users.realms`: {error}")),
        }
    }
    section.finish(&[]);
}

/// `[client.attributes]`: for each field the attributes that it is read from.
pub(super) fn read_attributes(section: Section<'_, '_>) -> Mapping {
    let mut mapping = Mapping::default();
    for field in Field::ALL {
        let parse = |text: &str| text.parse::<Source>().map_err(|error| error.to_string());
        if let Some(sources) = section.list(field.name(), parse) {
            let sources = sources.into_iter().map(|(source, _)| source).collect();
            if let Err(error) = mapping.set(field, sources) {
                section.problem(section.span.clone(), format!("`client.attributes`: {error}"));
            }
        }
    }
    section.finish(&[]);
    mapping
}

pub(super) fn vendor(text: &str) -> Result<Option<Vendor>, String> {
    match text {
        "auto" => Ok(None),
        _ => text.parse().map(Some).map_err(|error: UnknownVendor| error.to_string()),
    }
}

pub(super) fn is_vpn(text: &str) -> Result<bool, String> {
    match text {
        "auto" => Ok(false),
        "vpn" => Ok(true),
        _ => Err(format!("{text:?} is none of \"auto\", \"vpn\"")),
    }
}
