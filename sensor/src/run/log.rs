//! Log lines about single datagrams, at most one a second for each client or source and reason.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ingest::notice::{Notice, Reason};

/// One line a key within this time.
const INTERVAL: Duration = Duration::from_secs(1);

/// Keys remembered. A flood from invented sources meets the limit and is suppressed, so memory stays flat; the keys
/// are swept as they grow old.
const KEYS_MAX: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Client(Arc<str>),
    Source(IpAddr),
    /// Not one sender's doing: the journal, the duplicate table.
    Sensor,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    suppressed: u64,
}

/// The limit and what it held back.
#[derive(Debug, Default)]
pub(super) struct NoticeLog {
    lines: HashMap<(Who, &'static str), Last>,
    suppressed: u64,
}

impl NoticeLog {
    /// Lines held back since the start.
    pub(super) fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Writes a line about this notice, unless there was one of its kind within the last second. Returns whether.
    pub(super) fn tell(&mut self, notice: &Notice, now: Instant) -> bool {
        let sweep = |last: &Last| now.duration_since(last.at) < INTERVAL;
        if self.lines.len() >= KEYS_MAX {
            self.lines.retain(|_, last| sweep(last));
        }
        let key = (who(notice), notice.reason.verdict().name());
        let full = self.lines.len() >= KEYS_MAX;
        let before = match self.lines.get_mut(&key) {
            Some(last) if sweep(last) => {
                last.suppressed += 1;
                self.suppressed += 1;
                return false;
            }
            Some(last) => last.suppressed,
            None if full => {
                self.suppressed += 1;
                return false;
            }
            None => 0,
        };
        self.lines.insert(key, Last { at: now, suppressed: 0 });
        write_line(notice, before);
        true
    }
}

fn who(notice: &Notice) -> Who {
    match (&notice.reason, &notice.client) {
        (Reason::NoFreeBatch | Reason::BatchFailed | Reason::DuplicatesFull, _) => Who::Sensor,
        (_, Some(client)) => Who::Client(client.clone()),
        (_, None) => Who::Source(notice.source.ip()),
    }
}

fn write_line(notice: &Notice, suppressed: u64) {
    let Notice { source, destination, client, reason } = notice;
    let verdict = reason.verdict().name();
    let client = client.as_deref().unwrap_or("-");
    let advice = match reason {
        Reason::BadAuthenticator | Reason::BadMessageAuthenticator => {
            "; the secret on the VPN server and the client's secret here differ, or somebody forges requests"
        }
        Reason::UnknownClient => "; if this is a VPN server of yours, add its address to a [[client]]",
        Reason::Malformed(_) | Reason::NotADatagram => "; look for cut or altered datagrams on the way",
        _ => "",
    };
    tracing::warn!(verdict, client, %source, %destination, suppressed, "no answer: {reason}{advice}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(source: &str, client: Option<&str>, reason: Reason) -> Notice {
        Notice {
            source: source.parse().unwrap(),
            destination: "192.0.2.1:1813".parse().unwrap(),
            client: client.map(Arc::from),
            reason,
        }
    }

    #[test]
    fn one_line_a_second_and_key() {
        let mut log = NoticeLog::default();
        let start = Instant::now();
        let a = notice("192.0.2.2:1", Some("a"), Reason::BadAuthenticator);
        assert!(log.tell(&a, start));
        assert!(!log.tell(&a, start + Duration::from_millis(999)));
        assert!(
            log.tell(&notice("192.0.2.2:1", Some("b"), Reason::BadAuthenticator), start),
            "another client"
        );
        assert!(log.tell(&notice("192.0.2.2:1", Some("a"), Reason::RateLimited), start), "another reason");
        assert!(log.tell(&a, start + INTERVAL));
        assert_eq!(log.suppressed(), 1);
    }

    #[test]
    fn a_flood_from_invented_sources_stays_bounded() {
        let mut log = NoticeLog::default();
        let now = Instant::now();
        for n in 0..10_000_u32 {
            let source = format!("{}:1", std::net::Ipv4Addr::from(n));
            log.tell(&notice(&source, None, Reason::UnknownClient), now);
        }
        assert_eq!(log.lines.len(), KEYS_MAX);
        assert_eq!(log.suppressed(), 10_000 - KEYS_MAX as u64);
        assert!(log.tell(&notice("203.0.113.1:1", None, Reason::UnknownClient), now + INTERVAL));
    }
}
