//! The keys that say when people are told: `[detect]`, `[detect.model]` and `[[detect.exclusion]]`.
//!
//! | file | what lives there |
//! |---|---|
//! | `keys` | each threshold's key, what is allowed, and its reason |
//! | `exclusion` | what raises no alert |
//! | `page` | all of it as a page of the documentation, and in a line |

mod exclusion;
mod keys;
mod page;

use std::ops::{Range, RangeInclusive};

use insight::vpn::names::Realms;
use policy::Detecting;

pub(super) use page::{ThresholdKey, threshold_keys};
pub use page::{markdown, summary};

use super::{document::Section, values};
use keys::Key;

/// None at all is `min_severity = "high"` of a sink.
const NOTICES: Range<u64> = 1..1_000_001;
/// A day is the least in which people can have looked; what is open for longer than the store keeps it is gone.
const ACCEPT_AFTER_DAYS: RangeInclusive<u64> = 1..=90;

/// Reads `[detect]`. `realms` make users' names keys.
pub(super) fn read(
    section: Section<'_, '_>,
    realms: &Realms,
    warnings: &mut Vec<String>,
    detecting: &mut Detecting,
) {
    for key in keys::of_notices(detecting) {
        read_key(key, &section);
    }
    for key in keys::of(&mut detecting.thresholds) {
        read_key(key, &section);
    }
    if let Some(section) = section.section("model") {
        for key in keys::of_model(&mut detecting.thresholds.model) {
            read_key(key, &section);
        }
        section.finish();
    }
    let thresholds = &detecting.thresholds;
    for (key, value) in
        [("high_score", thresholds.high_score), ("alert_score_one_group", thresholds.alert_score_one_group)]
    {
        let least = thresholds.alert_score;
        if value < least {
            let place = section.place(key).or_else(|| section.place("alert_score"));
            let message = format!(
                "`detect.{key}` is {value} and must not be below `detect.alert_score`, which is {least}: raise the one \
                 or lower the other"
            );
            section.problem(place.unwrap_or(section.span.clone()), message);
        }
    }
    if let Some(notices) = section.integer("notices_per_day", NOTICES) {
        detecting.notices_per_day = notices as u32;
    }
    if let Some(after) = section.parsed("accept_after", accept_after) {
        detecting.accept_after_days = after;
    }
    exclusion::read(&section, realms, warnings, &mut detecting.exclusions);
    section.finish();
}

fn read_key(Key { name, value, .. }: Key<'_>, section: &Section<'_, '_>) {
    value.read(name, section);
}

fn accept_after(text: &str) -> Result<Option<u16>, String> {
    match text {
        "off" => Ok(None),
        _ => values::days(text, &ACCEPT_AFTER_DAYS)
            .map(|days| Some(days as u16))
            .map_err(|reason| format!("{reason}, or \"off\"")),
    }
}

#[cfg(test)]
mod tests;
