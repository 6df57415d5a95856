//! `portal`: who may sign in at the portal. Reads and writes `control.sqlite`, beside a running service or without one.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use service::{
    control::{AccountRow, AuditEntry, Control, ControlError, KEEPS_ROLE, LINK_S, NewToken, Role},
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
    ///
    /// For somebody new, or for a lost password: an account that is there keeps its role unless --role says another. The
    /// very first account is an administrator's; each other new one has the role that --role must say then
    #[command(after_help = "Whoever has the link has the account: send it to nobody but its owner.")]
    Link {
        /// The account; a new one is made when the link is used
        #[arg(long, default_value = "administrator")]
        account: String,
        /// What the account may do from then on; without it an account that is there keeps its role
        #[arg(long, value_enum)]
        role: Option<RoleName>,
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
                let link = link(&control, &account, role)?;
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
                let removed = control.at_once(|control| {
                    let (who, action, subject) = (audit::who(), "portal.remove", Some(&*name));
                    let found = control.remove_account(&name)?;
                    if found {
                        control.note(&AuditEntry { who: &who, action, subject, details: None })?;
                    }
                    Ok(found)
                });
                if !removed.map_err(anyhow::Error::new)? {
                    let error =
                        anyhow!("there is no account {name:?}; `vpn-sensor portal accounts` shows all");
                    return Err(Failure::new(Exit::Usage, error));
                }
            }
        }
        Ok(out.flush()?)
    }
}

/// Makes a link, of which the audit log says.
fn link(control: &Control, account: &str, role: Option<RoleName>) -> Result<NewToken, Failure> {
    let role = role.map(|role| match role {
        RoleName::Analyst => Role::Analyst,
        RoleName::Administrator => Role::Administrator,
    });
    let made = control.at_once(|control| {
        let given = control.role_by_link(account, role)?;
        let made = control.add_link(account, role)?;
        let (who, action) = (audit::who(), "portal.link");
        let (subject, details) = (Some(account), Some(given.map_or(KEEPS_ROLE, Role::name)));
        control.note(&AuditEntry { who: &who, action, subject, details })?;
        Ok(made)
    });
    made.map_err(|error| match error {
        ControlError::NoRole(_) => {
            let error = anyhow!("{error}, by --role analyst or --role administrator");
            Failure::new(Exit::Usage, error)
        }
        error => anyhow::Error::new(error).into(),
    })
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Called {
        #[command(flatten)]
        portal: Arguments,
    }

    /// `portal link` with these options, and what it makes redeemed; the role that the account has then.
    fn role_behind(control: &mut Control, options: &str, account: &str) -> Result<Role, String> {
        let called = ["portal", "link"].into_iter().chain(options.split_whitespace());
        let Ok(Called { portal: Arguments { action: Action::Link { account: named, role }, .. } }) =
            Called::try_parse_from(called)
        else {
            panic!("{options}")
        };
        let link = link(control, &named, role).map_err(|failure| failure.to_string())?;
        assert_eq!(control.redeem_link(link.reveal(), "hash").unwrap().as_deref(), Some(account));
        let accounts = control.accounts().unwrap();
        Ok(accounts.iter().find(|row| row.name == account).unwrap().role)
    }

    #[test]
    fn a_link_changes_a_role_only_where_one_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let mut behind = |options: &str, account: &str| role_behind(&mut control, options, account);
        assert_eq!(behind("", "administrator"), Ok(Role::Administrator), "the first sign-in");
        let refused = behind("--account dave", "dave").unwrap_err();
        assert!(refused.contains("no account \"dave\"") && refused.contains("--role analyst"), "{refused}");
        assert_eq!(behind("--account dave --role analyst", "dave"), Ok(Role::Analyst));
        assert_eq!(behind("--account dave", "dave"), Ok(Role::Analyst), "a lost password");
        assert_eq!(behind("", "administrator"), Ok(Role::Administrator), "a lost password");
        assert_eq!(behind("--account dave --role administrator", "dave"), Ok(Role::Administrator));
        assert_eq!(behind("--role analyst", "administrator"), Ok(Role::Analyst));
        let audit = control.audit(100).unwrap();
        let made = audit.iter().filter(|row| row.action == "portal.link");
        let made: Vec<_> = made.map(|row| row.details.as_deref().unwrap()).collect();
        let keeps = KEEPS_ROLE;
        assert_eq!(made, ["administrator", "analyst", keeps, keeps, "administrator", "analyst"]);
        let changed: Vec<_> = audit.iter().filter(|row| row.action == "portal.role").collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
    }
}
