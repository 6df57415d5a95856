//! What the running service hands to its sinks: what happened to alerts, what became of connections; health messages come
//! from `health`. A rebuild hands over nothing, and what was handed over before a stop is not again.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use insight::vpn::{
    session::{Change, Happening, Server},
    terminate_cause_name,
};

use super::{
    Sinks,
    format::{Client, Kind, Source, Tunnel, TunnelActivity},
    sink::Settings,
    spool::Origin,
};
use crate::{
    ServiceError,
    alert::News,
    fold::{Activity, Placed, server_label},
    live::Live,
    store::{self, StoreReader},
};

/// Between two looks for what happened to alerts.
const LOOK: Duration = Duration::from_millis(200);
/// Between two attempts to start sinks that could not be.
const AGAIN: Duration = Duration::from_secs(30);
/// Notices handed over at once.
const NOTICES: usize = 256;

/// Hands over.
#[derive(Debug)]
pub struct Telling {
    sinks: Sinks,
    path: PathBuf,
    /// Open once there is a store, until it cannot be read.
    store: Option<StoreReader>,
    /// The last notice that was handed over; `None`: begin with what comes now.
    notices: Option<u64>,
    look_at: Instant,
    again_at: Instant,
}

impl Telling {
    /// Opens the spools and starts the sinks; see [`Sinks::open`]. `link` is what links to alerts begin with, where messages
    /// are to hold them.
    pub fn open(state_dir: &Path, settings: Vec<Settings>, link: Option<String>) -> Telling {
        let mut sinks = Sinks::open(state_dir, settings, Source::here(link));
        let path = crate::folder(state_dir).join(store::FILE);
        begin_with_what_comes(&mut sinks, &path);
        Telling {
            notices: sinks.mark(Kind::Alert).map(|mark| mark.position),
            sinks,
            path,
            store: None,
            look_at: Instant::now(),
            again_at: Instant::now() + AGAIN,
        }
    }

    /// Passes over what was taken again at the start, where no sink has ever been told of a connection.
    pub fn begin(&self, live: &mut Live) {
        if self.sinks.mark(Kind::Connection).is_none() {
            live.take_activities();
        }
    }

    /// The sinks.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// Other sinks and links from here on; sinks that are unchanged go on.
    pub fn reload(&mut self, settings: Vec<Settings>, link: Option<String>) {
        self.sinks.set_link(link);
        let behind = self.sinks.reload(settings);
        begin_with_what_comes(&mut self.sinks, &self.path);
        self.go_back(behind);
        self.notices = self.notices.or_else(|| self.sinks.mark(Kind::Alert).map(|mark| mark.position));
    }

    /// Now and then tries to start sinks that could not be.
    pub fn try_again(&mut self) {
        if Instant::now() >= self.again_at {
            self.again_at = Instant::now() + AGAIN;
            let behind = self.sinks.try_again();
            self.go_back(behind);
        }
    }

    /// A sink runs that has alerts up to `behind` only; the others know what they are handed again.
    fn go_back(&mut self, behind: Option<u64>) {
        if let Some(behind) = behind {
            self.notices = self.notices.map(|notices| notices.min(behind));
        }
    }

    /// Hands over what there is since the last turn.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn turn(&mut self, live: &mut Live) -> Result<(), ServiceError> {
        live.keep_activities(self.sinks.want(Kind::Connection));
        for Activity { position, number, change, server, placed } in live.take_activities() {
            // Counted by the fold: several may follow from one record, and more from the time that goes by behind it.
            let origin = Origin { position, index: number };
            self.sinks.tell_activity(&tunnel(&change, server.as_ref(), placed.as_deref()), origin);
        }
        if Instant::now() < self.look_at {
            return Ok(());
        }
        self.look_at = Instant::now() + LOOK;
        if self.sinks.want(Kind::Alert) {
            let told = self.tell_notices();
            if told.is_err() {
                self.store = None;
            }
            told?;
        }
        Ok(())
    }

    fn tell_notices(&mut self) -> Result<(), ServiceError> {
        let store = match &self.store {
            Some(store) => store,
            None => self.store.insert(StoreReader::open(&self.path)?),
        };
        let mut behind = match self.notices {
            Some(behind) => behind,
            None => {
                let position = store.last_notice()?;
                begin(&mut self.sinks, position);
                position
            }
        };
        loop {
            let notices = store.notices(behind, NOTICES)?;
            for notice in &notices {
                let before = match notice.news {
                    _ if notice.is_held => Vec::new(),
                    News::New => Vec::new(),
                    News::Updated | News::Closed => {
                        store.told_before(notice.alert.number, notice.sequence)?
                    }
                };
                self.sinks.tell_notice(notice, &before);
                behind = notice.sequence;
            }
            self.notices = Some(behind);
            if notices.len() < NOTICES {
                return Ok(());
            }
        }
    }

    /// Ends the sinks; what waits waits for the next start.
    pub fn stop(self) {
        self.sinks.stop();
    }
}

/// New sinks are told what happens to alerts behind the last notice that is stored now. That is written down at once: whoever
/// is killed before the first message goes on from there.
fn begin_with_what_comes(sinks: &mut Sinks, store: &Path) {
    // The service makes the store before it tells of anything.
    if !store.exists() {
        return;
    }
    match StoreReader::open(store).and_then(|store| store.last_notice()) {
        Ok(position) => begin(sinks, position),
        Err(error) => untold(&error),
    }
}

fn begin(sinks: &mut Sinks, position: u64) {
    if let Err(error) = sinks.begin(Kind::Alert, Origin { position, index: 0 }) {
        untold(&error);
    }
}

fn untold(error: &dyn Display) {
    tracing::warn!("alerts of the next moments may not be sent to new sinks if this is killed: {error}");
}

/// What became of a connection.
fn tunnel(change: &Change, server: Option<&Server>, placed: Option<&Placed>) -> TunnelActivity {
    let session = &change.session;
    let details = &session.details;
    let end = session.end();
    let text = |text: Option<&str>| text.map(str::to_owned);
    let what = match change.happening {
        _ if end.is_some() => Tunnel::Close,
        Happening::Opened => Tunnel::Open,
        _ => Tunnel::Renew,
    };
    let resolved = placed.map(|placed| placed.resolved.clone()).unwrap_or_default();
    TunnelActivity {
        unix_ns: match what {
            Tunnel::Open => session.start_unix_ns,
            _ => end.map_or(session.last_seen_unix_ns, |end| end.unix_ns),
        },
        what,
        user: text(details.user()),
        user_original: text(details.user_original()),
        session_id: change.session_id.trim_start_matches('\0').to_owned(),
        start_unix_ns: session.start_unix_ns,
        end_reason: end.map(|end| end.reason.name().to_owned()),
        terminate_cause: end.and_then(|end| end.cause).map(|cause| terminate_cause_name(cause).into_owned()),
        client: Client {
            address: details.remote(),
            place: placed.map(|_| resolved.name()),
            country: resolved.country,
            region: resolved.region,
            city: resolved.city,
            latitude: resolved.latitude,
            longitude: resolved.longitude,
            radius_km: resolved.radius_km.map(u32::from),
            asn: resolved.asn,
            organisation: resolved.organisation,
        },
        assigned: details.assigned().map(|assigned| assigned.address).collect(),
        server: server.map(|server| server_label(server).into_owned()),
        server_address: server.and_then(|server| server.address),
        device: text(details.device()),
        software: text(details.software()),
        input_octets: session.input_octets(),
        output_octets: session.output_octets(),
    }
}
