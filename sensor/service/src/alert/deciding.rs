//! What people decided about alerts is taken by whoever holds the fold: between two turns of the running service, or by a
//! command where none runs.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{ServiceError, control::Control, live::Live};

/// Between two looks for decisions.
const LOOK: Duration = Duration::from_millis(200);
/// Between two attempts at what failed.
const RETRY: Duration = Duration::from_secs(5);

/// Takes decisions.
#[derive(Debug)]
pub struct Deciding {
    state_dir: PathBuf,
    control: Option<Control>,
    look_at: Instant,
    has_failed: bool,
}

impl Deciding {
    /// For the state directory that this process has the lock of.
    pub fn new(state_dir: &Path) -> Deciding {
        let state_dir = state_dir.to_owned();
        Deciding { state_dir, control: None, look_at: Instant::now(), has_failed: false }
    }

    /// Takes what there is, if it is time to look. What fails is told in the log and tried again.
    pub fn turn(&mut self, live: &mut Live) {
        if Instant::now() < self.look_at {
            return;
        }
        self.look_at = Instant::now() + LOOK;
        match self.take_all(live) {
            Ok(()) => self.has_failed = false,
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::error!("decisions about alerts wait: {error}; the service tries again");
                }
                self.look_at = Instant::now() + RETRY;
            }
        }
    }

    /// The same at once, and what fails is an error.
    ///
    /// # Errors
    /// [`ServiceError`]; what was not taken stays.
    pub fn take_all(&mut self, live: &mut Live) -> Result<(), ServiceError> {
        let control = match &mut self.control {
            Some(control) => control,
            None => self.control.insert(Control::open(&self.state_dir)?),
        };
        live.take_decisions(control).map(drop)
    }
}
