//! The layers over each other: the file, if one is named, above what was set in the portal, above the defaults.

use std::{fmt, fs, io, path::Path, sync::Arc};

use crate::{Config, ConfigError, Problem, read, settings};

/// The file above the defaults, with what its secrets and certificates were when it was read. What is set in the portal is put
/// below this one, so that nothing of the file comes into force but by a start or a reload, which are told.
#[derive(Clone, Default)]
pub struct FileLayer(Option<Arc<Config>>);

impl fmt::Debug for FileLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FileLayer(..)")
    }
}

impl Config {
    /// As it would be with this document in the place of the one that is there, and the file as it was read for this one.
    ///
    /// # Errors
    /// The document's.
    pub fn over_document(&self, state_dir: &Path, text: &str) -> Result<Config, ConfigError> {
        let document = settings::document_path(state_dir);
        read_below(self.file(), &document, Ok(text.to_owned()))
    }

    /// The same with the document that is there, which was written meanwhile.
    ///
    /// # Errors
    /// The document's.
    pub fn with_new_document(&self, state_dir: &Path) -> Result<Config, ConfigError> {
        let document = settings::document_path(state_dir);
        let text = fs::read_to_string(&document);
        read_below(self.file(), &document, text)
    }

    /// Of one below which nothing was put that is all.
    fn file(&self) -> Config {
        self.file_layer.0.as_deref().unwrap_or(self).clone()
    }
}

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

fn read_below(file: Config, document: &Path, text: io::Result<String>) -> Result<Config, ConfigError> {
    let file_layer = FileLayer(Some(Arc::new(file.clone())));
    let config = match text {
        Ok(text) => read::read_below(file, document, &text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => file,
        Err(error) => return Err(unreadable(document, &error)),
    };
    Ok(Config { file_layer, ..config })
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
