//! `portal`: who may sign in at the portal. Reads and writes `control.sqlite`, beside a running service or without one.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use service::{
    control::{AccountRow, Control, LINK_S, Role},
    portal::certificate,
};

use super::{
    Common, Exit, Failure, audit,
    records::{Format, Row},
};

/// Options of `portal`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The state directory; by default the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a link that sets a password and signs in: once, within 15 minutes
    #[command(after_help = "Whoever has the link has the account: send it to nobody but its owner.")]
    Link {
        /// The account; a new one is made when the link is used
        #[arg(long, default_value = "administrator")]
        account: String,
        /// What the account may do
        #[arg(long, value_enum, default_value_t = RoleName::Administrator)]
        role: RoleName,
    },
    /// Show the accounts
    Accounts {
        /// How an account is printed
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Remove an account, and sign it out
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Sees people and alerts, and decides about alerts
    Analyst,
    /// Settings and accounts as well
    Administrator,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let control = Control::open(self.state_dir.as_ref().unwrap_or(&config.state_dir));
        let control = control.map_err(anyhow::Error::new)?;
        let mut out = BufWriter::new(io::stdout().lock());
        match self.action {
            Action::Link { account, role } => {
                let Some(url) = config.portal_url() else {
                    let error =
                        anyhow!("portal.address is \"off\": give it an address, and start vpn-sensor again");
                    return Err(Failure::new(Exit::Usage, error));
                };
                let role = match role {
                    RoleName::Analyst => Role::Analyst,
                    RoleName::Administrator => Role::Administrator,
                };
                audit::note(&control, "portal.link", Some(&account), Some(role.name()))?;
                let link = control.add_link(&account, role).map_err(anyhow::Error::new)?;
                writeln!(out, "{url}/link/{}", link.reveal())?;
                out.flush()?;
                let where_from = match config.portal {
                    Some(address) if address.ip().is_loopback() => " on this host",
                    _ => "",
                };
                eprintln!("open it in a browser{where_from} within {} minutes", LINK_S / 60);
                if let Some(wanted) = config.portal_certificate() {
                    let identity = certificate::open(&wanted).map_err(|error| anyhow!(error))?;
                    let fingerprint = certificate::fingerprint(&identity);
                    eprintln!("SHA-256 of the certificate that it must show:\n{fingerprint}");
                }
            }
            Action::Accounts { format } => {
                format.head::<Line<'_>>(&mut out)?;
                for account in control.accounts().map_err(anyhow::Error::new)? {
                    format.line(&Line(&account), &mut out)?;
                }
            }
            Action::Remove { name } => {
                audit::note(&control, "portal.remove", Some(&name), None)?;
                if !control.remove_account(&name).map_err(anyhow::Error::new)? {
                    let error =
                        anyhow!("there is no account {name:?}; `vpn-sensor portal accounts` shows all");
                    return Err(Failure::new(Exit::Usage, error));
                }
            }
        }
        Ok(out.flush()?)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a>(&'a AccountRow);

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{:<32}  {:<13}  {:<20}  LAST SIGN-IN", "NAME", "ROLE", "MADE")
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let AccountRow { name, role, created, last_used } = self.0;
        writeln!(
            out,
            "{name:<32}  {:<13}  {created:<20}  {}",
            role.name(),
            last_used.as_deref().unwrap_or("-")
        )
    }
}
