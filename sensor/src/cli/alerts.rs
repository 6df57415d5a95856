//! `alerts`: what is abnormal, why, and what became of it.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use journal::{RealStorage, Storage as _};
use serde::Serialize;
use service::{
    alert::{Alert, Notice, Severity, State, Verdict},
    control::Control,
    store::{AlertFilter, StoreReader},
};

use super::{
    Common, Failure, audit, events, forget,
    records::{Format, Row},
    units::{count, rfc3339},
    users::open,
};
use crate::{config::Config, run};

/// Between two looks for what is new.
const LOOK: Duration = Duration::from_millis(200);
/// Longest wait for the running service to take a decision.
const TAKEN_MAX: Duration = Duration::from_secs(30);
/// Notices read at once.
const NOTICES: usize = 100;

/// Options of `alerts`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "An alert says what was expected and what was seen. Equal reasons fold into the one that is open; a new \
                  place, device or reason makes it grow. Close it as `usual` if it was the user: from then on it is \
                  expected. Close it as `malicious` if it was not: what it taught is taken back."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only those that nobody has closed
    #[arg(long)]
    open: bool,
    /// Only those about this user, in any way the name is written
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only those of this severity or a higher one
    #[arg(long, value_enum, default_value_t = Least::Informational)]
    severity: Least,
    /// Go on and print what happens to alerts, until a signal ends it
    #[arg(long)]
    follow: bool,
    /// How an alert is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// This many at most
    #[arg(long, value_name = "ALERTS", default_value_t = 100)]
    limit: usize,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR", global = true)]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All that there is about one alert: in words, with its connections
    Show {
        /// The alert's number
        number: u64,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Say what an alert turned out to be
    Close {
        /// The alert's number
        number: u64,
        /// What it turned out to be
        #[arg(long = "as", value_enum, value_name = "VERDICT")]
        verdict: As,
        /// Why
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Write something beside an alert
    Comment {
        /// The alert's number
        number: u64,
        /// What is written
        text: String,
    },
}

/// A verdict by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// The user's own doing: from here on it is expected
    Usual,
    /// An attacker's: what it taught is taken back
    Malicious,
    /// Neither was found out
    Unclear,
}

/// A severity by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Least {
    Informational,
    Low,
    Medium,
    High,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let mut config = common.load_config()?;
        if let Some(state_dir) = &self.state_dir {
            config.state_dir.clone_from(state_dir);
        }
        match &self.action {
            None => self.list(&config),
            Some(Action::Show { number, json }) => show(&config, *number, *json),
            Some(Action::Close { number, verdict, comment }) => {
                decide(&config, *number, Some(*verdict), comment.as_deref())
            }
            Some(Action::Comment { number, text }) => decide(&config, *number, None, Some(text)),
        }
    }

    fn list(&self, config: &Config) -> Result<(), Failure> {
        let user = self.user.as_deref().map(|name| events::key(name, &config.realms)).transpose()?;
        let store = open(&config.state_dir)?;
        audit::note_in(&config.state_dir, "alerts.list", user.as_deref(), None)?;
        let severity = match self.severity {
            Least::Informational => Severity::Informational,
            Least::Low => Severity::Low,
            Least::Medium => Severity::Medium,
            Least::High => Severity::High,
        };
        // Asked first: what happens between the two questions is printed twice sooner than not at all.
        let mut behind = store.last_notice().map_err(anyhow::Error::new)?;
        let filter = AlertFilter { user: user.clone(), open: self.open, severity, before: None };
        let mut out = BufWriter::new(io::stdout().lock());
        self.format.head::<Line<'_>>(&mut out)?;
        for alert in &store.alerts(&filter, self.limit).map_err(anyhow::Error::new)? {
            self.format.line(&Line(alert), &mut out)?;
        }
        out.flush()?;
        if !self.follow {
            return Ok(());
        }
        loop {
            thread::sleep(LOOK);
            for notice in store.notices(behind, NOTICES).map_err(anyhow::Error::new)? {
                let Notice { sequence, alert, .. } = &notice;
                behind = *sequence;
                let is_of_user = user.is_none() || alert.user == user;
                if is_of_user && alert.severity >= severity {
                    self.format.line(&Line(alert), &mut out)?;
                }
            }
            out.flush()?;
        }
    }
}

fn find(store: &StoreReader, number: u64) -> Result<Alert, Failure> {
    let found = store.alert(number).map_err(anyhow::Error::new)?;
    found.ok_or_else(|| anyhow!("there is no alert {number}: `vpn-sensor alerts` lists them").into())
}

fn show(config: &Config, number: u64, json: bool) -> Result<(), Failure> {
    let alert = find(&open(&config.state_dir)?, number)?;
    audit::note_in(&config.state_dir, "alert.show", alert.user.as_deref(), None)?;
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        serde_json::to_writer(&mut out, &alert).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    writeln!(out, "Alert {number}: {}", alert.title)?;
    write!(out, "{}, score {:.1}, {}", alert.severity.name(), alert.score, state(&alert.state))?;
    if let Some(user) = &alert.user {
        write!(out, ", about {user}")?;
    }
    // The message's sentences, a line each.
    writeln!(out, "\n\nWhat was seen, and what was expected; the weightiest first:")?;
    for reason in &alert.reasons {
        writeln!(out, "- {}", reason.text)?;
    }
    writeln!(out, "\nWhat to do:")?;
    for sentence in &alert.advice {
        writeln!(out, "- {sentence}")?;
    }
    writeln!(out, "\n{:<27}  {:<39}  {:<24}  {:<24}  VPN SERVER", "BEGAN", "ADDRESS", "PLACE", "DEVICE")?;
    for connection in &alert.connections {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        writeln!(
            out,
            "{:<27}  {:<39}  {:<24}  {:<24}  {}",
            rfc3339(connection.start_unix_ns),
            connection.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            shown(&connection.place),
            shown(&connection.device),
            shown(&connection.server)
        )?;
    }
    for comment in &alert.comments {
        writeln!(out, "\n{} {}: {}", rfc3339(comment.unix_ns), comment.by, comment.text)?;
    }
    Ok(out.flush()?)
}

/// Puts a decision in, and waits until the service has taken it; does that itself where no sensor runs.
fn decide(config: &Config, number: u64, verdict: Option<As>, comment: Option<&str>) -> Result<(), Failure> {
    let alert = find(&open(&config.state_dir)?, number)?;
    if alert.state != State::Open {
        return Err(anyhow!("alert {number} is closed already: {}", state(&alert.state)).into());
    }
    let control = Control::open(&config.state_dir).map_err(anyhow::Error::new)?;
    let action = if verdict.is_some() { "alert.close" } else { "alert.comment" };
    audit::note(&control, action, alert.user.as_deref(), None)?;
    let verdict = verdict.map(|verdict| match verdict {
        As::Usual => Verdict::Usual,
        As::Malicious => Verdict::Malicious,
        As::Unclear => Verdict::Unclear,
    });
    let by = format!("uid {}", rustix::process::getuid().as_raw());
    let decision = control.decide(number, verdict, comment, &by).map_err(anyhow::Error::new)?;
    await_taken(config, &control, decision)
}

fn await_taken(config: &Config, control: &Control, decision: i64) -> Result<(), Failure> {
    let journal = RealStorage::existing(config.journal_dir())?;
    let began = Instant::now();
    while !control.is_taken(decision).map_err(anyhow::Error::new)? {
        if !journal.is_locked()? {
            forget::be_the_owner(&config.state_dir)?;
            run::execute_requests(config)?;
        }
        if began.elapsed() > TAKEN_MAX {
            let waits =
                anyhow!("the service has not taken it yet and will: look again with `vpn-sensor alerts`");
            return Err(waits.into());
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a>(&'a Alert);

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:>8}  {:<27}  {:<13}  {:<9}  {:>11}  {:<32}  ALERT",
            "NUMBER", "CHANGED", "SEVERITY", "STATE", "CONNECTIONS", "USER"
        )
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let alert = self.0;
        let state = match &alert.state {
            State::Open => "open",
            State::Closed { verdict, .. } => verdict.name(),
        };
        writeln!(
            out,
            "{:>8}  {:<27}  {:<13}  {:<9}  {:>11}  {:<32}  {}",
            alert.number,
            rfc3339(alert.changed_unix_ns),
            alert.severity.name(),
            state,
            count(alert.connection_count),
            alert.user.as_deref().unwrap_or("-"),
            alert.title
        )
    }
}

fn state(state: &State) -> String {
    match state {
        State::Open => "open".to_owned(),
        State::Closed { verdict, by, unix_ns } => {
            format!("closed as {} by {by} at {}", verdict.name(), rfc3339(*unix_ns))
        }
    }
}
