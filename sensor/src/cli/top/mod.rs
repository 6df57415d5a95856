//! `vpn-sensor top`: a running sensor in the terminal, by what it says at its metrics address.
//!
//! `scrape` makes a `Sample` of the answers, `frame` two samples into what is shown, `rows` that into tables. Those
//! are drawn by `screen` (which knows no terminal; `live` does) or printed by `plain`.

mod frame;
mod histogram;
mod live;
mod plain;
mod rows;
mod scrape;
mod screen;

#[cfg(test)]
mod fixture;

use std::{
    env,
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::{Common, Failure, endpoint::Endpoint};
use crate::config;
use frame::Frame;
use scrape::Sample;

/// A sensor that takes longer than this to answer has gone away, as far as a person can tell.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Options of `top`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Keys: q quit, p pause, tab and 1 to 4 choose the panel, s sorts the clients, arrows scroll. \
                        NO_COLOR in the environment switches colours off."
)]
pub(super) struct Arguments {
    /// The running sensor's metrics address; by default the configuration's
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,
    /// Time between two looks, such as 500ms or 5s
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Print one frame as text, with the rates of one interval, and end; so it does anyway when standard output is
    /// not a terminal
    #[arg(long)]
    once: bool,
    /// Print one line of JSON a sample instead of drawing
    #[arg(long)]
    json: bool,
    /// Print this many samples and end; 0: go on until stopped
    #[arg(long, value_name = "NUMBER", conflicts_with = "once")]
    samples: Option<u64>,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = config::duration(text)?;
    let range = Duration::from_millis(100)..=Duration::from_secs(3600);
    if range.contains(&interval) { Ok(interval) } else { Err("must be 100ms to 1h".to_owned()) }
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let endpoint = Endpoint::of(self.address, common, TIMEOUT)?;
        let terminal = std::io::stdout().is_terminal();
        let samples = match self.samples {
            Some(0) => None,
            Some(samples) => Some(samples),
            None if self.once || !terminal => Some(1),
            None if self.json => None,
            None => return live::run(&endpoint, self.interval, colours()),
        };
        self.print(&endpoint, samples)
    }

    /// Prints samples, each with the rates since the one before.
    fn print(&self, endpoint: &Endpoint, samples: Option<u64>) -> Result<(), Failure> {
        let mut before = None;
        let mut printed = 0;
        while samples.is_none_or(|samples| printed < samples) {
            let began = Instant::now();
            match (Sample::ask(endpoint), &before) {
                (Ok(now), None) => before = Some(now),
                (Ok(now), Some(earlier)) => {
                    self.print_frame(&Frame::new(endpoint.address(), Some(earlier), &now))?;
                    printed += 1;
                    before = Some(now);
                    if samples == Some(printed) {
                        break;
                    }
                }
                // Who asks for a number of samples wants to know that they cannot be had.
                (Err(error), _) if samples.is_some() => return Err(error.into()),
                (Err(error), _) => tracing::warn!("still trying: {error:#}"),
            }
            thread::sleep(self.interval.saturating_sub(began.elapsed()));
        }
        Ok(())
    }

    fn print_frame(&self, frame: &Frame) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(frame).context("writing JSON")?)?;
        } else {
            out.write_all(plain::text(frame).as_bytes())?;
        }
        Ok(out.flush()?)
    }
}

/// Whether colours are wanted (<https://no-color.org>). Asked only when a terminal is drawn on.
fn colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_a_unit_and_bounds() {
        assert_eq!(interval("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["1", "1ms", "2h", "-1s", "soon"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
