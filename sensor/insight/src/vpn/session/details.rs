//! What requests of a session said besides times and volumes, in one allocation: there are a million of these, and an
//! interim looks through all of one. Plain data; part of [`Session`](super::Session).

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
    sync::Arc,
};

use arrayvec::ArrayVec;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::super::{ASSIGNED_MAX, Assigned, Event};

/// Texts of [`Details`]: user, user as sent, device, software, operating system, group.
const TEXTS: usize = 6;
/// Where among them the operating system is, with its version.
const SYSTEM: usize = 4;
/// Septets before the first address.
const HEAD: usize = 4 + 2 * TEXTS;
/// Beside the number of assigned addresses: the user is sent as the key is, most are, and that text is there once.
const SENT_AS_KEY: u8 = 0x40;
/// Beside the length of an assigned address: the highest bit of its prefix length, which goes up to 128.
const LONGEST_PREFIX: u8 = 0x40;
/// Most octets that two septets tell the end of.
const TEXTS_MAX: usize = (1 << 14) - 1;

/// What a session's requests said of it besides times and volumes. Absent in one request, it is filled from another.
/// Cheap to clone.
///
/// One text, so that its parts are texts: to look at octets until it is sure that they are text took 4 % of all
/// instructions from a request to its detections. What is no text in it is written in septets, each of which is a
/// character: length of the remote address in septets (0: none), number of assigned ones, two of where the texts begin, two
/// for each text of where it ends among them; the remote address; of each assigned one prefix length, length and septets;
/// then the texts one behind the other. An absent text is empty, since no decoded text is; what would end beyond 16 KiB is
/// absent. What is equal is equal octet by octet.
#[derive(Clone, PartialEq, Eq)]
pub struct Details(Arc<str>);

/// As it is written down.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    remote: Option<IpAddr>,
    assigned: Vec<Assigned>,
    #[serde(borrow)]
    texts: Cow<'a, str>,
    ends: [u16; TEXTS],
}

impl Details {
    /// The newest address outside the tunnel: it may change while the session lasts (MOBIKE).
    pub fn remote(&self) -> Option<IpAddr> {
        address(self.part(HEAD..HEAD + self.septet(0)).as_bytes())
    }

    /// Addresses inside the tunnel.
    pub fn assigned(&self) -> impl Iterator<Item = Assigned> {
        let mut rest = self.assigned_septets().as_bytes();
        std::iter::from_fn(move || {
            let (&[low, length], septets) = rest.split_first_chunk()?;
            let (septets, behind) = septets.split_at_checked(usize::from(length & !LONGEST_PREFIX))?;
            rest = behind;
            let prefix_length = low | (length & LONGEST_PREFIX) << 1;
            Some(Assigned { address: address(septets)?, prefix_length })
        })
    }

    /// The user's key; see [`UserName`](super::super::names::UserName).
    pub fn user(&self) -> Option<&str> {
        self.text(0)
    }

    /// The user's name as sent.
    pub fn user_original(&self) -> Option<&str> {
        self.text(1)
    }

    /// The device: a computer's name or a stable identifier.
    pub fn device(&self) -> Option<&str> {
        self.text(2)
    }

    /// The client software.
    pub fn software(&self) -> Option<&str> {
        self.text(3)
    }

    /// The client's operating system and its version.
    pub fn operating_system(&self) -> Option<&str> {
        self.text(SYSTEM)
    }

    /// Tunnel group, connection profile or user group.
    pub fn group(&self) -> Option<&str> {
        self.text(5)
    }

    /// Whether both are one in memory: equal without a look.
    pub fn is_same(&self, other: &Details) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn septet(&self, at: usize) -> usize {
        self.0.as_bytes().get(at).map_or(0, |septet| usize::from(*septet))
    }

    fn number(&self, at: usize) -> usize {
        self.septet(at) | self.septet(at + 1) << 7
    }

    fn part(&self, range: Range<usize>) -> &str {
        self.0.get(range).unwrap_or_default()
    }

    fn assigned_septets(&self) -> &str {
        self.part(HEAD + self.septet(0)..self.number(2))
    }

    fn end(&self, text: usize) -> usize {
        self.number(4 + 2 * text)
    }

    /// Empty where there is none.
    fn text_or_empty(&self, at: usize) -> &str {
        let is_sent_as_key = at == 1 && self.septet(1) & usize::from(SENT_AS_KEY) != 0;
        let at = if is_sent_as_key { 0 } else { at };
        let begin = at.checked_sub(1).map_or(0, |before| self.end(before));
        let first = self.number(2);
        self.part(first + begin..first + self.end(at))
    }

    fn text(&self, at: usize) -> Option<&str> {
        Some(self.text_or_empty(at)).filter(|text| !text.is_empty())
    }

    fn with(
        remote: Option<IpAddr>,
        assigned: impl IntoIterator<Item = Assigned>,
        given: [Option<&str>; TEXTS],
    ) -> Details {
        let is_sent_as_key = given[0].is_some() && given[0] == given[1];
        // For the remote one and one inside the tunnel.
        let mut addresses = String::with_capacity(2 * (2 + ADDRESS_SEPTETS_MAX));
        let remote = remote.map_or(0, |remote| put(&mut addresses, remote));
        let mut count = 0;
        for Assigned { address, prefix_length } in assigned.into_iter().take(ASSIGNED_MAX) {
            count += 1;
            let longest = (prefix_length & 0x80) >> 1;
            let (low, length) = (prefix_length & 0x7f, septets_of(address) as u8 | longest);
            addresses.extend([low, length].map(char::from));
            put(&mut addresses, address);
        }
        let texts = given.iter().flatten().map(|text| text.len()).sum::<usize>();
        let mut text = String::with_capacity(HEAD + addresses.len() + texts);
        text.extend([remote as u8, count | if is_sent_as_key { SENT_AS_KEY } else { 0 }].map(char::from));
        // Far below 16 KiB: a few addresses of 21 septets.
        text.extend(two_septets(HEAD + addresses.len()));
        let is_kept = |at: usize| at != 1 || !is_sent_as_key;
        let mut ends = 0;
        let kept = given.into_iter().enumerate().map(|(at, text)| {
            let text = text.filter(|text| is_kept(at) && ends + text.len() <= TEXTS_MAX).unwrap_or_default();
            ends += text.len();
            (text, ends)
        });
        let kept: ArrayVec<(&str, usize), TEXTS> = kept.collect();
        text.extend(kept.iter().flat_map(|(_, end)| two_septets(*end)));
        text.push_str(&addresses);
        text.extend(kept.iter().map(|(text, _)| *text));
        Details(text.into())
    }

    pub(super) fn of(event: &Event<'_>) -> Details {
        let system = event.operating_system_text();
        let texts = Details::texts_of(event, system.as_deref());
        Details::with(event.remote.map(|remote| remote.address), event.assigned.iter().copied(), texts)
    }

    fn texts_of<'e>(event: &'e Event<'_>, system: Option<&'e str>) -> [Option<&'e str>; TEXTS] {
        let user = event.user.as_ref();
        [
            user.map(|user| &*user.key),
            user.map(|user| &*user.original),
            event.device.as_deref(),
            event.software.as_deref(),
            system,
            event.group.as_deref(),
        ]
    }

    /// Whether the event says the same, without allocating: most interims do.
    pub(super) fn are_of(&self, event: &Event<'_>) -> bool {
        let mut texts = Details::texts_of(event, None).into_iter().enumerate();
        self.remote() == event.remote.map(|remote| remote.address)
            && self.assigned().eq(event.assigned.iter().copied())
            && self.is_system_of(event)
            && texts.all(|(at, text)| at == SYSTEM || is_text(self.text_or_empty(at), text))
    }

    /// Whether the operating system is what [`Event::operating_system_text`] makes of the event's.
    fn is_system_of(&self, event: &Event<'_>) -> bool {
        let text = self.text_or_empty(SYSTEM);
        match (event.operating_system.as_deref(), event.operating_system_version.as_deref()) {
            (Some(system), Some(version)) => {
                let behind = text.as_bytes().strip_prefix(system.as_bytes());
                behind.and_then(|behind| behind.strip_prefix(b" ")) == Some(version.as_bytes())
            }
            (system, version) => is_text(text, system.or(version)),
        }
    }

    /// Whether both can be of one user: nobody is told apart by a name that is not there.
    pub(super) fn may_share_user(&self, other: &Details) -> bool {
        let [one, other] = [self, other].map(|details| details.text_or_empty(0));
        one.is_empty() || other.is_empty() || one == other
    }

    /// Whether both can be of one connection.
    pub(super) fn may_share_addresses(&self, other: &Details) -> bool {
        let assigned = [self, other].map(Details::assigned_septets);
        agree(self.remote().as_ref(), other.remote().as_ref())
            && (assigned.iter().any(|septets| septets.is_empty()) || assigned[0] == assigned[1])
    }

    /// Fills what is absent in `newer` from `older`.
    pub(super) fn filled(newer: &Details, older: &Details) -> Details {
        if newer.is_same(older) || newer == older {
            return older.clone();
        }
        let assigned = if newer.assigned_septets().is_empty() { older } else { newer };
        let mut texts: [Option<&str>; TEXTS] =
            std::array::from_fn(|at| newer.text(at).or_else(|| older.text(at)));
        // Key and name are one thing.
        texts[1] = if newer.user().is_some() { newer.user_original() } else { older.user_original() };
        let filled = Details::with(newer.remote().or(older.remote()), assigned.assigned(), texts);
        if filled == *older { older.clone() } else { filled }
    }

    /// All texts one behind the other, and where each ends.
    fn texts(&self) -> (String, [u16; TEXTS]) {
        let mut texts = String::new();
        let ends = std::array::from_fn(|at| {
            texts.push_str(self.text_or_empty(at));
            texts.len().min(usize::from(u16::MAX)) as u16
        });
        (texts, ends)
    }
}

impl Default for Details {
    fn default() -> Details {
        Details::with(None, [], [None; TEXTS])
    }
}

/// Of an IPv6 address.
const ADDRESS_SEPTETS_MAX: usize = 128_usize.div_ceil(7);

fn septets_of(address: IpAddr) -> usize {
    if address.is_ipv4() { 32_usize.div_ceil(7) } else { ADDRESS_SEPTETS_MAX }
}

/// Appends an address; its length in septets.
fn put(text: &mut String, address: IpAddr) -> usize {
    let number = match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    };
    let septets = septets_of(address);
    text.extend((0..septets).map(|at| septet((number >> (7 * at)) as usize)));
    septets
}

fn address(septets: &[u8]) -> Option<IpAddr> {
    let number = septets.iter().rev().fold(0, |number: u128, septet| number << 7 | u128::from(*septet));
    match septets.len() {
        5 => Some(Ipv4Addr::from_bits(number as u32).into()),
        ADDRESS_SEPTETS_MAX => Some(Ipv6Addr::from_bits(number).into()),
        _ => None,
    }
}

/// The lowest seven bits.
fn septet(number: usize) -> char {
    char::from(number as u8 & 0x7f)
}

/// Up to [`TEXTS_MAX`].
fn two_septets(number: usize) -> [char; 2] {
    [septet(number), septet(number >> 7)]
}

fn is_text(known: &str, text: Option<&str>) -> bool {
    match text {
        // One that is there and empty is not one that is absent.
        Some(text) => !text.is_empty() && text == known,
        None => known.is_empty(),
    }
}

fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

impl PartialOrd for Details {
    fn partial_cmp(&self, other: &Details) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Details {
    fn cmp(&self, other: &Details) -> Ordering {
        (self.remote().cmp(&other.remote()))
            .then_with(|| self.assigned().cmp(other.assigned()))
            .then_with(|| self.texts().cmp(&other.texts()))
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("remote", &self.remote())
            .field("assigned", &self.assigned().collect::<Vec<_>>())
            .field("user", &self.user())
            .field("user_original", &self.user_original())
            .field("device", &self.device())
            .field("software", &self.software())
            .field("operating_system", &self.operating_system())
            .field("group", &self.group())
            .finish()
    }
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (texts, ends) = self.texts();
        let texts = texts.into();
        let (remote, assigned) = (self.remote(), self.assigned().collect());
        Written { remote, assigned, texts, ends }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Details {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Details, D::Error> {
        let Written { remote, assigned, texts, ends } = Written::deserialize(deserializer)?;
        let mut given = [None; TEXTS];
        let mut begin = 0;
        for (text, end) in given.iter_mut().zip(ends) {
            let known = texts.get(begin..usize::from(end));
            let known = known.ok_or_else(|| de::Error::custom("texts that do not end where they say"))?;
            *text = Some(known).filter(|text| !text.is_empty());
            begin = usize::from(end);
        }
        if assigned.len() > ASSIGNED_MAX || begin != texts.len() {
            return Err(de::Error::custom("more addresses or texts than one request has"));
        }
        Ok(Details::with(remote, assigned, given))
    }
}

#[cfg(test)]
mod tests;
