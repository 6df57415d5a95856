//! `cargo xtask bench insight`: what becomes of records, on one core: decoding, sessions, places, profiles and detections in
//! memory, of users who are learned; storing; taking up again after a kill; rebuilding; `backtest` over a past.
#![forbid(unsafe_code)]

mod backtest;
mod journaled;
mod people;
mod profiles;

use std::{
    fs,
    path::PathBuf,
    process,
    sync::Arc,
    time::{Duration, Instant},
};

use benches::{machine, measure::Measurement};
use clap::{Parser, ValueEnum};
use insight::{
    geo::Places,
    profile::{Learned, Learning},
};
use journal::Reader;
use people::{Mix, People};
use service::{
    Meaning,
    fold::{Fold, Resolve, Resolved},
    live::{Live, Retention},
    rebuild::{WAITING_MAX, rebuild},
    store::Store,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records made before and taken within one measured step: few enough to stay in the cache on their way as they would
/// from the journal.
const STEP_RECORDS: usize = 4096;
/// Users enough for a figure a user.
const SIZING_USERS: u64 = 100_000;
/// When the bench's population begins to connect: 1 November 2026.
const START_UNIX_S: u64 = 1_793_491_200;

#[derive(Parser)]
#[command(name = "insight", about = "From records to sessions, places and profiles, on one core", version)]
struct Arguments {
    /// Users, each connected
    #[arg(long, default_value_t = 1_000_000)]
    users: u64,
    /// Records that are taken once all users are connected
    #[arg(long, default_value_t = 3_000_000)]
    records: usize,
    /// Records that are rebuilt
    #[arg(long, default_value_t = 10_000_000)]
    rebuild: usize,
    /// Where journal and store are written; by default the folder for temporary files
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
    /// A hundredth of everything: to see that it works
    #[arg(long)]
    quick: bool,
}

/// A part of the bench.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Records taken in memory, then stored
    Memory,
    /// A journal on disk: keeping up, taking up again, rebuilding
    Journal,
    /// Profiles by themselves
    Profiles,
    /// The sensor's `backtest` over lines of all users
    Backtest,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.users /= 100;
        arguments.records /= 100;
        arguments.rebuild /= 100;
    }
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let places = Arc::new(vpn_sensor::places::Sources::of(&vpn_sensor::config::Config::built_in()).open()?);
    let is_asked = |part| arguments.only.is_none_or(|only| only == part);
    if is_asked(Part::Memory) {
        memory(&arguments, &places, &folder)?;
    }
    if is_asked(Part::Journal) {
        journaled::measure(&arguments, &places, &folder)?;
    }
    if is_asked(Part::Profiles) {
        profiles::measure(arguments.users)?;
    }
    if is_asked(Part::Backtest) {
        backtest::measure(arguments.users, folder.path())?;
    }
    Ok(())
}

/// Says one figure.
fn say(case: &str, metric: &str, unit: &str, values: &[f64]) {
    Measurement::new("insight", case, "one core", metric, unit, values).report();
}

/// Asks the databases.
struct Asking<'a>(&'a Places);

impl Resolve for Asking<'_> {
    fn resolve(&mut self, _position: u64, address: std::net::IpAddr) -> Resolved {
        Resolved::of(&self.0.find(address))
    }
}

/// Takes so many records; a rate for each step, and what they were made of.
fn taken(
    people: &mut People,
    fold: &mut Fold,
    asking: &mut Asking<'_>,
    count: usize,
) -> anyhow::Result<(Vec<f64>, Mix)> {
    let mut rates = Vec::new();
    let mut left = count;
    people.take_mix();
    while left > 0 {
        let records = people.take(left.min(STEP_RECORDS))?;
        left -= records.len();
        let began = Instant::now();
        let mut left = &records[..];
        while !left.is_empty() {
            left = &left[fold.take_some(left, asking)..];
            if fold.must_be_stored() {
                let outcome = fold.finish();
                fold.reuse(outcome);
            }
        }
        let outcome = fold.finish();
        fold.reuse(outcome);
        rates.push(records.len() as f64 / began.elapsed().as_secs_f64());
    }
    Ok((rates, people.take_mix()))
}

/// Says how many records a second were taken, and of what.
fn say_taken(case: &str, (rates, mix): &(Vec<f64>, Mix)) {
    say(case, "events_per_second", "1/s", rates);
    let Mix { starts, interim_updates, stops } = *mix;
    let all = (starts + interim_updates + stops) as f64 / 100.0;
    for (metric, count) in [("starts", starts), ("interim_updates", interim_updates), ("stops", stops)] {
        say(case, metric, "%", &[count as f64 / all]);
    }
}

/// Of all users, how many are learned when the measured rounds begin, per cent: a thousand of them are asked for.
fn learned_percent(fold: &Fold, users: u64) -> f64 {
    let asked = (0..users).step_by((users / 1000).max(1) as usize);
    let is_learned = |user: &u64| {
        let profile = fold.profiles().get(&People::name(*user));
        let unix_s = START_UNIX_S as u32;
        profile.is_some_and(|profile| profile.learned(unix_s, Learning::default()) == Learned::Yes)
    };
    asked.clone().filter(is_learned).count() as f64 * 100.0 / asked.count() as f64
}

/// A million users come to be learned, connect, go on and come back, in memory; then what that changes is stored.
fn memory(arguments: &Arguments, places: &Places, folder: &tempfile::TempDir) -> anyhow::Result<()> {
    let users = arguments.users;
    let mut people = People::with_past(users, START_UNIX_S);
    let mut fold = Fold::new(Meaning::default())?;
    let mut asking = Asking(places);
    let before = machine::resident(process::id())?.0;
    let first = taken(&mut people, &mut fold, &mut asking, users as usize)?;
    say_taken(&format!("{users} users connect for the first time"), &first);
    let past = people.past();
    taken(&mut people, &mut fold, &mut asking, past)?;
    let connecting = taken(&mut people, &mut fold, &mut asking, users as usize)?;
    let case = format!("{users} learned users connect");
    say(&case, "learned", "%", &[learned_percent(&fold, users)]);
    say_taken(&case, &connecting);
    let going_on = taken(&mut people, &mut fold, &mut asking, arguments.records)?;
    let case = format!("{users} learned users connected");
    say_taken(&case, &going_on);
    let after = machine::resident(process::id())?.0;
    say(&case, "resident", "B", &[after as f64]);
    let per_user = after.saturating_sub(before) as f64 / users as f64;
    say(&case, "resident_per_user", "B", &[per_user]);
    // What `vpn-sensor sizing --bench` takes; of few users most is what each has a part in.
    if users >= SIZING_USERS {
        Measurement::new("sizing", &case, "service", "bytes_per_user", "B", &[per_user]).report();
    }

    let began = Instant::now();
    let octets = fold.save()?;
    say(&case, "checkpoint_seconds", "s", &[began.elapsed().as_secs_f64()]);
    say(&case, "checkpoint", "B", &[octets.len() as f64]);
    say(&case, "profile_octets_per_user", "B", &[fold.profiles().octets() as f64 / users as f64]);
    drop(fold);
    let (seconds, _) = timed(|| Ok(Fold::load(&octets)?))?;
    say(&case, "checkpoint_load_seconds", "s", &[seconds]);

    // The same people again, with a store behind it.
    let mut people = People::new(users, START_UNIX_S);
    let mut fold = Fold::new(Meaning::default())?;
    let mut store = Store::open(&folder.path().join("changes.sqlite"))?;
    let mut rates = Vec::new();
    let total = users as usize + arguments.records / 4;
    let mut done = 0;
    while done < total {
        while fold.rows() < 20_000 && done < total {
            for record in people.take(STEP_RECORDS.min(total - done))? {
                fold.take(&record, &mut asking);
                done += 1;
            }
        }
        let outcome = fold.finish();
        let changes = outcome.sessions.len() as f64;
        let began = Instant::now();
        store.write(&outcome, None)?;
        fold.reuse(outcome);
        rates.push(changes / began.elapsed().as_secs_f64());
    }
    say(&format!("{users} users in the store"), "session_changes_per_second", "1/s", &rates);
    let size = fs::metadata(store.path())?.len();
    say(&format!("{users} users in the store"), "store", "B", &[size as f64]);
    Ok(())
}

/// How long something takes, seconds.
fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(f64, T)> {
    let began = Instant::now();
    let made = work()?;
    Ok((began.elapsed().as_secs_f64(), made))
}

/// For the parts that read a journal.
fn rebuilt(
    reader: &Reader,
    state: &std::path::Path,
    to: &std::path::Path,
    places: &Places,
) -> anyhow::Result<(f64, u64)> {
    let (seconds, rebuilt) =
        timed(|| Ok(rebuild(&service::folder(state), reader, to, u64::MAX, places, WAITING_MAX, |_| {})?))?;
    Ok((seconds, rebuilt.records))
}

/// Opens the service on a state directory.
fn open(state: &std::path::Path, reader: &Reader, places: &Arc<Places>) -> anyhow::Result<(f64, Live)> {
    let retention = Retention { max_octets: 16 << 30, max_age: None };
    timed(|| Ok(Live::open(state, reader, &Meaning::default(), Arc::clone(places), retention, false)?))
}

/// Longest wait for a turn that has something to take.
const IDLE_MAX: Duration = Duration::from_secs(10);
