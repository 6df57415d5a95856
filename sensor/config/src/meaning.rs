//! The keys that say what records mean and how long that is kept: `[events]`, `[sessions]`, `[store]`, `[users]`, and a
//! client's vendor, attributes and kind.

use std::time::Duration;

use insight::vpn::{Field, Mapping, Source, UnknownVendor, Vendor, names::Realms};

use super::document::Section;

/// Retransmissions after an outage come this late at least.
const ACCEPT_PAST_MIN: Duration = Duration::from_secs(3600);
/// Older events would change profiles that have long been judged by.
const ACCEPT_PAST_MAX: Duration = Duration::from_secs(90 * 86_400);

const KEEP_MIN: Duration = Duration::from_secs(91 * 86_400);
const KEEP_MAX: Duration = Duration::from_secs(3_660 * 86_400);

pub(super) fn read_events(section: Section<'_, '_>, accept_past: &mut Duration) {
    if let Some(past) = section.duration("accept_past", ACCEPT_PAST_MIN..=ACCEPT_PAST_MAX) {
        *accept_past = past;
    }
    section.finish();
}

/// The `[sessions]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// So many interims must be missed for a session to be over, 1 to 100.
    pub missed_interims: u32,
    /// A session without regular interims has an unknown end after this, an hour to 90 days.
    pub unknown_after: Duration,
}

pub(super) fn read_sessions(section: Section<'_, '_>, limits: &mut SessionLimits) {
    if let Some(missed) = section.integer("missed_interims", 1..101) {
        limits.missed_interims = missed as u32;
    }
    if let Some(after) = section.duration("unknown_after", Duration::from_secs(3600)..=ACCEPT_PAST_MAX) {
        limits.unknown_after = after;
    }
    section.finish();
}

/// `[store]`: never shorter than the past that is accepted, or what comes late would be gone before it is there.
pub(super) fn read_store(section: Section<'_, '_>, keep: &mut Duration) {
    if let Some(read) = section.duration("keep", KEEP_MIN..=KEEP_MAX) {
        *keep = read;
    }
    section.finish();
}

pub(super) fn read_users(section: Section<'_, '_>, realms: &mut Realms, kept: &mut Vec<Vec<String>>) {
    if let Some(groups) = section.groups("realms") {
        match Realms::new(&groups) {
            Ok(read) => {
                let owned = |group: Vec<&str>| group.into_iter().map(str::to_owned).collect();
                *kept = groups.into_iter().map(owned).collect();
                *realms = read;
            }
            Err(error) => section.problem(section.span.clone(), format!("`users.realms`: {error}")),
        }
    }
    section.finish();
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
    section.finish();
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
