//! `events`: what the records on disk mean, one a line: who, from where, through which VPN server. Reads the journal
//! beside a running sensor or without one; nothing is kept.

mod line;

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context, anyhow};
use clap::ValueEnum;
use insight::vpn::{
    Decoder, Event, Kind, Received,
    names::{Realms, UserName},
};
use journal::{ReadError, Reader, Record};
use line::Line;

use super::{Common, Exit, Failure};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Json,
    /// Columns for people.
    Table,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let directory = self
            .state_dir
            .as_ref()
            .map_or_else(|| config.journal_dir(), |directory| directory.join("journal"));
        if !directory.is_dir() {
            let message =
                anyhow!("there is no journal in {}: no sensor has run with it yet", directory.display());
            return Err(message.into());
        }
        let decoding = config.decoding();
        let user = self.user.as_deref().map(|name| key(name, &decoding.realms)).transpose()?;
        let decoder = Decoder::new(decoding);
        let reader =
            Reader::open(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
        let mut out = BufWriter::new(io::stdout().lock());
        if self.format == Format::Table {
            Line::write_head(&mut out)?;
        }
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut left_out = false;
        for record in reader.records_from(self.from) {
            if left == 0 {
                break;
            }
            match record {
                Ok(record) => {
                    let Some(event) = decode(&decoder, &record) else {
                        tracing::warn!("record {} holds no request", record.sequence);
                        left_out = true;
                        continue;
                    };
                    if !self.wants(&event, user.as_deref()) {
                        continue;
                    }
                    let line = Line::new(record.sequence, &event);
                    match self.format {
                        Format::Json => {
                            serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
                            out.write_all(b"\n")?;
                        }
                        Format::Table => line.write_row(&mut out)?,
                    }
                    left -= 1;
                }
                // Reading goes on behind both; what is missing is said where it is missing.
                Err(error @ (ReadError::Damaged(_) | ReadError::Removed { .. })) => {
                    left_out |= matches!(error, ReadError::Damaged(_));
                    out.flush()?;
                    tracing::warn!("{error}");
                }
                Err(error) => return Err(anyhow::Error::new(error).into()),
            }
        }
        out.flush()?;
        if left_out { Err(Failure::silent(Exit::Failed)) } else { Ok(()) }
    }

    fn wants(&self, event: &Event<'_>, user: Option<&str>) -> bool {
        let named = event.user.as_ref().map(|name| &*name.key);
        (!self.vpn_only || event.classified.kind == Kind::Person) && (user.is_none() || user == named)
    }
}

/// The key of a user whose name was typed.
fn key(name: &str, realms: &Realms) -> Result<String, Failure> {
    match UserName::parse(name.as_bytes(), None, realms) {
        Ok(Some((name, _))) => Ok(name.key.into_owned()),
        Ok(None) | Err(_) => Err(Failure::new(Exit::Usage, anyhow!("--user: {name:?} is no user name"))),
    }
}

fn decode<'a>(decoder: &Decoder, record: &'a Record) -> Option<Event<'a>> {
    let received = Received {
        octets: &record.octets,
        source: record.source,
        destination: record.destination,
        client: &record.client,
        arrival_unix_ns: record.arrival_unix_ns,
    };
    // A record holds what was validated before it was written.
    decoder.decode(&received).ok()
}
