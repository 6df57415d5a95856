//! Which vendor a request comes from, by the marks of the vendor tables. Decoding calls this where the configuration
//! says `auto`.

use arrayvec::ArrayVec;
use radius::{Request, attribute::kind};

use super::vendors::{Mark, ROWS, Vendor};

/// How the vendor of an event was found out, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recognised {
    /// The client's configuration names it.
    Configured,
    /// By an attribute that only this vendor sends.
    Attributes,
    /// By a word in NAS-Identifier, which administrators choose.
    Identifier,
    /// By the form of the session id.
    SessionId,
    /// Not at all.
    No,
}

/// Enterprises that one request is searched for: more would not be of use.
const ENTERPRISES_MAX: usize = 8;

/// Words of a NAS-Identifier that are looked at: enough for a full domain name.
const WORDS_MAX: usize = 8;

/// What a request shows of its vendor. Taken from the attributes as they stand, before anything is known about them.
#[derive(Default)]
struct Shown<'a> {
    /// Enterprise number and first vendor type of each Vendor-Specific attribute, each pair once.
    enterprises: ArrayVec<(u32, u8), ENTERPRISES_MAX>,
    /// The first Cisco-AVPair, and the first that describes a device.
    first_pair: Option<&'a [u8]>,
    mdm_pair: Option<&'a [u8]>,
    connect_info: Option<&'a [u8]>,
    /// The first NAS-Identifier that has words, else the last.
    identifier: Option<&'a [u8]>,
    session_id: Option<&'a [u8]>,
    port: Option<u32>,
}

/// The marks of all rows, sorted by what they look at, each with its vendor in the order of the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Recogniser {
    enterprises: Vec<(u32, Option<&'static [u8]>, Vendor)>,
    /// Pairs and Connect-Infos: as sure as an enterprise.
    prefixes: Vec<(Mark, Vendor)>,
    /// By their length, so that few are compared with a word of a request.
    words: Vec<Vec<(&'static str, Vendor)>>,
    session_ids: Vec<(Mark, Vendor)>,
}

impl Recogniser {
    pub(super) fn new() -> Recogniser {
        let mut recogniser = Recogniser::default();
        for row in ROWS {
            for mark in row.marks {
                match *mark {
                    Mark::Enterprise(number) => recogniser.enterprises.push((number, None, row.vendor)),
                    Mark::Attributes(number, kinds) => {
                        recogniser.enterprises.push((number, Some(kinds), row.vendor));
                    }
                    Mark::Pair(_) | Mark::ConnectInfo(_) => recogniser.prefixes.push((*mark, row.vendor)),
                    Mark::Word(word) => {
                        let lengths = recogniser.words.len().max(word.len() + 1);
                        recogniser.words.resize(lengths, Vec::new());
                        recogniser.words[word.len()].push((word, row.vendor));
                    }
                    Mark::SessionIdNamesPort | Mark::SessionIdIsDigest => {
                        recogniser.session_ids.push((*mark, row.vendor));
                    }
                }
            }
        }
        recogniser
    }

    /// The vendor by the surest marks; of equally sure ones the first row's counts.
    pub(super) fn recognise(&self, request: &Request<'_>) -> (Vendor, Recognised) {
        let shown = Shown::of(request);
        if let Some(vendor) = self.by_attributes(&shown) {
            return (vendor, Recognised::Attributes);
        }
        if let Some(vendor) = shown.identifier.and_then(|identifier| self.by_words(identifier)) {
            return (vendor, Recognised::Identifier);
        }
        match self.session_ids.iter().find(|(mark, _)| shown.has(*mark)) {
            Some((_, vendor)) => (*vendor, Recognised::SessionId),
            None => (Vendor::Unknown, Recognised::No),
        }
    }

    fn by_attributes(&self, shown: &Shown<'_>) -> Option<Vendor> {
        let is_shown = |(number, kinds, _): &&(u32, Option<&[u8]>, Vendor)| {
            let is_it =
                |(seen, kind): &(u32, u8)| seen == number && kinds.is_none_or(|kinds| kinds.contains(kind));
            shown.enterprises.iter().any(is_it)
        };
        let by_enterprise = self.enterprises.iter().find(is_shown).map(|(_, _, vendor)| *vendor);
        let by_prefix = self.prefixes.iter().find(|(mark, _)| shown.has(*mark)).map(|(_, vendor)| *vendor);
        first_row(by_enterprise.into_iter().chain(by_prefix))
    }

    fn by_words(&self, identifier: &[u8]) -> Option<Vendor> {
        let named = words(identifier).take(WORDS_MAX).filter_map(|seen| {
            let mut marks = self.words.get(seen.len())?.iter();
            marks.find(|(word, _)| seen.eq_ignore_ascii_case(word.as_bytes())).map(|(_, vendor)| *vendor)
        });
        first_row(named)
    }
}

/// Of equally sure vendors the one whose row comes first.
fn first_row(vendors: impl Iterator<Item = Vendor>) -> Option<Vendor> {
    // The variants stand in the order of the rows.
    vendors.min_by_key(|vendor| *vendor as usize)
}

impl<'a> Shown<'a> {
    fn of(request: &Request<'a>) -> Shown<'a> {
        let mut shown = Shown::default();
        for attribute in request.attributes() {
            let value = attribute.value;
            let first = match attribute.kind {
                kind::VENDOR_SPECIFIC => {
                    shown.see_vendor(value);
                    continue;
                }
                kind::CONNECT_INFO => &mut shown.connect_info,
                kind::NAS_IDENTIFIER => {
                    if shown.identifier.is_none_or(|before| words(before).next().is_none()) {
                        shown.identifier = Some(value);
                    }
                    continue;
                }
                kind::ACCT_SESSION_ID => &mut shown.session_id,
                kind::NAS_PORT => {
                    shown.port = shown.port.or(value.try_into().ok().map(u32::from_be_bytes));
                    continue;
                }
                _ => continue,
            };
            if first.is_none() && !value.is_empty() {
                *first = Some(value);
            }
        }
        shown
    }

    fn see_vendor(&mut self, value: &'a [u8]) {
        let Some((&number, &[kind, length, ref rest @ ..])) = value.split_first_chunk::<4>() else { return };
        let seen = (u32::from_be_bytes(number), kind);
        if !self.enterprises.contains(&seen) && self.enterprises.try_push(seen).is_err() {
            return;
        }
        if seen == (9, 1) {
            let pair = rest.get(..usize::from(length).saturating_sub(2)).unwrap_or_default();
            let first = if pair.starts_with(b"mdm-tlv=") { &mut self.mdm_pair } else { &mut self.first_pair };
            first.get_or_insert(pair);
        }
    }

    /// Whether it shows a mark that is a beginning or a form; enterprises and words are compared above.
    fn has(&self, mark: Mark) -> bool {
        match mark {
            Mark::Enterprise(_) | Mark::Attributes(..) | Mark::Word(_) => false,
            Mark::Pair(prefix) => [self.mdm_pair, self.first_pair]
                .iter()
                .flatten()
                .any(|pair| pair.starts_with(prefix.as_bytes())),
            Mark::ConnectInfo(prefix) => {
                self.connect_info.is_some_and(|info| info.starts_with(prefix.as_bytes()))
            }
            Mark::SessionIdNamesPort => self.port.is_some_and(|port| {
                self.session_id.and_then(epoch_and_port).is_some_and(|(_, number)| number == port)
            }),
            Mark::SessionIdIsDigest => {
                self.session_id.is_some_and(|id| id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit))
            }
        }
    }
}

/// The words of a name without the numbers that end them: `ASA` and nothing else of `ASA5525-1`.
fn words(identifier: &[u8]) -> impl Iterator<Item = &[u8]> {
    identifier.split(|octet| !octet.is_ascii_alphanumeric()).filter_map(|word| {
        let last = word.iter().rposition(|octet| !octet.is_ascii_digit())?;
        Some(&word[..=last])
    })
}

/// `1732500000-17`: when the daemon started and the number of the connection.
fn epoch_and_port(id: &[u8]) -> Option<(u32, u32)> {
    let (epoch, number) = str::from_utf8(id).ok()?.split_once('-')?;
    Some((epoch.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_numbers_behind_them_do_not_count() {
        for (identifier, expected) in [
            ("ASA5525-1", &["ASA"][..]),
            ("vpn.asa.contoso.example", &["vpn", "asa", "contoso", "example"]),
            ("kasal", &["kasal"]),
            ("bigip-1.vpn2", &["bigip", "vpn"]),
            ("", &[]),
            ("123", &[]),
        ] {
            let found: Vec<_> =
                words(identifier.as_bytes()).map(|word| str::from_utf8(word).unwrap()).collect();
            assert_eq!(found, expected, "{identifier}");
        }
    }
}
