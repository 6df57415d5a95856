//! Alerts, the newest first: filters, and the form that closes many at once.

use axum::{
    Extension,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use insight::detect::{Detection, ReasonFeature};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Refused, Shared, closing::NotDone, days, deciding::COMMENT_UNITS_MAX, frame, guard::Visitor,
    people::query_part, text, zone::Zone,
};
use crate::{
    alert::{AlertRow, Severity, State as Standing, Verdict},
    store::{AlertFilter, AlertState, UserRow},
};

/// Rows of a page, and alerts that are closed at once.
pub(super) const ROWS: usize = 50;

/// What `state` can be, with its words.
const STATES: [(&str, &str, Option<AlertState>); 6] = [
    ("open", "Open", Some(AlertState::Open)),
    ("all", "All", None),
    ("closed", "Closed", Some(AlertState::Closed)),
    ("usual", "Closed as usual", Some(AlertState::Usual)),
    ("malicious", "Closed as an attack", Some(AlertState::Malicious)),
    ("unclear", "Closed as unclear", Some(AlertState::Unclear)),
];

/// What `sent` is where only those are asked for that were held back.
const HELD: &str = "held";

/// What stands first where a reason is chosen. Nothing is chosen for anybody: what is closed as usual is learned.
pub(super) const NO_REASON: &str = "choose why";

/// What an alert can be closed as, with its words.
pub(super) const VERDICTS: [(Verdict, &str); 3] = [
    (Verdict::Usual, "usual for this user: her profile learns it"),
    (Verdict::Malicious, "an attacker: what it taught is taken back"),
    (Verdict::Unclear, "not found out"),
];

/// The verdict of this name; empty and anything else is none.
pub(super) fn verdict_of(name: &str) -> Option<Verdict> {
    VERDICTS.into_iter().map(|(verdict, _)| verdict).find(|verdict| verdict.name() == name)
}

/// So many are named whose name holds what was typed as the user.
const SIMILAR: usize = 10;

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    severity: Severity,
    #[serde(default)]
    user: String,
    /// A detection, or what is new; empty: any.
    #[serde(default)]
    reason: String,
    /// A day of the viewer's zone; empty: any.
    #[serde(default)]
    since: String,
    /// `held`: only those that were held back as they stand.
    #[serde(default)]
    sent: String,
    pub(super) before: Option<u64>,
}

impl Asked {
    fn filter(&self, user: Option<String>, zone: &Zone) -> Result<AlertFilter, Refused> {
        let state = STATES.into_iter().find(|(name, ..)| *name == self.state).unwrap_or(STATES[0]);
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        if let Some(reason) = reason.as_ref().filter(|reason| !AlertFilter::is_reason(reason)) {
            let detail = format!("{reason:?} is no reason of an alert: choose one of the list.");
            return Err(Refused(StatusCode::BAD_REQUEST, detail));
        }
        Ok(AlertFilter {
            user,
            state: state.2,
            severity: self.severity,
            reason,
            held: (self.sent == HELD).then_some(true),
            since_unix_ns: days::begins(&self.since, zone)?,
            before: self.before,
            ..AlertFilter::default()
        })
    }

    /// What is asked for as the query of an address, from this alert on.
    fn query(&self, before: Option<u64>) -> String {
        let severity = Some(self.severity).filter(|severity| *severity != Severity::default());
        let before = before.map(|before| before.to_string());
        let parts = [
            ("state", &*self.state),
            ("severity", severity.map_or("", Severity::name)),
            ("user", &self.user),
            ("reason", &self.reason),
            ("since", &self.since),
            ("sent", &self.sent),
            ("before", before.as_deref().unwrap_or_default()),
        ];
        let asked = parts.into_iter().filter(|(_, value)| !value.is_empty());
        asked.map(|(name, value)| format!("{name}={}", query_part(value))).collect::<Vec<_>>().join("&")
    }

    /// What a query asks for; everything that is open, where it is none of ours.
    pub(super) fn of_query(query: &str) -> Asked {
        let address = format!("/alerts?{query}").parse().ok();
        let asked = address.and_then(|address| Query::try_from_uri(&address).ok());
        asked.map_or_else(Asked::default, |Query(asked)| asked)
    }

    /// The address of the list.
    pub(super) fn address(&self, before: Option<u64>) -> String {
        let query = self.query(before);
        if query.is_empty() { "/alerts".to_owned() } else { format!("/alerts?{query}") }
    }
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    list(&portal, &visitor, &asked, &NotDone::default()).await
}

pub(super) async fn list(
    portal: &Shared,
    visitor: &Visitor,
    asked: &Asked,
    not_done: &NotDone,
) -> Result<Response, Refused> {
    let typed = Some(asked.user.trim().to_owned()).filter(|typed| !typed.is_empty());
    let user = portal.api.user_key_of(typed.as_deref()).await?;
    let realms = portal.api.realms()?;
    let filter = asked.filter(user, &visitor.zone)?;
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "alerts.list", filter.user.as_deref(), filter.details().as_deref())?;
        let alerts = store.alert_rows(&filter, ROWS + 1)?;
        let similar = match (&filter.user, typed) {
            (Some(key), Some(typed)) if alerts.is_empty() && store.user(key)?.is_none() => {
                Some(store.users(&store.user_part(&typed, &realms)?, None, SIMILAR + 1)?)
            }
            _ => None,
        };
        Ok((alerts, similar))
    });
    let (mut alerts, similar) = found.await?;
    let more = alerts.len() > ROWS;
    alerts.truncate(ROWS);
    let listed = match similar {
        Some(similar) => html! { (filters(asked, &visitor.zone)) (nobody(asked, &similar)) },
        None => content(visitor, asked, &alerts, more, not_done),
    };
    Ok(frame::page(visitor, "Alerts", &listed))
}

/// That nobody is known by the name that was typed, and who is meant, perhaps.
fn nobody(asked: &Asked, similar: &[UserRow]) -> Markup {
    let typed = asked.user.trim();
    let of = |user: &UserRow| Asked { user: user.user.clone(), before: None, ..asked.clone() }.address(None);
    html! {
        p { "Nobody is known as " (text::stranger(typed)) "."
            @if similar.is_empty() { " A user is named as a whole here, and nobody has this in the name." }
            @else { " A user is named as a whole here. Alerts of those who have this in the name:" } }
        @if !similar.is_empty() {
            ul { @for user in similar.iter().take(SIMILAR) { li { a href=(of(user)) { (text::stranger(&user.user)) } } } }
        }
        @if similar.len() > SIMILAR {
            p.quiet { "The first ten. " a href={ "/users?q=" (query_part(typed)) } { "All of them" } }
        }
    }
}

fn content(visitor: &Visitor, asked: &Asked, alerts: &[AlertRow], more: bool, not_done: &NotDone) -> Markup {
    html! {
        @if let Some(why) = &not_done.why { p.problem role="alert" { (text::stranger(why)) } }
        (filters(asked, &visitor.zone))
        @if alerts.is_empty() { p { "No alerts." } }
        @else if alerts.iter().any(|alert| alert.state == Standing::Open) {
            form method="post" action="/alerts/close" {
                input type="hidden" name="token" value=(visitor.form_token);
                input type="hidden" name="list" value=(asked.query(asked.before));
                (rows(alerts, Some(&not_done.alerts)))
                div.row {
                    label { "Those that are ticked were " select name="verdict" required {
                        option value="" selected[not_done.verdict.is_none()] { (NO_REASON) }
                        @for (verdict, words) in VERDICTS {
                            option value=(verdict.name()) selected[not_done.verdict == Some(verdict)] { (words) }
                        }
                    } }
                    label { "Why" input name="comment" value=[Some(&not_done.comment).filter(|text| !text.is_empty())]
                        maxlength=(COMMENT_UNITS_MAX); }
                    button { "Close them" }
                }
            }
        } @else { (table(alerts)) }
        @if let (true, Some(last)) = (more, alerts.last()) { p { a href=(asked.address(Some(last.number))) { "Older ones" } } }
    }
}

fn filters(asked: &Asked, zone: &Zone) -> Markup {
    let severity = asked.severity.name();
    let detections = Detection::ALL.iter().map(|detection| (detection.name(), detection.title()));
    let features = ReasonFeature::ALL.iter().map(|feature| feature.name());
    html! {
        form.row role="search" aria-label="Alerts" action="/alerts" {
            label { "Which" select name="state" {
                @for (name, words, _) in STATES { option value=(name) selected[asked.state == name] { (words) } }
            } }
            label { "Severity from" select name="severity" {
                @for known in Severity::ALL { option value=(known.name()) selected[known.name() == severity] { (known.name()) } }
            } }
            label { "Because of" select name="reason" {
                option value="" { "anything" }
                optgroup label="Detection" { @for (name, title) in detections { option value=(name) selected[asked.reason == name] { (title) } } }
                optgroup label="What is new" { @for name in features { option value=(name) selected[asked.reason == name] { (name) } } }
            } }
            label { "User" input type="search" name="user" value=(asked.user) maxlength="256"; }
            label { "Since (day of " (zone.name()) ")" input type="date" name="since" value=(asked.since); }
            label { "Sent" select name="sent" {
                option value="" { "or held back" }
                option value=(HELD) selected[asked.sent == HELD] { "held back only" }
            } }
            button { "Show" }
        }
    }
}

/// Alerts without boxes to tick.
pub(super) fn table(alerts: &[AlertRow]) -> Markup {
    rows(alerts, None)
}

/// `ticked`: where they can be closed, those that are ticked from the first, with the revisions that were looked at.
fn rows(alerts: &[AlertRow], ticked: Option<&[(u64, u32)]>) -> Markup {
    let can_close = ticked.is_some();
    let is_ticked =
        |alert: &AlertRow| ticked.is_some_and(|ticked| ticked.contains(&(alert.number, alert.revision)));
    html! {
        div.wide tabindex="0" role="region" aria-label="Alerts" { table.stack {
            caption.unseen { "Alerts, the newest first" }
            thead { tr {
                @if can_close { th scope="col" { input type="checkbox" hidden data-all="alert" aria-label="Tick all"; span.unseen { "Tick" } } }
                th scope="col" { "Alert" } th scope="col" { "Severity" } th scope="col" { "User" } th scope="col" { "Newest connection" }
                th scope="col" { "Why" } th scope="col" { "State" }
            } }
            tbody { @for alert in alerts { tr {
                @if can_close { td data-label="Close" {
                    @if alert.state == Standing::Open {
                        input type="checkbox" name="alert" value={ (alert.number) "." (alert.revision) } checked[is_ticked(alert)]
                            aria-label={ "Alert " (alert.number) };
                    }
                } }
                td data-label="Alert" { a href={ "/alerts/" (alert.number) } { (alert.title) " " (alert.number) } }
                td data-label="Severity" { (text::severity(alert.severity)) }
                td data-label="User" { (text::user(alert.user.as_deref())) }
                td data-label="Newest connection" { (text::moment(&alert.last_seen)) }
                td data-label="Why" { (text::stranger(&alert.message)) }
                td data-label="State" { (state(&alert.state)) @if alert.held { " " span.quiet { "held back" } } }
            } } }
        } }
    }
}

pub(super) fn state(state: &Standing) -> Markup {
    html! {
        @match state {
            Standing::Open => strong { "open" },
            Standing::Closed { verdict, by, unix_ns } => {
                (verdict.name()) ", by " (text::stranger(by)) " " (text::moment_ns(*unix_ns))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::testing;

    #[test]
    fn the_list_is_the_same_behind_closing() {
        let query =
            "state=all&severity=medium&user=a%26b%3D%22&reason=travel&since=2026-11-01&sent=held&before=77";
        let asked = Asked::of_query(query);
        assert_eq!((&*asked.user, asked.before), ("a&b=\"", Some(77)));
        assert_eq!(asked.address(asked.before), format!("/alerts?{query}"));
        assert_eq!(asked.address(Some(5)), format!("/alerts?{}", query.replace("77", "5")));
        for nothing in ["", "severity=informational", "//evil.example", "other=1", "before=x", "\u{1}"] {
            assert_eq!(Asked::of_query(nothing).address(None), "/alerts", "{nothing}");
        }
        let alert = AlertRow::new(testing::alert(7), false);
        let shown = content(&testing::visitor(), &asked, &[alert], false, &NotDone::default()).into_string();
        assert!(
            shown.contains(&format!("name=\"list\" value=\"{}\"", query.replace('&', "&amp;"))),
            "{shown}"
        );
    }

    #[test]
    fn nothing_is_chosen_for_whoever_closes_alerts() {
        let alert = AlertRow::new(testing::alert(7), false);
        let (visitor, nothing) = (testing::visitor(), NotDone::default());
        let shown = content(&visitor, &Asked::default(), &[alert], false, &nothing).into_string();
        let first = "<select name=\"verdict\" required><option value=\"\" selected>choose why</option>";
        assert!(shown.contains(first), "{shown}");
        assert_eq!((verdict_of(""), verdict_of("usual")), (None, Some(Verdict::Usual)));
    }

    #[test]
    fn a_form_that_was_not_done_is_there_again_and_what_changed_since_is_not_ticked() {
        let alerts: Vec<AlertRow> =
            [7, 8, 9].map(|number| AlertRow::new(testing::alert(number), false)).into();
        let not_done = NotDone {
            why: Some("too <long>".to_owned()),
            verdict: Some(Verdict::Unclear),
            comment: "\"nobody\" answers".to_owned(),
            // Another revision of 8 was shown.
            alerts: vec![(7, 1), (8, 2)],
        };
        let again = content(&testing::visitor(), &Asked::default(), &alerts, false, &not_done).into_string();
        for part in [
            "role=\"alert\"><bdi>too &lt;long&gt;</bdi>",
            "value=\"7.1\" checked",
            "<option value=\"unclear\" selected>",
            "name=\"comment\" value=\"&quot;nobody&quot; answers\" maxlength=\"1365\"",
        ] {
            assert!(again.contains(part), "{part}: {again}");
        }
        assert_eq!((again.matches(" checked").count(), again.matches(" selected>choose").count()), (1, 0));
    }
}
