//! A message of each sort, with a name wherever the network may put one.

use super::{super::*, TIME};
use crate::alert::{Alert, Comment, Connection, Expected, News, Notice, Reason, Severity, State, Verdict};

/// Everything that comes from the network is this text.
pub(super) fn notice(name: &str, news: News) -> Notice {
    let connection = Connection {
        session: 5,
        session_id: name.to_owned(),
        start_unix_ns: TIME - 60_000_000_000,
        user: None,
        score: 7.25,
        address: Some("203.0.113.7".parse().unwrap()),
        place: Some("Lyon, Rhone, FR".to_owned()),
        country: Some("FR".to_owned()),
        latitude: Some(45.76),
        longitude: Some(4.84),
        asn: Some(64500),
        organisation: Some(name.to_owned()),
        kinds: vec!["hosting".to_owned()],
        device: Some(name.to_owned()),
        software: Some(name.to_owned()),
        server: Some(name.to_owned()),
        server_address: Some("2001:db8::1".parse().unwrap()),
    };
    let bare = Connection {
        address: None,
        place: None,
        country: None,
        device: None,
        server: None,
        server_address: None,
        ..connection.clone()
    };
    let reason = Reason {
        detection: "suspicious-connection".to_owned(),
        feature: Some("network".to_owned()),
        seen: name.to_owned(),
        expected: vec![Expected { value: "AS3320".to_owned(), connections: 31, last_unix_s: 1_789_000_000 }],
        weight: 3.5,
        text: format!("{name} was never seen"),
        techniques: vec!["T1133".to_owned(), "T1078.002".to_owned(), "T9999.001".to_owned()],
        way: None,
    };
    let travel = Reason {
        detection: "impossible-travel".to_owned(),
        feature: None,
        expected: Vec::new(),
        ..reason.clone()
    };
    let state = match news {
        News::Closed => State::Closed { verdict: Verdict::Usual, by: "uid 0".to_owned(), unix_ns: TIME },
        _ => State::Open,
    };
    let alert = Alert {
        number: 17,
        revision: 2,
        detection: "suspicious-connection".to_owned(),
        title: "Suspicious VPN connection".to_owned(),
        external_id: Some(2025),
        severity: Severity::Medium,
        score: 7.25,
        message: format!("{name} connected"),
        advice: vec!["Ask the user.".to_owned(), "Reset the password.".to_owned()],
        user: Some(name.to_owned()),
        user_original: Some(name.to_owned()),
        address: None,
        users: Vec::new(),
        first_unix_ns: TIME - 60_000_000_000,
        last_unix_ns: TIME - 1,
        changed_unix_ns: TIME,
        reasons: vec![reason, travel],
        connections: vec![connection, bare],
        connection_count: 2,
        state,
        comments: vec![Comment { by: "uid 0".to_owned(), unix_ns: TIME, text: name.to_owned() }],
        held_back: None,
    };
    Notice { sequence: 9, news, is_held: false, alert }
}

/// About an address and its users.
pub(super) fn crowd(name: &str, news: News) -> Notice {
    let mut notice = notice(name, news);
    let alert = &mut notice.alert;
    (alert.user, alert.user_original, alert.external_id) = (None, None, None);
    alert.detection = "one-address-many-users".to_owned();
    alert.title = "One address, many users".to_owned();
    alert.address = Some("203.0.113.7".parse().unwrap());
    alert.users = vec!["bob@contoso.example".to_owned(), name.to_owned()];
    let users = alert.users.clone();
    for (connection, user) in alert.connections.iter_mut().zip(users) {
        connection.user = Some(user);
    }
    notice
}

pub(super) fn activity(name: &str, what: Tunnel) -> TunnelActivity {
    TunnelActivity {
        unix_ns: TIME,
        what,
        user: Some(name.to_owned()),
        user_original: Some(name.to_owned()),
        session_id: name.to_owned(),
        start_unix_ns: TIME - 60_000_000_000,
        end_reason: (what == Tunnel::Close).then(|| "stop".to_owned()),
        terminate_cause: Some("User-Request".to_owned()),
        client: Client {
            address: Some("2001:db8:7::1".parse().unwrap()),
            place: Some(name.to_owned()),
            country: Some("FR".to_owned()),
            region: Some("Rhone".to_owned()),
            city: Some("Lyon".to_owned()),
            latitude: Some(45.76),
            longitude: Some(4.84),
            radius_km: Some(20),
            asn: Some(3215),
            organisation: Some("Orange".to_owned()),
        },
        assigned: vec!["10.9.8.7".parse().unwrap(), "fd00::7".parse().unwrap()],
        server: Some(name.to_owned()),
        server_address: Some("192.0.2.10".parse().unwrap()),
        device: Some(name.to_owned()),
        software: None,
        input_octets: Some(1000),
        output_octets: Some(u64::MAX),
    }
}

/// Of a VPN server that tells next to nothing.
pub(super) fn bare(what: Tunnel) -> TunnelActivity {
    TunnelActivity {
        user: None,
        user_original: None,
        client: Client::default(),
        assigned: Vec::new(),
        server: None,
        server_address: None,
        device: None,
        input_octets: None,
        output_octets: None,
        ..activity("1", what)
    }
}

pub(super) fn health(name: &str, is_over: bool) -> Health {
    Health {
        unix_ns: TIME,
        name: "client-silent".to_owned(),
        severity: Severity::High,
        is_over,
        about: Some(name.to_owned()),
        message: format!("{name} is silent"),
        advice: vec!["Look at it.".to_owned()],
    }
}
