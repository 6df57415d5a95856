//! `users`: who connected, the latest seen first. Reads the store beside a running sensor or without one.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use serde::Serialize;
use service::store::{StoreReader, UserRow};

use super::{
    Common, Failure, audit,
    records::{Format, Row},
    units::count,
};

/// Options of `users`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only users whose name holds this, in any case; `CONTOSO\ali` as well
    name: Option<String>,
    /// How a user is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// This many at most
    #[arg(long, value_name = "USERS", default_value_t = 1000)]
    limit: usize,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let state_dir = self.state_dir.as_ref().unwrap_or(&config.state_dir);
        let store = open(state_dir)?;
        audit::note_in(state_dir, "users.list", self.name.as_deref(), None)?;
        let typed = self.name.as_deref().unwrap_or_default();
        let part = store.user_part(typed, &config.realms).map_err(anyhow::Error::new)?;
        let mut out = BufWriter::new(io::stdout().lock());
        self.format.head::<Line<'_>>(&mut out)?;
        for user in store.users(&part, None, self.limit).map_err(anyhow::Error::new)? {
            self.format.line(&Line(&user), &mut out)?;
        }
        Ok(out.flush()?)
    }
}

/// The store below a state directory.
pub(super) fn open(state_dir: &std::path::Path) -> Result<StoreReader, Failure> {
    let path = service::folder(state_dir).join(service::store::FILE);
    Ok(StoreReader::open(&path).map_err(anyhow::Error::new)?)
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a>(&'a UserRow);

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<27}  {:<27}  {:>11}  {:<32}  AS SENT",
            "LAST SEEN", "FIRST SEEN", "CONNECTIONS", "USER"
        )
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let user = self.0;
        writeln!(
            out,
            "{:<27}  {:<27}  {:>11}  {:<32}  {}",
            user.last_seen,
            user.first_seen,
            count(user.connections as u64),
            user.user,
            user.original.as_deref().unwrap_or("-")
        )
    }
}
