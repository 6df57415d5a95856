//! A table for a terminal.

use std::fmt::Write as _;

use crate::{
    metrics::{Estimate, Group},
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
    if let Some(first) = evaluation.scored.first().filter(|first| first.own.is_some()) {
        match evaluation.below_others().as_slice() {
            [] => {
                writeln!(out, "\n{} is above all others at every false-positive rate below 0.01", first.name)?
            }
            [(rate, other), ..] => writeln!(
                out,
                "\n{} is not above all others at every false-positive rate below 0.01: first at {rate:.5}, {other}",
                first.name
            )?,
        }
    }
    Ok(())
}

/// `0.912 (0.87-0.94)`.
pub(super) fn interval(estimate: &Estimate) -> String {
    format!("{:.3} ({:.2}-{:.2})", estimate.value, estimate.low, estimate.high)
}
