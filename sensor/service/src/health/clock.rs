//! Wrong clocks: a VPN server's, by the times that it sends, and this host's, when it is set back.

use std::time::Duration;

use super::{Condition, Now, Round, Seen, Settings, Standing, board::Finding, condition::lasting};
use crate::{alert::Severity, fold::ClientClock};

/// Clocks are set back by less all the time.
const JUMP_MIN: Duration = Duration::from_secs(5);
/// After a day nobody waits for the time before the jump any more.
const STANDS_MAX: Duration = Duration::from_secs(86_400);

/// What a message of this host's clock is about.
pub(super) const HOST: &str = "this host";

/// This host's clock, and those of others that stood at a start.
#[derive(Debug, Default)]
pub(super) struct HostClock {
    before: Option<Now>,
    jump: Option<Jump>,
    /// Told before a restart, behind which times must come in again.
    resumed: Vec<String>,
}

#[derive(Debug)]
struct Jump {
    back: Duration,
    /// The time that it was before.
    from_unix_ns: u64,
    to_unix_ns: u64,
    at: Duration,
}

impl HostClock {
    pub(super) fn resume(&mut self, standing: &Standing) {
        if standing.subject != HOST {
            self.resumed.push(standing.subject.clone());
        }
    }

    pub(super) fn look(&mut self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
        if let Some(before) = self.before.replace(now) {
            let passed = now.running.saturating_sub(before.running);
            let should_be = before.unix_ns.saturating_add(passed.as_nanos() as u64);
            let back = Duration::from_nanos(should_be.saturating_sub(now.unix_ns));
            if back > JUMP_MIN {
                let from_unix_ns =
                    self.jump.as_ref().map_or(should_be, |jump| jump.from_unix_ns.max(should_be));
                self.jump = Some(Jump { back, from_unix_ns, to_unix_ns: now.unix_ns, at: now.running });
            }
        }
        self.jump = self.jump.take().filter(|jump| {
            now.unix_ns < jump.from_unix_ns && now.running.saturating_sub(jump.at) < STANDS_MAX
        });
        round.findings.extend(self.jump.iter().map(jumped));
        let wrong = seen.clocks.iter().filter(|clock| {
            clock.is_steady && Duration::from_secs(clock.offset_s.unsigned_abs()) > settings.clock_skew
        });
        let found = round.findings.len();
        round.findings.extend(wrong.map(skewed));
        if now.running >= settings.over_after {
            self.resumed.clear();
        }
        let wrong = &round.findings[found..];
        let unheard =
            self.resumed.iter().filter(|subject| wrong.iter().all(|finding| finding.subject != **subject));
        round.held.extend(unheard.map(|subject| (Condition::ClockSkew, subject.clone())));
    }
}

fn jumped(jump: &Jump) -> Finding {
    Finding {
        condition: Condition::ClockSkew,
        subject: HOST.to_owned(),
        severity: Severity::Medium,
        since_unix_ns: jump.to_unix_ns,
        message: format!(
            "The clock of this host was set back by {}. Connections of this time seem to begin before others that they \
             follow, and profiles learn nothing until the time before is reached, a day at most.",
            lasting(jump.back)
        ),
        advice: vec![
            "See whether the clock is right now, and who set it: chrony's or systemd-timesyncd's log, the hypervisor."
                .to_owned(),
        ],
    }
}

fn skewed(clock: &ClientClock) -> Finding {
    let ClientClock { client, server, offset_s, since_unix_ns, .. } = clock;
    let subject = match server {
        Some(server) if server != client => format!("{client} ({server})"),
        _ => client.clone(),
    };
    let off = Duration::from_secs(offset_s.unsigned_abs());
    let way = if *offset_s > 0 { "ahead" } else { "behind" };
    let mut advice = vec![format!(
        "Set the clock of the VPN server {subject}, and let it follow NTP. Times of connections come from its \
         Event-Timestamp where that is believed."
    )];
    // Zones lie whole quarters of an hour from UTC.
    let quarter = off.as_secs() % 900;
    if off.as_secs() > 1_700 && off.as_secs() < 15 * 3600 && !(60..840).contains(&quarter) {
        advice.push(
            "The difference is that of a time zone: its zone is wrong, or it sends local time where UTC belongs.".to_owned(),
        );
    }
    Finding {
        condition: Condition::ClockSkew,
        message: format!(
            "The clock of {subject} is {} {way} of this host's, by the Event-Timestamp of its requests. Times of its \
             connections may be wrong.",
            lasting(off)
        ),
        subject,
        severity: Severity::Low,
        since_unix_ns: *since_unix_ns,
        advice,
    }
}
