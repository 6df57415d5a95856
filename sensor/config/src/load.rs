//! The layers over each other: the file, if one is named, above what was set in the portal, above the defaults.

use std::{fs, io, path::Path};

use crate::{Config, ConfigError, Problem, read, settings};

/// Reads and checks the configuration: the file, if one is named, above what was set in the portal, above the defaults.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    load_over(path, None)
}

/// The same for a command that only asks, which anybody may run: what was set in the portal is left out, with a warning,
/// where it may not be read.
pub fn load_to_ask(path: Option<&Path>) -> Result<Config, ConfigError> {
    let config = load_file(path)?;
    let document = settings::document_path(&config.state_dir);
    match fs::read_to_string(&document) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut config = config;
            config
                .warnings
                .push(format!("what was set in the portal is left out: {}: {error}", document.display()));
            Ok(config)
        }
        text => read_below(config, &document, text),
    }
}

/// What [`load`] reads, with what was set in the portal below this state directory, whatever the file says of it.
pub fn load_over(path: Option<&Path>, state_dir: Option<&Path>) -> Result<Config, ConfigError> {
    let config = load_file(path)?;
    let document = settings::document_path(state_dir.unwrap_or(&config.state_dir));
    let text = fs::read_to_string(&document);
    read_below(config, &document, text)
}

fn read_below(config: Config, document: &Path, text: io::Result<String>) -> Result<Config, ConfigError> {
    match text {
        Ok(text) => read::read_below(config, document, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(config),
        Err(error) => Err(unreadable(document, &error)),
    }
}

/// The file alone, above the defaults.
pub(crate) fn load_file(path: Option<&Path>) -> Result<Config, ConfigError> {
    let Some(path) = path else { return Ok(Config::built_in()) };
    let text = fs::read_to_string(path).map(zeroize::Zeroizing::new);
    read::read(path, &text.map_err(|error| unreadable(path, &error))?)
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ": run this as the user whom it belongs to, or give it to the user who runs this (chown)"
        }
        _ => "",
    };
    let message = format!("cannot read it: {error}{remedy}");
    ConfigError { problems: vec![Problem { file: path.to_owned(), line: 0, column: 0, message }] }
}
