//! A table for a terminal.

use std::fmt::Write as _;

use crate::{
    bars::bars,
    metrics::{Estimate, Group},
    product,
    run::Evaluation,
};

/// The whole summary.
pub fn console(evaluation: &Evaluation) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(evaluation, &mut out);
    out
}

fn write(evaluation: &Evaluation, out: &mut String) -> std::fmt::Result {
    let sum = |read: fn(&crate::organisation::Summary) -> usize| {
        evaluation.organisations.iter().map(read).sum::<usize>()
    };
    writeln!(
        out,
        "{}: {} organisations, {} users, {} events, {} genuine Starts, {} of attackers",
        evaluation.title,
        evaluation.organisations.len(),
        sum(|it| it.users),
        sum(|it| it.events),
        sum(|it| it.genuine_starts),
        sum(|it| it.attack_starts),
    )?;
    for scored in &evaluation.scored {
        let (attackers, starts, days) = scored.sample.counts();
        writeln!(
            out,
            "\n{} ({attackers} attackers, {starts} genuine Starts on {days} users' days)",
            scored.name
        )?;
        writeln!(
            out,
            "  {:<20} {:>5}  {:<22} {:<22} {:<22} {:<22} {:<22}",
            "attackers", "", "AUC", "partial AUC, FPR<0.01", "recall at 0.1", "recall at 1", "recall at 10"
        )?;
        for (group, figures) in &scored.figures.groups {
            if figures.attackers == 0 {
                continue;
            }
            let area = |estimate: &Estimate| match group {
                // Their curve has everybody's genuine days, which says nothing of the class.
                Group::Frequency(_) => "-".to_owned(),
                _ => interval(estimate),
            };
            let [low, middle, high] = &figures.recall;
            writeln!(
                out,
                "  {:<20} {:>5}  {:<22} {:<22} {:<22} {:<22} {:<22}",
                group.to_string(),
                figures.attackers,
                area(&figures.auc),
                area(&figures.partial),
                interval(low),
                interval(middle),
                interval(high),
            )?;
        }
        writeln!(
            out,
            "  {} of users are never alerted at 1 alert for 1,000 users a day",
            interval(&scored.never_alerted)
        )?;
    }
    let bars = bars(evaluation);
    if !bars.is_empty() {
        writeln!(out, "\nbars of {}", product::NAME)?;
    }
    for bar in &bars {
        writeln!(out, "  {:<66} {:<22} {}", bar.asked.to_string(), bar.reached.to_string(), bar.verdict())?;
    }
    if let [(rate, other), ..] = evaluation.below_others().as_slice()
        && !bars.is_empty()
    {
        writeln!(out, "  {other} is above it first at a false-positive rate of {rate:.5}")?;
    }
    Ok(())
}

/// `0.912 (0.87-0.94)`.
pub(super) fn interval(estimate: &Estimate) -> String {
    format!("{:.3} ({:.2}-{:.2})", estimate.value, estimate.low, estimate.high)
}
