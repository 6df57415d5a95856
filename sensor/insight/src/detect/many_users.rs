//! **One address, many users**: passwords that were tried on many and fit some. T1110.004.
//!
//! Learning rule: the normal count of each address: the most users that were new to it within `users_per_address_days`
//! before, which an office or a hotel has had on an earlier occasion.
//!
//! An address is what one line has ([`Line`]): of IPv6 the /64, since each device there has an address of its own.
//!
//! Counted are users who connected on a day before, to whom the part of the network is new and whose device is new or not
//! known: colleagues with their laptops in one hotel are not ([`Assessment::is_stranger`]), nor is a connection of which
//! nobody wants to hear: it makes no address one of many, and is not the one too many. An alert where
//! `users_per_address_min` of them, and `users_per_address_times` the address's normal count, come within these days; again
//! at `users_per_address_again` times as many, not at each. High in a network with cover and from so many times as many on as
//! it takes, else medium. Whose alert it is, the address's and not each user's, is the caller's to know.
//!
//! An address that a person knows to be shared is not told of again ([`Detector::share`](super::Detector::share)), until
//! nobody new came from it for half a year.
//!
//! Bounds: 65,536 addresses that one such user came from, of 16 octets, found by hash: another one takes the place;
//! 4,096 that several came from, of which the one not used for longest leaves.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{
    assessment::{Assessment, Detection, Measure, ReasonFeature, Severity},
    connection::Cover,
    facts::Facts,
    line::Line,
    people::hash,
    threshold::Thresholds,
};
use crate::profile::Feature;

const SINGLES: u64 = 65_536;
const MANY_MAX: usize = 4_096;
/// Users of one address that are told apart; beyond, nobody needs to know how many.
const USERS_MAX: usize = 256;

/// What users came from which address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Addresses {
    /// The last user from an address, by 16 bits of its hash.
    singles: BTreeMap<u16, Single>,
    many: BTreeMap<u64, Many>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Single {
    address: u64,
    user: u32,
    day: u16,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Many {
    /// The first of its days.
    day: u16,
    users: Vec<u32>,
    /// The most of so many days before.
    usual: u16,
    /// The next alert is at so many.
    next: u16,
    judgement: Judgement,
}

/// What a person said of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Judgement {
    #[default]
    None,
    /// Strangers came from it: how many is no normal count.
    Strangers,
    /// Many share it.
    Shared,
}

/// What one more user of an address makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A person knows that many share the address.
    Shared,
    /// Not many, or one who was counted.
    Few,
    Many {
        count: u16,
        usual: u16,
        /// It is time for an alert.
        is_alert: bool,
        /// Many times as many as it takes.
        is_far_more: bool,
    },
}

impl Many {
    fn count(&self) -> u16 {
        self.users.len() as u16
    }

    /// More than so many are more than usual.
    fn enough(&self, thresholds: &Thresholds) -> f64 {
        f64::from(self.usual) * thresholds.users_per_address_times.max(1.0)
    }

    fn is_many(&self, thresholds: &Thresholds) -> bool {
        let count = self.count();
        u32::from(count) >= thresholds.users_per_address_min.max(2)
            && f64::from(count) > self.enough(thresholds)
    }
}

impl Addresses {
    /// One more user to whom an address is new.
    fn see(&mut self, address: u64, user: u32, day: u16, thresholds: &Thresholds) -> Seen {
        let place = (address % SINGLES) as u16;
        let days = thresholds.users_per_address_days.max(1);
        if !self.many.contains_key(&address) {
            let new = Single { address, user, day };
            let before = self.singles.insert(place, new);
            let before =
                before.filter(|before| before.address == address && day.saturating_sub(before.day) < days);
            let Some(before) = before.filter(|before| before.user != user) else { return Seen::Few };
            self.singles.remove(&place);
            self.make_room();
            let many = Many { day: before.day, users: vec![before.user], ..Many::default() };
            self.many.insert(address, many);
        }
        let Some(many) = self.many.get_mut(&address) else { return Seen::Few };
        if day.saturating_sub(many.day) >= days {
            if many.judgement != Judgement::Strangers {
                many.usual = many.usual.max(many.users.len() as u16);
            }
            (many.day, many.next) = (day, 0);
            many.users.clear();
        }
        if many.judgement == Judgement::Shared {
            return Seen::Shared;
        }
        if many.users.contains(&user) || many.users.len() >= USERS_MAX {
            return Seen::Few;
        }
        many.users.push(user);
        if !many.is_many(thresholds) {
            return Seen::Few;
        }
        let (count, usual) = (many.count(), many.usual);
        let least = thresholds.users_per_address_min.max(2);
        let again = thresholds.users_per_address_again.max(1.0);
        let enough = many.enough(thresholds);
        let is_alert = count >= many.next;
        if is_alert {
            many.next = (f64::from(count) * again).ceil() as u16;
        }
        let is_far_more = f64::from(count) >= again * f64::from(least) && f64::from(count) > again * enough;
        Seen::Many { count, usual, is_alert, is_far_more }
    }

    /// What one user more finds who is not counted.
    fn peek(&self, address: u64, user: u32, day: u16, thresholds: &Thresholds) -> Seen {
        let days = thresholds.users_per_address_days.max(1);
        let Some(many) = self.many.get(&address) else { return Seen::Few };
        if many.judgement == Judgement::Shared {
            return Seen::Shared;
        }
        let is_told = day.saturating_sub(many.day) < days && !many.users.contains(&user);
        match is_told && many.is_many(thresholds) {
            true => {
                Seen::Many { count: many.count(), usual: many.usual, is_alert: false, is_far_more: false }
            }
            false => Seen::Few,
        }
    }

    /// What a person says of an address.
    pub(super) fn judge(&mut self, address: IpAddr, day: u16, judgement: Judgement) {
        let key = key(address);
        if !self.many.contains_key(&key) {
            self.make_room();
            self.many.insert(key, Many { day, ..Many::default() });
        }
        if let Some(many) = self.many.get_mut(&key) {
            (many.judgement, many.next) = (judgement, 0);
            if judgement == Judgement::Strangers {
                many.usual = 0;
            }
        }
    }

    /// What a person said goes last.
    fn make_room(&mut self) {
        if self.many.len() >= MANY_MAX {
            let oldest = self.many.iter().min_by_key(|(_, many)| (many.judgement, many.day));
            oldest.map(|(address, _)| *address).map(|address| self.many.remove(&address));
        }
    }

    /// A day is over; users of so many days are counted together.
    pub(super) fn forget_old(&mut self, day: u16, days: u16) {
        self.singles.retain(|_, single| day.saturating_sub(single.day) < days.max(1));
        self.many.retain(|_, many| day.saturating_sub(many.day) < 180);
    }

    /// The clock was ahead: nobody came from that day on. What a person said of an address stays.
    pub(super) fn forget_from(&mut self, end: u16) {
        self.singles.retain(|_, single| single.day < end);
        self.many.retain(|_, many| many.day < end || many.judgement != Judgement::None);
        for many in self.many.values_mut().filter(|many| many.day >= end) {
            (many.day, many.next) = (end.saturating_sub(1), 0);
            many.users.clear();
        }
    }

    /// A user is forgotten.
    pub(super) fn forget(&mut self, user: u64) {
        let user = user as u32;
        self.singles.retain(|_, single| single.user != user);
        self.many.values_mut().for_each(|many| many.users.retain(|other| *other != user));
    }
}

pub(super) fn assess(
    facts: &Facts<'_>,
    addresses: &mut Addresses,
    thresholds: &Thresholds,
    assessment: &mut Assessment,
) {
    let Some(remote) = facts.connection.remote.filter(|_| !facts.connection.spot.is_own) else { return };
    let is_stranger = facts.value(Feature::Device).is_none()
        || facts.is_new(Feature::Device) && !facts.remembers(Feature::Device);
    let is_experienced = facts.tally(Feature::Prefix).all_days > 0;
    if !facts.is_new(Feature::Prefix) || !is_stranger || !is_experienced {
        return;
    }
    let day = (facts.unix_s / 86_400) as u16;
    let (address, user) = (key(remote), facts.user as u32);
    let seen = match facts.connection.is_excluded {
        true => addresses.peek(address, user, day, thresholds),
        false => addresses.see(address, user, day, thresholds),
    };
    assessment.is_stranger = seen != Seen::Shared;
    let Seen::Many { count, usual, is_alert, is_far_more } = seen else { return };
    let is_high = facts.cover != Cover::None || is_far_more;
    let severity = if is_high { Severity::High } else { Severity::Medium };
    let seen = format!("{}, {}", Line::of(remote), facts.network());
    let weight = thresholds.weight_of_users_per_address;
    let mut reason = facts.reason(Detection::OneAddressManyUsers, None, weight, seen);
    reason.feature = Some(ReasonFeature::Prefix);
    let days = thresholds.users_per_address_days.max(1);
    reason.measure = Measure::Users { seen: count, usual, days };
    assessment.add(reason, is_alert.then_some(severity));
}

fn key(address: IpAddr) -> u64 {
    hash(2, Line::of(address).to_string().as_bytes())
}
