//! The servers that are measured side by side, each started on the server's end of the wire and processor: the sensor
//! on either path, a bare echo, and FreeRADIUS with and without its `detail` writer.

mod freeradius;

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use end_to_end::{
    config::{Config, METRICS, PORT, SECRET},
    metrics::Metrics,
    sensor::{self, Home},
    wire::SENSOR_V4,
};

use crate::{load::mmsg::Batch, machine, measure::Measurement, place::Place};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// The secret of all clients, on all servers.
pub const SHARED_SECRET: &str = SECRET;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `recvmmsg` and `sendmmsg`, nothing else: what a UDP server costs at least.
    Echo,
    /// The sensor through the kernel's UDP sockets.
    SensorUdp,
    /// The sensor through XDP.
    SensorXdp,
    /// FreeRADIUS that writes nothing.
    FreeRadius,
    /// FreeRADIUS with its `detail` module, which never syncs.
    FreeRadiusDetail,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] =
        [Kind::Echo, Kind::SensorUdp, Kind::SensorXdp, Kind::FreeRadius, Kind::FreeRadiusDetail];

    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Echo => "echo",
            Kind::SensorUdp => "udp",
            Kind::SensorXdp => "xdp",
            Kind::FreeRadius => "freeradius",
            Kind::FreeRadiusDetail => "freeradius-detail",
        }
    }

    /// What is missing on this host to run it.
    pub fn missing(self) -> Option<&'static str> {
        match self {
            Kind::FreeRadius | Kind::FreeRadiusDetail if !freeradius::is_installed() => {
                Some("freeradius is not installed: apt-get install freeradius")
            }
            Kind::SensorXdp if !crate::place::has_af_xdp() => {
                Some("this kernel has no AF_XDP: it needs CONFIG_XDP_SOCKETS")
            }
            _ => None,
        }
    }

    /// Whether it can be measured; if not, says that it is missing in `case` of `bench`, and why.
    pub fn can_run(self, bench: &str, case: &str) -> bool {
        let missing = self.missing().map(|why| Measurement::missing(bench, case, self.name(), why));
        if let Some(missing) = &missing {
            missing.report();
        }
        missing.is_none()
    }
}

/// Choices for the sensor.
#[derive(Clone, Debug, Default)]
pub struct SensorOptions {
    /// Answer before the record is durable.
    pub ack_received: bool,
    /// The state directory's parent; none: a temporary folder.
    pub state: Option<PathBuf>,
    /// Both processors, the generator's too, and the choice is the sensor's.
    pub every_core: bool,
    /// A line for the configuration's `[listen]`.
    pub listen: String,
    /// Further lines of the configuration, such as a table.
    pub lines: String,
}

/// A server that runs until it is dropped.
pub struct Peer<'a> {
    kind: Kind,
    place: &'a Place,
    running: Running,
}

enum Running {
    Echo { thread: Option<JoinHandle<()>>, stop: Arc<AtomicBool>, tid: Arc<AtomicU32> },
    Process { child: Child, log: PathBuf, home: Option<Home>, _folder: tempfile::TempDir },
}

impl<'a> Peer<'a> {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not start; with what it logged.
    pub fn start(place: &'a Place, kind: Kind, options: &SensorOptions) -> anyhow::Result<Peer<'a>> {
        let folder = match &options.state {
            Some(parent) => tempfile::Builder::new().prefix("vpn-sensor-bench").tempdir_in(parent),
            None => tempfile::Builder::new().prefix("vpn-sensor-bench").tempdir(),
        }
        .context("a folder for the server's files")?;
        let log = folder.path().join("log");
        let running = match kind {
            Kind::Echo => echo(place)?,
            Kind::SensorUdp | Kind::SensorXdp => {
                let mut config = if kind == Kind::SensorXdp { Config::xdp() } else { Config::udp() };
                if options.ack_received {
                    config = config.lines("[ack]\nwhen = \"received\"");
                }
                config = config.listen(&options.listen).lines(&options.lines);
                let home = Home::with_state(&config, &folder.path().join("state"));
                let program = sensor::program();
                let mut command = if options.every_core {
                    place.command_on_both(program)
                } else {
                    place.server_command(program)
                };
                command.arg("run").arg("--config").arg(home.config());
                let child = spawn(&mut command, &log)?;
                Running::Process { child, log, home: Some(home), _folder: folder }
            }
            Kind::FreeRadius | Kind::FreeRadiusDetail => {
                let detail = kind == Kind::FreeRadiusDetail;
                freeradius::configure(folder.path(), SENSOR_V4, PORT, SHARED_SECRET, detail)?;
                let mut command = place.server_command(freeradius::PROGRAM);
                command.arg("-f").arg("-d").arg(folder.path()).args(["-l", "stdout"]);
                let child = spawn(&mut command, &log)?;
                Running::Process { child, log, home: None, _folder: folder }
            }
        };
        let mut peer = Peer { kind, place, running };
        peer.wait_ready()?;
        Ok(peer)
    }

    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = match &mut self.running {
                Running::Echo { tid, .. } => tid.load(SeqCst) != 0,
                Running::Process { child, log, home, .. } => {
                    let said = std::fs::read_to_string(&log).unwrap_or_default();
                    if let Some(status) = child.try_wait()? {
                        bail!("{} ended at its start: {status}\n{said}", self.kind.name());
                    }
                    match home {
                        Some(_) => {
                            matches!(sensor::get(&self.place.wire.sensor, METRICS, "/readyz"), Some((200, _)))
                        }
                        None => said.contains(freeradius::READY),
                    }
                }
            };
            if ready {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{} does not become ready in {PATIENCE:?}\n{}", self.kind.name(), self.log());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Which server it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The port that it serves.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// The process, if it is one of its own.
    pub fn pid(&self) -> Option<u32> {
        match &self.running {
            Running::Echo { .. } => None,
            Running::Process { child, .. } => Some(child.id()),
        }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        match &self.running {
            Running::Echo { .. } => String::new(),
            Running::Process { log, .. } => std::fs::read_to_string(log).unwrap_or_default(),
        }
    }

    /// The time that its threads have run, to be given to [`Peer::threads_spent`] later.
    pub fn threads(&self) -> BTreeMap<u32, (String, u64)> {
        let mut threads = machine::threads(self.pid().unwrap_or(std::process::id()));
        if let Running::Echo { tid, .. } = &self.running {
            threads.retain(|thread, _| *thread == tid.load(SeqCst));
        }
        threads
    }

    /// Nanoseconds that its threads ran since.
    pub fn threads_spent(&self, before: &BTreeMap<u32, (String, u64)>) -> f64 {
        let now = self.threads();
        let spent = |(tid, (_, run)): (&u32, &(String, u64))| {
            run.saturating_sub(before.get(tid).map_or(0, |(_, before)| *before)) as f64
        };
        now.iter().map(spent).sum()
    }

    /// GETs a path of the sensor's metrics address.
    ///
    /// # Errors
    /// When nobody answers, as the servers that are no sensor.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        match sensor::get(&self.place.wire.sensor, METRICS, path) {
            Some((200, body)) => Ok(body),
            other => bail!("{path}: {:?}", other.map(|(status, _)| status)),
        }
    }

    /// The sensor's metrics.
    ///
    /// # Errors
    /// As [`Peer::get`].
    pub fn metrics(&self) -> anyhow::Result<Metrics> {
        Ok(Metrics::parse(&self.get("/metrics")?))
    }

    /// The sensor's state directory.
    pub fn state(&self) -> Option<&Path> {
        match &self.running {
            Running::Process { home: Some(home), .. } => Some(home.state()),
            _ => None,
        }
    }
}

impl Drop for Peer<'_> {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Echo { thread, stop, .. } => {
                stop.store(true, SeqCst);
                // A panic in it has been shown by now.
                let _ = thread.take().map(JoinHandle::join);
            }
            Running::Process { child, .. } => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

fn spawn(command: &mut std::process::Command, log: &Path) -> anyhow::Result<Child> {
    let log = File::create(log)?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("cannot run {command:?}"))
}

/// A thread that sends 20 octets back for whatever comes.
fn echo(place: &Place) -> anyhow::Result<Running> {
    let open = || -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((SENSOR_V4, PORT))?;
        // The stop is looked for as often.
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        // The same that the sensor asks for.
        let size = ingest::capture::udp::RECEIVE_BUFFER;
        rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, size)?;
        Ok(socket)
    };
    let socket = place.wire.sensor.enter(open).context("the echo's socket")?;
    let (stop, tid) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let core = place.server;
    let thread = thread::Builder::new().name("echo".to_owned()).spawn({
        let (stop, tid) = (stop.clone(), tid.clone());
        move || {
            if let Err(error) = ingest::pin::pin_current(core) {
                eprintln!("the echo stays where it is: {error}");
            }
            tid.store(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), SeqCst);
            let mut batch = Batch::new();
            while !stop.load(SeqCst) {
                let Ok(count) = batch.receive(&socket, true) else { continue };
                for index in 0..count {
                    answer_unverified(&mut batch, index);
                }
                while !batch.is_empty() {
                    // What the kernel refuses is let go by the batch.
                    let _ = batch.send(&socket, true);
                }
            }
        }
    })?;
    Ok(Running::Echo { thread: Some(thread), stop, tid })
}

/// Turns a request into the octets of an answer that keeps its Authenticator: no digest, no look at the contents. The
/// generator takes it for an answer when it is told not to verify.
fn answer_unverified(batch: &mut Batch, index: usize) {
    let answer = batch.cut(index, 20);
    answer[0] = 5;
    answer[2..4].copy_from_slice(&[0, 20]);
}
