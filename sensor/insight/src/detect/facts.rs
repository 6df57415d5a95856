//! What every detection asks for one connection, looked up once: its values, how they stand in the user's profile and
//! among all, and where the user was last.

use super::{
    adoption::{Adoption, Adoptions},
    assessment::{EXPECTED_MAX, Expected, Measure, Reason, ReasonFeature, Standing},
    connection::{Connection, Cover},
    people::{Person, Slot, country_key, device_key},
    rhythm::Rhythm,
    threshold::Thresholds,
};
use crate::profile::{Everybody, Feature, Known, Learned, Prefix, Profile, Profiles, Tallies, Tally, Value};

const FEATURES: usize = Feature::ALL.len();

/// See above.
pub(super) struct Facts<'f> {
    pub(super) connection: &'f Connection<'f>,
    pub(super) profile: Option<Profile<'f>>,
    pub(super) everybody: Everybody<'f>,
    pub(super) values: [Option<Value<'f>>; FEATURES],
    pub(super) known: [Known; FEATURES],
    pub(super) tallies: Tallies,
    pub(super) is_learned: bool,
    pub(super) unix_s: u32,
    pub(super) user: u64,
    /// Where the user was last; `None`: not known.
    pub(super) person: Option<Person>,
    pub(super) cover: Cover,
    pub(super) adoptions: &'f Adoptions,
    pub(super) rhythm: &'f Rhythm,
    pub(super) thresholds: &'f Thresholds,
}

impl<'f> Facts<'f> {
    pub(super) fn of(
        connection: &'f Connection<'f>,
        profiles: &'f Profiles,
        person: Option<Person>,
        user: u64,
        (adoptions, rhythm, thresholds): (&'f Adoptions, &'f Rhythm, &'f Thresholds),
    ) -> Facts<'f> {
        let everybody = profiles.everybody();
        let values = values(connection);
        let mut known = [Known::default(); FEATURES];
        for ((known, value), feature) in known.iter_mut().zip(values).zip(Feature::ALL) {
            if let Some(value) = value {
                *known = everybody.known(feature, value);
            }
        }
        let profile = profiles.get(connection.user);
        let tallies = profile.map(|profile| profile.tallies(&known)).unwrap_or_default();
        let unix_s = connection.start_unix_s();
        let learning = thresholds.learning();
        let is_learned = profile.is_some_and(|profile| profile.learned(unix_s, learning) == Learned::Yes);
        let cover = if connection.spot.is_own { Cover::None } else { Cover::of(connection.spot.kinds) };
        Facts {
            connection,
            profile,
            everybody,
            values,
            known,
            tallies,
            is_learned,
            unix_s,
            user,
            person,
            cover,
            adoptions,
            rhythm,
            thresholds,
        }
    }

    pub(super) fn tally(&self, feature: Feature) -> &Tally {
        self.tallies.of(feature)
    }

    pub(super) fn value(&self, feature: Feature) -> Option<Value<'f>> {
        self.values[feature as usize]
    }

    /// Whether there is a value, and the user never had it within the thirty days.
    pub(super) fn is_new(&self, feature: Feature) -> bool {
        self.value(feature).is_some() && self.tally(feature).days == 0
    }

    /// Whether the user had this value on so many days.
    pub(super) fn is_known(&self, feature: Feature, days: u32) -> bool {
        self.value(feature).is_some() && self.tally(feature).days >= days
    }

    /// Whether the value is one of the user's own for rules.
    pub(super) fn is_usual(&self, feature: Feature) -> bool {
        self.is_known(feature, self.thresholds.usual_days.max(1))
    }

    /// Other users who have the value.
    pub(super) fn others(&self, feature: Feature) -> u32 {
        let users = self.known[feature as usize].share.users;
        users.saturating_sub(u32::from(self.tally(feature).days > 0))
    }

    /// Whether the first connection of all was so many days ago.
    pub(super) fn is_organisation_learned(&self, days: u16) -> bool {
        let first = self.adoptions.first;
        first != 0 && self.unix_s >= first.saturating_add(u32::from(days) * 86_400)
    }

    /// Days of the thirty on which the user connected.
    pub(super) fn days(&self) -> u32 {
        self.profile.map_or(0, |profile| profile.days())
    }

    /// Of the user's connections within the thirty days, the part that told no device: 0 to 1; 1 without any.
    pub(super) fn deviceless(&self) -> f64 {
        let Some(profile) = self.profile else { return 1.0 };
        let (with, all) = (profile.connections_with(Feature::Device).0, profile.connections());
        f64::from(all.saturating_sub(with)) / f64::from(all.max(1))
    }

    /// Of all users, the part that the others who have the value are: 0 to 1. A few users that do not exist keep small
    /// organisations from extremes.
    pub(super) fn share(&self, feature: Feature) -> f64 {
        let users = self.everybody.users() as f64;
        (f64::from(self.others(feature)) / (users + 5.0)).min(1.0)
    }

    pub(super) fn adoption(&self, feature: Feature) -> Adoption {
        self.value(feature)
            .map_or(Adoption::default(), |value| self.adoptions.of(feature, value, self.user, self.unix_s))
    }

    /// Whether the network hides its users, and is not one that the organisation itself goes through.
    pub(super) fn is_cover_own(&self, share: f64, users: u32) -> bool {
        [Feature::Network, Feature::Kinds]
            .into_iter()
            .all(|feature| self.others(feature) >= users && self.share(feature) >= share)
    }

    /// Whether the user is known to use networks with this cover; or was in this part of the network when no database
    /// knew what it is.
    pub(super) fn is_cover_usual(&self) -> bool {
        self.tally(Feature::Kinds).days > 0
            || self.is_usual(Feature::Prefix)
            || self.profile.is_some_and(|profile| {
                let is_it = |value| matches!(value, Value::Kinds(kinds) if Cover::of(kinds) >= self.cover);
                profile.values(Feature::Kinds).iter().any(|usual| is_it(usual.value))
            })
    }

    /// Of an earlier session that outlived the thirty days: whether it was in this country, network, on this device.
    pub(super) fn remembers(&self, feature: Feature) -> bool {
        let spot = &self.connection.spot;
        let slots = self.person.iter().flat_map(|person| &person.slots);
        let mut slots = slots
            .filter(|slot| slot.is_there() && !slot.is_suspect() && !slot.is_of(self.connection.session));
        match feature {
            Feature::Country => {
                let country = country_key(spot.country);
                country != 0 && slots.any(|slot| slot.country == country)
            }
            Feature::Network => spot.asn.is_some_and(|asn| slots.any(|slot| slot.asn == asn)),
            Feature::Device => {
                let device = device_key(self.connection.device);
                device != 0 && slots.any(|slot| slot.device == device)
            }
            _ => false,
        }
    }

    /// Earlier sessions that are the user's as far as is known.
    fn earlier(&self) -> impl Iterator<Item = &Slot> {
        let slots = self.person.iter().flat_map(|person| &person.slots);
        slots.filter(|slot| slot.is_there() && !slot.is_suspect() && !slot.is_of(self.connection.session))
    }

    /// Seconds since the user's last sign of life; `None`: there was none, or a session seems to run, or this one was
    /// assessed before.
    pub(super) fn away_s(&self) -> Option<u32> {
        let mut slots = self.person.iter().flat_map(|person| &person.slots);
        if slots.any(|slot| slot.is_of(self.connection.session)) {
            return None;
        }
        let open_s = self.thresholds.open_s;
        let is_running = |slot: &Slot| slot.is_open() && self.unix_s < slot.alive.saturating_add(open_s);
        if self.earlier().any(is_running) {
            return None;
        }
        let alive = self.earlier().map(|slot| slot.alive).max();
        let last = alive.max(self.profile.map(|profile| profile.last_unix_s())).filter(|last| *last > 0)?;
        self.unix_s.checked_sub(last)
    }

    /// The same where it is to be learned from: not behind a session of less than `flap_s`, since a line that flaps all
    /// day is no rhythm.
    pub(super) fn counted_away_s(&self) -> Option<u32> {
        let last = self.earlier().max_by_key(|slot| slot.alive)?;
        self.away_s().filter(|_| last.alive - last.start() >= self.thresholds.flap_s)
    }

    /// The user has this value of old, and had another one the last time.
    pub(super) fn is_back(&self, feature: Feature) -> bool {
        let (Some(profile), Some(value)) = (self.profile, self.value(feature)) else { return false };
        self.tally(feature).days > 0
            && self.tally(feature).values > 1
            && profile.newest(feature).is_some_and(|newest| newest != value)
    }

    /// How the value of a feature stands with the user.
    fn standing(&self, feature: Feature) -> Standing {
        let known = self.profile.zip(self.value(feature));
        match known.and_then(|(profile, value)| profile.value(feature, value)) {
            Some(usual) if self.is_back(feature) => Standing::Left { last_unix_s: usual.last_unix_s },
            Some(_) => Standing::Known,
            None if self.remembers(feature) => Standing::Known,
            None => Standing::New,
        }
    }

    /// A reason with what is usual for a feature.
    pub(super) fn reason(
        &self,
        detection: super::assessment::Detection,
        feature: Option<Feature>,
        log_ratio: f64,
        seen: String,
    ) -> Reason {
        let expected = feature.map(|feature| self.expected(feature)).unwrap_or_default();
        Reason {
            detection,
            feature: feature.map(ReasonFeature::from),
            log_ratio,
            user: self.connection.user.to_owned(),
            seen,
            standing: feature.map(|feature| self.standing(feature)).unwrap_or_default(),
            users: feature.map_or(0, |feature| self.others(feature)),
            expected,
            measure: Measure::None,
            way: None,
            alert: None,
        }
    }

    /// The user's most usual values.
    pub(super) fn expected(&self, feature: Feature) -> Vec<Expected> {
        let Some(profile) = self.profile else { return Vec::new() };
        let usual = profile.values(feature);
        let usual = usual.iter().take(EXPECTED_MAX).map(|usual| Expected {
            value: self.text(usual.value),
            connections: usual.connections,
            days: usual.days,
            last_unix_s: usual.last_unix_s,
        });
        usual.collect()
    }

    /// A value as people read it. The organisation's name is known for the network that was seen only.
    pub(super) fn text(&self, value: Value<'_>) -> String {
        let spot = &self.connection.spot;
        match value {
            Value::Text(text) => text.to_owned(),
            Value::Network(asn) if spot.asn == Some(asn) => self.network(),
            Value::Network(asn) => format!("AS{asn}"),
            Value::Kinds(kinds) => kinds.to_string(),
            Value::Prefix(prefix) => prefix.to_string(),
        }
    }

    /// The value that was seen.
    pub(super) fn seen(&self, feature: Feature) -> String {
        self.value(feature).map(|value| self.text(value)).unwrap_or_default()
    }

    /// `AS64500 Example Hosting`.
    pub(super) fn network(&self) -> String {
        let spot = &self.connection.spot;
        match (spot.asn, spot.organisation) {
            (Some(asn), Some(organisation)) => format!("AS{asn} {organisation}"),
            (Some(asn), None) => format!("AS{asn}"),
            (None, Some(organisation)) => organisation.to_owned(),
            (None, None) => "an unknown network".to_owned(),
        }
    }

    /// `Lyon, Rhone, FR (AS3215 Orange)`.
    pub(super) fn whereabouts(&self) -> String {
        let spot = &self.connection.spot;
        let place = spot.place.or(spot.country).unwrap_or("an unknown place");
        format!("{place} ({})", self.network())
    }

    /// Another session of the user that seems to run now, elsewhere or on another device. One in the same network counts
    /// only where this part of it is new: who comes back from home has lost an end. Nor does one that raised an alert.
    pub(super) fn open_elsewhere(&self) -> Option<Slot> {
        let device = device_key(self.connection.device);
        let open_s = self.thresholds.open_s;
        let is_at_home = self.tally(Feature::Prefix).days > 0;
        let slots = self.person.iter().flat_map(|person| person.slots);
        slots
            .filter(|slot| slot.is_there() && slot.is_open() && !slot.is_suspect())
            .filter(|slot| !slot.is_of(self.connection.session))
            .filter(|slot| (slot.alive..slot.alive.saturating_add(open_s)).contains(&self.unix_s))
            .filter(|slot| device == 0 || slot.device != device)
            .find(|slot| !(is_at_home && self.connection.spot.asn == Some(slot.asn)))
    }
}

pub(super) fn values<'a>(connection: &Connection<'a>) -> [Option<Value<'a>>; FEATURES] {
    let spot = &connection.spot;
    let has_place = !spot.anycast;
    let kinds = (!spot.kinds.is_empty()).then_some(Value::Kinds(spot.kinds));
    let prefix = connection.remote.map(|address| Value::Prefix(Prefix::of(address, spot.asn)));
    Feature::ALL.map(|feature| match feature {
        Feature::Country => spot.country.filter(|_| has_place).map(Value::Text),
        Feature::Place => spot.place.filter(|_| has_place).map(Value::Text),
        Feature::Network => spot.asn.map(Value::Network),
        Feature::Kinds => kinds,
        Feature::Device => connection.device.map(Value::Text),
        Feature::Software => connection.software.map(Value::Text),
        Feature::Server => connection.server.map(Value::Text),
        Feature::Prefix => prefix,
    })
}
