//! A RADIUS client under load: a window of requests under way, each retransmitted until it is answered, and the list of
//! those that were.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Nas;
use crate::nas::is_answer;
use crate::requests;

/// How a load goes about it.
#[derive(Clone, Copy)]
pub struct Load {
    /// Requests under way at once; at most 256, one for each Identifier.
    pub window: usize,
    /// Time until an unanswered request is sent again.
    pub retransmit_after: Duration,
}

/// What a load has done, as its thread goes on.
#[derive(Default)]
pub struct Progress {
    acknowledged: AtomicUsize,
    stop: AtomicBool,
}

impl Progress {
    /// Requests answered so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Tells the load to begin no more requests, and to end when the ones under way are answered.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What a load has done when it is over.
pub struct Done {
    /// Session ids whose request was answered.
    pub acknowledged: BTreeSet<String>,
    /// Session ids whose request was sent and never answered.
    pub unanswered: BTreeSet<String>,
    /// Datagrams sent, retransmissions included.
    pub sent: u64,
}

struct Pending {
    octets: Vec<u8>,
    session: String,
    due: Instant,
}

impl Load {
    /// Sends requests with sessions `name-0`, `name-1` ... until told to stop; then waits for the answers still missing
    /// up to `grace`.
    #[track_caller]
    pub fn run(&self, nas: &Nas, name: &str, progress: &Progress, grace: Duration) -> Done {
        let mut done = Done { acknowledged: BTreeSet::new(), unanswered: BTreeSet::new(), sent: 0 };
        let mut pending: HashMap<u8, Pending> = HashMap::new();
        let mut number = 0_u64;
        let mut stopped = None;
        loop {
            if stopped.is_none() && progress.stop.load(Ordering::Relaxed) {
                stopped = Some(Instant::now());
            }
            if stopped.is_some_and(|since| pending.is_empty() || since.elapsed() > grace) {
                done.unanswered = pending.into_values().map(|request| request.session).collect();
                return done;
            }
            let now = Instant::now();
            while stopped.is_none() && pending.len() < self.window {
                // Identifiers in turn; one that is still under way is left out.
                let identifier = number as u8;
                let session = format!("{name}-{number}");
                number += 1;
                if pending.contains_key(&identifier) {
                    continue;
                }
                let octets = requests::start(identifier, &session, nas.secret());
                nas.send(&octets);
                done.sent += 1;
                pending.insert(identifier, Pending { octets, session, due: now + self.retransmit_after });
            }
            for request in pending.values_mut().filter(|request| request.due <= now) {
                nas.send(&request.octets);
                done.sent += 1;
                request.due = now + self.retransmit_after;
            }
            // A little at a time, so that retransmissions and the end are not missed.
            let mut wait = Duration::from_millis(20);
            while let Some(answer) = nas.answer(wait) {
                wait = Duration::from_micros(1);
                let Some(&identifier) = answer.get(1) else { continue };
                let Some(request) = pending.get(&identifier) else { continue };
                // The answer to an earlier use of the Identifier, sent again, is not one to this use.
                if is_answer(&request.octets, &answer, nas.secret()) {
                    let request = pending.remove(&identifier).expect("just seen");
                    done.acknowledged.insert(request.session);
                    progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}
