//! Who may sign in, and links that set a password.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    form::{self, Fields, Sent},
    lists, page as settings_page,
};
use crate::{
    api::{Problem, accounts},
    control::{LINK_S, Role},
    portal::{Refused, Shared, guard::Visitor, text},
};

const HERE: &str = "/settings/people";
const ROLES: [(&str, &str, Role); 2] = [
    ("analyst", "analyst: sees people and alerts, and decides about alerts", Role::Analyst),
    ("administrator", "administrator: settings, people and tokens as well", Role::Administrator),
];

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let shared = portal.clone();
    let found = portal.api.readers.run(move || Ok(shared.api.with_control(|control| control.accounts())?));
    let rows = found.await?;
    let token = html! { input type="hidden" name="token" value=(visitor.form_token); };
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let about = html! { (token) input type="hidden" name="account" value=(row.name); };
            let other = if row.role == Role::Analyst { Role::Administrator } else { Role::Analyst };
            [
                html! { (row.name) },
                html! { (row.role.name()) },
                text::moment(&row.created),
                row.last_used.as_deref().map_or_else(|| text::maybe(None), text::moment),
                html! {
                    form method="post" action="/settings/people/change" {
                        (about) button.plain name="do" value=(other.name()) { "Make " (row.name) " " (other.name()) }
                    }
                    (lists::asked(
                        &html! { "Remove " (row.name) },
                        &html! { "Whoever is signed in with it is signed out at once." },
                        &html! { form method="post" action="/settings/people/change" {
                            (about) button name="do" value="remove" { "Yes, remove " (row.name) }
                        } },
                    ))
                },
            ]
        })
        .collect();
    let content = html! {
        (lists::table(["Account", "Role", "Made", "Last sign-in", "Change"], &rows, "There is none."))
        h2 { "A new account, or a lost password" }
        p.quiet { "You get a link, this once, that sets the password: it is good for " (LINK_S / 60) " minutes. Whoever has it has the account. An account that is there keeps its role, unless you choose another; for a new one choose what it may do. Another role or a new password withdraws the links of before." }
        (form(&visitor, "", ""))
    };
    Ok(settings_page(&visitor, "People", &content))
}

fn form(visitor: &Visitor, account: &str, role: &str) -> Markup {
    html! {
        form.narrow method="post" action=(HERE) {
            input type="hidden" name="token" value=(visitor.form_token);
            label { "Account" input name="account" value=(account) required maxlength="64" autocomplete="off"; }
            label { "Role" select name="role" {
                option value="" selected[role.is_empty()] { "of an account that is there: as it is" }
                @for (name, title, _) in ROLES { option value=(name) selected[name == role] { (title) } }
            } }
            button { "Make a link" }
        }
    }
}

fn role(name: &str) -> Option<Role> {
    ROLES.iter().find(|(known, ..)| *known == name).map(|(_, _, role)| *role)
}

pub(super) async fn link(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let (account, wanted) = (fields.get("account"), fields.get("role"));
    let role = role(wanted);
    if role.is_none() && !wanted.is_empty() {
        let problem = Problem::bad_request(format!("{wanted:?} is no role: choose one of the list"));
        return Ok(form::refused(&visitor, &problem, HERE, &form(&visitor, account, "")));
    }
    match accounts::link(&portal.api, &visitor.name(), account.to_owned(), role).await {
        Ok(path) => {
            // As the browser knows this host: `guard` saw that it is the same.
            let origin =
                headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
            let content = html! {
                p { "Send this to the owner of " strong { (account) } " and nobody else. It is shown this once." }
                p { code.secret { (origin) (path) } }
                p { a href=(HERE) { "Back to the people" } }
            };
            Ok(settings_page(&visitor, "A link", &content))
        }
        Err(problem) => Ok(form::refused(&visitor, &problem, HERE, &form(&visitor, account, wanted))),
    }
}

pub(super) async fn change(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let (account, wanted) = (fields.get("account").to_owned(), fields.get("do"));
    let role = role(wanted);
    if role.is_none() && wanted != "remove" {
        return Ok(Redirect::to(HERE).into_response());
    }
    match accounts::set_role(&portal.api, &visitor.name(), account, role).await {
        Ok(()) => Ok(Redirect::to(HERE).into_response()),
        Err(problem) => Ok(form::refused(&visitor, &problem, HERE, &html! {})),
    }
}
