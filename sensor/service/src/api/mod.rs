//! The HTTP API below `/api/v1`, for callers with a token: all may read, some decide about alerts,
//! some set things up. Who sees whom, and who
//! decides what, is in the audit log.
//!
//! | file | what lives there |
//! |---|---|
//! | `access`, `refusals` | tokens, audit; what is told of those who are refused |
//! | `readers` | the few readers of the store, and how many questions run at once |
//! | `query` | parameters, bodies, cursors, pages |
//! | `problem` | errors as RFC 9457 has them |
//! | `users`, `sessions`, `alerts`, `records`, `search`, `sensing`, `surroundings`, `events`, `health` | the routes |
//! | `deciding` | the routes by which people decide about alerts |
//! | `administering` | settings |
//! | `accounts` | accounts and tokens |
//! | `audit` | the audit log |
//!
//! Called by the portal, which listens for both, and for the documentation ([`openapi`]).

mod access;
pub(crate) mod accounts;
pub(crate) mod administering;
mod alerts;
mod audit;
mod deciding;
mod events;
mod health;
mod problem;
pub(crate) mod query;
mod readers;
pub(crate) mod records;
mod refusals;
pub(crate) mod search;
pub(crate) mod sensing;
mod sessions;
mod surroundings;
mod users;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use insight::{
    geo::Places,
    profile::Learning,
    vpn::{
        self,
        names::{Realms, is_unambiguous},
    },
};
use tokio::sync::watch;
use utoipa::{
    OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Meaning,
    control::{Control, ControlError},
    health::Standing,
    observed::Observed,
    settings::Administer,
    store,
};
use deciding::Deciders;
pub(crate) use deciding::{Decided, Shown, decide, decide_all};
pub(crate) use problem::Problem;
use readers::Readers;
pub(crate) use refusals::{INTERVAL, Refusals};

/// Longest time for one answer. A question to a full store takes well below a second; what takes longer would be asked
/// again anyway.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// What the API answers from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The state directory: journal, store and tokens lie below it.
    pub state_dir: PathBuf,
    /// What records mean now: by it names are read and events decoded.
    pub meaning: watch::Receiver<Arc<Meaning>>,
    /// Where addresses are, by the databases in force; empty until they are read.
    pub places: watch::Receiver<Arc<Places>>,
    /// What keeps the product from its work now.
    pub health: watch::Receiver<Arc<[Standing]>>,
    /// What links to the portal begin with: its host is one of ours.
    pub link: watch::Receiver<Option<String>>,
    /// What the sensor beside the service tells of itself; nothing where there is none.
    pub sensor: Observed,
    /// What changes the configuration; none where nothing runs that has one.
    pub administration: Option<Arc<dyn Administer>>,
}

/// What routes and pages are answered from.
pub(crate) struct Api {
    pub(crate) readers: Readers,
    control: Mutex<Control>,
    /// Of tokens that are wrong or expired.
    refusals: Refusals,
    deciders: Deciders,
    settings: Settings,
}

type Shared = Arc<Api>;

#[derive(OpenApi)]
#[openapi(
    info(title = "vpn-sensor", description = "Who connects to the VPN, from where, with what, and since when."),
    security(("token" = []))
)]
struct Description;

/// The description of all routes: OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes_and_description().1
}

fn routes_and_description() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    let routes = OpenApiRouter::new()
        .routes(routes!(users::users))
        .routes(routes!(users::user))
        .routes(routes!(users::devices))
        .routes(routes!(users::device))
        .routes(routes!(sessions::sessions))
        .routes(routes!(sessions::session))
        .routes(routes!(alerts::alerts))
        .routes(routes!(alerts::alert))
        .routes(routes!(records::records))
        .routes(routes!(deciding::close))
        .routes(routes!(deciding::comment))
        .routes(routes!(events::events))
        .routes(routes!(surroundings::places))
        .routes(routes!(surroundings::servers))
        .routes(routes!(surroundings::sensors))
        .routes(routes!(surroundings::map))
        .routes(routes!(sensing::now))
        .routes(routes!(sensing::history))
        .routes(routes!(search::search))
        .routes(routes!(health::health))
        .routes(routes!(administering::settings, administering::change_settings))
        .routes(routes!(administering::arrivals))
        .routes(routes!(administering::try_secret))
        .routes(routes!(administering::generate_secret))
        .routes(routes!(accounts::accounts))
        .routes(routes!(accounts::invite))
        .routes(routes!(accounts::change_role, accounts::remove_account))
        .routes(routes!(accounts::tokens, accounts::make_token))
        .routes(routes!(accounts::remove_token))
        .routes(routes!(audit::audit));
    let (router, mut description) =
        OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", routes).split_for_parts();
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    description.components.get_or_insert_default().add_security_scheme("token", scheme);
    (router, description)
}

/// Routes below `/api/v1`.
pub(crate) fn router(api: Shared) -> Router {
    let (routes, description) = routes_and_description();
    let description = get(async move || Json(description));
    routes
        .fallback(async || Problem::not_found("there is no such path; /api/v1/openapi.json lists all"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not know this method; /api/v1/openapi.json lists all",
            )
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&api), access::require_token))
        .with_state(api)
        .route("/api/v1/openapi.json", description)
}

/// In time, and kept by no cache: it is about persons.
pub(crate) async fn bounded(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(ANSWER_MAX, next.run(request)).await;
    let mut answer =
        answer.unwrap_or_else(|_| Problem::busy("no answer in time: ask for less").into_response());
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

impl Api {
    /// Opens `control.sqlite`, and creates it if it is not there.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(crate) async fn open(settings: Settings) -> Result<Arc<Api>, ControlError> {
        let state_dir = settings.state_dir.clone();
        let control = tokio::task::spawn_blocking(move || Control::open(&state_dir)).await;
        let control = control.unwrap_or_else(|error| {
            Err(ControlError::Io { path: settings.state_dir.clone(), error: io::Error::other(error) })
        })?;
        let readers = Readers::new(crate::folder(&settings.state_dir).join(store::FILE));
        Ok(Arc::new(Api {
            readers,
            control: Mutex::new(control),
            refusals: Refusals::default(),
            deciders: Deciders::default(),
            settings,
        }))
    }

    /// What is wrong with the product now.
    pub(crate) fn health(&self) -> Arc<[Standing]> {
        self.settings.health.borrow().clone()
    }

    /// What the sensor beside the service tells of itself.
    pub(crate) fn sensor(&self) -> &Observed {
        &self.settings.sensor
    }

    /// What links to the portal begin with.
    pub(crate) fn link(&self) -> Option<String> {
        self.settings.link.borrow().clone()
    }

    fn decoding(&self) -> Result<vpn::Settings, Problem> {
        self.settings.meaning.borrow().decoding().map_err(Problem::internal)
    }

    /// Which realms mean the same.
    pub(crate) fn realms(&self) -> Result<Realms, Problem> {
        Ok(self.decoding()?.realms)
    }

    /// From when on a user is learned.
    pub(crate) fn learning(&self) -> Learning {
        self.settings.meaning.borrow().detect.thresholds.learning()
    }

    /// The key of a user whose name was written in any way.
    ///
    /// Whoever is known by exactly this key is meant, however it would be read as a name.
    pub(crate) async fn user_key(&self, name: &str) -> Result<String, Problem> {
        if !is_unambiguous(name) {
            let exact = name.to_owned();
            let known = self.readers.read(move |store| Ok(store.user(&exact)?.map(|user| user.user)));
            if let Some(key) = known.await? {
                return Ok(key);
            }
        }
        query::user_key(name, &self.realms()?)
    }

    /// The same of a name that may be missing.
    pub(crate) async fn user_key_of(&self, name: Option<&str>) -> Result<Option<String>, Problem> {
        match name {
            Some(name) => Ok(Some(self.user_key(name).await?)),
            None => Ok(None),
        }
    }
}

type TheApi = State<Shared>;
