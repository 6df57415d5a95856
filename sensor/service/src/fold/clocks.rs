//! VPN servers whose clock is wrong, by the times that they send. Beside the fold: nothing follows from it, and it is in no
//! checkpoint.
//!
//! One time that is off says nothing: a request may have waited somewhere for long. A clock is wrong when many times in a
//! row, over some minutes, are off by the same.

use std::collections::HashMap;

use insight::vpn::{Event, EventTime};

/// Clocks that are looked after for one client, and clients.
const SERVERS_MAX: usize = 64;
const CLIENTS_MAX: usize = 1024;
/// Seconds by which a time may be off: the network, rounding, a request that was sent twice.
const RIGHT_S: i64 = 60;
/// Times in a row that make a clock wrong, and seconds over which they come at least.
const RUN: u32 = 10;
const RUN_S: u64 = 120;

/// A VPN server whose times are off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientClock {
    /// The client.
    pub client: String,
    /// Which of its VPN servers, by NAS-Identifier or address; none: it does not say.
    pub server: Option<String>,
    /// Seconds that its clock is ahead of ours; below zero: behind.
    pub offset_s: i64,
    /// Since when, by our clock: ns since 1970 UTC.
    pub since_unix_ns: u64,
    /// Many times were off by the same.
    pub is_steady: bool,
}

#[derive(Debug)]
struct Run {
    clock: ClientClock,
    times: u32,
    lowest: i64,
    highest: i64,
    first_unix_ns: u64,
}

/// Those that are off now.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    runs: HashMap<String, Vec<Run>>,
}

impl Clocks {
    /// Whether all clocks of a client are right and one that sent this time, which arrived then, stays so: nearly always.
    pub(super) fn are_right(&self, client: &str, time: &EventTime, arrival_unix_ns: u64) -> bool {
        let is_right = offset_s(time, arrival_unix_ns).is_none_or(|offset| offset.abs() <= RIGHT_S);
        is_right && (self.runs.is_empty() || !self.runs.contains_key(client))
    }

    pub(super) fn see(&mut self, event: &Event<'_>) {
        if self.are_right(event.client, &event.time, event.arrival_unix_ns) {
            return;
        }
        let Some(offset) = offset_s(&event.time, event.arrival_unix_ns) else { return };
        let is_right = offset.abs() <= RIGHT_S;
        let server = event.server.identifier.as_deref().map(str::to_owned);
        let server = server.or_else(|| event.server.address.map(|address| address.to_string()));
        if is_right {
            if let Some(runs) = self.runs.get_mut(event.client) {
                runs.retain(|run| run.clock.server != server);
                if runs.is_empty() {
                    self.runs.remove(event.client);
                }
            }
            return;
        }
        if self.runs.len() >= CLIENTS_MAX && !self.runs.contains_key(event.client) {
            return;
        }
        let runs = self.runs.entry(event.client.to_owned()).or_default();
        if let Some(run) = runs.iter_mut().find(|run| run.clock.server == server) {
            run.see(offset, event.arrival_unix_ns);
        } else if runs.len() < SERVERS_MAX {
            runs.push(Run::new(event.client, server, offset, event.arrival_unix_ns));
        }
    }

    /// Those that are off now, in the order of clients.
    pub(super) fn list(&self) -> Vec<ClientClock> {
        let mut list: Vec<ClientClock> = self.runs.values().flatten().map(|run| run.clock.clone()).collect();
        list.sort_by(|one, other| (&one.client, &one.server).cmp(&(&other.client, &other.server)));
        list
    }
}

/// Seconds that the clock by which this time was sent is ahead of ours.
fn offset_s(time: &EventTime, arrival_unix_ns: u64) -> Option<i64> {
    let arrival_s = (arrival_unix_ns / 1_000_000_000) as i64;
    Some(i64::from(time.timestamp?) + i64::from(time.delay.unwrap_or(0)) - arrival_s)
}

impl Run {
    fn new(client: &str, server: Option<String>, offset_s: i64, unix_ns: u64) -> Run {
        let clock = ClientClock {
            client: client.to_owned(),
            server,
            offset_s,
            since_unix_ns: unix_ns,
            is_steady: false,
        };
        Run { clock, times: 1, lowest: offset_s, highest: offset_s, first_unix_ns: unix_ns }
    }

    fn see(&mut self, offset: i64, unix_ns: u64) {
        let (lowest, highest) = (self.lowest.min(offset), self.highest.max(offset));
        self.clock.offset_s = offset;
        if highest - lowest > RIGHT_S {
            // What waited somewhere is off by something else each time. A clock that was wrong and is set wrong anew, or
            // goes more and more wrong, is so still.
            (self.times, self.lowest, self.highest) = (1, offset, offset);
            self.first_unix_ns = unix_ns;
            if !self.clock.is_steady {
                self.clock.since_unix_ns = unix_ns;
            }
            return;
        }
        (self.times, self.lowest, self.highest) = (self.times.saturating_add(1), lowest, highest);
        let lasts_s = unix_ns.saturating_sub(self.first_unix_ns) / 1_000_000_000;
        self.clock.is_steady |= self.times >= RUN && lasts_s >= RUN_S;
    }
}

#[cfg(test)]
mod tests {
    use insight::vpn::{Decoder, Received, Settings};
    use radius::{Code, build::RequestBuilder};

    use super::*;

    const START_S: u64 = 1_790_000_000;

    /// Takes a Start of this server that arrives so many seconds behind [`START_S`], with this Event-Timestamp.
    fn see(clocks: &mut Clocks, server: &str, arrival_s: u64, timestamp: i64, delay: Option<u32>) {
        let decoder = Decoder::new(Settings::default());
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
        request.integer(40, 1).text(44, "s").text(32, server).integer(55, timestamp as u32);
        if let Some(delay) = delay {
            request.integer(41, delay);
        }
        let octets = request.seal(b"secret").unwrap();
        let event = decoder.decode(&Received {
            octets,
            client: "branch",
            source: "192.0.2.1:1".parse().unwrap(),
            destination: "192.0.2.2:1813".parse().unwrap(),
            arrival_unix_ns: (START_S + arrival_s) * 1_000_000_000,
        });
        clocks.see(&event.unwrap());
    }

    fn steady(clocks: &Clocks) -> Vec<(Option<String>, i64)> {
        let list = clocks.list().into_iter().filter(|clock| clock.is_steady);
        list.map(|clock| (clock.server, clock.offset_s)).collect()
    }

    #[test]
    fn a_clock_is_wrong_when_many_times_are_off_by_the_same_until_one_is_right() {
        let mut clocks = Clocks::default();
        let start = START_S as i64;
        for at in 0..20 {
            see(&mut clocks, "right", at * 20, start + at as i64 * 20 - 3, None);
            see(&mut clocks, "ahead", at * 20, start + at as i64 * 20 + 3600 + (at % 3) as i64, None);
            assert_eq!(steady(&clocks).len(), usize::from(at >= 9), "{at}");
        }
        assert_eq!(steady(&clocks), [(Some("ahead".to_owned()), 3601)]);
        assert_eq!(clocks.list()[0].since_unix_ns, START_S * 1_000_000_000);
        // It goes more and more wrong, and is wrong still.
        see(&mut clocks, "ahead", 400, start + 400 + 4000, None);
        assert_eq!(steady(&clocks), [(Some("ahead".to_owned()), 4000)]);
        see(&mut clocks, "ahead", 401, start + 401, None);
        assert!(clocks.runs.is_empty());
    }

    #[test]
    fn what_waited_somewhere_makes_no_clock_wrong() {
        let mut clocks = Clocks::default();
        let start = START_S as i64;
        // An hour's requests, kept by a proxy, arrive within a few minutes.
        for at in 0..60 {
            see(&mut clocks, "kept", 3600 + at * 5, start + at as i64 * 60, None);
        }
        // Fifty at once.
        for at in 0..50 {
            see(&mut clocks, "burst", 3600, start + at, None);
        }
        // And those of a server that says how long it has tried.
        for at in 0..60 {
            see(&mut clocks, "delayed", 3600 + at * 5, start + at as i64 * 5, Some(3600));
        }
        assert_eq!(steady(&clocks), []);
        assert!(clocks.list().iter().all(|clock| clock.server.as_deref() != Some("delayed")));
    }

    #[test]
    fn servers_that_are_made_up_are_bounded() {
        let mut clocks = Clocks::default();
        for number in 0..1000 {
            see(&mut clocks, &format!("server-{number}"), 0, 1000, None);
        }
        assert_eq!(clocks.list().len(), SERVERS_MAX);
    }
}
