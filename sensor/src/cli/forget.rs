//! `forget NAME`: a person goes out of everything that is kept. The running sensor does it; where none runs, this command
//! does it itself, in the same way.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use journal::{RealStorage, Storage as _};
use service::{
    control::{Control, ForgetState, Names, Tombstone},
    store::{self, SessionFilter, StoreReader},
};

use super::{Common, Exit, Failure, audit, events, records, units::count};
use crate::{config::Config, run};

/// Between two looks how far it is.
const LOOK: Duration = Duration::from_millis(100);
/// Connections that are counted before the question; more are `many`.
const COUNTED_MAX: usize = 10_000;

/// Options of `forget`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Taken out are all records of the user and all in which one of the user's names stands as a word, \
                        with the connections, totals and devices that came of them, and the names in the audit log. What is left is \
                        a tombstone for each record, and a pseudonym with the time and who asked. \
                        It cannot be undone. Backups, logs and exports elsewhere are not concerned; see the operators' guide. \
                        Without a running sensor give it as the account that the sensor runs as."
)]
pub(super) struct Arguments {
    /// The user in any way the name is written: `alice`, `CONTOSO\alice`, `alice@contoso.example`
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let mut config = common.load_whole_config()?;
        if let Some(state_dir) = self.state_dir {
            config.state_dir = state_dir;
        }
        let key = events::key(&self.name, &config.realms, &config.state_dir)?;
        if config.detect.exclusions.iter().any(|exclusion| exclusion.user.as_ref() == Some(&key)) {
            tracing::warn!(
                "an exclusion in the configuration names {key}: take it out of the file, or the next start or SIGHUP \
                 writes the name down again"
            );
        }
        records::folder(&config.state_dir)?;
        if !self.yes {
            ask(&key, &config.state_dir)?;
        }
        let control = Control::open(&config.state_dir).map_err(anyhow::Error::new)?;
        audit::note(&control, "user.forget", Some(&key), None)?;
        let names = Names { typed: self.name, key, written: Vec::new() };
        let who = format!("uid {}", rustix::process::getuid().as_raw());
        let number = control.ask_to_forget(&names, &who).map_err(anyhow::Error::new)?;
        tell(&await_done(&config, &control, number)?, self.json)
    }
}

/// Waits until the running sensor has done it, or does it.
fn await_done(config: &Config, control: &Control, number: i64) -> Result<Tombstone, Failure> {
    let journal = RealStorage::existing(config.journal_dir())?;
    let mut shown = Shown::default();
    loop {
        match control.forget_state(number).map_err(anyhow::Error::new)? {
            Some(ForgetState::Done(tombstone)) => {
                shown.end();
                return Ok(tombstone);
            }
            Some(ForgetState::Pending { progress, error }) => shown.show(progress, error),
            None => return Err(anyhow!("the request is gone: the control file was replaced").into()),
        }
        if !journal.is_locked()? {
            be_the_owner(&config.state_dir)?;
            run::execute_requests(config)?;
        }
        thread::sleep(LOOK);
    }
}

/// What this command writes, the sensor must be able to read.
pub(super) fn be_the_owner(state_dir: &Path) -> Result<(), Failure> {
    let owner =
        fs::metadata(state_dir).with_context(|| format!("cannot read {}", state_dir.display()))?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let told = anyhow!(
        "no sensor runs, and {} belongs to uid {owner}: run this command as that account, or start the sensor, which \
         executes the request",
        state_dir.display()
    );
    Err(Failure::new(Exit::Failed, told))
}

/// Asks whether it is meant.
fn ask(key: &str, state_dir: &Path) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            anyhow!("this cannot be undone: say --yes where nobody can be asked"),
        ));
    }
    let path = service::folder(state_dir).join(store::FILE);
    let filter = SessionFilter { user: Some(key.to_owned()), ..SessionFilter::default() };
    let sessions = match StoreReader::open(&path).and_then(|store| store.sessions(&filter, COUNTED_MAX)) {
        Ok(sessions) if sessions.len() == COUNTED_MAX => "many".to_owned(),
        Ok(sessions) => count(sessions.len() as u64),
        Err(_) => "an unknown number of".to_owned(),
    };
    eprint!(
        "{key}: {sessions} connections. They and all records of them are taken out, and all in which a name of this user \
         stands. This cannot be undone. Go on? [y/N] "
    );
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, anyhow!("nothing was done")))
}

fn tell(tombstone: &Tombstone, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, tombstone).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let Tombstone { pseudonym, records, sessions, .. } = tombstone;
    writeln!(
        out,
        "forgotten: {} records and {} connections are taken out; the audit log says {pseudonym}",
        count(*records),
        count(*sessions)
    )?;
    Ok(())
}

/// A line on a terminal that says what is being done; what fails is told anywhere, once.
#[derive(Default)]
struct Shown {
    progress: Option<String>,
    error: Option<String>,
}

impl Shown {
    fn show(&mut self, progress: Option<String>, error: Option<String>) {
        if error.is_some() && error != self.error {
            self.end();
            tracing::warn!("{}; the sensor tries again", error.as_deref().unwrap_or_default());
        }
        self.error = error;
        if progress != self.progress && io::stderr().is_terminal() {
            eprint!("\r{}\x1b[K", progress.as_deref().unwrap_or("waits for the sensor"));
        }
        self.progress = progress;
    }

    fn end(&self) {
        if io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }
}
