//! The sessions of one id as they are written down: what its sessions and facts say of the user, the addresses and the
//! device stands there once, and they point to it. It is the greater part of a snapshot; read back it shares its memory
//! as before. Called by serde for snapshots only.

use serde::{Deserialize, Serialize, Serializer};

use super::{
    Details, Session,
    fact::Fact,
    history::{History, Rewind},
};

/// On the way out.
#[derive(Serialize)]
struct Written<'a> {
    details: Vec<&'a Details>,
    /// Of the sessions, those settled, and the facts, in this order: which of the details is theirs, from 1; 0: none.
    which: Vec<u8>,
    sessions: &'a [Session],
    rewind: Option<(&'a [Session], &'a [Fact])>,
    settled_until: u64,
}

/// On the way in.
#[derive(Deserialize)]
pub(super) struct Read {
    details: Vec<Details>,
    which: Vec<u8>,
    sessions: Vec<Session>,
    rewind: Option<(Vec<Session>, Vec<Fact>)>,
    settled_until: u64,
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rewind = self.rewind.as_deref().map(|rewind| (&rewind.settled[..], &rewind.pending[..]));
        let (settled, pending) = rewind.unwrap_or_default();
        let of_sessions = self.sessions.iter().chain(settled).map(|session| Some(&session.details));
        let of_facts = pending.iter().map(|fact| fact.details.as_ref());
        let mut details: Vec<&Details> = Vec::new();
        let mut which = Vec::with_capacity(self.sessions.len() + settled.len() + pending.len());
        for one in of_sessions.chain(of_facts) {
            let number = one.map_or(0, |one| {
                // Equal ones are one, whether or not they share their memory: equal states give equal octets.
                let at = details.iter().position(|other| *other == one).unwrap_or_else(|| {
                    details.push(one);
                    details.len() - 1
                });
                at + 1
            });
            which.push(u8::try_from(number).map_err(serde::ser::Error::custom)?);
        }
        let (sessions, settled_until) = (&self.sessions[..], self.settled_until);
        Written { details, which, sessions, rewind, settled_until }.serialize(serializer)
    }
}

impl TryFrom<Read> for History {
    type Error = &'static str;

    fn try_from(read: Read) -> Result<History, &'static str> {
        let Read { details, which, mut sessions, rewind, settled_until } = read;
        let mut which = which.into_iter().map(usize::from);
        let mut next = || {
            let number = which.next().ok_or("too few pointers to details")?;
            let one = number.checked_sub(1).map(|at| details.get(at).ok_or("details that are not there"));
            one.transpose().map(|one| one.cloned())
        };
        let mut rewind = rewind
            .map(|(settled, pending)| Box::new(Rewind { settled: settled.into(), pending: pending.into() }));
        let (settled, pending) =
            rewind.as_deref_mut().map(|rewind| (&mut rewind.settled, &mut rewind.pending)).unzip();
        for session in sessions.iter_mut().chain(settled.into_iter().flatten()) {
            session.details = next()?.ok_or("a session without details")?;
        }
        for fact in pending.into_iter().flatten() {
            fact.details = next()?;
        }
        Ok(History { sessions: sessions.into(), rewind, settled_until })
    }
}
