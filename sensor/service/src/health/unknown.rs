//! Datagrams from addresses that belong to no client: a VPN server that nobody configured, or a stranger. A few are named;
//! more are one message together, since sources can be invented.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use super::{Condition, Now, Round, Seen, Standing, board::Finding, seen::StrangerSeen};
use crate::alert::Severity;

/// So many are named at once.
const NAMED_MAX: usize = 8;
/// What stands for all further ones.
const OTHERS: &str = "other addresses";
/// A VPN server that few people use sends seldom.
const QUIET: Duration = Duration::from_secs(86_400);

/// Who is no client.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    named: HashMap<IpAddr, Stranger>,
    others: Option<Stranger>,
    /// What was counted of those that are not named.
    other_datagrams: HashMap<IpAddr, u64>,
}

#[derive(Debug)]
struct Stranger {
    datagrams: u64,
    since_unix_ns: u64,
    last: Duration,
}

impl Stranger {
    fn new(datagrams: u64, now: Now) -> Stranger {
        Stranger { datagrams, since_unix_ns: now.unix_ns, last: now.running }
    }

    fn is_quiet(&self, now: Now) -> bool {
        now.running.saturating_sub(self.last) >= QUIET
    }
}

impl Strangers {
    pub(super) fn resume(&mut self, standing: &Standing, now: Now) {
        let stranger = Stranger { datagrams: 0, since_unix_ns: standing.since_unix_ns, last: now.running };
        match standing.subject.parse() {
            Ok(source) => drop(self.named.insert(source, stranger)),
            Err(_) => self.others = Some(stranger),
        }
    }

    pub(super) fn look(&mut self, seen: &Seen, now: Now, round: &mut Round) {
        self.named.retain(|_, stranger| !stranger.is_quiet(now));
        let mut others = HashMap::new();
        for StrangerSeen { source, datagrams, is_client } in &seen.strangers {
            if *is_client {
                self.named.remove(source);
                continue;
            }
            match self.named.get_mut(source) {
                Some(stranger) if stranger.datagrams != *datagrams => {
                    (stranger.datagrams, stranger.last) = (*datagrams, now.running);
                }
                Some(_) => {}
                None => drop(others.insert(*source, *datagrams)),
            }
        }
        others.retain(|source, datagrams| {
            // One that was quiet for a day is in the table still.
            let is_news = self.other_datagrams.get(source) != Some(datagrams);
            if is_news && self.named.len() < NAMED_MAX {
                self.named.insert(*source, Stranger::new(*datagrams, now));
                return false;
            }
            if is_news {
                self.others.get_or_insert_with(|| Stranger::new(0, now)).last = now.running;
            }
            true
        });
        for (source, stranger) in &self.named {
            // As it stands in the table when it was quiet for long.
            others.insert(*source, stranger.datagrams);
        }
        let further = others.len() - self.named.len();
        self.other_datagrams = others;
        self.others = self.others.take().filter(|others| !others.is_quiet(now));
        round.findings.extend(self.named.iter().map(|(source, stranger)| named(*source, stranger)));
        round.findings.extend(self.others.iter().map(|others| other(further, others)));
    }
}

fn named(source: IpAddr, stranger: &Stranger) -> Finding {
    finding(
        source.to_string(),
        stranger,
        format!(
            "Datagrams for the accounting port come from {source}, which belongs to no client: {} so far. They get no \
             answer and are not recorded.",
            stranger.datagrams
        ),
        vec![
            format!(
                "If {source} is one of your VPN servers, or a proxy such as NPS in front of them: let it in under Settings, \
                 First packet in the portal, or add the address to a [[client]] of the file with its secret and send \
                 SIGHUP. A server with several interfaces may send from another address than you expect."
            ),
            "If it is not: let a firewall keep it away from UDP 1813.".to_owned(),
        ],
    )
}

fn other(count: usize, others: &Stranger) -> Finding {
    finding(
        OTHERS.to_owned(),
        others,
        format!(
            "Datagrams for the accounting port come from more addresses that belong to no client: {count} beside those \
             that are named. Sources can be invented."
        ),
        vec![
            "See who they are: `vpn-sensor top`, or `/refused` at the metrics address.".to_owned(),
            "If none of them is yours: let a firewall allow UDP 1813 for your VPN servers alone.".to_owned(),
        ],
    )
}

fn finding(subject: String, stranger: &Stranger, message: String, advice: Vec<String>) -> Finding {
    Finding {
        condition: Condition::UnknownClient,
        subject,
        severity: Severity::Low,
        since_unix_ns: stranger.since_unix_ns,
        message,
        advice,
    }
}
