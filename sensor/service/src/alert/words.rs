//! An alert in words: what it is called, what it says, what to do about it. For somebody who sees one for the first time.

use std::{cmp::Ordering, collections::BTreeSet, net::IpAddr};

use insight::detect::{self, Assessment, Detection, Line};

use super::{Alert, Connection, Expected, REASONS_MAX, Reason, State, UNLISTED_MAX, USERS_MAX, Way, WayEnd};
use crate::fold::Case;

/// Users whom the message names.
const NAMED_MAX: usize = 10;

/// A new alert.
pub(crate) fn raised(number: u64, case: &Case<'_>, assessment: &Assessment) -> Alert {
    let detection = named_after(assessment);
    let start = case.connection.start_unix_ns;
    let mut alert = Alert {
        number,
        revision: 1,
        detection: detection.name().to_owned(),
        title: detection.title().to_owned(),
        // What is called as theirs is known as theirs, whichever rule speaks.
        external_id: detection.external_id().or_else(|| external_id(assessment)),
        severity: assessment.severity,
        score: assessment.score,
        message: String::new(),
        advice: advice(detection).iter().map(|&sentence| sentence.to_owned()).collect(),
        user: case.user.map(str::to_owned),
        user_original: case.user_original.map(str::to_owned),
        address: None,
        users: Vec::new(),
        first_unix_ns: start,
        last_unix_ns: start,
        changed_unix_ns: case.now,
        reasons: assessment.reasons.iter().take(REASONS_MAX).map(reason).collect(),
        connections: vec![case.connection.clone()],
        connection_count: 1,
        state: State::Open,
        comments: Vec::new(),
        held_back: None,
    };
    say(&mut alert, &[]);
    alert
}

/// What an alert would be called had this connection raised it, where that speaks more strongly than what it is called
/// after: it is more urgent, or as urgent, and what weighs most in it is new to the alert and weighs more.
pub(crate) fn stronger(
    alert: &Alert,
    assessment: &Assessment,
    is_new: impl Fn(&detect::Reason) -> bool,
) -> Option<Detection> {
    let first = naming(assessment)?;
    let its_own = || alert.reasons.iter().filter(|reason| reason.detection == alert.detection);
    let is_stronger = match assessment.severity.cmp(&alert.severity) {
        Ordering::Less => false,
        Ordering::Equal => is_new(first) && its_own().all(|reason| reason.weight < first.log_ratio),
        Ordering::Greater => true,
    };
    (is_stronger && first.detection.name() != alert.detection).then_some(first.detection)
}

/// Another detection is what people are to look at first.
pub(crate) fn rename(alert: &mut Alert, detection: Detection) {
    detection.name().clone_into(&mut alert.detection);
    detection.title().clone_into(&mut alert.title);
    alert.advice = advice(detection).iter().map(|&sentence| sentence.to_owned()).collect();
}

/// A new alert about an address, with connections of its users, the newest first, that of `case` among them.
pub(crate) fn raised_of_address(
    number: u64,
    address: IpAddr,
    case: &Case<'_>,
    connections: Vec<Connection>,
    assessment: &Assessment,
) -> Alert {
    let detection = Detection::OneAddressManyUsers;
    let starts = || connections.iter().map(|connection| connection.start_unix_ns);
    let scores = connections.iter().map(|connection| connection.score);
    Alert {
        number,
        revision: 1,
        detection: detection.name().to_owned(),
        title: detection.title().to_owned(),
        external_id: external_id(assessment),
        severity: assessment.severity,
        score: scores.fold(assessment.score, f64::max),
        message: String::new(),
        advice: advice(detection).iter().map(|&sentence| sentence.to_owned()).collect(),
        user: None,
        user_original: None,
        address: Some(address),
        users: Vec::new(),
        first_unix_ns: starts().min().unwrap_or(case.now),
        last_unix_ns: starts().max().unwrap_or(case.now),
        changed_unix_ns: case.now,
        reasons: Vec::new(),
        connection_count: connections.len() as u64,
        connections,
        state: State::Open,
        comments: Vec::new(),
        held_back: None,
    }
}

/// How many users: `7 users`.
pub(super) fn users(alert: &Alert) -> String {
    match alert.users.len() {
        1 => "1 user".to_owned(),
        count @ ..USERS_MAX => format!("{count} users"),
        count => format!("{count} users at least"),
    }
}

/// One reason.
pub(crate) fn reason(reason: &detect::Reason) -> Reason {
    Reason {
        detection: reason.detection.name().to_owned(),
        feature: reason.feature.map(|feature| feature.name().to_owned()),
        seen: reason.seen.clone(),
        expected: expected(reason),
        weight: reason.log_ratio,
        text: reason.to_string(),
        techniques: reason.techniques().iter().map(|&technique| technique.to_owned()).collect(),
        way: reason.way.as_ref().map(|way| Way { from: way_end(&way.from), to: way_end(&way.to) }),
    }
}

fn way_end(end: &detect::WayEnd) -> WayEnd {
    let detect::WayEnd { place, country, latitude, longitude, radius_km, unix_s } = end.clone();
    WayEnd { place, country, latitude, longitude, radius_km, unix_s }
}

/// What is usual: values with what is known of them, else what was measured.
fn expected(reason: &detect::Reason) -> Vec<Expected> {
    let measured = || reason.usual().map(|value| Expected { value, connections: 0, last_unix_s: 0 });
    let values = reason.expected.iter().map(|usual| Expected {
        value: usual.value.clone(),
        connections: usual.connections,
        last_unix_s: usual.last_unix_s,
    });
    match reason.expected.is_empty() {
        true => measured().into_iter().collect(),
        false => values.collect(),
    }
}

/// Writes the message anew from what the alert holds, and these connections that it does not list any more: of a user's, one
/// of each sort, as many as are kept of them.
pub(crate) fn say(alert: &mut Alert, unlisted: &[Connection]) {
    let mut message = String::new();
    if let Some(user) = &alert.user {
        // Others may have left before.
        let least = if unlisted.len() >= UNLISTED_MAX { "at least " } else { "" };
        let count = |count: usize, one: &str| match count {
            1 => format!("{least}1 {one}"),
            count => format!("{least}{count} {one}s"),
        };
        message = format!("{user} connected to a VPN");
        let all = || unlisted.iter().chain(&alert.connections);
        let devices = different(all(), |connection| connection.device.as_ref());
        let places = different(all(), |connection| connection.place.as_ref());
        let networks = different(all(), |connection| connection.asn);
        if devices > 0 {
            message += &format!(" using {}", count(devices, "computer"));
        }
        if places > 0 {
            message += &format!(" from {}", count(places, "location"));
        }
        // One network goes without saying; another one is what an alert may be told again for.
        if networks > 1 {
            message += &format!(" through {}", count(networks, "provider"));
        }
        message += ". ";
    }
    if let Some(address) = alert.address {
        let line = Line::of(address);
        let from = if line.is_network() { format!("one network ({line})") } else { line.to_string() };
        message = format!("{} connected to a VPN from {from}, where they never were before: ", users(alert));
        message += &alert.users[..alert.users.len().min(NAMED_MAX)].join(", ");
        if alert.users.len() > NAMED_MAX {
            message += &format!(" and {} more", alert.users.len() - NAMED_MAX);
        }
        message += ". ";
    }
    for (at, reason) in alert.reasons.iter().enumerate() {
        if at > 0 {
            message += " ";
        }
        let mut letters = reason.text.chars();
        // A name at the beginning stays as it is written.
        match letters.next() {
            Some(first) if !alert.users().any(|user| reason.text.starts_with(user)) => {
                message.extend(first.to_uppercase());
                message += letters.as_str();
            }
            _ => message += &reason.text,
        }
        message += ".";
    }
    if let Some(sentence) = alert.taken_together() {
        message += " ";
        message += &sentence;
    }
    alert.message = message;
}

/// How many different values connections have.
fn different<'a, T: Ord>(
    connections: impl Iterator<Item = &'a Connection>,
    of: impl Fn(&'a Connection) -> Option<T>,
) -> usize {
    connections.filter_map(of).collect::<BTreeSet<T>>().len()
}

/// What an alert is named after: its weightiest reason, whether people are told because of that one or of another. But what
/// the score says of somebody who is not learned names an alert only where it raises it: beside a rule it is the rule's.
fn naming(assessment: &Assessment) -> Option<&detect::Reason> {
    let may_name =
        |reason: &&detect::Reason| reason.detection != Detection::UnlearnedUser || reason.alert.is_some();
    assessment.reasons.iter().find(may_name)
}

/// The same by its name.
fn named_after(assessment: &Assessment) -> Detection {
    naming(assessment).map_or(Detection::UnlearnedUser, |reason| reason.detection)
}

/// By what SIEM rules know it: that of any detection because of which people are told, whatever weighs most. What raises
/// Microsoft's alert must raise theirs also where somebody has travelled too fast besides.
pub(crate) fn external_id(assessment: &Assessment) -> Option<u16> {
    let mut telling = assessment.reasons.iter().filter(|reason| reason.alert.is_some());
    telling.find_map(|reason| reason.detection.external_id())
}

fn advice(detection: Detection) -> &'static [&'static str] {
    const CONNECTION: &[&str] = &[
        "Ask the user, not by e-mail, whether it was them: a trip, a new device, another provider?",
        "If nobody can explain it: end the session, block the user or the computer, reset the password, require a second \
         factor, and look at other users from the same address and at what the session reached.",
        "Close the alert as usual if it was the user: from then on it is expected. Close it as malicious if it was not: \
         what it taught is taken back.",
    ];
    const SERVER: &[&str] = &[
        "Find out whether the VPN server was restarted or reached us by another way for a while.",
        "If not: somebody may send accounting in its name. Change its shared secret and look where the datagrams come from.",
    ];
    const ADDRESS: &[&str] = &[
        "Find out whose address it is, and ask a few of the users, not by e-mail, whether it was them: an office, a hotel, a \
         provider that has many customers behind one address?",
        "If nobody can explain it: somebody has the passwords of all these users. Block the address, end the sessions, reset \
         the passwords, require a second factor, and look where the passwords came from.",
        "Close the alert as usual if they share the address: all their connections are expected from then on, and the \
         address is not told of again. Close it as malicious if they do not: what their connections taught is taken back.",
    ];
    match detection {
        Detection::OneAddressManyUsers => ADDRESS,
        Detection::StopWithoutStart => SERVER,
        _ => CONNECTION,
    }
}
