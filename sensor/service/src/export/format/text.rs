//! Sentences for a mail: the subject, a line end, and the text. No name can end a line: each is made visible.

use std::fmt::Write as _;

use super::{
    Source,
    escape::visible,
    told::{Client, Health, Told, Tunnel, TunnelActivity, trigger},
};
use crate::{
    alert::{Notice, Severity, State},
    event::rfc3339,
};

pub(super) fn letter(told: &Told<'_>, source: &Source) -> String {
    let (subject, body) = match told {
        Told::Notice(notice) => notice_letter(notice, source),
        Told::Activity(activity) => activity_letter(activity),
        Told::Health(health) => health_letter(health),
    };
    format!("{}\n{body}\nSent by vpn-sensor on {}.\n", visible(&subject), visible(&source.host))
}

pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "informational",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

fn notice_letter(notice: &Notice, source: &Source) -> (String, String) {
    let alert = &notice.alert;
    let about = alert.subject().map_or(String::new(), |subject| format!(": {subject}"));
    let subject = format!(
        "[{}] {}{about} ({} alert {})",
        severity(alert.severity),
        alert.title,
        trigger(notice.news),
        alert.number
    );
    // Writing to a string cannot fail, here and below.
    let mut body = format!("{}\n", visible(&alert.message));
    if let State::Closed { verdict, by, unix_ns } = &alert.state {
        let (by, at) = (visible(by), rfc3339(*unix_ns));
        let _ = writeln!(body, "\nClosed as {verdict:?} by {by} at {at}.");
    }
    if !alert.reasons.is_empty() {
        body.push_str("\nWhy:\n");
    }
    for reason in &alert.reasons {
        let _ = writeln!(body, "- {}", visible(&reason.text));
        for expected in &reason.expected {
            let _ = write!(body, "  usual: {}", visible(&expected.value));
            let _ = match expected.connections {
                0 => writeln!(body),
                1 => writeln!(body, " (1 connection)"),
                count => writeln!(body, " ({count} connections)"),
            };
        }
    }
    if !alert.users.is_empty() {
        let users: Vec<String> = alert.users.iter().map(|user| visible(user)).collect();
        let _ = writeln!(body, "\nUsers:\n{}", users.join(", "));
    }
    let _ = writeln!(body, "\nConnections ({} in all):", alert.connection_count);
    for connection in &alert.connections {
        let mut parts = vec![rfc3339(connection.start_unix_ns)];
        parts.extend(connection.user.as_deref().map(visible));
        parts.extend(connection.address.map(|address| address.to_string()));
        let texts = [&connection.place, &connection.organisation, &connection.device, &connection.server];
        parts.extend(texts.into_iter().flatten().map(|text| visible(text)));
        let _ = writeln!(body, "- {}", parts.join(", "));
    }
    push_advice(&mut body, &alert.advice);
    if let Some(link) = source.link(alert.number) {
        let _ = writeln!(body, "\n{link}");
    }
    (subject, body)
}

fn push_advice(body: &mut String, advice: &[String]) {
    if !advice.is_empty() {
        body.push_str("\nWhat to do:\n");
    }
    for sentence in advice {
        let _ = writeln!(body, "- {}", visible(sentence));
    }
}

/// One sentence of a connection, for mail and as the message of other formats.
pub(super) fn sentence(activity: &TunnelActivity) -> String {
    let user = activity.user.as_deref().unwrap_or("somebody unnamed");
    let what = match activity.what {
        Tunnel::Open => "connected to",
        Tunnel::Renew => "is connected to",
        Tunnel::Close => "disconnected from",
    };
    let server = activity.server.as_deref().unwrap_or("a VPN server without a name");
    let Client { address, place, organisation, .. } = &activity.client;
    let address = address.map(|address| format!(" from {address}")).unwrap_or_default();
    let within: Vec<&str> = [place, organisation].into_iter().flatten().map(String::as_str).collect();
    let within = if within.is_empty() { String::new() } else { format!(" ({})", within.join(", ")) };
    format!("{user} {what} {server}{address}{within}")
}

fn activity_letter(activity: &TunnelActivity) -> (String, String) {
    let sentence = visible(&sentence(activity));
    let body = format!("{sentence} at {}.\n", rfc3339(activity.unix_ns));
    (sentence, body)
}

fn health_letter(health: &Health) -> (String, String) {
    let state = if health.is_over { "over" } else { severity(health.severity) };
    let about = health.about.as_deref().map_or(String::new(), |about| format!(": {about}"));
    let subject = format!("[{state}] {}{about}", health.name);
    let mut body = format!("{}\n", visible(&health.message));
    push_advice(&mut body, &health.advice);
    (subject, body)
}
