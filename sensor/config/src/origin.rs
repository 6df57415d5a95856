//! Who set what: the layers of a configuration, as people are told of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use super::{Config, read::Layer};

/// Which layer set which keys, by their dotted names. What is in neither is as the product comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Keys of the file, with their lines.
    pub file: BTreeMap<String, usize>,
    /// Keys that the portal set and the file did not.
    pub portal: BTreeSet<String>,
    /// Whether the portal set clients, sites, sinks or exclusions.
    pub portal_has_entries: bool,
}

/// Who set something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: as the product comes.
    Default,
    /// The portal.
    Portal,
    /// The configuration file.
    File {
        /// Its path.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

impl Origin {
    pub(super) fn of(layer: Layer, (path, line): (&Path, usize)) -> Origin {
        match layer {
            Layer::File => Origin::File { path: path.to_owned(), line },
            Layer::Portal => Origin::Portal,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => formatter.write_str("default"),
            Origin::Portal => formatter.write_str("portal"),
            Origin::File { path, line } => write!(formatter, "{}:{line}", path.display()),
        }
    }
}

impl Config {
    /// Which layer set a key.
    pub fn origin(&self, key: &str) -> Origin {
        match (&self.path, self.origins.file.get(key)) {
            (Some(path), Some(&line)) => Origin::File { path: path.clone(), line },
            _ if self.origins.portal.contains(key) => Origin::Portal,
            _ => Origin::Default,
        }
    }

    /// Whether anything in force was set in the portal.
    pub fn has_portal_settings(&self) -> bool {
        self.origins.portal_has_entries || !self.origins.portal.is_empty()
    }
}
