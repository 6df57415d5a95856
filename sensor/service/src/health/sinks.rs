//! Sinks that do not run, and those whose messages wait for long, are lost, or reach some of their recipients only.

use std::{collections::HashSet, time::Duration};

use super::{
    Condition, Now, Round, Seen, Settings, Standing,
    board::Finding,
    condition::{lasting, octets},
    growth::Growth,
};
use crate::{alert::Severity, export::sink};

/// What is told of a sink that runs.
const OF_RUNNING: [Condition; 3] = [Condition::SinkBehind, Condition::SinkLost, Condition::RecipientRefused];

/// Which sinks were behind, and what each had lost.
#[derive(Debug, Default)]
pub(super) struct Sinks {
    behind: HashSet<String>,
    lost: Growth,
}

impl Sinks {
    pub(super) fn resume(&mut self, standing: &Standing, now: Now) {
        if standing.condition == Condition::SinkBehind {
            self.behind.insert(standing.subject.clone());
        } else {
            self.lost.resume(standing, now);
        }
    }

    pub(super) fn look(&mut self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
        let Some(sinks) = &seen.sinks else {
            round.undecided.push(Condition::SinkStopped);
            round.undecided.extend(OF_RUNNING);
            return;
        };
        let names: HashSet<&str> = sinks.iter().map(|sink| sink.name.as_str()).collect();
        self.behind.retain(|name| names.contains(name.as_str()));
        self.lost.keep_only(&names);
        for sink in sinks.iter() {
            if let Some(reason) = &sink.stopped {
                round.findings.push(stopped(sink, reason, now));
                round.held.extend(OF_RUNNING.map(|condition| (condition, sink.name.clone())));
                continue;
            }
            let waits = Duration::try_from_secs_f64(sink.behind_seconds).unwrap_or_default();
            // It has caught up when half of the time is not reached: no word for each message at the edge.
            let was_behind = self.behind.contains(&sink.name);
            let longest = if was_behind { settings.sink_behind / 2 } else { settings.sink_behind };
            if sink.waiting > 0 && waits > longest {
                if !was_behind {
                    self.behind.insert(sink.name.clone());
                }
                round.findings.push(behind(sink, waits, now));
            } else if was_behind {
                self.behind.remove(&sink.name);
            }
            let growing = self.lost.look(&sink.name, sink.lost, sink.lost, now, settings.over_after);
            round.findings.extend(growing.map(|growing| lost(sink, growing.since_unix_ns)));
            match sink.recipients_refused.as_deref() {
                // The next message says so.
                None => round.held.push((Condition::RecipientRefused, sink.name.clone())),
                Some([]) => {}
                Some(refused) => round.findings.push(recipient_refused(sink, refused, now)),
            }
        }
    }
}

fn last_error(sink: &sink::Standing) -> String {
    sink.last_error.as_ref().map_or(String::new(), |error| format!(" The last error: {error}."))
}

fn stopped(sink: &sink::Standing, reason: &str, now: Now) -> Finding {
    let sink::Standing { name, kind, .. } = sink;
    Finding {
        condition: Condition::SinkStopped,
        subject: name.clone(),
        severity: Severity::Medium,
        since_unix_ns: now.unix_ns,
        message: format!("The sink {name:?} ({kind}) does not run, the others do. {reason}."),
        advice: vec![
            "Alerts are sent to it from the store once it runs; connections and health messages of that time are lost to \
             it and counted."
                .to_owned(),
        ],
    }
}

fn behind(sink: &sink::Standing, waits: Duration, now: Now) -> Finding {
    let sink::Standing { name, kind, waiting, spool_bytes, .. } = sink;
    Finding {
        condition: Condition::SinkBehind,
        subject: name.clone(),
        severity: Severity::Medium,
        since_unix_ns: now.ago(waits),
        message: format!(
            "The sink {name:?} ({kind}) is behind: {waiting} messages wait, {} on disk, the oldest for {}.{}",
            octets(*spool_bytes),
            lasting(waits),
            last_error(sink)
        ),
        advice: vec![
            "See whether its receiver runs and takes messages; what waits is sent by itself then, in order.".to_owned(),
            "What waits falls out at the sink's `max_age` and `max_bytes`, and earlier where the disk is short: raise them, \
             or give the disk room, if its receiver is away for longer."
                .to_owned(),
        ],
    }
}

fn recipient_refused(sink: &sink::Standing, refused: &[String], now: Now) -> Finding {
    let sink::Standing { name, kind, .. } = sink;
    Finding {
        condition: Condition::RecipientRefused,
        subject: name.clone(),
        severity: Severity::Medium,
        since_unix_ns: now.unix_ns,
        message: format!(
            "The sink {name:?} ({kind}) does not reach all of its recipients, the others get its messages. Refused for \
             good: {}.",
            refused.join("; ")
        ),
        advice: vec![
            "Take such an address out of the sink's `to` and send SIGHUP, or have its mailbox mended."
                .to_owned(),
            "It is over with the next message that all recipients take.".to_owned(),
        ],
    }
}

fn lost(sink: &sink::Standing, since_unix_ns: u64) -> Finding {
    let sink::Standing { name, lost, .. } = sink;
    Finding {
        condition: Condition::SinkLost,
        subject: name.clone(),
        severity: Severity::Medium,
        since_unix_ns,
        message: format!(
            "The sink {name:?} lost messages: {lost} in all. Its peer did not take them before its spool was full or they \
             were too old, or refused them, or the disk was full.{}",
            last_error(sink)
        ),
        advice: vec![
            "See whether the peer runs, and what it answered.".to_owned(),
            "Give the sink a larger `max_bytes` or `max_age` if its receiver is away for longer.".to_owned(),
            "Alerts are kept here whatever becomes of their messages: `vpn-sensor alerts`.".to_owned(),
        ],
    }
}
