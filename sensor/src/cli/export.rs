//! `export`: VPN connections as JSON lines, for other eyes. Reads the store beside a running sensor or without one.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use anyhow::Context as _;
use service::{export::Pseudonyms, store::SessionRow};

use super::{
    Common, Failure, audit,
    sessions::{self, Selection},
    users,
};

/// Options of `export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "By default users, devices, addresses and session ids are pseudonyms, the same ones in every export of \
                        this state directory, and places are no nearer than a country or a site. What is written is \
                        personal data still: habits tell who somebody is."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// With names, addresses and places as they are
    #[arg(long, conflicts_with = "unlinkable")]
    clear: bool,
    /// Pseudonyms of this export alone: nobody can join it with another or find out who is who
    #[arg(long)]
    unlinkable: bool,
    /// Write to this file, which must not be there yet; by default to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let state_dir = self.state_dir.as_ref().unwrap_or(&config.state_dir);
        let store = users::open(state_dir)?;
        let filter = self.selection.filter(&config, state_dir)?;
        let (form, pseudonyms) = match (self.clear, self.unlinkable) {
            (true, _) => ("clear", None),
            (_, true) => ("unlinkable", Some(Pseudonyms::fresh())),
            _ => ("pseudonymised", Some(Pseudonyms::kept(state_dir).map_err(anyhow::Error::new)?)),
        };
        let details = [Some(form.to_owned()), filter.details()];
        let details = details.into_iter().flatten().collect::<Vec<_>>().join(", ");
        audit::note_in(state_dir, "sessions.export", filter.user.as_deref(), Some(&details))?;
        let mut out: Box<dyn Write> = match &self.out {
            Some(path) => {
                let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
                Box::new(made.with_context(|| format!("cannot create {}", path.display()))?)
            }
            None => Box::new(io::stdout().lock()),
        };
        let mut out = BufWriter::new(&mut out);
        sessions::each(&store, filter, usize::MAX, |session| {
            let line = match &pseudonyms {
                Some(pseudonyms) => pseudonyms.cover(session),
                None => SessionRow::clone(session),
            };
            serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        })?;
        Ok(out.flush()?)
    }
}
