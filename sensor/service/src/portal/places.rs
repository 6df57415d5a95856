//! Places for connections. When all are taken, whoever comes gets the place of one that only waits: the oldest of the
//! address that holds most of them. So somebody who opens thousands of connections pushes out his own. Of IPv6 a network of
//! 64 bits counts as one address: whoever has one of them has them all.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::AbortHandle};

pub(super) struct Places {
    most: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    held: HashMap<u64, Held>,
    next: u64,
}

struct Held {
    /// As [`line`] has it.
    from: IpAddr,
    /// What came later has a larger number; a request moves its connection to the end.
    turn: u64,
    is_busy: bool,
    is_leaving: bool,
    /// Who is to leave; none: not yet begun, or told already.
    task: Option<AbortHandle>,
}

/// A place, given back when dropped.
pub(super) struct Place {
    number: u64,
    places: Arc<Places>,
}

/// While it lives, the connection's place is its own.
pub(super) struct Busy<'p>(&'p Place);

impl Places {
    pub(super) fn new(most: usize) -> Arc<Places> {
        Arc::new(Places { most, state: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a connection from this address; waits while work is done for all others.
    pub(super) async fn take(self: &Arc<Places>, from: IpAddr) -> Arc<Place> {
        loop {
            // Before the look: what is freed behind it is not missed.
            let freed = self.freed.notified();
            if let Some(number) = self.try_take(from) {
                return Arc::new(Place { number, places: Arc::clone(self) });
            }
            freed.await;
        }
    }

    fn try_take(&self, from: IpAddr) -> Option<u64> {
        let mut state = self.state();
        if state.held.len() >= self.most {
            // One at a time: who was told to leave needs a moment.
            let is_somebody_leaving = state.held.values().any(|held| held.is_leaving);
            if !is_somebody_leaving
                && let Some(number) = state.longest_waiting()
                && let Some(held) = state.held.get_mut(&number)
                && let Some(task) = held.task.take()
            {
                held.is_leaving = true;
                task.abort();
            }
            return None;
        }
        let number = state.turn();
        let from = line(from);
        state.held.insert(number, Held { from, turn: number, is_busy: false, is_leaving: false, task: None });
        Some(number)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an address counts as: whose line it is.
fn line(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

impl State {
    fn turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn longest_waiting(&self) -> Option<u64> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for held in self.held.values() {
            *counts.entry(held.from).or_default() += 1;
        }
        let waiting = self.held.iter().filter(|(_, held)| !held.is_busy && held.task.is_some());
        let of_most = |held: &Held| counts.get(&held.from).copied().unwrap_or(0);
        waiting
            .max_by_key(|(_, held)| (of_most(held), std::cmp::Reverse(held.turn)))
            .map(|(number, _)| *number)
    }
}

impl Place {
    /// Says which task has the connection.
    pub(super) fn held_by(&self, task: AbortHandle) {
        if let Some(held) = self.places.state().held.get_mut(&self.number) {
            held.task = Some(task);
        }
    }

    /// Work is done for this connection.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.set(true);
        Busy(self)
    }

    fn set(&self, is_busy: bool) {
        let mut state = self.places.state();
        let turn = state.turn();
        if let Some(held) = state.held.get_mut(&self.number) {
            (held.is_busy, held.turn) = (is_busy, turn);
        }
        drop(state);
        if !is_busy {
            self.places.freed.notify_one();
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.state().held.remove(&self.number);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use super::*;

    const CROWD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));
    const HER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    /// A connection that does nothing, and its place.
    async fn connect(places: &Arc<Places>, from: IpAddr) -> (tokio::task::JoinHandle<()>, Arc<Place>) {
        let place = places.take(from).await;
        let held = Arc::clone(&place);
        let task = tokio::spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        place.held_by(task.abort_handle());
        (task, place)
    }

    #[tokio::test]
    async fn a_crowd_pushes_out_its_own_and_work_is_never_cut_off() {
        let places = Places::new(3);
        let (hers, her_place) = connect(&places, HER).await;
        drop(her_place);
        let (first, first_place) = connect(&places, CROWD).await;
        let (second, second_place) = connect(&places, CROWD).await;
        drop(second_place);
        let busy = first_place.busy();
        let (third, third_place) = connect(&places, CROWD).await;
        drop(third_place);
        assert!(second.await.unwrap_err().is_cancelled(), "the oldest of the crowd that waits");
        assert!(!hers.is_finished() && !first.is_finished() && !third.is_finished());
        drop(busy);
        drop(first_place);
        // Now the third has waited longest: work moved the first behind it.
        let (_fourth, fourth_place) = connect(&places, CROWD).await;
        drop(fourth_place);
        assert!(third.await.unwrap_err().is_cancelled());
        assert!(!hers.is_finished() && !first.is_finished());
    }

    #[tokio::test]
    async fn who_has_a_network_of_ipv6_pushes_out_his_own_as_well() {
        let places = Places::new(3);
        let (hers, her_place) = connect(&places, "2001:db8:7::7".parse().unwrap()).await;
        drop(her_place);
        let mut crowd = Vec::new();
        for number in 1..=4 {
            let from = format!("2001:db8:66:1:{number}:{number}::1").parse().unwrap();
            let (task, place) = connect(&places, from).await;
            drop(place);
            crowd.push(task);
        }
        assert!(!hers.is_finished());
        for task in crowd.drain(..2) {
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }

    #[tokio::test]
    async fn whoever_comes_while_all_work_waits_for_the_first_that_is_done() {
        let places = Places::new(1);
        let (first, place) = connect(&places, HER).await;
        let busy = place.busy();
        let come = tokio::time::timeout(Duration::from_millis(50), places.take(CROWD)).await;
        assert!(come.is_err() && !first.is_finished());
        drop(busy);
        drop(place);
        places.take(CROWD).await;
        assert!(first.await.unwrap_err().is_cancelled());
    }
}
