//! From the octets of a request to the event: every vendor, every form, every defect. Which test holds which vendor's row,
//! which form and which bad day: the table in `rows.rs`.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod defects;
mod documentation;
mod forms;
mod interims;
mod kinds;
mod overrides;
mod properties;
mod rows;
mod vendors;

use std::{collections::HashMap, net::SocketAddr};

use insight::vpn::{Client, Decoder, Event, Received, Settings};
use radius::{Code, build::RequestBuilder};

/// 2026-11-23T10:00:00.5Z.
const ARRIVAL_NS: u64 = 1_795_428_000_500_000_000;
const ARRIVAL_S: u32 = 1_795_428_000;

/// The octets of a request with these attributes.
fn octets(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
    fill(&mut builder);
    builder.seal(b"secret").unwrap().to_vec()
}

/// The octets of a Start of session `4F` with these attributes besides.
fn start(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<u8> {
    octets(|b| {
        b.integer(40, 1).text(44, "4F");
        fill(b);
    })
}

fn received(octets: &[u8]) -> Received<'_> {
    Received {
        octets,
        source: SocketAddr::from(([192, 0, 2, 10], 40_000)),
        destination: SocketAddr::from(([192, 0, 2, 1], 1813)),
        client: "gateway",
        arrival_unix_ns: ARRIVAL_NS,
    }
}

/// The event, with nothing configured.
fn event(octets: &[u8]) -> Event<'_> {
    Decoder::new(Settings::default()).decode(&received(octets)).unwrap()
}

/// A decoder with one configured client.
fn decoder(client: Client) -> Decoder {
    Decoder::new(Settings { clients: HashMap::from([("gateway".to_owned(), client)]), ..Settings::default() })
}

/// What matters of an event, one line a field, absent ones left out: for comparing with what a test expects.
fn shown(event: &Event<'_>) -> String {
    let mut lines = vec![
        format!("vendor {} by {:?}", event.vendor, event.recognised),
        format!("kind {}: {}", event.classified.kind, event.classified.reason),
    ];
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{name} {value}")));
    };
    line("user", event.user.as_ref().map(|user| format!("{} = {}", user.original, user.key)));
    line(
        "remote",
        event.remote.map(|remote| {
            let port = remote.port.map_or(String::new(), |port| format!(" port {port}"));
            format!("{}{port}, {}, from {}", remote.address, remote.scope, remote.from)
        }),
    );
    line("other remote", event.remote_other.map(|address| address.to_string()));
    for assigned in &event.assigned {
        line("assigned", Some(assigned.to_string()));
    }
    line("device", event.device.as_deref().map(str::to_owned));
    line("model", event.device_model.as_deref().map(str::to_owned));
    line("software", event.software.as_deref().map(str::to_owned));
    line("system", event.operating_system_text().map(String::from));
    line("group", event.group.as_deref().map(str::to_owned));
    line("correlation", event.correlation.as_deref().map(str::to_owned));
    line("tunnel", event.tunnel_name().map(String::from));
    line("ended by", event.terminate_cause_name().map(String::from));
    for defect in event.defects.listed() {
        line("defect", Some(defect.to_string()));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Compares with an indented block of lines.
#[track_caller]
fn shows(event: &Event<'_>, expected: &str) {
    let expected: String = expected.trim().lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(shown(event), expected);
}
