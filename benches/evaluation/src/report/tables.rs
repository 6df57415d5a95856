//! The page's tables.

use maud::{Markup, html};

use super::console::interval;
use crate::{
    attackers::Model,
    bars::Bar,
    metrics::{BUDGETS, Estimate, Frequency, Group},
    run::{Evaluation, Scored},
};

fn table(head: &[&str], body: &Markup) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label=(head.join(", ")) {
            table {
                thead { tr { @for heading in head { th scope="col" { (heading) } } } }
                tbody { (body) }
            }
        }
    }
}

/// Everything by attackers and by way to score.
pub(super) fn figures(evaluation: &Evaluation) -> Markup {
    let groups = [Group::Overall, Group::FirstStart].into_iter().chain(Model::ALL.map(Group::Model));
    let head = [
        "Attackers",
        "Number",
        "Score",
        "AUC",
        "Partial AUC, FPR < 0.01",
        "Recall at 0.1",
        "at 1",
        "at 10",
        "Precision at 0.1",
        "at 1",
        "at 10",
    ];
    let body = html! {
        @for group in groups {
            @for (at, scored) in evaluation.scored.iter().enumerate() {
                @if let Some(figures) = scored.figures.of(group).filter(|figures| figures.attackers > 0) {
                    tr.first[at == 0] {
                        td { @if at == 0 { (group) } }
                        td.number { @if at == 0 { (figures.attackers) } }
                        td { (scored.name) }
                        td { (interval(&figures.auc)) }
                        td { (interval(&figures.partial)) }
                        @for recall in &figures.recall { td { (interval(recall)) } }
                        @for precision in &figures.precision {
                            td { @if precision.value.is_finite() { (small(precision)) } }
                        }
                    }
                }
            }
        }
    };
    table(&head, &body)
}

/// What was set out to be reached, and what is.
pub(super) fn bars(bars: &[Bar]) -> Markup {
    let body = html! {
        @for bar in bars {
            tr {
                td { (bar.asked) }
                td { (bar.reached) }
                td { @if bar.is_met() { "met" } @else { strong { (bar.verdict()) } } }
            }
        }
    };
    table(&["Bar", "Reached", ""], &body)
}

/// `0.00912 (0.0087-0.0094)`.
fn small(estimate: &Estimate) -> String {
    format!("{:.5} ({:.4}-{:.4})", estimate.value, estimate.low, estimate.high)
}

/// Recall by how often the victim connects.
pub(super) fn frequencies(evaluation: &Evaluation) -> Markup {
    let budgets = BUDGETS.map(|budget| format!("Recall at {budget}"));
    let head = ["Victim connects", "Attackers", "Score", &budgets[0], &budgets[1], &budgets[2]];
    let body = html! {
        @for frequency in Frequency::ALL {
            @for (at, scored) in evaluation.scored.iter().enumerate() {
                @let of = scored.figures.of(Group::Frequency(frequency));
                @if let Some(figures) = of.filter(|figures| figures.attackers > 0) {
                    tr.first[at == 0] {
                        td { @if at == 0 { (frequency.name()) } }
                        td.number { @if at == 0 { (figures.attackers) } }
                        td { (scored.name) }
                        @for recall in &figures.recall { td { (interval(recall)) } }
                    }
                }
            }
        }
    };
    table(&head, &body)
}

/// How long attackers go unseen.
pub(super) fn times(evaluation: &Evaluation) -> Markup {
    let head = [
        "Score",
        "Attackers",
        "Number",
        "Found",
        "At the first Start",
        "Half within",
        "Nine in ten within",
        "Users never alerted",
    ];
    let hours = |hours: Option<Estimate>| {
        let Some(Estimate { value, low, high }) = hours else { return "-".to_owned() };
        match value {
            _ if value < 48.0 => format!("{value:.1} h ({low:.1}-{high:.1})"),
            _ => format!("{:.1} days ({:.1}-{:.1})", value / 24.0, low / 24.0, high / 24.0),
        }
    };
    let body = html! {
        @for scored in &evaluation.scored {
            @for (at, detection) in scored.detections.iter().filter(|it| it.attackers > 0).enumerate() {
                tr.first[at == 0] {
                    td { @if at == 0 { (scored.name) } }
                    td { (detection.model.map_or("overall", Model::name)) }
                    td.number { (detection.attackers) }
                    td.number { (detection.found) }
                    td.number { (detection.found_at_once) }
                    td { (hours(detection.median_h)) }
                    td { (hours(detection.p90_h)) }
                    td { @if at == 0 { (interval(&scored.never_alerted)) } }
                }
            }
        }
    };
    html! {
        (table(&head, &body))
        @for scored in &evaluation.scored {
            @if let Some(own) = &scored.own {
                p.note {
                    "With its own thresholds " (scored.name) " alerts " (own.genuine.told) " genuine Starts after the days of \
                     learning, and " (own.attacks.told) " of attackers, before any bound on notifications."
                }
            }
        }
    }
}

/// What of usual life is alerted.
pub(super) fn difficulties(scored: &Scored) -> Markup {
    let body = html! {
        @for (difficulty, alerts, of) in &scored.by_difficulty {
            tr {
                td { (difficulty.name()) }
                td.number { (of) }
                td.number { (alerts) }
                td.number { (format!("{:.2} %", *alerts as f64 / (*of).max(1) as f64 * 100.0)) }
            }
        }
    };
    table(&["What", "Starts", "Alerted", "Share"], &body)
}

/// What the organisations are like.
pub(super) fn organisations(evaluation: &Evaluation) -> Markup {
    let body = html! {
        @for it in &evaluation.organisations {
            tr {
                td.number { (it.seed) }
                td.number { (it.users) }
                td.number { (it.days) }
                td { (it.countries.join(", ")) }
                td { (it.clients.join(", ")) }
                td.number { (it.events) }
                td.number { (it.genuine_starts) }
                td.number { (it.attack_starts) }
            }
        }
    };
    let head = [
        "Seed",
        "Users",
        "Days",
        "Countries",
        "VPN servers",
        "Events",
        "Genuine Starts",
        "Attackers' Starts",
    ];
    table(&head, &body)
}
