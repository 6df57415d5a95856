//! `alerts`: what is abnormal, why, and what became of it.

mod deciding;

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    thread,
    time::Duration,
};

use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;
use service::{
    alert::{Alert, AlertPage, Notice, Severity, State},
    control::Control,
    store::{AlertFilter, AlertState, StoreReader},
};

use super::{
    Common, Exit, Failure, audit, events,
    records::{Format, Row},
    sessions::unix_ns,
    units::{count, rfc3339},
    users::open,
};
use crate::config::Config;

/// Between two looks for what is new.
const LOOK: Duration = Duration::from_millis(200);
/// Notices read at once.
const NOTICES: usize = 100;

/// Options of `alerts`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "An alert says what was expected and what was seen. Equal reasons fold into the one that is open; a new \
                  place, device or reason makes it grow. Close it as `usual` if it was the user: from then on it is \
                  expected. Close it as `malicious` if it was not: what it taught is taken back. An alert about an address \
                  from which many came holds the connections of all of them: closed as `usual`, the address is not told of \
                  again."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only those that nobody has closed
    #[arg(long)]
    open: bool,
    /// Only those that stand so
    #[arg(long, value_enum, value_name = "STATE", conflicts_with = "open")]
    state: Option<Stands>,
    /// Only those about this user, in any way the name is written
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only those of this severity or a higher one
    #[arg(long, value_enum, default_value_t = Least::Informational)]
    severity: Least,
    /// Only those with this reason: a detection, `impossible-travel`, or what is new, `network`
    #[arg(long, value_name = "NAME")]
    reason: Option<String>,
    /// Only those that were held back as they stand: over the day's bound of notices or beyond what one alert tells, sent to
    /// nobody
    #[arg(long)]
    held: bool,
    /// Only those that were raised or changed then or later: RFC 3339, `2026-11-01T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only those that were raised or changed last before
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Go on and print what happens to alerts, until a signal ends it
    #[arg(long, conflicts_with_all = ["state", "reason", "held", "since", "until"])]
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

/// How an alert stands, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stands {
    /// Nobody has closed it
    Open,
    /// It is closed, however
    Closed,
    /// It was the user's own doing
    Usual,
    /// It was an attacker's
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
                deciding::decide(&config, *number, Some(*verdict), comment.as_deref())
            }
            Some(Action::Comment { number, text }) => deciding::decide(&config, *number, None, Some(text)),
        }
    }

    fn filter(&self, config: &Config) -> Result<AlertFilter, Failure> {
        let user = self
            .user
            .as_deref()
            .map(|name| events::key(name, &config.realms, &config.state_dir))
            .transpose()?;
        if let Some(reason) = self.reason.as_ref().filter(|reason| !AlertFilter::is_reason(reason)) {
            let wrong = anyhow!(
                "{reason:?} is no detection, such as impossible-travel, and nothing that can be new, such as network"
            );
            return Err(Failure::new(Exit::Usage, wrong));
        }
        let state = self.state.map(|state| match state {
            Stands::Open => AlertState::Open,
            Stands::Closed => AlertState::Closed,
            Stands::Usual => AlertState::Usual,
            Stands::Malicious => AlertState::Malicious,
            Stands::Unclear => AlertState::Unclear,
        });
        let severity = match self.severity {
            Least::Informational => Severity::Informational,
            Least::Low => Severity::Low,
            Least::Medium => Severity::Medium,
            Least::High => Severity::High,
        };
        Ok(AlertFilter {
            user,
            state: state.or(self.open.then_some(AlertState::Open)),
            severity,
            reason: self.reason.clone(),
            held: self.held.then_some(true),
            since_unix_ns: self.since.map(unix_ns).transpose()?,
            until_unix_ns: self.until.map(unix_ns).transpose()?,
            before: None,
        })
    }

    fn list(&self, config: &Config) -> Result<(), Failure> {
        let filter = self.filter(config)?;
        let store = open(&config.state_dir)?;
        audit::note_in(
            &config.state_dir,
            "alerts.list",
            filter.user.as_deref(),
            filter.details().as_deref(),
        )?;
        // Asked first: what happens between the two questions is printed twice sooner than not at all.
        let mut behind = store.last_notice().map_err(anyhow::Error::new)?;
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
                let user = filter.user.as_deref();
                let is_of_user = user.is_none_or(|user| alert.users().any(|one| one == user));
                if is_of_user && alert.severity >= filter.severity {
                    self.format.line(&Line(alert), &mut out)?;
                }
            }
            out.flush()?;
        }
    }
}

fn missing(number: u64) -> Failure {
    anyhow!("there is no alert {number}: `vpn-sensor alerts` lists them").into()
}

fn find(store: &StoreReader, number: u64) -> Result<Alert, Failure> {
    store.alert(number).map_err(anyhow::Error::new)?.ok_or_else(|| missing(number))
}

fn show(config: &Config, number: u64, json: bool) -> Result<(), Failure> {
    let page = open(&config.state_dir)?.alert_page(number).map_err(anyhow::Error::new)?;
    let page = page.ok_or_else(|| missing(number))?;
    let control = Control::open(&config.state_dir).map_err(anyhow::Error::new)?;
    note(&control, "alert.show", &page.alert)?;
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        serde_json::to_writer(&mut out, &page).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    write_page(&page, &mut out)?;
    Ok(out.flush()?)
}

/// Writes down for each user that somebody sees or decides about the alert.
fn note(control: &Control, action: &str, alert: &Alert) -> Result<(), Failure> {
    let details = format!("alert {}", alert.number);
    let mut users = alert.users().peekable();
    if users.peek().is_none() {
        return audit::note(control, action, None, Some(&details));
    }
    users.try_for_each(|user| audit::note(control, action, Some(user), Some(&details)))
}

fn write_page(page: &AlertPage, out: &mut impl Write) -> io::Result<()> {
    let alert = &page.alert;
    writeln!(out, "Alert {}: {}", alert.number, alert.title)?;
    let held = if page.held { ", held back: sent to nobody" } else { "" };
    write!(out, "{}, score {:.1}, {}{held}", alert.severity.name(), alert.score, state(&alert.state))?;
    if let Some(subject) = alert.subject() {
        write!(out, ", about {subject}")?;
    }
    // The message's sentences, a line each.
    if let Some(sentence) = alert.taken_together() {
        write!(out, "\n{sentence}")?;
    }
    writeln!(out, "\n\nWhat was seen, and what was expected; the weightiest first:")?;
    for reason in &alert.reasons {
        writeln!(out, "- {}", reason.text)?;
    }
    writeln!(out, "\nWhat to do:")?;
    for sentence in &alert.advice {
        writeln!(out, "- {sentence}")?;
    }
    if alert.address.is_some() {
        writeln!(out, "\nUsers: {}", alert.users.join(", "))?;
    }
    let user = if alert.address.is_some() { format!("{:<32}  ", "USER") } else { String::new() };
    writeln!(
        out,
        "\n{:<27}  {user}{:<39}  {:<24}  {:<24}  VPN SERVER",
        "BEGAN", "ADDRESS", "PLACE", "DEVICE"
    )?;
    for connection in &alert.connections {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let user = connection.user.as_ref().map_or_else(String::new, |user| format!("{user:<32}  "));
        writeln!(
            out,
            "{:<27}  {user}{:<39}  {:<24}  {:<24}  {}",
            rfc3339(connection.start_unix_ns),
            connection.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            shown(&connection.place),
            shown(&connection.device),
            shown(&connection.server)
        )?;
    }
    let techniques = page.techniques.iter();
    let techniques: Vec<String> =
        techniques.map(|one| format!("{} {}", one.id, one.name.as_deref().unwrap_or_default())).collect();
    if !techniques.is_empty() {
        writeln!(out, "\nMITRE ATT&CK: {}", techniques.join(", "))?;
    }
    writeln!(out)?;
    for happened in &page.history {
        let held = match (happened.held, happened.held_back) {
            (false, _) => String::new(),
            (true, None) => " (held back)".to_owned(),
            (true, Some(held)) => {
                format!(" (held back: {} since {})", held.words(), rfc3339(held.since_unix_ns))
            }
        };
        writeln!(out, "{}  {}{held}", happened.time, happened.news.name())?;
        for reason in &happened.reasons {
            writeln!(out, "  - {reason}")?;
        }
        if let Some(comment) = &happened.comment {
            writeln!(out, "  {}: {}", comment.by, comment.text)?;
        }
        if let Some(closed) = &happened.closed {
            writeln!(out, "  {}", state(closed))?;
        }
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
            alert.subject().as_deref().unwrap_or("-"),
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
