//! A running sensor: puts journal, ingest, metrics and control together, and takes them apart again.
//!
//! The order is the point. Everything that needs a privilege is opened first, on one thread; then the privileges go;
//! then the threads are made, which so have none. At the end: no more datagrams, commit and answer what is in flight,
//! stop the writer. Called by `cli::run` alone.

pub(crate) mod clients;
mod control;
pub(crate) mod digests;
mod forget;
mod health;
mod listen;
mod log;
mod observe;
mod portal;
mod privileges;
mod refused;
mod secrets_used;
mod sensing;
mod service;
mod settings;
mod specimens;
mod xdp;

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Arc, atomic::Ordering::SeqCst},
    thread,
};

use anyhow::{Context, anyhow};
use crossbeam::channel::bounded;
use ingest::{
    Ingest, IngestOptions,
    capture::SourceError,
    pin::{Topology, interface_node},
    worker::Ack,
};
use journal::{OpenError, Options, Reader, RealStorage, Retention};
use tokio::sync::watch;

use crate::{
    config::{AckWhen, Config, JournalLimits},
    failure::{Exit, Failure},
};
use control::{End, Slow};
pub(crate) use forget::execute_requests;
use observe::Observed;
use secrets_used::SecretsUsed;

/// Health messages that wait for the service's thread, while it is busy: more than stand at once.
const HEALTH_MAX: usize = 1024;

/// Runs a sensor until a signal ends it.
pub fn run(mut config: Config) -> Result<(), Failure> {
    make_state_dir(&config.state_dir)?;
    let secret_path = config.generate_client().map_err(|error| Failure::new(Exit::Host, anyhow!(error)))?;
    if let Some(path) = &secret_path {
        observe::first_request(path, config.listen.addresses.first().map_or(1813, |address| address.port()));
    }
    let snapshot = clients::snapshot(&config.clients).map_err(|error| Failure::new(Exit::Usage, error))?;
    let secrets_used = SecretsUsed::recall(&config.state_dir, &snapshot);

    let journal_dir = config.journal_dir();
    let storage = RealStorage::create(&journal_dir)
        .with_context(|| format!("cannot make the journal in {}", journal_dir.display()))?;
    let opened = journal::open(storage, journal_options(&config)).map_err(explain_journal)?;
    let (mut writer, handle) = (opened.writer, opened.handle);
    tell_recovery(&opened.report);

    let options = ingest_options(&config)?;
    let mut ingest = Ingest::new(snapshot, handle.clone(), &options);
    let reader = Reader::beside(&journal_dir, &handle).context("cannot read the journal")?;
    match ingest.remember(&reader) {
        Ok(requests) => tracing::info!(requests, "the duplicate table is rebuilt"),
        Err(error) => tracing::error!("the duplicate table is rebuilt in part: {error}"),
    }
    drop(reader);

    let listening = listen::open(&config.listen)?;
    let metrics = config.metrics.map(|address| open(address, "metrics")).transpose()?;
    let portal_listener = config.portal.map(|address| open(address, "portal")).transpose()?;
    let mut portal = portal::Portal::open(&config)?;
    let (upkeep, queues) = xdp::open(&config, &ingest.clients().current())?;
    let interfaces = upkeep.interfaces();
    if !config.listen.accounting {
        tracing::warn!("accounting is off: its ports are closed, and some VPN servers then refuse log-ins");
        interfaces.set_armed(false).map_err(|reason| Failure::new(Exit::Failed, anyhow!(reason)))?;
        ingest.set_open(false);
    }
    let dropped = privileges::drop_all().context("cannot drop capabilities")?;
    tracing::info!(capabilities = dropped, "privileges are dropped");

    let topology = Topology::read().context("cannot read which cores there are")?;
    let mut captured: Vec<Box<dyn observe::Captured>> = vec![Box::new(interfaces.clone())];
    let queue_count = queues.len();
    let mut workers = Vec::new();
    for (index, queue) in queues.into_iter().enumerate() {
        let node = interface_node(&queue.interface);
        let core = core_of(&config.listen.cores, &topology, node, index)?;
        workers.extend(core);
        tracing::info!(worker = queue.worker, core, queue = queue.queue, "capturing");
        ingest
            .spawn_worker(&queue.worker, core, queue.source, &mut writer)
            .map_err(|error| Failure::new(Exit::Failed, error))?;
    }
    for (index, listening) in listening.into_iter().enumerate() {
        let core = core_of(&config.listen.cores, &topology, None, queue_count + index)?;
        workers.extend(core);
        let addresses: Vec<String> =
            listening.source.addresses().map(|address| address.to_string()).collect();
        tracing::info!(worker = listening.name, core, "listening on {}", addresses.join(", "));
        captured.push(listening.captured());
        ingest
            .spawn_worker(&listening.name, core, listening.source, &mut writer)
            .map_err(|error| Failure::new(Exit::Failed, error))?;
    }
    let writer = thread::Builder::new().name("journal".into()).spawn(move || writer.run())?;

    // Records are answered whether or not somebody makes sense of them: the service fails alone.
    let (told, to_tell) = bounded(HEALTH_MAX);
    let (stands, standing) = watch::channel(Arc::default());
    let insight = service::Insight::start(&config, &handle, to_tell, standing.clone())?;
    let observed = Observed::new(ingest, handle.clone(), captured, insight.reading(), standing);
    let outlets =
        health::Outlets { sinks: told, standing: stands, places: insight.places(), sensor: insight.sensor() };
    let health = health::Health::start(&config, &observed, outlets)?;
    let (administration, settings::Control { orders, in_force }) =
        settings::Administration::new(&config, &observed);
    if let Some(listener) = portal_listener {
        portal.start(listener, insight.api(&config, administration), topology.beside(&workers))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tracing::info!(state_dir = %config.state_dir.display(), clients = config.clients.len(), "ready");
    let end = runtime.block_on(control::run(
        config,
        &observed,
        metrics,
        upkeep,
        orders,
        Slow {
            insight: &insight,
            health: &health,
            portal: &portal,
            in_force: &in_force,
            secrets_used: &secrets_used,
        },
    ));

    observed.stopping.store(true, SeqCst);
    if let Ok(End::Signal(signal)) = &end {
        tracing::info!("{signal}: taking no more datagrams, committing what is in flight");
    }
    interfaces.disarm();
    let ended = observed.ingest().stop();
    handle.stop();
    let written = writer.join();
    secrets_used.write(&observed.ingest().clients().current());
    portal.stop();
    health.stop();
    insight.stop();
    while let Some(event) = handle.next_event() {
        control::tell_event(&event);
    }
    runtime.shutdown_background();
    let gone = match &end {
        Ok(End::DeviceGone(device)) => Some(device.clone()),
        _ => None,
    };
    let mut result = end.map(|_| ()).map_err(Failure::from);
    for worker in ended {
        if let Err(error) = worker.result {
            tracing::error!(worker = %worker.name, "the worker ended: {error}");
            let exit = if matches!(error, SourceError::DeviceGone) { Exit::DeviceGone } else { Exit::Failed };
            result = Err(Failure::new(exit, error));
        }
    }
    if let Some(device) = gone {
        let error = anyhow!("the network device {device} is gone; what was in flight is recorded");
        return Err(Failure::new(Exit::DeviceGone, error));
    }
    if written.is_err() {
        return Err(anyhow!("the journal's writer panicked").into());
    }
    tracing::info!(watermark = handle.watermark(), "stopped");
    result
}

fn make_state_dir(path: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(path);
    made.map_err(|error| {
        let path = path.display();
        Failure::new(Exit::Host, anyhow!("cannot make the state directory {path}: {error}; set state_dir"))
    })
}

fn journal_options(config: &Config) -> Options {
    let limits = &config.journal;
    let sensor = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Options {
        sensor,
        segment_bytes: limits.segment_bytes,
        batch_bytes: limits.batch_bytes(),
        batch_records: limits.batch_records,
        commit_interval: limits.commit_interval,
        retention: retention(limits),
        ..Options::default()
    }
}

fn retention(limits: &JournalLimits) -> Retention {
    Retention {
        max_bytes: limits.max_bytes.unwrap_or(u64::MAX),
        max_age: limits.max_age,
        free_reserve_bytes: limits.free_reserve_bytes,
        keep_unread: limits.keep_unread,
    }
}

fn ingest_options(config: &Config) -> Result<IngestOptions, Failure> {
    let digests = digests::path(config)?;
    tracing::info!(lanes = digests.name(), "digests");
    Ok(IngestOptions {
        ack: match config.ack {
            AckWhen::Durable => Ack::Durable,
            AckWhen::Received => Ack::Received,
        },
        duplicate_window: config.dedup.window,
        duplicate_entries: config.dedup.entries,
        digests: Some(digests),
        spin: config.listen.spin,
        ..IngestOptions::default()
    })
}

fn explain_journal(error: OpenError) -> Failure {
    let exit = match error {
        OpenError::Options(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::new(exit, error)
}

fn tell_recovery(report: &journal::RecoveryReport) {
    tracing::info!(
        watermark = report.watermark,
        segments = report.segments,
        rescued_records = report.rescued_records,
        torn_bytes = report.torn_bytes,
        "the journal is open"
    );
    for damage in &report.damage {
        tracing::error!(
            segment = damage.segment,
            offset = damage.offset,
            bytes = damage.bytes,
            lost = ?damage.lost,
            quarantine = damage.quarantine,
            "acknowledged data is damaged"
        );
    }
}

fn open(address: std::net::SocketAddr, table: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address} ({table}.address)"))
        .map_err(Failure::from)
}

/// The configured core of a worker, or the one that the host's layout suggests.
fn core_of(
    configured: &[usize],
    topology: &Topology,
    node: Option<usize>,
    index: usize,
) -> Result<Option<usize>, Failure> {
    if configured.is_empty() {
        return Ok(topology.choose(node, index));
    }
    let core = configured[index % configured.len()];
    if !topology.has(core) {
        return Err(Failure::new(Exit::Host, anyhow!("listen.cores: this process may not use core {core}")));
    }
    Ok(Some(core))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::JournalLimits;

    #[test]
    fn the_defaults_of_the_knobs_are_those_of_the_parts() {
        let config = Config::built_in();
        assert_eq!(xsk::Options::of_ring(config.listen.ring), xsk::Options::default());
        assert_eq!(config.listen.spin, ingest::IngestOptions::default().spin);
        let journal = journal::Options::default();
        assert_eq!(config.journal.batch_records, journal.batch_records);
        assert_eq!(config.journal.batch_bytes(), journal.batch_bytes);
        assert_eq!(config.journal.commit_interval, journal.commit_interval);
        let one = JournalLimits { batch_records: 1, ..config.journal };
        assert_eq!(one.batch_bytes(), 8 << 10, "a request of the longest fits");
    }
}
