//! The page: one file of HTML that loads nothing and runs nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{console::interval, drawings, ink, tables};
use crate::{
    attackers::Model,
    bars::bars,
    metrics::Group,
    run::{Evaluation, Scored},
};

const STYLE: &str = include_str!("style.css");

/// The whole page.
///
/// # Errors
/// A plot cannot be drawn.
pub fn page(evaluation: &Evaluation) -> anyhow::Result<String> {
    let Some(first) = evaluation.scored.first() else { anyhow::bail!("nothing was scored") };
    let rocs = drawings::rocs(evaluation)?;
    let budgets = drawings::budgets(evaluation)?;
    let spread = drawings::spread(first)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "vpn-sensor: how well abnormal connections are found" }
                style { (PreEscaped(STYLE)) (PreEscaped(ink::style())) }
            }
            body {
                h1 { "How well abnormal connections are found" }
                p.note { (what(evaluation)) }
                (headlines(first))
                @let bars = bars(evaluation);
                @if !bars.is_empty() {
                    h2 { "Bars" }
                    p.note { "What was set out to be reached, by the figures themselves; recall at 1 alert for 1,000 users a day. A \
                              bar that is not met stops nothing." }
                    (tables::bars(&bars))
                    (comparison(evaluation, first))
                }
                h2 { "Recall against false positives" }
                p.note {
                    "Share of attackers found, over the share of users' days with a genuine connection that are alerted \
                     (logarithmic). The band is where 95 of 100 drawings of users lie."
                }
                (legend(evaluation.scored.iter().map(|scored| scored.name.clone())))
                (figures(&rocs))
                h2 { "Recall against alerts" }
                p.note { "Share of attackers found, over alerts on genuine use for 1,000 users a day (logarithmic)." }
                (figures(&budgets))
                (legend(evaluation.scored.iter().map(|scored| scored.name.clone())))
                h2 { "All figures" }
                p.note {
                    "With 95 % intervals, users drawn anew within each organisation. Recall and precision at so many alerts on \
                     genuine use for 1,000 users a day; precision where one connection in 100,000 is an attack."
                }
                (tables::figures(evaluation))
                h2 { "By how often the victim connects" }
                p.note { "Recall at the same thresholds, which are common to all users." }
                (tables::frequencies(evaluation))
                h2 { "Time to detection" }
                p.note { "At 1 alert for 1,000 users a day, from an attacker's first Start to the first one that is alerted." }
                (tables::times(evaluation))
                h2 { "Scores of " (first.name) }
                p.note { "Share of users' days and of attackers whose highest score is at least this." }
                (legend(["genuine".to_owned()].into_iter().chain(Model::ALL.map(|model| model.name().to_owned()))))
                (figures(&[spread]))
                h2 { "Usual life that was taken for an attack" }
                p.note {
                    "At 1 alert for 1,000 users a day: genuine Starts above " (first.name) "'s threshold, by what makes \
                     them look unusual. A Start may have several of them."
                }
                (tables::difficulties(first))
                h2 { "The organisations" }
                (tables::organisations(evaluation))
                (method())
            }
        }
    };
    Ok(page.into_string())
}

fn what(evaluation: &Evaluation) -> String {
    let sum = |read: fn(&crate::organisation::Summary) -> usize| -> usize {
        evaluation.organisations.iter().map(read).sum()
    };
    format!(
        "{} organisations ({}), {} users, {} events, {} genuine Starts and {} of attackers. The databases of places know \
         countries and networks, no cities.",
        evaluation.organisations.len(),
        evaluation.title,
        sum(|it| it.users),
        sum(|it| it.events),
        sum(|it| it.genuine_starts),
        sum(|it| it.attack_starts)
    )
}

fn headlines(scored: &Scored) -> Markup {
    let shown = [
        Group::Model(Model::Naive),
        Group::Model(Model::Vpn),
        Group::Model(Model::Targeted),
        Group::Model(Model::VeryTargeted),
    ];
    html! {
        div.headlines {
            @if let Some(overall) = scored.figures.of(Group::Overall) {
                p { strong { (format!("{:.3}", overall.auc.value)) } "AUC of " (scored.name) ", " (interval(&overall.auc)) }
            }
            @for group in shown {
                @if let Some(figures) = scored.figures.of(group).filter(|figures| figures.attackers > 0) {
                    p {
                        strong { (format!("{:.0} %", figures.recall[1].value * 100.0)) }
                        "of " (group) " attackers at 1 alert for 1,000 users a day"
                    }
                }
            }
        }
    }
}

/// From where on the first way to score is below another where few alerts are.
fn comparison(evaluation: &Evaluation, first: &Scored) -> Markup {
    let below = evaluation.below_others();
    html! {
        @if let Some((rate, other)) = below.first() {
            p { "Over all models " (first.name) " finds fewer attackers than another first at a false-positive rate of \
                 " (format!("{rate:.5}")) " (" (other) ")." }
        }
    }
}

fn legend(names: impl Iterator<Item = String>) -> Markup {
    html! {
        ul.legend {
            @for (at, name) in names.enumerate() {
                li { span class={ "ink " (ink::Ink::Series(at).class()) } {} (name) }
            }
        }
    }
}

fn figures(drawn: &[(String, String)]) -> Markup {
    html! {
        div.plots {
            @for (title, svg) in drawn {
                figure {
                    figcaption { (title) }
                    div role="img" aria-label=(title) { (PreEscaped(svg)) }
                }
            }
        }
    }
}

fn method() -> Markup {
    html! {
        h2 { "How it was done" }
        ul {
            li { "Each Start is scored with only what came before it; the first 30 days are in no figure. All users count, \
                  learned or not." }
            li { "An attacker counts by the highest of its Starts, genuine use by the highest of a user's day. Equal scores are \
                  in a random order." }
            li { "Every model has equally many attackers; each has a victim of its own, who had connected before." }
            li { "Organisations are made up from seeds: how often people change providers, laptops and houses, travel, tether \
                  and so on is set beforehand and stands in benches/evaluation. Parameters are chosen on the set 'tuning' and \
                  reported on 'held-back'." }
            li { "Made-up life is simpler than real life. A real organisation has its own VPN servers, habits and mistakes; \
                  'vpn-sensor backtest' shows what its own past would have been." }
        }
    }
}
