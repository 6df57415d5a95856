//! Whom alerts, connections and health messages are sent to.

use axum::{Extension, extract::State, response::Response};
use maud::html;
use serde_json::{Map, Value, json};

use super::{
    form::{self, Fields, Sent},
    hidden, origin, page as settings_page, view,
};
use crate::{
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Edit, Layer, List, SecretText},
};

const HERE: &str = "/settings/sinks";
/// What can be sent.
const WHAT: [&str; 3] = ["alerts", "health", "connections"];

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let sinks: Vec<_> = view.entries.iter().filter(|entry| entry.list == List::Sink).collect();
    let said = |fields: &Map<String, Value>, key: &str| {
        fields
            .get(key)
            .map_or(String::new(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let content = html! {
        @if sinks.is_empty() { p { "Nobody is told outside the portal." } } @else {
            div.wide { table.stack {
                thead { tr { th { "Sink" } th { "Kind" } th { "Where to" } th { "What" } th { "Set" } th { "Change" } } }
                tbody { @for sink in &sinks { tr {
                    td data-label="Sink" { (text::stranger(&sink.name)) }
                    td data-label="Kind" { (said(&sink.fields, "kind")) }
                    td data-label="Where to" { (text::stranger(&["url", "address", "path"].map(|key| said(&sink.fields, key)).concat())) }
                    td data-label="What" { (said(&sink.fields, "what")) }
                    td data-label="Set" { (origin(&sink.origin)) }
                    td data-label="Change" { @if sink.origin.layer == Layer::Portal {
                        form method="post" action="/settings/sinks/remove" {
                            (hidden(&visitor, &view)) input type="hidden" name="name" value=(sink.name);
                            button.plain { "Remove " (sink.name) }
                        }
                    } }
                } } }
            } }
        }
        h2 { "Add a sink" }
        p.quiet { "Sinks that write files, or trust a certificate authority of yours, are for the configuration file alone." }
        form.narrow method="post" action=(HERE) {
            (hidden(&visitor, &view))
            label { "Name: letters, digits, - and _" input name="name" required maxlength="32"; }
            label { "Kind" select name="kind" {
                option value="syslog" { "Syslog over TLS" }
                option value="syslog-clear" { "Syslog in the clear" }
                option value="webhook" { "Webhook" }
                option value="mail" { "Mail over TLS" }
            } }
            label { "Host and port, or the webhook's https address" input name="target" required maxlength="1024"; }
            label { "Format" select name="format" {
                option value="" { "the kind's own" }
                @for format in ["cef", "json", "ocsf"] { option value=(format) { (format) } }
            } }
            fieldset { legend { "What is sent" }
                @for what in WHAT { label.choice { input type="checkbox" name="what" value=(what) checked[what != "connections"]; (what) } }
            }
            label { "Severity from" select name="min_severity" {
                @for severity in ["informational", "low", "medium", "high"] { option value=(severity) { (severity) } }
            } }
            label { "Webhook: secret that requests are signed with; mail: password" input type="password" name="secret" maxlength="256" autocomplete="new-password"; }
            label { "Mail: account" input name="user" maxlength="256" autocomplete="off"; }
            label { "Mail: from" input name="from" maxlength="256" autocomplete="off"; }
            label { "Mail: to" input name="to" maxlength="2048" autocomplete="off"; }
            button { "Add" }
        }
    };
    Ok(settings_page(&visitor, "Sinks", &content))
}

pub(super) async fn put(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let (kind, is_clear) = match fields.get("kind") {
        "syslog-clear" => ("syslog", true),
        kind => (kind, false),
    };
    let target = if kind == "webhook" { "url" } else { "address" };
    let mut entry = Map::from_iter([
        ("kind".to_owned(), json!(kind)),
        (target.to_owned(), json!(fields.get("target"))),
        ("what".to_owned(), json!(fields.all("what"))),
        ("min_severity".to_owned(), json!(fields.get("min_severity"))),
    ]);
    for key in ["format", "user", "from"] {
        if !fields.get(key).is_empty() {
            entry.insert(key.to_owned(), json!(fields.get(key)));
        }
    }
    if !fields.get("to").is_empty() {
        entry.insert("to".to_owned(), json!(fields.words("to")));
    }
    if is_clear {
        entry.insert("tls".to_owned(), json!(false));
    }
    let (list, name) = (List::Sink, fields.get("name").to_owned());
    let mut edits = vec![Edit::Put { list, name: name.clone(), fields: entry }];
    if !fields.raw("secret").is_empty() {
        let secret = SecretText::new(fields.raw("secret").to_owned());
        edits.push(Edit::Secret { list, name, secret });
    }
    form::change(&portal, &visitor, &fields, edits, HERE).await
}

pub(super) async fn remove(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let edits = vec![Edit::Remove { list: List::Sink, name: fields.get("name").to_owned() }];
    form::change(&portal, &visitor, &fields, edits, HERE).await
}
