//! The whole state of the fold as octets, and back: what a restart goes on from. The same state gives the same octets.

mod form_5;

use std::{panic, sync::Arc, thread};

use insight::{
    detect::Detector,
    profile::Profiles,
    vpn::{Decoder, session::Sessions},
};
use serde::{Deserialize, Serialize};

use super::{
    Counts, Fold, Outcome,
    alerts::Alerts,
    learning::{self, Learning, Missing},
    place,
    place::Resolutions,
    servers::ServerNames,
    sightings::{self, NOBODY, Sightings},
    ties::Ties,
};
use crate::{Meaning, MeaningError};

/// Of the form of the octets. The one before it is read as well; any other is refused, and the state is made again from the
/// inputs.
const VERSION: u16 = 6;

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
    /// The profiles in it.
    #[error("the checkpoint's profiles: {0}; run `vpn-sensor rebuild`")]
    Profiles(#[from] insight::profile::SnapshotError),
    /// What detections remember.
    #[error("what detections remember, in the checkpoint: {0}; run `vpn-sensor rebuild`")]
    Detections(#[from] insight::detect::SnapshotError),
    /// The alerts in it.
    #[error("the checkpoint's alerts: {0}; run `vpn-sensor rebuild`")]
    Alerts(#[from] serde_json::Error),
    /// The configuration in it.
    #[error("the checkpoint's configuration: {0}; run `vpn-sensor rebuild`")]
    Keys(#[source] serde_json::Error),
    /// The meaning in it.
    #[error("the configuration that an input or a checkpoint holds: {0}")]
    Meaning(#[from] MeaningError),
}

/// Sightings on the way in.
type Kept<'a> = Vec<sightings::Kept<'a>>;

/// What is written behind the meaning and before the profiles, which stand behind it, so that their many octets are not
/// copied; `S` are the sightings: as they are on the way out, a list on the way in. The meaning is JSON: a key that comes
/// later has its default in what was written before.
#[derive(Serialize, Deserialize)]
struct Form<'a, S> {
    position: u64,
    entry: i64,
    clock: u64,
    day: u64,
    counts: Counts,
    databases: String,
    sightings: (S, u64),
    resolutions: place::Kept,
    sessions: &'a [u8],
    missing: Vec<(u64, Missing)>,
    detector: &'a [u8],
    /// As JSON: alerts leave out what they do not have.
    alerts: String,
}

impl Fold {
    /// The state as octets.
    ///
    /// # Errors
    /// None but for want of memory.
    pub fn save(&self) -> Result<Vec<u8>, CheckpointError> {
        let sessions = self.sessions_octets()?;
        let detector = self.detector.save(Vec::new())?;
        let meaning = serde_json::to_string(&self.meaning).map_err(CheckpointError::Keys)?;
        let form = Form {
            position: self.position,
            entry: self.entry,
            clock: self.clock,
            day: self.day,
            counts: self.counts,
            databases: self.databases.clone(),
            sightings: (&self.sightings, self.sightings.surplus()),
            resolutions: self.resolutions.kept(),
            sessions: &sessions,
            missing: self.learning.missing(),
            detector: &detector,
            alerts: serde_json::to_string(&self.alerts)?,
        };
        let mut octets = Vec::with_capacity(sessions.len() + (64 << 10));
        octets.extend_from_slice(&VERSION.to_le_bytes());
        let octets = postcard::to_extend(&meaning, octets)?;
        let octets = postcard::to_extend(&form, octets)?;
        drop(sessions);
        Ok(self.learning.profiles.save(octets))
    }

    /// The state that was saved.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn load(octets: &[u8]) -> Result<Fold, CheckpointError> {
        let (version, octets) =
            octets.split_first_chunk().ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        let (meaning, octets) = match u16::from_le_bytes(*version) {
            VERSION => postcard::take_from_bytes::<String>(octets)?,
            form_5::VERSION => form_5::meaning(octets)?,
            version => return Err(CheckpointError::Version(version)),
        };
        let meaning = serde_json::from_str(&meaning).map_err(CheckpointError::Keys)?;
        let (form, profiles): (Form<'_, Kept<'_>>, _) = postcard::take_from_bytes(octets)?;
        Fold::restored(form, meaning, profiles)
    }

    fn restored(form: Form<'_, Kept<'_>>, meaning: Meaning, octets: &[u8]) -> Result<Fold, CheckpointError> {
        // Side by side: both are large, and a restart waits for them.
        let (profiles, sessions) = thread::scope(|scope| {
            let profiles = scope.spawn(|| Profiles::load(learning::options(), octets));
            let sessions = Sessions::load(meaning.sessions(), form.sessions);
            (profiles.join().unwrap_or_else(|panic| panic::resume_unwind(panic)), sessions)
        });
        let (profiles, sessions) = (profiles?, sessions?);
        let (sightings, surplus) = form.sightings;
        Ok(Fold {
            decoder: Decoder::new(meaning.decoding()?),
            sessions,
            server_names: ServerNames::default(),
            resolutions: Resolutions::restored(form.resolutions),
            sightings: Sightings::restored(&sightings, surplus),
            learning: Learning::restored(profiles, form.missing),
            detector: Detector::load(meaning.detect.thresholds.clone(), form.detector)?,
            alerts: serde_json::from_str::<Alerts>(&form.alerts)?.restored(),
            assessed: None,
            activities: None,
            ties: Ties::default(),
            sensor: (Arc::from(""), NOBODY),
            outcome: Outcome::default(),
            spare: Outcome::default(),
            outcomes: 0,
            position: form.position,
            entry: form.entry,
            clock: form.clock,
            day: form.day,
            counts: form.counts,
            clocks: super::Clocks::default(),
            databases: form.databases,
            changes: Vec::new(),
            meaning,
        })
    }

    pub(super) fn sessions_octets(&self) -> Result<Vec<u8>, CheckpointError> {
        Ok(self.sessions.save(Vec::new())?)
    }
}

#[cfg(test)]
mod tests {
    use insight::detect::Model;

    use super::*;
    use crate::Detecting;

    /// Of a sensor of that release: two users' Starts, some thresholds set.
    const FORM_5: &[u8] = include_bytes!("checkpoint/form-5.checkpoint");

    #[test]
    fn what_the_release_before_wrote_is_read_and_goes_on_as_this_form() {
        let fold = Fold::load(FORM_5).unwrap();
        let detect = &fold.meaning.detect;
        let thresholds = &detect.thresholds;
        assert_eq!((thresholds.alert_score, thresholds.organisation_learning_days), (7.5, 20));
        assert_eq!((thresholds.learning_days, thresholds.learning_connections_min), (30, 5));
        let later = Detecting::default();
        assert_eq!((detect.notices_per_alert, detect.high_within_s), (32, later.high_within_s));
        // All of it as it came then.
        assert_eq!(thresholds.model, Model { weight_of_others: 2.0, ..later.thresholds.model });
        assert_eq!((detect.notices_per_day, fold.meaning.realms.len()), (7, 1));
        assert_eq!((fold.position(), fold.sightings().count()), (2, 6));
        let octets = fold.save().unwrap();
        assert_eq!(octets[..2], VERSION.to_le_bytes());
        let again = Fold::load(&octets).unwrap();
        assert_eq!((&again.meaning, again.save().unwrap()), (&fold.meaning, octets));
        assert!(matches!(Fold::load(&[4, 0, 0]), Err(CheckpointError::Version(4))));
        assert!(matches!(Fold::load(&FORM_5[..40]), Err(CheckpointError::Damaged(_))));
    }
}
