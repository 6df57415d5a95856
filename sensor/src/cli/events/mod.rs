//! `events`: what the records on disk mean, one a line: who, from where, through which VPN server. Reads the journal
//! beside a running sensor or without one; nothing is kept.

mod line;

use std::{
    io::{self, BufWriter},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use insight::vpn::{
    Decoder, Event, Kind,
    names::{Realms, UserName, is_unambiguous},
};
use journal::Record;
use service::event::{EventLine, received};

use super::{
    Common, Exit, Failure, audit,
    records::{self, Format},
    users,
};
use crate::places::Sources;

/// Options of `events`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The client's vendor and attributes and the realms that mean the same come from the configuration: \
                        after a change the same records are read anew by it."
)]
pub(super) struct Arguments {
    /// How an event is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Begin with the record of this sequence number
    #[arg(long, value_name = "SEQUENCE", default_value_t = 1)]
    from: u64,
    /// Print this many events at most
    #[arg(long, value_name = "EVENTS")]
    limit: Option<usize>,
    /// Only of this user: any way to write the name, `CONTOSO\alice` or `alice@contoso.example`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only persons' VPN connections: no administrators, no 802.1X, no tunnels between sites, no servers' restarts
    #[arg(long)]
    vpn_only: bool,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let state_dir = self.state_dir.as_ref().unwrap_or(&config.state_dir);
        let directory = records::folder(state_dir)?;
        let decoding = config.decoding();
        let user = self.user.as_deref().map(|name| key(name, &decoding.realms, state_dir)).transpose()?;
        audit::note_in(state_dir, "events.list", user.as_deref(), None)?;
        let decoder = Decoder::new(decoding);
        let (places, wrong) = Sources::of(&config).open_what_can_be();
        for error in wrong {
            tracing::warn!("{error:#}; events are shown without what it would have said");
        }
        let mut out = BufWriter::new(io::stdout().lock());
        self.format.head::<EventLine<'_>>(&mut out)?;
        let mut left = self.limit.unwrap_or(usize::MAX);
        records::print_each(&directory, self.from, &mut out, |record, out| {
            if left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            let Some(event) = decode(&decoder, record) else { return Ok(ControlFlow::Continue(())) };
            if self.wants(&event, user.as_deref()) {
                left -= 1;
                self.format.line(&EventLine::new(record.sequence, &event, &places), out)?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn wants(&self, event: &Event<'_>, user: Option<&str>) -> bool {
        let named = event.user.as_ref().map(|name| &*name.key);
        (!self.vpn_only || event.classified.kind == Kind::Person) && (user.is_none() || user == named)
    }
}

/// The key of a user whose name was typed.
///
/// Whoever is known by exactly this key is meant, however it would be read as a name.
pub(super) fn key(name: &str, realms: &Realms, state_dir: &Path) -> Result<String, Failure> {
    if !is_unambiguous(name)
        && let Ok(store) = users::open(state_dir)
        && store.user(name).map_err(anyhow::Error::new)?.is_some()
    {
        return Ok(name.to_owned());
    }
    match UserName::parse(name.as_bytes(), None, realms) {
        Ok(Some((name, _))) => Ok(name.key.into_owned()),
        Ok(None) | Err(_) => Err(Failure::new(Exit::Usage, anyhow!("{name:?} is no user name"))),
    }
}

/// The event of a record. A record holds what was validated before it was written; one that does not is told and left
/// out.
pub(super) fn decode<'a>(decoder: &Decoder, record: &'a Record) -> Option<Event<'a>> {
    if record.redacted {
        return None;
    }
    match decoder.decode(&received(record)) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::warn!("record {} holds no request: {error}", record.sequence);
            None
        }
    }
}
