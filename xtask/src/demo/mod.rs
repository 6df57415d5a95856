//! `cargo xtask demo`: a sensor at work on a wire of its own. Four VPN servers report a month of a small company to it,
//! compressed in time; then the account of one of the users is stolen, and the alert is looked at.
//!
//! As root it runs in network and mount namespaces that vanish with it: two hosts joined by a veth pair, XDP on one of
//! them. Without root it says so and takes loopback and UDP. Either way nothing is left behind.
//!
//! | file | what lives there |
//! |---|---|
//! | `wire` | where the sensor listens and its VPN servers are, and what they send |
//! | `counters` | what became of the datagrams |
//! | `story` | the theft, and what the sensor says of it |

mod counters;
mod story;
mod wire;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::program::{self, succeed};
use counters::Counters;
use wire::Wire;

const PATIENCE: Duration = Duration::from_secs(30);

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
    let program = program::sensor(true)?;
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
        "four VPN servers send a month of a small company of forty in {} s; another sender has a wrong secret, one is \
         unknown",
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
    story::tell(wire, &configuration, &agent)?;
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&sensor.0),
        rustix::process::Signal::TERM,
    )?;
    ensure!(sensor.0.wait()?.success(), "the sensor did not stop in order:\n{}", fs::read_to_string(&log)?);
    Ok(())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into()
}
