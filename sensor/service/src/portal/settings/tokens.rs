//! Who may ask the API.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    form::{self, Fields, Sent},
    lists, page as settings_page,
};
use crate::{
    api::accounts,
    control::Right,
    portal::{Refused, Shared, guard::Visitor, text},
};

const HERE: &str = "/settings/tokens";
const DAY_S: u64 = 86_400;
const RIGHTS: [(&str, &str); 3] = [
    ("read", "read"),
    ("decide", "read, and decide about alerts"),
    ("administer", "all that an administrator may"),
];

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let shared = portal.clone();
    let found = portal.api.readers.run(move || Ok(shared.api.with_control(|control| control.tokens())?));
    let rows = found.await?;
    let token = html! { input type="hidden" name="token" value=(visitor.form_token); };
    let moment = |moment: &Option<String>| moment.as_deref().map_or(html! { "\u{2013}" }, text::moment);
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                html! { (row.name) },
                html! { (row.may.join(", ")) },
                text::moment(&row.created),
                moment(&row.last_used),
                moment(&row.expires),
                lists::removing(&token, HERE, &row.name),
            ]
        })
        .collect();
    let heads = ["Token", "May", "Made", "Last used", "Expires", "Change"];
    let content = html! {
        p { "Whatever these pages show and do, a script can do with a token: " a href="/api/v1/openapi.json" { "/api/v1/openapi.json" } " describes it." }
        (lists::table(heads, &rows, "There is none."))
        h2 { "A new token" }
        (form(&visitor, "", "read", "90"))
    };
    Ok(settings_page(&visitor, "Tokens", &content))
}

fn form(visitor: &Visitor, name: &str, may: &str, days: &str) -> Markup {
    html! {
        form.narrow method="post" action=(HERE) {
            input type="hidden" name="token" value=(visitor.form_token);
            label { "Name: letters, digits, . _ and -" input name="name" value=(name) required maxlength="64" autocomplete="off"; }
            label { "It may" select name="may" {
                @for (right, title) in RIGHTS { option value=(right) selected[right == may] { (title) } }
            } }
            label { "Good for so many days; empty: until it is removed" input name="days" inputmode="numeric" maxlength="5" value=(days); }
            button { "Make it" }
        }
    }
}

pub(super) async fn make(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let right = match fields.get("may") {
        "decide" => Some(Right::Decide),
        "administer" => Some(Right::Administer),
        _ => None,
    };
    let again = || form(&visitor, fields.get("name"), fields.get("may"), fields.get("days"));
    let days = match fields.get("days") {
        "" => None,
        // What is no number is no time at all, and nobody should get a token for ever by mistake.
        days => Some(days.parse::<u16>().unwrap_or(0)),
    };
    if days == Some(0) {
        let problem = crate::api::Problem::bad_request("days: a whole number from 1 to 65535, or nothing");
        return Ok(form::refused(&visitor, &problem, HERE, &again()));
    }
    let (name, lifetime) = (fields.get("name").to_owned(), days.map(|days| u64::from(days) * DAY_S));
    match accounts::token(&portal.api, &visitor.name(), name, right, lifetime).await {
        Ok(made) => {
            let content = html! {
                p { "The token is shown this once: keep it as you keep a password." }
                p { code.secret { (made) } }
                p { a href=(HERE) { "Back to the tokens" } }
            };
            Ok(settings_page(&visitor, "A new token", &content))
        }
        Err(problem) => Ok(form::refused(&visitor, &problem, HERE, &again())),
    }
}

pub(super) async fn remove(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    match accounts::take_token(&portal.api, &visitor.name(), fields.get("name").to_owned()).await {
        Ok(()) => Ok(Redirect::to(HERE).into_response()),
        Err(problem) => Ok(form::refused(&visitor, &problem, HERE, &html! {})),
    }
}
