//! How long one stage of the sensor's work took over time; which one is chosen by a link.

use maud::{Markup, html};

use super::{
    plot::{self, Line},
    zone::Zone,
};
use crate::observed::{Series, StageSeries};

/// All stages together: what is shown unless another one is asked for.
const WHOLE: &str = "total";

/// The stage of this name; the whole where none, or none that is known, is asked for. `None`: nothing was measured.
pub(super) fn chosen<'s>(series: &'s Series, asked: Option<&str>) -> Option<&'s StageSeries> {
    let named = |name: &str| series.stages.iter().find(|stage| stage.stage == name);
    asked.and_then(named).or_else(|| named(WHOLE)).or(series.stages.first())
}

/// Links to each stage. `address`: of the page with this stage.
pub(super) fn choice(series: &Series, chosen: &StageSeries, address: impl Fn(&str) -> String) -> Markup {
    html! {
        p { "Stage: " @for (index, StageSeries { stage, .. }) in series.stages.iter().enumerate() {
            @if index > 0 { " | " }
            @if *stage == chosen.stage { strong { (stage) } } @else { a href=(address(stage)) { (stage) } }
        } }
    }
}

/// Half, 99 in 100 and 999 in 1,000 took no longer than these.
pub(super) fn percentiles(series: &Series, stage: &StageSeries, zone: &Zone) -> Markup {
    let lines = [("p50", &stage.p50_s), ("p99", &stage.p99_s), ("p99.9", &stage.p999_s)]
        .map(|(name, values)| Line { name: name.to_owned(), values });
    plot::lines(&format!("Latency: {}", stage.stage), &series.unix_s, &lines, plot::seconds, zone)
}

/// How many took how long.
pub(super) fn heat(series: &Series, stage: &StageSeries, zone: &Zone) -> Markup {
    let what = format!("Requests by how long they took: {}", stage.stage);
    plot::heat(&what, &series.unix_s, &stage.heat, &series.heat_bounds_s, zone)
}
