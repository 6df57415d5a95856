//! One run: what is due is sent, what comes is matched with its request and verified.

use std::{thread, time::Duration};

use super::{
    Mix, Numbering, Pace, Report, Requests,
    mix::Evenly,
    numbering::IDENTIFIERS,
    sender::{Answer, Sender, monotonic_ns},
};

/// Datagrams handed over before answers are looked at again: few, so that the clock of an answer that is read late
/// is little late.
const BURST: u64 = 16;
/// After so long without an answer what is still waited for is taken for lost: long against the gaps between answers, short
/// against a run, so that waiting costs next to nothing of what a run costs.
const QUIET_NS: u64 = 20_000_000;
/// How old a request should be when it is repeated: answered by then, by any server that is not overloaded.
const REPEAT_AFTER_NS: f64 = 50e6;

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When datagrams leave.
    pub pace: Pace,
    /// For how long, nanoseconds.
    pub duration_ns: u64,
    /// How long an answer may take before its request counts as lost; also how long is waited at the end.
    pub timeout_ns: u64,
    /// How long to sleep when there is nothing to do, nanoseconds. None: never; the core is busy all the time and no
    /// datagram is late. Who sleeps leaves the core's idle time to be measured.
    pub rest_ns: Option<u64>,
}

/// What is known of the request that a slot last had.
#[derive(Clone, Copy, Default)]
struct Slot {
    due_ns: u64,
    request: u32,
    /// Repetitions whose answers are still to come.
    repeats: u16,
    state: State,
    storm: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unused,
    Waiting,
    Answered,
    /// Counted as lost.
    Lost,
}

/// Sends by the plan and returns what was seen. `numbering` must be what `requests` were built for; the sender has one
/// more source than it says, for forgeries.
///
/// `settled` is called once, when all is sent and answered, or else when no answer has come for 20 ms. Until the timeout
/// answers that come later than that count too, but whoever measures what the run cost must not go on until then: neither
/// side works any more, and one request that was lost would have the cost of a second of waiting.
///
/// # Errors
/// Those of the sender.
pub fn run(
    sender: &mut dyn Sender,
    requests: &Requests,
    numbering: Numbering,
    mix: &Mix,
    plan: &Plan,
    settled: &mut dyn FnMut(),
) -> std::io::Result<Report> {
    let mut load = Load {
        requests,
        numbering,
        slots: vec![Slot::default(); numbering.slots() as usize],
        next: 0,
        oldest: 0,
        waiting: 0,
        last_answer_ns: 0,
        report: Report::new(),
    };
    let total = plan.pace.count_within(plan.duration_ns);
    let (mut duplicates, mut forgeries) = (Evenly::new(mix.duplicates), Evenly::new(mix.forgeries));
    let repeat_distance = load.repeat_distance(plan);
    let start = monotonic_ns();
    // Of every kind, in the order of the schedule.
    let mut index = 0;
    // What was drawn and found no room.
    let mut drawn: Option<Kind> = None;
    let mut last_sent_ns = start;
    let mut ended = None;
    let (mut is_settled, mut last_moved_ns) = (false, start);
    loop {
        let now = monotonic_ns();
        let elapsed = now - start;
        let mut handed = 0;
        while handed < BURST {
            let due_ns = match (plan.pace, total) {
                (Pace::Closed { window }, _) => {
                    (elapsed < plan.duration_ns && load.waiting < window).then_some(now)
                }
                (Pace::Open { .. }, Some(total)) if index >= total => None,
                (Pace::Open { .. }, _) => {
                    plan.pace.due_ns(index).filter(|due| *due <= elapsed).map(|due| start + due)
                }
            };
            let Some(due_ns) = due_ns else { break };
            if load.next == numbering.capacity() {
                return Err(std::io::Error::other("the load ran out of requests that are not repetitions"));
            }
            let storm = plan.pace.is_storm(index);
            let kind = drawn.take().unwrap_or_else(|| {
                if !storm && forgeries.choose() {
                    Kind::Forgery
                } else if !storm && duplicates.choose() {
                    Kind::Repeat
                } else {
                    Kind::Request
                }
            });
            if !load.send(sender, kind, due_ns, storm, repeat_distance)? {
                drawn = Some(kind);
                load.report.refused += 1;
                break;
            }
            load.report.lateness.saturating_record(now.saturating_sub(due_ns));
            last_sent_ns = now;
            index += 1;
            handed += 1;
        }
        sender.flush()?;
        let received = sender.receive(&mut |answer| load.take(answer))?;
        if let Pace::Closed { .. } = plan.pace {
            load.give_up(now.saturating_sub(plan.timeout_ns));
        }
        let sending = match total {
            Some(total) => index < total,
            None => elapsed < plan.duration_ns,
        };
        if handed > 0 || received > 0 {
            last_moved_ns = now;
        }
        if !sending {
            let ended = *ended.get_or_insert(now);
            let all = load.waiting == 0 && load.report.repeats_answered == load.report.repeats;
            // Forgeries must stay without an answer: that takes waiting.
            let quiet = load.report.forged == 0 || now - ended > plan.timeout_ns / 10;
            if (all && quiet) || now - ended > plan.timeout_ns {
                break;
            }
            if !is_settled && now - last_moved_ns > QUIET_NS {
                is_settled = true;
                settled();
            }
        }
        if handed == 0 && received == 0 {
            match plan.rest_ns {
                Some(rest) => thread::sleep(Duration::from_nanos(rest)),
                None => std::hint::spin_loop(),
            }
        }
    }
    if !is_settled {
        settled();
    }
    let mut report = load.finish();
    report.sending_ns = match plan.pace {
        Pace::Open { .. } => last_sent_ns - start,
        // A server that stalls with all of the window lets nothing leave, and has answered no more for that.
        Pace::Closed { .. } => plan.duration_ns.max(last_sent_ns - start),
    };
    report.answering_ns = report.answering_ns.saturating_sub(start);
    Ok(report)
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Repeat,
    Forgery,
}

struct Load<'a> {
    requests: &'a Requests,
    numbering: Numbering,
    slots: Vec<Slot>,
    /// The number of the next genuine request.
    next: u64,
    /// No request below this number is waited for.
    oldest: u64,
    waiting: u32,
    last_answer_ns: u64,
    report: Report,
}

impl Load<'_> {
    /// How many requests back the one is that gets repeated.
    fn repeat_distance(&self, plan: &Plan) -> u64 {
        let distance = match plan.pace {
            Pace::Open { rate, .. } => (rate * REPEAT_AFTER_NS / 1e9) as u64,
            Pace::Closed { window } => 4 * u64::from(window),
        };
        // Far enough from the end that its slot is still its own.
        distance.clamp(1, u64::from(self.numbering.slots() / 2))
    }

    /// False when the sender has no room.
    fn send(
        &mut self,
        sender: &mut dyn Sender,
        kind: Kind,
        due_ns: u64,
        storm: bool,
        repeat_distance: u64,
    ) -> std::io::Result<bool> {
        match kind {
            Kind::Forgery => {
                let identifier = (self.report.forged % u64::from(IDENTIFIERS)) as u8;
                let sent = sender.send(self.numbering.flows, self.requests.forged(identifier))?;
                self.report.forged += u64::from(sent);
                Ok(sent)
            }
            Kind::Repeat => match self.repeatable(repeat_distance) {
                Some((flow, slot)) => {
                    let request = self.slots[slot].request;
                    let sent = sender.send(flow, self.requests.octets(request))?;
                    if sent {
                        self.slots[slot].repeats += 1;
                        self.report.repeats += 1;
                    }
                    Ok(sent)
                }
                None => self.send_new(sender, due_ns, storm),
            },
            Kind::Request => self.send_new(sender, due_ns, storm),
        }
    }

    /// The answered request that is this far back.
    fn repeatable(&self, distance: u64) -> Option<(u32, usize)> {
        let place = self.numbering.place(self.next.checked_sub(distance)?);
        let index = Numbering::slot(place.flow, place.identifier);
        let slot = &self.slots[index];
        (slot.state == State::Answered && slot.request == place.request).then_some((place.flow, index))
    }

    fn send_new(&mut self, sender: &mut dyn Sender, due_ns: u64, storm: bool) -> std::io::Result<bool> {
        let place = self.numbering.place(self.next);
        if !sender.send(place.flow, self.requests.octets(place.request))? {
            return Ok(false);
        }
        let slot = &mut self.slots[Numbering::slot(place.flow, place.identifier)];
        if slot.state == State::Waiting {
            // Its slot is needed: it has had as long as there are slots.
            self.report.lost += 1;
            self.waiting -= 1;
        }
        *slot = Slot { due_ns, request: place.request, repeats: 0, state: State::Waiting, storm };
        self.next += 1;
        self.waiting += 1;
        self.report.sent += 1;
        self.report.storm += u64::from(storm);
        Ok(true)
    }

    /// Finds the request of an answer and verifies it.
    fn take(&mut self, answer: Answer<'_>) {
        if answer.flow >= self.numbering.flows {
            self.report.forged_answered += 1;
            return;
        }
        let Some(&identifier) = answer.octets.get(1) else {
            self.report.wrong += 1;
            return;
        };
        let slot = &mut self.slots[Numbering::slot(answer.flow, identifier)];
        if slot.state == State::Unused {
            self.report.surplus += 1;
            return;
        }
        if !self.requests.is_answered_by(slot.request, answer.octets) {
            // It may be for the request that had the slot before.
            let count = self.requests.genuine() as u32;
            let before = (slot.request + count - IDENTIFIERS) % count;
            match self.requests.is_answered_by(before, answer.octets) {
                true => self.report.late += 1,
                false => self.report.wrong += 1,
            }
            return;
        }
        match slot.state {
            State::Waiting => {
                slot.state = State::Answered;
                self.waiting -= 1;
                self.report.answered += 1;
                self.last_answer_ns = self.last_answer_ns.max(answer.at_ns);
                let latency = answer.at_ns.saturating_sub(slot.due_ns);
                let histogram =
                    if slot.storm { &mut self.report.storm_latency } else { &mut self.report.latency };
                histogram.saturating_record(latency);
            }
            State::Answered if slot.repeats > 0 => {
                slot.repeats -= 1;
                self.report.repeats_answered += 1;
            }
            State::Answered => self.report.surplus += 1,
            State::Lost => {
                slot.state = State::Answered;
                self.report.late += 1;
            }
            State::Unused => {}
        }
    }

    /// Counts as lost what was sent before this time and waits still, so that the window does not fill with it.
    fn give_up(&mut self, before_ns: u64) {
        while self.oldest < self.next {
            let place = self.numbering.place(self.oldest);
            let slot = &mut self.slots[Numbering::slot(place.flow, place.identifier)];
            if slot.state == State::Waiting && slot.request == place.request {
                if slot.due_ns >= before_ns {
                    break;
                }
                slot.state = State::Lost;
                self.waiting -= 1;
                self.report.lost += 1;
            }
            self.oldest += 1;
        }
    }

    fn finish(mut self) -> Report {
        self.report.lost += u64::from(self.waiting);
        self.report.answering_ns = self.last_answer_ns;
        self.report
    }
}

#[cfg(test)]
mod tests;
