//! Networks that have a name of their own.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde_json::{Map, json};

use super::{
    clients::addresses,
    form::{self, Fields, Sent},
    lists::{self, Asked, said},
    origin, page as settings_page, view,
};
use crate::{
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Entry, List, View},
};

const HERE: &str = "/settings/sites";

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let row = |site: &Entry| {
        [
            text::stranger(&site.name),
            lists::shown(site, "address"),
            lists::shown(site, "position"),
            origin(&site.origin),
            lists::changing(&visitor, &view, site),
        ]
    };
    let rows: Vec<_> = lists::entries(&view, List::Site).map(row).collect();
    let content = html! {
        p { "What you say about your own networks counts more than any database. A change holds from the next connection on." }
        (lists::table(["Site", "Networks", "Position", "Set", "Change"], &rows, "None is set."))
        h2 { "Add a site" }
        (form(&visitor, &view, None, |_| String::new()))
    };
    Ok(settings_page(&visitor, "Sites", &content))
}

pub(super) async fn one(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(Asked { name }): Query<Asked>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let site = lists::find(&view, List::Site, &name)?;
    Ok(lists::one(&visitor, site, &form(&visitor, &view, Some(site), |key| said(site, key))))
}

/// The form of a site that is there, or of a new one, with what its fields hold.
fn form(visitor: &Visitor, view: &View, site: Option<&Entry>, of: impl Fn(&str) -> String) -> Markup {
    html! {
        form.narrow method="post" action=(HERE) {
            (lists::about(visitor, view, site))
            @if site.is_none() { label { "Name" input name="name" value=(of("name")) required maxlength="64" placeholder="Headquarters, Berlin"; } }
            (addresses(&of("address")))
            label { "Degrees north and east; empty: no position" input name="position" value=(of("position")) maxlength="64" placeholder="52.52, 13.40"; }
            label { "Radius, km" input name="radius_km" value=(of("radius_km")) inputmode="numeric" maxlength="5" placeholder="1"; }
            button { @if site.is_some() { "Save" } @else { "Add" } }
        }
    }
}

pub(super) async fn put(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let site = Map::from_iter([
        ("address".to_owned(), json!(fields.words("address"))),
        ("position".to_owned(), lists::maybe(fields.get("position"))),
        ("radius_km".to_owned(), lists::maybe_number(fields.get("radius_km"))),
    ]);
    let edits = lists::edits(&portal, &fields, List::Site, site).await?;
    let again = |view: &View| {
        lists::again(&fields, view, List::Site, |site| {
            form(&visitor, view, site, |key| fields.get(key).to_owned())
        })
    };
    form::change(&portal, &visitor, &fields, edits, HERE, again).await
}
