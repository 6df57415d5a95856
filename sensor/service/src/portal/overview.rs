//! What is going on: newest alerts, who is on line, VPN servers, sensors.

use axum::{Extension, extract::State, response::Response};
use maud::{Markup, html};

use super::{Refused, Shared, alerts, frame, guard::Visitor, sessions, text};
use crate::{
    alert::AlertRow,
    fold::Sort,
    health::Standing,
    store::{AlertFilter, AlertState, SeenRow, ServerRow, SessionFilter, SessionRow},
};

const ALERTS: usize = 10;
const ON_LINE: usize = 20;
const SERVERS: usize = 100;
const SENSORS: usize = 20;

struct Seen {
    alerts: Vec<AlertRow>,
    on_line: Vec<SessionRow>,
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
            servers: store.servers(i64::MIN, SERVERS)?,
            sensors: store.seen(Sort::Sensor, None, SENSORS)?,
        })
    });
    let health = portal.api.health();
    Ok(frame::page(&visitor, "Overview", &content(&seen.await?, &health)))
}

fn content(seen: &Seen, health: &[Standing]) -> Markup {
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
        div.cards {
            section.card {
                h2 { "VPN servers" }
                @if seen.servers.is_empty() {
                    p { "None was heard of yet. Point the RADIUS accounting of a VPN server at this host, UDP 1813." }
                } @else {
                    table {
                        thead { tr { th { "VPN server" } th.figure { "On line" } th { "Last heard" } } }
                        tbody { @for server in &seen.servers { tr {
                            td { (text::stranger(server.nas_identifier.as_deref().or(server.nas_address.as_deref()).unwrap_or(&server.client))) }
                            td.figure { (server.open) }
                            td { (text::moment(&server.last_seen)) }
                        } } }
                    }
                }
            }
            section.card {
                h2 { "Sensors" }
                table {
                    thead { tr { th { "Sensor" } th.figure { "Records" } th { "Last record" } } }
                    tbody { @for sensor in &seen.sensors { tr {
                        td { (text::stranger(&sensor.name)) }
                        td.figure { (sensor.count) }
                        td { (text::moment(&sensor.last_seen)) }
                    } } }
                }
            }
        }
        h2 { "On line now: " (open) }
        (sessions::table(&seen.on_line))
    }
}
