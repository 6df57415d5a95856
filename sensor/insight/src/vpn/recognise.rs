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

/// What a request shows of its vendor. Taken from the attributes as they stand, before anything is known about them.
#[derive(Default)]
struct Shown<'a> {
    /// Enterprise number and first vendor type of each Vendor-Specific attribute, each pair once.
    enterprises: ArrayVec<(u32, u8), ENTERPRISES_MAX>,
    /// The first Cisco-AVPair, and the first that describes a device.
    first_pair: Option<&'a [u8]>,
    mdm_pair: Option<&'a [u8]>,
    connect_info: Option<&'a [u8]>,
    identifier: Option<&'a [u8]>,
    session_id: Option<&'a [u8]>,
    port: Option<u32>,
}

pub(super) fn recognise(request: &Request<'_>) -> (Vendor, Recognised) {
    let shown = Shown::of(request);
    for recognised in [Recognised::Attributes, Recognised::Identifier, Recognised::SessionId] {
        let row = ROWS
            .iter()
            .find(|row| row.marks.iter().any(|mark| strength(mark) == recognised && shown.has(mark)));
        if let Some(row) = row {
            return (row.vendor, recognised);
        }
    }
    (Vendor::Unknown, Recognised::No)
}

fn strength(mark: &Mark) -> Recognised {
    match mark {
        Mark::Enterprise(_) | Mark::Attributes(..) | Mark::Pair(_) | Mark::ConnectInfo(_) => {
            Recognised::Attributes
        }
        Mark::Word(_) => Recognised::Identifier,
        Mark::SessionIdNamesPort | Mark::SessionIdIsDigest => Recognised::SessionId,
    }
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
                kind::NAS_IDENTIFIER => &mut shown.identifier,
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

    fn has(&self, mark: &Mark) -> bool {
        match *mark {
            Mark::Enterprise(number) => self.enterprises.iter().any(|(seen, _)| *seen == number),
            Mark::Attributes(number, kinds) => {
                self.enterprises.iter().any(|(seen, kind)| *seen == number && kinds.contains(kind))
            }
            Mark::Pair(prefix) => [self.mdm_pair, self.first_pair]
                .iter()
                .flatten()
                .any(|pair| pair.starts_with(prefix.as_bytes())),
            Mark::ConnectInfo(prefix) => {
                self.connect_info.is_some_and(|info| info.starts_with(prefix.as_bytes()))
            }
            Mark::Word(word) => self.identifier.is_some_and(|identifier| has_word(identifier, word)),
            Mark::SessionIdNamesPort => self.port.is_some_and(|port| {
                self.session_id.and_then(epoch_and_port).is_some_and(|(_, number)| number == port)
            }),
            Mark::SessionIdIsDigest => {
                self.session_id.is_some_and(|id| id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit))
            }
        }
    }
}

/// Whether `word` (lower case) is one of the words of a name, whatever numbers end it: `asa` of `ASA5525-1`.
fn has_word(identifier: &[u8], word: &str) -> bool {
    identifier.split(|octet| !octet.is_ascii_alphanumeric()).any(|part| {
        let letters = part.iter().rposition(|octet| !octet.is_ascii_digit()).map_or(0, |last| last + 1);
        part[..letters].eq_ignore_ascii_case(word.as_bytes())
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
        for (identifier, word, expected) in [
            ("ASA5525-1", "asa", true),
            ("vpn.asa.contoso.example", "asa", true),
            ("kasal", "asa", false),
            ("asa", "asa", true),
            ("bigip-1.vpn.example", "bigip", true),
            ("", "asa", false),
            ("123", "asa", false),
        ] {
            assert_eq!(has_word(identifier.as_bytes(), word), expected, "{identifier}");
        }
    }
}
