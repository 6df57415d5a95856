//! Databases of places, from their files. The one place that opens them: used by the service, by `geo` and by `check`.
//!
//! Asked in this order: what the configuration names, what `geo add` put into the state directory, what comes with the
//! product ([`included`]). So a finer database that somebody adds counts before the included one, and the included one
//! still answers what that has nothing about.

pub mod added;
pub mod included;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use insight::geo::{Database, Places, Sites};

use crate::config::Config;

/// What is to be opened.
#[derive(Clone, Debug)]
pub struct Sources {
    databases: Vec<PathBuf>,
    added: PathBuf,
    sites: Arc<Sites>,
}

impl Sources {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Sources {
        Sources {
            databases: config.databases.clone(),
            added: added::folder(&config.state_dir),
            sites: config.sites.clone(),
        }
    }

    /// The same, and one more that is asked before them.
    pub fn before(mut self, database: &Path) -> Sources {
        self.databases.insert(0, database.to_owned());
        self
    }

    /// All of them, or what is wrong with one.
    ///
    /// # Errors
    /// Those of [`open`], for the first that has any.
    pub fn open(&self) -> anyhow::Result<Places> {
        let (places, mut wrong) = self.open_what_can_be();
        if wrong.is_empty() { Ok(places) } else { Err(wrong.swap_remove(0)) }
    }

    /// Those that can be read, and what is wrong with the others: a service goes on without them.
    pub fn open_what_can_be(&self) -> (Places, Vec<anyhow::Error>) {
        let mut wrong = Vec::new();
        let mut databases = Vec::new();
        let added = added::files(&self.added).unwrap_or_else(|error| {
            wrong.push(error);
            Vec::new()
        });
        for path in self.databases.iter().chain(&added) {
            match open(path) {
                Ok(database) => databases.push(database),
                Err(error) => wrong.push(error),
            }
        }
        match included::databases() {
            Ok(included) => databases.extend(included.iter().cloned()),
            Err(error) => wrong.push(error),
        }
        (Places::new(self.sites.clone(), databases), wrong)
    }
}

/// Reads one file.
///
/// # Errors
/// It cannot be read, or is no database of places or networks; the error names the file and says what to do.
pub fn open(path: &Path) -> anyhow::Result<Arc<Database>> {
    let octets = fs::read(path).with_context(|| {
        format!("cannot read the database {}: check its path and permissions", path.display())
    })?;
    Ok(Arc::new(Database::read(path.display().to_string(), octets)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_or_no_database_says_what_to_do() {
        let missing = open(Path::new("/nonexistent/a.mmdb")).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent/a.mmdb: check its path"), "{missing}");
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "<html>").unwrap();
        let wrong = open(file.path()).unwrap_err();
        assert!(wrong.to_string().contains("web page"), "{wrong}");
    }

    #[test]
    fn a_bad_file_costs_only_what_it_would_have_said() {
        let state = tempfile::tempdir().unwrap();
        let mut config = Config { state_dir: state.path().to_owned(), ..Config::built_in() };
        config.databases = vec!["/nonexistent/a.mmdb".into()];
        let (places, wrong) = Sources::of(&config).open_what_can_be();
        assert_eq!(wrong.len(), 1);
        assert_eq!(places.databases().len(), 3);
        assert!(Sources::of(&config).open().is_err());
    }
}
