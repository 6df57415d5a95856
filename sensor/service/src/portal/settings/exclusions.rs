//! What raises no alert: why, until when, and who said so.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use insight::vpn::names::{Realms, UserName};
use jiff::{SignedDuration, Timestamp, civil::Date};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, json};

use super::{
    form::{self, Fields, Sent},
    lists::{self, Asked, said},
    origin, page as settings_page, view,
};
use crate::{
    alert::Alert,
    portal::{Refused, Shared, guard::Visitor, people::query_part, text},
    settings::{Entry, List, View},
};

const HERE: &str = "/settings/exclusions";
/// What an exclusion can name, as the configuration has it and as people say it, with what is typed.
const CRITERIA: [(&str, &str, &str); 4] = [
    ("user", "User", "User, in any way the name is written"),
    ("network", "Network", "Address outside the tunnel, or a network such as 198.51.100.0/24"),
    ("asn", "ASN", "Number of the autonomous system, such as 64500"),
    ("place", "Place", "Place as alerts name it, or a country by its two letters"),
];
/// Of one that is made from an alert.
const WHILE_DAYS: i64 = 7;

/// What a link to the page fills in.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filled {
    user: String,
    network: String,
    asn: String,
    place: String,
    reason: String,
}

impl Filled {
    fn get(&self, key: &str) -> String {
        let Filled { user, network, asn, place, reason } = self;
        let all = [("user", user), ("network", network), ("asn", asn), ("place", place), ("reason", reason)];
        let set = all.iter().any(|(_, value)| !value.is_empty());
        match key {
            "until" if set => in_a_while(),
            _ => all
                .into_iter()
                .find(|(name, _)| *name == key)
                .map_or(String::new(), |(_, value)| value.clone()),
        }
    }
}

/// A day of UTC.
fn in_a_while() -> String {
    let then = Timestamp::now().checked_add(SignedDuration::from_hours(24 * WHILE_DAYS));
    then.ok().and_then(|then| then.to_string().get(..10).map(str::to_owned)).unwrap_or_default()
}

/// The way to a form that excludes where an alert's user came from; none for an alert that is not about an address.
pub(in crate::portal) fn offered(alert: &Alert) -> Option<String> {
    let user = alert.user.as_deref().unwrap_or_default();
    let of_user = || alert.user.as_ref().and_then(|_| alert.connections.iter().find_map(|row| row.address));
    let network = alert.address.or_else(of_user)?;
    // Who looks at the form must see whom it names, and what is typed there is read as a name, not as a key.
    let is_named = user.is_empty()
        || UserName::parse(user.as_bytes(), None, &Realms::default())
            .is_ok_and(|name| name.is_some_and(|(name, _)| name.key == user));
    (text::visible(user) == user && is_named).then(|| {
        let (user, network) = (query_part(user), query_part(&network.to_string()));
        format!(
            "{HERE}?user={user}&network={network}&reason={}",
            query_part(&format!("alert {}", alert.number))
        )
    })
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(filled): Query<Filled>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let row = |exclusion: &Entry| {
        [
            criteria(exclusion),
            lists::shown(exclusion, "reason"),
            until(exclusion),
            html! { (lists::shown(exclusion, "set_by"))
            @let at = said(exclusion, "set_at");
            @if !at.is_empty() { ", " (text::moment(&at)) } },
            origin(&exclusion.origin),
            lists::changing(&visitor, &view, exclusion),
        ]
    };
    let rows: Vec<_> = lists::entries(&view, List::Exclusion).map(row).collect();
    let heads = ["Connections", "Reason", "Until", "Last set by", "Set", "Change"];
    let content = html! {
        p { "A connection that has all that an exclusion names raises no alert until the exclusion ends, and teaches the profile as any other does. It holds from the next connection on; open alerts stay." }
        (lists::table(heads, &rows, "Nothing is excluded."))
        h2 { "Add an exclusion" }
        p.quiet { "Name as little as is needed: a user with a place is better than a country, a network better than an autonomous system. An empty field means any; one must be filled in." }
        (form(&visitor, &view, None, |key| filled.get(key)))
    };
    Ok(settings_page(&visitor, "Exclusions", &content))
}

pub(super) async fn one(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { name }): Query<Asked>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let exclusion = lists::find(&view, List::Exclusion, &name)?;
    let form = form(&visitor, &view, Some(exclusion), |key| said(exclusion, key));
    Ok(lists::one(&visitor, exclusion, &form))
}

/// Which connections it means.
fn criteria(exclusion: &Entry) -> Markup {
    let named = CRITERIA.into_iter().filter(|(key, ..)| exclusion.fields.contains_key(*key));
    html! { @for (index, (key, title, _)) in named.enumerate() {
        @if index > 0 { br; }
        span.quiet { (title) " " } (lists::shown(exclusion, key))
    } }
}

fn until(exclusion: &Entry) -> Markup {
    let until = said(exclusion, "until");
    let end = exclusion.ends.as_deref().unwrap_or(&until);
    let is_over = end.parse::<Timestamp>().is_ok_and(|end| end <= Timestamp::now());
    html! {
        @if is_day(&until) { (until) span.quiet { ", to its end (UTC)" } } @else { (text::moment(end)) }
        @if is_over { br; strong { "ended" } }
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<Date>().is_ok()
}

fn form(visitor: &Visitor, view: &View, exclusion: Option<&Entry>, of: impl Fn(&str) -> String) -> Markup {
    let until = of("until");
    let kind = if until.is_empty() || is_day(&until) { "date" } else { "text" };
    html! {
        form.narrow method="post" action=(HERE) {
            (lists::about(visitor, view, exclusion))
            @for (key, _, what) in CRITERIA {
                label { (what) input name=(key) value=(of(key)) maxlength="256" autocomplete="off"; }
            }
            label { "Why, for those who come later" input name="reason" value=(of("reason")) required maxlength="500" autocomplete="off"; }
            label { "Until, to the end of that day (UTC)" input type=(kind) name="until" value=(until) required maxlength="64"; }
            button { @if exclusion.is_some() { "Save" } @else { "Exclude" } }
        }
    }
}

pub(super) async fn put(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let asn = fields.get("asn");
    let asn = asn.strip_prefix("AS").or(asn.strip_prefix("as")).unwrap_or(asn);
    let mut exclusion = Map::from_iter([("asn".to_owned(), lists::maybe_number(asn))]);
    for key in ["user", "network", "place"] {
        exclusion.insert(key.to_owned(), lists::maybe(fields.get(key)));
    }
    for key in ["reason", "until"] {
        exclusion.insert(key.to_owned(), json!(fields.get(key)));
    }
    let edits = lists::edits(&portal, &fields, List::Exclusion, exclusion).await?;
    form::change(&portal, &visitor, &fields, edits, HERE).await
}
