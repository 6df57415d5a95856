//! A few records taken together. A million sessions fit into no cache, so that each record would wait for a dozen lines of
//! memory, one behind the other; looked at for all of them first, the lines come side by side.

use arrayvec::ArrayVec;
use insight::{
    detect::UserKey,
    vpn::{
        Event, Status,
        session::{Session, Sought},
    },
};
use journal::Record;

use super::{Fold, Resolve, Sort, ties::Tie};
use crate::event::received;

/// So many records are looked at before the first of them is taken: enough that looks at memory go side by side, few
/// enough that their events stay in the nearest cache. Not tuned further.
pub(crate) const NEAR: usize = 16;

impl Fold {
    /// Takes records one behind the other until an outcome must be stored; tells how many. The same as [`Fold::take`] for
    /// each, and faster where there are many users: what a few records are about is brought near before the first of them
    /// is taken, since a million sessions fit into no cache.
    pub fn take_some(&mut self, records: &[Record], resolve: &mut impl Resolve) -> usize {
        let mut taken = 0;
        for few in records.chunks(NEAR) {
            // Where they are made they stay: 16 KiB.
            let mut events = ArrayVec::<Option<Event<'_>>, NEAR>::new();
            events.extend(few.iter().map(|record| self.decoder.decode(&received(record)).ok()));
            let sought = self.bring_near(&events);
            for ((record, event), sought) in few.iter().zip(&events).zip(sought) {
                if self.must_be_stored() {
                    return taken;
                }
                self.take_decoded(record, event.as_ref(), sought, resolve);
                taken += 1;
            }
        }
        taken
    }

    /// Looks at everything that taking these events will look at. One look waits for memory as long as the next; together
    /// they wait once.
    fn bring_near(&self, events: &[Option<Event<'_>>]) -> ArrayVec<Option<Sought>, NEAR> {
        let all: ArrayVec<Option<Sought>, NEAR> =
            events.iter().map(|event| self.sessions.seek(event.as_ref()?)).collect();
        let peek = |(event, sought): (&Option<Event<'_>>, &Option<Sought>)| {
            self.sessions.peek((*sought)?, event.as_ref()?)
        };
        let sessions: ArrayVec<&Session, NEAR> = events.iter().zip(&all).filter_map(peek).collect();
        let ties: ArrayVec<&Tie, NEAR> =
            sessions.iter().filter_map(|session| self.ties.peek(session.number)).collect();
        let near = |tie: &&&Tie| {
            let seen = self.sightings.bring_near(tie.user) ^ self.sightings.bring_near(tie.device);
            seen ^ tie.key.is_some_and(|user| self.detector.bring_near(user))
        };
        let texts = sessions.iter().filter(|session| session.details.user().is_some()).count();
        let known = events.iter().flatten().filter(|event| self.bring_person_near(event)).count();
        // What is looked at for its own sake must be looked at.
        std::hint::black_box((texts, ties.iter().filter(near).count(), known));
        all
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
