//! What stands, kept in a file: behind a restart nothing is raised again that was told, and what is over by then is said.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Standing;
use crate::ServiceError;

/// Below the service's folder.
const FILE: &str = "health.json";

/// The file.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    written: Vec<Standing>,
}

impl Memory {
    /// The file of this state directory, and what it holds. One that cannot be read is as good as none: what stands is
    /// told again.
    pub fn open(state_dir: &Path) -> (Memory, Vec<Standing>) {
        let path = crate::folder(state_dir).join(FILE);
        let written: Vec<Standing> =
            fs::read(&path).ok().and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default();
        (Memory { path, written: written.clone() }, written)
    }

    /// Writes what stands now, if that is not what stood before.
    ///
    /// # Errors
    /// [`ServiceError`]; what stands is told again behind a restart.
    pub fn keep(&mut self, standing: &[Standing]) -> Result<(), ServiceError> {
        if self.written == standing {
            return Ok(());
        }
        // Not tried again until something changes: a full disk is not made better by that.
        self.written = standing.to_vec();
        let failed = |error| ServiceError::io(&self.path, error);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let octets = serde_json::to_vec_pretty(standing).map_err(|error| failed(error.into()))?;
        // Not durable: loss of power costs a repeated message.
        let new = self.path.with_extension("json.new");
        fs::write(&new, octets).and_then(|()| fs::rename(&new, &self.path)).map_err(failed)
    }
}
