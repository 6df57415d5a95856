//! All sinks together. The one that hands messages over holds this; each message goes into the spool of every sink that
//! wants it, and is on its way. A sink that cannot be started keeps no other from its work: it is tried again (`stopped`).

use std::{
    fs, io,
    path::{Path, PathBuf},
    ptr,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    format::{self, Format, Kind, Source, Told},
    sink::{Settings, Sink, Standing},
    spool::{Draft, Kept, Limits, Origin, Spool},
    stopped::{self, Stopped},
};
use crate::{
    ServiceError,
    alert::{News, Notice, Severity},
    export::format::{Health, TunnelActivity},
    forget::Person,
};

/// The folder of spools in the service's folder.
const FOLDER: &str = "spool";

/// All sinks.
#[derive(Debug)]
pub struct Sinks {
    state_dir: PathBuf,
    folder: PathBuf,
    source: Source,
    sinks: Vec<Sink>,
    /// Those that could not be started.
    stopped: Vec<Stopped>,
    /// Spools of sinks that are configured no more: what is in them grows old and goes, and may be put back into use.
    left: Vec<(PathBuf, Spool)>,
}

impl Sinks {
    /// Opens the spools below this state directory and starts the sinks. What cannot be started is told in the log and by
    /// [`Sinks::standing`], and the others run.
    pub fn open(state_dir: &Path, settings: Vec<Settings>, source: Source) -> Sinks {
        let folder = crate::folder(state_dir).join(FOLDER);
        let mut sinks = Sinks {
            state_dir: state_dir.to_owned(),
            folder,
            source,
            sinks: Vec::new(),
            stopped: Vec::new(),
            left: Vec::new(),
        };
        sinks.start(settings.into_iter().map(Stopped::new).collect());
        sinks.open_left();
        sinks
    }

    /// Goes on with other settings: sinks whose settings are the same go on undisturbed. What is returned is as of
    /// [`Sinks::try_again`].
    pub fn reload(&mut self, settings: Vec<Settings>) -> Option<u64> {
        let (same, mut others): (Vec<Sink>, Vec<Sink>) =
            std::mem::take(&mut self.sinks).into_iter().partition(|sink| settings.contains(&sink.settings));
        self.sinks = same;
        others.iter_mut().for_each(Sink::begin_to_stop);
        others.into_iter().for_each(Sink::join);
        self.left.clear();
        let mut stopped = std::mem::take(&mut self.stopped);
        let is_new = |settings: &Settings| !self.sinks.iter().any(|sink| sink.settings == *settings);
        let new = settings.into_iter().filter(is_new).map(|settings| {
            // By its name it is the same spool.
            let known = stopped.iter().position(|stopped| stopped.settings().name == settings.name);
            match known {
                Some(at) => stopped.swap_remove(at).with(settings),
                None => Stopped::new(settings),
            }
        });
        let new = new.collect();
        let behind = self.start(new);
        self.open_left();
        behind
    }

    /// Tries to start what could not be, and lets what is left of other sinks grow old. Returns behind which notice alerts
    /// are to be handed over again, if a sink runs now that did not get them.
    pub fn try_again(&mut self) -> Option<u64> {
        let now = now_unix_ns();
        self.left.iter().for_each(|(_, spool)| spool.expire(now));
        let stopped = std::mem::take(&mut self.stopped);
        self.start(stopped)
    }

    /// What links to alerts begin with, in messages that are handed over from here on.
    pub fn set_link(&mut self, link: Option<String>) {
        self.source.portal = link;
    }

    /// Starts what can be started. Returns the lowest notice that one of them had last: one that could not run, or was not
    /// configured for a while, missed some.
    fn start(&mut self, stopped: Vec<Stopped>) -> Option<u64> {
        let mut behind: Option<u64> = None;
        for stopped in stopped {
            let path = self.folder.join(&stopped.settings().name);
            let made = crate::make_folder(&self.state_dir).map(|_| ());
            let opened = made.and_then(|()| {
                let spool = Spool::open(&path, stopped.settings().limits);
                let started = spool.and_then(|spool| stopped.start(spool, &self.source));
                started.map_err(|error| ServiceError::io(&path, error))
            });
            match opened {
                Ok(sink) => {
                    let mark = sink.spool.mark(Kind::Alert).filter(|_| sink.settings.least_alert().is_some());
                    behind = behind.into_iter().chain(mark.map(|mark| mark.position)).min();
                    self.sinks.push(sink);
                }
                Err(error) => self.stopped.push(stopped.because(&error)),
            }
        }
        behind
    }

    /// Opens what belongs to no sink, so that it grows old there as well. Empty ones are removed; what cannot be opened is
    /// told.
    fn open_left(&mut self) {
        let paths = match self.left_folders() {
            Ok(paths) => paths,
            Err(error) => {
                tracing::error!("{error}; mend that and send SIGHUP");
                return;
            }
        };
        for path in paths {
            if let Err(error) = self.open_one_left(&path) {
                tracing::error!(
                    "{}: {error}; it holds messages for a sink that is not configured: mend or remove the folder",
                    path.display()
                );
            }
        }
    }

    fn open_one_left(&mut self, path: &Path) -> io::Result<()> {
        let spool = Spool::open(path, Limits::default())?;
        spool.expire(now_unix_ns());
        match spool.backlog().waiting {
            0 => fs::remove_dir_all(path),
            waiting => {
                tracing::warn!(
                    "{} holds {waiting} messages for a sink that is not configured; remove the folder, or \
                     configure a sink of this name",
                    path.display()
                );
                self.left.push((path.to_owned(), spool));
                Ok(())
            }
        }
    }

    /// Folders that no sink of the configuration has.
    fn left_folders(&self) -> Result<Vec<PathBuf>, ServiceError> {
        let stopped = self.stopped.iter().map(Stopped::settings);
        let configured: Vec<&str> =
            self.sinks.iter().map(|sink| &sink.settings).chain(stopped).map(|of| &*of.name).collect();
        let is_left = |path: &PathBuf| {
            path.is_dir() && !configured.iter().any(|name| path.file_name() == Some((*name).as_ref()))
        };
        let listed = || match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>(),
        };
        let folders = listed().map_err(|error| ServiceError::io(&self.folder, error))?;
        Ok(folders.into_iter().filter(is_left).collect())
    }

    /// Hands over what became of an alert; one that is held back is sent to nobody. One that was handed over before does
    /// nothing. Never waits for a peer.
    ///
    /// `before` are the notices of the alert that were sent before this, by sequence, and how urgent it was then. What a sink
    /// is the first time told of an alert is told as new, as it may have been held back until now, or not have been urgent
    /// enough, or the sink have been added since; that one is closed of which it never heard is not told.
    pub fn tell_notice(&self, notice: &Notice, before: &[(u64, Severity)]) {
        let origin = Origin { position: notice.sequence, index: 0 };
        if notice.is_held {
            self.sinks.iter().for_each(|sink| sink.spool.pass_over(Kind::Alert, origin));
            return;
        }
        let knows = |sink: &Sink| {
            before.iter().any(|(sequence, severity)| {
                let had_passed = sink.spool.had_passed(*sequence, *severity);
                had_passed.unwrap_or_else(|| sink.settings.wants(Kind::Alert, *severity))
            })
        };
        let is_new_to_some = notice.news == News::Updated && self.sinks.iter().any(|sink| !knows(sink));
        let first = is_new_to_some.then(|| Notice { news: News::New, ..notice.clone() });
        let told = Told::Notice(notice);
        let first = first.as_ref().map(Told::Notice);
        self.tell(&told, Some(origin), |sink| match notice.news {
            News::New => Some(&told),
            _ if knows(sink) => Some(&told),
            News::Updated => first.as_ref(),
            News::Closed => None,
        });
    }

    /// Hands over what became of a connection. `origin` is the position in the journal of what it follows from, and which
    /// of several it is; positions go up.
    pub fn tell_activity(&self, activity: &TunnelActivity, origin: Origin) {
        let told = Told::Activity(activity);
        self.tell(&told, Some(origin), |_| Some(&told));
    }

    /// Hands over how the product is.
    pub fn tell_health(&self, health: &Health) {
        let told = Told::Health(health);
        self.tell(&told, None, |_| Some(&told));
    }

    /// Hands `told` over, to each sink in the words that are for it; it is passed over where there are none.
    fn tell<'t>(
        &self,
        told: &Told<'_>,
        origin: Option<Origin>,
        words_for: impl Fn(&Sink) -> Option<&'t Told<'t>>,
    ) {
        let (kind, severity, now) = (told.kind(), told.severity(), now_unix_ns());
        self.stopped.iter().for_each(|stopped| stopped.miss(kind, told.weight()));
        let mut written: Vec<(Format, &Told<'_>, String)> = Vec::new();
        for sink in &self.sinks {
            let form = sink.settings.format;
            let is_wanted = sink.settings.wants(kind, told.weight());
            let Some(words) = words_for(sink).filter(|_| is_wanted) else {
                if let Some(origin) = origin {
                    sink.spool.pass_over(kind, origin);
                }
                continue;
            };
            let is_written =
                |(other, of, _): &&(Format, &Told<'_>, String)| *other == form && ptr::eq(*of, words);
            if !written.iter().any(|written| is_written(&written)) {
                written.push((form, words, format::write(form, words, &self.source)));
            }
            let Some((.., body)) = written.iter().find(is_written) else { continue };
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

    /// Sinks that were never told anything of this sort are told what comes behind `origin`, also behind a kill, and those
    /// that do not run when they do.
    ///
    /// # Errors
    /// A cursor cannot be written.
    pub fn begin(&mut self, kind: Kind, origin: Origin) -> Result<(), ServiceError> {
        self.stopped.iter_mut().for_each(|stopped| stopped.begin(kind, origin));
        let mut sinks = self.sinks.iter();
        sinks.try_for_each(|sink| {
            let begun = stopped::begin(&sink.settings, &sink.spool, kind, origin);
            begun.map_err(|error| ServiceError::io(&self.folder.join(&sink.settings.name), error))
        })
    }

    /// Takes all messages of a person out of all spools. Returns how many waited. What was sent is with whom it was sent to.
    ///
    /// # Errors
    /// A spool cannot be opened or written anew; it can be tried again.
    pub fn forget(&self, person: &Person) -> Result<u64, ServiceError> {
        let mut forgotten = 0;
        let sinks = self.sinks.iter().map(|sink| (self.folder.join(&sink.settings.name), &*sink.spool));
        let left = self.left.iter().map(|(path, spool)| (path.clone(), spool));
        for (path, spool) in sinks.chain(left) {
            forgotten += spool.forget(person).map_err(|error| ServiceError::io(&path, error))?;
        }
        // Those that could not be opened have messages too.
        let stopped = self.stopped.iter().map(|stopped| self.folder.join(&stopped.settings().name));
        let unopened = self.left_folders()?.into_iter().chain(stopped.filter(|path| path.is_dir()));
        for path in unopened.filter(|path| !self.left.iter().any(|(left, _)| left == path)) {
            let spool = Spool::open(&path, Limits::default()).and_then(|spool| spool.forget(person));
            forgotten += spool.map_err(|error| ServiceError::io(&path, error))?;
        }
        Ok(forgotten)
    }

    /// Whether any sink is for this sort.
    pub fn want(&self, kind: Kind) -> bool {
        let stopped = self.stopped.iter().map(Stopped::settings);
        self.sinks.iter().map(|sink| &sink.settings).chain(stopped).any(|of| of.what.contains(&kind))
    }

    /// How each stands, those that do not run behind the others.
    pub fn standing(&self) -> Vec<Standing> {
        let now = now_unix_ns();
        let running = self.sinks.iter().map(|sink| sink.standing(now));
        running.chain(self.stopped.iter().map(Stopped::standing)).collect()
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
