//! `sessions`: the VPN connections of persons that the records on disk tell of, one a line. Reads the journal from its
//! beginning, beside a running sensor or without one; nothing is kept.

mod line;

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use insight::vpn::{
    Decoder,
    session::{Change, Happening, Sessions, Settings},
};
use line::Line;

use super::{
    Common, Failure, events,
    records::{self, Format},
};

/// Options of `sessions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A connection without a Stop ends when its interims stay away, or, if it never had any, after a day: \
                        then nobody knows when it ended."
)]
pub(super) struct Arguments {
    /// How a session is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Only of this user: any way to write the name, `CONTOSO\alice` or `alice@contoso.example`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only those that are not over
    #[arg(long)]
    open: bool,
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
        let directory = records::folder(self.state_dir.as_ref().unwrap_or(&config.state_dir))?;
        let decoding = config.decoding();
        let user = self.user.as_deref().map(|name| events::key(name, &decoding.realms)).transpose()?;
        let settings = Settings { closed_kept_s: decoding.accept_past_s, ..Settings::default() };
        let decoder = Decoder::new(decoding);

        let mut sessions = Sessions::new(settings);
        let mut clock = 0;
        let mut found = BTreeMap::new();
        let mut changes = Vec::new();
        let mut out = BufWriter::new(io::stdout().lock());
        let read = records::print_each(&directory, 1, &mut out, |record, _| {
            if let Some(event) = events::decode(&decoder, record) {
                pass_time(&mut sessions, &mut clock, record.arrival_unix_ns, &mut changes);
                sessions.take(record.sequence, &event, &mut changes);
                changes.drain(..).for_each(|change| follow(&mut found, change));
            }
            Ok(ControlFlow::Continue(()))
        });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        pass_time(&mut sessions, &mut clock, now.as_nanos() as u64, &mut changes);
        changes.drain(..).for_each(|change| follow(&mut found, change));

        let wanted = |change: &&Change| {
            let session = &change.session;
            (!self.open || session.end().is_none())
                && (user.is_none() || user.as_deref() == session.details.user())
        };
        let mut list: Vec<&Change> = found.values().filter(wanted).collect();
        list.sort_by_key(|change| (change.session.start_unix_ns, change.session.number));
        let first = list.len().saturating_sub(self.limit.unwrap_or(usize::MAX));
        self.format.head::<Line<'_>>(&mut out)?;
        for change in &list[first..] {
            self.format.line(&Line::new(change, sessions.server(change.server)), &mut out)?;
        }
        out.flush()?;
        // What could be read is shown, and then what could not.
        read
    }
}

/// Lets the time between two records go by, in steps that count as listening: the sensor is taken to have been there. A
/// session that is thought silent because it was not comes back with its next record.
fn pass_time(sessions: &mut Sessions, clock: &mut u64, now: u64, changes: &mut Vec<Change>) {
    const STEP_NS: u64 = 300 * 1_000_000_000;
    /// Some ten years: behind a clock that was wrong by more, silence begins anew.
    const STEPS_MAX: u64 = 1 << 20;
    if *clock > 0 && now.saturating_sub(*clock) / STEP_NS < STEPS_MAX {
        while now.saturating_sub(*clock) > STEP_NS {
            *clock += STEP_NS;
            sessions.advance(*clock, changes);
        }
    }
    *clock = now;
    sessions.advance(now, changes);
}

/// How things stand after one more change.
fn follow(found: &mut BTreeMap<u64, Change>, change: Change) {
    match change.happening {
        Happening::Merged { .. } => drop(found.remove(&change.session.number)),
        _ => drop(found.insert(change.session.number, change)),
    }
}

#[cfg(test)]
mod tests {
    use insight::vpn::{
        Received,
        session::{EndReason, Session},
    };

    use super::*;
    use crate::traffic::{self, Status, Vendor};

    const START_S: u64 = 1_790_000_000;

    /// The only session of a Start and two interims, five minutes apart, so long after the last of them.
    fn after(silence_s: u64) -> Session {
        let decoder = Decoder::new(insight::vpn::Settings::default());
        let mut sessions = Sessions::new(Settings::default());
        let (mut found, mut changes, mut clock) = (BTreeMap::new(), Vec::new(), 0);
        let told = traffic::Session::made_up(Vendor::Asa, 1, 1);
        for (number, status) in (0..).zip([Status::Start, Status::InterimUpdate, Status::InterimUpdate]) {
            let at_s = START_S + number * 300;
            let mut buffer = [0; radius::MAX_LENGTH];
            let attributes = told.attributes(status, at_s as u32);
            let octets =
                traffic::write(&mut buffer, status, number as u8, &[0; 16], &attributes, b"secret").unwrap();
            let source = "192.0.2.1:1024".parse().unwrap();
            let arrival_unix_ns = at_s * 1_000_000_000;
            let received = Received { octets, source, destination: source, client: "vpn", arrival_unix_ns };
            pass_time(&mut sessions, &mut clock, arrival_unix_ns, &mut changes);
            sessions.take(number, &decoder.decode(&received).unwrap(), &mut changes);
        }
        let now = (START_S + 600 + silence_s) * 1_000_000_000;
        pass_time(&mut sessions, &mut clock, now, &mut changes);
        changes.drain(..).for_each(|change| follow(&mut found, change));
        let [change] = &found.into_values().collect::<Vec<_>>()[..] else { panic!("one session") };
        change.session.clone()
    }

    #[test]
    fn silence_between_records_ends_a_session_though_no_record_comes() {
        assert_eq!(after(600).end(), None);
        // Hours without any record: the sensor was there and heard nothing.
        let end = after(4 * 3600).end().unwrap();
        assert_eq!((end.reason, end.unix_ns), (EndReason::Silence, (START_S + 600) * 1_000_000_000));
    }
}
