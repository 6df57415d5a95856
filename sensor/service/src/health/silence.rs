//! Somebody who sent before is silent: a client, or all of them. What a dead VPN server, a firewall and a forwarding that
//! was switched off have in common.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{Condition, Now, Round, Seen, Settings, Standing, board::Finding, condition::lasting};
use crate::alert::Severity;

/// Who was heard when.
#[derive(Debug, Default)]
pub(super) struct Silence {
    clients: HashMap<String, Heard>,
    anybody: Option<Last>,
}

#[derive(Debug)]
struct Heard {
    genuine: u64,
    last: Option<Last>,
    is_told: bool,
}

/// A moment on the clock that nobody sets, before its zero too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Last(i128);

impl Last {
    /// So long before now by the host's clock.
    fn at(unix_ns: u64, now: Now) -> Last {
        Last(Last::of(now).0 - i128::from(now.unix_ns.saturating_sub(unix_ns)))
    }

    fn of(now: Now) -> Last {
        Last(now.running.as_nanos() as i128)
    }

    fn age(self, now: Now) -> Duration {
        let age = u64::try_from(Last::of(now).0 - self.0).unwrap_or(0);
        Duration::from_nanos(age)
    }
}

impl Silence {
    pub(super) fn resume(&mut self, standing: &Standing, now: Now) {
        let last = Last::at(standing.since_unix_ns, now);
        if standing.condition == Condition::SensorSilent {
            self.anybody = Some(last);
        } else {
            let heard = Heard { genuine: 0, last: Some(last), is_told: true };
            self.clients.insert(standing.subject.clone(), heard);
        }
    }

    pub(super) fn look(&mut self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
        let names: HashSet<&str> = seen.clients.iter().map(|client| client.name.as_str()).collect();
        self.clients.retain(|name, _| names.contains(name.as_str()));
        for client in &seen.clients {
            let heard = self.clients.entry(client.name.clone()).or_insert(Heard {
                genuine: 0,
                last: None,
                is_told: false,
            });
            if client.genuine != heard.genuine {
                heard.genuine = client.genuine;
                heard.last = Some(Last::of(now));
            } else if heard.last.is_none() {
                let stored = seen.heard.as_ref().and_then(|heard| heard.get(&client.name));
                heard.last = stored.map(|&unix_ns| Last::at(unix_ns, now));
            }
            self.anybody = self.anybody.max(heard.last);
        }
        let is_silent = self.look_at_all(seen, now, settings, round);
        for client in &seen.clients {
            let Some(heard) = self.clients.get_mut(&client.name) else { continue };
            let silence = heard.last.map(|last| last.age(now));
            let silence = silence.filter(|age| settings.client_silent.is_some_and(|longest| *age > longest));
            // When nobody is heard it is not the client's doing.
            heard.is_told = silence.is_some() && (heard.is_told || !is_silent);
            if let Some(silence) = silence.filter(|_| heard.is_told) {
                round.findings.push(client_silent(&client.name, silence, now));
            }
        }
    }

    fn look_at_all(&self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) -> bool {
        let Some(age) = self.anybody.map(|last| last.age(now)) else { return false };
        let is_silent = settings.sensor_silent.is_some_and(|longest| age > longest);
        // Where no client is configured nobody is expected.
        if !is_silent || seen.clients.is_empty() {
            return false;
        }
        round.findings.push(Finding {
            condition: Condition::SensorSilent,
            subject: String::new(),
            severity: Severity::High,
            since_unix_ns: now.ago(age),
            message: format!(
                "No client has sent a genuine request for {}: who connects to the VPN is not seen.",
                lasting(age)
            ),
            advice: vec![
                "See whether datagrams arrive at all: `vpn-sensor top` counts them, `tcpdump -ni any udp port 1813` \
                 shows them."
                    .to_owned(),
                "If none do: look at this host's network and firewall, and whether VPN servers still name its address as \
                 their accounting server."
                    .to_owned(),
                "If they do and none verifies: look for `wrong-secret` and `unknown-client`.".to_owned(),
                "If nobody works at these hours: set `health.sensor_silent` to more.".to_owned(),
            ],
        });
        true
    }
}

fn client_silent(name: &str, silence: Duration, now: Now) -> Finding {
    Finding {
        condition: Condition::ClientSilent,
        subject: name.to_owned(),
        severity: Severity::Medium,
        since_unix_ns: now.ago(silence),
        message: format!(
            "The client {name:?} sent requests before and has been silent for {}: who connects through it is not seen.",
            lasting(silence)
        ),
        advice: vec![
            "See whether the VPN server runs, and whether it still sends its RADIUS accounting to this host.".to_owned(),
            "Send a test from its network: `vpn-sensor send`. A firewall on the way drops UDP 1813 silently.".to_owned(),
            "If it is gone for good, remove it under Settings, VPN servers in the portal, or take its [[client]] out of the \
             file and send SIGHUP; if its users rest for longer, set `health.client_silent` to more."
                .to_owned(),
        ],
    }
}
