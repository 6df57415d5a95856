//! What is set in the portal: one TOML document of the same keys as the configuration file, `settings/settings.toml` below
//! the state directory, and beside it a file for each secret. Read by [`super::load`], written by `run::settings` alone.
//!
//! | file | what lives there |
//! |---|---|
//! | `destinations` | secrets go to nobody but whom they were given for |
//! | `document` | the document, and edits of it |
//! | `kept` | what of a change takes records and connections away |
//! | `known` | the single keys that can be set, with their defaults |
//! | `said` | what a layer in force says, without its secrets |
//! | `view` | what is set and by whom, as the portal shows it |
//! | `write` | documents and secrets on the disk: whole or not there |

mod destinations;
mod document;
mod kept;
mod known;
mod said;
mod view;
mod write;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use destinations::check_destinations;
pub use document::Settings;
pub use kept::less_kept;
pub(super) use known::keep_within;
pub use said::Said;
pub use view::{keys, layer_entries, origin_of};
pub use write::{NotReplaced, discard, keep_secret, remove_leftovers, remove_unused_secrets, replace};

#[cfg(test)]
use super::{Config, ConfigError, load::load_file};

/// The folder of secrets, beside the document.
pub(super) const SECRETS: &str = "secrets";
/// What the file of a secret ends with.
const SECRET_SUFFIX: &str = ".secret";

/// The folder below a state directory.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("settings")
}

/// The document in it.
pub fn document_path(state_dir: &Path) -> PathBuf {
    folder(state_dir).join("settings.toml")
}

/// Whether this is the file of a secret that was kept here, as the document names it.
pub(super) fn is_kept_secret(name: &str) -> bool {
    let stem = name.strip_prefix(SECRETS).and_then(|rest| rest.strip_prefix('/'));
    stem.and_then(|rest| rest.strip_suffix(SECRET_SUFFIX))
        .is_some_and(|stem| !stem.is_empty() && stem.bytes().all(|octet| octet.is_ascii_alphanumeric()))
}

/// The configuration as it would be with this document in the place of the one that is there.
#[cfg(test)]
fn with_document(file: Option<&Path>, state_dir: &Path, text: &str) -> Result<Config, ConfigError> {
    load_file(file)?.over_document(state_dir, text)
}
