//! A client's requests do not verify. Most likely the secret differs; somebody may forge as well.
//!
//! It is over when requests verify and no wrong one comes: at once where none had verified since it began, since then it
//! was mended; where right and wrong ones come side by side (several servers behind one client, a forger) only when
//! wrong ones have stayed away for long.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{Condition, Now, Round, Seen, Settings, Standing, board::Finding, seen::ClientSeen};
use crate::alert::Severity;

/// A wrong request on its way when the secret was mended still comes within this.
const SETTLED: Duration = Duration::from_secs(5);
/// Wrong ones that come back within this were never over.
const AGAIN: Duration = Duration::from_secs(86_400);

/// What verified and what did not.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    clients: HashMap<String, Client>,
}

#[derive(Debug, Default)]
struct Client {
    genuine: u64,
    bad: u64,
    wrong: Option<Wrong>,
    /// When it was over last.
    over: Option<Duration>,
}

#[derive(Debug)]
struct Wrong {
    since_unix_ns: u64,
    last: Duration,
    /// Requests verified behind the last wrong one.
    is_mended: bool,
    /// Wrong ones came behind right ones.
    is_mixed: bool,
}

impl Secrets {
    pub(super) fn resume(&mut self, standing: &Standing, now: Now) {
        let wrong = Wrong {
            since_unix_ns: standing.since_unix_ns,
            last: now.running,
            is_mended: false,
            is_mixed: false,
        };
        let client = Client { wrong: Some(wrong), ..Client::default() };
        self.clients.insert(standing.subject.clone(), client);
    }

    pub(super) fn look(&mut self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
        let names: HashSet<&str> = seen.clients.iter().map(|client| client.name.as_str()).collect();
        self.clients.retain(|name, _| names.contains(name.as_str()));
        for client in &seen.clients {
            let known = self.clients.entry(client.name.clone()).or_default();
            if let Some(since_unix_ns) = known.look(client, now, settings) {
                round.findings.push(wrong_secret(client, since_unix_ns));
            }
        }
    }
}

impl Client {
    /// Since when its requests do not verify, if they do not.
    fn look(&mut self, seen: &ClientSeen, now: Now, settings: &Settings) -> Option<u64> {
        let bad = seen.bad_authenticators + seen.bad_message_authenticators;
        let (is_bad, is_good) = (bad > self.bad, seen.genuine > self.genuine);
        (self.bad, self.genuine) = (bad, seen.genuine);
        match &mut self.wrong {
            None if is_bad => {
                let is_mixed = self.over.is_some_and(|over| now.running.saturating_sub(over) < AGAIN);
                let (since_unix_ns, last) = (now.unix_ns, now.running);
                self.wrong = Some(Wrong { since_unix_ns, last, is_mended: is_good, is_mixed });
            }
            None => {}
            Some(wrong) => {
                if is_bad {
                    wrong.is_mixed |= wrong.is_mended;
                    wrong.last = now.running;
                }
                // Both within one look: which came last, the next tells.
                wrong.is_mended = is_good || (wrong.is_mended && !is_bad);
                let quiet = now.running.saturating_sub(wrong.last);
                let enough =
                    if wrong.is_mixed { settings.over_after } else { SETTLED.min(settings.over_after) };
                if wrong.is_mended && quiet >= enough {
                    self.wrong = None;
                    self.over = Some(now.running);
                }
            }
        }
        self.wrong.as_ref().map(|wrong| wrong.since_unix_ns)
    }
}

fn wrong_secret(client: &ClientSeen, since_unix_ns: u64) -> Finding {
    let ClientSeen { name, bad_authenticators, bad_message_authenticators, bad_sources, .. } = client;
    let mut message = format!("Requests of the client {name:?} do not verify and get no answer: ");
    message += &match (*bad_authenticators, *bad_message_authenticators) {
        (0, unsigned) => format!("{unsigned} with a wrong or missing Message-Authenticator"),
        (wrong, 0) => format!("{wrong} with a wrong Request Authenticator"),
        (wrong, unsigned) => format!(
            "{wrong} with a wrong Request Authenticator, {unsigned} with a wrong or missing Message-Authenticator"
        ),
    };
    if !bad_sources.is_empty() {
        let sources: Vec<String> = bad_sources.iter().map(ToString::to_string).collect();
        message += &format!(", lately from {}", sources.join(", "));
    }
    message += ". Most likely the shared secret is not the same on both sides.";
    let mut advice = vec![
        format!(
            "Set the same shared secret on the VPN server, where this host is its accounting server, and at the client \
             {name:?}: under Settings, First packet in the portal, which tries it first, or in the file, without spaces or \
             a line end behind it; then send SIGHUP."
        ),
        "During a change of secrets let the one before be accepted as well: in the file as `previous_secret`."
            .to_owned(),
        "If the secret is right, somebody sends forged requests from that address: find out who may use it."
            .to_owned(),
    ];
    if *bad_message_authenticators > 0 {
        advice.push(
            "If the VPN server sends no Message-Authenticator, set `require_message_authenticator = false` in the file."
                .to_owned(),
        );
    }
    let severity = Severity::High;
    Finding {
        condition: Condition::WrongSecret,
        subject: name.clone(),
        severity,
        since_unix_ns,
        message,
        advice,
    }
}
