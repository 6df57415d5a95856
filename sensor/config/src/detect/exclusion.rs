//! `[[detect.exclusion]]`: connections that raise no alert, why, and until when.

use insight::vpn::names::{Realms, UserName};
use jiff::Timestamp;
use policy::Exclusion;

use crate::{document::Section, values};

/// Of all layers together: each connection is held against all of them.
const EXCLUSIONS_MAX: usize = 1000;
/// Octets; a sentence or two, and the ticket's number.
const REASON_MAX: usize = 500;
/// What an exclusion can name.
const CRITERIA: [&str; 4] = ["user", "network", "asn", "place"];

/// Reads the exclusions of a layer behind those of the layers before it.
pub(super) fn read(
    section: &Section<'_, '_>,
    realms: &Realms,
    warnings: &mut Vec<String>,
    exclusions: &mut Vec<Exclusion>,
) {
    let now = Timestamp::now();
    for section in section.sections("exclusion") {
        if exclusions.len() == EXCLUSIONS_MAX {
            let message =
                format!("at most {EXCLUSIONS_MAX} exclusions: name networks or places instead of users");
            section.problem(section.span.clone(), message);
            break;
        }
        let wants = |key: &'static str, what: &str| {
            if section.place(key).is_none() {
                section.problem(section.span.clone(), format!("an exclusion wants `{key}`: {what}"));
            }
        };
        if CRITERIA.iter().all(|key| section.place(key).is_none()) {
            let message =
                "an exclusion wants `user`, `network`, `asn` or `place`: which connections raise no alert";
            section.problem(section.span.clone(), message);
        }
        wants("reason", "why, for those who come later");
        wants("until", "the day on which it ends, such as 2026-12-31");
        let until = section.moment("until");
        let exclusion = Exclusion {
            user: section.parsed("user", |name| user(name, realms)),
            network: section.parsed("network", values::prefix),
            asn: section.integer("asn", 1..u64::from(u32::MAX) + 1).map(|asn| asn as u32),
            place: section.parsed("place", place),
            reason: section.parsed("reason", reason).unwrap_or_default(),
            until_unix_s: until.map_or(0, |until| u64::try_from(until.as_second()).unwrap_or(0)),
        };
        if let Some(until) = until.filter(|until| *until <= now) {
            let (file, line) = section.origin();
            let file = file.display();
            warnings.push(format!(
                "the exclusion at {file}:{line} ended at {until}: take it out, or give it another `until` if its reason \
                 still holds"
            ));
        }
        // Told to those who look at the list; nothing goes by it.
        let (_by, _at) = (section.string("set_by"), section.moment("set_at"));
        section.finish();
        exclusions.push(exclusion);
    }
}

/// The key under which records of this name are known.
fn user(name: &str, realms: &Realms) -> Result<String, String> {
    match UserName::parse(name.as_bytes(), None, realms) {
        Ok(Some((name, _))) => Ok(name.key.into_owned()),
        Ok(None) | Err(_) => Err(format!("{name:?} is no user name; write it as your VPN servers send it")),
    }
}

/// A country by its two letters, in capitals as databases have it, or a place by its name.
fn place(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a place must not be empty; write it as alerts name it, or a country by its two letters"
            .to_owned()),
        country if country.len() == 2 => Ok(country.to_ascii_uppercase()),
        place => Ok(place.to_owned()),
    }
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason must not be empty; those who come later want to know why".to_owned()),
        long if long.len() > REASON_MAX => Err(format!("at most {REASON_MAX} octets")),
        reason => Ok(reason.to_owned()),
    }
}
