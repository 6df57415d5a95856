//! `cargo xtask demo`: a sensor at work on a wire of its own. Four VPN servers report a month of a small company to it,
//! compressed in time; then it is asked about one of the users.
//!
//! As root it runs in network and mount namespaces that vanish with it: two hosts joined by a veth pair, XDP on one of
//! them. Without root it says so and takes loopback and UDP. Either way nothing is left behind.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use prometheus_parse::{Scrape, Value};

use crate::program::{self, succeed};

/// The VPN servers in the order of `send --month`: vendor, and last octet of the address that it sends from.
const VPN_SERVERS: [(&str, u8); 4] = [("rras", 11), ("f5", 12), ("check-point", 13), ("asa", 14)];
const SECRET: &str = "demo secret of no worth";
const PATIENCE: Duration = Duration::from_secs(30);
/// Whom the sensor is asked about.
const USER: &str = "alice";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long it takes to send the month
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    seconds: u32,
    /// Another seed makes another month
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program, when this process is the one inside the namespaces
    #[arg(long, hide = true)]
    inside: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())?;
    }
    if let Some(program) = &arguments.inside {
        return demo(&Wire::veth(program)?, arguments, &stop);
    }
    let program = program::build(true)?;
    if rustix::process::geteuid().is_root() {
        return succeed(
            Command::new("unshare")
                .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
                .arg(std::env::current_exe()?)
                .args([
                    "demo",
                    "--seconds",
                    &arguments.seconds.to_string(),
                    "--seed",
                    &arguments.seed.to_string(),
                ])
                .arg("--inside")
                .arg(&program),
        );
    }
    println!("not root: no network namespaces, no XDP; the demo runs over kernel UDP on loopback");
    demo(&Wire::loopback(&program)?, arguments, &stop)
}

/// Where the sensor listens and its VPN servers are.
struct Wire {
    program: PathBuf,
    /// Holds everything that the demo writes.
    folder: tempfile::TempDir,
    /// The clients' namespace; none: this one.
    namespace: Option<&'static str>,
    server: &'static str,
    network: &'static str,
    xdp: &'static str,
    metrics: &'static str,
}

impl Wire {
    /// This namespace, new and empty, and a second one at the other end of a veth pair.
    fn veth(program: &Path) -> anyhow::Result<Wire> {
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

    fn loopback(program: &Path) -> anyhow::Result<Wire> {
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
    fn configure(&self) -> anyhow::Result<PathBuf> {
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

    /// Somebody who gets no answer, in the background.
    fn send_in_vain(&self, vendor: &str, last: u8, more: &[&str]) -> anyhow::Result<Ended> {
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
    fn send_month(&self, arguments: &Arguments) -> anyhow::Result<Ended> {
        let sources = VPN_SERVERS.map(|(_, last)| format!("{}{last}", self.network)).join(",");
        let (seconds, seed) = (arguments.seconds.to_string(), arguments.seed.to_string());
        self.send(&["--month", &sources, "--month-seconds", &seconds, "--seed", &seed])
            .spawn()
            .map(Ended)
            .context("cannot start `vpn-sensor send`")
    }
}

/// A child that does not outlive the demo.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn demo(wire: &Wire, arguments: &Arguments, stop: &AtomicBool) -> anyhow::Result<()> {
    let configuration = wire.configure()?;
    let log = wire.folder.path().join("log");
    let mut sensor = Ended(
        Command::new(&wire.program)
            .arg("run")
            .arg("--config")
            .arg(&configuration)
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start the sensor")?,
    );
    let agent = agent();
    let began = Instant::now();
    while agent.get(format!("http://{}/readyz", wire.metrics)).call().is_err() {
        if sensor.0.try_wait()?.is_some() || began.elapsed() > PATIENCE {
            bail!("the sensor does not start:\n{}", fs::read_to_string(&log)?);
        }
        thread::sleep(Duration::from_millis(50));
    }
    println!(
        "four VPN servers send a month of a small company in {} s; another sender has a wrong secret, one is unknown",
        arguments.seconds
    );
    let mut bystanders = vec![wire.send_in_vain("asa", 14, &["--bad-secret"])?];
    if wire.namespace.is_some() {
        bystanders.push(wire.send_in_vain("rras", 99, &[])?);
    }
    let mut month = wire.send_month(arguments)?;
    while month.0.try_wait()?.is_none() {
        ensure!(!stop.load(SeqCst), "stopped");
        thread::sleep(Duration::from_millis(50));
    }
    ensure!(month.0.wait()?.success(), "not every request of the month was answered");
    for bystander in &mut bystanders {
        bystander.0.wait()?;
    }
    println!();
    let counters = Counters::read(&agent, wire.metrics)?;
    println!("{}", counters.line());
    for mode in &counters.modes {
        println!("captured: {mode}");
    }
    println!();
    succeed(Command::new(&wire.program).args(["latency", "--address", wire.metrics]))?;
    page(wire, &configuration, &agent)?;
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&sensor.0),
        rustix::process::Signal::TERM,
    )?;
    ensure!(sensor.0.wait()?.success(), "the sensor did not stop in order:\n{}", fs::read_to_string(&log)?);
    Ok(())
}

/// What the sensor knows of one of the users, once all that was recorded is in its store.
fn page(wire: &Wire, configuration: &Path, agent: &ureq::Agent) -> anyhow::Result<()> {
    let begin = Instant::now();
    while Counters::read(agent, wire.metrics)?.lag != Some(0.0) {
        ensure!(begin.elapsed() < PATIENCE, "the store does not catch up with the records");
        thread::sleep(Duration::from_millis(50));
    }
    println!("\n$ vpn-sensor user {USER}");
    succeed(Command::new(&wire.program).args(["user", USER, "--config"]).arg(configuration))
}

/// What became of the datagrams.
struct Counters {
    answers: f64,
    verdicts: Vec<(String, f64)>,
    modes: Vec<String>,
    /// Records whose outcome is not stored yet; none before the service is up.
    lag: Option<f64>,
}

impl Counters {
    fn read(agent: &ureq::Agent, address: &str) -> anyhow::Result<Counters> {
        let text = agent.get(format!("http://{address}/metrics")).call()?.body_mut().read_to_string()?;
        let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned())))?;
        let mut counters = Counters { answers: 0.0, verdicts: Vec::new(), modes: Vec::new(), lag: None };
        let mut is_up = false;
        for sample in scrape.samples {
            let (Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value)) = sample.value else {
                continue;
            };
            let label = |name| sample.labels.get(name).unwrap_or_default().to_owned();
            match sample.metric.as_str() {
                "vpn_sensor_service_lag_records" => counters.lag = Some(value),
                "vpn_sensor_service_up" => is_up = value == 1.0,
                "vpn_sensor_responses_total" => counters.answers += value,
                "vpn_sensor_datagrams_total" if value > 0.0 => {
                    let verdict = label("verdict");
                    match counters.verdicts.iter_mut().find(|(name, _)| *name == verdict) {
                        Some((_, sum)) => *sum += value,
                        None => counters.verdicts.push((verdict, value)),
                    }
                }
                "vpn_sensor_capture_mode" => {
                    let place = format!("{} queue {}", label("interface"), label("queue"));
                    counters.modes.push(format!("{} by {}", place.trim(), label("mode")));
                }
                _ => {}
            }
        }
        counters.lag = counters.lag.filter(|_| is_up);
        counters.verdicts.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(counters)
    }

    fn line(&self) -> String {
        let verdicts: Vec<String> =
            self.verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        format!("answers {}  {}", self.answers, verdicts.join("  "))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into()
}

fn ip(arguments: &str) -> anyhow::Result<()> {
    succeed(Command::new("ip").args(arguments.split(' ')))
}
