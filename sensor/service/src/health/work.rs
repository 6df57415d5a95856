//! The service: it ended, or its store cannot be written.

use super::{Condition, Now, Round, Seen, board::Finding, seen::WorkState};
use crate::alert::Severity;

pub(super) fn look(seen: &Seen, now: Now, round: &mut Round) {
    match seen.service.state {
        WorkState::Up => {}
        WorkState::Starting => round.undecided.extend([Condition::Service, Condition::Store]),
        WorkState::Ended => {
            round.undecided.push(Condition::Store);
            round.findings.push(Finding {
                condition: Condition::Service,
                subject: String::new(),
                severity: Severity::High,
                since_unix_ns: now.unix_ns,
                message: "The service ended: nobody makes sense of records, and no alert is raised. Requests are recorded \
                          and answered as before."
                    .to_owned(),
                advice: vec![
                    "The log has a line that begins with `the service ended`; it says why.".to_owned(),
                    "If the store or its checkpoint is damaged: stop the sensor, run its `rebuild` command, start it."
                        .to_owned(),
                ],
            });
        }
        WorkState::Waiting => round.findings.push(Finding {
            condition: Condition::Store,
            subject: seen.service.store.display().to_string(),
            severity: Severity::High,
            since_unix_ns: now.unix_ns,
            message: "The store of connections and alerts cannot be written. Records are taken and answered as before; \
                      what they mean is seen later."
                .to_owned(),
            advice: vec![
                "Look for a full disk, or a program that holds the file: the log says what failed.".to_owned(),
            ],
        }),
    }
}
