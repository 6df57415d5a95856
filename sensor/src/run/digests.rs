//! By which instructions digests are computed: as the configuration says, unless the environment does.

use std::env;

use anyhow::anyhow;
use md5_lanes::{Lanes, Path};

use crate::{
    cli::{Exit, Failure},
    config::{self, Config},
};

/// Overrides `digest.lanes`, for tests and for tuning on a host whose configuration is not to be touched.
const VARIABLE: &str = "VPN_SENSOR_DIGEST_LANES";

/// The path to take.
///
/// # Errors
///
/// The variable names none, or this processor cannot do what is asked for.
pub(crate) fn path(config: &Config) -> Result<Path, Failure> {
    let usage = |error: String| Failure::new(Exit::Usage, anyhow!("{VARIABLE}: {error}"));
    let forced = match env::var(VARIABLE) {
        Ok(name) => Some(config::digest_lanes(&name).map_err(usage)?),
        Err(env::VarError::NotPresent) => None,
        Err(error) => return Err(usage(error.to_string())),
    };
    let asked = if forced.is_some() { VARIABLE } else { "digest.lanes" };
    let path = forced.unwrap_or(config.digest_lanes).unwrap_or_else(Path::best);
    // Found out here, where the exit code can say that it is the host.
    Lanes::new(path).map_err(|error| Failure::new(Exit::Host, anyhow!("{asked}: {error}")))?;
    Ok(path)
}
