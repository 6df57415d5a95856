//! A person goes out of the state. What is left is what would be there had nobody of that name ever come, but for session
//! numbers and counts, which stay what they were.

use super::{Fold, NOBODY, Sort};
use crate::forget::Person;

impl Fold {
    /// Takes out the sessions that are of the person or name the person, and those that are not seen any more.
    pub(crate) fn forget<'s>(&mut self, person: &Person, seen: impl IntoIterator<Item = (Sort, &'s str)>) {
        self.sessions.forget_person(|id, details| person.has_session(id, details));
        for (sort, name) in seen {
            self.sightings.forget(sort, name);
            if sort == Sort::User {
                self.learning.profiles.forget(name);
                self.detector.forget(name);
            }
        }
        self.learning.profiles.forget(person.key());
        self.detector.forget(person.key());
        // An alert about somebody else may name the person's device.
        self.alerts.forget(|text| person.is_in(text));
        self.forget_rejected();
        self.learning.profiles.forget_texts(|text| person.is_in(text));
        // The configuration's file is its owner's to clean; what is kept of it here is ours.
        self.meaning.detect.exclusions.retain(|exclusion| {
            exclusion.user.as_deref() != Some(person.key()) && !person.is_in(&exclusion.reason)
        });
        // Numbers of sightings mean something else from here on.
        self.ties.clear();
        self.sensor.1 = NOBODY;
    }
}
