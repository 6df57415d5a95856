//! Abnormal VPN connections: what was expected, what was seen, how sure. Pure: no clock, no file; equal calls give equal
//! assessments. The service hands in every connection of a person once its place is known ([`Detector::opened`]), before
//! the profile learns it, what becomes of it ([`Detector::alive`], [`Detector::moved`], [`Detector::ended`]), Stops that no
//! session began with ([`Detector::stop_without_start`]), and the time ([`Detector::advance`]).
//!
//! Whether a connection is learned is the caller's: an open alert's is not ([`Assessment::is_alert`]) until a person closes
//! it as usual, and [`Profiles::unlearn`] takes back what was learned of one that turns out to be a stranger's.
//!
//! What is kept here is small and bounded; each file says by what, and what happens then.
//!
//! | file | what lives there |
//! |---|---|
//! | `connection` | [`Connection`], [`Spot`]: what comes in |
//! | `assessment` | [`Assessment`], [`Reason`], [`Detection`]: what comes out |
//! | `text` | sentences of it |
//! | `threshold` | [`Thresholds`], [`Model`] |
//! | `facts` | what every detection asks, looked up once |
//! | `score` | suspicious VPN connection: the likelihood ratio |
//! | `travel`, `simultaneous`, `moved` | two places |
//! | `first_country`, `cover`, `new_pair`, `dormant` | rules about one connection |
//! | `spread` | volume and length, at the end |
//! | `many_users` | one address, many users |
//! | `line` | what counts as one address |
//! | `accounting` | Stops without a Start |
//! | `people` | where each user was last |
//! | `rhythm` | after how long people connect again |
//! | `adoption` | what many begin to use these days, and what is first for all |
//! | `snapshot` | all of it as octets, and back |

mod accounting;
mod adoption;
mod assessment;
mod connection;
mod cover;
mod dormant;
mod facts;
mod first_country;
mod line;
mod many_users;
mod moved;
mod new_pair;
mod people;
mod rhythm;
mod score;
mod simultaneous;
mod snapshot;
mod spread;
mod text;
mod threshold;
mod travel;
mod unlearned;

pub use assessment::{
    Assessment, Detection, EXPECTED_MAX, Expected, Measure, Reason, ReasonFeature, Severity, Standing, Way,
    WayEnd,
};
pub use connection::{Connection, Spot};
pub use line::Line;
pub use snapshot::SnapshotError;
pub use spread::{Ending, Told};
pub use threshold::{Model, Thresholds};

use std::{net::IpAddr, num::NonZeroU64};

use crate::profile::{Feature, Profiles, Today};
use accounting::Accounting;
use adoption::Adoptions;
use connection::seconds;
use facts::Facts;
use many_users::{Addresses, Judgement};
use people::{People, Slot, user_key};
use rhythm::Rhythm;

/// A user's key, made small: for whoever tells of the same user again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserKey(NonZeroU64);

impl UserKey {
    /// Of this user.
    pub fn of(user: &str) -> UserKey {
        UserKey(NonZeroU64::new(user_key(user)).unwrap_or(NonZeroU64::MIN))
    }
}

/// All detections, and what they remember.
#[derive(Debug, Default)]
pub struct Detector {
    thresholds: Thresholds,
    today: Today,
    people: People,
    adoptions: Adoptions,
    rhythm: Rhythm,
    addresses: Addresses,
    accounting: Accounting,
}

impl Detector {
    /// With nothing remembered.
    pub fn new(thresholds: Thresholds) -> Detector {
        Detector { thresholds, ..Detector::default() }
    }

    /// The thresholds that are in force.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Others, from the next connection on. Nothing that is remembered depends on them but whether alerts were raised, and
    /// whether the organisation is learned anew behind a long silence.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// Assesses a connection as of its beginning and remembers it. `profiles`: as they were before it. Asked again for the
    /// same session, when more is known of it, it answers for all that is known then.
    pub fn opened(&mut self, connection: &Connection<'_>, profiles: &Profiles) -> Assessment {
        self.assess_opened(connection, connection.start_unix_s(), profiles)
    }

    /// The same where a session also moved: `connection` with the new address and its place; `unix_ns`: when it was seen
    /// there first. Both are asked, and what both say counts once.
    pub fn moved_and_opened(
        &mut self,
        connection: &Connection<'_>,
        unix_ns: u64,
        profiles: &Profiles,
    ) -> Assessment {
        let (user, session) = (user_key(connection.user), connection.session);
        let moved = self.moved(connection, unix_ns, profiles);
        let is_suspect = self.people.session(user, session).is_some_and(|slot| slot.is_suspect());
        let there_s = seconds(unix_ns).max(connection.start_unix_s());
        let mut assessment = self.assess_opened(connection, there_s, profiles);
        for reason in moved.reasons {
            if !assessment.reasons.iter().any(|said| said.detection == reason.detection) {
                let alert = reason.alert;
                assessment.add(reason, alert);
            }
        }
        if is_suspect {
            self.people.suspect(user, session);
        }
        assessment.sort();
        assessment
    }

    /// `there_s`: when it was seen first where it is.
    fn assess_opened(
        &mut self,
        connection: &Connection<'_>,
        there_s: u32,
        profiles: &Profiles,
    ) -> Assessment {
        let user = user_key(connection.user);
        let unix_s = connection.start_unix_s();
        let mut slot = self.people.slot(connection, there_s);
        let person = self.people.get(user).copied();
        let usual = (&self.adoptions, &self.rhythm, &self.thresholds);
        let facts = Facts::of(connection, profiles, person, user, usual);
        let thresholds = &self.thresholds;
        let mut assessment = Assessment::default();
        score::assess(&facts, thresholds, &mut assessment);
        travel::assess(&facts, &slot, thresholds, &mut assessment);
        simultaneous::assess(&facts, &slot, thresholds, &mut assessment);
        cover::assess(&facts, thresholds, &mut assessment);
        first_country::assess(&facts, thresholds, &mut assessment);
        new_pair::assess(&facts, thresholds, &mut assessment);
        dormant::assess(&facts, thresholds, &mut assessment);
        if facts.is_usual(Feature::Device) || travel::is_usual(&facts) {
            slot.trust();
        }
        let is_in_time = self.is_in_time(unix_s);
        if is_in_time {
            many_users::assess(&facts, &mut self.addresses, thresholds, &mut assessment);
        }
        assessment.sort();
        let is_suspect = assessment.is_alert && !connection.is_excluded;
        if assessment.is_alert
            && person.is_some_and(|person| person.slots.iter().any(|before| slot.repeats(before)))
        {
            assessment.repeat(thresholds.repeated_part);
        }
        if is_suspect {
            slot.suspect();
        }
        if let Some(before) = self.people.session(user, connection.session) {
            slot.go_on_from(&before);
        }
        if is_in_time {
            let news = news(&facts);
            if facts.days() >= thresholds.counted_days && !is_suspect {
                let is_open = facts.open_elsewhere().is_some();
                let away_s = facts.counted_away_s();
                self.adoptions.count_open(user, is_open, unix_s);
                away_s.into_iter().for_each(|away_s| self.rhythm.count(away_s));
            }
            self.remember(user, unix_s, slot, &news, connection, is_suspect);
        }
        assessment
    }

    /// What raised an alert may be a stranger's, and strangers who try many users are no move of many. What is excluded is
    /// nobody's to look at: it counts as what raised none.
    fn remember(
        &mut self,
        user: u64,
        unix_s: u32,
        slot: Slot,
        news: &News,
        connection: &Connection<'_>,
        is_suspect: bool,
    ) {
        if self.adoptions.first == 0 {
            // A month may be told of at once, by its own clock.
            self.adoptions.first = unix_s;
        }
        let values = facts::values(connection);
        for (feature, (value, news)) in Feature::ALL.into_iter().zip(values.into_iter().zip(news)) {
            let Some((is_new, is_experienced)) = *news else { continue };
            if is_experienced && !is_suspect {
                self.adoptions.count(feature, user, is_new, unix_s);
            }
            let Some(value) = value else { continue };
            // Devices and prefixes are one person's: many do not begin to use one.
            if is_new && !is_suspect && !matches!(feature, Feature::Device | Feature::Prefix) {
                self.adoptions.adopt(feature, value, user, unix_s);
            }
        }
        self.people.keep(user, slot);
        if let Some(server) = connection.server {
            self.accounting.see(server, unix_s);
        }
    }

    /// A session was somebody else's, as a person found out: the user's own are not held against it any more.
    pub fn reject(&mut self, user: &str, session: u64) {
        self.people.reject(user_key(user), session);
    }

    /// A person says that this session, which raised an alert, was the user's own: what it says is trusted again. To be
    /// learned with [`Profiles::learn`].
    pub fn accept(&mut self, user: &str, session: u64) {
        self.people.accept(user_key(user), session);
    }

    /// A person says that many share this address, or its network of IPv6: it is not told of again.
    pub fn share(&mut self, address: IpAddr) {
        self.addresses.judge(address, self.today.day, Judgement::Shared);
    }

    /// A person says that strangers came from this address: the next user of these days to whom it is new is told of at
    /// once, and how many they were is not usual there.
    pub fn suspect(&mut self, address: IpAddr) {
        self.addresses.judge(address, self.today.day, Judgement::Strangers);
    }

    /// A session of this user gave a sign of life.
    pub fn alive(&mut self, user: UserKey, session: u64, unix_ns: u64) {
        let unix_s = seconds(unix_ns);
        if self.is_in_time(unix_s) {
            self.people.alive(user.0.get(), session, unix_s, true);
        }
    }

    /// Has what is kept of this user brought near: for whoever is about to ask for several, one behind the other.
    pub fn bring_near(&self, user: UserKey) -> bool {
        self.people.get(user.0.get()).is_some()
    }

    /// The address outside the tunnel changed: `connection` with the new one and its place; `unix_ns`: when it was seen
    /// there first.
    pub fn moved(&mut self, connection: &Connection<'_>, unix_ns: u64, profiles: &Profiles) -> Assessment {
        let mut assessment = Assessment::default();
        let user = user_key(connection.user);
        let unix_s = seconds(unix_ns);
        let person = self.people.get(user).copied();
        let Some(from) = self.people.session(user, connection.session) else { return assessment };
        let mut slot = self.people.slot(connection, unix_s);
        let usual = (&self.adoptions, &self.rhythm, &self.thresholds);
        let facts = Facts::of(connection, profiles, person, user, usual);
        moved::assess(&facts, &from, &slot, &self.thresholds, &mut assessment);
        assessment.sort();
        if (assessment.is_alert && !connection.is_excluded) || from.is_suspect() {
            slot.suspect();
        }
        if self.is_in_time(unix_s) {
            self.people.keep(user, slot);
        }
        assessment
    }

    /// A session is over. `profiles`: before they learn of it. What it says of another session of the user that ran at the
    /// same time is told here, if there was no proof of it when that began.
    pub fn ended(&mut self, ending: &Ending<'_>, profiles: &Profiles) -> Assessment {
        let mut assessment = Assessment::default();
        let unix_s = seconds(ending.end_unix_ns);
        if self.is_in_time(unix_s) {
            let user = user_key(ending.user);
            self.people.alive(user, ending.session, unix_s, false);
            if let Some(person) = self.people.get(user) {
                simultaneous::assess_end(ending, person, &self.thresholds, &mut assessment);
            }
        }
        self.assess_spread(ending, profiles, &mut assessment);
        assessment.sort();
        assessment
    }

    /// Whether [`Detector::going_on`] may have something to say of a session that is so large and lasts for so long.
    pub fn is_much(&self, octets: Option<u64>, seconds: u64) -> bool {
        let Thresholds { volume_octets_min, length_seconds_min, .. } = &self.thresholds;
        octets.is_some_and(|octets| octets >= *volume_octets_min) || seconds >= *length_seconds_min
    }

    /// A session that is not over gave a sign of life.
    pub fn going_on(&self, so_far: &Ending<'_>, profiles: &Profiles) -> Assessment {
        let mut assessment = Assessment::default();
        self.assess_spread(so_far, profiles, &mut assessment);
        assessment.sort();
        assessment
    }

    fn assess_spread(&self, ending: &Ending<'_>, profiles: &Profiles, assessment: &mut Assessment) {
        if let Some(profile) = profiles.get(ending.user) {
            spread::assess(ending, &profile, &self.thresholds, assessment);
        }
    }

    /// A Stop came for a session that never began, from this VPN server.
    pub fn stop_without_start(&mut self, server: &str, unix_ns: u64) -> Assessment {
        let mut assessment = Assessment::default();
        let unix_s = seconds(unix_ns);
        if self.is_in_time(unix_s) {
            self.accounting.stop(server, unix_s, &self.thresholds, &mut assessment);
        }
        assessment
    }

    /// Nothing was heard until then: a sensor was off, records were lost, the clock jumped. The last one told counts.
    pub fn gap(&mut self, until_unix_ns: u64) {
        self.accounting.gap(seconds(until_unix_ns));
    }

    /// Lets the time go on. To be called before the first connection, and every few minutes.
    pub fn advance(&mut self, now_unix_ns: u64) {
        let before = self.today.day;
        if self.today.advance(seconds(now_unix_ns)) {
            let now = u32::from(self.today.day) * DAY_S;
            if self.today.day < before {
                self.forget_ahead(now);
            } else if before != 0 {
                let learning_days = self.thresholds.organisation_learning_days;
                self.adoptions.go_over(u32::from(before) * DAY_S, now, learning_days);
            }
            self.people.begin_sweep(now);
            self.adoptions.forget_old(now);
            self.addresses.forget_old(self.today.day, self.thresholds.users_per_address_days);
        }
        self.people.sweep();
    }

    /// The clock was ahead: what seemed to happen from `now` on did not happen then, and nothing waits until it is.
    fn forget_ahead(&mut self, now: u32) {
        // As far ahead of the present as a connection may be: see `is_in_time`.
        let end = now.saturating_add(2 * DAY_S);
        self.people.forget_from(end);
        self.adoptions.forget_from(end);
        self.addresses.forget_from((end / DAY_S) as u16);
        self.accounting.forget_from(end, now);
    }

    /// Takes a user out, by key. Tells whether there was one.
    pub fn forget(&mut self, user: &str) -> bool {
        let user = user_key(user);
        self.addresses.forget(user);
        self.adoptions.forget(user);
        self.people.forget(user)
    }

    /// Users that are followed.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets that users take, about; everything else together is below 20 MB.
    pub fn octets(&self) -> usize {
        self.people.octets()
    }

    /// Whether a time can be right: within the window of the profiles, as they have it. What lies outside is assessed
    /// and not remembered: a VPN server's clock may say anything.
    fn is_in_time(&self, unix_s: u32) -> bool {
        let (day, today) = (unix_s / DAY_S, u32::from(self.today.day));
        (today.saturating_sub(29)..=today + 1).contains(&day)
    }
}

const DAY_S: u32 = 86_400;

/// For each feature that has a value: whether it is new to the user, and whether the user is known long enough for that
/// to mean something.
type News = [Option<(bool, bool)>; Feature::ALL.len()];

fn news(facts: &Facts<'_>) -> News {
    let least = facts.thresholds.counted_days;
    Feature::ALL.map(|feature| {
        if feature == Feature::Device {
            // None is a value too: where all Starts lack it, or begin to tell it, it says nothing of one.
            let is_new = match facts.value(feature) {
                Some(_) => facts.is_new(feature) && !facts.remembers(feature),
                None => facts.deviceless() < facts.thresholds.deviceless_part,
            };
            return Some((is_new, facts.days() >= least));
        }
        facts.value(feature)?;
        Some((facts.is_new(feature) && !facts.remembers(feature), facts.tally(feature).all_days >= least))
    })
}
