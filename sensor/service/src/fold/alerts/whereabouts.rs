//! What an open alert of a user keeps of its connections and of those beside it: where they came from and with what, each of
//! which is news once; those that closing it is to teach or to take back.

use insight::detect::{Assessment, Detection};

use super::Open;
use crate::alert::{CONNECTIONS_MAX, Connection, UNLISTED_MAX};

/// Connections beside an alert that taught the profile while it was open.
pub(super) const TAUGHT_MAX: usize = 64;
/// Sessions of an alert of which it is known that they taught nothing: of a month of an hour each, and no flood's.
pub(super) const UNTAUGHT_MAX: usize = 1024;

impl Open {
    /// Takes a connection among those of a user's alert.
    pub(super) fn list(&mut self, connection: Connection) {
        let alert = &mut self.alert;
        alert.last_unix_ns = alert.last_unix_ns.max(connection.start_unix_ns);
        // More came to be known of one that is here.
        let listed = alert.connections.iter().position(|listed| listed.session == connection.session);
        let unlisted = self.unlisted.iter().position(|unlisted| unlisted.session == connection.session);
        match (listed, unlisted) {
            (Some(at), _) => drop(alert.connections.remove(at)),
            (None, Some(at)) => drop(self.unlisted.remove(at)),
            (None, None) => alert.connection_count += 1,
        }
        alert.connections.insert(0, connection);
        while alert.connections.len() > CONNECTIONS_MAX
            && let Some(over) = alert.connections.pop()
        {
            // The newest stands for those that came from there with that: what is usual knows it then.
            let is_alike = |other: &Connection| whereabouts(other).eq(whereabouts(&over));
            self.unlisted.retain(|other| !is_alike(other));
            self.unlisted.push(over);
        }
        self.unlisted.drain(..self.unlisted.len().saturating_sub(UNLISTED_MAX));
    }

    /// A session teaches nothing. Beyond what is kept the oldest goes of which nothing is to be taught any more.
    pub(super) fn note_untaught(&mut self, session: u64) {
        self.untaught.insert(session);
        if self.untaught.len() > UNTAUGHT_MAX {
            let oldest = self.untaught.iter().copied().find(|session| !self.has(*session));
            oldest.map(|session| self.untaught.remove(&session));
        }
    }

    /// A connection beside the alert has taught the profile. Beyond what is kept the oldest goes that does not look as if it
    /// were the stranger's.
    pub(super) fn note_taught(&mut self, connection: Connection) {
        self.taught.push(connection);
        if self.taught.len() > TAUGHT_MAX {
            let own = self.taught.iter().position(|one| !self.is_successor(one));
            self.taught.remove(own.unwrap_or_default());
        }
    }
}

/// What of that is worth another word. The exits of whoever hides are many and say nothing: there the device alone.
pub(super) fn news_of(connection: &Connection, assessment: &Assessment) -> impl Iterator<Item = String> {
    use Detection::{AnonymousNetwork, HostingNetwork};
    let mut telling = assessment.reasons.iter().filter(|reason| reason.alert.is_some()).peekable();
    let is_hidden = telling.peek().is_some()
        && telling.all(|reason| matches!(reason.detection, AnonymousNetwork | HostingNetwork));
    whereabouts(connection).filter(move |key| !is_hidden || key.starts_with("with "))
}

/// Where a connection came from and with what, as keys: of each an alert tells once.
pub(super) fn whereabouts(connection: &Connection) -> impl Iterator<Item = String> {
    let Connection { country, place, asn, device, .. } = connection;
    let at = place.as_ref().or(country.as_ref()).map(|place| format!("at {place}"));
    let by = asn.map(|asn| format!("by AS{asn}"));
    let with = device.as_ref().map(|device| format!("with {device}"));
    at.into_iter().chain(by).chain(with)
}

#[cfg(test)]
mod tests;
