//! `cargo xtask bench portal`: pages of a company with half a year of sessions, while changes of sessions are stored.
//!
//! A real sensor serves them; a browser of one connection asks. What is measured is the time from the request to the last
//! octet of the answer, by the one who asks: the server's time and a loopback connection's. A run that misses a bar ends
//! with 1 and says which; a quick one has none. What a pressed portal leaves to the workers is tested end to end.
#![forbid(unsafe_code)]

mod audit;
mod company;
mod host;
mod lists;
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
use service::store::Store;
use visits::{Known, Visit};

/// p99 of a page, ms.
const PAGE_MS_MAX: f64 = 200.0;
/// p99 of a search, ms.
const SEARCH_MS_MAX: f64 = 50.0;
/// One page on the wire, octets.
const PAGE_OCTETS_MAX: f64 = 100_000.0;
/// The write-ahead log, octets: it is written back from 16 MB on, behind what is written meanwhile.
const WAL_OCTETS_MAX: f64 = (128 << 20) as f64;

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
    // What was sent at the end of a run before is not what this one sends.
    host.await_service()?;
    let browser = host.sign_in()?;
    // A tenth more: what is at least so much cannot be sent at just so much.
    let changes = host.changes(arguments.changes + arguments.changes / 10)?;
    // Until all who send have begun: which pages there are follows from the connections that are open.
    thread::sleep(Duration::from_secs(5));
    let known = Known::look(&browser)?;
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
            let Some(Visit { page, path }) = visits::of(number, users, sessions, &known) else {
                return Ok(());
            };
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
    drop((changes, host));
    let state =
        Store::open(&home.join("state/service/store.sqlite"))?.checkpoint()?.map_or(0, |state| state.len());
    say("store", "state_of_users", "B", &[state as f64]);
    let mut missed = Vec::new();
    let mut bar = |what: &str, value: f64, most: f64, unit: &str| {
        if value > most {
            missed.push(format!("{what}: {value:.0} {unit}, at most {most:.0} are allowed"));
        }
    };
    for (page, times) in &times {
        let (p99, octets_max) = (quantile(times, 0.99), quantile(&octets[page], 1.0));
        say(page, "time", "ms", times);
        say(page, "time_p99", "ms", &[p99]);
        say(page, "time_max", "ms", &[quantile(times, 1.0)]);
        say(page, "octets_max", "B", &[octets_max]);
        // A file of ten thousand connections is no page.
        if !page.starts_with("export") {
            let most = if page.starts_with("search") { SEARCH_MS_MAX } else { PAGE_MS_MAX };
            bar(&format!("{page}, p99"), p99, most, "ms");
            bar(&format!("{page}, on the wire"), octets_max, PAGE_OCTETS_MAX, "octets");
        }
    }
    let wal_max = wal_max.load(Relaxed) as f64;
    let changed = stored / seconds;
    say("meanwhile", "session_changes_per_second", "1/s", &[changed]);
    say("meanwhile", "write_ahead_log_max", "B", &[wal_max]);
    bar("the write-ahead log", wal_max, WAL_OCTETS_MAX, "octets");
    // Pages that nobody looked at, or beside which little was written, show nothing.
    if changed < f64::from(arguments.changes) {
        missed.push(format!("changes of sessions meanwhile: {changed:.0}/s of {}", arguments.changes));
    }
    missed.extend(known.absent().iter().map(|what| format!("the company has no {what}")));
    if arguments.quick || missed.is_empty() {
        return Ok(());
    }
    // On one line: it is the reason that the page of all benches shows.
    anyhow::bail!("bars are missed; {}", missed.join("; "))
}
