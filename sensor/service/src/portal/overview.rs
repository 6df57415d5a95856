//! What is going on: what is wrong, newest alerts, how much comes in, who is on line and where.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use maud::{Markup, html};

use super::{
    Refused, Shared, alerts, frame,
    guard::Visitor,
    map,
    plot::{self, Line},
    sensors, sessions, text,
};
use crate::{
    alert::AlertRow,
    fold::Sort,
    health::Standing,
    observed::{SensorNow, Series},
    store::{AlertFilter, AlertState, SeenRow, ServerRow, SessionFilter, SessionRow, SpotRow},
};

const ALERTS: usize = 10;
const ON_LINE: usize = 15;
const SERVERS: usize = 50;
const SENSORS: usize = 20;
/// Points of the map.
const SPOTS: usize = 150;
/// Time that the plots cover, minutes.
const MINUTES: u32 = 60;

struct Seen {
    alerts: Vec<AlertRow>,
    on_line: Vec<SessionRow>,
    spots: Vec<SpotRow>,
    servers: Vec<ServerRow>,
    sensors: Vec<SeenRow>,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let seen = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "overview.show", None, None)?;
        Ok(Seen {
            alerts: store.alert_rows(
                &AlertFilter { state: Some(AlertState::Open), ..AlertFilter::default() },
                ALERTS,
            )?,
            on_line: store.sessions(&SessionFilter { open: true, ..SessionFilter::default() }, ON_LINE)?,
            spots: store.spots_on_line(SPOTS)?,
            servers: store.servers(i64::MIN, SERVERS)?,
            sensors: store.seen(Sort::Sensor, None, SENSORS)?,
        })
    });
    let health = portal.api.health();
    let sensor = portal.api.sensor();
    let (now, series) = (sensor.now(), sensor.series(MINUTES));
    let content = content(&seen.await?, &health, now.as_ref(), &series);
    Ok(frame::page(&visitor, "Overview", &content))
}

fn content(seen: &Seen, health: &[Standing], now: Option<&Arc<SensorNow>>, series: &Series) -> Markup {
    let open: i64 = seen.servers.iter().map(|server| server.open).sum();
    html! {
        @for trouble in health {
            section.problem {
                h2 { (trouble.condition.name()) " " (text::stranger(&trouble.subject)) }
                p { (text::stranger(&trouble.message)) span.quiet { " Since " (text::moment_ns(trouble.since_unix_ns)) "." } }
                ul { @for advice in &trouble.advice { li { (text::stranger(advice)) } } }
            }
        }
        h2 { "Newest open alerts" }
        @if seen.alerts.is_empty() { p { "None." } } @else { (alerts::table(&seen.alerts)) }
        h2 { "On line now: " (open) }
        @if open > 0 { (map::places(&map::spots(&seen.spots), "Where they are")) }
        div.cards {
            section.card {
                h2 { "VPN servers" }
                @if seen.servers.is_empty() {
                    p { "None was heard of yet. Point the RADIUS accounting of a VPN server at this host, UDP 1813." }
                } @else {
                    table {
                        caption.unseen { "VPN servers, in the order in which they were heard of" }
                        thead { tr { th scope="col" { "VPN server" } th.figure scope="col" { "On line" } th scope="col" { "Last heard" } } }
                        tbody { @for server in &seen.servers { tr {
                            td { a href={ "/connections?open=true&server=" (server.number) } {
                                (text::stranger(server.nas_identifier.as_deref().or(server.nas_address.as_deref()).unwrap_or(&server.client))) } }
                            td.figure { (server.open) }
                            td { (text::moment(&server.last_seen)) }
                        } } }
                    }
                }
            }
            section.card {
                h2 { "Sensors" }
                table {
                    caption.unseen { "Sensors, the latest heard of first" }
                    thead { tr { th scope="col" { "Sensor" } th scope="col" { "State" } th.figure scope="col" { "Records" } th scope="col" { "Last record" } } }
                    tbody { @for sensor in &seen.sensors { tr {
                        td { (text::stranger(&sensor.name)) }
                        td { (sensors::state(now.filter(|now| now.name == sensor.name).map(|now| &**now))) }
                        td.figure { (sensor.count) }
                        td { (text::moment(&sensor.last_seen)) }
                    } } }
                }
                p { a href="/sensors" { "All about the sensor" } }
            }
        }
        @if now.is_some() { h2 { "The last hour" } (plots(series)) }
        h2 { "Newest connections on line" }
        (sessions::table(&seen.on_line))
        p { a href="/connections?open=true" { "All who are on line" } }
    }
}

/// How much came in, what became of it, and how long answers took.
fn plots(series: &Series) -> Markup {
    let requests = [Line { name: "requests".to_owned(), values: &series.requests }];
    let verdicts: Vec<Line<'_>> = series
        .verdicts
        .iter()
        .map(|verdict| Line { name: verdict.verdict.clone(), values: &verdict.rates })
        .collect();
    let p99: Vec<Line<'_>> =
        series.stages.iter().map(|stage| Line { name: stage.stage.clone(), values: &stage.p99_s }).collect();
    let total = series.stages.iter().find(|stage| stage.stage == "total");
    html! {
        div.plots {
            (plot::lines("Requests a second", &series.unix_s, &requests, plot::digits))
            (plot::lines("Verdicts a second", &series.unix_s, &verdicts, plot::digits))
            (plot::lines("Latency by stage, 99 in 100 no longer", &series.unix_s, &p99, plot::seconds))
            @if let Some(total) = total {
                (plot::heat("Answers by how long they took", &series.unix_s, &total.heat, &series.heat_bounds_s))
            }
        }
    }
}
