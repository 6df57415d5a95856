//! What came of an exchange.

use std::{collections::BTreeMap, io, time::Duration};

use hdrhistogram::Histogram;

use super::Flaw;

/// Counts while the exchange goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Requests sent, repetitions not counted.
    pub sent: u64,
    /// Requests with a correct answer.
    pub answered: u64,
    /// Requests given up.
    pub unanswered: u64,
    /// Datagrams sent again.
    pub repeated: u64,
}

/// The whole outcome.
#[derive(Clone, Debug)]
pub struct Report {
    /// Requests and what became of them; `sent` is `answered` plus `unanswered`.
    pub progress: Progress,
    /// Answers with a flaw, by what is wrong. The request goes on waiting for a good one.
    pub wrong: BTreeMap<&'static str, u64>,
    /// Answers to nothing that was still waiting: second answers to a repeated request, and late ones.
    pub surplus: u64,
    /// Times that the other host said that nobody listens on the port.
    pub refused: u64,
    /// From the first sending of a request to its answer, in nanoseconds.
    pub latency: Histogram<u64>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl Report {
    /// Nothing yet; answers take at most `longest`.
    pub(super) fn new(longest: Duration) -> io::Result<Report> {
        let highest = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX).clamp(1_000_000, u64::MAX / 4);
        // Three digits between 1 microsecond and that.
        let latency = Histogram::new_with_bounds(1_000, highest, 3).map_err(io::Error::other)?;
        Ok(Report {
            progress: Progress::default(),
            wrong: BTreeMap::new(),
            surplus: 0,
            refused: 0,
            latency,
            elapsed: Duration::ZERO,
        })
    }

    pub(super) fn flawed(&mut self, flaw: Flaw) {
        let name = match flaw {
            Flaw::Malformed => "malformed",
            Flaw::Code => "wrong_code",
            Flaw::Authenticator => "wrong_authenticator",
            Flaw::ProxyState => "wrong_proxy_state",
        };
        *self.wrong.entry(name).or_default() += 1;
    }

    /// Answers with a flaw.
    pub fn wrong_total(&self) -> u64 {
        self.wrong.values().sum()
    }
}
