//! `send --month`: the month of a small company, compressed in time. For the demo, so the help does not show it.

use std::{
    io::{self, IsTerminal, Write},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use jiff::Timestamp;

use super::{Failure, positive, unix_ns};
use traffic::{Vendor, month::Month};

use crate::{
    config::Secret,
    send::{Pace, Plan, Progress, exchange},
};

/// Options of the month.
#[derive(Debug, clap::Args)]
pub(super) struct MonthArguments {
    /// Send a month that ends now, each VPN server's part from one of these addresses: RRAS, F5, Check Point, ASA
    #[arg(
        long,
        hide = true,
        value_name = "ADDR,ADDR,ADDR,ADDR",
        value_delimiter = ',',
        conflicts_with_all = ["source", "vendor", "status", "user", "session", "calling_station_id", "attribute",
            "count", "rate", "bad_secret", "pcap"]
    )]
    pub(super) month: Option<Vec<IpAddr>>,
    /// How long it takes to send the month
    #[arg(long, hide = true, value_name = "SECONDS", default_value_t = 15.0, value_parser = positive)]
    month_seconds: f64,
}

impl super::Arguments {
    /// Sends the month in the order in which it happened, from all VPN servers by turns.
    pub(super) fn send_month(
        &self,
        to: SocketAddr,
        sources: &[IpAddr],
        secret: Secret,
        seed: u64,
    ) -> Result<(), Failure> {
        let usage = |message: &str| Failure::new(super::Exit::Usage, anyhow::anyhow!("--month {message}"));
        if sources.len() != Vendor::ALL.len() {
            return Err(usage("wants four addresses: of RRAS, F5, Check Point, ASA"));
        }
        if sources.iter().any(|source| source.is_ipv4() != to.is_ipv4()) {
            return Err(usage("and --to are of two address families"));
        }
        let month = Month::new(seed, unix_ns() / 1_000_000_000);
        let reports = month.reports();
        let first_s = reports.first().map_or(0, |report| report.unix_s);
        let span_s = reports.last().map_or(0, |report| report.unix_s - first_s).max(1);
        let schedule = reports.iter().map(|report| {
            let part = (report.unix_s - first_s) as f64 / span_s as f64;
            (Duration::from_secs_f64(part * self.month.month_seconds), report.vendor as usize)
        });
        let plan = Plan {
            to,
            sources: sources.iter().map(|source| SocketAddr::new(*source, 0)).collect(),
            secret: secret.clone(),
            count: reports.len() as u64,
            pace: Pace::Schedule(schedule.collect()),
            window: self.window as usize,
            timeout: Duration::from_secs_f64(self.timeout),
            retries: self.retries,
        };
        let mut buffer = vec![0; radius::MAX_LENGTH];
        let show = io::stderr().is_terminal();
        let report = exchange(
            &plan,
            |number, identifier| {
                let report = &reports[number as usize];
                let attributes = month.attributes(report, unix_ns() / 1_000_000_000);
                traffic::write(&mut buffer, report.status, identifier, &[0; 16], &attributes, secret.octets())
                    .map(<[u8]>::to_vec)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
            },
            |_, _| Ok(()),
            |progress| {
                if show {
                    let last = progress.sent.checked_sub(1).and_then(|number| reports.get(number as usize));
                    show_progress(progress, last.map_or(first_s, |report| report.unix_s), plan.count);
                }
            },
        );
        if show {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        let report = report.map_err(|error| anyhow::Error::new(error).context(format!("sending to {to}")))?;
        self.summarize(&report, to)
    }
}

/// How far the month has come.
fn show_progress(progress: &Progress, unix_s: u64, count: u64) {
    let at = Timestamp::from_second(unix_s as i64).unwrap_or_default();
    let at = at.strftime("%a %e %b %H:%M UTC");
    let Progress { sent, answered, repeated, .. } = progress;
    let _ = write!(
        io::stderr(),
        "\r\x1b[K{at}  {sent} of {count} sent, {answered} answered, {repeated} repeated"
    );
}
