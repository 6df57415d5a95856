//! Forms as they come, changes made of them, and what is told when a change is not made.

use axum::{
    Form,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{lists, page, view};
use crate::{
    api::{
        Problem,
        administering::{self, Losing, NotChanged},
    },
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Change, Edit, View},
};

/// The fields of a form.
pub(super) struct Fields(Vec<(String, String)>);

/// As handlers take it.
pub(super) type Sent = Form<Vec<(String, String)>>;

impl Fields {
    /// Those of a form that came from a page of this visit.
    pub(super) fn of(visitor: &Visitor, Form(fields): Sent) -> Result<Fields, Refused> {
        let fields = Fields(fields);
        visitor.check(fields.get("token"))?;
        Ok(fields)
    }

    /// A field without space around it; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field as it was typed: secrets may begin with a space.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// All of them but this one, to be sent once more as they are.
    pub(super) fn hidden_but(&self, name: &str) -> Markup {
        let others = self.0.iter().filter(|(field, _)| field != name);
        html! { @for (field, value) in others { input type="hidden" name=(field) value=(value); } }
    }

    /// What was typed and chosen, but for secrets.
    fn shown(&self) -> Markup {
        const NOT_TYPED: [&str; 8] =
            ["token", "revision", "change", "zone", "do", "keep", "newest", "secret"];
        let typed = self.0.iter().filter(|(name, value)| !NOT_TYPED.contains(&&**name) && !value.is_empty());
        html! { dl { @for (name, value) in typed { dt { (text::stranger(name)) } dd { (text::stranger(value)) } } } }
    }

    /// What stands between commas, spaces and lines.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let words = self.get(name).split(|sign: char| sign == ',' || sign.is_whitespace());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

/// Makes edits from a form, and goes back to its page; or says why not, with the form `again` as it was sent, so that nothing
/// but a secret is typed twice (WCAG 2.2, 3.3.7).
pub(super) async fn change(
    portal: &Shared,
    visitor: &Visitor,
    fields: &Fields,
    edits: Vec<Edit>,
    back: &str,
    again: impl FnOnce(&View) -> Markup,
) -> Result<Response, Refused> {
    match save(portal, visitor, fields, edits, Losing::May).await? {
        Ok(()) => Ok(Redirect::to(back).into_response()),
        Err(why) => {
            let again = as_it_was(portal, fields, &why, again).await;
            Ok(not_changed(visitor, why, back, &again))
        }
    }
}

/// The form `again`, as it was sent. Of one that changes what is there, where somebody else changed it meanwhile, its fields as
/// text: sent again as they stand they would undo what she did.
pub(super) async fn as_it_was(
    portal: &Shared,
    fields: &Fields,
    why: &NotChanged,
    again: impl FnOnce(&View) -> Markup,
) -> Markup {
    if matches!(why, NotChanged::Conflict(_)) && lists::is_change(fields) {
        return fields.shown();
    }
    // The reason is told whatever becomes of the form.
    view(portal).await.map_or_else(|_| html! {}, |view| again(&view))
}

/// Of a form in which nothing is typed.
pub(super) fn nothing_again(_view: &View) -> Markup {
    html! {}
}

/// Makes edits from a form.
pub(super) async fn save(
    portal: &Shared,
    visitor: &Visitor,
    fields: &Fields,
    edits: Vec<Edit>,
    losing: Losing,
) -> Result<Result<(), NotChanged>, Refused> {
    if edits.is_empty() {
        return Ok(Ok(()));
    }
    let revision = Some(fields.get("revision").to_owned());
    let changed =
        administering::change(&portal.api, &visitor.name(), Change { revision, edits }, losing).await;
    Ok(changed.map(drop))
}

/// Why nothing was changed, the way back to what is there now, and the form as it was sent.
pub(super) fn not_changed(visitor: &Visitor, why: NotChanged, back: &str, again: &Markup) -> Response {
    match why {
        NotChanged::Conflict(rows) => {
            let content = html! {
                p.problem role="alert" {
                    "Settings changed since you loaded the page, so that yours were not saved: nothing is lost, and nothing is overwritten."
                }
                @if !rows.is_empty() {
                    h2 { "What changed meanwhile" }
                    ul { @for row in &rows { li { (text::moment(&row.time)) ", " (text::stranger(&administering::told(row))) } } }
                }
                p { a href=(back) { "Look at the settings as they are now" } ", and change them again." }
                (as_sent(again))
            };
            with_status(page(visitor, "Settings changed meanwhile", &content), StatusCode::CONFLICT)
        }
        other => refused(visitor, &Problem::from(other), back, again),
    }
}

/// Why something was not done, the way back, and the form as it was sent.
pub(super) fn refused(visitor: &Visitor, problem: &Problem, back: &str, again: &Markup) -> Response {
    let content = html! {
        p.problem role="alert" { (text::stranger(problem.detail())) }
        p { a href=(back) { "Back to the settings" } "; nothing was changed." }
        (as_sent(again))
    };
    with_status(page(visitor, "Not changed", &content), problem.status())
}

fn as_sent(again: &Markup) -> Markup {
    html! { @if !again.0.is_empty() { h2 { "As you sent it" } (again) } }
}

pub(super) fn with_status(mut answer: Response, status: StatusCode) -> Response {
    *answer.status_mut() = status;
    answer
}
