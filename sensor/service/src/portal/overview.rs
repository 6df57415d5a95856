//! What is going on: what is wrong, newest alerts, how much comes in, who is on line and where.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Refused, Shared, alerts, frame,
    guard::Visitor,
    map,
    people::query_part,
    plot::{self, Line},
    sensors::{self, Hearing},
    servers, sessions,
    settings::vpn::REFUSING,
    stages, text,
    zone::Zone,
};
use crate::{
    alert::AlertRow,
    control::Role,
    fold::Sort,
    health::{Condition, Standing},
    observed::{SensorNow, Series, StageSeries},
    store::{AlertFilter, AlertState, SeenRow, ServerRow, SessionFilter, SessionRow, SpotCount, SpotRow},
};

const ALERTS: usize = 10;
const ON_LINE: usize = 15;
/// VPN servers, the busiest.
const SERVERS: usize = 20;
const SENSORS: usize = 20;
/// Points of the map.
const SPOTS: usize = 150;
/// Time that the plots cover, minutes.
const MINUTES: u32 = 60;

struct Seen {
    alerts: Vec<AlertRow>,
    on_line: Vec<SessionRow>,
    spots: Vec<SpotRow>,
    /// How many there are.
    all_spots: SpotCount,
    /// Connections that are open.
    open: i64,
    servers: Vec<ServerRow>,
    has_more_servers: bool,
    sensors: Vec<SeenRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Whose latency is shown.
    stage: Option<String>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let seen = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "overview.show", None, None)?;
        let mut servers = store.busiest_servers(SERVERS + 1)?;
        let has_more_servers = servers.len() > SERVERS;
        servers.truncate(SERVERS);
        Ok(Seen {
            alerts: store.alert_rows(
                &AlertFilter { state: Some(AlertState::Open), ..AlertFilter::default() },
                ALERTS,
            )?,
            on_line: store.sessions(&SessionFilter { open: true, ..SessionFilter::default() }, ON_LINE)?,
            spots: store.spots_on_line(SPOTS)?,
            all_spots: store.spots_on_line_count()?,
            open: store.on_line()?,
            servers,
            has_more_servers,
            sensors: store.seen(Sort::Sensor, None, SENSORS)?,
        })
    });
    let health = portal.api.health();
    let sensor = portal.api.sensor();
    let (now, series) = (sensor.now(), sensor.series(MINUTES));
    let stage = stages::chosen(&series, asked.stage.as_deref());
    let plots =
        html! { @if now.is_some() { h2 #plots { "The last hour" } (plots(&series, stage, &visitor.zone)) } };
    let hearing = sensors::hearing(&portal);
    let content = html! {
        @if hearing == Hearing::Off { (accounting_is_off(&visitor)) }
        (troubles(&health, visitor.role))
        (content(&seen.await?, now.as_ref(), hearing, &plots))
    };
    Ok(frame::page(&visitor, "Overview", &content))
}

fn accounting_is_off(visitor: &Visitor) -> Markup {
    html! {
        p.problem {
            "RADIUS accounting is off: nobody who connects is seen. " (REFUSING) ". "
            @if visitor.role == Role::Administrator { a href="/settings/vpn" { "Turn it on" } "." }
            @else { "An administrator can turn it on." }
        }
    }
}

/// What of it an administrator mends where senders are listened for.
fn mended_at(trouble: &Standing) -> Option<&'static str> {
    match trouble.condition {
        // Not to its own page: there is none until it sends again, behind a restart.
        Condition::UnknownClient => Some("Let it in, or see who it is"),
        Condition::WrongSecret => Some("Try a secret and set it"),
        _ => None,
    }
}

/// What is wrong, and what to do.
fn troubles(health: &[Standing], role: Role) -> Markup {
    html! {
        @for trouble in health {
            section.problem {
                h2 { (trouble.condition.name()) " " (text::stranger(&trouble.subject)) }
                p { (text::stranger(&trouble.message)) " Since " (text::moment_ns(trouble.since_unix_ns)) "." }
                ul { @for advice in &trouble.advice { li { (text::stranger(advice)) } } }
                @if role == Role::Administrator && let Some(what) = mended_at(trouble) { p { a href="/settings/listening" { (what) } } }
            }
        }
    }
}

fn content(seen: &Seen, now: Option<&Arc<SensorNow>>, hearing: Hearing, plots: &Markup) -> Markup {
    html! {
        h2 { "Newest open alerts" }
        @if seen.alerts.is_empty() { p { "None." } } @else { (alerts::table(&seen.alerts)) }
        h2 { "On line now: " (seen.open) @if seen.open == 1 { " connection" } @else { " connections" } }
        @if seen.open > 0 { (map::places_of(&map::spots(&seen.spots), seen.all_spots, "Where they are")) }
        div.cards {
            section.card {
                h2 { "VPN servers" }
                @if seen.servers.is_empty() {
                    p { "None was heard of yet. Point the RADIUS accounting of a VPN server at this host, UDP 1813." }
                } @else {
                    table {
                        caption.unseen { "VPN servers, those with the most connections on line first" }
                        thead { tr { th scope="col" { "VPN server" } th.figure scope="col" { "On line" } th scope="col" { "Last heard" } } }
                        tbody { @for server in &seen.servers { tr {
                            td { a href={ "/connections?open=true&server=" (server.number) } { (text::stranger(servers::name(server))) } }
                            td.figure { (server.open) }
                            td { (text::moment(&server.last_seen)) }
                        } } }
                    }
                    p { @if seen.has_more_servers { "Those with the most on line are shown. " } a href="/servers" { "All VPN servers" } }
                }
            }
            section.card {
                h2 { "Sensors" }
                table {
                    caption.unseen { "Sensors, the latest heard of first" }
                    thead { tr { th scope="col" { "Sensor" } th scope="col" { "State" } th.figure scope="col" { "Records" } th scope="col" { "Last record" } } }
                    tbody {
                        // One that has not recorded anything yet, and maybe cannot.
                        @if let Some(now) = now && !seen.sensors.iter().any(|sensor| sensor.name == now.name) { tr {
                            td { (text::stranger(&now.name)) }
                            td { (sensors::state(Some(now), hearing)) }
                            td.figure { "0" }
                            td { span.quiet { "none yet" } }
                        } }
                        @for sensor in &seen.sensors { tr {
                        td { (text::stranger(&sensor.name)) }
                        td { (sensors::state(now.filter(|now| now.name == sensor.name).map(|now| &**now), hearing)) }
                        td.figure { (sensor.count) }
                        td { (text::moment(&sensor.last_seen)) }
                        } }
                    }
                }
                p { a href="/sensors" { "All about the sensor" } }
            }
        }
        (plots)
        h2 { "Newest connections on line" }
        (sessions::table(&seen.on_line))
        p { a href="/connections?open=true" { "All who are on line" } }
    }
}

/// How much came in, what became of it, and how long answers took.
fn plots(series: &Series, chosen: Option<&StageSeries>, zone: &Zone) -> Markup {
    let requests = [Line { name: "requests".to_owned(), values: &series.requests }];
    let verdicts: Vec<Line<'_>> = series
        .verdicts
        .iter()
        .map(|verdict| Line { name: verdict.verdict.clone(), values: &verdict.rates })
        .collect();
    let p99: Vec<Line<'_>> =
        series.stages.iter().map(|stage| Line { name: stage.stage.clone(), values: &stage.p99_s }).collect();
    html! {
        div.plots {
            (plot::lines("Requests a second", &series.unix_s, &requests, plot::digits, zone))
            (plot::lines("Verdicts a second", &series.unix_s, &verdicts, plot::digits, zone))
            (plot::lines("Latency by stage, 99 in 100 no longer", &series.unix_s, &p99, plot::seconds, zone))
        }
        @if let Some(chosen) = chosen {
            (stages::choice(series, chosen, |stage| format!("/?stage={}#plots", query_part(stage))))
            div.plots { (stages::percentiles(series, chosen, zone)) (stages::heat(series, chosen, zone)) }
        }
    }
}
