//! Lines of JSON, one a figure.

use serde::Serialize;
use serde_json::json;

use crate::{
    bars::{Asked, Reached, bars},
    metrics::{BUDGETS, Estimate, grid_rate},
    product,
    run::Evaluation,
};

#[derive(Serialize)]
struct Line<'a> {
    set: &'a str,
    scorer: &'a str,
    attackers: String,
    count: usize,
    metric: String,
    value: f64,
    low: f64,
    high: f64,
}

/// All lines: each organisation, then each figure with its interval, then each bar with whether it is met.
///
/// # Errors
/// A figure has no form in JSON, which none lacks.
pub fn lines(evaluation: &Evaluation) -> serde_json::Result<Vec<String>> {
    let mut all = Vec::new();
    for organisation in &evaluation.organisations {
        all.push(serde_json::to_string(&json!({"set": evaluation.title, "organisation": organisation}))?);
    }
    for scored in &evaluation.scored {
        for (group, figures) in &scored.figures.groups {
            let mut add = |metric: String, estimate: &Estimate| {
                let Estimate { value, low, high } = *estimate;
                // A group without attackers has none.
                if value.is_finite() {
                    let (attackers, count) = (group.to_string(), figures.attackers);
                    let (set, scorer) = (&*evaluation.title, &*scored.name);
                    all.push(serde_json::to_string(&Line {
                        set,
                        scorer,
                        attackers,
                        count,
                        metric,
                        value,
                        low,
                        high,
                    })?);
                }
                Ok::<(), serde_json::Error>(())
            };
            if figures.attackers == 0 {
                continue;
            }
            add("auc".to_owned(), &figures.auc)?;
            add("partial_auc_0.01".to_owned(), &figures.partial)?;
            for (at, budget) in BUDGETS.iter().enumerate() {
                add(format!("recall_at_{budget}"), &figures.recall[at])?;
                add(format!("precision_at_{budget}"), &figures.precision[at])?;
            }
            for (point, estimate) in figures.roc.iter().enumerate() {
                add(format!("recall_at_fpr_{:.6}", grid_rate(point)), estimate)?;
            }
        }
        for detection in &scored.detections {
            let attackers = detection.model.map_or("overall", |model| model.name());
            all.push(serde_json::to_string(&json!({
                "set": evaluation.title, "scorer": scored.name, "attackers": attackers, "count": detection.attackers,
                "metric": "time_to_detection", "found": detection.found, "found_at_once": detection.found_at_once,
                "median_h": detection.median_h.map(bounds), "p90_h": detection.p90_h.map(bounds),
            }))?);
        }
        for (difficulty, alerts, of) in &scored.by_difficulty {
            all.push(serde_json::to_string(&json!({
                "set": evaluation.title, "scorer": scored.name, "metric": "genuine_starts_alerted_at_1",
                "difficulty": difficulty, "alerts": alerts, "of": of,
            }))?);
        }
        all.push(serde_json::to_string(&json!({
            "set": evaluation.title, "scorer": scored.name, "metric": "users_never_alerted_at_1",
            "value": scored.never_alerted.value, "low": scored.never_alerted.low, "high": scored.never_alerted.high,
            "thresholds": scored.figures.thresholds.map(|it| it.is_finite().then_some(it)),
            "own_thresholds": scored.own,
        }))?);
    }
    for bar in bars(evaluation) {
        let (attackers, metric, least) = match bar.asked {
            Asked::Auc(least) => ("overall", "auc", Some(least)),
            Asked::Recall(model, least) => (model.name(), "recall_at_1", Some(least)),
            Asked::AboveBaselines => ("overall", "rates_below_baselines", None),
        };
        let (value, interval) = match bar.reached {
            Reached::Figure(Estimate { value, low, high }) => (value, Some([low, high])),
            Reached::RatesBelow(rates) => (rates as f64, None),
        };
        all.push(serde_json::to_string(&json!({
            "set": evaluation.title, "scorer": product::NAME, "attackers": attackers, "metric": "bar", "of": metric,
            "least": least, "value": value, "low": interval.map(|it| it[0]), "high": interval.map(|it| it[1]),
            "met": bar.is_met(),
        }))?);
    }
    Ok(all)
}

/// Value and interval.
fn bounds(estimate: Estimate) -> [f64; 3] {
    [estimate.value, estimate.low, estimate.high]
}
