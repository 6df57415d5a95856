//! `vpn-sensor latency`: where the time between arrival and answer goes, asked of a running sensor.

use std::{fmt::Write as _, fs, io::Write as _, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};

use super::{Common, Exit, Failure, endpoint::Endpoint, units::duration};

/// The sensor answers at once; a worker in the middle of a burst makes it wait for some milliseconds.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Options of `latency`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The running sensor's metrics address; by default the configuration's
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,
    /// One stage only: arrival_to_worker, verify, batch, commit, respond or total
    #[arg(long)]
    stage: Option<String>,
    /// Write the stage's percentile distribution (.hgrm, for HdrHistogram's plotters) to FILE
    #[arg(long, value_name = "FILE", requires = "stage")]
    hgrm: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// The body of `/latency`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Latency {
    /// In the order of a request's way.
    pub(super) stages: Vec<Stage>,
}

/// A stage's times since the sensor's start.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) count: u64,
    pub(super) min_ns: u64,
    pub(super) max_ns: u64,
    pub(super) mean_ns: f64,
    /// Pairs of percentile (0 to 100) and nanoseconds, ascending.
    pub(super) percentiles: Vec<(f64, u64)>,
}

impl Latency {
    /// Asks a sensor.
    pub(super) fn ask(endpoint: &Endpoint) -> anyhow::Result<Latency> {
        let body = endpoint.get("/latency")?;
        serde_json::from_str(&body)
            .with_context(|| format!("the answer of {} is not the one of a vpn-sensor", endpoint.address()))
    }
}

impl Stage {
    /// The time that this share of requests (0 to 100) did not exceed, nanoseconds.
    pub(super) fn percentile(&self, wanted: f64) -> u64 {
        self.percentiles.iter().find(|(at, _)| *at >= wanted).map_or(self.max_ns, |(_, ns)| *ns)
    }
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let endpoint = Endpoint::of(self.address, common, TIMEOUT)?;
        if let (Some(stage), Some(path)) = (&self.stage, &self.hgrm) {
            let text = endpoint.get(&format!("/latency?format=hgrm&stage={stage}"))?;
            fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
            return Ok(());
        }
        let mut latency = Latency::ask(&endpoint)?;
        if let Some(wanted) = &self.stage {
            let known = latency.stages.iter().map(|stage| stage.stage.clone()).collect::<Vec<_>>().join(", ");
            latency.stages.retain(|stage| stage.stage == *wanted);
            if latency.stages.is_empty() {
                return Err(Failure::new(
                    Exit::Usage,
                    anyhow!("there is no stage {wanted}; there are {known}"),
                ));
            }
        }
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&latency).context("writing JSON")?)?;
        } else {
            out.write_all(table(&latency.stages).as_bytes())?;
        }
        Ok(())
    }
}

const PLOT_WIDTH: usize = 48;
const COLUMNS: [(&str, f64); 5] =
    [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9), ("max", 100.0)];

fn table(stages: &[Stage]) -> String {
    let seen: Vec<&Stage> = stages.iter().filter(|stage| stage.count > 0).collect();
    let mut text = format!("{:<18}{:>10}", "stage", "count");
    for (title, _) in COLUMNS {
        let _ = write!(text, "{title:>10}");
    }
    let axis = Axis::over(&seen);
    let _ = writeln!(text, "  {}", axis.as_ref().map(Axis::labels).unwrap_or_default());
    for stage in stages {
        let _ = write!(text, "{:<18}{:>10}", stage.stage, stage.count);
        for (_, at) in COLUMNS {
            let shown = if stage.count == 0 { "-".to_owned() } else { duration(stage.percentile(at)) };
            let _ = write!(text, "{shown:>10}");
        }
        let plot = match &axis {
            Some(axis) if stage.count > 0 => axis.plot(stage),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {plot}");
    }
    if seen.is_empty() {
        text.push_str("\nNothing was measured yet: send a request (`vpn-sensor send`) and look again.\n");
    } else {
        text.push_str("\nplot: . from the least, # from p50 to p90, = to p99, - to the greatest; the axis is logarithmic\n");
    }
    text
}

/// A logarithmic axis over whole decades.
struct Axis {
    first_decade: i32,
    decades: i32,
}

impl Axis {
    fn over(stages: &[&Stage]) -> Option<Axis> {
        let least = stages.iter().map(|stage| stage.min_ns.max(1)).min()?;
        let greatest = stages.iter().map(|stage| stage.max_ns.max(1)).max()?;
        let first_decade = (least as f64).log10().floor() as i32;
        let last_decade = (greatest as f64).log10().ceil() as i32;
        Some(Axis { first_decade, decades: (last_decade - first_decade).max(1) })
    }

    fn column(&self, ns: u64) -> usize {
        let decades = (ns.max(1) as f64).log10() - f64::from(self.first_decade);
        let column = decades / f64::from(self.decades) * (PLOT_WIDTH - 1) as f64;
        (column.round() as usize).min(PLOT_WIDTH - 1)
    }

    fn labels(&self) -> String {
        let mut line = vec![' '; PLOT_WIDTH + 8];
        let mut free_from = 0;
        for decade in 0..=self.decades {
            let ns = 10u64.saturating_pow((self.first_decade + decade).max(0) as u32);
            let column = self.column(ns);
            let label = match ns {
                0..1_000 => format!("{ns}ns"),
                1_000..1_000_000 => format!("{}us", ns / 1_000),
                1_000_000..1_000_000_000 => format!("{}ms", ns / 1_000_000),
                _ => format!("{}s", ns / 1_000_000_000),
            };
            if column >= free_from && column + label.len() <= line.len() {
                for (place, character) in line[column..].iter_mut().zip(label.chars()) {
                    *place = character;
                }
                free_from = column + label.len() + 1;
            }
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }

    fn plot(&self, stage: &Stage) -> String {
        let mut line = vec![' '; PLOT_WIDTH];
        let marks = [
            (stage.min_ns, stage.percentile(50.0), '.'),
            (stage.percentile(99.0), stage.max_ns, '-'),
            (stage.percentile(90.0), stage.percentile(99.0), '='),
            (stage.percentile(50.0), stage.percentile(90.0), '#'),
        ];
        for (from, to, mark) in marks {
            let (from, to) = (self.column(from), self.column(to));
            line[from..=to.max(from)].fill(mark);
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, count: u64) -> Stage {
        Stage {
            stage: name.to_owned(),
            count,
            min_ns: 20_000,
            max_ns: 9_000_000,
            mean_ns: 200_000.0,
            percentiles: vec![
                (50.0, 110_000),
                (90.0, 250_000),
                (99.0, 900_000),
                (99.9, 4_000_000),
                (100.0, 9_000_000),
            ],
        }
    }

    #[test]
    fn rows_align_and_the_plot_is_in_order() {
        let text = table(&[stage("commit", 100), stage("arrival_to_worker", 0), stage("total", 12_345_678)]);
        let lines: Vec<&str> = text.lines().collect();
        let head = lines[0].find("p50").unwrap() + 3;
        assert_eq!(&lines[1][..head], "commit                   100    110 us");
        assert_eq!(&lines[2][..head], "arrival_to_worker          0         -");
        assert_eq!(&lines[3][..head], "total               12345678    110 us");
        let plot = lines[1].trim_end().rsplit("  ").next().unwrap();
        let order: Vec<char> = plot.chars().fold(Vec::new(), |mut seen, mark| {
            if seen.last() != Some(&mark) {
                seen.push(mark);
            }
            seen
        });
        assert_eq!(order, ['.', '#', '=', '-']);
        assert!(lines[0].contains("10us") && lines[0].contains("10ms"), "{}", lines[0]);
    }

    #[test]
    fn nothing_measured_says_what_to_do() {
        assert!(table(&[stage("total", 0)]).contains("vpn-sensor send"));
        assert!(table(&[]).contains("vpn-sensor send"));
    }

    #[test]
    fn equal_values_still_draw() {
        let mut flat = stage("total", 1);
        (flat.min_ns, flat.max_ns, flat.percentiles) = (1000, 1000, vec![(100.0, 1000)]);
        assert!(table(&[flat]).lines().nth(1).unwrap().contains('#'));
    }
}
