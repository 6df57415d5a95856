//! What the first screen says in a sentence each: one figure, what it is, and what it is compared with.

use super::{
    figure::{figure, times},
    results::Results,
    wording,
};

/// A figure in large type, and the sentence that it stands in.
#[derive(Debug, PartialEq)]
pub(super) struct Headline {
    pub(super) figure: String,
    pub(super) sentence: String,
}

/// The ways into the sensor, the better one first.
const SENSOR: [&str; 2] = ["xdp", "udp"];
/// What the sensor is compared with, what does the most like it first.
const PEERS: [&str; 3] = ["freeradius-detail", "freeradius", "echo"];

/// A headline for each bench that has something to say.
pub(super) fn headlines(results: &Results) -> Vec<Headline> {
    [
        wire(results, "cpu_per_request"),
        wire(results, "requests_per_second"),
        replay(results),
        digest(results),
        latency(results),
        scale(results),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The sensor beside the most comparable peer that is there.
fn wire(results: &Results, metric: &str) -> Option<Headline> {
    let cost = metric == "cpu_per_request";
    let compared = |path: &str, peer: &str| {
        // In a closed loop, where each is as busy as it gets; else at the common rate.
        let mut found: Vec<_> = results
            .of("wire")
            .filter(|it| it.metric == metric && it.path == path)
            .filter_map(|own| Some((own, results.by_path(own, peer)?)))
            .collect();
        found
            .sort_by_key(|(own, _)| (wording::is_set_rate(&own.case), own.baseline.as_deref() != Some(peer)));
        found.first().copied()
    };
    let pairs = PEERS.iter().flat_map(|peer| SENSOR.iter().map(move |path| (path, peer)));
    let (own, theirs) = pairs.filter_map(|(path, peer)| compared(path, peer)).next()?;
    let ratio = match own.ratio {
        Some(ratio) if own.baseline.as_deref() == Some(&theirs.path) => ratio,
        _ if cost => theirs.median / own.median,
        _ => own.median / theirs.median,
    };
    let what = match (cost, ratio >= 1.0) {
        (true, true) => "less CPU a request than",
        (true, false) => "more CPU a request than",
        (false, true) => "the requests a second of",
        (false, false) => "fewer requests a second than",
    };
    let limits = match (own.limit.as_deref(), theirs.limit.as_deref()) {
        (Some(here), Some(there)) if !cost => format!("; limited by {here}, there by {there}"),
        _ => String::new(),
    };
    Some(Headline {
        figure: times(if ratio >= 1.0 { ratio } else { 1.0 / ratio }),
        sentence: format!(
            "{what} {}: {} {}, there {} ({}{limits})",
            wording::path(&theirs.path),
            wording::path(&own.path),
            figure(own.median, &own.unit),
            figure(theirs.median, &theirs.unit),
            own.case,
        ),
    })
}

fn replay(results: &Results) -> Option<Headline> {
    let times: Vec<_> = results.of("replay").filter(|it| it.metric == "time_per_request").collect();
    let time = times.iter().find(|it| it.path == "tmpfs").or_else(|| times.first())?;
    let mut sentence = format!(
        "requests on one core, from frame to committed: {} each, journal on {}",
        figure(time.median, &time.unit),
        time.path
    );
    if let Some(disk) = times.iter().find(|it| it.path == "disk" && it.path != time.path) {
        sentence += &format!(" ({} on disk)", figure(disk.median, &disk.unit));
    }
    Some(Headline { figure: figure(1e9 / time.median, "1/s"), sentence })
}

fn digest(results: &Results) -> Option<Headline> {
    let fast = results.of("digest").filter(|it| {
        it.metric == "time_per_request" && it.path != "md-5" && it.baseline.as_deref() == Some("md-5")
    });
    // Requests of a usual size, of all batches the one that suits the fastest path.
    let usual = fast.filter(|it| it.case.starts_with("200 octets"));
    let best = usual.max_by(|one, other| one.ratio.unwrap_or(0.0).total_cmp(&other.ratio.unwrap_or(0.0)))?;
    Some(Headline {
        figure: times(best.ratio?),
        sentence: format!(
            "verification against md-5 one by one: {} a request with {} ({})",
            figure(best.median, &best.unit),
            best.path,
            best.case
        ),
    })
}

/// The wait at half of the load that saturates, recorded durably.
fn latency(results: &Results) -> Option<Headline> {
    let half = |path: &str, metric: &str| {
        let durable = format!("{path}-durable");
        results.of("latency").find(|it| {
            it.case.starts_with("50 %") && it.path.replace('/', "-") == durable && it.metric == metric
        })
    };
    let path = SENSOR.into_iter().find(|path| half(path, "latency_p99").is_some())?;
    let (middle, high) = (half(path, "latency_p50")?, half(path, "latency_p99")?);
    Some(Headline {
        figure: figure(middle.median, &middle.unit),
        sentence: format!(
            "median wait for a durable answer by {} at {}; p99 {}",
            wording::path(path),
            high.case,
            figure(high.median, &high.unit)
        ),
    })
}

/// What much of everything costs against next to nothing of it.
fn scale(results: &Results) -> Option<Headline> {
    let many = results.of("scale").find(|it| {
        it.case == "clients and remembered requests" && it.metric == "time_per_request" && it.ratio.is_some()
    })?;
    let number = |text: &str| text.parse().map_or_else(|_| text.to_owned(), |number| figure(number, "1"));
    let in_words = |path: &str| match path.split_once(" and ") {
        Some((clients, remembered)) => {
            format!("{} clients and {} remembered requests", number(clients), number(remembered))
        }
        None => path.to_owned(),
    };
    Some(Headline {
        // How many times as long, not how many times as fast.
        figure: times(1.0 / many.ratio?),
        sentence: format!(
            "the time a request with {}: {}, against {}",
            in_words(&many.path),
            figure(many.median, &many.unit),
            in_words(many.baseline.as_deref()?)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::results::tests::{measured, results},
        *,
    };
    use crate::measure::Measurement;

    fn spread(median: f64) -> [f64; 3] {
        [median * 0.9, median, median * 1.1]
    }

    fn on_the_wire(path: &str, case: &str, metric: &str, median: f64) -> Measurement {
        let unit = if metric == "requests_per_second" { "1/s" } else { "ns" };
        measured(["wire", case, path, metric], unit, spread(median))
    }

    #[test]
    fn cost_is_compared_in_the_closed_loop_with_the_ratio_of_the_pairs() {
        let run = results(&[
            on_the_wire("freeradius-detail", "window 256", "cpu_per_request", 20_000.0),
            on_the_wire("freeradius-detail", "10000 a second", "cpu_per_request", 36_000.0),
            on_the_wire("xdp", "10000 a second", "cpu_per_request", 3000.0)
                .against("freeradius-detail", &[12.0]),
            on_the_wire("xdp", "window 256", "cpu_per_request", 2000.0).against("echo", &[0.5]),
            on_the_wire("xdp", "window 256", "cpu_per_request", 2000.0).against("freeradius-detail", &[10.5]),
        ]);
        let said = headlines(&run);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].figure, "10.5×");
        assert_eq!(
            said[0].sentence,
            "less CPU a request than FreeRADIUS with its detail file: XDP 2 µs, there 20 µs (window 256)"
        );
    }

    #[test]
    fn a_sensor_that_loses_says_so() {
        let run = results(&[
            on_the_wire("echo", "10000 a second", "cpu_per_request", 1000.0),
            on_the_wire("xdp", "10000 a second", "cpu_per_request", 2000.0),
        ]);
        let said = headlines(&run);
        assert_eq!(said[0].figure, "2×");
        assert!(said[0].sentence.starts_with("more CPU a request than bare echo"), "{said:?}");
    }

    #[test]
    fn throughput_names_what_limits_either_side() {
        let rate = |path, rate| on_the_wire(path, "window 256", "requests_per_second", rate);
        let run = [rate("freeradius-detail", 20_000.0), rate("udp", 200_000.0)];
        assert!(!headlines(&results(&run))[0].sentence.contains("limited"));
        let [theirs, own] = run;
        let run = [theirs.limited_by("the server"), own.limited_by("the generator")];
        let said = headlines(&results(&run));
        assert_eq!(said[0].figure, "10×");
        let limits = "(window 256; limited by the generator, there by the server)";
        assert!(said[0].sentence.ends_with(limits), "{said:?}");
    }

    #[test]
    fn one_core_verification_and_latency_have_a_sentence_each() {
        let digest = |case, path, median: f64, ratio| {
            measured(["digest", case, path, "time_per_request"], "ns", spread(median))
                .against("md-5", &[ratio])
        };
        let run = results(&[
            measured(["replay", "four vendors", "disk", "time_per_request"], "ns", spread(500.0)),
            measured(["replay", "four vendors", "tmpfs", "time_per_request"], "ns", spread(312.5)),
            digest("200 octets, batch 1024", "md-5", 640.0, 1.0),
            digest("200 octets, batch 1024", "avx512", 30.0, 21.0),
            digest("1000 octets, batch 1024", "avx512", 90.0, 25.0),
            measured(["latency", "50 % of saturation", "xdp-durable", "latency_p50"], "ns", spread(9e5)),
            measured(["latency", "50 % of saturation", "xdp-durable", "latency_p99"], "ns", spread(2e6)),
        ]);
        let said: Vec<_> =
            headlines(&run).into_iter().map(|it| format!("{} {}", it.figure, it.sentence)).collect();
        assert_eq!(
            said,
            [
                "3.20 M/s requests on one core, from frame to committed: 312 ns each, journal on tmpfs (500 ns on disk)",
                "21× verification against md-5 one by one: 30 ns a request with avx512 (200 octets, batch 1024)",
                "900 µs median wait for a durable answer by XDP at 50 % of saturation; p99 2 ms",
            ]
        );
    }

    #[test]
    fn much_of_everything_is_compared_with_next_to_nothing() {
        let case = "clients and remembered requests";
        let time = |path, ns| measured(["scale", case, path, "time_per_request"], "ns", spread(ns));
        let few = time("1 and 1000", 400.0);
        let run = results(&[few, time("100000 and 10000000", 500.0).against("1 and 1000", &[0.8])]);
        let said = headlines(&run);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].figure, "1.25×");
        assert_eq!(
            said[0].sentence,
            "the time a request with 100 k clients and 10 M remembered requests: 500 ns, against 1 clients and 1 k \
             remembered requests"
        );
    }

    #[test]
    fn nothing_measured_is_nothing_said() {
        assert_eq!(headlines(&Results::default()), []);
    }
}
