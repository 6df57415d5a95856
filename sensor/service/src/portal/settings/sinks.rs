//! Whom alerts, connections and health messages are sent to.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    form::{self, Fields, Sent},
    lists::{self, Asked, said},
    origin, page as settings_page, view,
};
use crate::{
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Edit, Entry, List, SecretText, View},
};

const HERE: &str = "/settings/sinks";
/// What can be sent, and whether a new sink gets it.
const WHAT: [(&str, bool); 3] = [("alerts", true), ("health", true), ("connections", false)];
const KINDS: [(&str, &str); 3] = [("syslog", "Syslog"), ("webhook", "Webhook"), ("mail", "Mail")];
const FORMATS: [&str; 3] = ["cef", "json", "ocsf"];
const SEVERITIES: [&str; 4] = ["informational", "low", "medium", "high"];

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let row = |sink: &Entry| {
        let target = ["url", "address", "path"].map(|key| said(sink, key)).concat();
        [
            text::stranger(&sink.name),
            lists::shown(sink, "kind"),
            text::stranger(&target),
            lists::shown(sink, "what"),
            origin(&sink.origin),
            lists::changing(&visitor, &view, sink),
        ]
    };
    let rows: Vec<_> = lists::entries(&view, List::Sink).map(row).collect();
    let heads = ["Sink", "Kind", "Where to", "What", "Set", "Change"];
    let content = html! {
        (lists::table(heads, &rows, "Nobody is told outside the portal."))
        h2 { "Add a sink" }
        p.quiet { "Sinks that write files, or trust a certificate authority of yours, are for the configuration file alone." }
        (form(&visitor, &view, None, as_usual))
    };
    Ok(settings_page(&visitor, "Sinks", &content))
}

pub(super) async fn one(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { name }): Query<Asked>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let sink = lists::find(&view, List::Sink, &name)?;
    let of = |key: &str| match key {
        "target" => ["url", "address"].map(|key| said(sink, key)).concat(),
        // Where nothing is said, all of this holds.
        "what" if !sink.fields.contains_key("what") => as_usual(key),
        _ => said(sink, key),
    };
    Ok(lists::one(&visitor, sink, &form(&visitor, &view, Some(sink), of)))
}

/// What the fields of a new sink hold.
fn as_usual(key: &str) -> String {
    let usual = WHAT.iter().filter(|(_, usual)| *usual && key == "what");
    usual.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// What the fields hold as they were sent.
fn as_sent(fields: &Fields, key: &str) -> String {
    match key {
        "what" => fields.all(key).join(", "),
        "tls" if fields.get(key).is_empty() => "false".to_owned(),
        _ => fields.get(key).to_owned(),
    }
}

/// Of a sink that is there the fields of its kind; of a new one those of all kinds. What they hold is asked of `of`.
fn form(visitor: &Visitor, view: &View, sink: Option<&Entry>, of: impl Fn(&str) -> String) -> Markup {
    let (own, what) = (sink.map(|sink| said(sink, "kind")), of("what"));
    let kind = own.as_deref().unwrap_or_default();
    let takes = |kinds: &[&str]| sink.is_none() || kinds.contains(&kind);
    let is_sent = |name: &str| what.split(", ").any(|sent| sent == name);
    html! {
        form.narrow method="post" action=(HERE) {
            (lists::about(visitor, view, sink))
            @match sink {
                Some(_) => {
                    input type="hidden" name="kind" value=(kind);
                    p.quiet { "A sink of kind " (kind) "; for another kind remove it and add one." }
                }
                None => {
                    label { "Name: letters, digits, - and _" input name="name" value=(of("name")) required maxlength="32"; }
                    label { "Kind" select name="kind" { @for (name, title) in KINDS { option value=(name) selected[of("kind") == name] { (title) } } } }
                }
            }
            label {
                @match kind {
                    "" => "Host and port, or the webhook's https address",
                    "webhook" => "Its https address",
                    _ => "Host and port",
                }
                input name="target" value=(of("target")) required maxlength="1024";
            }
            @if takes(&["syslog", "mail"]) {
                label.choice { input type="checkbox" name="tls" value="true" checked[of("tls") != "false"];
                    @if sink.is_none() { "Syslog, mail: over TLS" } @else { "Over TLS" } }
            }
            @if takes(&["syslog", "webhook"]) {
                label { "Format" select name="format" {
                    option value="" { "the kind's own" }
                    @for format in FORMATS { option value=(format) selected[of("format") == format] { (format) } }
                } }
            }
            fieldset { legend { "What is sent" }
                @for (name, _) in WHAT {
                    label.choice { input type="checkbox" name="what" value=(name) checked[is_sent(name)]; (name) }
                }
            }
            label { "Severity from" select name="min_severity" {
                @for severity in SEVERITIES { option value=(severity) selected[of("min_severity") == severity] { (severity) } }
            } }
            @if takes(&["webhook", "mail"]) { (secret_field(kind, sink)) }
            @if takes(&["mail"]) {
                label { "Mail: account" input name="user" value=(of("user")) maxlength="256" autocomplete="off"; }
                label { "Mail: from" input name="from" value=(of("from")) maxlength="256" autocomplete="off"; }
                label { "Mail: to" input name="to" value=(of("to")) maxlength="2048" autocomplete="off"; }
            }
            button { @if sink.is_some() { "Save" } @else { "Add" } }
        }
    }
}

/// A secret is typed and never shown.
fn secret_field(kind: &str, sink: Option<&Entry>) -> Markup {
    let is_set = sink.is_some_and(|sink| sink.has_secret);
    html! {
        label {
            @match kind {
                "" => "Webhook: secret that requests are signed with; mail: password",
                "webhook" => "Secret that requests are signed with",
                _ => "Password",
            }
            @if is_set { "; empty: the one that is set" }
            input type="password" name="secret" maxlength="256" autocomplete="new-password"
                aria-describedby=[is_set.then_some("again")];
        }
        @if is_set { p.quiet id="again" { "Another host, or no TLS, wants it again: what is kept goes to nobody else." } }
    }
}

pub(super) async fn put(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let (kind, to) = (fields.get("kind"), fields.words("to"));
    let target = if kind == "webhook" { "url" } else { "address" };
    let mut sink = Map::from_iter([
        ("kind".to_owned(), json!(kind)),
        (target.to_owned(), json!(fields.get("target"))),
        ("what".to_owned(), json!(fields.all("what"))),
        ("min_severity".to_owned(), json!(fields.get("min_severity"))),
        ("to".to_owned(), if to.is_empty() { Value::Null } else { json!(to) }),
    ]);
    for key in ["format", "user", "from"] {
        sink.insert(key.to_owned(), lists::maybe(fields.get(key)));
    }
    if kind != "webhook" {
        // Where nothing is said, TLS is spoken.
        let tls = if fields.get("tls") == "true" { Value::Null } else { json!(false) };
        sink.insert("tls".to_owned(), tls);
    }
    let mut edits = lists::edits(&portal, &fields, List::Sink, sink).await?;
    if !fields.raw("secret").is_empty() {
        let secret = SecretText::new(fields.raw("secret").to_owned());
        edits.push(Edit::Secret { list: List::Sink, name: fields.get("name").to_owned(), secret });
    }
    let again = |view: &View| {
        lists::again(&fields, view, List::Sink, |sink| {
            form(&visitor, view, sink, |key| as_sent(&fields, key))
        })
    };
    form::change(&portal, &visitor, &fields, edits, HERE, again).await
}
