//! All sinks together. The one that hands messages over holds this; each message goes into the spool of every sink that
//! wants it, and is on its way.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    format::{self, Format, Kind, Source, Told},
    sink::{Settings, Sink, Standing},
    spool::{Draft, Kept, Limits, Origin, Spool},
};
use crate::{
    ServiceError,
    alert::Notice,
    export::format::{Health, TunnelActivity},
    forget::Person,
};

/// The folder of spools in the service's folder.
const FOLDER: &str = "spool";

/// All sinks.
#[derive(Debug)]
pub struct Sinks {
    folder: PathBuf,
    source: Source,
    sinks: Vec<Sink>,
    /// Spools of sinks that are configured no more: what is in them grows old and goes, and may be put back into use.
    left: Vec<(PathBuf, Spool)>,
}

impl Sinks {
    /// Opens the spools below this state directory and starts the sinks.
    ///
    /// # Errors
    /// A spool cannot be opened, or a thread not be started.
    pub fn open(state_dir: &Path, settings: Vec<Settings>, source: Source) -> Result<Sinks, ServiceError> {
        let folder = crate::make_folder(state_dir)?.join(FOLDER);
        let mut sinks = Sinks { folder, source, sinks: Vec::new(), left: Vec::new() };
        sinks.start(settings)?;
        Ok(sinks)
    }

    /// Goes on with other settings: sinks whose settings are the same go on undisturbed.
    ///
    /// # Errors
    /// As of [`Sinks::open`]; sinks that could be started are.
    pub fn reload(&mut self, settings: Vec<Settings>) -> Result<(), ServiceError> {
        let (same, mut others): (Vec<Sink>, Vec<Sink>) =
            std::mem::take(&mut self.sinks).into_iter().partition(|sink| settings.contains(&sink.settings));
        self.sinks = same;
        others.iter_mut().for_each(Sink::begin_to_stop);
        others.into_iter().for_each(Sink::join);
        self.left.clear();
        let is_new = |settings: &Settings| !self.sinks.iter().any(|sink| sink.settings == *settings);
        let new = settings.into_iter().filter(is_new).collect();
        self.start(new)
    }

    /// What links to alerts begin with, in messages that are handed over from here on.
    pub fn set_link(&mut self, link: Option<String>) {
        self.source.portal = link;
    }

    /// Starts what can be started; the first error is returned behind that.
    fn start(&mut self, settings: Vec<Settings>) -> Result<(), ServiceError> {
        let mut outcome = Ok(());
        for settings in settings {
            let path = self.folder.join(&settings.name);
            let opened = Spool::open(&path, settings.limits);
            match opened.and_then(|spool| Sink::start(settings, spool, &self.source)) {
                Ok(sink) => self.sinks.push(sink),
                Err(error) => outcome = outcome.and(Err(ServiceError::io(&path, error))),
            }
        }
        outcome.and(self.open_left().map_err(|error| ServiceError::io(&self.folder, error)))
    }

    /// Opens what belongs to no sink, so that persons are forgotten there as well. Empty ones are removed.
    fn open_left(&mut self) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let is_of = |sink: &Sink| path.file_name() == Some(sink.settings.name.as_ref());
            if !path.is_dir() || self.sinks.iter().any(is_of) {
                continue;
            }
            let spool = Spool::open(&path, Limits::default())?;
            spool.expire(now_unix_ns());
            match spool.backlog().waiting {
                0 => fs::remove_dir_all(&path)?,
                waiting => {
                    tracing::warn!(
                        "{} holds {waiting} messages for a sink that is not configured; remove the folder, or \
                         configure a sink of this name",
                        path.display()
                    );
                    self.left.push((path, spool));
                }
            }
        }
        Ok(())
    }

    /// Hands over what became of an alert; one that is held back is sent to nobody. One that was handed over before does
    /// nothing. Never waits for a peer.
    pub fn tell_notice(&self, notice: &Notice) {
        let origin = Origin { position: notice.sequence, index: 0 };
        if notice.is_held {
            self.sinks.iter().for_each(|sink| sink.spool.pass_over(Kind::Alert, origin));
        } else {
            self.tell(&Told::Notice(notice), Some(origin));
        }
    }

    /// Hands over what became of a connection. `origin` is the position in the journal of what it follows from, and which
    /// of several it is; positions go up.
    pub fn tell_activity(&self, activity: &TunnelActivity, origin: Origin) {
        self.tell(&Told::Activity(activity), Some(origin));
    }

    /// Hands over how the product is.
    pub fn tell_health(&self, health: &Health) {
        self.tell(&Told::Health(health), None);
    }

    fn tell(&self, told: &Told<'_>, origin: Option<Origin>) {
        let (kind, severity, now) = (told.kind(), told.severity(), now_unix_ns());
        let mut written: Vec<(Format, String)> = Vec::new();
        for sink in &self.sinks {
            let form = sink.settings.format;
            if !sink.settings.wants(kind, told.weight()) {
                if let Some(origin) = origin {
                    sink.spool.pass_over(kind, origin);
                }
                continue;
            }
            if !written.iter().any(|(other, _)| *other == form) {
                written.push((form, format::write(form, told, &self.source)));
            }
            let Some((_, body)) = written.iter().find(|(other, _)| *other == form) else { continue };
            let draft = Draft {
                kind,
                origin,
                severity,
                unix_ns: told.unix_ns(),
                id: told.id(),
                persons: told.persons(),
                format: form,
                body,
            };
            if sink.spool.push(&draft, now) == Kept::Lost {
                tracing::debug!("sink {:?} has no room for a message", sink.settings.name);
            }
        }
    }

    /// What need not be handed over again behind a start: the lowest of the last origins that the sinks for this sort had.
    /// None when no sink had any: begin with what comes now.
    pub fn mark(&self, kind: Kind) -> Option<Origin> {
        let sinks = self.sinks.iter().filter(|sink| sink.settings.what.contains(&kind));
        sinks.filter_map(|sink| sink.spool.mark(kind)).min()
    }

    /// Sinks that were never told anything of this sort are told what comes behind `origin`, also behind a kill.
    ///
    /// # Errors
    /// A cursor cannot be written.
    pub fn begin(&self, kind: Kind, origin: Origin) -> Result<(), ServiceError> {
        let mut sinks = self.sinks.iter();
        sinks.try_for_each(|sink| {
            let begun = sink.spool.begin(kind, origin);
            begun.map_err(|error| ServiceError::io(&self.folder.join(&sink.settings.name), error))
        })
    }

    /// Takes all messages of a person out of all spools. Returns how many waited. What was sent is with whom it was sent to.
    ///
    /// # Errors
    /// A spool cannot be written anew; it can be tried again.
    pub fn forget(&self, person: &Person) -> Result<u64, ServiceError> {
        let mut forgotten = 0;
        let sinks = self.sinks.iter().map(|sink| (self.folder.join(&sink.settings.name), &*sink.spool));
        let left = self.left.iter().map(|(path, spool)| (path.clone(), spool));
        for (path, spool) in sinks.chain(left) {
            forgotten += spool.forget(person).map_err(|error| ServiceError::io(&path, error))?;
        }
        Ok(forgotten)
    }

    /// Whether any sink is for this sort.
    pub fn want(&self, kind: Kind) -> bool {
        self.sinks.iter().any(|sink| sink.settings.what.contains(&kind))
    }

    /// How each stands.
    pub fn standing(&self) -> Vec<Standing> {
        let now = now_unix_ns();
        self.sinks.iter().map(|sink| sink.standing(now)).collect()
    }

    /// Ends all threads, at most 10 s after a peer that does not answer; what waits waits for the next start.
    pub fn stop(mut self) {
        self.sinks.iter_mut().for_each(Sink::begin_to_stop);
        self.sinks.into_iter().for_each(Sink::join);
    }
}

fn now_unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}
