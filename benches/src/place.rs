//! Where the benches run: network namespaces that vanish with the process, two ends of a veth pair, and processors
//! apart for generator and server.

use std::{
    env, fs, io,
    net::{IpAddr, Ipv4Addr},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use end_to_end::{
    Wire,
    wire::{NAS_DEVICE, NAS_V4, SENSOR_V4},
};
use ingest::pin::{Topology, pin_current};

use crate::{
    load::sender::{Datagrams, Sender, Way, Xdp},
    measure::{Measurement, WHOLE},
};

/// Says that we are in our namespaces already.
const INSIDE: &str = "VPN_SENSOR_BENCH_INSIDE";
/// The program under test, for the harness.
const PROGRAM: &str = "VPN_SENSOR_BIN";
/// An address that no host has.
const NOBODY_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);
/// And the hardware address that goes with it: locally administered, nobody's.
const NOBODY_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

/// What this host lacks for a wire of our own; none if nothing.
///
/// # Errors
/// When the host does not say which processors it has.
fn lacking() -> anyhow::Result<Option<String>> {
    if !rustix::process::geteuid().is_root() {
        let why = "this bench makes network namespaces and loads XDP programs: run it as root";
        return Ok(Some(why.to_owned()));
    }
    if Topology::read()?.cores().count() < 2 {
        let why = "generator and server need a processor each, and there is one in all";
        return Ok(Some(why.to_owned()));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let programs = [("unshare", "util-linux"), ("setpriv", "util-linux"), ("ip", "iproute2")];
    let missing = programs.into_iter().find(|(program, _)| !is_there(program));
    Ok(missing.map(|(program, package)| format!("{program} is not installed: apt-get install {package}")))
}

/// Whether this kernel has AF_XDP, for generator and sensor.
pub fn has_af_xdp() -> bool {
    use rustix::net::{AddressFamily, SocketType, socket};
    socket(AddressFamily::XDP, SocketType::RAW, None).is_ok()
}

/// Runs the rest of this program in network and mount namespaces of its own: returns inside them. Everything that the
/// benches send stays there. On a host that cannot have them it says that `bench` is missing, and returns false.
///
/// # Errors
/// When `unshare` does not run, or the sensor's program is not there.
pub fn enter(bench: &str) -> anyhow::Result<bool> {
    if let Some(reason) = lacking()? {
        Measurement::missing(bench, "everything", WHOLE, &reason).report();
        return Ok(false);
    }
    if env::var_os(INSIDE).is_some() {
        // `ip netns` keeps names under /run, and /sys shows the devices of the namespace that it was mounted in.
        for (kind, folder) in [("tmpfs", "/run"), ("sysfs", "/sys")] {
            let status = Command::new("mount").args(["-t", kind, kind, folder]).status()?;
            ensure!(status.success(), "mounting {kind} on {folder}: {status}");
        }
        return Ok(true);
    }
    let me = env::current_exe()?;
    let program = match env::var_os(PROGRAM) {
        Some(path) => PathBuf::from(path),
        None => me.with_file_name("vpn-sensor"),
    };
    ensure!(
        program.is_file(),
        "{} is not there: `cargo xtask bench` builds it, or cargo build --release --bin vpn-sensor",
        program.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount"]).arg(me).args(env::args_os().skip(1));
    // Comes back only if it fails.
    Err(command.env(INSIDE, "1").env(PROGRAM, program).exec()).context("cannot run unshare")
}

/// How the generator sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// AF_XDP at the far end of the veth pair
    Xdp,
    /// Ordinary UDP sockets
    Udp,
}

impl Default for By {
    /// AF_XDP where there is one.
    fn default() -> By {
        if has_af_xdp() { By::Xdp } else { By::Udp }
    }
}

impl By {
    /// Sources that this way has at most: ports, or sockets.
    pub fn flows(self) -> u32 {
        match self {
            By::Xdp => 1024,
            By::Udp => 256,
        }
    }
}

/// Where the generator's datagrams end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A server at the other end, on this port.
    Server(u16),
    /// The other end, which drops everything: frames to a hardware address that is not its own. IP throws them away
    /// with its first check, behind the same crossing of the wire and before anything that a server asked for. (An
    /// XDP program that drops would cost a conversion of each buffer, which the UDP path never pays.)
    Nobody,
}

/// The wire, and which processor is whose.
pub struct Place {
    /// Two namespaces.
    pub wire: Wire,
    /// The generator's processor.
    pub generator: usize,
    /// The server's processor.
    pub server: usize,
    sources: Vec<Ipv4Addr>,
}

impl Place {
    /// Makes the wire with this many source addresses at the generator's end, and binds this thread to the generator's
    /// processor.
    ///
    /// # Errors
    /// With fewer than two processors.
    pub fn new(sources: u8) -> anyhow::Result<Place> {
        let cores: Vec<usize> = Topology::read()?.cores().collect();
        let [generator, server, ..] = cores[..] else {
            bail!("generator and server need a processor each, and there is one in all");
        };
        let wire = Wire::new();
        let sources: Vec<Ipv4Addr> =
            (0..sources).map(|n| Ipv4Addr::from(u32::from(NAS_V4) + u32::from(n))).collect();
        for address in &sources[1..] {
            wire.add_nas_address(IpAddr::from(*address));
        }
        let nobody = NOBODY_MAC.map(|octet| format!("{octet:02x}")).join(":");
        wire.nas.ip(&format!("neighbour replace {NOBODY_V4} lladdr {nobody} dev {NAS_DEVICE} nud permanent"));
        pin_current(generator)?;
        // Short sleeps end when they should.
        let _ = fs::write("/proc/self/timerslack_ns", "1");
        Ok(Place { wire, generator, server, sources })
    }

    /// A way to a target with this many sources.
    ///
    /// # Errors
    /// When the way cannot be opened.
    pub fn sender(&self, by: By, target: Target, flows: u32) -> anyhow::Result<Box<dyn Sender + Send>> {
        let (address, port, mac) = match target {
            Target::Server(port) => (SENSOR_V4, port, self.wire.sensor_mac()),
            Target::Nobody => (NOBODY_V4, 1813, NOBODY_MAC),
        };
        match by {
            By::Xdp => {
                let way = Way {
                    device: NAS_DEVICE.to_owned(),
                    mac: (self.wire.nas_mac(), mac),
                    from: self.sources.clone(),
                    server: (address, port),
                };
                Ok(Box::new(self.wire.nas.enter(|| Xdp::open(&way, flows))?))
            }
            By::Udp => {
                let from: Vec<IpAddr> = self.sources.iter().copied().map(IpAddr::from).collect();
                let open = || Datagrams::open((address, port).into(), &from, flows);
                Ok(Box::new(self.wire.nas.enter(open).context("opening the generator's sockets")?))
            }
        }
    }

    /// A command that runs in the sensor's namespace on the server's processor, and dies with this thread.
    pub fn server_command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.command_on(&self.server.to_string(), program)
    }

    /// The same on the generator's and the server's processor: a command would inherit this thread's, which is one.
    pub fn command_on_both(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.command_on(&format!("{},{}", self.generator, self.server), program)
    }

    fn command_on(&self, cores: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "taskset", "-c", cores]);
        command.args(["ip", "netns", "exec", self.wire.sensor.name()]).arg(program);
        command
    }
}

/// The limit on open files, raised as far as it goes: each source of the UDP way is a socket.
pub fn raise_file_limit() -> io::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}
