//! Where a request's time goes, stage by stage: the processor's, from the bench `replay`, and the client's, from the
//! bench `latency`.

use super::{figure::figure, results::Results, wording};

/// The stages in the order in which a request passes them; one that is not here comes last.
const ORDER: [&str; 12] = [
    "arrival_to_worker",
    "receive",
    "parse",
    "lookup",
    "verify",
    "duplicates",
    "append",
    "batch",
    "sign",
    "commit",
    "respond",
    "other",
];
/// Stages that a client does not wait for one after the other: the whole, and what happens after the answer.
const NOT_A_PART: [&str; 3] = ["total", "export", "detect"];
/// A rest smaller than this share of the whole is the error of measurement.
const REST_WORTH_SHOWING: f64 = 0.02;

/// The parts of one whole.
#[derive(Debug, PartialEq)]
pub(super) struct Stages {
    /// Whose time, and where it was measured.
    pub(super) title: String,
    /// Name, and median, 10th and 90th percentile in nanoseconds, in the order of a request.
    pub(super) parts: Vec<(String, [f64; 3])>,
    /// The whole, which the parts may not add up to.
    pub(super) whole: f64,
}

impl Stages {
    /// The share of the whole that a part has.
    pub(super) fn share(&self, part: f64) -> f64 {
        part / self.whole
    }

    /// The largest part in a sentence.
    pub(super) fn largest(&self) -> Option<String> {
        let (name, [median, ..]) =
            self.parts.iter().max_by(|(_, one), (_, other)| one[0].total_cmp(&other[0]))?;
        Some(format!(
            "Most is {}: {} of {}",
            wording::metric(name),
            figure(*median, "ns"),
            figure(self.whole, "ns")
        ))
    }
}

/// The processor's time, with the frames in memory and one core.
pub(super) fn of_the_processor(results: &Results) -> Option<Stages> {
    let staged =
        |path: &&str| results.of("replay").any(|it| it.path == *path && stage(&it.metric, "").is_some());
    let path = ["tmpfs", "disk"].into_iter().find(staged)?;
    let parts: Vec<_> = results
        .of("replay")
        .filter(|it| it.path == path)
        .filter_map(|it| Some((stage(&it.metric, "")?.to_owned(), [it.median, it.p10, it.p90])))
        .collect();
    let whole = results.of("replay").find(|it| it.path == path && it.metric == "time_per_request");
    Some(together(format!("Processor time, journal on {path}"), parts, whole.map(|it| it.median)))
}

/// The client's wait at half of the load that saturates; if that was not measured, at the first load that was.
pub(super) fn of_the_wait(results: &Results) -> Option<Stages> {
    let mut staged: Vec<_> = results.of("latency").filter(|it| stage(&it.metric, "_p50").is_some()).collect();
    staged.sort_by_key(|it| {
        let durable = it.path.ends_with("durable");
        (!durable, !it.path.starts_with("xdp"), !it.case.starts_with("50 %"))
    });
    let (case, path) = staged.first().map(|it| (it.case.clone(), it.path.clone()))?;
    let mut whole = None;
    let mut parts = Vec::new();
    for it in staged.iter().filter(|it| it.case == case && it.path == path) {
        match stage(&it.metric, "_p50") {
            Some("total") => whole = Some(it.median),
            Some(name) if !NOT_A_PART.contains(&name) => {
                parts.push((name.to_owned(), [it.median, it.p10, it.p90]));
            }
            _ => {}
        }
    }
    Some(together(format!("Wait for an answer, {path}, {case}"), parts, whole))
}

/// The stage that a metric is about: `verify` for `stage_verify_p50`.
fn stage<'m>(metric: &'m str, suffix: &str) -> Option<&'m str> {
    metric.strip_prefix("stage_")?.strip_suffix(suffix)
}

fn together(title: String, mut parts: Vec<(String, [f64; 3])>, whole: Option<f64>) -> Stages {
    parts.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
    let sum: f64 = parts.iter().map(|(_, [median, ..])| median).sum();
    // Stages that are timed one by one can add up to more than the whole.
    let whole = whole.unwrap_or(sum).max(sum);
    let rest = whole - sum;
    if rest > whole * REST_WORTH_SHOWING {
        parts.push(("other".to_owned(), [rest; 3]));
    }
    Stages { title, parts, whole }
}

#[cfg(test)]
mod tests {
    use super::{
        super::results::tests::{measured, results},
        *,
    };

    #[test]
    fn the_processors_stages_come_in_a_requests_order_with_the_rest() {
        let stage = |metric, ns| {
            measured(["replay", "four vendors", "tmpfs", metric], "ns", [ns - 1.0, ns, ns + 1.0])
        };
        let run = results(&[
            stage("time_per_request", 300.0),
            stage("stage_commit", 60.0),
            stage("stage_verify", 120.0),
            stage("stage_parse", 20.0),
            measured(["replay", "four vendors", "disk", "stage_parse"], "ns", [20.0; 3]),
        ]);
        let stages = of_the_processor(&run).unwrap();
        let parts: Vec<_> = stages.parts.iter().map(|(name, [median, ..])| (&**name, *median)).collect();
        assert_eq!(parts, [("parse", 20.0), ("verify", 120.0), ("commit", 60.0), ("other", 100.0)]);
        assert_eq!(stages.share(120.0), 0.4);
        assert_eq!(stages.largest().unwrap(), "Most is verify: 120 ns of 300 ns");
    }

    #[test]
    fn the_wait_is_a_durable_answers_at_half_load_and_its_total_is_no_part() {
        let stage = |case, path, metric, ns| measured(["latency", case, path, metric], "ns", [ns; 3]);
        let half = "50 % of saturation";
        let run = results(&[
            stage("10 % of saturation", "xdp-durable", "stage_commit_p50", 1.0),
            stage(half, "xdp-received", "stage_commit_p50", 2.0),
            stage(half, "xdp-durable", "stage_commit_p50", 900.0),
            stage(half, "xdp-durable", "stage_commit_p99", 9000.0),
            stage(half, "xdp-durable", "stage_total_p50", 1000.0),
            stage(half, "xdp-durable", "stage_verify_p50", 90.0),
            stage(half, "xdp-durable", "stage_export_p50", 7.0),
        ]);
        let stages = of_the_wait(&run).unwrap();
        assert_eq!(stages.title, "Wait for an answer, xdp-durable, 50 % of saturation");
        assert_eq!(stages.whole, 1000.0);
        assert_eq!(stages.parts, [("verify".to_owned(), [90.0; 3]), ("commit".to_owned(), [900.0; 3])]);
        assert_eq!(of_the_processor(&run), None);
    }
}
