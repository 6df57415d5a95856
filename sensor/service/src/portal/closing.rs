//! Many alerts closed at once, each as its own page would: the form of the list, and what came of it.

use axum::{
    Extension, Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    Refused, Shared,
    alerts::{Asked, ROWS, list, verdict_of},
    deciding::text_of,
    frame,
    guard::Visitor,
    text,
};
use crate::{
    alert::Verdict,
    api::{self, Decided, Shown},
};

/// A form of many alerts that was not done, and why; empty: there was none.
#[derive(Default)]
pub(super) struct NotDone {
    pub(super) why: Option<String>,
    pub(super) verdict: Option<Verdict>,
    pub(super) comment: String,
    /// What was ticked. What changed since is looked at again.
    pub(super) alerts: Vec<(u64, u32)>,
}

/// What the form of many alerts sends.
#[derive(Default)]
struct Closing {
    token: String,
    verdict: Option<Verdict>,
    comment: String,
    /// What the list was asked for.
    list: String,
    /// Numbers with the revisions that were shown.
    alerts: Vec<(u64, u32)>,
}

impl Closing {
    fn read(members: Vec<(String, String)>) -> Result<Closing, Refused> {
        let refused =
            |what: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, format!("{what} Load the page again."));
        let mut closing = Closing::default();
        for (name, value) in members {
            match &*name {
                "token" => closing.token = value,
                "comment" => closing.comment = value,
                "list" => closing.list = value,
                "verdict" => closing.verdict = verdict_of(&value),
                "alert" => {
                    let pair = value.split_once('.').and_then(|(number, revision)| {
                        Some((
                            number.parse().ok().filter(|n| i64::try_from(*n).is_ok())?,
                            revision.parse().ok()?,
                        ))
                    });
                    closing.alerts.push(pair.ok_or_else(|| refused("This is no alert that was shown."))?);
                }
                _ => return Err(refused("This form has a member that is not known.")),
            }
        }
        if closing.alerts.len() > ROWS {
            return Err(refused("So many alerts are not shown at once."));
        }
        Ok(closing)
    }
}

/// Closes those that were ticked, each as its own page would.
pub(super) async fn close(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(members): Form<Vec<(String, String)>>,
) -> Result<Response, Refused> {
    let closing = Closing::read(members)?;
    visitor.check(&closing.token)?;
    let asked = Asked::of_query(&closing.list);
    let decided = match decided(&portal, &visitor, &closing).await {
        Ok(decided) => decided,
        Err(Refused(status, why)) => {
            let Closing { verdict, comment, alerts, .. } = closing;
            let mut answer =
                list(&portal, &visitor, &asked, &NotDone { why: Some(why), verdict, comment, alerts })
                    .await?;
            *answer.status_mut() = status;
            return Ok(answer);
        }
    };
    let back = asked.address(asked.before);
    if decided.iter().all(|(_, decided)| matches!(decided, Decided::Taken)) {
        return Ok(Redirect::to(&back).into_response());
    }
    Ok(frame::page(&visitor, "Closing alerts", &outcome(&decided, &back)))
}

/// What came of each; or why nothing was done.
async fn decided(
    portal: &Shared,
    visitor: &Visitor,
    closing: &Closing,
) -> Result<Vec<(u64, Decided)>, Refused> {
    let missing = |what: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, what.to_owned());
    let verdict = closing
        .verdict
        .ok_or_else(|| missing("It was not chosen why the alerts are closed: choose what they were."))?;
    if closing.alerts.is_empty() {
        return Err(missing("No alert was ticked. Tick those that are to be closed."));
    }
    let comment = if closing.comment.trim().is_empty() { None } else { Some(text_of(&closing.comment)?) };
    let shown: Vec<Shown> =
        closing.alerts.iter().map(|&(number, revision)| Shown { number, revision: Some(revision) }).collect();
    Ok(api::decide_all(&portal.api, &visitor.name(), &shown, Some(verdict), comment).await?)
}

fn outcome(decided: &[(u64, Decided)], back: &str) -> Markup {
    let alert = |number: u64| html! { a href={ "/alerts/" (number) } { "Alert " (number) } };
    html! {
        ul {
            @for (number, decided) in decided { li {
                (alert(*number)) " "
                @match decided {
                    Decided::Taken => "is closed.",
                    Decided::Waits => "will be closed: the service has not taken it yet.",
                    Decided::Refused(problem) => { "stays as it is: " (text::stranger(problem.detail())) },
                }
            } }
        }
        p { a href=(back) { "To the alerts" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(members: &[(&str, &str)]) -> Result<Closing, Refused> {
        Closing::read(members.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_of_many_alerts_is_read_and_nothing_else_is() {
        let closing = read(&[
            ("token", "t"),
            ("alert", "7.2"),
            ("alert", "8.1"),
            ("verdict", "usual"),
            ("comment", ""),
        ]);
        let closing = closing.ok().unwrap();
        assert_eq!((closing.alerts, closing.verdict), (vec![(7, 2), (8, 1)], Some(Verdict::Usual)));
        for wrong in ["7", "x.1", "7.x", "18446744073709551615.1", "-1.1"] {
            assert!(read(&[("alert", wrong)]).is_err(), "{wrong}");
        }
        assert_eq!(
            read(&[("alert", "7.2"), ("verdict", "")]).ok().unwrap().verdict,
            None,
            "nothing was chosen"
        );
        assert!(read(&[("other", "1")]).is_err());
        assert!(read(&[("alert", "1.1"); ROWS + 1]).is_err());
    }
}
