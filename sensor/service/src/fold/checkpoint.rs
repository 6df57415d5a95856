//! The whole state of the fold as octets, and back: what a restart goes on from. The same state gives the same octets.

use std::sync::Arc;

use insight::vpn::{Decoder, session::Sessions};
use serde::{Deserialize, Serialize};

use super::{
    Counts, Fold, Outcome, Sighting, place,
    place::Resolutions,
    sightings::{NOBODY, Sightings},
    ties::Ties,
};
use crate::{Meaning, MeaningError};

/// Of the form of the octets; another one is refused, and the state is made again from the inputs.
const VERSION: u16 = 1;

/// Octets that are no checkpoint of this release.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Another version.
    #[error("the checkpoint has version {0}, this release reads {VERSION}: run `vpn-sensor rebuild`")]
    Version(u16),
    /// Damaged.
    #[error("the checkpoint is damaged ({0}): run `vpn-sensor rebuild`")]
    Damaged(#[from] postcard::Error),
    /// The sessions in it.
    #[error("the checkpoint's sessions: {0}; run `vpn-sensor rebuild`")]
    Sessions(#[from] insight::vpn::session::SnapshotError),
    /// The meaning in it.
    #[error("the configuration that an input or a checkpoint holds: {0}")]
    Meaning(#[from] MeaningError),
}

/// What is written; `S` is a sighting, borrowed on the way out.
#[derive(Serialize, Deserialize)]
struct Form<'a, S> {
    meaning: Meaning,
    position: u64,
    entry: i64,
    clock: u64,
    day: u64,
    counts: Counts,
    databases: String,
    sightings: (Vec<S>, u64),
    resolutions: place::Kept,
    sessions: &'a [u8],
}

impl Fold {
    /// The state as octets.
    ///
    /// # Errors
    /// None but for want of memory.
    pub fn save(&self) -> Result<Vec<u8>, CheckpointError> {
        let sessions = self.sessions_octets()?;
        let form = Form {
            meaning: self.meaning.clone(),
            position: self.position,
            entry: self.entry,
            clock: self.clock,
            day: self.day,
            counts: self.counts,
            databases: self.databases.clone(),
            sightings: self.sightings.kept(),
            resolutions: self.resolutions.kept(),
            sessions: &sessions,
        };
        let mut octets = Vec::with_capacity(sessions.len() + (64 << 10));
        octets.extend_from_slice(&VERSION.to_le_bytes());
        Ok(postcard::to_extend(&form, octets)?)
    }

    /// The state that was saved.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn load(octets: &[u8]) -> Result<Fold, CheckpointError> {
        let (version, octets) =
            octets.split_first_chunk().ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            return Err(CheckpointError::Version(version));
        }
        let form: Form<'_, Sighting> = postcard::from_bytes(octets)?;
        let (sightings, surplus) = form.sightings;
        Ok(Fold {
            decoder: Decoder::new(form.meaning.decoding()?),
            sessions: Sessions::load(form.meaning.sessions(), form.sessions)?,
            meaning: form.meaning,
            resolutions: Resolutions::restored(form.resolutions),
            sightings: Sightings::restored(sightings, surplus),
            ties: Ties::default(),
            sensor: (Arc::from(""), NOBODY),
            outcome: Outcome::default(),
            outcomes: 0,
            position: form.position,
            entry: form.entry,
            clock: form.clock,
            day: form.day,
            counts: form.counts,
            databases: form.databases,
            changes: Vec::new(),
        })
    }

    pub(super) fn sessions_octets(&self) -> Result<Vec<u8>, CheckpointError> {
        Ok(self.sessions.save(Vec::new())?)
    }
}
