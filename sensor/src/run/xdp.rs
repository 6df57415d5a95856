//! XDP in a running sensor: which interfaces, which rung of the ladder, and the steer programs' upkeep.
//!
//! [`open`] needs privileges and comes before they are dropped; all else works without. What XDP cannot take stays on
//! the kernel's path, whose workers always run.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use ingest::{
    capture::{
        netlink::{self, Event, Watch},
        steer::{Options, Steer},
        xdp::{XdpCounters, XdpSource},
    },
    clients::Clients,
};
use sensor_ebpf::Verdict;
use xsk::{KernelRelease, Mode, Plan, RungOutcome};

use super::observe::Captured;
use crate::{
    config::{Config, XdpMode},
    failure::{Exit, Failure},
    host::{Choice, choose, host_interfaces},
    metrics::{CaptureMode, FrameReading, KernelDrops, RefusedMode, SteerReading},
};

/// A source in the kernel that goes on sending gets a line a minute.
const UNKNOWN_LINE_INTERVAL: Duration = Duration::from_secs(60);

/// New lines about unknown sources a look, so that a flood of spoofed sources fills no log.
const UNKNOWN_LINES_PER_LOOK: usize = 4;

/// A queue's source, to be given to its worker.
pub(super) struct Queue {
    pub(super) worker: String,
    pub(super) interface: String,
    pub(super) queue: usize,
    pub(super) source: XdpSource,
}

/// What the exporter reads of one queue.
struct QueueCounters {
    queue: String,
    counters: Arc<XdpCounters>,
}

/// An interface with its steer program in force.
struct Covered {
    name: String,
    index: u32,
    mode: Mode,
    steer: Mutex<Steer>,
    queues: Vec<QueueCounters>,
}

impl Covered {
    fn steer(&self) -> MutexGuard<'_, Steer> {
        // Its maps are whole at every moment, whoever panicked.
        self.steer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All interfaces that XDP covers. Shared by the exporter and the control loop, never touched by a worker.
pub(super) struct Interfaces {
    covered: Vec<Covered>,
    refused: Vec<RefusedMode>,
}

/// What the control loop looks after.
pub(super) struct Upkeep {
    interfaces: Arc<Interfaces>,
    watch: Watch,
    listening: Vec<SocketAddr>,
    told: HashMap<IpAddr, (u64, Instant)>,
}

/// Opens every interface that XDP is to cover. Without `listen.xdp = "auto"`, one that no rung serves is an error.
pub(super) fn open(config: &Config, clients: &Clients) -> Result<(Upkeep, Vec<Queue>), Failure> {
    let mut watch = Watch::open().context("cannot watch network devices")?;
    let mut interfaces = Vec::new();
    let mut refused = Vec::new();
    let mut queues = Vec::new();
    let modes: &[Mode] = match config.listen.xdp {
        XdpMode::Auto => &Mode::ALL,
        XdpMode::Native => &[Mode::NativeZeroCopy, Mode::NativeCopy],
        XdpMode::Skb => &[Mode::SkbCopy],
        XdpMode::Off => &[],
    };
    let choices = if modes.is_empty() {
        // None is looked at.
        refused.push(not_at_all(String::new(), "listen.xdp is off".to_owned()));
        Vec::new()
    } else {
        choose(config, &host_interfaces(&mut watch).context("cannot list network interfaces")?)
    };
    for (name, choice) in choices {
        match choice {
            Choice::Covered => match cover(&name, config, clients, modes, &mut watch, &mut refused) {
                Ok((covered, mut sources)) => {
                    interfaces.push(covered);
                    queues.append(&mut sources);
                }
                Err(error) if config.listen.xdp == XdpMode::Auto => {
                    tracing::warn!(interface = name, "XDP does not cover it, kernel UDP does: {error:#}");
                    // Where rungs were tried each of them has said why.
                    if refused.iter().all(|one: &RefusedMode| one.interface != name) {
                        refused.push(not_at_all(name, format!("{error:#}")));
                    }
                }
                Err(error) => return Err(Failure::new(Exit::Host, error)),
            },
            Choice::Left(reason) if config.listen.interfaces.contains(&name) => {
                return Err(Failure::new(Exit::Usage, anyhow!("listen.interfaces: {name}: {reason}")));
            }
            Choice::Left(reason) => {
                tracing::info!(interface = name, "kernel UDP: {reason}");
                refused.push(not_at_all(name, reason.to_owned()));
            }
            Choice::Aside(reason) => tracing::info!(interface = name, "kernel UDP: {reason}"),
        }
    }
    let upkeep = Upkeep {
        interfaces: Arc::new(Interfaces { covered: interfaces, refused }),
        watch,
        listening: config.listen.addresses.clone(),
        told: HashMap::new(),
    };
    Ok((upkeep, queues))
}

fn cover(
    name: &str,
    config: &Config,
    clients: &Clients,
    modes: &[Mode],
    watch: &mut Watch,
    refused: &mut Vec<RefusedMode>,
) -> anyhow::Result<(Covered, Vec<Queue>)> {
    let release = KernelRelease::running().context("cannot tell the kernel's release")?;
    if release < KernelRelease::OLDEST_FOR_XDP {
        return Err(anyhow!("Linux {release} is too old: XDP needs {}", KernelRelease::OLDEST_FOR_XDP));
    }
    let nic = xsk::Interface::query(name)?;
    let mut steer = Steer::load(&nic, &Options { queues: nic.max_rx_queues, ..Options::default() })?;
    let addresses = watch.addresses().context("cannot list addresses")?;
    steer.set_endpoints(netlink::endpoints(&config.listen.addresses, &addresses, nic.index))?;
    steer.set_clients(prefixes(clients))?;
    let plan =
        Plan { modes, options: xsk::Options::of_ring(config.listen.ring), release, force_copy_mode: false };
    let opened = xsk::ladder::open(&nic, &mut steer, &plan)
        .inspect_err(|no_rung| tell_rungs(name, &no_rung.rungs, refused))?;
    tell_rungs(name, &opened.rungs, refused);
    let mode = opened.mode;
    tracing::info!(interface = name, mode = mode.name(), queues = opened.sockets.len(), "captured by XDP");
    let queues: Vec<Queue> = opened
        .sockets
        .into_iter()
        .enumerate()
        .map(|(queue, socket)| Queue {
            worker: format!("{name}-{queue}"),
            interface: name.to_owned(),
            queue,
            source: XdpSource::new(socket),
        })
        .collect();
    let counters = queues
        .iter()
        .map(|queue| QueueCounters { queue: queue.queue.to_string(), counters: queue.source.counters() })
        .collect();
    let steer = Mutex::new(steer);
    Ok((Covered { name: name.to_owned(), index: nic.index, mode, steer, queues: counters }, queues))
}

/// Why XDP has nothing of an interface; an empty name: of any.
fn not_at_all(interface: String, reason: String) -> RefusedMode {
    RefusedMode { interface, mode: "xdp", reason }
}

/// Logs and keeps why a rung was not taken.
fn tell_rungs(interface: &str, rungs: &[RungOutcome], refused: &mut Vec<RefusedMode>) {
    for rung in rungs {
        if let Err(refusal) = &rung.result {
            tracing::info!(interface, mode = rung.mode.name(), "not taken: {refusal}");
            let reason = refusal.to_string();
            refused.push(RefusedMode { interface: interface.to_owned(), mode: rung.mode.name(), reason });
        }
    }
}

fn prefixes(clients: &Clients) -> impl Iterator<Item = (ipnet::IpNet, u32)> + '_ {
    clients.prefixes().map(|(prefix, index)| (prefix, index.get() as u32))
}

impl Interfaces {
    /// Sends everything to the kernel's path from the next packet on: the first step of a stop.
    pub(super) fn disarm(&self) {
        for covered in &self.covered {
            if let Err(error) = covered.steer().disarm() {
                tracing::error!(interface = covered.name, "cannot disarm the steer program: {error}");
            }
        }
    }

    /// Takes from the next packet on, or lets everything pass to the kernel's path. Behind an error some interfaces do, and
    /// some do not.
    pub(super) fn set_armed(&self, armed: bool) -> Result<(), String> {
        for covered in &self.covered {
            let mut steer = covered.steer();
            let result = if armed { steer.arm() } else { steer.disarm() };
            result.map_err(|error| format!("{}: the steer program: {error}", covered.name))?;
        }
        Ok(())
    }

    /// Lets the steer programs know of other clients. Workers know them already. Behind an error some interfaces know the
    /// new ones, the others those before.
    pub(super) fn set_clients(&self, clients: &Clients) -> Result<(), String> {
        for covered in &self.covered {
            let result = covered.steer().set_clients(prefixes(clients));
            result.map_err(|error| format!("{}: the steer program's clients: {error}", covered.name))?;
        }
        Ok(())
    }
}

impl Upkeep {
    pub(super) fn interfaces(&self) -> Arc<Interfaces> {
        Arc::clone(&self.interfaces)
    }

    /// Follows changes of addresses. Returns the name of a covered device that is gone.
    pub(super) fn follow(&mut self) -> io::Result<Option<String>> {
        let events = self.watch.events()?;
        let mut addresses_changed = false;
        for event in events {
            match event {
                Event::LinkRemoved { index, name } => {
                    if self.interfaces.covered.iter().any(|covered| covered.index == index) {
                        return Ok(Some(name));
                    }
                }
                Event::AddressAdded(_) | Event::AddressRemoved(_) => addresses_changed = true,
                Event::Overrun => {
                    addresses_changed = true;
                    let links = self.watch.links()?;
                    let gone = |covered: &&Covered| !links.iter().any(|link| link.index == covered.index);
                    if let Some(covered) = self.interfaces.covered.iter().find(gone) {
                        return Ok(Some(covered.name.clone()));
                    }
                }
                Event::Link(_) => {}
            }
        }
        if addresses_changed && !self.interfaces.covered.is_empty() {
            let addresses = self.watch.addresses()?;
            for covered in &self.interfaces.covered {
                let endpoints = netlink::endpoints(&self.listening, &addresses, covered.index);
                if let Err(error) = covered.steer().set_endpoints(endpoints) {
                    tracing::error!(interface = covered.name, "the steer program's addresses: {error}");
                }
            }
        }
        Ok(None)
    }

    /// Tells of sources that the steer programs refuse, and returns what they have counted of each. Called once a
    /// second.
    pub(super) fn tell_unknown(&mut self, now: Instant) -> HashMap<IpAddr, u64> {
        let mut lines = 0;
        let mut current = HashMap::new();
        let mut counts = HashMap::new();
        for covered in &self.interfaces.covered {
            let sources = match covered.steer().unknown_sources() {
                Ok(sources) => sources,
                Err(error) => {
                    tracing::error!(interface = covered.name, "the unknown sources cannot be read: {error}");
                    continue;
                }
            };
            for source in sources {
                *counts.entry(source.address).or_default() += source.count;
                let before = self.told.get(&source.address).copied();
                let due = before.is_none_or(|(count, at)| {
                    source.count != count && now.duration_since(at) >= UNKNOWN_LINE_INTERVAL
                });
                if due && lines < UNKNOWN_LINES_PER_LOOK {
                    lines += 1;
                    tracing::warn!(
                        interface = covered.name,
                        source = %source.address,
                        port = source.our_port,
                        datagrams = source.count,
                        "refused by the steer program: no client holds this source; if it is a VPN server of yours, add its address to a [[client]]"
                    );
                    current.insert(source.address, (source.count, now));
                } else if let Some(before) = before {
                    current.insert(source.address, before);
                }
            }
        }
        // As many as the programs remember, 1,024 each, and no more.
        self.told = current;
        counts
    }
}

impl Captured for Arc<Interfaces> {
    fn modes(&self) -> Vec<CaptureMode> {
        self.each(|covered, queue| {
            vec![CaptureMode {
                interface: covered.name.clone(),
                queue: queue.queue.clone(),
                mode: covered.mode.name().to_owned(),
            }]
        })
    }

    fn refused(&self) -> Vec<RefusedMode> {
        self.refused.clone()
    }

    fn drops(&self) -> Vec<KernelDrops> {
        use std::sync::atomic::Ordering::Relaxed;
        self.each(|covered, queue| {
            let counters = &queue.counters;
            [
                ("rx_dropped", &counters.kernel_rx_dropped),
                ("rx_ring_full", &counters.kernel_rx_ring_full),
                ("rx_fill_ring_empty", &counters.kernel_rx_fill_ring_empty),
                ("invalid_descriptors", &counters.kernel_invalid_descriptors),
            ]
            .map(|(reason, count)| KernelDrops {
                interface: covered.name.clone(),
                queue: queue.queue.clone(),
                reason,
                datagrams: count.load(Relaxed),
            })
            .into()
        })
    }

    fn frames(&self) -> Vec<FrameReading> {
        self.each(|covered, queue| {
            queue
                .counters
                .frames()
                .map(|(state, frames)| FrameReading {
                    interface: covered.name.clone(),
                    queue: queue.queue.clone(),
                    state,
                    frames,
                })
                .into()
        })
    }

    fn steer(&self) -> Option<SteerReading> {
        if self.covered.is_empty() {
            return None;
        }
        let mut sums = [0; Verdict::COUNT];
        for covered in &self.covered {
            if let Ok(counts) = covered.steer().verdicts() {
                for (sum, count) in sums.iter_mut().zip(counts) {
                    *sum += count;
                }
            }
        }
        let outcomes =
            Verdict::ALL.iter().zip(sums).map(|(verdict, count)| (verdict.name(), count)).collect();
        Some(SteerReading { outcomes, unknown_dropped: sums[Verdict::UnknownClient as usize] })
    }
}

impl Interfaces {
    fn each<T>(&self, mut read: impl FnMut(&Covered, &QueueCounters) -> Vec<T>) -> Vec<T> {
        self.covered
            .iter()
            .flat_map(|covered| covered.queues.iter().map(move |queue| (covered, queue)))
            .flat_map(|(covered, queue)| read(covered, queue))
            .collect()
    }
}
