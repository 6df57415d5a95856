//! The bench `replay`: frames in memory through the real worker loop and the real journal, all on one core, and each
//! stage of it by itself.
#![forbid(unsafe_code)]

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use benches::{
    disk,
    measure::Measurement,
    replay::{FrameOptions, Frames, Placement, Replay, STAGES, Stages, clients},
};
use clap::Parser;
use ingest::{IngestOptions, capture::BURST, pin};
use md5_lanes::{Lanes, Path};

/// The product's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Frames in memory through the worker loop and the journal, on one core", version)]
struct Arguments {
    /// Fewer and shorter runs
    #[arg(long)]
    quick: bool,
    /// A folder on a memory file system; by default one of our own is mounted (as root), else /dev/shm is taken
    #[arg(long, value_name = "DIR")]
    memory: Option<PathBuf>,
    /// A folder on a disk
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    disk: PathBuf,
    /// Clients, each with an address and a secret of its own
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    /// Octets from one frame to the next, as in a UMEM; 0: packed
    #[arg(long, default_value_t = 2048)]
    slot: usize,
    /// The core to run on
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// Digests by this path: scalar, neon, avx2, avx512
    #[arg(long)]
    lanes: Option<Path>,
    /// Only this stage, without a word: for whoever counts its instructions
    #[arg(long, hide = true, requires = "bursts")]
    stage: Option<String>,
    #[arg(long, hide = true)]
    bursts: Option<usize>,
}

impl Arguments {
    /// What this program is told to run one stage of the same requests, in the same places, by the same digests.
    fn of_stage(&self, stage: &str, bursts: usize) -> Vec<String> {
        let mut all = vec![format!("--stage={stage}"), format!("--bursts={bursts}")];
        all.extend([format!("--clients={}", self.clients), format!("--slot={}", self.slot)]);
        all.extend(self.lanes.map(|lanes| format!("--lanes={lanes}")));
        all
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let placement = if arguments.slot == 0 { Placement::Packed } else { Placement::Slots(arguments.slot) };
    let frames =
        Frames::build(&FrameOptions { placement, clients: arguments.clients, ..FrameOptions::default() })?;
    let options = IngestOptions { digests: arguments.lanes, ..IngestOptions::default() };
    let clients = || clients(arguments.clients);
    if let (Some(stage), Some(bursts)) = (&arguments.stage, arguments.bursts) {
        let folder = tempfile::tempdir()?;
        let lanes = Lanes::new(arguments.lanes.unwrap_or_else(Path::best))?;
        Stages::new(folder.path(), clients()?, frames, lanes)?.run(stage, bursts)?;
        return Ok(());
    }
    // A machine with one core has no other.
    let _ = pin::pin_current(arguments.core);
    let memory = disk::memory_folder(arguments.memory.clone())?;
    let in_memory = tempfile::tempdir_in(&memory)?;
    let on_disk = tempfile::tempdir_in(&arguments.disk)?;
    let mut tmpfs = Replay::new(in_memory.path(), clients()?, frames.clone(), &options)?;
    let mut disk = Replay::new(on_disk.path(), clients()?, frames.clone(), &options)?;
    tmpfs.check(10_000)?;
    disk.check(10_000)?;
    let alone = tempfile::tempdir_in(&memory)?;
    let lanes = Lanes::new(arguments.lanes.unwrap_or_else(Path::best))?;
    let mean_length = frames.mean_length;
    let mut stages = Stages::new(alone.path(), clients()?, frames, lanes)?;

    let (rounds, requests) = if arguments.quick { (10, 16_384) } else { (150, 65_536) };
    let mut whole = [Vec::new(), Vec::new()];
    let mut each = vec![Vec::new(); STAGES.len()];
    for _ in 0..rounds {
        for (replay, runs) in [&mut tmpfs, &mut disk].into_iter().zip(&mut whole) {
            runs.push(replay.run(requests)?.ns_per_request());
        }
        for (stage, runs) in STAGES.iter().zip(&mut each) {
            runs.push(stages.run(stage, requests as usize / BURST / 8)?);
        }
    }
    ensure!(!whole[0].is_empty(), "nothing was measured");
    let case = format!("four vendors, {mean_length:.0} octets, {} clients", arguments.clients);
    for (path, runs) in ["tmpfs", "disk"].into_iter().zip(&whole) {
        Measurement::new("replay", &case, path, "time_per_request", "ns", runs).report();
        let rates: Vec<f64> = runs.iter().map(|ns| 1e9 / ns).collect();
        Measurement::new("replay", &case, path, "requests_per_second", "1/s", &rates).report();
    }
    for (stage, runs) in STAGES.iter().zip(&each) {
        let runs = match preceding(stage).and_then(|before| STAGES.iter().position(|stage| *stage == before))
        {
            Some(before) => runs.iter().zip(&each[before]).map(|(all, part)| (all - part).max(0.0)).collect(),
            None => runs.clone(),
        };
        Measurement::new("replay", &case, "tmpfs", &format!("stage_{stage}"), "ns", &runs).report();
    }
    instructions(&case, &arguments)
}

/// What a stage begins with although it is a stage of its own, and so is to be taken off: `commit` fills its batches as
/// `append` does, `sign` parses.
fn preceding(stage: &str) -> Option<&'static str> {
    match stage {
        "commit" => Some("append"),
        "sign" => Some("parse"),
        _ => None,
    }
}

/// The instructions of each stage, counted by callgrind with the best digests that it knows (it has no AVX-512).
fn instructions(case: &str, arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.lanes == Some(Path::Avx512) {
        let why = "valgrind knows no AVX-512: run with --lanes avx2 for the instructions of that path";
        Measurement::missing("replay", case, "callgrind", why).report();
        return Ok(());
    }
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        let why = "valgrind is not installed: apt-get install valgrind";
        Measurement::missing("replay", case, "callgrind", why).report();
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut counts = Vec::new();
    for stage in STAGES {
        // Start and end fall out of the difference of two runs.
        let [few, many] = [16, 80].map(|bursts| count(folder.path(), &arguments.of_stage(stage, bursts)));
        counts.push((many? - few?) / (64 * BURST) as f64);
    }
    let of =
        |name: &str| STAGES.iter().zip(&counts).find(|(stage, _)| **stage == name).map_or(0.0, |(_, n)| *n);
    for stage in STAGES {
        // Every stage has its frames brought near first, which is what `receive` does.
        let near = if stage == "receive" { 0.0 } else { of("receive") };
        let before = preceding(stage).map_or(0.0, |before| of(before) - of("receive"));
        let own = of(stage) - near - before;
        Measurement::new("replay", case, "callgrind", &format!("instructions_{stage}"), "1", &[own]).report();
    }
    Ok(())
}

fn count(folder: &std::path::Path, arguments: &[String]) -> anyhow::Result<f64> {
    let profile = folder.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", profile.display()));
    valgrind.arg(std::env::current_exe()?).args(arguments);
    let output = valgrind.output().context("cannot run valgrind")?;
    ensure!(output.status.success(), "{valgrind:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&profile).context("cannot read what callgrind wrote")?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("callgrind's total")?;
    Ok(total.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_alone_is_run_over_what_the_whole_is_run_over() {
        for line in [&["replay"][..], &["replay", "--clients", "7", "--slot", "0", "--lanes", "scalar"]] {
            let whole = Arguments::parse_from(line);
            let child = whole.of_stage("verify", 16);
            let one = Arguments::parse_from([line[0]].into_iter().chain(child.iter().map(String::as_str)));
            assert_eq!((one.stage.as_deref(), one.bursts), (Some("verify"), Some(16)));
            assert_eq!((one.clients, one.slot, one.lanes), (whole.clients, whole.slot, whole.lanes));
        }
    }
}
