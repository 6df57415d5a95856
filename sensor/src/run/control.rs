//! The control loop: signals, reload, log lines, the workers' and the journal's health. On the main thread, over one
//! small runtime that also serves metrics.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::Ordering::{Relaxed, SeqCst},
    },
    time::{Duration, Instant, SystemTime},
};

use ingest::{capture::udp::RECEIVE_BUFFER, clients::Clients, notice::Notices};
use journal::Event;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};

use super::{
    clients,
    health::Health,
    log::NoticeLog,
    observe::Observed,
    portal::Portal,
    secrets_used::{self, SecretsUsed},
    service::Insight,
    settings::{InForce, Order},
    xdp::{Interfaces, Upkeep},
};
use crate::{
    config::{self, Config},
    metrics,
};

/// How often notices and events are turned into log lines.
const TICK: Duration = Duration::from_millis(100);

/// Ports that stay closed for so long although accounting is on are told of, and again after each such time.
const CLOSED_LINE_AFTER: Duration = Duration::from_secs(10);

/// Notices taken per tick; the queue holds no more.
const NOTICES_PER_TICK: usize = 1024;

/// Why the loop ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody asked for it.
    Signal(&'static str),
    /// A worker's thread has ended by itself.
    WorkerEnded,
    /// A network device that XDP covers was removed.
    DeviceGone(String),
}

/// The threads behind the workers.
#[derive(Clone, Copy)]
pub(super) struct Slow<'a> {
    /// Makes sense of records.
    pub(super) insight: &'a Insight,
    /// Says what keeps the sensor from its work.
    pub(super) health: &'a Health,
    /// Shows it to people.
    pub(super) portal: &'a Portal,
    /// Tells the portal what it can set, and is in force.
    pub(super) in_force: &'a watch::Sender<InForce>,
    /// Keeps when secrets were last used.
    pub(super) secrets_used: &'a SecretsUsed,
}

/// Runs until the sensor is to stop.
pub(super) async fn run(
    mut config: Config,
    observed: &Arc<Observed>,
    metrics: Option<TcpListener>,
    mut upkeep: Upkeep,
    mut orders: mpsc::Receiver<Order>,
    slow: Slow<'_>,
) -> anyhow::Result<End> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    if let Some(listener) = metrics {
        let (listener, service) = (for_tokio(listener)?, observed.clone());
        tokio::spawn(async move {
            if let Err(error) = metrics::serve(listener, service).await {
                tracing::error!("metrics are served no more: {error}");
            }
        });
    }
    let notices = observed.ingest().notices().clone();
    let mut log = NoticeLog::default();
    let interfaces = upkeep.interfaces();
    let mut ticks = interval(TICK);
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut secrets_used = interval(secrets_used::EVERY);
    secrets_used.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut evicted = 0;
    let (mut closed_since, mut is_short_told) = (None, false);
    let end = loop {
        tokio::select! {
            _ = terminate.recv() => break End::Signal("SIGTERM"),
            _ = interrupt.recv() => break End::Signal("SIGINT"),
            Some(()) = received(&mut hangup) => {
                drop(reload(&mut config, Again::File, observed, &interfaces, slow));
            }
            Some(order) = orders.recv() => {
                // Who went away finds it in force.
                drop(order.answer.send(reload(&mut config, Again::Document, observed, &interfaces, slow)));
            }
            _ = seconds.tick() => {
                tell_closed(observed, &mut closed_since);
                tell_short_buffers(observed, &mut is_short_told);
                let counts = upkeep.tell_unknown(Instant::now());
                observed.refused_sources().note_steered(counts, SystemTime::now());
                let now_evicted = observed.ingest().duplicates().evicted();
                tell_evicted(now_evicted - evicted, config.dedup.entries);
                evicted = now_evicted;
            }
            _ = secrets_used.tick() => {
                // The disk may take its time.
                let (file, clients) = (slow.secrets_used.clone(), observed.ingest().clients().current());
                drop(tokio::task::spawn_blocking(move || file.write(&clients)));
            }
            _ = ticks.tick() => {
                tell(&notices, &mut log, observed);
                match upkeep.follow() {
                    Ok(Some(device)) => break End::DeviceGone(device),
                    Ok(None) => {}
                    Err(error) => tracing::error!("network devices cannot be watched: {error}"),
                }
                if observed.ingest().any_ended() {
                    break End::WorkerEnded;
                }
            }
        }
    };
    tell(&notices, &mut log, observed);
    Ok(end)
}

fn for_tokio(listener: TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

async fn received(signal: &mut Signal) -> Option<()> {
    signal.recv().await
}

/// Says that the duplicate table gave up entries before their time: their retransmissions would be recorded again.
fn tell_evicted(entries: u64, configured: usize) {
    if entries > 0 {
        tracing::warn!(
            entries,
            "the duplicate table was full and forgot requests before their time; raise dedup.entries (now {configured})"
        );
    }
}

/// Says that ports cannot be opened again: another program took them meanwhile, or only a start may.
fn tell_closed(observed: &Observed, since: &mut Option<Instant>) {
    let ingest = observed.ingest();
    let Some(because) = ingest.closed_because() else {
        *since = None;
        return;
    };
    if since.get_or_insert_with(Instant::now).elapsed() >= CLOSED_LINE_AFTER {
        *since = Some(Instant::now());
        tracing::error!(
            "accounting is on and its ports cannot be opened: {because}; `ss -ulpn` shows which program has them, and ports \
             below 1024 are opened at a start alone: restart the sensor"
        );
    }
}

/// Says once that the kernel keeps fewer datagrams for a busy worker than it was asked to: without CAP_NET_ADMIN, which is
/// gone when ports are opened again, `net.core.rmem_max` bounds them.
fn tell_short_buffers(observed: &Observed, is_told: &mut bool) {
    let least = observed.captured.iter().filter_map(|captured| captured.receive_buffer()).min();
    let short = least.filter(|granted| *granted < RECEIVE_BUFFER as u64);
    if let Some(granted) = short.filter(|_| !*is_told) {
        *is_told = true;
        tracing::warn!(
            granted,
            wanted = RECEIVE_BUFFER,
            "UDP sockets have smaller receive buffers than they want and lose more in a burst; set net.core.rmem_max to \
             {RECEIVE_BUFFER} and restart the sensor"
        );
    }
}

/// Turns what workers and journal have to say into log lines.
fn tell(notices: &Notices, log: &mut NoticeLog, observed: &Observed) {
    let (now, today) = (Instant::now(), SystemTime::now());
    let proofs = observed.ingest().proofs().clone();
    let mut refused = observed.refused_sources();
    // Before the notices: what came last of both is not known, and who is wrong still is wrong until the next one verifies.
    std::iter::from_fn(|| proofs.next()).take(NOTICES_PER_TICK).for_each(|source| refused.prove(source));
    for notice in std::iter::from_fn(|| notices.next()).take(NOTICES_PER_TICK) {
        log.tell(&notice, now);
        refused.note(&notice, today);
    }
    proofs.watch(refused.unproved(today));
    drop(refused);
    let ingest = observed.ingest();
    let (specimens, clients) = (ingest.specimens().clone(), ingest.clients().current());
    drop(ingest);
    observed.specimens().take(&specimens, &clients, today);
    observed.notices_suppressed.store(log.suppressed(), Relaxed);
    while let Some(event) = observed.journal.next_event() {
        tell_event(&event);
    }
}

/// One log line about the journal.
pub(super) fn tell_event(event: &Event) {
    match event {
        Event::Failing { reason } => {
            tracing::error!("the journal cannot record, so nothing new is answered: {reason}");
        }
        Event::Recovered { after } => {
            tracing::info!("the journal records again after {:.1} s", after.as_secs_f64());
        }
        Event::Removed { segment, first, last, bytes, unread: true, cause } => tracing::warn!(
            segment,
            first,
            last,
            bytes,
            cause,
            "retention removed records that a reader had not come to"
        ),
        Event::Removed { segment, first, last, bytes, unread: false, cause } => {
            tracing::info!(segment, first, last, bytes, cause, "retention removed a segment");
        }
        Event::NotRemoved { segment, reason } => {
            tracing::error!(segment, "retention cannot remove a segment: {reason}");
        }
        other => tracing::warn!("the journal: {other:?}"),
    }
}

/// What is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// All of the configuration, with what the file names: somebody sent a SIGHUP.
    File,
    /// What was set in the portal, over the file as it was last taken: what stands in that by now is not what was asked for,
    /// and whoever asked is told of a mistake herself.
    Document,
}

/// Reads the configuration again. Clients change at once; what only a restart takes is named and stays as it was; a
/// file with a mistake changes nothing.
fn reload(
    config: &mut Config,
    again: Again,
    observed: &Observed,
    interfaces: &Interfaces,
    slow: Slow<'_>,
) -> Result<Vec<&'static str>, String> {
    let result = try_reload(config, again, observed, interfaces, slow);
    if again == Again::File {
        observed.last_reload_good.store(result.is_ok(), Relaxed);
    }
    match &result {
        Ok(restart) if restart.is_empty() => {
            observed.restart_needed.store(false, SeqCst);
            observed.reloads_good.fetch_add(1, Relaxed);
            tracing::info!(clients = config.clients.len(), "the configuration is in force");
        }
        Ok(restart) => {
            observed.restart_needed.store(true, SeqCst);
            observed.reloads_good.fetch_add(1, Relaxed);
            let keys = restart.join(", ");
            tracing::warn!(
                clients = config.clients.len(),
                "the clients are in force; restart needed for {keys}"
            );
        }
        Err(reason) => {
            observed.reloads_refused.fetch_add(1, Relaxed);
            tracing::error!("the new configuration is refused, the one before stays in force: {reason}");
        }
    }
    result
}

/// All of the new configuration that needs no restart is in force afterwards, or, behind an error, none of it.
fn try_reload(
    config: &mut Config,
    again: Again,
    observed: &Observed,
    interfaces: &Interfaces,
    slow: Slow<'_>,
) -> Result<Vec<&'static str>, String> {
    let new = match again {
        Again::File => config::load_over(config.path.as_deref(), Some(&config.state_dir)),
        Again::Document => {
            let in_force = Arc::clone(&slow.in_force.borrow().config);
            in_force.with_new_document(&config.state_dir)
        }
    };
    let mut new = new.map_err(|error| error.to_string())?;
    for warning in &new.warnings {
        tracing::warn!("{warning}");
    }
    let restart = config.needs_restart(&new);
    // What needs a restart stays as it was, the place of a generated secret included.
    new.state_dir = config.state_dir.clone();
    new.generate_client()?;
    let snapshot = clients::snapshot(&new.clients).map_err(|error| error.to_string())?;
    let certificate = match again {
        Again::File => slow.portal.read_again(&new)?,
        Again::Document => None,
    };
    steer(observed, interfaces, snapshot, (config.listen.accounting, new.listen.accounting))?;
    // Nothing fails from here on.
    slow.insight.reload(&new);
    slow.health.reload(&new.health);
    observed.journal.set_retention(super::retention(&new.journal));
    if new.listen.accounting != config.listen.accounting {
        observed.ingest().set_open(new.listen.accounting);
        let state = if new.listen.accounting { "on" } else { "off: its ports are closed" };
        tracing::warn!("accounting is {state}");
    }
    config.listen.accounting = new.listen.accounting;
    slow.portal.renew(certificate);
    config.clients.clone_from(&new.clients);
    slow.in_force.send_replace(InForce { config: Arc::new(new), restart: restart.clone() });
    Ok(restart)
}

/// Lets workers and steer programs know of other clients, and of whether accounting is on; what was in force before is so
/// again behind an error.
fn steer(
    observed: &Observed,
    interfaces: &Interfaces,
    clients: Clients,
    (was_on, is_on): (bool, bool),
) -> Result<(), String> {
    let before = observed.ingest().clients().current();
    // Workers first: whom the steer program lets through, a worker must know.
    observed.ingest().clients().replace(clients);
    let current = observed.ingest().clients().current();
    let steered = interfaces.set_clients(&current).and_then(|()| match was_on == is_on {
        true => Ok(()),
        false => interfaces.set_armed(is_on),
    });
    let Err(reason) = steered else { return Ok(()) };
    let undone = [interfaces.set_clients(&before), interfaces.set_armed(was_on)];
    for error in undone.into_iter().filter_map(Result::err) {
        tracing::error!(
            "the steer programs hold some of a configuration that was refused: {error}; restart the sensor"
        );
    }
    observed.ingest().clients().restore(before);
    Err(reason)
}
