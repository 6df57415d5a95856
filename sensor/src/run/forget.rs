//! Requests to forget a person and decisions about alerts where no sensor runs: journal and store are opened as the sensor opens them, the requests
//! are executed, and all is closed again. Called by `cli::forget` and
//! `cli::alerts`.

use std::{sync::Arc, thread};

use anyhow::{Context as _, anyhow};
use insight::geo::Places;
use journal::{OpenError, Reader, RealStorage, Redactor};
use service::{alert::Deciding, forget::Forgetting, live::Live};

use super::{explain_journal, journal_options, service::retention};
use crate::{
    config::Config,
    failure::{Exit, Failure},
    places::Sources,
};

/// Executes all requests there are; `false` when a sensor has the journal, which executes them itself.
///
/// # Errors
/// The journal's and the service's. A request that could not be executed stays, and the sensor executes it once it runs.
pub(crate) fn execute_requests(config: &Config) -> Result<bool, Failure> {
    let directory = config.journal_dir();
    let storage = RealStorage::existing(&directory).context("cannot read the journal")?;
    let opened = match journal::open(storage, journal_options(config)) {
        Ok(opened) => opened,
        Err(OpenError::Locked { .. }) => return Ok(false),
        Err(error) => return Err(explain_journal(error)),
    };
    let (writer, handle) = (opened.writer, opened.handle);
    let writer = thread::Builder::new().name("journal".into()).spawn(move || writer.run())?;
    let executed = (|| {
        let reader = Reader::beside(&directory, &handle).context("cannot read the journal")?;
        let redactor = Redactor::beside(&directory, &handle).context("cannot read the journal")?;
        let (places, wrong) = Sources::of(config).open_what_can_be();
        for error in wrong {
            tracing::warn!("{error:#}");
        }
        execute(config, &reader, redactor, Arc::new(places))
    })();
    handle.stop();
    let written = writer.join();
    executed?;
    written.map_err(|_| Failure::new(Exit::Failed, anyhow!("the journal's writer panicked")))?;
    Ok(true)
}

fn execute(config: &Config, reader: &Reader, redactor: Redactor, places: Arc<Places>) -> Result<(), Failure> {
    let live = Live::open(&config.state_dir, reader, &config.meaning(), places, retention(config), false);
    let mut live = live.map_err(anyhow::Error::new)?;
    let mut forgetting = Forgetting::new(&config.state_dir, redactor);
    while forgetting.execute_next(&mut live, None, &|| true).map_err(anyhow::Error::new)? {}
    Deciding::new(&config.state_dir).take_all(&mut live).map_err(anyhow::Error::new)?;
    Ok(live.stop().map_err(anyhow::Error::new)?)
}
