//! The sensor: how each queue is captured and why not better, what is lost, how long answers take, the journal, the lag.

use axum::{
    Extension,
    extract::{Query, State},
    response::{Html, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Refused, Shared, frame,
    guard::Visitor,
    people::query_part,
    plot::{self, Line},
    stages, text,
    zone::Zone,
};
use crate::{
    api::sensing::Versions,
    fold::Sort,
    observed::{Amount, SensorNow, Series, StageNow, StageSeries},
    store::SeenRow,
};

/// What plots can cover, minutes, with its name.
const SPANS: [(u32, &str); 4] =
    [(15, "15 minutes"), (60, "60 minutes"), (360, "6 hours"), (1440, "24 hours")];
const SENSORS: usize = 50;
/// The plots without the page around them: what a script asks for again and again. Of nobody, so no audit log has it.
pub(super) const PLOTS_PATH: &str = "/sensors/plots";
/// Between two looks of the script, seconds: as often as there is a new point ([`crate::observed::INTERVAL`]).
const AGAIN_S: u64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    minutes: Option<u32>,
    /// Whose heatmap is shown.
    stage: Option<String>,
}

impl Asked {
    fn span(&self) -> (u32, &'static str) {
        SPANS.into_iter().find(|(minutes, _)| Some(*minutes) == self.minutes).unwrap_or(SPANS[1])
    }
}

/// Of what a page or its plots show.
fn parts(minutes: u32, stage: Option<&StageSeries>) -> String {
    let stage = stage.map(|stage| format!("&stage={}", query_part(&stage.stage)));
    format!("?minutes={minutes}{}", stage.unwrap_or_default())
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let span = asked.span();
    let (shared, who) = (portal.clone(), visitor.name());
    let seen = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "sensors.show", None, None)?;
        Ok(store.seen(Sort::Sensor, None, SENSORS)?)
    });
    let sensor = portal.api.sensor();
    let (now, series) = (sensor.now(), sensor.series(span.0));
    let stage = stages::chosen(&series, asked.stage.as_deref());
    let plotted = Plotted { series: &series, stage, zone: &visitor.zone };
    let state = state(now.as_deref(), hearing(&portal));
    let cards = now.as_deref().map(|now| standing(now, &state, &Versions::of(&portal.api)));
    Ok(frame::page(&visitor, "Sensors", &content(&seen.await?, now.as_deref().zip(cards), &plotted, span)))
}

pub(super) async fn plots_alone(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Html<String> {
    let series = portal.api.sensor().series(asked.span().0);
    let stage = stages::chosen(&series, asked.stage.as_deref());
    Html(plots(&Plotted { series: &series, stage, zone: &visitor.zone }).into_string())
}

/// What plots are of.
struct Plotted<'p> {
    series: &'p Series,
    /// Whose heatmap is shown.
    stage: Option<&'p StageSeries>,
    zone: &'p Zone,
}

/// Whether accounting is heard.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Hearing {
    On,
    /// Somebody wants it so.
    Off,
    /// It is on, and ports cannot be opened.
    Closed,
}

/// How a sensor is, in a word or two. `None`: not beside this service, or not yet.
pub(super) fn state(now: Option<&SensorNow>, hearing: Hearing) -> Markup {
    html! {
        @match now {
            None => span.quiet { "not known here" },
            Some(now) => @match &now.journal.failing {
                Some(_) => strong.severity.high { "cannot record" },
                None => @match hearing {
                    Hearing::Off => strong { "accounting is off" },
                    Hearing::Closed => strong.severity.high { "ports are closed" },
                    Hearing::On => "records",
                },
            }
        }
    }
}

/// Whether VPN servers are heard.
pub(super) fn hearing(portal: &Shared) -> Hearing {
    match portal.api.administration() {
        Ok(settings) if !settings.is_accounting() => Hearing::Off,
        Ok(settings) if settings.closed_because().is_some() => Hearing::Closed,
        _ => Hearing::On,
    }
}

fn content(
    seen: &[SeenRow],
    now: Option<(&SensorNow, Markup)>,
    plotted: &Plotted<'_>,
    span: (u32, &str),
) -> Markup {
    let Plotted { series, stage, .. } = *plotted;
    html! {
        @if let Some((now, cards)) = now {
            (cards)
            h2 { "Captures" }
            (queues(now))
            (workers(now))
            h2 { "Time between arrival and answer, since the start" }
            (stages(&now.stages))
            h2 #plots { "The last " (span.1) }
            p { @for (index, (minutes, name)) in SPANS.iter().enumerate() {
                @if index > 0 { " | " }
                @if *minutes == span.0 { strong { (name) } } @else { a href={ "/sensors" (parts(*minutes, stage)) "#plots" } { (name) } }
            } }
            @if let Some(stage) = stage {
                (stages::choice(series, stage, |name| format!("/sensors?minutes={}&stage={}#plots", span.0, query_part(name))))
            }
            p.quiet hidden role="status" data-live-said {}
            div data-live={ (PLOTS_PATH) (parts(span.0, stage)) } data-every=(AGAIN_S) { (plots(plotted)) }
        } @else {
            p { "No sensor runs beside this service, or it started some seconds ago: load the page again." }
        }
        @if !seen.is_empty() {
            h2 { "Sensors whose records are here" }
            div.wide tabindex="0" role="region" aria-label="Sensors whose records are here" { table.stack {
                caption.unseen { "Sensors, the latest heard of first" }
                thead { tr { th scope="col" { "Sensor" } th.figure scope="col" { "Records" } th scope="col" { "First record" } th scope="col" { "Last record" } } }
                tbody { @for sensor in seen { tr {
                    td data-label="Sensor" { (text::stranger(&sensor.name)) }
                    td.figure data-label="Records" { (sensor.count) }
                    td data-label="First record" { (text::moment(&sensor.first_seen)) }
                    td data-label="Last record" { (text::moment(&sensor.last_seen)) }
                } } }
            } }
        }
    }
}

fn standing(now: &SensorNow, state: &Markup, versions: &Versions) -> Markup {
    let (journal, service) = (&now.journal, &now.service);
    html! {
        @if let Some(why) = &journal.failing {
            section.problem { p { strong { "The journal cannot record: " } (text::stranger(why)) } }
        }
        div.cards {
            section.card { h2 { "Sensor " (text::stranger(&now.name)) } dl {
                dt { "State" } dd { (state) }
                dt { "Version" } dd { (now.version) }
                dt { "Kernel" } dd { (text::stranger(&now.kernel)) }
                dt { "Up since" } dd { (text::moment_ns(now.started_unix_s.saturating_mul(1_000_000_000))) }
                dt { "Datagrams" } dd { (now.received()) }
                dt { "Lost before a worker" } dd { @if now.lost() > 0 { strong { (now.lost()) } } @else { "0" } }
                dt { "Of unknown sources" } dd { (now.steer_dropped) " dropped in the kernel" }
            } }
            section.card { h2 { "Journal" } dl {
                dt { "Newest record" } dd { (journal.watermark) }
                dt { "Records" } dd { (journal.records) " in " (journal.batches) " batches, " (journal.commits) " commits" }
                dt { "A commit takes" } dd { (plot::seconds(journal.commit_mean_s)) " in the mean" }
                dt { "Batches" } dd { (journal.queued_batches) " wait, " (journal.failed_batches) " failed" }
                dt { "Size" } dd { (text::octets(journal.octets)) " in " (journal.segments) " segments" }
                dt { "Left on the disk" } dd { (text::octets(journal.free_octets)) }
            } }
            section.card { h2 { "Service" } dl {
                dt { "State" } dd { (service.state) }
                dt { "Shown up to" } dd { "record " (service.stored) }
                dt { "Lag" } dd { (service.lag) " records" }
                dt { "Follows" } dd { (service.sessions) " connections, " (service.profiles) " profiles" }
                dt { "Where addresses are, by" } dd { @for (index, database) in versions.databases.iter().enumerate() {
                    @if index > 0 { br; }
                    (text::stranger(&database.name)) " (" (text::stranger(&database.kind)) @if !database.built.is_empty() { ", of " (text::moment(&database.built)) } ")"
                } @if versions.databases.is_empty() { "no database" } }
                dt { "Store" } dd { "release " (versions.store_release) " of its tables" }
            } }
        }
    }
}

fn amounts(amounts: &[Amount], are_all_shown: bool) -> Markup {
    let shown: Vec<&Amount> = amounts.iter().filter(|amount| are_all_shown || amount.count > 0).collect();
    html! {
        @if shown.is_empty() { "0" } @else {
            @for (index, amount) in shown.iter().enumerate() {
                @if index > 0 { ", " } (amount.name) " " (amount.count)
            }
        }
    }
}

fn queues(now: &SensorNow) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Captures" { table.stack {
            caption.unseen { "How each queue and socket is captured" }
            thead { tr { th scope="col" { "Interface" } th scope="col" { "Queue" } th scope="col" { "Mode" } th scope="col" { "Rings: frames by where they are" } th scope="col" { "Lost before a worker" } } }
            tbody { @for queue in &now.queues { tr {
                td data-label="Interface" { @if queue.interface.is_empty() { "socket" } @else { (text::stranger(&queue.interface)) } }
                td data-label="Queue" { (text::stranger(&queue.queue)) }
                td data-label="Mode" { (queue.mode) }
                td data-label="Rings" { @if queue.frames.is_empty() { "\u{2013}" } @else { (amounts(&queue.frames, true)) } }
                td data-label="Lost" { (amounts(&queue.drops, false)) }
            } } }
        } }
        @if !now.refused_modes.is_empty() {
            h3 { "Why not better" }
            ul { @for refused in &now.refused_modes {
                li { @if refused.interface.is_empty() { "every interface" } @else { (text::stranger(&refused.interface)) }
                    ": " (refused.mode) ": " (text::stranger(&refused.reason)) }
            } }
        }
    }
}

fn workers(now: &SensorNow) -> Markup {
    html! {
        h3 { "Workers" }
        div.wide tabindex="0" role="region" aria-label="Workers" { table.stack {
            caption.unseen { "Workers and what became of the datagrams that they took" }
            thead { tr { th scope="col" { "Worker" } th scope="col" { "Path" } th.figure scope="col" { "Datagrams" } th scope="col" { "Verdicts" } th.figure scope="col" { "Pending" }
                th.figure scope="col" { "Answers" } th.figure scope="col" { "Answers lost" } } }
            tbody { @for worker in &now.workers { tr {
                td data-label="Worker" { (worker.name) }
                td data-label="Path" { (worker.path) }
                td.figure data-label="Datagrams" { (worker.received) }
                td data-label="Verdicts" { (amounts(&worker.verdicts, false)) }
                td.figure data-label="Pending" { (worker.pending) }
                td.figure data-label="Answers" { (worker.responses) }
                td.figure data-label="Answers lost" { (worker.responses_lost) }
            } } }
        } }
    }
}

fn stages(stages: &[StageNow]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Latency by stage" { table.stack {
            caption.unseen { "Latency by stage" }
            thead { tr { th scope="col" { "Stage" } th.figure scope="col" { "Requests" } th.figure scope="col" { "p50" } th.figure scope="col" { "p90" }
                th.figure scope="col" { "p99" } th.figure scope="col" { "p99.9" } th.figure scope="col" { "Longest" } } }
            tbody { @for stage in stages { tr {
                td data-label="Stage" { (stage.stage) }
                td.figure data-label="Requests" { (stage.count) }
                @for (name, time) in [("p50", stage.p50_s), ("p90", stage.p90_s), ("p99", stage.p99_s), ("p99.9", stage.p999_s), ("Longest", stage.max_s)] {
                    td.figure data-label=(name) { @if stage.count > 0 { (plot::seconds(time)) } @else { "\u{2013}" } }
                }
            } } }
        } }
    }
}

fn plots(plotted: &Plotted<'_>) -> Markup {
    let Plotted { series, stage: chosen, zone } = *plotted;
    let requests = [
        Line { name: "requests".to_owned(), values: &series.requests },
        Line { name: "lost".to_owned(), values: &series.lost },
    ];
    let verdicts: Vec<Line<'_>> = series
        .verdicts
        .iter()
        .map(|verdict| Line { name: verdict.verdict.clone(), values: &verdict.rates })
        .collect();
    let lag: Vec<f64> = series.lag.iter().map(|lag| *lag as f64).collect();
    html! {
        div.plots #live-plots {
            (plot::lines("Datagrams a second", &series.unix_s, &requests, plot::digits, zone))
            (plot::lines("Verdicts a second", &series.unix_s, &verdicts, plot::digits, zone))
            (plot::lines("Records that wait for the service", &series.unix_s, &[Line { name: "records".to_owned(), values: &lag }], plot::digits, zone))
            @for stage in &series.stages { (stages::percentiles(series, stage, zone)) }
            // Of each stage would be more than a page holds.
            @if let Some(chosen) = chosen { (stages::heat(series, chosen, zone)) }
        }
    }
}
