//! `cargo xtask bench portal`: pages of a company with half a year of sessions, while changes of sessions are stored; and
//! requests while the portal is pressed.
//!
//! A real sensor serves them; a browser of one connection asks. What is measured is the time from the request to the last
//! octet of the answer, by the one who asks: the server's time and a loopback connection's.
#![forbid(unsafe_code)]

mod company;
mod host;
mod visits;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use benches::measure::{Measurement, quantile};
use clap::Parser;
use host::Host;
use visits::Visit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "portal", about = "Pages of a large company under load", version)]
struct Arguments {
    /// Users of the company
    #[arg(long, default_value_t = 100_000)]
    users: u64,
    /// Their sessions in half a year
    #[arg(long, default_value_t = 10_000_000)]
    sessions: u64,
    /// Pages that are asked for
    #[arg(long, default_value_t = 1000)]
    requests: u64,
    /// Changes of sessions a second meanwhile
    #[arg(long, default_value_t = 2000)]
    changes: u32,
    /// Where journal and store are written: 2 KiB a session; by default the folder for temporary files
    #[arg(long)]
    folder: Option<PathBuf>,
    /// A state directory that is made here once and used again
    #[arg(long, conflicts_with = "folder")]
    state: Option<PathBuf>,
    /// A hundredth of the company: to see that it works
    #[arg(long)]
    quick: bool,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.users /= 100;
        arguments.sessions /= 100;
        arguments.requests /= 10;
    }
    let temporary = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let home = arguments.state.clone().unwrap_or_else(|| temporary.path().to_owned());
    let (users, sessions) = (arguments.users, arguments.sessions);
    let prepared = host::prepare(&home, users, sessions)?;
    let case = format!("{users} users, {sessions} sessions");
    let say = |path: &str, metric: &str, unit: &str, values: &[f64]| {
        Measurement::new("portal", &case, path, metric, unit, values).report();
    };
    if let Some(seconds) = prepared {
        say("rebuild", "sessions_per_second", "1/s", &[sessions as f64 / seconds]);
    }
    say("store", "size", "B", &[fs::metadata(home.join("state/service/store.sqlite"))?.len() as f64]);

    let host = Host::start(&home)?;
    let browser = host.sign_in()?;
    let changes = host.changes(arguments.changes)?;
    // Until all who send have begun.
    thread::sleep(Duration::from_secs(5));
    let before = host.metric("vpn_sensor_service_session_changes_total")?;
    let began = Instant::now();
    let (over, wal_max) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    let mut octets: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    thread::scope(|scope| -> anyhow::Result<()> {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                let length =
                    fs::metadata(home.join("state/service/store.sqlite-wal")).map_or(0, |of| of.len());
                wal_max.fetch_max(length, Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
        });
        let asked = (0..arguments.requests).try_for_each(|number| {
            let Visit { page, path } = visits::of(number, users, sessions);
            let began = Instant::now();
            let length = browser.get(&path)?;
            times.entry(page).or_default().push(began.elapsed().as_secs_f64() * 1e3);
            octets.entry(page).or_default().push(length as f64);
            // A person looks at a page; and what is written meanwhile is measured over some time.
            thread::sleep(Duration::from_millis(20));
            anyhow::Ok(())
        });
        over.store(true, Relaxed);
        asked
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let stored = host.metric("vpn_sensor_service_session_changes_total")? - before;
    drop(changes);
    for (page, times) in &times {
        say(page, "time", "ms", times);
        say(page, "time_p99", "ms", &[quantile(times, 0.99)]);
        say(page, "time_max", "ms", &[quantile(times, 1.0)]);
        say(page, "octets_max", "B", &[quantile(&octets[page], 1.0)]);
    }
    say("meanwhile", "session_changes_per_second", "1/s", &[stored / seconds]);
    say("meanwhile", "write_ahead_log_max", "B", &[wal_max.load(Relaxed) as f64]);
    Ok(())
}
