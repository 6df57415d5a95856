//! A person by all names, and where they stand: in requests, in texts, in octets that damage has made unreadable.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use insight::vpn::{Decoder, Received, session::Details};
use journal::codec::RecordView;

use super::words::is_whole;
use crate::control::Names;

/// Shorter names are not looked for within texts: three letters stand in many that have nothing to do with anybody.
pub const NAME_OCTETS_MIN: usize = 4;
/// Octets in front of a request's attributes.
const HEADER: usize = 20;
const USER_NAME: u8 = 1;
const VENDOR_SPECIFIC: u8 = 26;
/// Most ways of writing a name that are looked for. A person has a handful; who makes up more is found by the key.
const WRITTEN_MAX: usize = 1000;

/// Somebody who is to be forgotten.
#[derive(Debug)]
pub struct Person {
    names: Names,
    written: BTreeSet<String>,
    /// The long names, whole ones.
    long: Option<AhoCorasick>,
    /// Long ones, and short ones as a User-Name attribute has them.
    raw: Option<AhoCorasick>,
}

impl Person {
    /// With the names that are known so far.
    pub fn new(names: Names) -> Person {
        let mut person = Person { written: BTreeSet::new(), long: None, raw: None, names };
        let known = [person.names.typed.clone(), person.names.key.clone()];
        let written = std::mem::take(&mut person.names.written);
        person.learn(written.into_iter().chain(known));
        person
    }

    /// The user's key.
    pub fn key(&self) -> &str {
        &self.names.key
    }

    /// All names, to be kept.
    pub fn names(&self) -> Names {
        Names { written: self.written.iter().cloned().collect(), ..self.names.clone() }
    }

    /// Knows more ways of writing the name from here on.
    pub fn learn(&mut self, written: impl IntoIterator<Item = String>) {
        for name in written {
            if self.written.len() < WRITTEN_MAX && !name.is_empty() {
                self.written.insert(name);
            }
        }
        // ASCII in any letter case; of other letters the three cases that occur.
        let forms = |name: &String| [name.clone(), name.to_lowercase(), name.to_uppercase()];
        let all: BTreeSet<String> = self.written.iter().flat_map(forms).collect();
        let (long, short): (Vec<_>, Vec<_>) = all.into_iter().partition(|name| name.len() >= NAME_OCTETS_MIN);
        let attributes = short.into_iter().map(|name| {
            let mut attribute = vec![USER_NAME, name.len() as u8 + 2];
            attribute.extend_from_slice(name.as_bytes());
            attribute
        });
        let raw: Vec<Vec<u8>> = long.iter().map(|name| name.clone().into_bytes()).chain(attributes).collect();
        self.long = automaton(&long);
        self.raw = automaton(&raw);
    }

    /// Whether a session is of the person, or names the person.
    pub(crate) fn has_session(&self, id: &str, details: &Details) -> bool {
        let texts = [
            details.user_original(),
            details.device(),
            details.software(),
            details.operating_system(),
            details.group(),
        ];
        self.has_row(details.user(), id, texts)
    }

    /// The same for what the store has of one.
    pub(crate) fn has_row<'t>(
        &self,
        user: Option<&str>,
        id: &str,
        texts: impl IntoIterator<Item = Option<&'t str>>,
    ) -> bool {
        user == Some(self.key()) || self.is_in(id) || texts.into_iter().flatten().any(|text| self.is_in(text))
    }

    /// Whether a name stands whole in a text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.is_whole_in(text.as_bytes())
            || (text.len() < NAME_OCTETS_MIN
                && self.written.iter().any(|name| name.to_lowercase() == text.to_lowercase()))
    }

    fn is_whole_in(&self, octets: &[u8]) -> bool {
        let Some(long) = &self.long else { return false };
        long.find_overlapping_iter(octets).any(|found| is_whole(octets, found.start(), found.end()))
    }

    /// Whether a record is of the person, or names the person in any attribute.
    pub(crate) fn has_record(&self, decoder: &Decoder, record: &RecordView<'_>) -> bool {
        if record.octets.is_empty() {
            return false;
        }
        let received = Received {
            octets: record.octets,
            source: record.source,
            destination: record.destination,
            client: record.client,
            arrival_unix_ns: record.arrival_unix_ns,
        };
        let event = decoder.decode(&received);
        event.is_ok_and(|event| event.user.is_some_and(|user| user.key == self.key()))
            || self.is_in_request(record.octets)
    }

    /// Whether a name stands whole in a value of a request.
    fn is_in_request(&self, octets: &[u8]) -> bool {
        let is_near = self.long.as_ref().is_some_and(|long| long.is_match(octets));
        is_near
            && attributes(octets.get(HEADER..).unwrap_or_default()).any(|(kind, value)| {
                // Vendor's number, then attributes of the same form in all but few vendors' ones.
                let inner = value.get(4..).filter(|_| kind == VENDOR_SPECIFIC).unwrap_or_default();
                self.is_whole_in(value) || attributes(inner).any(|(_, value)| self.is_whole_in(value))
            })
    }

    /// Whether a name stands anywhere in octets whose form is unknown.
    pub(crate) fn is_near(&self, octets: &[u8]) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.is_match(octets))
    }
}

fn automaton<P: AsRef<[u8]>>(patterns: &[P]) -> Option<AhoCorasick> {
    let builder = AhoCorasick::builder().ascii_case_insensitive(true).build(patterns);
    // A thousand names of 253 octets are far below what an automaton holds.
    builder.ok().filter(|_| !patterns.is_empty())
}

/// Type and value of attributes, up to the first whose length is wrong.
fn attributes(mut octets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, length) = (*octets.first()?, usize::from(*octets.get(1)?));
        let attribute = octets.get(..length).filter(|_| length >= 2)?;
        octets = &octets[length..];
        Some((kind, &attribute[2..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        let written = ["CONTOSO\\mallory", "mal"].map(str::to_owned).to_vec();
        Person::new(Names { typed: "Mallory".into(), key: "mallory@contoso.example".into(), written })
    }

    fn request(attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let mut octets = vec![0; HEADER];
        for (kind, value) in attributes {
            octets.extend([*kind, value.len() as u8 + 2]);
            octets.extend_from_slice(value);
        }
        octets
    }

    #[test]
    fn a_name_is_found_whole_in_any_attribute() {
        let person = person();
        let is_in = |attributes: &[(u8, &[u8])]| person.is_in_request(&request(attributes));
        assert!(is_in(&[(1, b"MALLORY")]) && is_in(&[(4, b"x"), (25, b"OU=x,CN=Mallory,O=y")]));
        assert!(is_in(&[(1, b"contoso\\Mallory")]));
        // The octets around a value may be letters: here the length of one, the type of the next.
        let long = format!("mallory {}", "x".repeat(57));
        assert!(is_in(&[(25, long.as_bytes())]) && is_in(&[(1, b"mallory"), (77, b"")]));
        let vendor = [&[0, 0, 0, 9, 1, 67][..], long.as_bytes()].concat();
        assert!(is_in(&[(26, &vendor)]));
        for other in
            [&b"mallory2"[..], b"smallory", b"FABRIKAM\\mallory", b"mallory@fabrikam.example", b"mal"]
        {
            assert!(!is_in(&[(1, other)]), "{}", String::from_utf8_lossy(other));
        }
        // What is damaged has no form: there any trace counts.
        assert!(
            person.is_near(b"xxmallory2") && person.is_near(b"\x01\x05MAL\x04") && !person.is_near(b"malady")
        );
        assert!(person.is_in("mal") && !person.is_in("mal x"));
    }

    #[test]
    fn somebody_with_a_short_name_alone_is_found_by_it_alone() {
        let person = Person::new(Names { typed: "bo".into(), key: "bo".into(), written: Vec::new() });
        assert!(
            person.is_in("BO") && !person.is_in("bo x") && !person.is_in_request(&request(&[(1, b"bo")]))
        );
        assert!(person.is_near(b"\x01\x04Bo") && !person.is_near(b"bobo"));
    }
}
