//! How a subcommand fails: the exit code that scripts and supervisors rely on, and the sentence for a person.
//!
//! What it prints never holds a secret, because no error type holds one. Used by `cli` and by what it calls.

use std::fmt;

use crate::config;

/// Why the process ends with another exit code than 0.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Option<anyhow::Error>,
}

/// The exit codes other than 0 that a supervisor or script can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Failed while running.
    Failed = 1,
    /// Bad usage or configuration.
    Usage = 2,
    /// The host lacks something that the message names.
    Host = 3,
    /// The network device went away: start again.
    DeviceGone = 4,
}

impl Failure {
    /// A failure that prints `error` and ends with `exit`.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit, error: Some(error.into()) }
    }

    /// A failure whose report was printed already.
    pub fn silent(exit: Exit) -> Failure {
        Failure { exit, error: None }
    }

    /// Whether its report was printed already.
    pub fn is_silent(&self) -> bool {
        self.error.is_none()
    }

    /// Whether it is only that the reader of a pipe has gone.
    pub fn is_broken_pipe(&self) -> bool {
        self.error.as_ref().is_some_and(|error| {
            error.chain().any(|cause| {
                cause
                    .downcast_ref::<std::io::Error>()
                    .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
            })
        })
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(formatter, "{error:#}"),
            None => Ok(()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::new(Exit::Failed, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(Exit::Failed, error)
    }
}

impl From<config::ConfigError> for Failure {
    fn from(error: config::ConfigError) -> Failure {
        Failure::new(Exit::Usage, error)
    }
}
