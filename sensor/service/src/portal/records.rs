//! The raw records that an alert rests on.

use std::time::Duration;

use axum::{
    Extension,
    extract::{Path, Query, State},
    response::Response,
};
use journal::Record;
use maud::{Markup, html};
use radius::attribute::kind;
use serde::Deserialize;

use super::{Refused, Shared, frame, guard::Visitor, text};
use crate::{
    api::{Problem, records::PATIENCE},
    record::RecordLine,
};

/// How long is looked at first: a page is there at once, and says if there may be more.
const GLANCE: Duration = Duration::from_millis(120);
/// Records whose attributes are on the page. The API has more.
const SHOWN_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    long: bool,
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u64>,
    Query(Asked { long }): Query<Asked>,
) -> Result<Response, Refused> {
    let (shared, who) = (portal.clone(), visitor.name());
    let content = portal.api.readers.read(move |store| {
        let alert = store.alert(number)?;
        let alert = alert.ok_or_else(|| Problem::not_found(format!("There is no alert {number}.")))?;
        shared.api.audit_alert(&who, "alert.records", &alert, &format!("alert {number}"))?;
        let patience = if long { PATIENCE } else { GLANCE };
        let (records, is_complete) = shared.api.records_of(store, &alert.connections, patience)?;
        Ok(content(number, &records, is_complete, long))
    });
    Ok(frame::page(&visitor, &format!("Records of alert {number}"), &content.await?))
}

fn content(number: u64, records: &[Record], is_complete: bool, long: bool) -> Markup {
    html! {
        p { a href={ "/alerts/" (number) } { "Back to the alert" } }
        p { "What VPN servers sent about its connections when they began and when they were last heard of, as it stands in the journal." }
        @if records.is_empty() { p { "No record was found: retention may have taken them." } }
        @if !is_complete {
            p { "Not all of the journal around them was looked through. "
                @if !long { a href={ "/alerts/" (number) "/records?long=true" } { "Look for some seconds" } " " }
                code { "vpn-sensor journal dump" } " has all." }
        }
        @for record in records.iter().take(SHOWN_MAX) { (shown(&RecordLine::new(record))) }
        @if records.len() > SHOWN_MAX { p { "And " (records.len() - SHOWN_MAX) " more: the API has a hundred of them." } }
    }
}

fn shown(record: &RecordLine<'_>) -> Markup {
    match record {
        RecordLine::Tombstone(tombstone) => {
            let (sequence, time) = tombstone.when();
            html! { section.card { h2 { "Record " (sequence) } p { (text::moment_ns(time)) ": taken out, with the person in it." } } }
        }
        RecordLine::Record(whole) => {
            let ((sequence, time), (client, source)) = (whole.when(), whole.sender());
            html! {
                section.card {
                    h2 { "Record " (sequence) ": " (text::stranger(&whole.attribute(kind::ACCT_STATUS_TYPE))) }
                    p { (text::moment_ns(time)) " from " (text::stranger(client)) ", " (source.to_string()) }
                    div.wide tabindex="0" role="region" aria-label={ "Attributes of record " (sequence) } { table {
                        caption.unseen { "Attributes of record " (sequence) }
                        thead { tr { th scope="col" { "Attribute" } th scope="col" { "Value" } } }
                        tbody { @for (name, value) in whole.attributes() { tr { td { (name) } td { (text::stranger(&value)) } } } }
                    } }
                }
            }
        }
    }
}
