//! When the service writes down what it has taken, and what it does when the disk does not let it: outcomes into the store,
//! checkpoints beside them, copies of both for a rebuild to begin with.

use std::time::{Duration, Instant};

use super::Live;
use crate::{ServiceError, rebuild::BASE_FILE};

/// Rows of an outcome at which it is stored: what waits in memory while the disk is full. With a million users the store
/// takes so many in half a second (`cargo xtask bench insight`, session_changes_per_second): about as late as by age.
const OUTCOME_ROWS: usize = 20_000;
/// An outcome is stored after so long at the latest: what people see is at most this old when little happens.
const OUTCOME_AGE: Duration = Duration::from_millis(250);
/// Records between two checkpoints: at 90,000 a second (`cargo xtask bench insight`, events_per_second while a million
/// users connect) so many are taken again in three of the five seconds that a start may last, and the state is read in two
/// (checkpoint_load_seconds: 1.9).
const CHECKPOINT_RECORDS: u64 = 250_000;
/// And at the latest after this, if anything was taken.
const CHECKPOINT_AGE: Duration = Duration::from_secs(600);
/// Between two attempts at what may pass.
const RETRY: Duration = Duration::from_secs(1);
/// A base is made when the journal holds this share of its greatest size that the last one does not cover: a second
/// attempt fits before retention wants what the first should have covered.
const BASE_SHARE: u64 = 4;
/// And at the latest after this, if anything was taken: so that a rebuild takes a day's records and not a month's.
const BASE_AGE: Duration = Duration::from_secs(86_400);

impl Live {
    /// While an outcome waits for the disk, nothing more is taken than fits into it.
    pub(super) fn may_take(&self) -> bool {
        self.waiting.is_none() && self.fold.rows() < OUTCOME_ROWS && !self.fold.must_be_stored()
    }

    pub(super) fn store_what_is_due(&mut self) -> Result<(), ServiceError> {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        let has_something =
            self.waiting.is_some() || self.fold.rows() > 0 || !self.deciding.pending.is_empty();
        let since = *self.outcome_since.get_or_insert(now);
        if !has_something {
            self.outcome_since = None;
        }
        let is_due = !self.may_take() || now.duration_since(since) >= OUTCOME_AGE;
        let records = self.fold.position() - self.checkpoint_position;
        if records >= CHECKPOINT_RECORDS
            || (records > 0 && now.duration_since(self.checkpoint_at) >= CHECKPOINT_AGE)
        {
            self.try_again_later(Self::write_checkpoint)
        } else if self.is_base_due(now) {
            self.base_at = now;
            self.try_again_later(Self::make_base)
        } else if has_something && is_due {
            self.try_again_later(Self::store_outcome)
        } else {
            Ok(())
        }
    }

    fn try_again_later(
        &mut self,
        write: fn(&mut Live) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        match write(self) {
            Ok(()) => {
                if self.retry_at.take().is_some() {
                    tracing::info!("the service stores again");
                }
                Ok(())
            }
            Err(error) if error.may_pass() => {
                self.wait(&error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Counts what may pass and tells it once.
    pub(super) fn wait(&mut self, error: &ServiceError) {
        self.standing.store_failures += 1;
        if self.retry_at.is_none() {
            tracing::error!("{error}; the service waits and tries again, records and answers go on");
        }
        self.retry_at = Some(Instant::now() + RETRY);
    }

    pub(super) fn store_outcome(&mut self) -> Result<(), ServiceError> {
        self.write_outcome(None)
    }

    pub(super) fn write_checkpoint(&mut self) -> Result<(), ServiceError> {
        self.append_inputs()?;
        if self.waiting.is_some() {
            // It is of an earlier state.
            self.write_outcome(None)?;
        }
        let octets = self.fold.save()?;
        self.write_outcome(Some(&octets))?;
        self.checkpoint_position = self.fold.position();
        self.checkpoint_at = Instant::now();
        self.standing.checkpoints += 1;
        Ok(())
    }

    pub(super) fn append_inputs(&mut self) -> Result<(), ServiceError> {
        if !self.deciding.pending.is_empty() {
            self.inputs.append(&self.deciding.pending)?;
            self.deciding.pending.clear();
            self.fold.set_entry(self.inputs.last_entry()?);
        }
        Ok(())
    }

    pub(super) fn write_outcome(&mut self, checkpoint: Option<&[u8]>) -> Result<(), ServiceError> {
        self.append_inputs()?;
        let outcome = self.waiting.take().unwrap_or_else(|| self.fold.finish());
        if let Err(error) = self.store.write(&outcome, checkpoint) {
            self.waiting = Some(outcome);
            return Err(error.into());
        }
        self.standing.stored = self.fold.position();
        self.standing.rows += outcome.len() as u64;
        if !outcome.notices.is_empty() {
            self.standing.alerts.note(&outcome.notices);
            self.standing.alerts.open = self.fold.open_alerts();
        }
        self.fold.reuse(outcome);
        self.outcome_since = None;
        Ok(())
    }

    fn is_base_due(&self, now: Instant) -> bool {
        let max_age = self.retention.max_age.map_or(BASE_AGE, |age| BASE_AGE.min(age / BASE_SHARE as u32));
        let is_old =
            self.fold.position() > self.cursor.position() && now.duration_since(self.base_at) >= max_age;
        is_old || self.uncovered >= self.retention.max_octets / BASE_SHARE
    }

    /// Copies the store, with a checkpoint, to where a rebuild begins; what the copy covers leaves the input log, and
    /// may leave the journal.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn make_base(&mut self) -> Result<(), ServiceError> {
        self.write_checkpoint()?;
        let temporary = self.folder.join("base.new");
        crate::remove_if_there(&temporary)?;
        self.store.copy_to(&temporary)?;
        crate::replace_durably(&temporary, &self.folder.join(BASE_FILE))?;
        self.inputs.remove_up_to(self.fold.entry())?;
        self.cursor.advance(self.fold.position())?;
        self.uncovered = 0;
        self.standing.bases += 1;
        Ok(())
    }
}
