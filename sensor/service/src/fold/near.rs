//! A few records taken together. A million sessions fit into no cache, so that each record would wait for a dozen lines of
//! memory, one behind the other; looked at for all of them first, the lines come side by side. And most are interims that
//! repeat all but times and counters, which need no decoding.

use arrayvec::ArrayVec;
use insight::{
    detect::UserKey,
    vpn::{
        Event, Fingerprint, Interim, Status,
        session::{Repeated, Session, Sought},
    },
};
use journal::Record;

use super::{Fold, Resolve, Sort, ties::Tie};
use crate::event::received;

/// So many records are looked at before the first of them is taken: enough that looks at memory go side by side, few
/// enough that their events stay in the nearest cache. Not tuned further.
pub(crate) const NEAR: usize = 16;

/// A record before it is taken.
#[expect(
    clippy::large_enum_variant,
    reason = "sixteen of them stay where they are made; to allocate each costs more"
)]
enum Ahead<'r> {
    /// An Interim-Update that repeats one before it.
    Repeated(Interim, Repeated),
    /// Any other; `None` for what holds no request. By the fingerprint the next that repeats it is known.
    Decoded(Option<Event<'r>>, Fingerprint),
}

impl Fold {
    /// Takes records one behind the other until an outcome must be stored; tells how many. The same as [`Fold::take`] for
    /// each, and faster where there are many users: what a few records are about is brought near before the first of them
    /// is taken, since a million sessions fit into no cache, and what an interim repeats is not decoded again.
    pub fn take_some(&mut self, records: &[Record], resolve: &mut impl Resolve) -> usize {
        let mut taken = 0;
        for few in records.chunks(NEAR) {
            let interims: ArrayVec<Option<Interim>, NEAR> =
                few.iter().map(|record| self.interim(record)).collect();
            let repeated: ArrayVec<Option<Repeated>, NEAR> =
                interims.iter().map(|interim| self.sessions.repeated(interim.as_ref()?)).collect();
            // Where they are made they stay: 16 KiB.
            let mut ahead = ArrayVec::<Ahead<'_>, NEAR>::new();
            ahead.extend(few.iter().zip(interims).zip(repeated).map(|((record, interim), repeated)| match (
                interim, repeated,
            ) {
                (Some(interim), Some(repeated)) => Ahead::Repeated(interim, repeated),
                (interim, _) => {
                    let fingerprint = interim.map_or(Fingerprint::NONE, |interim| interim.fingerprint);
                    Ahead::Decoded(self.decoder.decode(&received(record)).ok(), fingerprint)
                }
            }));
            let sought = self.bring_near(&ahead);
            for ((record, ahead), sought) in few.iter().zip(&ahead).zip(sought) {
                if self.must_be_stored() {
                    return taken;
                }
                self.arrive(record, resolve);
                match ahead {
                    Ahead::Repeated(interim, repeated) => self.hear_repeated(record, interim, *repeated),
                    Ahead::Decoded(event, interim) => self.hear_decoded(event.as_ref(), (sought, *interim)),
                }
                self.follow(resolve);
                taken += 1;
            }
        }
        taken
    }

    /// The record as an interim of which only what changes is to be read. Not while a clock of its client is wrong: which
    /// VPN server's it is, decoding tells.
    fn interim(&self, record: &Record) -> Option<Interim> {
        let interim = self.decoder.interim(&received(record))?;
        self.clocks.are_right(&record.client, &interim.time, record.arrival_unix_ns).then_some(interim)
    }

    fn hear_repeated(&mut self, record: &Record, interim: &Interim, repeated: Repeated) {
        let is_right = self.clocks.are_right(&record.client, &interim.time, record.arrival_unix_ns);
        if !is_right || !self.sessions.take_interim(self.position, interim, repeated, &mut self.changes) {
            // The records before it changed what it was to repeat.
            let event = self.decoder.decode(&received(record)).ok();
            self.hear_decoded(event.as_ref(), (None, interim.fingerprint));
        }
    }

    /// Looks at everything that taking these will look at. One look waits for memory as long as the next; together they
    /// wait once.
    fn bring_near(&self, all: &[Ahead<'_>]) -> ArrayVec<Option<Sought>, NEAR> {
        let seek = |ahead: &Ahead<'_>| match ahead {
            Ahead::Decoded(event, _) => self.sessions.seek(event.as_ref()?),
            Ahead::Repeated(..) => None,
        };
        let sought: ArrayVec<Option<Sought>, NEAR> = all.iter().map(seek).collect();
        let peek = |(ahead, sought): (&Ahead<'_>, &Option<Sought>)| match ahead {
            Ahead::Decoded(event, _) => self.sessions.peek((*sought)?, event.as_ref()?),
            Ahead::Repeated(_, repeated) => self.sessions.peek_repeated(*repeated),
        };
        let sessions: ArrayVec<&Session, NEAR> = all.iter().zip(&sought).filter_map(peek).collect();
        let ties: ArrayVec<&Tie, NEAR> =
            sessions.iter().filter_map(|session| self.ties.peek(session.number)).collect();
        let near = |tie: &&&Tie| {
            let seen = self.sightings.bring_near(tie.user) ^ self.sightings.bring_near(tie.device);
            seen ^ tie.key.is_some_and(|user| self.detector.bring_near(user))
        };
        let texts = sessions.iter().filter(|session| session.details.user().is_some()).count();
        let known = all.iter().filter(|ahead| match ahead {
            Ahead::Decoded(event, _) => event.as_ref().is_some_and(|event| self.bring_person_near(event)),
            Ahead::Repeated(..) => false,
        });
        // What is looked at for its own sake must be looked at.
        std::hint::black_box((texts, ties.iter().filter(near).count(), known.count()));
        sought
    }

    /// What is asked of somebody who comes or goes, and of no sign of life in between.
    fn bring_person_near(&self, event: &Event<'_>) -> bool {
        let Some(user) = event.user.as_ref().filter(|_| matches!(event.status, Status::Start | Status::Stop))
        else {
            return false;
        };
        let is_known = self.learning.profiles.get(&user.key).is_some();
        if event.status != Status::Start {
            return is_known;
        }
        let device = event.device.as_deref().and_then(|device| self.sightings.find(Sort::Device, device));
        let seen = self.sightings.find(Sort::User, &user.key).is_some() ^ device.is_some();
        let place = event.remote.and_then(|remote| self.resolutions.get(remote.address));
        is_known ^ seen ^ place.is_some() ^ self.detector.bring_near(UserKey::of(&user.key))
    }
}
