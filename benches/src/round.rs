//! One short run of a load against one server, with what it cost: the step that the whole-path benches repeat in turn
//! for each server.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;

use crate::{
    load::{self, Expect, Mix, Numbering, Pace, Plan, Report, Requests},
    machine::{Processors, Spent},
    peers::{Kind, Peer, SHARED_SECRET},
    place::{By, Place, Target},
};

/// How long an answer may take before its request counts as lost. RADIUS clients repeat after some seconds, and one
/// second is a fault of ours.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Requests that a closed loop can have at most, a second: more than any server here answers.
const CLOSED_LOOP_RATE_MAX: f64 = 600_000.0;

/// What a run was and cost.
pub struct Done {
    /// What the generator saw.
    pub report: Report,
    /// What the machine did meanwhile, without the wait for answers that did not come.
    pub spent: Spent,
    /// What the server's threads ran in the same time, nanoseconds.
    pub threads_ns: f64,
}

/// Lets every other thread run before this one. A generator that never sleeps takes a processor for itself, and what
/// the kernel does there for the server, the end of a write above all, would otherwise wait for milliseconds.
fn give_way() -> std::io::Result<()> {
    const LAST: i32 = 19;
    Ok(rustix::process::setpriority_process(None, LAST)?)
}

/// Runs loads of one mix by one way.
pub struct Round<'a> {
    place: &'a Place,
    by: By,
    mix: Mix,
    seed: u64,
}

impl<'a> Round<'a> {
    /// Loads of this mix.
    pub fn new(place: &'a Place, by: By, mix: &Mix) -> Round<'a> {
        // Later than any seed of a bench before this one, so that no server knows a request already.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Round { place, by, mix: mix.clone(), seed: now.as_secs() << 24 }
    }

    /// One run against a running server. With `rest` the generator sleeps that long when there is nothing to do, so
    /// that the machine's time can be told; without, it never sleeps, so that no time is lost.
    ///
    /// # Errors
    /// When the generator cannot send.
    pub fn against(
        &mut self,
        peer: &Peer<'_>,
        pace: Pace,
        duration: Duration,
        rest: Option<Duration>,
    ) -> anyhow::Result<Done> {
        let expect = if peer.kind() == Kind::Echo { Expect::Echo } else { Expect::Response };
        self.run(Target::Server(peer.port()), Some(peer), expect, pace, duration, rest)
    }

    /// The same load against a host that drops everything: what the generator itself costs. Nothing is waited for.
    ///
    /// # Errors
    /// When the generator cannot send.
    pub fn against_nobody(
        &mut self,
        pace: Pace,
        duration: Duration,
        rest: Option<Duration>,
    ) -> anyhow::Result<Done> {
        self.run(Target::Nobody, None, Expect::Response, pace, duration, rest)
    }

    fn run(
        &mut self,
        target: Target,
        peer: Option<&Peer<'_>>,
        expect: Expect,
        pace: Pace,
        duration: Duration,
        rest: Option<Duration>,
    ) -> anyhow::Result<Done> {
        let duration_ns = duration.as_nanos() as u64;
        let count =
            pace.count_within(duration_ns).unwrap_or((CLOSED_LOOP_RATE_MAX * duration.as_secs_f64()) as u64);
        let numbering = Numbering::for_count(self.by.flows(), count);
        self.seed += 1 << 20;
        let requests = Requests::build(
            &self.mix.contents,
            numbering.variants,
            SHARED_SECRET.as_bytes(),
            self.seed,
            expect,
        )?;
        // One source more: that of the forgeries.
        let mut sender = self.place.sender(self.by, target, numbering.flows + 1)?;
        let timeout = if target == Target::Nobody { Duration::ZERO } else { TIMEOUT };
        let plan = Plan {
            pace,
            duration_ns,
            timeout_ns: timeout.as_nanos() as u64,
            rest_ns: rest.map(|rest| rest.as_nanos() as u64),
        };
        let threads = peer.map(Peer::threads);
        let before = Processors::now()?;
        let mut cost = None;
        let mut settled = || {
            let threads_ns = peer.zip(threads.as_ref()).map_or(0.0, |(peer, then)| peer.threads_spent(then));
            cost = Some(before.spent().map(|spent| (spent, threads_ns)));
        };
        let report = thread::scope(|scope| {
            let generate = || {
                give_way()?;
                load::run(&mut *sender, &requests, numbering, &self.mix, &plan, &mut settled)
            };
            scope.spawn(generate).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        let (spent, threads_ns) = cost.context("the load ended before it was through")??;
        Ok(Done { report, spent, threads_ns })
    }
}
