//! Settings, for administrators: what portal and API can set, who set it, and who sends without being let in.
//!
//! | file | what lives there |
//! |---|---|
//! | `form` | forms as they come, changes made of them, and what is told when a change is not made |
//! | `vpn` | accounting on and off, one secret for everybody |
//! | `clients` | VPN servers and their secrets |
//! | `listening`, `guides` | the first packet: unknown clients, wrong secrets, and how VPN servers are pointed here |
//! | `keys` | thresholds, retention, health: single values |
//! | `lists` | what the pages of lists share: tables, and forms that add, change and remove |
//! | `sites`, `sinks`, `exclusions` | named networks; whom messages are sent to; what raises no alert |
//! | `people`, `tokens` | who may sign in, who may ask the API |
//! | `audit` | who did what |

mod audit;
mod clients;
mod exclusions;
mod form;
mod guides;
mod keys;
mod listening;
mod lists;
mod people;
mod sinks;
mod sites;
mod tokens;
pub(super) mod vpn;

use axum::{
    Router, middleware,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};

pub(super) use exclusions::offered;

use super::{Refused, Shared, frame, guard, guard::Visitor};
use crate::{
    api::administering,
    settings::{Layer, Origin, View},
};

/// The pages, with their titles.
const PAGES: [(&str, &str); 12] = [
    ("/settings/vpn", "VPN"),
    ("/settings/listening", "First packet"),
    ("/settings/clients", "VPN servers"),
    ("/settings/sites", "Sites"),
    ("/settings/detections", "Detections"),
    ("/settings/exclusions", "Exclusions"),
    ("/settings/retention", "Retention"),
    ("/settings/health", "Health"),
    ("/settings/sinks", "Sinks"),
    ("/settings/people", "People"),
    ("/settings/tokens", "Tokens"),
    ("/settings/audit", "Audit"),
];

/// The routes. Whoever is no administrator gets none of them.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/settings", get(async || axum::response::Redirect::to("/settings/vpn")))
        .route("/settings/vpn", get(vpn::page))
        .route("/settings/vpn/accounting", post(vpn::switch))
        .route("/settings/vpn/secret", post(vpn::set_secret))
        .route("/settings/clients", get(clients::page).post(clients::put))
        .route("/settings/clients/secret", post(clients::secret))
        .route("/settings/listening", get(listening::page))
        .route("/settings/listening/{source}", get(listening::source).post(listening::mend))
        .route("/settings/detections", get(keys::detections).post(keys::save_detections))
        .route("/settings/retention", get(keys::retention).post(keys::save_retention))
        .route("/settings/health", get(keys::health).post(keys::save_health))
        .route("/settings/sites", get(sites::page).post(sites::put))
        .route("/settings/sites/change", get(sites::one))
        .route("/settings/sinks", get(sinks::page).post(sinks::put))
        .route("/settings/sinks/change", get(sinks::one))
        .route("/settings/exclusions", get(exclusions::page).post(exclusions::put))
        .route("/settings/exclusions/change", get(exclusions::one))
        .route("/settings/{list}/remove", post(lists::remove))
        .route("/settings/people", get(people::page).post(people::link))
        .route("/settings/people/change", post(people::change))
        .route("/settings/tokens", get(tokens::page).post(tokens::make))
        .route("/settings/tokens/remove", post(tokens::remove))
        .route("/settings/audit", get(audit::page))
        .route_layer(middleware::from_fn(guard::require_administrator))
}

/// A page with the ways to the others.
fn page(visitor: &Visitor, title: &str, content: &Markup) -> Response {
    page_with(visitor, title, &html! {}, content)
}

/// The same with more in its head.
fn page_with(visitor: &Visitor, title: &str, head: &Markup, content: &Markup) -> Response {
    let content = html! {
        nav.tabs aria-label="Settings" {
            @for (path, name) in PAGES {
                a href=(path) aria-current=[(title == name).then_some("page")] { (name) }
            }
        }
        (content)
    };
    frame::page_with(visitor, title, head, &content)
}

async fn view(portal: &Shared) -> Result<View, Refused> {
    Ok(administering::view(&portal.api).await?)
}

/// What every form has: that it came from a page of this visit, and what it was made from.
fn hidden(visitor: &Visitor, view: &View) -> Markup {
    html! {
        input type="hidden" name="token" value=(visitor.form_token);
        input type="hidden" name="revision" value=(view.revision);
    }
}

/// Who set it, in words.
fn origin(origin: &Origin) -> Markup {
    html! {
        @match origin.layer {
            Layer::Default => span.quiet { "default" },
            Layer::Portal => "set here",
            Layer::File => span { "set in " code { (origin.file.as_deref().unwrap_or_default()) ":" (origin.line.unwrap_or(0)) } },
        }
    }
}

/// What waits for a restart, if anything does.
fn restart(view: &View) -> Markup {
    html! {
        @if !view.restart_needed.is_empty() {
            p.quiet { "The next start of the sensor takes: " (view.restart_needed.join(", ")) "." }
        }
    }
}
