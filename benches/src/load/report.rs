//! What a run of the load saw.

use hdrhistogram::Histogram;

/// Counts and times of one run. Times are nanoseconds.
#[derive(Clone, Debug)]
pub struct Report {
    /// Genuine requests sent for the first time.
    pub sent: u64,
    /// Of those, answered and verified, within the time allowed.
    pub answered: u64,
    /// Of those, never answered, or too late.
    pub lost: u64,
    /// Answers that came when their request was already counted as lost.
    pub late: u64,
    /// Answers that do not verify: a fault of the server's.
    pub wrong: u64,
    /// Answers that nobody asked for: a fault of the server's.
    pub surplus: u64,
    /// Repetitions of answered requests sent.
    pub repeats: u64,
    /// Of those, answered again and verified.
    pub repeats_answered: u64,
    /// Forgeries sent.
    pub forged: u64,
    /// Of those, answered: a fault of the server's.
    pub forged_answered: u64,
    /// Requests of the storm, which are in `sent` too.
    pub storm: u64,
    /// Times the sender had no room and the load waited.
    pub refused: u64,
    /// From the schedule to the answer (open loop), or from sending to the answer; the storm not counted.
    pub latency: Histogram<u64>,
    /// The same for the requests of the storm.
    pub storm_latency: Histogram<u64>,
    /// From the schedule to when the datagram was handed over: how far the generator itself was behind.
    pub lateness: Histogram<u64>,
    /// From the start until the last datagram was handed over; in a closed loop at least as long as the load was to go on.
    pub sending_ns: u64,
    /// From the start until the last answer.
    pub answering_ns: u64,
}

impl Report {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the crate documents as valid")]
    pub(super) fn new() -> Report {
        let empty = Histogram::new_with_bounds(100, 60_000_000_000, 3).expect("constant bounds are valid");
        Report {
            sent: 0,
            answered: 0,
            lost: 0,
            late: 0,
            wrong: 0,
            surplus: 0,
            repeats: 0,
            repeats_answered: 0,
            forged: 0,
            forged_answered: 0,
            storm: 0,
            refused: 0,
            latency: empty.clone(),
            storm_latency: empty.clone(),
            lateness: empty,
            sending_ns: 0,
            answering_ns: 0,
        }
    }

    /// Datagrams of every kind.
    pub fn datagrams(&self) -> u64 {
        self.sent + self.repeats + self.forged
    }

    /// Genuine requests answered, a second.
    pub fn answered_per_second(&self) -> f64 {
        per_second(self.answered, self.answering_ns.max(self.sending_ns))
    }

    /// Datagrams of every kind sent, a second.
    pub fn sent_per_second(&self) -> f64 {
        per_second(self.datagrams(), self.sending_ns)
    }

    /// Latency at this percentile (0 to 100), nanoseconds.
    pub fn latency_ns(&self, percentile: f64) -> f64 {
        self.latency.value_at_percentile(percentile) as f64
    }

    /// Requests unanswered, of a hundred.
    pub fn lost_percent(&self) -> f64 {
        100.0 * self.lost as f64 / self.sent.max(1) as f64
    }

    /// What the server did that it must not; none if it did nothing of the kind.
    pub fn fault(&self) -> Option<String> {
        let faults = [
            (self.wrong, "answers do not verify"),
            (self.surplus, "answers that nobody asked for"),
            (self.forged_answered, "forgeries were answered"),
        ];
        let said: Vec<String> = faults
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

fn per_second(count: u64, nanoseconds: u64) -> f64 {
    count as f64 * 1e9 / nanoseconds.max(1) as f64
}
