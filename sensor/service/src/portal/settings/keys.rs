//! Single values: thresholds of detections, retention, health. A field that is left empty takes the default.

use axum::{Extension, extract::State, response::Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    form::{self, Fields, Sent},
    hidden, origin, page as settings_page, restart, view,
};
use crate::{
    portal::{Refused, Shared, guard::Visitor},
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
                Ok(settings_page(&visitor, $title, &content(&visitor, &view, $page, $path, &about)))
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
    "How much is kept, and how long. What is less from now on goes within minutes, for good.";
    health, save_health, Page::Health, "Health", "/settings/health",
    "From where on something is worth a health message.";
}

fn content(visitor: &Visitor, view: &View, page: Page, path: &str, about: &Markup) -> Markup {
    let keys = view.keys.iter().filter(|key| key.page == page);
    html! {
        (restart(view))
        (about)
        form method="post" action=(path) {
            (hidden(visitor, view))
            div.wide { table.stack {
                thead { tr { th { "Key" } th { "Value" } th { "Default" } th { "Allowed" } th { "Set" } } }
                tbody { @for key in keys { (row(key)) } }
            } }
            p { button { "Save" } }
        }
    }
}

fn row(key: &Key) -> Markup {
    let (short, about) =
        (key.key.rsplit_once('.').map_or(&*key.key, |(_, short)| short), format!("about-{}", key.key));
    let value = if key.origin.layer == Layer::Default { "" } else { &*key.value };
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
    let view = view(portal).await?;
    let keys = view.keys.iter().filter(|key| key.page == page && key.origin.layer != Layer::File);
    let edits = keys.filter_map(|key| edit(key, fields.get(&key.key))).collect();
    form::change(portal, visitor, &fields, edits, path).await
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
