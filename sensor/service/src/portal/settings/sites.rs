//! Networks that have a name of their own.

use axum::{Extension, extract::State, response::Response};
use maud::html;
use serde_json::{Value, json};

use super::{
    clients::{addresses, words},
    form::{self, Fields, Sent},
    hidden, origin, page as settings_page, view,
};
use crate::{
    portal::{Refused, Shared, guard::Visitor, text},
    settings::{Edit, Layer, List},
};

const HERE: &str = "/settings/sites";

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Refused> {
    let view = view(&portal).await?;
    let sites: Vec<_> = view.entries.iter().filter(|entry| entry.list == List::Site).collect();
    let content = html! {
        p { "What you say about your own networks counts more than any database. A change holds from the next connection on." }
        @if sites.is_empty() { p { "None is set." } } @else {
            div.wide { table.stack {
                thead { tr { th { "Site" } th { "Networks" } th { "Position" } th { "Set" } th { "Change" } } }
                tbody { @for site in &sites { tr {
                    td data-label="Site" { (text::stranger(&site.name)) }
                    td data-label="Networks" { (words(site.fields.get("address"))) }
                    td data-label="Position" { (text::maybe(site.fields.get("position").and_then(Value::as_str))) }
                    td data-label="Set" { (origin(&site.origin)) }
                    td data-label="Change" { @if site.origin.layer == Layer::Portal {
                        form method="post" action="/settings/sites/remove" {
                            (hidden(&visitor, &view)) input type="hidden" name="name" value=(site.name);
                            button.plain { "Remove " (site.name) }
                        }
                    } }
                } } }
            } }
        }
        h2 { "Add a site, or give one another position" }
        form.narrow method="post" action=(HERE) {
            (hidden(&visitor, &view))
            label { "Name" input name="name" required maxlength="64" placeholder="Headquarters, Berlin"; }
            (addresses(""))
            label { "Degrees north and east; empty: no position" input name="position" maxlength="64" placeholder="52.52, 13.40"; }
            label { "Radius, km" input name="radius_km" inputmode="numeric" maxlength="5" placeholder="1"; }
            button { "Save" }
        }
    };
    Ok(settings_page(&visitor, "Sites", &content))
}

pub(super) async fn put(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let maybe = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let radius = fields.get("radius_km");
    let radius = radius.parse::<u64>().map_or_else(|_| maybe(radius), |radius| json!(radius));
    let entry = [
        ("address".to_owned(), json!(fields.words("address"))),
        ("position".to_owned(), maybe(fields.get("position"))),
        ("radius_km".to_owned(), radius),
    ];
    let (list, name) = (List::Site, fields.get("name").to_owned());
    let edits = vec![Edit::Put { list, name, fields: entry.into_iter().collect() }];
    form::change(&portal, &visitor, &fields, edits, HERE).await
}

pub(super) async fn remove(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<Response, Refused> {
    let fields = Fields::of(&visitor, sent)?;
    let edits = vec![Edit::Remove { list: List::Site, name: fields.get("name").to_owned() }];
    form::change(&portal, &visitor, &fields, edits, HERE).await
}
