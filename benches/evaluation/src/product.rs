//! The product's own scores: what `vpn-sensor backtest` prints for a past, or a file of such lines.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use serde::Deserialize;

use crate::label::Label;

/// What it is called in figures.
pub const NAME: &str = "vpn-sensor";

/// Where scores come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The program.
    Sensor(PathBuf),
    /// A file of lines, or a folder of files that are named by their seed: `101.jsonl`.
    Scores(PathBuf),
}

/// One line; other fields are of no interest here.
#[derive(Debug, Deserialize)]
struct Line {
    n: usize,
    score: f64,
    alert: bool,
}

/// A score for each label, and which of them are alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// The scores.
    pub scores: Vec<f64>,
    /// Whether today's thresholds make alerts of them.
    pub alerts: Vec<bool>,
}

impl Source {
    /// Scores the Starts of a past. `geo_update`: from then on this database is asked first; the scores in files know of
    /// it already.
    ///
    /// # Errors
    /// The program does not run or fails, the file cannot be read, or a Start has no score.
    pub fn scores(
        &self,
        events: &Path,
        geo_update: Option<(Timestamp, PathBuf)>,
        seed: u64,
        labels: &[Label],
    ) -> anyhow::Result<Scores> {
        match self {
            Source::Sensor(sensor) => backtest(sensor, events, geo_update, labels),
            Source::Scores(path) => {
                let path = if path.is_dir() { path.join(format!("{seed}.jsonl")) } else { path.clone() };
                let file = File::open(&path)
                    .with_context(|| format!("cannot read the scores {}: check the path", path.display()))?;
                read(BufReader::new(file), labels).with_context(|| path.display().to_string())
            }
        }
    }
}

fn backtest(
    sensor: &Path,
    events: &Path,
    geo_update: Option<(Timestamp, PathBuf)>,
    labels: &[Label],
) -> anyhow::Result<Scores> {
    let mut command = Command::new(sensor);
    command.arg("backtest").arg(events);
    if let Some((at, file)) = geo_update {
        let mut value = OsString::from(format!("{at}="));
        value.push(file);
        command.arg("--geo-update").arg(value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| {
        format!(
            "cannot run {}: build it with 'cargo build --release -p vpn-sensor' or name it with --sensor",
            sensor.display()
        )
    })?;
    let Some(output) = child.stdout.take() else { bail!("{} has no output", sensor.display()) };
    // Its summary is of no interest, what is wrong is; nobody is kept waiting at a full pipe.
    let complaints = child.stderr.take().map(|stderr| thread::spawn(move || io::read_to_string(stderr)));
    let scores = read(BufReader::new(output), labels);
    let status = child.wait()?;
    let complaints = complaints.and_then(|thread| thread.join().ok()?.ok()).unwrap_or_default();
    let what = format!("'{} backtest {}'", sensor.display(), events.display());
    if !status.success() {
        bail!("{what} failed ({status}); --baselines-only goes without it. It said: {}", complaints.trim());
    }
    scores.with_context(|| format!("what {what} printed"))
}

/// Reads lines and puts them in the order of the labels.
///
/// # Errors
/// A line is not one of scores, there are two for one line of the past, one for what is no Start, or none for a Start.
fn read(lines: impl BufRead, labels: &[Label]) -> anyhow::Result<Scores> {
    let places: HashMap<_, _> = labels.iter().enumerate().map(|(at, label)| (label.n, at)).collect();
    let mut found: Vec<Option<(f64, bool)>> = vec![None; labels.len()];
    for (at, line) in lines.lines().enumerate() {
        let line = line?;
        let Line { n, score, alert } =
            serde_json::from_str(&line).with_context(|| format!("line {}: no score of a Start", at + 1))?;
        let place =
            places.get(&n).with_context(|| format!("line {}: line {n} of the past is no Start", at + 1))?;
        ensure!(found[*place].is_none(), "line {}: a second score for line {n} of the past", at + 1);
        found[*place] = Some((score, alert));
    }
    let mut scores = Scores::default();
    for (label, found) in labels.iter().zip(found) {
        let (score, alert) = found.with_context(|| {
            format!("no score for the Start in line {} of the past: are they of the same past?", label.n)
        })?;
        scores.scores.push(score);
        scores.alerts.push(alert);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Truth;

    fn labels() -> Vec<Label> {
        [1, 4]
            .map(|n| Label {
                n,
                user: "user001@contoso.example".to_owned(),
                label: Truth::Genuine,
                attacker: None,
                model: None,
                difficulties: Vec::new(),
            })
            .to_vec()
    }

    const LINES: &str = r#"{"n":1,"user":"user001@contoso.example","score":0,"reasons":[],"alert":false}
{"n":4,"user":"user001@contoso.example","score":7.25,"reasons":["first-country"],"alert":true}
"#;

    #[test]
    fn scores_are_those_of_their_lines() {
        let scores = read(LINES.as_bytes(), &labels()).unwrap();
        assert_eq!(scores, Scores { scores: vec![0.0, 7.25], alerts: vec![false, true] });
    }

    #[test]
    fn what_does_not_fit_the_past_is_told() {
        let fault = |lines: &str| format!("{:#}", read(lines.as_bytes(), &labels()).unwrap_err());
        let first = LINES.lines().next().unwrap();
        assert!(fault(first).contains("no score for the Start in line 4"));
        assert!(fault(&format!("{first}\n{first}\n")).contains("a second score for line 1"));
        assert!(fault(&LINES.replace("\"n\":4", "\"n\":3")).contains("line 3 of the past is no Start"));
        assert!(fault("no json\n").contains("line 1: no score"));
    }

    #[test]
    fn a_program_that_is_not_there_or_cannot_do_it_is_told() {
        let fault = |sensor: &str| {
            let source = Source::Sensor(sensor.into());
            format!("{:#}", source.scores(Path::new("/nonexistent.jsonl"), None, 1, &labels()).unwrap_err())
        };
        assert!(fault("/nonexistent/vpn-sensor").contains("cargo build --release -p vpn-sensor"));
        assert!(fault("/bin/false").contains("--baselines-only"));
        // It is asked for two files that are not there, and says so.
        let said = fault("/bin/ls");
        assert!(
            said.split("It said: ").nth(1).is_some_and(|words| words.contains("nonexistent.jsonl")),
            "{said}"
        );
    }

    #[test]
    fn a_folder_holds_a_file_for_each_seed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("7.jsonl"), LINES).unwrap();
        let source = Source::Scores(folder.path().to_owned());
        assert_eq!(source.scores(Path::new("unused"), None, 7, &labels()).unwrap().scores, [0.0, 7.25]);
        let missing = source.scores(Path::new("unused"), None, 8, &labels()).unwrap_err();
        assert!(missing.to_string().contains("8.jsonl"));
    }
}
