//! `evaluate`: makes labelled organisations up, scores them, and says how well attackers are found. `cargo xtask evaluate`
//! builds the sensor and runs it.
#![forbid(unsafe_code)]

use std::{
    fs::{self, File},
    io::{self, BufReader, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use evaluation::{
    organisation::Organisation,
    product::Source,
    rba_csv, report,
    run::Running,
    sets::{Set, size},
    world::World,
};

#[derive(Parser)]
#[command(
    name = "evaluate",
    about = "Say how well abnormal connections are found, and how many usual ones are taken for such",
    version,
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    which: Which,
    /// The program whose scores are evaluated
    #[arg(long, value_name = "FILE", default_value = "target/release/vpn-sensor")]
    sensor: PathBuf,
    /// Instead of running the program, read its scores: a file if there is one past, or a folder of files named by the
    /// seed (101.jsonl)
    #[arg(long, value_name = "PATH", conflicts_with = "sensor")]
    scores: Option<PathBuf>,
    /// Score with the four baselines alone
    #[arg(long, conflicts_with_all = ["sensor", "scores"])]
    baselines_only: bool,
    /// Instead of made-up organisations, take the public set of logins for risk-based authentication, a CSV
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "seed", "quick"])]
    rba_csv: Option<PathBuf>,
    /// Of that set, only so many users, the first in the file; all of them need tens of gigabytes of memory
    #[arg(long, value_name = "USERS", default_value_t = 100_000, requires = "rba_csv")]
    rba_users: usize,
    /// Write the figures to FILE, a line of JSON each
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show the figures as one page in FILE
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How many times users are drawn anew for the intervals
    #[arg(long, value_name = "TIMES", default_value_t = 500)]
    drawings: usize,
}

#[derive(clap::Args)]
struct Which {
    /// Which organisations: those for choosing parameters, or those for reporting
    #[arg(long, value_enum, default_value_t = Set::HeldBack)]
    set: Set,
    /// Only this one of them
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Fewer and smaller organisations: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Only write organisations: events.jsonl for 'vpn-sensor backtest', labels.jsonl and organisation.json
    Generate {
        #[command(flatten)]
        which: Which,
        /// Where to; of more than one organisation each gets a folder named by its seed
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write the figures of an evaluation before into a page of the documentation, and draw its ROC
    Document {
        /// Lines of JSON that --json wrote
        #[arg(long, value_name = "FILE")]
        figures: PathBuf,
        /// The page; its marks say where
        #[arg(long, value_name = "FILE")]
        page: PathBuf,
        /// The drawing
        #[arg(long, value_name = "FILE")]
        svg: PathBuf,
    },
}

impl Which {
    fn seeds(&self) -> anyhow::Result<Vec<u64>> {
        let seeds = self.set.seeds(self.quick);
        match self.seed {
            None => Ok(seeds),
            Some(seed) => {
                let (first, last) = (seeds[0], seeds[seeds.len() - 1]);
                let set = self.set.name();
                ensure!(
                    seeds.contains(&seed),
                    "the set {set} has the seeds {first} to {last}: choose one of them"
                );
                Ok(vec![seed])
            }
        }
    }

    fn organisation(&self, world: &World, seed: u64) -> anyhow::Result<Organisation> {
        Organisation::generate(world, seed, size(self.quick))
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Command::Generate { which, out }) => {
            let seeds = which.seeds()?;
            let world = World::load()?;
            for seed in &seeds {
                say(&format!("organisation {seed}"));
                let folder = if seeds.len() == 1 { out.clone() } else { out.join(seed.to_string()) };
                which.organisation(&world, *seed)?.write(&folder)?;
            }
            done();
            Ok(())
        }
        Some(Command::Document { figures, page, svg }) => document(figures, page, svg),
        None => evaluate(&arguments),
    }
}

fn document(figures: &Path, page: &Path, svg: &Path) -> anyhow::Result<()> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}: check its path", path.display()))
    };
    let documentation =
        report::Documentation::new(read(figures)?.lines()).with_context(|| figures.display().to_string())?;
    write(page, &documentation.put_into(&read(page)?).with_context(|| page.display().to_string())?)?;
    write(svg, &documentation.svg)
}

fn evaluate(arguments: &Arguments) -> anyhow::Result<()> {
    let seeds = arguments.which.seeds()?;
    let is_one = seeds.len() == 1 || arguments.rba_csv.is_some();
    let source = match &arguments.scores {
        _ if arguments.baselines_only => None,
        Some(path) => {
            ensure!(
                path.is_dir() || is_one,
                "{} is one file, for one organisation: name that with --seed, or name a folder",
                path.display()
            );
            Some(Source::Scores(path.clone()))
        }
        None => Some(Source::Sensor(arguments.sensor.clone())),
    };
    say("places and networks");
    let world = World::load()?;
    let folder = std::env::temp_dir().join(format!("vpn-sensor-evaluation-{}", std::process::id()));
    let mut running = Running::new(&world, source.as_ref(), &folder);
    let result = score(arguments, &seeds, &world, &mut running);
    // Only there if the product was asked.
    let _ = fs::remove_dir_all(&folder);
    result?;
    let title = if arguments.rba_csv.is_some() { "rba-csv" } else { arguments.which.set.name() };
    let evaluation = running.finish(title, arguments.drawings, |name| say(&format!("figures of {name}")));
    done();
    if let Some(path) = &arguments.json {
        write(path, &(report::lines(&evaluation)?.join("\n") + "\n"))?;
    }
    if let Some(path) = &arguments.html {
        write(path, &report::page(&evaluation)?)?;
    }
    print!("{}", report::console(&evaluation));
    Ok(())
}

fn score(
    arguments: &Arguments,
    seeds: &[u64],
    world: &World,
    running: &mut Running<'_>,
) -> anyhow::Result<()> {
    if let Some(path) = &arguments.rba_csv {
        say("the set of logins");
        let file =
            File::open(path).with_context(|| format!("cannot read {}: check its path", path.display()))?;
        let past = rba_csv::read(BufReader::new(file), arguments.rba_users)
            .with_context(|| path.display().to_string())?;
        return running.add(past);
    }
    for seed in seeds {
        say(&format!("organisation {seed}"));
        running.add(arguments.which.organisation(world, *seed)?)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// What is being done, on a terminal only.
fn say(what: &str) {
    if io::stderr().is_terminal() {
        let mut terminal = io::stderr().lock();
        let _ = write!(terminal, "\r\x1b[K{what} ...");
        let _ = terminal.flush();
    }
}

fn done() {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr().lock(), "\r\x1b[K");
    }
}
