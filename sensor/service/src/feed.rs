//! The input log read beside the journal: each input is handed to the fold where it took effect the first time. Used by
//! `live` to come back after a stop, and by `rebuild`.

use std::collections::VecDeque;

use crate::{
    ServiceError,
    fold::{Fold, Resolve},
    inputs::{Input, Inputs, Placing},
};

/// Entries read at once: a few hundred kilobytes.
const READ_ENTRIES: usize = 1024;

/// The inputs that are still to be handed over.
#[derive(Debug)]
pub(crate) struct Feed {
    ready: VecDeque<(i64, Placing)>,
    after: i64,
    is_over: bool,
}

impl Feed {
    /// Behind the entry that was the last to take effect.
    pub(crate) fn behind(entry: i64) -> Feed {
        Feed { ready: VecDeque::new(), after: entry, is_over: false }
    }

    /// Hands over what took effect before the record with this sequence was taken.
    pub(crate) fn before(
        &mut self,
        sequence: u64,
        inputs: &Inputs,
        fold: &mut Fold,
        resolve: &mut impl Resolve,
    ) -> Result<(), ServiceError> {
        while let Some((_, placing)) = self.peek(inputs)? {
            let is_due = match placing.input {
                Input::Place { .. } => placing.position <= sequence,
                _ => placing.position < sequence,
            };
            if !is_due {
                break;
            }
            if let Some((entry, placing)) = self.ready.pop_front() {
                fold.apply(entry, placing.input, resolve)?;
            }
        }
        Ok(())
    }

    /// Whether anything may be due up to the record with this sequence.
    pub(crate) fn is_due(&mut self, sequence: u64, inputs: &Inputs) -> Result<bool, ServiceError> {
        Ok(self.peek(inputs)?.is_some_and(|(_, placing)| placing.position <= sequence))
    }

    fn peek(&mut self, inputs: &Inputs) -> Result<Option<&(i64, Placing)>, ServiceError> {
        if self.ready.is_empty() && !self.is_over {
            self.ready = inputs.after(self.after, READ_ENTRIES)?.into();
            match self.ready.back() {
                Some((entry, _)) => self.after = *entry,
                None => self.is_over = true,
            }
        }
        Ok(self.ready.front())
    }
}
