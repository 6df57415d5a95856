//! Names that are the subject of a certificate: RFC 4514 (`CN=alice,O=Contoso`) and OpenSSL's one line
//! (`/O=Contoso/CN=alice`).

use std::borrow::Cow;

use super::{NameForm, Parts};

/// Attribute types that name a person, the more exact first. A person's UID is unique where the CN need not be.
const NAMING: [&[&[u8]]; 3] = [
    &[b"UID", b"0.9.2342.19200300.100.1.1"],
    &[b"CN", b"2.5.4.3"],
    &[b"EMAILADDRESS", b"EMAIL", b"E", b"1.2.840.113549.1.9.1"],
];

/// `None` if it is no subject, or one that names nobody.
pub(super) fn parse(name: &[u8]) -> Option<Parts<'static>> {
    if !name.contains(&b'=') {
        return None;
    }
    let separators: &[u8] = if name.first() == Some(&b'/') { b"/" } else { b",;+" };
    let name = name.strip_prefix(b"/").unwrap_or(name);
    // A comma may stand in a value of the one-line form, a slash in one of the other.
    let pairs: Vec<(&[u8], Cow<'_, [u8]>)> =
        split_unescaped(name, separators).into_iter().filter_map(pair).collect();
    let naming = NAMING.iter().find_map(|types| {
        pairs.iter().find(|(kind, value)| {
            types.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted)) && !value.is_empty()
        })
    });
    let (_, value) = naming?;
    // The value may itself be alice@contoso.example or host/pc7.
    let inner = Parts::of(value);
    let domain: Vec<&[u8]> = pairs
        .iter()
        .filter(|(kind, value)| kind.eq_ignore_ascii_case(b"DC") && !value.is_empty())
        .map(|(_, value)| value.as_ref())
        .collect();
    let realm = inner.realm.or((!domain.is_empty()).then(|| Cow::Owned(domain.join(&b'.'))));
    Some(Parts {
        account: Cow::Owned(inner.account.into_owned()),
        realm: realm.map(|realm| Cow::Owned(realm.into_owned())),
        form: NameForm::CertificateSubject,
    })
}

/// Cuts at separators that neither a backslash nor quotes protect.
fn split_unescaped<'a>(name: &'a [u8], separators: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut from, mut escaped, mut quoted) = (0, false, false);
    for (at, octet) in name.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if *octet == b'\\' {
            escaped = true;
        } else if *octet == b'"' {
            quoted = !quoted;
        } else if !quoted && separators.contains(octet) {
            parts.push(&name[from..at]);
            from = at + 1;
        }
    }
    parts.push(&name[from..]);
    parts
}

/// Attribute type and value, the value without its escapes. The type is a keyword or a dotted number.
fn pair(part: &[u8]) -> Option<(&[u8], Cow<'_, [u8]>)> {
    let at = part.iter().position(|octet| *octet == b'=')?;
    let kind = part[..at].trim_ascii();
    let is_type = !kind.is_empty()
        && kind.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-'));
    is_type.then(|| (kind, unescaped(part[at + 1..].trim_ascii())))
}

/// `\,` is a comma, `\2C` too; quotes around the whole go.
fn unescaped(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    if !value.contains(&b'\\') {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'\\', [high, low, behind @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |octet: u8| char::from(octet).to_digit(16).unwrap_or(0) as u8;
                out.push(digit(*high) << 4 | digit(*low));
                rest = behind;
            }
            (b'\\', [protected, behind @ ..]) => {
                out.push(*protected);
                rest = behind;
            }
            _ => out.push(*first),
        }
    }
    Cow::Owned(out)
}
