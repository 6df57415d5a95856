//! Forgetting a person: the running service takes the requests of `control` and executes them, one after the other, each
//! as often as it takes.
//!
//! | file | what lives there |
//! |---|---|
//! | `person` | somebody by all names, and where they stand |
//! | `words` | where a name stands whole in a text |
//!
//! The steps: all ways of writing the name are found and kept in the request; the journal is redacted; state, store,
//! copies and input log are cleaned (`live/forget`, `fold/forget`, `store/forget`); the audit log gets a pseudonym; the
//! request loses the names and stays as a tombstone. A crash between any two leaves the request, and all steps are taken
//! again. Called by the thread of the running sensor and by the command line where none runs.

mod person;
pub(crate) mod words;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use journal::{RedactError, Redactor};

pub use person::{NAME_OCTETS_MIN, Person};

use crate::{
    ServiceError,
    control::{Control, ForgetRequest},
    export::{Sinks, format::Source},
    live::Live,
};

/// Between two looks for requests.
const LOOK: Duration = Duration::from_millis(200);
/// Between two attempts at what failed.
const RETRY: Duration = Duration::from_secs(5);

/// Executes requests.
#[derive(Debug)]
pub struct Forgetting {
    state_dir: PathBuf,
    redactor: Redactor,
    control: Option<Control>,
    look_at: Instant,
    /// What failed last, so that it is told once.
    told: Option<String>,
}

impl Forgetting {
    /// For the state directory that this process has the lock of.
    pub fn new(state_dir: &Path, redactor: Redactor) -> Forgetting {
        Forgetting {
            state_dir: state_dir.to_owned(),
            redactor,
            control: None,
            look_at: Instant::now(),
            told: None,
        }
    }

    /// Executes a request, if there is one; whether there was. What fails is told in the log and in the request and tried
    /// again: records and answers go on.
    pub fn turn(&mut self, live: &mut Live, sinks: Option<&Sinks>, goes_on: &dyn Fn() -> bool) -> bool {
        if Instant::now() < self.look_at {
            return false;
        }
        self.look_at = Instant::now() + LOOK;
        match self.execute_next(live, sinks, goes_on) {
            Ok(had_one) => {
                self.told = None;
                had_one
            }
            Err(ServiceError::Redact(RedactError::Stopped)) => true,
            Err(error) => {
                let text = error.to_string();
                if self.told.as_ref() != Some(&text) {
                    tracing::error!("requests to forget a person wait: {text}; the service tries again");
                    self.told = Some(text);
                }
                self.look_at = Instant::now() + RETRY;
                true
            }
        }
    }

    /// The same at once, and what fails is an error. Without running sinks the spools on disk are cleaned.
    ///
    /// # Errors
    /// [`ServiceError`]; the request stays.
    pub fn execute_next(
        &mut self,
        live: &mut Live,
        sinks: Option<&Sinks>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<bool, ServiceError> {
        let control = match &mut self.control {
            Some(control) => control,
            None => self.control.insert(Control::open(&self.state_dir)?),
        };
        let Some(request) = control.next_to_forget()? else { return Ok(false) };
        // What people wrote may name the person: once it is an input it goes with the others.
        live.take_decisions(control)?;
        let clean = |person: &Person| match sinks {
            Some(sinks) => sinks.forget(person),
            None => Sinks::open(&self.state_dir, Vec::new(), Source::here(None)).forget(person),
        };
        let done = execute(&request, live, control, &self.redactor, &clean, goes_on);
        if let Err(error) = &done {
            control.tell_forgetting(request.number, "waits", Some(&error.to_string()))?;
        }
        done.map(|()| true)
    }
}

fn execute(
    request: &ForgetRequest,
    live: &mut Live,
    control: &mut Control,
    redactor: &Redactor,
    clean_spools: &dyn Fn(&Person) -> Result<u64, ServiceError>,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), ServiceError> {
    let mut request = request.clone();
    let tell = |control: &Control, progress| control.tell_forgetting(request.number, progress, None);
    if let Some(names) = request.names.take() {
        let mut person = Person::new(names);
        tell(control, "looks for all ways of writing the name")?;
        live.learn(&mut person, goes_on)?;
        control.keep_names(request.number, &person.names())?;
        tell(control, "takes records out of the journal")?;
        let records = live.redact(&person, redactor, goes_on)?;
        control.count_forgotten(request.number, records, 0)?;
        tell(control, "takes connections out of the store")?;
        let sessions = live.take_out(&person)?;
        control.count_forgotten(request.number, 0, sessions)?;
        tell(control, "takes messages out of the sinks' spools")?;
        clean_spools(&person)?;
        request.names = Some(person.names());
    }
    control.finish_forgetting(&request)?;
    tracing::info!(pseudonym = request.pseudonym, "somebody is forgotten");
    Ok(())
}
