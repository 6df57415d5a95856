//! `audit`: who looked at whom, and who made and removed tokens.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use service::control::{AuditEntry, AuditRow, Control};

use super::{
    Common, Failure,
    records::{Format, Row},
};

/// Options of `audit`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How a line is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Only the newest so many
    #[arg(long, value_name = "LINES", default_value_t = 1000)]
    limit: usize,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let control = Control::open(self.state_dir.as_ref().unwrap_or(&config.state_dir));
        let control = control.map_err(anyhow::Error::new)?;
        let mut out = BufWriter::new(io::stdout().lock());
        self.format.head::<Line<'_>>(&mut out)?;
        for row in control.audit(self.limit).map_err(anyhow::Error::new)? {
            self.format.line(&Line(&row), &mut out)?;
        }
        Ok(out.flush()?)
    }
}

/// Writes down what somebody at this host's command line is about to see or do: before it, so that nothing is seen that is
/// not written down. Who that is, is the account's number, which no environment can make another.
pub(super) fn note(
    control: &Control,
    action: &str,
    subject: Option<&str>,
    details: Option<&str>,
) -> Result<(), Failure> {
    let entry = AuditEntry { who: &who(), action, subject, details };
    Ok(control.write_audit(&entry).map_err(anyhow::Error::new)?)
}

/// What the audit log calls whoever sits at this command line.
pub(super) fn who() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

/// The same where the control file is needed for nothing else.
pub(super) fn note_in(
    state_dir: &Path,
    action: &str,
    subject: Option<&str>,
    details: Option<&str>,
) -> Result<(), Failure> {
    note(&Control::open(state_dir).map_err(anyhow::Error::new)?, action, subject, details)
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a>(&'a AuditRow);

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{:<20}  {:<24}  {:<16}  {:<32}  DETAILS", "TIME", "WHO", "ACTION", "SUBJECT")
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let AuditRow { time, who, action, subject, details, .. } = self.0;
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (subject, details) = (shown(subject), shown(details));
        writeln!(out, "{time:<20}  {who:<24}  {action:<16}  {subject:<32}  {details}")
    }
}
