//! What the pages of lists share: the table of what there is, what each row can be done with, and the edits that their forms
//! make.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    form::{self, Fields, Sent},
    hidden, page as settings_page, view,
};
use crate::{
    api::Problem,
    portal::{Refused, Shared, guard::Visitor, people::query_part, text},
    settings::{Edit, Entry, Layer, List, View},
};

/// The page of a list.
pub(super) fn page(list: List) -> &'static str {
    match list {
        List::Client => "/settings/clients",
        List::Site => "/settings/sites",
        List::Sink => "/settings/sinks",
        List::Exclusion => "/settings/exclusions",
    }
}

/// The entries of a list, those of the file first.
pub(super) fn entries(view: &View, list: List) -> impl Iterator<Item = &Entry> {
    view.entries.iter().filter(move |entry| entry.list == list)
}

/// Which entry a page is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) name: String,
}

/// An entry that was set here, by its name; of an exclusion its number.
pub(super) fn find<'v>(view: &'v View, list: List, name: &str) -> Result<&'v Entry, Problem> {
    let found = entries(view, list).find(|entry| entry.origin.layer == Layer::Portal && entry.name == name);
    found.ok_or_else(|| {
        let what = list.name();
        Problem::not_found(format!(
            "There is no {what} {name:?} that was set here; what the file sets is changed there."
        ))
    })
}

/// A key of an entry as it stands in a field; of a list all that is in it.
pub(super) fn said(entry: &Entry, key: &str) -> String {
    match entry.fields.get(key) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    }
}

/// The same for a cell.
pub(super) fn shown(entry: &Entry, key: &str) -> Markup {
    text::maybe(Some(&*said(entry, key)).filter(|text| !text.is_empty()))
}

/// A table whose rows are cards on a phone; a sentence where there are none.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[Markup; N]], nothing: &str) -> Markup {
    html! {
        @if rows.is_empty() { p { (nothing) } } @else {
            div.wide { table.stack {
                thead { tr { @for head in heads { th { (head) } } } }
                tbody { @for row in rows { tr {
                    @for (head, cell) in heads.iter().zip(row) { td data-label=(head) { div { (cell) } } }
                } } }
            } }
        }
    }
}

/// What can be done with an entry: nothing here, if the file has it.
pub(super) fn changing(visitor: &Visitor, view: &View, entry: &Entry) -> Markup {
    let here = page(entry.list);
    html! {
        @if entry.origin.layer == Layer::Portal {
            a href={ (here) "/change?name=" (query_part(&entry.name)) } { "Change " (text::stranger(&entry.name)) }
            (removing(&hidden(visitor, view), here, &entry.name))
        }
    }
}

/// What takes away what has this name from a page's list.
pub(super) fn removing(hidden: &Markup, here: &str, name: &str) -> Markup {
    html! {
        (asked(
            &html! { "Remove " (text::stranger(name)) },
            &html! { "It is gone then, and what is secret in it with it." },
            &html! { form method="post" action={ (here) "/remove" } {
                (hidden) input type="hidden" name="name" value=(name);
                button { "Yes, remove " (text::stranger(name)) }
            } },
        ))
    }
}

/// What cannot be taken back is asked for twice: `what` unfolds what comes of it and the form that does it (WCAG 2.2, 3.3.4).
pub(super) fn asked(what: &Markup, then: &Markup, form: &Markup) -> Markup {
    html! { details.asked { summary { (what) } p { (then) } (form) } }
}

/// The page of one entry.
pub(super) fn one(visitor: &Visitor, entry: &Entry, form: &Markup) -> Response {
    let content = html! { (form) p { a href=(page(entry.list)) { "Back to the list" } } };
    settings_page(visitor, &format!("Change {} {}", entry.list.name(), entry.name), &content)
}

/// What a form about an entry has; of a new one (`None`) its name is a field of its own.
pub(super) fn about(visitor: &Visitor, view: &View, entry: Option<&Entry>) -> Markup {
    html! {
        (hidden(visitor, view))
        @if let Some(entry) = entry {
            input type="hidden" name="name" value=(entry.name);
            input type="hidden" name="change" value="true";
        }
    }
}

/// Whether a form is about an entry that is there.
pub(super) fn is_change(fields: &Fields) -> bool {
    fields.get("change") == "true"
}

/// A key that an empty field takes away.
pub(super) fn maybe(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

/// The same for a whole number. What is none is refused by the reader of configurations, which says what is wanted.
pub(super) fn maybe_number(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| maybe(text), Value::from)
}

/// What a form with these keys comes to: an entry is made, and a name that is taken is refused; or one is changed, where
/// the form is about one ([`about`]), in what differs.
pub(super) async fn edits(
    portal: &Shared,
    fields: &Fields,
    list: List,
    mut entry: Map<String, Value>,
) -> Result<Vec<Edit>, Refused> {
    let name = fields.get("name").to_owned();
    if !is_change(fields) {
        entry.retain(|_, value| !value.is_null());
        return Ok(vec![Edit::Add { list, name, fields: entry }]);
    }
    let view = view(portal).await?;
    // What is gone meanwhile was taken away behind the form's revision, and is told as that.
    if let Ok(there) = find(&view, list, &name) {
        entry.retain(|key, value| there.fields.get(key).unwrap_or(&Value::Null) != value);
    }
    Ok(if entry.is_empty() { Vec::new() } else { vec![Edit::Put { list, name, fields: entry }] })
}

/// The form of [`edits`] with what was sent; none where what it is about was taken away meanwhile.
pub(super) fn again(
    fields: &Fields,
    view: &View,
    list: List,
    form: impl FnOnce(Option<&Entry>) -> Markup,
) -> Markup {
    if !is_change(fields) {
        return form(None);
    }
    find(view, list, fields.get("name")).map_or_else(|_| html! {}, |entry| form(Some(entry)))
}

/// Takes an entry away.
pub(super) async fn remove(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(here): Path<String>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let lists = [List::Client, List::Site, List::Sink, List::Exclusion];
    let list = lists.into_iter().find(|list| page(*list).rsplit('/').next() == Some(&*here));
    let list = list.ok_or_else(|| Problem::not_found("There is no such page."))?;
    let edits = vec![Edit::Remove { list, name: fields.get("name").to_owned() }];
    form::change(&portal, &visitor, &fields, edits, page(list), form::nothing_again).await
}
