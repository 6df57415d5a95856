//! Single values: thresholds of detections, retention, health. A field that is left empty takes the default.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    form::{self, Fields, Sent},
    hidden, lists, origin, page as settings_page, restart, view,
};
use crate::{
    api::administering::{Losing, NotChanged},
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Edit, Key, Kind, Layer, Page, View},
};

macro_rules! pages {
    ($($show:ident, $save:ident, $page:expr, $title:literal, $path:literal, $about:literal;)+) => {
        $(
            pub(super) async fn $show(
                State(portal): State<Shared>,
                Extension(visitor): Extension<Visitor>,
            ) -> Result<Response, Refused> {
                let view = view(&portal).await?;
                let about = html! { p { $about } };
                let form = form(&visitor, &view, $page, $path, shown);
                Ok(settings_page(&visitor, $title, &html! { (restart(&view)) (about) (form) }))
            }

            pub(super) async fn $save(
                State(portal): State<Shared>,
                Extension(visitor): Extension<Visitor>,
                sent: Sent,
            ) -> Result<Response, Refused> {
                save(&portal, &visitor, sent, $page, $path).await
            }
        )+
    };
}

pages! {
    detections, save_detections, Page::Detections, "Detections", "/settings/detections",
    "When people are told. A change holds from the next connection on; scores are natural logarithms: 2.3 is ten times as likely an attacker's.";
    retention, save_retention, Page::Retention, "Retention", "/settings/retention",
    "How much is kept, and how long. What is less from now on goes within minutes, for good: you are asked again before.";
    health, save_health, Page::Health, "Health", "/settings/health",
    "From where on something is worth a health message.";
}

/// What the keys of the score's model begin with.
const MODEL: &str = "detect.model.";

/// The field that says that what goes may go.
const SURE: &str = "sure";

/// What a key's field holds: nothing where the default does.
fn shown(key: &Key) -> &str {
    if key.origin.layer == Layer::Default { "" } else { &key.value }
}

fn form<'v>(
    visitor: &Visitor,
    view: &'v View,
    page: Page,
    path: &str,
    of: impl Fn(&'v Key) -> &'v str,
) -> Markup {
    let keys = view.keys.iter().filter(|key| key.page == page);
    let (model, others): (Vec<&Key>, Vec<&Key>) = keys.partition(|key| key.key.starts_with(MODEL));
    let table = |keys: &[&'v Key]| {
        html! { div.wide { table.stack {
            thead { tr { th { "Key" } th { "Value" } th { "Default" } th { "Allowed" } th { "Set" } } }
            tbody { @for key in keys { (row(key, of(key))) } }
        } } }
    };
    html! {
        form method="post" action=(path) {
            (hidden(visitor, view))
            (table(&others))
            @if !model.is_empty() {
                details open[model.iter().any(|key| !of(key).is_empty())] {
                    summary { "What the score assumes of people and of attackers: " (model.len()) " more" }
                    p { "They were chosen together. Look at what " code { "vpn-sensor backtest" } " says before and after a change." }
                    (table(&model))
                }
            }
            p { button { "Save" } }
        }
    }
}

fn row(key: &Key, value: &str) -> Markup {
    let (short, about) =
        (key.key.rsplit_once('.').map_or(&*key.key, |(_, short)| short), format!("about-{}", key.key));
    html! {
        tr {
            td data-label="Key" { label for=(key.key) { code { (short) } } p.quiet id=(about) { (key.about) } }
            td data-label="Value" {
                @if key.origin.layer == Layer::File { code { (key.value) } }
                @else if key.kind == Kind::Switch {
                    select id=(key.key) name=(key.key) aria-describedby=(about) {
                        option value="" selected[value.is_empty()] { "default" }
                        @for choice in ["true", "false"] { option value=(choice) selected[value == choice] { (choice) } }
                    }
                }
                @else { input id=(key.key) name=(key.key) value=(value) placeholder=(key.default) maxlength="64" aria-describedby=(about); }
            }
            td data-label="Default" { (key.default) }
            td data-label="Allowed" { (key.allowed) }
            td data-label="Set" { (origin(&key.origin)) }
        }
    }
}

async fn save(
    portal: &Shared,
    visitor: &Visitor,
    sent: Sent,
    page: Page,
    path: &str,
) -> Result<Response, Refused> {
    let fields = Fields::of(visitor, sent)?;
    let there = view(portal).await?;
    let edits = own_keys(&there, page).filter_map(|key| edit(key, fields.get(&key.key))).collect();
    let losing = if fields.get(SURE) == "true" { Losing::May } else { Losing::MustNot };
    let why = match form::save(portal, visitor, &fields, edits, losing).await? {
        Ok(()) => return Ok(Redirect::to(path).into_response()),
        Err(NotChanged::Loses(lost)) => return Ok(asked_again(visitor, &fields, &lost, path)),
        Err(why) => why,
    };
    let is_conflict = matches!(why, NotChanged::Conflict(_));
    let again = |now: &View| match is_conflict {
        // All fields are sent, those that somebody else changed meanwhile as they were: sent again as they stand here, they
        // would undo that.
        true => differing(now, page, &fields),
        false => form(visitor, now, page, path, |key| fields.get(&key.key)),
    };
    let again = form::as_it_was(portal, &fields, &why, again).await;
    Ok(form::not_changed(visitor, why, path, &again))
}

/// What retention no longer keeps cannot be taken back: it is asked for twice (WCAG 2.2, 3.3.4).
fn asked_again(visitor: &Visitor, fields: &Fields, lost: &[String], path: &str) -> Response {
    let content = html! {
        p.problem role="alert" { "Nothing is saved yet. With this less is kept, and what goes is gone for good, within minutes:" }
        ul { @for sentence in lost { li { (text::stranger(sentence)) } } }
        form method="post" action=(path) {
            (fields.hidden_but(SURE))
            input type="hidden" name=(SURE) value="true";
            p { button { "Yes, keep less" } }
        }
        p { a href=(path) { "No, leave it as it is" } }
    };
    settings_page(visitor, "Keep less?", &content)
}

/// The keys that a form has fields for.
fn own_keys(view: &View, page: Page) -> impl Iterator<Item = &Key> {
    view.keys.iter().filter(move |key| key.page == page && key.origin.layer != Layer::File)
}

/// The fields that were sent with something else than what is there now.
fn differing(now: &View, page: Page, fields: &Fields) -> Markup {
    let keys = own_keys(now, page).map(|key| (key, fields.get(&key.key)));
    let said = |value: &str| if value.is_empty() { "the default".to_owned() } else { text::visible(value) };
    let rows: Vec<_> = keys
        .filter(|(key, sent)| *sent != shown(key))
        .map(|(key, sent)| {
            [html! { code { (key.key) } }, html! { (said(sent)) }, html! { (said(shown(key))) }]
        })
        .collect();
    lists::table(["Key", "As you sent it", "As it is now"], &rows, "It is as it is now.")
}

/// What is to be done for a field to hold; nothing where it holds already.
fn edit(key: &Key, wanted: &str) -> Option<Edit> {
    let is_set = key.origin.layer == Layer::Portal;
    match wanted {
        "" if is_set => Some(Edit::Unset { key: key.key.clone() }),
        "" => None,
        same if is_set && same == key.value => None,
        wanted => {
            let read = match key.kind {
                Kind::Text => None,
                // What is none is refused by the reader of configurations, which says what is wanted.
                Kind::Number | Kind::Switch => serde_json::from_str(wanted).ok(),
            };
            let value = read.unwrap_or_else(|| Value::String(wanted.to_owned()));
            Some(Edit::Set { key: key.key.clone(), value })
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::{
        control::Role,
        portal::testing::{self, Administered},
        settings::Origin,
    };

    #[tokio::test]
    async fn less_retention_is_asked_for_twice() {
        let largest = Key {
            key: "journal.max_bytes".to_owned(),
            page: Page::Retention,
            kind: Kind::Text,
            value: "16 GiB".to_owned(),
            default: "16 GiB".to_owned(),
            allowed: "a size".to_owned(),
            about: String::new(),
            origin: Origin { layer: Layer::Default, file: None, line: None },
        };
        let view =
            View { revision: "1".to_owned(), keys: vec![largest], entries: vec![], restart_needed: vec![] };
        let (folder, administered) = (tempfile::tempdir().unwrap(), Administered::with(view));
        let portal = testing::portal(folder.path(), Some(administered.clone())).await;
        let visit = testing::visit(&portal, "carol", Role::Administrator);
        let cookie = [("cookie", &*visit)];
        let (_, _, page) = testing::ask(&portal, "/settings/retention", &cookie, None).await;
        let form = format!("token={}&revision=1&journal.max_bytes=4+MiB", testing::hidden(&page, "token"));
        let (status, _, asked) = testing::ask(&portal, "/settings/retention", &cookie, Some(&form)).await;
        assert_eq!(status, StatusCode::OK, "{asked}");
        for part in [
            "Nothing is saved yet",
            "the &lt;oldest&gt; go",
            "name=\"journal.max_bytes\" value=\"4 MiB\"",
            "name=\"revision\" value=\"1\"",
            "name=\"sure\" value=\"true\"",
            "Yes, keep less",
        ] {
            assert!(asked.contains(part), "{part}: {asked}");
        }
        assert!(administered.edits().is_empty(), "nothing is done before the answer");
        let told = portal.api.with_control(|control| control.audit(100)).unwrap();
        assert!(told.iter().all(|row| row.action != "settings.change"), "{told:?}");

        let form = format!("{form}&sure=true");
        let (status, ..) = testing::ask(&portal, "/settings/retention", &cookie, Some(&form)).await;
        assert_eq!((status, administered.edits().len()), (StatusCode::SEE_OTHER, 1));
    }
}
