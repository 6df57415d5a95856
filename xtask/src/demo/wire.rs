//! Where the sensor listens and its VPN servers are, and what they send.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

use super::{Arguments, Ended};
use crate::program::succeed;

/// The VPN servers in the order of `send --month`: vendor, and last octet of the address that it sends from.
const VPN_SERVERS: [(&str, u8); 4] = [("rras", 11), ("f5", 12), ("check-point", 13), ("asa", 14)];
const SECRET: &str = "demo secret of no worth";

/// Where the sensor listens and its VPN servers are.
pub(super) struct Wire {
    pub(super) program: PathBuf,
    /// Holds everything that the demo writes.
    pub(super) folder: tempfile::TempDir,
    /// The clients' namespace; none: this one.
    pub(super) namespace: Option<&'static str>,
    server: &'static str,
    network: &'static str,
    xdp: &'static str,
    pub(super) metrics: &'static str,
}

impl Wire {
    /// This namespace, new and empty, and a second one at the other end of a veth pair.
    pub(super) fn veth(program: &Path) -> anyhow::Result<Wire> {
        // `ip netns` keeps names under /run: in a memory file system of this mount namespace they vanish with it.
        succeed(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]))?;
        // And /sys would go on showing the devices of the network namespace that it was mounted in.
        succeed(Command::new("mount").args(["-t", "sysfs", "sysfs", "/sys"]))?;
        ip("link set lo up")?;
        ip("netns add vpn")?;
        ip("link add sensor0 type veth peer name vpn0 netns vpn")?;
        ip("address add 192.0.2.1/24 dev sensor0")?;
        ip("link set sensor0 up")?;
        ip("-n vpn link set lo up")?;
        ip("-n vpn link set vpn0 up")?;
        for (_, last) in VPN_SERVERS.into_iter().chain([("unknown", 99)]) {
            ip(&format!("-n vpn address add 192.0.2.{last}/24 dev vpn0"))?;
        }
        Ok(Wire {
            program: program.to_owned(),
            folder: tempfile::tempdir_in("/run")?,
            namespace: Some("vpn"),
            server: "192.0.2.1:1813",
            network: "192.0.2.",
            xdp: "auto",
            metrics: "127.0.0.1:9813",
        })
    }

    pub(super) fn loopback(program: &Path) -> anyhow::Result<Wire> {
        Ok(Wire {
            program: program.to_owned(),
            folder: tempfile::tempdir()?,
            namespace: None,
            server: "127.0.0.1:11813",
            network: "127.0.0.",
            xdp: "off",
            metrics: "127.0.0.1:19813",
        })
    }

    /// Writes the configuration: one client a VPN server, all with one secret; a month of the past is believed, and the
    /// names that the four have for a person are one user.
    pub(super) fn configure(&self) -> anyhow::Result<PathBuf> {
        let secret = self.folder.path().join("secret");
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&secret)?
            .write_all(SECRET.as_bytes())?;
        let mut text = format!(
            "state_dir = {:?}\n[listen]\naddresses = [{:?}]\nxdp = {:?}\n[metrics]\naddress = {:?}\n\
             [portal]\naddress = \"off\"\n[events]\naccept_past = \"35d\"\n[users]\nrealms = [[\"contoso.example\", \"CONTOSO\", \"\"]]\n",
            self.folder.path().join("state"),
            self.server,
            self.xdp,
            self.metrics
        );
        for (vendor, last) in VPN_SERVERS {
            text += &format!(
                "[[client]]\nname = {vendor:?}\naddress = [\"{}{last}\"]\nsecret_file = {secret:?}\nvendor = {vendor:?}\n",
                self.network
            );
        }
        let path = self.folder.path().join("sensor.toml");
        fs::write(&path, text)?;
        Ok(path)
    }

    /// `vpn-sensor send` where the VPN servers are.
    fn send(&self, more: &[&str]) -> Command {
        let mut command = match self.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        let secret = self.folder.path().join("secret");
        command.args(["send", "--to", self.server]).args(more).arg("--secret-file").arg(secret);
        command
    }

    /// The same from the address of one of them.
    pub(super) fn send_from(&self, vendor: &str, more: &[&str]) -> anyhow::Result<Command> {
        let (_, last) = VPN_SERVERS.iter().find(|(name, _)| *name == vendor).context("no such VPN server")?;
        let mut command = self.send(more);
        command.arg("--source").arg(format!("{}{last}", self.network));
        Ok(command)
    }

    /// Somebody who gets no answer, in the background.
    pub(super) fn send_in_vain(&self, vendor: &str, last: u8, more: &[&str]) -> anyhow::Result<Ended> {
        let source = format!("{}{last}", self.network);
        self.send(&["--source", &source, "--vendor", vendor, "--count", "20", "--rate", "20"])
            .args(["--retries", "0", "--timeout", "1"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Ended)
            .context("cannot start `vpn-sensor send`")
    }

    /// The month of all four; what it says goes to the terminal.
    pub(super) fn send_month(&self, arguments: &Arguments) -> anyhow::Result<Ended> {
        let sources = VPN_SERVERS.map(|(_, last)| format!("{}{last}", self.network)).join(",");
        let (seconds, seed) = (arguments.seconds.to_string(), arguments.seed.to_string());
        self.send(&["--month", &sources, "--month-seconds", &seconds, "--seed", &seed])
            .spawn()
            .map(Ended)
            .context("cannot start `vpn-sensor send`")
    }
}

fn ip(arguments: &str) -> anyhow::Result<()> {
    succeed(Command::new("ip").args(arguments.split(' ')))
}
