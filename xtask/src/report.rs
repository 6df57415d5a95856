//! The files that `cargo xtask bench` leaves: results as lines of JSON, and the page that shows them. The page is made
//! by the program `report` of the package `benches`, so that this one needs nothing to draw.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, ensure};

use crate::program::{cargo_for, succeed};

/// Where a run of all benches leaves its files unless it is told otherwise.
const FOLDER: &str = "target/bench";

/// Which files are wanted.
#[derive(clap::Args)]
pub(crate) struct Files {
    /// Write the results to FILE, a line of JSON each [with all benches: target/bench/results.jsonl]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show the results as one page in FILE [with all benches: target/bench/report.html]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// On the page, compare with the results of an earlier run; may be the file that this run replaces
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

/// The line of results that says that a bench is missing, and why.
///
/// # Errors
/// When the program that writes it does not run.
pub(crate) fn missing(bench: &str, reason: &str) -> anyhow::Result<String> {
    let mut report = cargo_for("run", "report");
    report.args(["--quiet", "--release", "--", "--missing", bench, reason]).stderr(Stdio::null());
    let output = report.output().with_context(|| format!("cannot run {report:?}"))?;
    ensure!(output.status.success(), "{report:?}: {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Results as they come in.
pub(crate) struct Gathering {
    json: PathBuf,
    html: Option<PathBuf>,
    against: Option<PathBuf>,
    /// Beside `json`, whose earlier results stay until all benches are through.
    unfinished: PathBuf,
    lines: File,
}

impl Files {
    /// Results alone.
    #[cfg(test)]
    pub(crate) fn of_json(json: PathBuf) -> Files {
        Files { json: Some(json), html: None, against: None }
    }

    /// Begins to write; none if no file is wanted. `all`: whether all benches run.
    pub(crate) fn gather(&self, all: bool) -> anyhow::Result<Option<Gathering>> {
        let default = |name: &str| all.then(|| Path::new(FOLDER).join(name));
        let html = self.html.clone().or_else(|| default("report.html"));
        let json = self.json.clone().or_else(|| default("results.jsonl"));
        // A page needs results to read.
        let json = json.or_else(|| html.as_ref().map(|html| html.with_extension("jsonl")));
        let Some(json) = json else { return Ok(None) };
        for file in [Some(&json), html.as_ref()].into_iter().flatten() {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            }
        }
        if let Some(against) = &self.against {
            // Better now than after an hour of benches.
            File::open(against).with_context(|| format!("cannot read {}", against.display()))?;
        }
        let mut unfinished = json.clone().into_os_string();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let lines =
            File::create(&unfinished).with_context(|| format!("cannot write {}", unfinished.display()))?;
        Ok(Some(Gathering { json, html, against: self.against.clone(), unfinished, lines }))
    }
}

impl Gathering {
    /// Adds a line of a bench.
    pub(crate) fn add(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.lines, "{line}").with_context(|| format!("cannot write {}", self.unfinished.display()))
    }

    /// Makes the page, puts the results where they are wanted, and says where both are.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        if let Some(html) = &self.html {
            let mut report = cargo_for("run", "report");
            report.args(["--quiet", "--release", "--"]);
            report.arg(&self.unfinished).arg("--out").arg(html);
            if let Some(against) = &self.against {
                report.arg("--against").arg(against);
            }
            succeed(&mut report)
                .with_context(|| format!("the results are in {}", self.unfinished.display()))?;
            eprintln!("the page: {}", html.display());
        }
        fs::rename(&self.unfinished, &self.json)
            .with_context(|| format!("cannot replace {}", self.json.display()))?;
        eprintln!("the results: {}", self.json.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(json: Option<PathBuf>, html: Option<PathBuf>) -> Files {
        Files { json, html, against: None }
    }

    #[test]
    fn earlier_results_stay_until_the_new_ones_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("deep/results.jsonl");
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(&json, "earlier\n").unwrap();
        let mut gathering = files(Some(json.clone()), None).gather(false).unwrap().unwrap();
        gathering.add("new").unwrap();
        assert_eq!(fs::read_to_string(&json).unwrap(), "earlier\n");
        gathering.finish().unwrap();
        assert_eq!(fs::read_to_string(&json).unwrap(), "new\n");
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn single_benches_leave_only_the_files_that_are_asked_for() {
        assert!(files(None, None).gather(false).unwrap().is_none());
        let folder = tempfile::tempdir().unwrap();
        let page = files(None, Some(folder.path().join("x.html"))).gather(false).unwrap().unwrap();
        assert_eq!(page.json, folder.path().join("x.jsonl"));
    }

    #[test]
    fn an_earlier_run_that_is_not_there_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let against = Some(folder.path().join("none.jsonl"));
        let html = Some(folder.path().join("x.html"));
        let error = Files { json: None, html, against }.gather(true).err().unwrap();
        assert!(error.to_string().contains("none.jsonl"), "{error}");
    }
}
