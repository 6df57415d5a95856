//! ArcSight's Common Event Format: a header of seven fields between bars, and keys with values.
//!
//! The alert that Microsoft Defender for Identity gave the external id 2025 has the same class, keys and priorities
//! here, under our own vendor and product: `start app suser shost msg externalId cs1 (url) cs2 (trigger)`, priorities 3, 5
//! and 10. Rules that key on these go on working. What is ours besides: `cs2=closed`, `cs3` (delivery), `cs4` (place),
//! `cs5` (network), `cs6` (users, where it is about several), `cnt`, addresses.

use std::{fmt::Write as _, net::IpAddr};

use jiff::Timestamp;

use super::{
    PRODUCT, Source, VENDOR,
    escape::push_visible,
    text::sentence,
    told::{Health, Told, Tunnel, TunnelActivity, trigger},
};
use crate::alert::{Notice, Severity};

/// Longest value of a custom string, by CEF's dictionary of keys.
const STRING_MAX: usize = 4000;

pub(super) fn line(told: &Told<'_>, source: &Source) -> String {
    match told {
        Told::Notice(notice) => notice_line(told, notice, source),
        Told::Activity(activity) => activity_line(told, activity, source),
        Told::Health(health) => health_line(told, health, source),
    }
}

/// Priority of 0 to 10.
fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 10,
    }
}

fn notice_line(told: &Told<'_>, notice: &Notice, source: &Source) -> String {
    let alert = &notice.alert;
    let newest = alert.connections.first();
    let mut line = Line::new(told, &alert.title, source);
    line.key("start", &ticks(alert.first_unix_ns));
    line.key("app", "VpnConnection");
    line.key("suser", alert.user.as_deref().unwrap_or_default());
    // Of several users each has another.
    let device = newest.filter(|_| alert.user.is_some()).and_then(|connection| connection.device.as_deref());
    line.key("shost", device.unwrap_or_default());
    line.key("msg", &alert.message);
    if let Some(id) = alert.external_id {
        line.key("externalId", &id.to_string());
    }
    line.labelled("cs1", "url", source.link(alert.number).as_deref());
    line.labelled("cs2", "trigger", Some(trigger(notice.news)));
    if let Some(connection) = newest {
        line.address(connection.address);
        line.labelled("cs4", "place", connection.place.as_deref());
        line.labelled("cs5", "network", connection.organisation.as_deref());
        line.key("dvchost", connection.server.as_deref().unwrap_or_default());
    }
    line.labelled("cs6", "users", Some(&within(&alert.users, STRING_MAX)));
    line.key("cnt", &alert.connection_count.to_string());
    line.text
}

/// As many names as fit, with commas between.
fn within(names: &[String], octets: usize) -> String {
    let mut all = String::new();
    for name in names {
        let comma = if all.is_empty() { "" } else { ", " };
        if all.len() + comma.len() + name.len() > octets {
            break;
        }
        all += comma;
        all += name;
    }
    all
}

fn activity_line(told: &Told<'_>, activity: &TunnelActivity, source: &Source) -> String {
    let name = match activity.what {
        Tunnel::Open => "VPN connection opened",
        Tunnel::Renew => "VPN connection goes on",
        Tunnel::Close => "VPN connection closed",
    };
    let mut line = Line::new(told, name, source);
    line.key("start", &ticks(activity.start_unix_ns));
    if activity.what == Tunnel::Close {
        line.key("end", &ticks(activity.unix_ns));
    }
    line.key("app", "VpnConnection");
    line.key("suser", activity.user.as_deref().unwrap_or_default());
    line.key("shost", activity.device.as_deref().unwrap_or_default());
    line.address(activity.client.address);
    line.key("msg", &sentence(activity));
    for (key, octets) in [("in", activity.input_octets), ("out", activity.output_octets)] {
        if let Some(octets) = octets {
            line.key(key, &octets.to_string());
        }
    }
    line.key("reason", activity.end_reason.as_deref().unwrap_or_default());
    line.labelled("cs4", "place", activity.client.place.as_deref());
    line.labelled("cs5", "network", activity.client.organisation.as_deref());
    line.labelled("cs6", "session", Some(&activity.session_id));
    line.key("dvchost", activity.server.as_deref().unwrap_or_default());
    line.text
}

fn health_line(told: &Told<'_>, health: &Health, source: &Source) -> String {
    let mut line = Line::new(told, &health.name, source);
    line.key("start", &ticks(health.unix_ns));
    line.key("app", PRODUCT);
    line.key("msg", &[&[health.message.clone()][..], &health.advice].concat().join(" "));
    line.labelled("cs2", "trigger", Some(if health.is_over { "closed" } else { "new" }));
    line.labelled("cs4", "about", health.about.as_deref());
    line.text
}

/// The time as Microsoft's product writes it, in steps of 100 ns.
fn ticks(unix_ns: u64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(unix_ns / 100 * 100)).unwrap_or_default();
    format!("{time:.7}")
}

struct Line {
    text: String,
    has_keys: bool,
}

impl Line {
    fn new(told: &Told<'_>, name: &str, source: &Source) -> Line {
        let mut line = Line { text: "CEF:0".to_owned(), has_keys: false };
        for field in [VENDOR, PRODUCT, &source.version, told.id(), name] {
            line.text.push('|');
            line.push_header(field);
        }
        // Writing to a string cannot fail.
        let _ = write!(line.text, "|{}|", priority(told.severity()));
        line
    }

    fn push_header(&mut self, field: &str) {
        for character in field.chars() {
            if matches!(character, '|' | '\\') {
                self.text.push('\\');
            }
            push_visible(&mut self.text, character);
        }
    }

    /// A key and its value, unless that is empty.
    fn key(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if std::mem::replace(&mut self.has_keys, true) {
            self.text.push(' ');
        }
        self.text.push_str(key);
        self.text.push('=');
        for character in value.chars() {
            match character {
                '\\' | '=' => self.text.extend(['\\', character]),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                _ => push_visible(&mut self.text, character),
            }
        }
    }

    fn labelled(&mut self, key: &str, label: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.key(&format!("{key}Label"), label);
            self.key(key, value);
        }
    }

    /// CEF keeps addresses of the two families apart.
    fn address(&mut self, address: Option<IpAddr>) {
        match address {
            Some(IpAddr::V4(address)) => self.key("src", &address.to_string()),
            Some(IpAddr::V6(address)) => {
                self.labelled("c6a2", "Source IPv6 Address", Some(&address.to_string()));
            }
            None => {}
        }
    }
}
