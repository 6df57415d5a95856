//! What raises no alert: why, until when, and who said so.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use insight::{
    detect::Line,
    vpn::names::{Realms, UserName},
};
use jiff::{Timestamp, civil::Date};
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
    portal::{Refused, Shared, days, guard::Visitor, people::query_part, plot, text, zone::Zone},
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
    fn get(&self, key: &str, zone: &Zone) -> String {
        let Filled { user, network, asn, place, reason } = self;
        let all = [("user", user), ("network", network), ("asn", asn), ("place", place), ("reason", reason)];
        let set = all.iter().any(|(_, value)| !value.is_empty());
        match key {
            "until" if set => in_a_while(zone),
            _ => all
                .into_iter()
                .find(|(name, _)| *name == key)
                .map_or(String::new(), |(_, value)| value.clone()),
        }
    }
}

/// A day of the viewer's zone.
fn in_a_while(zone: &Zone) -> String {
    plot::date(zone.day(Timestamp::now().as_second()) + WHILE_DAYS)
}

/// The way to a form that excludes where an alert's user came from; none for an alert that is not about an address.
pub(in crate::portal) fn offered(alert: &Alert) -> Option<String> {
    let user = alert.user.as_deref().unwrap_or_default();
    let of_user = || alert.user.as_ref().and_then(|_| alert.connections.iter().find_map(|row| row.address));
    let network = match alert.address {
        Some(address) => Line::of(address).to_string(),
        None => of_user()?.to_string(),
    };
    // Who looks at the form must see whom it names, and what is typed there is read as a name, not as a key.
    let is_named = user.is_empty()
        || UserName::parse(user.as_bytes(), None, &Realms::default())
            .is_ok_and(|name| name.is_some_and(|(name, _)| name.key == user));
    (text::visible(user) == user && is_named).then(|| {
        let (user, network) = (query_part(user), query_part(&network));
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
            until(exclusion, &visitor.zone),
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
        (form(&visitor, &view, None, |key| filled.get(key, &visitor.zone)))
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
    let of = |key: &str| match key {
        "until" => typed(exclusion, &visitor.zone),
        _ => said(exclusion, key),
    };
    let form = form(&visitor, &view, Some(exclusion), of);
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

fn until(exclusion: &Entry, zone: &Zone) -> Markup {
    let until = said(exclusion, "until");
    let end = exclusion.ends.as_deref().unwrap_or(&until);
    let is_over = end.parse::<Timestamp>().is_ok_and(|end| end <= Timestamp::now());
    html! {
        @match day_ended(exclusion, zone) {
            Some(day) => { span title=(end) { (day) } span.quiet { ", to its end (" (zone.name()) ")" } }
            None => (text::moment(end)),
        }
        @if is_over { br; strong { "ended" } }
    }
}

/// The day that ends in the viewer's zone when the exclusion does, if one does.
fn day_ended(exclusion: &Entry, zone: &Zone) -> Option<Date> {
    exclusion.ends.as_ref().and_then(|end| zone.day_ended(end.parse().ok()?))
}

/// The end as the form has it. A day that is another's is a moment: typed back it would be one of the viewer's zone.
fn typed(exclusion: &Entry, zone: &Zone) -> String {
    let until = said(exclusion, "until");
    match (day_ended(exclusion, zone), &exclusion.ends) {
        (Some(day), _) => day.to_string(),
        (None, Some(end)) if days::day(&until).is_some() => end.clone(),
        _ => until,
    }
}

/// What is kept of an end that was typed: a day of UTC as it is, one of another zone as the moment when it is over. What is
/// neither a day nor a moment is refused by the reader of configurations, which says what is wanted.
fn kept(typed: &str, zone: &Zone) -> String {
    let end = || zone.begin_of(days::day(typed)?.tomorrow().ok()?);
    match end() {
        Some(end) if !zone.is_utc() => zone.with_offset(end),
        _ => typed.to_owned(),
    }
}

fn form(visitor: &Visitor, view: &View, exclusion: Option<&Entry>, of: impl Fn(&str) -> String) -> Markup {
    let until = of("until");
    let kind = if until.is_empty() || days::day(&until).is_some() { "date" } else { "text" };
    html! {
        form.narrow method="post" action=(HERE) {
            (lists::about(visitor, view, exclusion))
            // The browser's may be another by the time it is sent.
            input type="hidden" name="zone" value=(visitor.zone.name());
            @for (key, _, what) in CRITERIA {
                label { (what) input name=(key) value=(of(key)) maxlength="256" autocomplete="off"; }
            }
            label { "Why, for those who come later" input name="reason" value=(of("reason")) required maxlength="500" autocomplete="off"; }
            label { "Until, to the end of that day (" (visitor.zone.name()) ")" @if kind == "text" { ", or a moment" } " " input type=(kind) name="until" value=(until) required maxlength="64"; }
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
    exclusion.insert("reason".to_owned(), json!(fields.get("reason")));
    let zone = Zone::named(fields.get("zone")).unwrap_or_else(|| visitor.zone.clone());
    exclusion.insert("until".to_owned(), json!(kept(fields.get("until"), &zone)));
    let edits = lists::edits(&portal, &fields, List::Exclusion, exclusion).await?;
    let again = |view: &View| {
        let of = |key: &str| fields.get(key).to_owned();
        lists::again(&fields, view, List::Exclusion, |exclusion| form(&visitor, view, exclusion, of))
    };
    form::change(&portal, &visitor, &fields, edits, HERE, again).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        portal::zone::tests::zone,
        settings::{Layer, Origin},
    };

    fn exclusion(until: &str, ends: &str) -> Entry {
        Entry {
            list: List::Exclusion,
            name: "1".to_owned(),
            origin: Origin { layer: Layer::Portal, file: None, line: None },
            fields: Map::from_iter([("until".to_owned(), json!(until))]),
            has_secret: false,
            has_previous_secret: false,
            has_weak_secret: false,
            heard: None,
            ends: Some(ends.to_owned()),
        }
    }

    #[test]
    fn a_day_that_is_typed_ends_in_the_viewer_s_zone_and_is_a_day_there_again() {
        let (utc, st_johns, berlin) = (Zone::default(), zone("America/St_Johns"), zone("Europe/Berlin"));
        assert_eq!(kept("2099-12-31", &utc), "2099-12-31");
        assert_eq!(kept("2026-12-04", &st_johns), "2026-12-05T00:00:00-03:30");
        // Days on which clocks are set end by the offset that is in force then.
        assert_eq!(kept("2026-10-25", &berlin), "2026-10-26T00:00:00+01:00");
        assert_eq!(kept("2026-10-24", &berlin), "2026-10-25T00:00:00+02:00");
        for as_typed in ["2026-12-31T18:00:00Z", "soon", "", "9999-12-31", "2026-02-30"] {
            assert_eq!(kept(as_typed, &st_johns), as_typed);
        }

        let hers = exclusion("2026-12-05T00:00:00-03:30", "2026-12-05T03:30:00Z");
        assert_eq!(typed(&hers, &st_johns), "2026-12-04");
        let shown = until(&hers, &st_johns).into_string();
        let day = "<span title=\"2026-12-05T03:30:00Z\">2026-12-04</span><span class=\"quiet\">, to its end (America/St_Johns)";
        assert!(shown.contains(day), "{shown}");
        // Elsewhere it is a moment, and stays that one when the form is sent back.
        assert_eq!(typed(&hers, &berlin), "2026-12-05T00:00:00-03:30");
        assert!(until(&hers, &berlin).into_string().contains("datetime=\"2026-12-05T03:30:00Z\""));
        let of_utc = exclusion("2026-12-04", "2026-12-05T00:00:00Z");
        assert_eq!(typed(&of_utc, &berlin), "2026-12-05T00:00:00Z");
        assert_eq!(kept(&typed(&of_utc, &berlin), &berlin), "2026-12-05T00:00:00Z");
        assert_eq!(typed(&of_utc, &utc), "2026-12-04");
        assert!(until(&of_utc, &utc).into_string().contains("to its end (UTC)"));
    }
}
