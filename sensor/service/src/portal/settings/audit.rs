//! The audit log: who looked at whom, decided, signed in or changed something.

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::page as settings_page;
use crate::{
    api::query,
    control::{AuditFilter, AuditRow},
    portal::{Refused, Shared, guard::Visitor, people::query_part, text},
};

const HERE: &str = "/settings/audit";
/// Lines of a page.
const ROWS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    who: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    subject: String,
    cursor: Option<String>,
}

impl Asked {
    fn filter(&self) -> Result<AuditFilter, Refused> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(AuditFilter {
            who: some(&self.who),
            action: some(&self.action),
            subject: some(&self.subject),
            before: query::position(self.cursor.as_deref())?,
        })
    }

    /// The address of the next page.
    fn next(&self, cursor: &str) -> String {
        let Asked { who, action, subject, .. } = self;
        format!("{}&cursor={cursor}", address(who, action, subject))
    }
}

fn address(who: &str, action: &str, subject: &str) -> String {
    format!("{HERE}?who={}&action={}&subject={}", query_part(who), query_part(action), query_part(subject))
}

pub(super) async fn page(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let filter = asked.filter()?;
    let (shared, who) = (portal.clone(), visitor.name());
    let found = portal.api.readers.run(move || {
        shared.api.audit_as(&who, "audit.list", filter.subject.as_deref(), filter.details().as_deref())?;
        Ok(shared
            .api
            .with_control(|control| Ok((control.audit_of(&filter, ROWS + 1)?, control.audit_actions()?)))?)
    });
    let (mut rows, actions) = found.await?;
    let is_more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let next = rows.last().filter(|_| is_more).map(|last| asked.next(&query::cursor(&last.number)));
    Ok(settings_page(&visitor, "Audit", &content(&asked, &rows, &actions, next.as_deref())))
}

fn content(asked: &Asked, rows: &[AuditRow], actions: &[String], next: Option<&str>) -> Markup {
    html! {
        p { "Who looked at whom, decided, signed in or changed something. Kept are two years, and at most the newest million lines." }
        form.row role="search" aria-label="Audit" action=(HERE) {
            label { "Who" input type="search" name="who" value=(asked.who) maxlength="256" autocomplete="off"; }
            label { "What" select name="action" {
                option value="" { "anything" }
                @for action in actions { option value=(action) selected[asked.action == *action] { (action) } }
            } }
            label { "About" input type="search" name="subject" value=(asked.subject) maxlength="256" autocomplete="off"; }
            button { "Show" }
        }
        p.quiet { "Who is an account (" code { "carol@portal" } "), a token's name, or somebody at the host's command line (" code { "uid 0" } "), whole." }
        @if rows.is_empty() { p { "There is none." } } @else {
            div.wide tabindex="0" role="region" aria-label="Audit log" { table.stack {
                caption.unseen { "Lines of the audit log, the newest first" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "About" } th scope="col" { "More" } } }
                tbody { @for row in rows { tr {
                    td data-label="When" { (text::moment(&row.time)) }
                    td data-label="Who" { a href=(address(&row.who, "", "")) { (text::stranger(&row.who)) } }
                    td data-label="What" { (row.action) }
                    td data-label="About" { @match &row.subject {
                        Some(subject) => a href=(address("", "", subject)) { (text::stranger(subject)) },
                        None => "\u{2013}",
                    } }
                    td data-label="More" { (text::maybe(row.details.as_deref())) }
                } } }
            } }
        }
        @if let Some(next) = next { p { a href=(next) { "Older ones" } } }
    }
}
