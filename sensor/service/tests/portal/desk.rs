//! A portal over a running service with alerts.

use service::Meaning;

use crate::{host::Host, running::Running};

/// Each of these has an alert.
const PEOPLE: usize = 3;

pub(crate) struct Desk {
    /// Ends before the folder is gone in which it writes.
    _running: Running,
    pub(crate) host: Host,
}

impl Desk {
    pub(crate) fn open() -> Desk {
        Desk::with(&Meaning::default())
    }

    pub(crate) fn with(meaning: &Meaning) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start(folder.path(), PEOPLE, meaning, &Default::default());
        Desk { _running: running, host: Host::serving(folder) }
    }
}
