//! What is decided about one alert on its page: closing it, writing beside it. A form that is not done comes back with what was
//! written, on the alert as it is now.

use axum::{
    Extension, Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use insight::detect::Line;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Refused, Shared, alert::show, alerts, guard::Visitor, text};
use crate::{
    alert::{Alert, COMMENT_OCTETS_MAX, State as Standing, comment_text},
    api::{self, Shown},
};

/// Longest comment that a field takes, in the units that browsers count by, of UTF-16: whatever its letters are, it is not too
/// long then.
pub(super) const COMMENT_UNITS_MAX: usize = COMMENT_OCTETS_MAX / 3;

/// A form that came and was not done, and why.
pub(super) struct NotDone<'f> {
    status: StatusCode,
    why: String,
    /// What was chosen, where it was the form for closing.
    verdict: Option<&'f str>,
    comment: &'f str,
}

impl<'f> NotDone<'f> {
    /// Of what is refused and may be sent again in another way; anything else is a page of its own.
    fn of(
        Refused(status, why): Refused,
        verdict: Option<&'f str>,
        comment: &'f str,
    ) -> Result<NotDone<'f>, Refused> {
        match status {
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::SERVICE_UNAVAILABLE => {
                Ok(NotDone { status, why, verdict, comment })
            }
            _ => Err(Refused(status, why)),
        }
    }

    /// The page of the alert as it is now, with what was sent.
    async fn answer(self, portal: &Shared, visitor: &Visitor, number: u64) -> Result<Response, Refused> {
        let mut answer = show(portal, visitor, number, Some(&self)).await?;
        *answer.status_mut() = self.status;
        Ok(answer)
    }
}

/// That the alert does not show yet what was decided about it: whoever looks must not think it lost and decide again.
pub(super) fn waits(waiting: u64) -> Markup {
    html! {
        @if waiting > 0 {
            p.notice role="status" {
                @if waiting == 1 { "A decision about this alert waits" } @else { (waiting) " decisions about this alert wait" }
                " for the service, which takes a moment, or longer while it cannot write: load the page again to see what came of it."
            }
        }
    }
}

pub(super) fn decide(visitor: &Visitor, alert: &Alert, not_done: Option<&NotDone<'_>>) -> Markup {
    let path = format!("/alerts/{}", alert.number);
    let closing = not_done.and_then(|not_done| Some((not_done.verdict?, not_done.comment)));
    let chosen = closing.and_then(|(verdict, _)| alerts::verdict_of(verdict));
    let unexplained = closing.is_some() && chosen.is_none();
    let writing = not_done.filter(|not_done| not_done.verdict.is_none());
    html! {
        @if let Some(not_done) = not_done {
            p.problem id="unexplained" role="alert" { (text::stranger(&not_done.why)) }
        }
        @if alert.state == Standing::Open {
            form.row method="post" action={ (path) "/close" } {
                input type="hidden" name="token" value=(visitor.form_token);
                input type="hidden" name="revision" value=(alert.revision);
                input type="hidden" name="verdict" value="usual";
                button {
                    @match alert.address.map(Line::of) {
                        Some(line) if line.is_network() => "Usual for this network",
                        Some(_) => "Usual for this address",
                        None => "Usual for this user",
                    }
                }
            }
            form.row method="post" action={ (path) "/close" } {
                input type="hidden" name="token" value=(visitor.form_token);
                input type="hidden" name="revision" value=(alert.revision);
                label { "It was" select name="verdict" required
                    aria-invalid=[unexplained.then_some("true")] aria-describedby=[unexplained.then_some("unexplained")] {
                    option value="" selected[chosen.is_none()] { (alerts::NO_REASON) }
                    @for (verdict, words) in alerts::VERDICTS {
                        option value=(verdict.name()) selected[chosen == Some(verdict)] { (words) }
                    }
                } }
                label { "Comment" input name="comment" value=[closing.map(|(_, comment)| comment)] maxlength=(COMMENT_UNITS_MAX); }
                button { "Close the alert" }
            }
            form.row method="post" action={ (path) "/comments" } {
                input type="hidden" name="token" value=(visitor.form_token);
                label { "Comment" input name="comment" required value=[writing.map(|written| written.comment)] maxlength=(COMMENT_UNITS_MAX); }
                button { "Write" }
            }
        } @else {
            @if let Some(NotDone { comment, .. }) = not_done.filter(|not_done| !not_done.comment.trim().is_empty()) {
                label.kept { "What you wrote, which is kept nowhere" textarea readonly rows="3" { (comment) } }
            }
            p.quiet { "It is closed: nothing more is decided about it, and nothing written to it." }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    token: String,
    /// Of the alert as it was shown: one that grew since is looked at again.
    revision: u32,
    /// Empty, where none was chosen.
    verdict: String,
    #[serde(default)]
    comment: String,
}

pub(super) async fn close(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
    Form(closing): Form<Closing>,
) -> Result<Response, Refused> {
    visitor.check(&closing.token)?;
    match closed(&portal, &visitor, number, &closing).await {
        Ok(()) => Ok(back(number)),
        Err(refused) => {
            let not_done = NotDone::of(refused, Some(&closing.verdict), &closing.comment)?;
            not_done.answer(&portal, &visitor, number).await
        }
    }
}

async fn closed(portal: &Shared, visitor: &Visitor, number: u64, closing: &Closing) -> Result<(), Refused> {
    let Some(verdict) = alerts::verdict_of(&closing.verdict) else {
        let why = "It is not closed: choose what it was.";
        return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned()));
    };
    let comment = if closing.comment.trim().is_empty() { None } else { Some(text_of(&closing.comment)?) };
    let shown = Shown { number, revision: Some(closing.revision) };
    api::decide(&portal.api, &visitor.name(), shown, Some(verdict), comment).await?;
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Writing {
    token: String,
    comment: String,
}

pub(super) async fn comment(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
    Form(Writing { token, comment }): Form<Writing>,
) -> Result<Response, Refused> {
    visitor.check(&token)?;
    match written(&portal, &visitor, number, &comment).await {
        Ok(()) => Ok(back(number)),
        Err(refused) => NotDone::of(refused, None, &comment)?.answer(&portal, &visitor, number).await,
    }
}

async fn written(portal: &Shared, visitor: &Visitor, number: u64, comment: &str) -> Result<(), Refused> {
    let comment = text_of(comment)?;
    let shown = Shown { number, revision: None };
    api::decide(&portal.api, &visitor.name(), shown, None, Some(comment)).await?;
    Ok(())
}

pub(super) fn text_of(comment: &str) -> Result<String, Refused> {
    comment_text(comment).map_err(|error| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

/// To the alert as it is now. What the service has not taken yet shows when the page is loaded again.
fn back(number: u64) -> Response {
    Redirect::to(&format!("/alerts/{number}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alert::Verdict, portal::testing};

    #[test]
    fn a_decision_that_waits_is_told() {
        assert_eq!(waits(0).into_string(), "");
        assert!(waits(1).into_string().contains("A decision about this alert waits for the service"));
        assert!(waits(2).into_string().contains("2 decisions about this alert wait for the service"));
    }

    #[test]
    fn nothing_is_chosen_for_whoever_closes_an_alert() {
        let (visitor, alert) = (testing::visitor(), testing::alert(7));
        let first = "<option value=\"\" selected>choose why</option>";
        let shown = decide(&visitor, &alert, None).into_string();
        assert!(shown.contains(&format!("<select name=\"verdict\" required>{first}")), "{shown}");
        assert!(!shown.contains("aria-invalid") && !shown.contains("role=\"alert\""), "{shown}");
        let not_done = NotDone {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            why: "choose".to_owned(),
            verdict: Some(""),
            comment: "<she> is at home",
        };
        let again = decide(&visitor, &alert, Some(&not_done)).into_string();
        for part in [
            "aria-invalid=\"true\" aria-describedby=\"unexplained\"",
            "id=\"unexplained\" role=\"alert\"",
            "value=\"&lt;she&gt; is at home\"",
            first,
        ] {
            assert!(again.contains(part), "{part}: {again}");
        }
    }

    #[test]
    fn what_was_chosen_and_written_is_there_again_and_of_a_closed_alert_the_text() {
        let (visitor, mut alert) = (testing::visitor(), testing::alert(7));
        let not_done = |verdict| NotDone {
            status: StatusCode::CONFLICT,
            why: "alert 7 changed <since>".to_owned(),
            verdict,
            comment: "asked \"her\"",
        };
        let again = decide(&visitor, &alert, Some(&not_done(Some("malicious")))).into_string();
        for part in [
            "role=\"alert\"><bdi>alert 7 changed &lt;since&gt;</bdi>",
            "<option value=\"malicious\" selected>",
            "name=\"comment\" value=\"asked &quot;her&quot;\" maxlength=\"1365\"",
        ] {
            assert!(again.contains(part), "{part}: {again}");
        }
        assert_eq!(again.matches("asked").count(), 1, "{again}");
        assert!(
            !again.contains("aria-invalid") && !again.contains("<option value=\"\" selected>"),
            "{again}"
        );
        let written = decide(&visitor, &alert, Some(&not_done(None))).into_string();
        assert!(written.contains("required value=\"asked &quot;her&quot;\""), "{written}");
        assert!(written.contains("<option value=\"\" selected>"), "{written}");

        alert.state = Standing::Closed { verdict: Verdict::Usual, by: "dora".to_owned(), unix_ns: 7 };
        let closed = decide(&visitor, &alert, Some(&not_done(Some("malicious")))).into_string();
        assert!(closed.contains("readonly rows=\"3\">asked &quot;her&quot;</textarea>"), "{closed}");
        assert!(!closed.contains("<button") && closed.contains("alert 7 changed"), "{closed}");
        let closed = decide(&visitor, &alert, None).into_string();
        assert!(closed.contains("It is closed") && !closed.contains("<form"), "{closed}");
    }

    #[test]
    fn no_text_that_a_field_takes_is_too_long() {
        for letter in ["a", "\u{44f}", "\u{4e16}", "\u{1f44d}"] {
            let units = letter.encode_utf16().count();
            let text = letter.repeat(COMMENT_UNITS_MAX / units);
            assert!(text_of(&text).is_ok(), "{letter}: {} octets", text.len());
        }
    }
}
