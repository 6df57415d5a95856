//! `sessions`: the VPN connections of persons, one a line. Reads the store beside a running sensor or without one.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use jiff::Timestamp;
use serde::Serialize;
use service::store::{SessionFilter, SessionRow, StoreReader};

use super::{
    Common, Exit, Failure, audit, events,
    records::{Format, Row},
    units::{age, count},
    users,
};
use crate::config::Config;

/// Sessions read at once: a page of them, so that a million are no more memory than a thousand.
const PAGE_SESSIONS: usize = 1000;

/// Options of `sessions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A connection without a Stop ends when its interims stay away, or, if it never had any, after a day \
                        (sessions.missed_interims, sessions.unknown_after): then nobody knows when it ended."
)]
pub(super) struct Arguments {
    /// How a session is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    selection: Selection,
    /// Only the newest so many
    #[arg(long, value_name = "SESSIONS")]
    limit: Option<usize>,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let state_dir = self.state_dir.as_ref().unwrap_or(&config.state_dir);
        let filter = self.selection.filter(&config, state_dir)?;
        let store = users::open(state_dir)?;
        audit::note_in(state_dir, "sessions.list", filter.user.as_deref(), filter.details().as_deref())?;
        let mut out = BufWriter::new(io::stdout().lock());
        self.format.head::<Line<'_>>(&mut out)?;
        each(&store, filter, self.limit.unwrap_or(usize::MAX), |session| {
            Ok(self.format.line(&Line(session), &mut out)?)
        })?;
        Ok(out.flush()?)
    }
}

/// Which sessions.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Only of this user: any way to write the name, `CONTOSO\alice` or `alice@contoso.example`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only from this device
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Only from this address
    #[arg(long, value_name = "ADDRESS")]
    remote: Option<std::net::IpAddr>,
    /// Only those that had this address inside the tunnel, or the prefix that it lies in
    #[arg(long, value_name = "ADDRESS")]
    assigned: Option<String>,
    /// Only from this country, two letters
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// Only through VPN servers of this client or NAS-Identifier
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Only with this Acct-Session-Id, in any case of its Latin letters
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only those that are not over
    #[arg(long)]
    open: bool,
    /// Only those that began then or later; of a user, an address or a session id, only those that were not over before: RFC
    /// 3339, `2026-11-01T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only those that began before
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

impl Selection {
    /// The same for the store.
    pub(super) fn filter(self, config: &Config, state_dir: &Path) -> Result<SessionFilter, Failure> {
        let key = |name| events::key(name, &config.realms, state_dir);
        let user = self.user.as_deref().map(key).transpose()?;
        Ok(SessionFilter {
            user,
            device: self.device,
            remote: self.remote.map(|address| address.to_string()),
            assigned: self.assigned,
            country: self.country.map(|code| code.to_uppercase()),
            server: self.server,
            session: self.session,
            open: self.open,
            since_unix_ns: self.since.map(unix_ns).transpose()?,
            until_unix_ns: self.until.map(unix_ns).transpose()?,
            ..SessionFilter::default()
        })
    }
}

/// Hands the sessions over, the newest first, a page at a time.
pub(super) fn each(
    store: &StoreReader,
    mut filter: SessionFilter,
    mut left: usize,
    mut take: impl FnMut(&SessionRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    while left > 0 {
        let page = store.sessions(&filter, left.min(PAGE_SESSIONS)).map_err(anyhow::Error::new)?;
        let Some(last) = page.last() else { break };
        left -= page.len();
        filter.after = Some((last.start_unix_ns, last.number));
        page.iter().try_for_each(&mut take)?;
    }
    Ok(())
}

/// ns since 1970 UTC.
pub(super) fn unix_ns(time: Timestamp) -> Result<i64, Failure> {
    i64::try_from(time.as_nanosecond())
        .map_err(|_| Failure::new(Exit::Usage, anyhow!("{time} lies outside the time that records can have")))
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line<'a>(&'a SessionRow);

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<27}  {:>11}  {:<14}  {:<32}  {:<39}  {:<24}  {:<24}  {:>15}  {:>15}  DEVICE",
            "START", "LASTED", "ENDED BY", "USER", "FROM", "PLACE", "VPN SERVER", "OCTETS IN", "OCTETS OUT"
        )
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let session = self.0;
        let octets = |octets: Option<i64>| octets.map_or("-".to_owned(), |octets| count(octets as u64));
        writeln!(
            out,
            "{:<27}  {:>11}  {:<14}  {:<32}  {:<39}  {:<24}  {:<24}  {:>15}  {:>15}  {}",
            session.start,
            age(session.seconds),
            session.end_reason.as_deref().unwrap_or("open"),
            session.user.as_deref().unwrap_or("-"),
            session.remote.as_deref().unwrap_or("-"),
            session.place.as_ref().map_or("-", |place| &place.name),
            session.nas_identifier.as_deref().unwrap_or(&session.client),
            octets(session.input_octets),
            octets(session.output_octets),
            session.device.as_deref().or(session.software.as_deref()).unwrap_or("-"),
        )
    }
}
