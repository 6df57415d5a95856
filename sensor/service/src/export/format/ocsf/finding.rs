//! Detection Finding (2004): an alert is raised, grows, is closed.

use std::collections::BTreeSet;

use insight::detect::Line;
use serde_json::{Value, json};

use super::{
    Classified,
    attack::attack,
    base, ms,
    parts::{self, Observable, observable},
    severity_id, with,
};
use crate::{
    alert::{Alert, Confidence, Connection, News, Notice, Reason, State, Verdict},
    export::format::{Client, Source},
};

const CLASS: u32 = 2004;
/// Tunnel Activity, Open: what a connection of an alert was told as.
const OPENED: u32 = 401_401;
/// Analytic: by a rule; by how somebody behaves.
const RULE: u8 = 1;
const BEHAVIOUR: u8 = 2;

pub(super) fn finding(notice: &Notice, source: &Source) -> Value {
    let alert = &notice.alert;
    let activity = match notice.news {
        News::New => 1,
        News::Updated => 2,
        News::Closed => 3,
    };
    let unix_ns = notice.unix_ns();
    let classified = Classified { class: CLASS, activity, severity: alert.severity, unix_ns };
    let uid = source.alert_uid(alert.number);
    let event = format!("{uid}/{}", alert.revision);
    let (status, detail) = status(&alert.state);
    let confidence = Confidence::of(alert);
    let verdict = verdict(&alert.state);
    let evidences: Vec<Value> =
        alert.connections.iter().map(|connection| evidence(alert, connection, verdict)).collect();
    let more = json!({
        "message": alert.message,
        "is_alert": notice.news != News::Closed,
        "status_id": status,
        "status_detail": detail,
        "confidence_id": match confidence {
            Confidence::Low => 1,
            Confidence::Medium => 2,
            Confidence::High => 3,
        },
        "confidence": confidence.name(),
        "risk_level_id": severity_id(alert.severity) - 1,
        // Out of range is the end of the range: the sign of infinity is what counts.
        "risk_score": alert.score.round() as i64,
        "start_time": ms(alert.first_unix_ns),
        "end_time": ms(alert.last_unix_ns),
        "finding_info": info(notice, &uid, source),
        "anomaly_analyses": alert.reasons.iter().map(|reason| anomaly(alert, reason)).collect::<Vec<_>>(),
        "evidences": evidences,
        "observables": observables(alert),
        "resources": resources(alert),
        "remediation": (!alert.advice.is_empty()).then(|| json!({"desc": alert.advice.join(" ")})),
        "comment": alert.comments.last().map(|comment| &comment.text),
        "unmapped": {
            "detection": alert.detection,
            "external_id": alert.external_id,
            "revision": alert.revision,
            "score": alert.score,
            "connections": alert.connection_count,
            "user_original": alert.user_original,
        },
    });
    with(base(&classified, Some(&event), source), more)
}

fn info(notice: &Notice, uid: &str, source: &Source) -> Value {
    let alert = &notice.alert;
    let is_new = notice.news == News::New;
    let by_behaviour = alert.reasons.iter().any(|reason| reason.feature.is_some());
    let techniques: BTreeSet<&String> = alert.reasons.iter().flat_map(|reason| &reason.techniques).collect();
    let related = alert.connections.iter().map(|connection| {
        json!({
            "uid": connection.session_id, "type_uid": OPENED, "first_seen_time": ms(connection.start_unix_ns),
        })
    });
    json!({
        "uid": uid,
        "title": alert.title,
        "desc": alert.message,
        "analytic": {
            "type_id": if by_behaviour { BEHAVIOUR } else { RULE },
            "name": alert.detection,
            "uid": alert.detection,
            "version": source.version,
        },
        "attacks": techniques.into_iter().map(|id| attack(id)).collect::<Vec<_>>(),
        "first_seen_time": ms(alert.first_unix_ns),
        "last_seen_time": ms(alert.last_unix_ns),
        "created_time": is_new.then(|| ms(alert.changed_unix_ns)),
        "modified_time": (!is_new).then(|| ms(notice.unix_ns())),
        "related_events": related.collect::<Vec<_>>(),
        "related_events_count": alert.connection_count,
        "src_url": source.link(alert.number),
        "data_sources": ["RADIUS accounting"],
    })
}

/// Of the finding, and in words.
fn status(state: &State) -> (u8, Option<String>) {
    match state {
        State::Open => (1, None),
        State::Closed { verdict, by, .. } => {
            let (id, word) = match verdict {
                Verdict::Usual => (3, "usual"),
                Verdict::Malicious => (4, "malicious"),
                Verdict::Unclear => (5, "unclear"),
            };
            (id, Some(format!("closed as {word} by {by}")))
        }
    }
}

/// Suspicious; and once it is closed benign, a true positive, or too little known.
fn verdict(state: &State) -> u8 {
    match state {
        State::Open => 4,
        State::Closed { verdict: Verdict::Usual, .. } => 5,
        State::Closed { verdict: Verdict::Malicious, .. } => 2,
        State::Closed { verdict: Verdict::Unclear, .. } => 7,
    }
}

/// What was expected, and what was seen.
fn anomaly(alert: &Alert, reason: &Reason) -> Value {
    let parameter = reason.feature.as_deref().unwrap_or(&reason.detection);
    let (target, sort) = match (&alert.user, alert.address) {
        (Some(user), _) => (user.clone(), "user"),
        (None, Some(address)) => {
            let line = Line::of(address);
            (line.to_string(), if line.is_network() { "IP network" } else { "IP address" })
        }
        (None, None) => (alert.title.clone(), "finding"),
    };
    let expected = reason.expected.iter();
    // Where connections are not counted, none is not how many there were.
    let count = |connections: u32| Some(connections).filter(|count| *count > 0);
    let usual: Vec<Value> =
        expected.map(|usual| json!({"value": usual.value, "count": count(usual.connections)})).collect();
    let baseline = json!({"observation_parameter": parameter, "observations": usual});
    json!({
        "analysis_targets": [{"name": target, "type": sort}],
        "anomalies": [{
            "observation_parameter": parameter,
            "observations": [{"value": reason.seen, "count": 1}],
            "observed_pattern": reason.text,
        }],
        "baselines": (!reason.expected.is_empty()).then_some([baseline]),
    })
}

fn client(connection: &Connection) -> Client {
    Client {
        address: connection.address,
        place: connection.place.clone(),
        country: connection.country.clone(),
        latitude: connection.latitude,
        longitude: connection.longitude,
        asn: connection.asn,
        organisation: connection.organisation.clone(),
        ..Client::default()
    }
}

fn evidence(alert: &Alert, connection: &Connection, verdict: u8) -> Value {
    let device = connection.device.as_deref();
    json!({
        "uid": connection.session_id,
        "name": "VPN connection",
        "verdict_id": verdict,
        "src_endpoint": parts::source_endpoint(&client(connection), device),
        "dst_endpoint": parts::server_endpoint(connection.server.as_deref(), connection.server_address),
        "user": alert.user_of(connection).map(parts::user),
        "device": device.map(parts::device),
        "data": {
            "session": connection.session,
            "start_time": ms(connection.start_unix_ns),
            "score": connection.score,
            "kinds": connection.kinds,
            "software": connection.software,
        },
    })
}

fn observables(alert: &Alert) -> Vec<Value> {
    let of_user = |user: &str| observable(Observable::UserName, "evidences.user.name", Some(user.to_owned()));
    let mut found: Vec<Option<Value>> = alert.users().map(of_user).collect();
    for connection in &alert.connections {
        let address = connection.address.map(|address| address.to_string());
        found.push(observable(Observable::Address, "evidences.src_endpoint.ip", address));
        found.push(observable(Observable::Hostname, "evidences.device.name", connection.device.clone()));
    }
    let mut listed: Vec<Value> = Vec::new();
    for value in found.into_iter().flatten() {
        if !listed.contains(&value) {
            listed.push(value);
        }
    }
    listed
}

/// Whom and what it concerns: the users, the VPN servers.
fn resources(alert: &Alert) -> Vec<Value> {
    let users = alert.users().map(|user| json!({"name": user, "uid": user, "type": "user"}));
    let servers: BTreeSet<&String> =
        alert.connections.iter().filter_map(|connection| connection.server.as_ref()).collect();
    users.chain(servers.into_iter().map(|server| json!({"name": server, "type": "VPN server"}))).collect()
}
