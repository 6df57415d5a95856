//! Octets that should be text. Called for every text of an event.

use std::borrow::Cow;

use radius::dictionary::escaped;

use super::event::Flaw;

/// The octets as text that is safe to show and to compare: without the NULs at the end and the blanks around it that
/// some VPN servers send, with what is no UTF-8, controls or turns the direction of writing escaped as
/// [`escaped`] does. `None` if nothing is left. The flaw says what had to be escaped.
pub(super) fn text(octets: &[u8]) -> Option<(Cow<'_, str>, Option<Flaw>)> {
    let octets = trimmed(octets);
    (!octets.is_empty()).then(|| printable(octets))
}

/// The same, nothing cut off.
pub(crate) fn printable(octets: &[u8]) -> (Cow<'_, str>, Option<Flaw>) {
    let Ok(text) = str::from_utf8(octets) else {
        return (Cow::Owned(escaped(octets).to_string()), Some(Flaw::NotUtf8));
    };
    if is_plain(octets) {
        return (Cow::Borrowed(text), None);
    }
    let shown = escaped(octets).to_string();
    if shown == text { (Cow::Borrowed(text), None) } else { (Cow::Owned(shown), Some(Flaw::Unprintable)) }
}

/// Whether all octets are printable ASCII, as those of nearly all texts are. Looks at eight at a time, the last eight
/// perhaps twice.
fn is_plain(octets: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // The high bit of an octet says that it is none: it is above 0x7f, or one more is, or 0x20 less is below 0.
    let strange = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        eight | eight.wrapping_add(EACH) | !(eight | HIGH).wrapping_sub(0x20 * EACH)
    };
    let Some(last) = octets.last_chunk() else {
        return octets.iter().all(|octet| matches!(octet, b' '..=b'~'));
    };
    let all = octets.as_chunks().0.iter().fold(strange(last), |all, eight| all | strange(eight));
    all & HIGH == 0
}

/// Without NULs at the end and ASCII blanks at both.
pub(super) fn trimmed(octets: &[u8]) -> &[u8] {
    let end = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    octets[..end].trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_text_is_borrowed() {
        for good in ["alice", "Zoë", "a b", "名前"] {
            let (text, flaw) = text(good.as_bytes()).unwrap();
            assert!(matches!(text, Cow::Borrowed(_)), "{good}");
            assert_eq!((text.as_ref(), flaw), (good, None));
        }
    }

    #[test]
    fn every_octet_that_is_not_printable_is_seen_wherever_it_stands() {
        for (length, octet) in (0..20).flat_map(|length| (0..=u8::MAX).map(move |octet| (length, octet))) {
            for at in 0..length {
                for around in [b' ', b'~'] {
                    let mut octets = vec![around; length];
                    octets[at] = octet;
                    let expected = octet == b' ' || octet.is_ascii_graphic();
                    assert_eq!(is_plain(&octets), expected, "{octet:#x} at {at} of {length}");
                }
            }
        }
        assert!(is_plain(b""));
    }

    #[test]
    fn what_is_no_clean_text_is_escaped_and_said() {
        let cases: [(&[u8], &str, Option<Flaw>); 7] = [
            (b"alice\0\0", "alice", None),
            (b" win 10 ", "win 10", None),
            (b"a\0b", "a\\x00b", Some(Flaw::Unprintable)),
            (b"M\xfcller", "M\\xfcller", Some(Flaw::NotUtf8)),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b", Some(Flaw::Unprintable)),
            ("a\u{61c}b".as_bytes(), "a\\u{61c}b", Some(Flaw::Unprintable)),
            (b"a\x1b[31m", "a\\x1b[31m", Some(Flaw::Unprintable)),
        ];
        for (octets, expected, expected_flaw) in cases {
            let (text, flaw) = text(octets).unwrap();
            assert_eq!((text.as_ref(), flaw), (expected, expected_flaw));
        }
        assert_eq!(text(b""), None);
        assert_eq!(text(b" \0\0"), None);
    }
}
