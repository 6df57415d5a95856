//! A sink that does not run: its spool cannot be opened, or its thread not be started. What it does not get meanwhile is not
//! forgotten: alerts are handed over again from the store when it runs, all else is counted as lost.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    format::{Kind, Source},
    sink::{Settings, Sink, Standing},
    spool::{Origin, Spool},
};
use crate::{ServiceError, alert::Severity};

/// A sink before it runs.
#[derive(Debug)]
pub(super) struct Stopped {
    settings: Settings,
    /// Why it could not be started the last time, and what to do; none: it was not tried.
    reason: Option<String>,
    /// What comes behind is for it, should it never have been told anything of the sort.
    begun: Vec<(Kind, Origin)>,
    /// Messages that it wanted and that are nowhere else.
    missed: AtomicU64,
}

impl Stopped {
    pub(super) fn new(settings: Settings) -> Stopped {
        Stopped { settings, reason: None, begun: Vec::new(), missed: AtomicU64::new(0) }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same with other settings.
    pub(super) fn with(self, settings: Settings) -> Stopped {
        Stopped { settings, ..self }
    }

    /// Whether it should have run before.
    fn was_tried(&self) -> bool {
        self.reason.is_some()
    }

    /// It cannot be started.
    pub(super) fn because(self, error: &ServiceError) -> Stopped {
        let reason = format!("{error}; mend that: it is tried again by itself, and at SIGHUP");
        if self.reason.as_ref() != Some(&reason) {
            tracing::error!("sink {:?} does not run: {reason}", self.settings.name);
        }
        Stopped { reason: Some(reason), ..self }
    }

    /// See [`super::Sinks::begin`].
    pub(super) fn begin(&mut self, kind: Kind, origin: Origin) {
        if !self.begun.iter().any(|(begun, _)| *begun == kind) {
            self.begun.push((kind, origin));
        }
    }

    /// A message of this sort and weight was handed over.
    pub(super) fn miss(&self, kind: Kind, weight: Severity) {
        if kind != Kind::Alert && self.settings.wants(kind, weight) {
            self.missed.fetch_add(1, Relaxed);
        }
    }

    /// Starts it over an opened spool.
    pub(super) fn start(&self, spool: Spool, source: &Source) -> io::Result<Sink> {
        for (kind, origin) in &self.begun {
            begin(&self.settings, &spool, *kind, *origin)?;
        }
        let sink = Sink::start(self.settings.clone(), spool, source)?;
        sink.spool.lose(self.missed.load(Relaxed));
        if self.was_tried() {
            tracing::info!("sink {:?} runs", self.settings.name);
        }
        Ok(sink)
    }

    /// How it stands.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            name: self.settings.name.clone(),
            kind: self.settings.target.name(),
            is_up: false,
            sent: 0,
            failures: 0,
            waiting: 0,
            lost: self.missed.load(Relaxed),
            refused: 0,
            recipients_refused: None,
            stopped: self.reason.clone(),
            last_error: self.reason.clone(),
            behind_seconds: 0.0,
            spool_bytes: 0,
        }
    }
}

/// What comes behind `origin` is for a sink that was never told anything of the sort.
pub(super) fn begin(settings: &Settings, spool: &Spool, kind: Kind, origin: Origin) -> io::Result<()> {
    match kind {
        Kind::Alert => spool.filter_alerts(origin, settings.least_alert()),
        Kind::Connection | Kind::Health => spool.begin(kind, origin),
    }
}
