//! Who was refused lately and why: a bounded table, filled by the control loop, shown by `/refused`.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use ingest::{
    notice::{Notice, Reason},
    verdict::Verdict,
};

use crate::metrics::{Refused, RefusedSource};

/// Sources and reasons remembered: more than a person reads, little enough to send with every look.
const ENTRIES_MAX: usize = 256;

/// What is older is nobody's problem of now.
pub(super) const LATELY: Duration = Duration::from_secs(3600);

/// The verdicts of those who did not prove themselves.
const UNPROVED: [Verdict; 2] = [Verdict::BadAuthenticator, Verdict::BadMessageAuthenticator];

/// The verdicts of those who are not let in.
pub(super) const NOT_LET_IN: [Verdict; 3] = [Verdict::UnknownClient, UNPROVED[0], UNPROVED[1]];

/// Whether a moment is less than [`LATELY`] ago, also by a clock that was set back since.
pub(super) fn is_late(moment: SystemTime, now: SystemTime) -> bool {
    now.duration_since(moment).unwrap_or_default() < LATELY
}

#[derive(Debug)]
struct Entry {
    client: Option<Arc<str>>,
    reason: String,
    datagrams: u64,
    first_seen: SystemTime,
    last_seen: SystemTime,
    /// A request of the source verified since its authenticator was wrong.
    is_mended: bool,
    /// The steer program counts this source: what a worker sees of it is a sample of the same datagrams.
    steered: bool,
}

/// The table. When it is full the least recent entry leaves, one without a client before one with: sources can be
/// invented, and a flood of them must not hide the VPN server whose secret is wrong.
#[derive(Debug, Default)]
pub(super) struct RefusedSources {
    entries: HashMap<(IpAddr, Verdict), Entry>,
    /// What the steer programs had counted at the last look; as many as they remember.
    steered: HashMap<IpAddr, u64>,
    forgotten: u64,
}

impl RefusedSources {
    /// Takes in a datagram that a worker refused.
    pub(super) fn note(&mut self, notice: &Notice, now: SystemTime) {
        let entry = self.entry(notice.source.ip(), notice.client.clone(), notice.reason, now);
        if !entry.steered {
            entry.datagrams += 1;
        }
    }

    /// Takes in what the steer programs have counted of each source that they remember, all interfaces together.
    pub(super) fn note_steered(&mut self, counts: HashMap<IpAddr, u64>, now: SystemTime) {
        for (&source, &count) in &counts {
            let before = self.steered.get(&source).copied().unwrap_or(0);
            // Less than before: the program had forgotten the source and began anew.
            let more = if count >= before { count - before } else { count };
            if more == 0 {
                continue;
            }
            let entry = self.entry(source, None, Reason::UnknownClient, now);
            entry.datagrams = if entry.steered { entry.datagrams + more } else { more };
            entry.steered = true;
        }
        self.steered = counts;
    }

    /// A request of this source verified: it is let in, also if it was of no client before.
    pub(super) fn prove(&mut self, source: IpAddr) {
        for verdict in NOT_LET_IN {
            if let Some(entry) = self.entries.get_mut(&(source, verdict)) {
                entry.is_mended = true;
            }
        }
    }

    /// Sources of which no request has verified since their authenticator was wrong, within [`LATELY`].
    pub(super) fn unproved(&self, now: SystemTime) -> impl Iterator<Item = IpAddr> {
        let entries = self.entries.iter();
        entries
            .filter(move |((_, verdict), entry)| {
                UNPROVED.contains(verdict) && !entry.is_mended && is_late(entry.last_seen, now)
            })
            .map(|((source, _), _)| *source)
    }

    /// What the table holds, most recent first.
    pub(super) fn reading(&self, now: SystemTime) -> Refused {
        let sources = self.entries.iter().map(|((source, verdict), entry)| RefusedSource {
            source: *source,
            client: entry.client.as_deref().map(str::to_owned),
            verdict: verdict.name().to_owned(),
            reason: entry.reason.clone(),
            datagrams: entry.datagrams,
            first_seen: entry.first_seen.try_into().unwrap_or_default(),
            last_seen: entry.last_seen.try_into().unwrap_or_default(),
            is_mended: entry.is_mended,
        });
        let mut sources: Vec<_> = sources.collect();
        sources.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then(a.source.cmp(&b.source)));
        Refused { now: now.try_into().unwrap_or_default(), forgotten: self.forgotten, sources }
    }

    fn entry(
        &mut self,
        source: IpAddr,
        client: Option<Arc<str>>,
        reason: Reason,
        now: SystemTime,
    ) -> &mut Entry {
        let key = (source, reason.verdict());
        if !self.entries.contains_key(&key) && self.entries.len() >= ENTRIES_MAX {
            self.forget_one();
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            client: None,
            reason: String::new(),
            datagrams: 0,
            first_seen: now,
            last_seen: now,
            is_mended: false,
            steered: false,
        });
        entry.client = client;
        entry.reason = reason.to_string();
        entry.last_seen = now;
        entry.is_mended = false;
        entry
    }

    fn forget_one(&mut self) {
        let least = self.entries.iter().min_by_key(|(_, entry)| (entry.client.is_some(), entry.last_seen));
        if let Some(key) = least.map(|(key, _)| *key) {
            self.entries.remove(&key);
            self.forgotten += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: SystemTime = SystemTime::UNIX_EPOCH;

    fn notice(source: &str, client: Option<&str>, reason: Reason) -> Notice {
        Notice {
            source: source.parse().unwrap(),
            destination: "192.0.2.1:1813".parse().unwrap(),
            client: client.map(Arc::from),
            reason,
        }
    }

    #[test]
    fn a_source_has_one_entry_a_verdict_whatever_its_port() {
        let mut refused = RefusedSources::default();
        for (second, port) in [(0, 1000), (1, 1001), (2, 1002)] {
            let wrong = notice(&format!("192.0.2.7:{port}"), Some("branch"), Reason::BadAuthenticator);
            refused.note(&wrong, BEGAN + Duration::from_secs(second));
        }
        refused.note(&notice("192.0.2.7:1", Some("branch"), Reason::RateLimited), BEGAN);
        let reading = refused.reading(BEGAN);
        let shown: Vec<_> = reading
            .sources
            .iter()
            .map(|entry| (entry.verdict.as_str(), entry.datagrams, entry.first_seen, entry.last_seen))
            .collect();
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        assert_eq!(shown, [("bad_authenticator", 3, at(0), at(2)), ("rate_limited", 1, at(0), at(0))]);
        assert_eq!(reading.sources[0].client.as_deref(), Some("branch"));
        assert!(reading.sources[0].reason.contains("shared secret"), "{}", reading.sources[0].reason);
    }

    #[test]
    fn a_flood_of_invented_sources_stays_bounded_and_does_not_hide_a_client() {
        let mut refused = RefusedSources::default();
        refused.note(&notice("192.0.2.7:1", Some("branch"), Reason::BadAuthenticator), BEGAN);
        for n in 0..10_000_u32 {
            let source = format!("{}:1", std::net::Ipv4Addr::from(n));
            refused.note(
                &notice(&source, None, Reason::UnknownClient),
                BEGAN + Duration::from_secs(1 + u64::from(n)),
            );
        }
        let reading = refused.reading(BEGAN);
        assert_eq!(reading.sources.len(), ENTRIES_MAX);
        assert_eq!(reading.forgotten, 10_001 - ENTRIES_MAX as u64);
        assert_eq!(reading.sources[0].source, std::net::Ipv4Addr::from(9_999), "the most recent comes first");
        assert!(reading.sources.iter().any(|entry| entry.client.as_deref() == Some("branch")));
    }

    #[test]
    fn who_proves_itself_is_mended_until_it_is_wrong_again() {
        let mut refused = RefusedSources::default();
        let [wrong, slow] = [Reason::BadAuthenticator, Reason::RateLimited]
            .map(|reason| notice("192.0.2.7:1", Some("everybody"), reason));
        let unproved = |refused: &RefusedSources, second| {
            refused.unproved(BEGAN + Duration::from_secs(second)).collect::<Vec<_>>()
        };
        refused.note(&slow, BEGAN);
        refused.note(&notice("192.0.2.7:1", None, Reason::UnknownClient), BEGAN);
        assert_eq!(unproved(&refused, 0), [] as [IpAddr; 0], "nobody who is to prove itself");
        refused.note(&wrong, BEGAN);
        assert_eq!(unproved(&refused, 3599), [wrong.source.ip()]);
        assert_eq!(unproved(&refused, 3600), [] as [IpAddr; 0], "it is nobody's problem of now");
        refused.prove("192.0.2.8".parse().unwrap());
        assert_eq!(unproved(&refused, 0), [wrong.source.ip()]);
        refused.prove(wrong.source.ip());
        assert_eq!(unproved(&refused, 0), [] as [IpAddr; 0]);
        let mended = |refused: &RefusedSources| {
            let sources = refused.reading(BEGAN).sources.into_iter();
            sources.filter(|source| source.is_mended).map(|source| source.verdict).collect::<Vec<_>>()
        };
        let mut verdicts = mended(&refused);
        verdicts.sort_unstable();
        assert_eq!(
            verdicts,
            ["bad_authenticator", "unknown_client"],
            "it is no client's any more, or was none before"
        );
        refused.note(&wrong, BEGAN);
        assert_eq!(
            (unproved(&refused, 0), mended(&refused)),
            (vec![wrong.source.ip()], vec!["unknown_client".to_owned()])
        );
    }

    #[test]
    fn an_hour_is_lately_also_where_the_clock_is_set_back() {
        let at = BEGAN + Duration::from_secs(10_000);
        assert!(is_late(at, at + LATELY - Duration::from_secs(1)));
        assert!(!is_late(at, at + LATELY));
        assert!(is_late(at, at - Duration::from_secs(7200)));
    }

    #[test]
    fn what_the_steer_program_counts_is_not_counted_twice() {
        let mut refused = RefusedSources::default();
        let source: IpAddr = "192.0.2.9".parse().unwrap();
        let mut at = BEGAN;
        let mut look = |refused: &mut RefusedSources, count| {
            at += Duration::from_secs(1);
            refused.note_steered(HashMap::from([(source, count)]), at);
            let reading = refused.reading(at);
            (reading.sources[0].datagrams, reading.now.duration_since(reading.sources[0].last_seen).as_secs())
        };
        // A sample comes up to a worker before the program's count is read.
        refused.note(&notice("192.0.2.9:1", None, Reason::UnknownClient), BEGAN);
        assert_eq!(look(&mut refused, 20), (20, 0));
        refused.note(&notice("192.0.2.9:1", None, Reason::UnknownClient), BEGAN + Duration::from_secs(1));
        assert_eq!(look(&mut refused, 25), (25, 0));
        assert_eq!(look(&mut refused, 25), (25, 1), "nothing new");
        assert_eq!(look(&mut refused, 3), (28, 0), "the program began to count anew");
    }
}
