//! What paths, metrics and benches are called on the page.

/// The benches in the order of the page, each with what it answers and how to run it.
pub(super) const BENCHES: [(&str, &str); 10] = [
    (
        "wire",
        "The sensor beside FreeRADIUS and a bare echo, on the same veth with the same load in the same run.",
    ),
    ("replay", "Frames in memory through the real worker and journal on one core: no network, no waiting."),
    ("digest", "What verifying costs, against the crate md-5 one request after the other."),
    ("latency", "From the moment when a request had to leave to its answer, against load."),
    (
        "scale",
        "Whether a request costs the same with more clients, more to remember, longer requests, more workers.",
    ),
    ("memory", "Resident memory under rising load, overload, and over time."),
    ("knobs", "What each knob for tuning moves, value by value, under the same load."),
    ("load", "One load of a chosen rate and mix against the sensor, every answer verified."),
    (
        "insight",
        "What becomes of records on one core, of users who are learned: sessions, places and detections (with their mix of Starts, Interim-Updates and Stops), storing, rebuilding, backtest over a past.",
    ),
    ("portal", "How soon the portal's pages are there, with a company of people behind them."),
];

/// A path as a sentence names it. A path that is not known keeps its name.
pub(super) fn path(path: &str) -> &str {
    match path {
        "xdp" => "XDP",
        "udp" => "kernel UDP",
        "echo" => "bare echo",
        "freeradius" => "FreeRADIUS",
        "freeradius-detail" => "FreeRADIUS with its detail file",
        other if other.starts_with("fdatasync-beside") => "fdatasync alone",
        other => other,
    }
}

/// Whether a case is a rate that was set, not reached: then its cost tells something and its throughput nothing.
pub(super) fn is_set_rate(case: &str) -> bool {
    case.ends_with(" a second")
}

/// A path where there is little room.
pub(super) fn short_path(path: &str) -> &str {
    match path {
        "freeradius-detail" => "FreeRADIUS, detail",
        other => self::path(other),
    }
}

/// Whether a path is what the sensor is compared with.
pub(super) fn is_peer(path: &str) -> bool {
    matches!(path, "echo" | "freeradius" | "freeradius-detail" | "md-5") || path.starts_with("fdatasync")
}

/// A metric in words.
pub(super) fn metric(metric: &str) -> String {
    metric.replace('_', " ").replace("cpu", "CPU")
}

/// Which way a metric gets better; none for one that describes and is neither good nor bad.
pub(super) fn better(metric: &str) -> Option<Better> {
    let smaller =
        ["latency_", "stage_", "cycles", "instructions", "resident", "growth", "bytes_", "lost", "loss"];
    if smaller.iter().any(|prefix| metric.starts_with(prefix))
        || ["_per_request", "_per_user", "_seconds"].iter().any(|end| metric.ends_with(end))
    {
        Some(Better::Smaller)
    } else if metric == "speedup" || (metric.ends_with("_per_second") && metric != "sent_per_second") {
        Some(Better::Larger)
    } else {
        None
    }
}

/// Which of two values is the better one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Better {
    Smaller,
    Larger,
}
