//! User names in all the forms that VPN servers send, and the key under which one person is known.
//! Decoding calls [`UserName::parse`]; whoever reads users from elsewhere (event lines, a person's question) does the
//! same, so that all agree on who is who.

mod realms;
mod subject;

pub use realms::{Realms, RealmsError};

use std::borrow::Cow;

use super::{
    address::{hardware, hardware_octets},
    event::Flaw,
    text::{printable, trimmed},
};

/// Longest name that is read: octets. An attribute cannot carry more; a longer one comes from elsewhere and is refused,
/// since cutting it would make one user of two.
pub const NAME_OCTETS_MAX: usize = 253;

/// How a name was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameForm {
    /// `alice`
    Plain,
    /// `CONTOSO\alice`, `CONTOSO/alice`
    DownLevel,
    /// `alice@contoso.example`
    Principal,
    /// `CN=alice,O=Contoso`, `/O=Contoso/CN=alice`
    CertificateSubject,
    /// `host/pc7.contoso.example`
    Host,
    /// `00-0C-29-74-9D-E8`
    Hardware,
}

/// Who a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameSort {
    /// A person, as far as the name tells.
    Person,
    /// A computer's own account: `host/pc7.contoso.example`, `PC7$`.
    Machine,
    /// A device known by its hardware address: 802.1X with MAC authentication.
    Hardware,
}

/// A user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName<'a> {
    /// As sent, safe to show.
    pub original: Cow<'a, str>,
    /// The name without its realm, letter case as sent; a machine's ends with `$`.
    pub account: Cow<'a, str>,
    /// Domain or realm as sent: `CONTOSO`, `contoso.example`.
    pub realm: Option<Cow<'a, str>>,
    /// How it was written.
    pub form: NameForm,
    /// Who it stands for.
    pub sort: NameSort,
    /// Equal for all names of one user: letter case, width and composition of characters folded, realms that mean the
    /// same made one. `alice@contoso.example`, or `alice` without a realm. The realm holds no `@`.
    pub key: Cow<'a, str>,
}

impl<'a> UserName<'a> {
    /// Reads a name. `realm` is what another attribute says about a name that carries none.
    ///
    /// `Ok(None)`: there is no name in it. The flaw beside a name says what had to be escaped; an error that it is too
    /// long to be one.
    pub fn parse(
        octets: &'a [u8],
        realm: Option<&'a [u8]>,
        realms: &Realms,
    ) -> Result<Option<(UserName<'a>, Option<Flaw>)>, Flaw> {
        if octets.len() > NAME_OCTETS_MAX || realm.is_some_and(|realm| realm.len() > NAME_OCTETS_MAX) {
            return Err(Flaw::TooLong);
        }
        let name = trimmed(octets);
        if name.is_empty() {
            return Ok(None);
        }
        let (original, flaw) = printable(octets);
        let usual = match original {
            Cow::Borrowed(text) => usual(text),
            Cow::Owned(_) => None,
        };
        let (account, own_realm, form) = usual.unwrap_or_else(|| {
            let parts = subject::parse(name).unwrap_or_else(|| Parts::of(name));
            (shown(parts.account), parts.realm.map(shown), parts.form)
        });
        let realm = match own_realm {
            None if form != NameForm::Hardware => {
                realm.map(realm_octets).filter(|realm| !realm.is_empty()).map(|realm| printable(realm).0)
            }
            own_realm => own_realm,
        };
        // One with an @, from a certificate or another attribute, could make the key of somebody else.
        let realm = realm.filter(|realm| !realm.as_bytes().contains(&b'@'));
        let key = realms.key_of(&account, realm.as_deref(), &original);
        let sort = match form {
            NameForm::Hardware => NameSort::Hardware,
            _ if account.ends_with('$') => NameSort::Machine,
            _ => NameSort::Person,
        };
        Ok(Some((UserName { original, account, realm, form, sort, key }, flaw)))
    }
}

/// Whether a name that somebody typed or followed a link to is one user's in any reading: of letters, digits and `.`,
/// `_`, `-`, `@`. Any other may be a key as well, in which what is no clean text is escaped, with a backslash that would
/// be read as the one behind a domain: look first whether there is a user of exactly that key.
pub fn is_unambiguous(name: &str) -> bool {
    name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-@".contains(&octet))
}

/// `alice` and `alice@contoso.example`, as most names are: account, realm and form as [`Parts::of`] finds them. `None` if
/// anything in it may begin another form, or is to be cut off.
fn usual(name: &str) -> Option<(Cow<'_, str>, Option<Cow<'_, str>>, NameForm)> {
    const IS_USUAL: [bool; 256] = {
        let mut usual = [false; 256];
        let mut octet = b'!';
        while octet <= b'~' {
            usual[octet as usize] = !matches!(octet, b'=' | b'/' | b'\\');
            octet += 1;
        }
        usual
    };
    if !name.bytes().all(|octet| IS_USUAL[usize::from(octet)]) || hardware(name).is_some() {
        return None;
    }
    let (account, realm) = match name.bytes().rposition(|octet| octet == b'@') {
        Some(at) if at > 0 => (&name[..at], &name[at + 1..]),
        _ => (name, ""),
    };
    let realm = realm.strip_suffix('.').unwrap_or(realm);
    Some(match realm {
        "" => (account.into(), None, NameForm::Plain),
        realm => (account.into(), Some(realm.into()), NameForm::Principal),
    })
}

/// A name taken apart, still octets: all separators are ASCII, and what is escaped for showing must not be split.
struct Parts<'a> {
    account: Cow<'a, [u8]>,
    realm: Option<Cow<'a, [u8]>>,
    form: NameForm,
}

impl<'a> Parts<'a> {
    /// Everything but certificate subjects. `name` is not empty.
    fn of(name: &'a [u8]) -> Parts<'a> {
        // Twelve digits in a row may be a person's name; with separators they are a hardware address.
        let separated = name.len() > 12;
        if let Some([a, b, c, d, e, f]) = Some(name).filter(|_| separated).and_then(hardware_octets) {
            // In one form, so that a device has one key.
            let text = format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
            let account = Cow::Owned(text.into_bytes());
            return Parts { account, realm: None, form: NameForm::Hardware };
        }
        let (domain, rest) = match down_level(name) {
            Some((domain, account)) => (Some(domain), account),
            None => (None, name),
        };
        // The realm behind the last @ is more exact than the domain before the backslash.
        let (account, suffix) = match rest.iter().rposition(|octet| *octet == b'@') {
            Some(at) if at > 0 => (&rest[..at], Some(realm_octets(&rest[at + 1..]))),
            _ => (rest, None),
        };
        let suffix = suffix.filter(|realm| !realm.is_empty());
        let form = match (suffix, domain) {
            (Some(_), _) => NameForm::Principal,
            (None, Some(_)) => NameForm::DownLevel,
            (None, None) => NameForm::Plain,
        };
        // `.` is the VPN server itself.
        let realm = suffix.or(domain.filter(|domain| !matches!(*domain, b"" | b".")));
        if let Some((computer, of_computer)) = computer(account) {
            let account = Cow::Owned([computer, b"$"].concat());
            return Parts { account, realm: realm.or(of_computer).map(Cow::Borrowed), form: NameForm::Host };
        }
        Parts { account: Cow::Borrowed(account), realm: realm.map(Cow::Borrowed), form }
    }
}

/// Name and DNS suffix of `host/pc7.contoso.example`.
fn computer(account: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (prefix, name) = account.split_at_checked(5)?;
    if !prefix.eq_ignore_ascii_case(b"host/") || name.is_empty() {
        return None;
    }
    match name.iter().position(|octet| *octet == b'.') {
        Some(at) if at > 0 => {
            Some((&name[..at], Some(realm_octets(&name[at + 1..])).filter(|realm| !realm.is_empty())))
        }
        _ => Some((name, None)),
    }
}

/// `DOMAIN\account`, or `DOMAIN/account` with one slash. A domain holds no `@`, else two users could share a key.
fn down_level(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = name.iter().position(|octet| *octet == b'\\').or_else(|| {
        let at = name.iter().position(|octet| *octet == b'/')?;
        let is_domain =
            at > 0 && !name[..at].eq_ignore_ascii_case(b"host") && !name[at + 1..].contains(&b'/');
        is_domain.then_some(at)
    })?;
    let (domain, account) = (&name[..at], &name[at + 1..]);
    (!account.is_empty() && !domain.contains(&b'@')).then_some((domain, account))
}

/// A realm without the blanks around it and the dot at its end.
fn realm_octets(realm: &[u8]) -> &[u8] {
    let realm = trimmed(realm);
    realm.strip_suffix(b".").unwrap_or(realm)
}

fn shown(octets: Cow<'_, [u8]>) -> Cow<'_, str> {
    match octets {
        Cow::Borrowed(octets) => printable(octets).0,
        Cow::Owned(octets) => Cow::Owned(printable(&octets).0.into_owned()),
    }
}

#[cfg(test)]
mod tests;
