//! What people at this host's command line decide about alerts. It goes the way of the API's decisions: into `control`, and
//! from there to the running service. Where none runs, the command takes it.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use journal::{RealStorage, Storage as _};
use service::{
    alert::{Alert, COMMENTS_MAX, Effect, State, Verdict, comment_text, effect, refusal},
    control::Control,
    fold::Decision,
};

use super::{As, LOOK, find, note, state};
use crate::{
    cli::{Exit, Failure, forget, users::open},
    config::Config,
    run,
};

/// Longest wait for the running service to take a decision.
const TAKEN_MAX: Duration = Duration::from_secs(30);

/// Puts a decision in, and waits until the service has taken it; does that itself where no sensor runs.
pub(super) fn decide(
    config: &Config,
    number: u64,
    verdict: Option<As>,
    comment: Option<&str>,
) -> Result<(), Failure> {
    let comment = comment.map(comment_text).transpose();
    let comment = comment.map_err(|error| Failure::new(Exit::Usage, error))?;
    let alert = find(&open(&config.state_dir)?, number)?;
    if let Some(refused) = refusal(&alert, comment.is_some()) {
        return Err(conflict(&alert, refused));
    }
    let control = Control::open(&config.state_dir).map_err(anyhow::Error::new)?;
    let action = if verdict.is_some() { "alert.close" } else { "alert.comment" };
    note(&control, action, &alert)?;
    let verdict = verdict.map(|verdict| match verdict {
        As::Usual => Verdict::Usual,
        As::Malicious => Verdict::Malicious,
        As::Unclear => Verdict::Unclear,
    });
    let by = format!("uid {}", rustix::process::getuid().as_raw());
    let put = control.decide(number, verdict, comment.as_deref(), &by).map_err(anyhow::Error::new)?;
    await_effect(config, &control, put)
}

/// Until the store tells what came of it: somebody else may have been faster.
fn await_effect(config: &Config, control: &Control, (put, decision): (i64, Decision)) -> Result<(), Failure> {
    let journal = RealStorage::existing(config.journal_dir())?;
    let began = Instant::now();
    loop {
        let alert = find(&open(&config.state_dir)?, decision.alert)?;
        match effect(&alert, &decision) {
            Effect::Taken => return Ok(()),
            Effect::Pending => {}
            lost @ (Effect::Closed | Effect::Full) => return Err(conflict(&alert, lost)),
        }
        let is_taken = control.is_taken(put).map_err(anyhow::Error::new)?;
        if !is_taken && !journal.is_locked()? {
            forget::be_the_owner(&config.state_dir)?;
            run::execute_requests(config)?;
        }
        if began.elapsed() > TAKEN_MAX {
            let waits =
                anyhow!("the service has not taken it yet and will: look again with `vpn-sensor alerts`");
            return Err(waits.into());
        }
        thread::sleep(LOOK);
    }
}

fn conflict(alert: &Alert, why: Effect) -> Failure {
    let number = alert.number;
    match (&alert.state, why) {
        (State::Open, Effect::Full) => {
            anyhow!("alert {number} has {COMMENTS_MAX} comments, and keeps no more: close it without one")
                .into()
        }
        (closed, _) => anyhow!("alert {number} is closed already: {}", state(closed)).into(),
    }
}
