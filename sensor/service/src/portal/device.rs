//! A device's page: who used it, from where.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use maud::html;

use super::{Refused, Shared, frame, guard::Visitor, sessions, text};
use crate::{
    api::Problem,
    store::{Feature, SessionFilter},
};

const ROWS: usize = 50;

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let title = name.clone();
    let content = portal.api.readers.read(move |store| {
        shared.api.audit_as(&who, "device.show", Some(&name), None)?;
        if !store.has_device(&name)? {
            return Err(Problem::not_found(format!("There is no device {name:?}.")));
        }
        let filter = SessionFilter { device: Some(name), ..SessionFilter::default() };
        let (users, locations) =
            (store.shares(Feature::User, &filter, ROWS)?, store.locations(&filter, ROWS)?);
        let rows = store.sessions(&filter, ROWS)?;
        Ok(html! {
            div.cards {
                section.card {
                    h2 { "Users" }
                    table {
                        thead { tr { th { "User" } th.figure { "Connections" } th { "Last seen" } } }
                        tbody { @for share in &users { tr {
                            td { (text::user(Some(&share.name))) }
                            td.figure { (share.connections) }
                            td { (text::moment(&share.last_seen)) }
                        } } }
                    }
                }
                section.card { h2 { "VPN locations" } (super::person::locations(&locations)) }
            }
            h2 { "Connections" }
            (sessions::table(&rows))
        })
    });
    Ok(frame::page(&visitor, &title, &content.await?))
}
