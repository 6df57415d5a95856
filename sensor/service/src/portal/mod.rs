//! The portal: pages for people, from the same listener as the API and by the same readers, so that whatever is shown can
//! be asked for by a script.
//!
//! | file | what lives there |
//! |---|---|
//! | `connection`, `places` | connections and their bounds |
//! | `certificate` | what TLS is spoken with |
//! | `guard` | what every request and every answer must have; who is signed in |
//! | `sign_in`, `password`, `throttle`, `refusing` | signing in and out, links that set a password, guessing made slow, and what the audit log says of it |
//! | `provider`, `by_provider`, `away` | signing in by an OpenID provider |
//! | `onward` | the page that somebody wanted who had to sign in first |
//! | `frame`, `text`, `plot/`, `map/` | the page around everything, words and figures on it, drawings, maps |
//! | `zone`, `days` | the viewer's time zone; days of forms |
//! | `overview`, `people`, `person`, `device`, `alerts`, `alert`, `records`, `sensors`, `servers`, `search`, `connections` | the pages |
//! | `settings/` | what administrators set |
//! | `deciding`, `closing` | what is decided about an alert on its page; many that are closed at once |
//! | `sessions`, `activities` | the table of connections; when each began and ended, and where |
//! | `stages` | latency of one stage, chosen by a link |
//! | `export` | a user's connections as a file |
//! | `assets`, `wire` | style sheet, script, icon; pages made small for the wire |
//!
//! Everything that a network sent is text of a stranger: `maud` escapes it, and `text::stranger` shows what would change
//! the direction or the lines of a page. Called by the running service ([`serve`]).

mod activities;
mod alert;
mod alerts;
mod assets;
mod away;
mod by_provider;
pub mod certificate;
mod closing;
mod connection;
mod connections;
mod days;
mod deciding;
mod device;
mod export;
mod frame;
mod guard;
mod map;
mod onward;
mod overview;
mod password;
mod people;
mod person;
mod places;
mod plot;
mod provider;
mod records;
mod refusing;
mod search;
mod sensors;
mod servers;
mod sessions;
mod settings;
mod sign_in;
mod stages;
#[cfg(test)]
mod testing;
mod text;
mod throttle;
mod wire;
mod zone;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::{
    api::{self, Api, Problem},
    control::ControlError,
};
use by_provider::Doorway;
pub use connection::Tls;
use password::Passwords;
use policy::portal::Oidc;
use provider::Provider;
use throttle::Throttle;

/// Longest form, octets: a comment and a password.
const FORM_OCTETS_MAX: usize = 16 << 10;

/// What the pages are made from.
struct Portal {
    api: Arc<Api>,
    passwords: Passwords,
    throttle: Mutex<Throttle>,
    /// Sign-ins that were.
    refused: refusing::Counted,
    /// By which OpenID provider people sign in as well.
    doorway: Option<Arc<Doorway>>,
    /// Whether TLS is spoken: then cookies go no other way.
    is_tls: bool,
}

type Shared = Arc<Portal>;

/// How people come in.
#[derive(Default)]
pub struct Door {
    /// With what TLS is spoken; none: plain HTTP.
    pub tls: Tls,
    /// The OpenID provider by which people sign in as well.
    pub provider: Option<Oidc>,
}

/// Serves portal and API until the future is dropped. Creates `control.sqlite` if it is not there.
///
/// # Errors
/// When that cannot be opened.
pub async fn serve(
    listener: TcpListener,
    settings: api::Settings,
    Door { tls, provider }: Door,
) -> Result<(), ControlError> {
    let api = Api::open(settings).await?;
    let portal = Arc::new(Portal {
        api,
        passwords: Passwords::default(),
        throttle: Mutex::default(),
        refused: refusing::Counted::default(),
        doorway: provider.map(|settings| Doorway::new(Provider::new(settings))),
        is_tls: tls.is_some(),
    });
    let router = router(&portal);
    tokio::select! {
        () = connection::serve(listener, router, tls) => {}
        () = refusing::every_minute(portal) => {}
    }
    Ok(())
}

fn router(portal: &Shared) -> Router {
    let is_tls = portal.is_tls;
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/users", get(people::page))
        .route("/users/{user}", get(person::page))
        .route("/users/{user}/connections.csv", get(export::csv))
        .route("/users/{user}/connections.json", get(export::json))
        .route("/devices", get(device::list))
        .route("/devices/{device}", get(device::page))
        .route("/connections", get(connections::page))
        .route("/servers", get(servers::page))
        .route("/sensors", get(sensors::page))
        .route(sensors::PLOTS_PATH, get(sensors::plots_alone))
        .route("/alerts/close", post(closing::close))
        .route("/alerts/{number}/records", get(records::page))
        .route("/alerts", get(alerts::page))
        .route("/alerts/{number}", get(alert::page))
        .route("/alerts/{number}/close", post(deciding::close))
        .route("/alerts/{number}/comments", post(deciding::comment))
        .route("/search", get(search::page))
        .route("/sign-out", post(sign_in::sign_out))
        .merge(settings::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(portal), guard::require_visitor))
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/link/{link}", get(sign_in::link).post(sign_in::redeem))
        .route(by_provider::PATH, get(by_provider::go))
        .route(by_provider::BACK_PATH, get(by_provider::back))
        .route(assets::STYLE_PATH, get(assets::style))
        .route(assets::SCRIPT_PATH, get(assets::script))
        .route(assets::ICON_PATH, get(assets::icon))
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .layer(middleware::from_fn(guard::same_origin))
        .with_state(Arc::clone(portal));
    let api = api::router(Arc::clone(&portal.api));
    // As what no page takes, and not below a path of its own: what such a path takes would be one of its parameters.
    let others = move |request: Request| {
        let api = api.clone();
        async move {
            if request.uri().path().starts_with("/api/") {
                return api.oneshot(request).await.into_response();
            }
            Refused::from(Problem::not_found("There is no such page.")).into_response()
        }
    };
    let all = pages
        .fallback(others)
        .layer(middleware::from_fn_with_state(Arc::clone(portal), guard::known_host))
        .layer(middleware::map_response(guard::harden))
        .layer(middleware::from_fn(wire::compress))
        .layer(middleware::from_fn(api::bounded));
    if is_tls { all.layer(middleware::map_response(guard::only_tls)) } else { all }
}

/// A page that says why there is no other.
struct Refused(StatusCode, String);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused(problem.status(), problem.detail().to_owned())
    }
}

impl From<ControlError> for Refused {
    fn from(error: ControlError) -> Refused {
        Problem::internal(error).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Refused(status, detail) = self;
        let title = status.canonical_reason().unwrap_or("Error");
        let mut answer = frame::bare(
            title,
            &maud::html! {
                p { (detail) }
                p { a href="/" { "To the overview" } }
            },
        );
        *answer.status_mut() = status;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let again = axum::http::HeaderValue::from_static("1");
            answer.headers_mut().insert(axum::http::header::RETRY_AFTER, again);
        }
        answer
    }
}
