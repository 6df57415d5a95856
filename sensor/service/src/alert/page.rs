//! An alert as people look at it: a row of a list, and a page with how it came to be what it is. With the member names of
//! the JSON that the command line and the API print; times besides those of [`Alert`] are RFC 3339, UTC.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Alert, Comment, HeldBack, News, Notice, Severity, State};
use crate::{event::rfc3339, export::format::technique_name};

/// An alert in a list: all but its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertRow {
    /// Unlike that of every other alert.
    pub number: u64,
    /// Counts its changes.
    pub revision: u32,
    /// The weightiest detection by its name: `suspicious-connection`.
    pub detection: String,
    /// Its title for people.
    pub title: String,
    /// How urgent.
    #[schema(value_type = SeverityName)]
    pub severity: Severity,
    /// Of the riskiest connection.
    pub score: f64,
    /// All of it in sentences.
    pub message: String,
    /// Key of the user whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When its first connection began.
    pub first_seen: String,
    /// When its newest began.
    pub last_seen: String,
    /// When it was raised or changed last.
    pub changed: String,
    /// All detections among its reasons, by name.
    pub detections: Vec<String>,
    /// How many connections there are.
    pub connections: u64,
    /// How many comments there are.
    pub comments: usize,
    /// Open, or closed and how.
    pub state: State,
    /// What it says now was held back: over the day's bound of notices or beyond what one alert tells, listed and sent to
    /// nobody.
    pub held: bool,
    /// How much was, since when, beyond what one alert tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
}

impl AlertRow {
    pub(crate) fn new(alert: Alert, held: bool) -> AlertRow {
        let detections: BTreeSet<String> = alert.reasons.into_iter().map(|reason| reason.detection).collect();
        AlertRow {
            number: alert.number,
            revision: alert.revision,
            detection: alert.detection,
            title: alert.title,
            severity: alert.severity,
            score: alert.score,
            message: alert.message,
            user: alert.user,
            first_seen: rfc3339(alert.first_unix_ns),
            last_seen: rfc3339(alert.last_unix_ns),
            changed: rfc3339(alert.changed_unix_ns),
            detections: detections.into_iter().collect(),
            connections: alert.connection_count,
            comments: alert.comments.len(),
            state: alert.state,
            held,
            held_back: alert.held_back,
        }
    }
}

/// All that there is about one alert.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertPage {
    /// The alert, as sinks are told of it.
    #[serde(flatten)]
    pub alert: Alert,
    /// `first_unix_ns` for people.
    pub first_seen: String,
    /// `last_unix_ns` for people.
    pub last_seen: String,
    /// `changed_unix_ns` for people.
    pub changed: String,
    /// What it says now was held back: over the day's bound of notices or beyond what one alert tells, listed and sent to
    /// nobody; of the latter `held_back` says how much.
    pub held: bool,
    /// MITRE ATT&CK techniques of all its reasons.
    pub techniques: Vec<Technique>,
    /// What happened to it, the oldest first; of a long story the newest part.
    pub history: Vec<Happened>,
}

impl AlertPage {
    /// `notices` are of this alert, the oldest first.
    pub(crate) fn new(alert: Alert, notices: Vec<Notice>) -> AlertPage {
        AlertPage {
            first_seen: rfc3339(alert.first_unix_ns),
            last_seen: rfc3339(alert.last_unix_ns),
            changed: rfc3339(alert.changed_unix_ns),
            held: notices.last().is_some_and(|notice| notice.is_held),
            techniques: techniques(&alert),
            history: history(notices),
            alert,
        }
    }
}

/// A MITRE ATT&CK technique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Technique {
    /// `T1133`.
    pub id: String,
    /// `External Remote Services`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the catalogue tells of it.
    pub url: String,
}

fn techniques(alert: &Alert) -> Vec<Technique> {
    let ids: BTreeSet<&String> = alert.reasons.iter().flat_map(|reason| &reason.techniques).collect();
    let technique = |id: &String| Technique {
        id: id.clone(),
        name: technique_name(id).map(str::to_owned),
        url: format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/")),
    };
    ids.into_iter().map(technique).collect()
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Happened {
    /// Its number among all that happened to alerts.
    pub sequence: u64,
    /// When.
    pub time: String,
    /// What.
    pub news: News,
    /// It was held back: sent to nobody.
    pub held: bool,
    /// How many pieces of news this stands for, since when, where it was held back beyond what one alert tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
    /// How urgent the alert was from then on.
    #[schema(value_type = SeverityName)]
    pub severity: Severity,
    /// Its score from then on.
    pub score: f64,
    /// The reasons that came with it, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What somebody wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    /// What it turned out to be, and who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<State>,
}

/// Each notice by what the one before does not say. Of the first that is left of a long story nobody can tell.
fn history(notices: Vec<Notice>) -> Vec<Happened> {
    let mut happened = Vec::with_capacity(notices.len());
    let mut before: Option<Alert> = None;
    for notice in notices {
        let time = rfc3339(notice.unix_ns());
        let Notice { sequence, news, is_held, alert } = notice;
        let knows_before = news == News::New || before.is_some();
        let (known, comments) =
            before.map_or((Vec::new(), 0), |before| (before.reasons, before.comments.len()));
        let is_new = |text: &&String| knows_before && !known.iter().any(|reason| reason.text == **text);
        happened.push(Happened {
            sequence,
            time,
            news,
            held: is_held,
            held_back: alert.held_back,
            severity: alert.severity,
            score: alert.score,
            reasons: alert.reasons.iter().map(|reason| &reason.text).filter(is_new).cloned().collect(),
            comment: alert.comments.get(comments).filter(|_| knows_before).cloned(),
            closed: (news == News::Closed).then(|| alert.state.clone()),
        });
        before = Some(alert);
    }
    happened
}

/// [`Severity`] as OpenAPI has it: its own crate does not know of that.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "a description")]
pub(crate) enum SeverityName {
    /// Worth a line, not a look.
    Informational,
    /// One thing is new.
    Low,
    /// Two things that do not depend on each other are new.
    Medium,
    /// And it cannot be, or it is hidden.
    High,
}
