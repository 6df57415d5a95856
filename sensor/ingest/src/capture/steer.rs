//! The steer program in the kernel: loaded, attached, told what to take, and asked what it saw.
//!
//! One [`Steer`] an interface. It belongs to the control thread; `xsk::ladder` drives it through [`xsk::Program`]
//! while the capture is set up. Loading and attaching need `CAP_BPF` and `CAP_NET_ADMIN`; all else works on open
//! descriptors and goes on after capabilities were dropped (Linux 6.1 or later).

mod error;
mod tables;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    os::fd::{AsRawFd as _, BorrowedFd},
    time::Duration,
};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, HashMap as BpfHashMap, LpmTrie, Map, MapData, MapError, PerCpuArray, XskMap},
    programs::{Xdp, XdpMode, links::FdLink},
};
use ipnet::IpNet;
use sensor_ebpf::{Config, LocalV4, LocalV6, UNKNOWN_SOURCES, Verdict, maps, programs};
use xsk::{Hook, Interface};

pub use self::error::{Owner, SteerError};
use self::error::{attach_error, load_error, verifier_error};

/// Where a one-buffer program is the better choice: drivers with large receive buffers take it up to some 3,500
/// octets, older ones up to 1,500 only.
const ONE_BUFFER_MTU_MAX: u32 = 1500;

/// Sizes and limits, fixed when the program is loaded.
#[derive(Clone, Debug)]
pub struct Options {
    /// Receive queues that may get a socket, from 0.
    pub queues: u32,
    /// Longest frame that fits a UMEM frame, octets: chunk less `XDP_PACKET_HEADROOM` (256) and our own headroom.
    pub frame_length_max: u32,
    /// Shortest time between two samples of unknown sources that are passed up; zero: none is passed up.
    pub sample_interval: Duration,
    /// Client prefixes at most, of each IP version.
    pub prefixes_max: u32,
    /// Pairs of own address and port at most, of each IP version.
    pub endpoints_max: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            queues: 64,
            frame_length_max: 2048 - 256,
            sample_interval: Duration::from_millis(100),
            prefixes_max: 65_536,
            endpoints_max: 4096,
        }
    }
}

/// A source that no client holds, as the program remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSource {
    /// Its address.
    pub address: IpAddr,
    /// Datagrams since it was first remembered; a few may be missing when several queues counted at once.
    pub count: u64,
    /// When the last one came, nanoseconds of `CLOCK_MONOTONIC`.
    pub last_monotonic_ns: u64,
    /// The last one's source port.
    pub last_port: u16,
    /// The port of ours that it was sent to.
    pub our_port: u16,
}

/// The steer program of one interface. Dropping it disarms and detaches the program.
pub struct Steer {
    interface: Interface,
    config: Config,
    /// What keeps the program at its hook.
    link: Option<FdLink>,
    bpf: Ebpf,
    configs: Array<MapData, [u8; Config::LENGTH]>,
    ports: Array<MapData, u64>,
    local_v4: BpfHashMap<MapData, [u8; LocalV4::LENGTH], u32>,
    local_v6: BpfHashMap<MapData, [u8; LocalV6::LENGTH], u32>,
    clients_v4: LpmTrie<MapData, [u8; 4], u32>,
    clients_v6: LpmTrie<MapData, [u8; 16], u32>,
    unknown: BpfHashMap<MapData, [u8; 16], [u8; sensor_ebpf::UnknownSource::LENGTH]>,
    sockets: XskMap<MapData>,
    verdicts: PerCpuArray<MapData, u64>,
    /// What the maps hold.
    endpoints: Vec<SocketAddr>,
    clients: HashMap<IpNet, u32>,
    queues: Vec<u32>,
}

impl Steer {
    /// Loads the program and its maps, attached nowhere, disarmed, knowing no address and no client.
    ///
    /// # Errors
    /// [`SteerError::Privileges`] without `CAP_BPF` and `CAP_NET_ADMIN`, [`SteerError::Load`] when the kernel is too
    /// old or short of memory.
    pub fn load(interface: &Interface, options: &Options) -> Result<Steer, SteerError> {
        let mut bpf = EbpfLoader::new()
            .map_max_entries(maps::XSKS, options.queues.max(1))
            .map_max_entries(maps::CLIENTS_V4, options.prefixes_max)
            .map_max_entries(maps::CLIENTS_V6, options.prefixes_max)
            .map_max_entries(maps::LOCAL_V4, options.endpoints_max)
            .map_max_entries(maps::LOCAL_V6, options.endpoints_max)
            .load(sensor_ebpf::OBJECT)
            .map_err(load_error)?;
        let mut steer = Steer {
            interface: interface.clone(),
            config: Config {
                sample_interval_ns: nanoseconds(options.sample_interval),
                armed: 0,
                frame_length_max: options.frame_length_max,
            },
            link: None,
            configs: take(&mut bpf, maps::CONFIG)?,
            ports: take(&mut bpf, maps::PORTS)?,
            local_v4: take(&mut bpf, maps::LOCAL_V4)?,
            local_v6: take(&mut bpf, maps::LOCAL_V6)?,
            clients_v4: take(&mut bpf, maps::CLIENTS_V4)?,
            clients_v6: take(&mut bpf, maps::CLIENTS_V6)?,
            unknown: take(&mut bpf, maps::UNKNOWN)?,
            sockets: take(&mut bpf, maps::XSKS)?,
            verdicts: take(&mut bpf, maps::VERDICTS)?,
            bpf,
            endpoints: Vec::new(),
            clients: HashMap::new(),
            queues: Vec::new(),
        };
        steer.write_config()?;
        Ok(steer)
    }

    /// Attaches the program by a link of the kernel's, which goes when this process goes, at exactly this hook.
    ///
    /// # Errors
    /// [`SteerError::Occupied`], [`SteerError::Mtu`], [`SteerError::Queues`] and [`SteerError::Unsupported`] say what
    /// stands in the way.
    pub fn attach(&mut self, hook: Hook) -> Result<(), SteerError> {
        self.detach();
        let entry_points = if self.interface.mtu <= ONE_BUFFER_MTU_MAX {
            [programs::STEER, programs::STEER_FRAGS]
        } else {
            [programs::STEER_FRAGS, programs::STEER]
        };
        let mut first_error = None;
        for entry_point in entry_points {
            match self.attach_program(entry_point, hook) {
                Ok(link) => {
                    self.link = Some(link);
                    return Ok(());
                }
                // The other kind of program may suit the driver.
                Err(error @ (SteerError::Mtu { .. } | SteerError::Unsupported { .. })) => {
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or(SteerError::MissingProgram))
    }

    fn attach_program(&mut self, entry_point: &str, hook: Hook) -> Result<FdLink, SteerError> {
        let program: &mut Xdp = self
            .bpf
            .program_mut(entry_point)
            .and_then(|program| program.try_into().ok())
            .ok_or(SteerError::MissingProgram)?;
        if program.fd().is_err() {
            program.load().map_err(verifier_error)?;
        }
        // Never aya's default mode: it would take the slower hook in silence.
        let mode = match hook {
            Hook::Driver => XdpMode::Driver,
            Hook::Skb => XdpMode::Skb,
        };
        let link = program
            .attach_to_if_index(self.interface.index, mode)
            .and_then(|id| program.take_link(id))
            .map_err(|error| attach_error(error, &self.interface, hook))?;
        // Without links the program would outlive us and keep the port; aya undoes that attachment by itself.
        FdLink::try_from(link).map_err(|_| SteerError::NoLink)
    }

    /// Disarms, forgets the sockets, and takes the program off its hook.
    pub fn detach(&mut self) {
        // Whatever fails here: closing the link ends it all the same.
        let _ = self.disarm();
        for queue in std::mem::take(&mut self.queues) {
            let _ = self.sockets.unset(queue);
        }
        self.link = None;
    }

    /// Whether the program is attached.
    pub fn is_attached(&self) -> bool {
        self.link.is_some()
    }

    /// Sends the packets of a queue to this socket once armed. The map keeps no socket open: closing it takes it out.
    ///
    /// # Errors
    /// [`SteerError::Map`] when the queue is beyond [`Options::queues`] or the socket has no receive ring.
    pub fn insert_socket(&mut self, queue: u32, socket: BorrowedFd<'_>) -> Result<(), SteerError> {
        self.sockets.set(queue, socket.as_raw_fd(), 0).map_err(in_map(maps::XSKS))?;
        if !self.queues.contains(&queue) {
            self.queues.push(queue);
        }
        Ok(())
    }

    /// Lets the program act: known clients' datagrams to their queue's socket, unknown sources' to nowhere.
    ///
    /// # Errors
    /// [`SteerError::Map`].
    pub fn arm(&mut self) -> Result<(), SteerError> {
        self.config.armed = 1;
        self.write_config()
    }

    /// Lets everything pass to the kernel's stack, from the next packet on.
    ///
    /// # Errors
    /// [`SteerError::Map`].
    pub fn disarm(&mut self) -> Result<(), SteerError> {
        self.config.armed = 0;
        self.write_config()
    }

    /// Changes how often a sample of unknown sources is passed up; zero: never.
    ///
    /// # Errors
    /// [`SteerError::Map`].
    pub fn set_sample_interval(&mut self, interval: Duration) -> Result<(), SteerError> {
        self.config.sample_interval_ns = nanoseconds(interval);
        self.write_config()
    }

    fn write_config(&mut self) -> Result<(), SteerError> {
        self.configs.set(0, self.config.to_bytes(), 0).map_err(in_map(maps::CONFIG))
    }

    /// The packets of each verdict since the program was loaded, over all CPUs, by the verdict's index.
    ///
    /// # Errors
    /// [`SteerError::Map`].
    pub fn verdicts(&self) -> Result<[u64; Verdict::COUNT], SteerError> {
        let mut counts = [0; Verdict::COUNT];
        for (index, count) in (0..).zip(&mut counts) {
            *count = self.verdicts.get(&index, 0).map_err(in_map(maps::VERDICTS))?.iter().sum();
        }
        Ok(counts)
    }

    /// The unknown sources that the program remembers, in no order: at most [`UNKNOWN_SOURCES`].
    ///
    /// # Errors
    /// [`SteerError::Map`].
    pub fn unknown_sources(&self) -> Result<Vec<UnknownSource>, SteerError> {
        let mut sources: HashMap<[u8; 16], UnknownSource> = HashMap::new();
        // The map changes while it is read, and a walk over it starts anew when its place vanished: bounded.
        for key in self.unknown.keys().take(2 * UNKNOWN_SOURCES as usize) {
            let key = match key {
                Ok(key) => key,
                Err(MapError::KeyNotFound) => break,
                Err(error) => return Err(in_map(maps::UNKNOWN)(error)),
            };
            let value = match self.unknown.get(&key, 0) {
                Ok(value) => sensor_ebpf::UnknownSource::from_bytes(&value),
                // It was the least recently seen, and left meanwhile.
                Err(MapError::KeyNotFound) => continue,
                Err(error) => return Err(in_map(maps::UNKNOWN)(error)),
            };
            let source = UnknownSource {
                address: Ipv6Addr::from(key).to_canonical(),
                count: value.count,
                last_monotonic_ns: value.last_ns,
                last_port: u16::from_be_bytes(value.last_port),
                our_port: u16::from_be_bytes(value.our_port),
            };
            sources.insert(key, source);
        }
        Ok(sources.into_values().collect())
    }
}

impl Drop for Steer {
    fn drop(&mut self) {
        self.detach();
    }
}

impl xsk::Program for Steer {
    type Error = SteerError;

    fn attach(&mut self, interface: &Interface, hook: Hook) -> Result<(), SteerError> {
        self.interface = interface.clone();
        Steer::attach(self, hook)
    }

    fn insert(&mut self, queue: u32, socket: BorrowedFd<'_>) -> Result<(), SteerError> {
        self.insert_socket(queue, socket)
    }

    fn arm(&mut self) -> Result<(), SteerError> {
        Steer::arm(self)
    }

    fn detach(&mut self) {
        Steer::detach(self);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn take<M>(bpf: &mut Ebpf, name: &'static str) -> Result<M, SteerError>
where
    M: TryFrom<Map, Error = MapError>,
{
    let map = bpf.take_map(name).ok_or(SteerError::MissingMap { map: name })?;
    M::try_from(map).map_err(in_map(name))
}

/// Says which map an error came from.
fn in_map(map: &'static str) -> impl Fn(MapError) -> SteerError {
    move |error| {
        let errno = match &error {
            MapError::SyscallError(error) => error.io_error.raw_os_error(),
            MapError::IoError(error) => error.raw_os_error(),
            _ => None,
        };
        match errno {
            Some(libc::EPERM | libc::EACCES) => SteerError::Privileges { operation: "access to a BPF map" },
            // ENOSPC from tries, E2BIG from hashes.
            Some(libc::ENOSPC | libc::E2BIG) => SteerError::Full { map },
            Some(errno) => SteerError::Map { map, error: io::Error::from_raw_os_error(errno) },
            None => SteerError::Map { map, error: io::Error::other(error.to_string()) },
        }
    }
}
