//! What `send` prints at the end.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use serde_json::{Value, json};

use crate::send::{Progress, Report};

const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

pub(super) fn text(
    out: &mut impl Write,
    report: &Report,
    to: SocketAddr,
    bad_secret: bool,
) -> io::Result<()> {
    let Progress { sent, answered, unanswered, repeated } = report.progress;
    let seconds = report.elapsed.as_secs_f64();
    writeln!(out, "sent to {to}  {sent} in {seconds:.3} s ({:.0}/s)", sent as f64 / seconds.max(1e-9))?;
    writeln!(out, "answered     {answered}")?;
    let loss = unanswered as f64 * 100.0 / sent.max(1) as f64;
    writeln!(out, "unanswered   {unanswered} ({loss:.2} %)")?;
    writeln!(out, "repeated     {repeated}")?;
    writeln!(out, "wrong        {}", report.wrong_total())?;
    for (flaw, count) in &report.wrong {
        writeln!(out, "             {count} {}", flaw.replace('_', " "))?;
    }
    if report.surplus > 0 {
        writeln!(out, "surplus      {} (late, or the second answer to a repetition)", report.surplus)?;
    }
    if !report.latency.is_empty() {
        write!(out, "latency      min {}", duration(report.latency.min()))?;
        for (name, quantile) in QUANTILES {
            write!(out, "  {name} {}", duration(report.latency.value_at_quantile(quantile)))?;
        }
        writeln!(out, "  max {}", duration(report.latency.max()))?;
    }
    match (answered, bad_secret) {
        (0, false) if report.refused > 0 => writeln!(out, "Nobody listens on {to}."),
        (0, false) => writeln!(
            out,
            "No answer: is this host's address a client of the server, is the secret the same on both sides, can the \
             server write its journal?"
        ),
        (0, true) if report.refused > 0 => {
            writeln!(out, "Nobody listens on {to}: this silence says nothing about the secret.")
        }
        (0, true) if report.wrong_total() == 0 => writeln!(out, "Silence, as a wrong secret deserves."),
        _ => Ok(()),
    }
}

/// Latencies in seconds, as all times in machine-readable output.
pub(super) fn json(out: &mut impl Write, report: &Report, good: bool) -> io::Result<()> {
    let Progress { sent, answered, unanswered, repeated } = report.progress;
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let latency = if report.latency.is_empty() {
        Value::Null
    } else {
        let mut latency = json!({"min": seconds(report.latency.min()), "max": seconds(report.latency.max())});
        for (name, quantile) in QUANTILES {
            latency[name] = seconds(report.latency.value_at_quantile(quantile)).into();
        }
        latency
    };
    let line = json!({
        "sent": sent,
        "answered": answered,
        "unanswered": unanswered,
        "repeated": repeated,
        "wrong": report.wrong_total(),
        "wrong_by_flaw": report.wrong,
        "surplus": report.surplus,
        "refused": report.refused,
        "elapsed_seconds": report.elapsed.as_secs_f64(),
        "latency_seconds": latency,
        "good": good,
    });
    writeln!(out, "{line}")
}

fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000 => format!("{:.0} µs", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.2} s", nanoseconds as f64 / 1e9),
    }
}
