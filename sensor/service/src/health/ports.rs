//! Accounting is on, and its ports cannot be opened: somebody switched it off and on, and meanwhile another program took
//! them. Nothing is heard, so that silence alone would tell of it, and late.

use std::time::Duration;

use super::{Condition, Now, Round, Seen, board::Finding};
use crate::alert::Severity;

/// Ports are opened again within this, if they can be.
const OPENED_WITHIN: Duration = Duration::from_secs(5);

/// Since when.
#[derive(Debug, Default)]
pub(super) struct Ports {
    closed_since: Option<Now>,
}

impl Ports {
    pub(super) fn look(&mut self, seen: &Seen, now: Now, round: &mut Round) {
        let Some(reason) = &seen.ports_closed else {
            self.closed_since = None;
            return;
        };
        let since = *self.closed_since.get_or_insert(now);
        if now.running.saturating_sub(since.running) >= OPENED_WITHIN {
            round.findings.push(closed(reason, since.unix_ns));
        } else {
            round.undecided.push(Condition::PortsClosed);
        }
    }
}

fn closed(reason: &str, since_unix_ns: u64) -> Finding {
    Finding {
        condition: Condition::PortsClosed,
        subject: "accounting".to_owned(),
        severity: Severity::High,
        since_unix_ns,
        message: format!(
            "RADIUS accounting is on, and its ports cannot be opened: {reason}. Who sends there is not heard, and VPN servers \
             may refuse people."
        ),
        advice: vec![
            "`ss -ulpn` shows which program has them: stop that one; the sensor opens them by itself."
                .to_owned(),
            "Ports below 1024, and capture by XDP, are opened at a start alone: restart the sensor."
                .to_owned(),
        ],
    }
}
