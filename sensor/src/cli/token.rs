//! `token`: who may ask the HTTP API. Reads and writes `control.sqlite`, beside a running service or without one.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use service::control::{AuditEntry, Control, Right, TokenRow};

use super::{
    Common, Exit, Failure, audit,
    records::{Format, Row},
};

/// Options of `token`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A token reads everything that the API has, and one that may decide closes alerts besides: keep it as you \
                  keep a password."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The state directory; by default the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token and write it to standard output: it is shown this once
    Add {
        /// What the audit log calls it: letters, digits, '.', '_' and '-'
        name: String,
        /// What it may do besides reading
        #[arg(long, value_enum)]
        may: Option<May>,
        /// It is refused after so long: 12h, 90d, 2w
        #[arg(long, value_name = "TIME", value_parser = lifetime)]
        expires: Option<u64>,
    },
    /// Show which tokens there are, never the tokens themselves
    List {
        /// How a token is printed
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Take a token away: it is refused from then on
    Remove {
        /// Its name
        name: String,
    },
}

/// A right by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum May {
    /// Close alerts and comment on them
    Decide,
    /// The same, and change settings, accounts and tokens
    Administer,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let control = Control::open(self.state_dir.as_ref().unwrap_or(&config.state_dir));
        let control = control.map_err(anyhow::Error::new)?;
        let mut out = BufWriter::new(io::stdout().lock());
        match self.action {
            Action::Add { name, may, expires } => {
                let right = may.map(|may| match may {
                    May::Decide => Right::Decide,
                    May::Administer => Right::Administer,
                });
                let details = right.map(|right| format!("may {}", right.name()));
                let made = control.at_once(|control| {
                    let (who, action) = (audit::who(), "token.add");
                    let made = control.add_token(&name, right, expires)?;
                    let (subject, details) = (Some(&*name), details.as_deref());
                    control.note(&AuditEntry { who: &who, action, subject, details })?;
                    Ok(made)
                });
                writeln!(out, "{}", made.map_err(anyhow::Error::new)?.reveal())?;
            }
            Action::List { format } => {
                format.head::<Line<'_>>(&mut out)?;
                for token in control.tokens().map_err(anyhow::Error::new)? {
                    format.line(&Line(&token), &mut out)?;
                }
            }
            Action::Remove { name } => {
                let removed = control.at_once(|control| {
                    let (who, action, subject) = (audit::who(), "token.remove", Some(&*name));
                    let found = control.remove_token(&name)?;
                    if found {
                        control.note(&AuditEntry { who: &who, action, subject, details: None })?;
                    }
                    Ok(found)
                });
                if !removed.map_err(anyhow::Error::new)? {
                    let error = anyhow!("there is no token {name:?}; `vpn-sensor token list` shows all");
                    return Err(Failure::new(Exit::Usage, error));
                }
            }
        }
        Ok(out.flush()?)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a>(&'a TokenRow);

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{:<32}  {:<24}  {:<20}  {:<20}  EXPIRES", "NAME", "MAY", "CREATED", "LAST USED")
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let TokenRow { name, may, created, last_used, expires } = self.0;
        let may = may.join(", ");
        let shown = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
        writeln!(out, "{name:<32}  {may:<24}  {created:<20}  {:<20}  {}", shown(last_used), shown(expires))
    }
}

/// Seconds of `90d`.
fn lifetime(text: &str) -> Result<u64, String> {
    let refused = || format!("{text:?} is no time: a whole number and h, d or w, such as 90d");
    let seconds = match text.chars().last() {
        Some('h') => 3600,
        Some('d') => 86_400,
        Some('w') => 7 * 86_400,
        _ => return Err(refused()),
    };
    let number = text[..text.len() - 1].parse::<u64>().ok().filter(|number| *number > 0);
    number.and_then(|number| number.checked_mul(seconds)).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_a_unit() {
        assert_eq!(lifetime("90d"), Ok(90 * 86_400));
        assert_eq!(lifetime("12h"), Ok(43_200));
        assert_eq!(lifetime("2w"), Ok(14 * 86_400));
        for wrong in
            ["", "d", "90", "0d", "-1d", "1.5d", "99999999999999999999d", "9999999999999999999w", "1ä"]
        {
            assert!(lifetime(wrong).is_err(), "{wrong:?}");
        }
    }
}
