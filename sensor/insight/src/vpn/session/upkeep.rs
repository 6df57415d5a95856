//! What goes on beside the events: when to look at an id again, what fell silent, what is forgotten, and who makes room.
//! Called by [`Sessions`] only.

use std::{cmp::Reverse, sync::Arc};

use arrayvec::ArrayVec;

use super::{
    super::Fingerprint,
    NEAR, Sessions,
    details::Details,
    fact::SECOND,
    history::Rewind,
    model::{Change, EndReason, Happening},
    slots::{INACTIVE, Slot},
};

impl Sessions {
    /// Keeps the VPN server's list of slots that a restart concerns.
    pub(super) fn mark_active(&mut self, number: u32) {
        let slot = self.slots.get_mut(number);
        let history = &slot.history;
        // One presumed over may still be alive, so it stays.
        let is_told = history.sessions.iter().all(|session| session.told_end.is_some());
        let is_active = slot.is_used && (history.has_rewind() || !is_told);
        let active = &mut self.servers.known(slot.server).active;
        if is_active && slot.active_at == INACTIVE {
            slot.active_at = active.len() as u32;
            active.push(number);
        } else if !is_active && slot.active_at != INACTIVE {
            let at = slot.active_at as usize;
            slot.active_at = INACTIVE;
            active.swap_remove(at);
            if let Some(moved) = active.get(at).copied() {
                self.slots.get_mut(moved).active_at = at as u32;
            }
        }
    }

    /// Looks at what giving up the next few ways back will look at: the looks at memory go side by side, which one behind
    /// the other would each wait.
    pub(super) fn bring_unsettled_near(&self) {
        let next = self.unsettled.iter().take(NEAR).filter(|(due, ..)| *due <= self.now);
        let slots: ArrayVec<&Slot, NEAR> =
            next.filter_map(|(_, number, used)| self.slots.peek_queued(*number, *used)).collect();
        let rewinds: ArrayVec<&Rewind, NEAR> =
            slots.iter().filter_map(|slot| slot.history.rewind.as_deref()).collect();
        let details = rewinds.iter().filter_map(|rewind| rewind.pending.last()?.details.as_ref());
        // What is looked at for its own sake must be looked at.
        std::hint::black_box(details.filter(|details| details.user().is_some()).count());
    }

    /// When to look at a slot: when its open session falls silent, or when it is to be forgotten.
    fn due_of(&self, number: u32) -> u64 {
        let history = &self.slots.get(number).history;
        let Some(newest) = history.newest() else { return self.now };
        let (silent, _) = newest.silent_from(&self.settings, self.heard_since);
        let kept = self.settings.closed_kept_s.saturating_mul(SECOND);
        match newest.end() {
            None => silent,
            Some(_) if newest.told_end.is_none() => silent.saturating_add(kept),
            Some(end) => end.unix_ns.max(newest.last_seen_unix_ns).saturating_add(kept),
        }
    }

    /// Queues it where it is not queued early enough.
    pub(super) fn queue(&mut self, number: u32) {
        let due = self.due_of(number).max(self.now + 1);
        let slot = self.slots.get_mut(number);
        if slot.due == 0 || due < slot.due {
            slot.due = due;
            self.due.push(Reverse((due, number, slot.used)));
        }
        if !slot.history.is_open() && !slot.is_spare {
            slot.is_spare = true;
            self.spare.push_back((number, slot.used));
        }
        self.prune();
    }

    /// Takes out what is queued in vain: slots that were forgotten or looked at since. Nobody else does where the time
    /// has not come (`due`, `unsettled`) or room is never short (`spare`). Once a queue is longer than what can be in it
    /// in earnest, so that a step costs the same on average however many there are.
    fn prune(&mut self) {
        let slots = &mut self.slots;
        let most = 2 * slots.len() + 1024;
        if self.due.len() > 2 * most {
            self.due.retain(|Reverse((due, number, used))| {
                slots.queued(*number, *used).is_some_and(|slot| slot.due == *due)
            });
        }
        if self.unsettled.len() > most {
            self.unsettled.retain(|(_, number, used)| slots.queued(*number, *used).is_some());
        }
        if self.spare.len() > most {
            self.spare.retain(|(number, used)| slots.queued(*number, *used).is_some());
        }
    }

    pub(super) fn look_at(&mut self, number: u32, changes: &mut Vec<Change>) {
        let is_due = self.due_of(number) <= self.now;
        let (settings, heard_since) = (&self.settings, self.heard_since);
        let slot = self.slots.get_mut(number);
        slot.due = 0;
        if is_due && !slot.history.is_open() && !slot.history.has_rewind() {
            self.forget(number);
            return;
        }
        let (server, id) = (slot.server, &slot.id);
        if is_due
            && let Some(session) = slot.history.sessions.last_mut()
            && session.end().is_none()
        {
            session.presumed_end = Some(session.silent_from(settings, heard_since).1);
            changes.push(Change {
                sequence: None,
                has_moved: false,
                happening: Happening::Closed,
                server,
                session_id: Arc::clone(id),
                session: session.clone(),
            });
        }
        self.queue(number);
    }

    /// Forgets ids until there is room for another: one, or more where the configuration came to allow fewer.
    pub(super) fn make_room(&mut self, sequence: u64, changes: &mut Vec<Change>) {
        while self.slots.len() >= self.settings.sessions_max.max(1) {
            if !self.forget_closed() && !self.evict(sequence, changes) {
                return;
            }
        }
    }

    /// Forgets the id that closed first; whether there was one.
    fn forget_closed(&mut self) -> bool {
        while let Some((number, used)) = self.spare.pop_front() {
            let Some(slot) = self.slots.queued(number, used) else { continue };
            slot.is_spare = false;
            if !slot.history.is_open() {
                self.forget(number);
                return true;
            }
        }
        false
    }

    /// Gives up the id that would be looked at first; whether there was one.
    fn evict(&mut self, sequence: u64, changes: &mut Vec<Change>) -> bool {
        while let Some(Reverse((due, number, used))) = self.due.pop() {
            let Some(slot) = self.slots.queued(number, used).filter(|slot| slot.due == due) else { continue };
            let (server, id) = (slot.server, &slot.id);
            for session in slot.history.sessions.iter_mut().filter(|session| session.end().is_none()) {
                session.presumed_end = Some(EndReason::Evicted);
                changes.push(Change {
                    sequence: Some(sequence),
                    has_moved: false,
                    happening: Happening::Closed,
                    server,
                    session_id: Arc::clone(id),
                    session: session.clone(),
                });
            }
            self.counts.evicted += 1;
            self.forget(number);
            return true;
        }
        false
    }

    /// Takes a person out: sessions, what is still to be put in its place, and the names in both, of all that `is_of` finds
    /// to be of the person by Acct-Session-Id (or what stands for it) and details. The numbers of the sessions that were.
    /// A later event of the same user is one of somebody new.
    pub fn forget_person(&mut self, is_of: impl Fn(&str, &Details) -> bool) -> Vec<u64> {
        let known: Vec<u32> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.history.knows(|details| is_of(&slot.id, details)))
            .map(|(number, _)| number)
            .collect();
        let mut numbers = Vec::new();
        for number in known {
            let slot = self.slots.get_mut(number);
            let id = Arc::clone(&slot.id);
            let (forgotten, is_empty) = slot.history.forget(|details| is_of(&id, details));
            numbers.extend(forgotten);
            if is_empty {
                self.slots.remove(number);
            } else {
                self.slots.set_interim(number, Fingerprint::NONE);
            }
            self.mark_active(number);
        }
        self.before.clear();
        numbers
    }

    fn forget(&mut self, number: u32) {
        self.slots.remove(number);
        self.mark_active(number);
    }
}
