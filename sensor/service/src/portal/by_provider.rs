//! Signing in by an OpenID provider: the way there, and back.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::html;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::{
    Refused, Shared,
    away::{self, Away},
    frame, guard,
    onward::{self, Wanted},
    provider::{Person, Provider},
    refusing::Why,
    sign_in, text,
};
use crate::{
    api::{Problem, Refusals},
    control::Proof,
};

/// The way there, for links of pages.
pub(super) const PATH: &str = "/sign-in/provider";
/// Where the provider sends people back to.
pub(super) const BACK_PATH: &str = "/sign-in/provider/back";
/// The cookie that ties a sign-in to the browser in which it began.
const COOKIE: &str = "vpn-sensor-sign-in";
const COOKIE_TLS: &str = "__Host-vpn-sensor-sign-in";
/// Questions to the provider at once; more are told to come again. It answers in less than a second or not at all.
const ASKING_MAX: usize = 4;

/// The provider, and the way there and back.
pub(super) struct Doorway {
    provider: Provider,
    away: Away,
    asking: Arc<Semaphore>,
    /// Sign-ins that could not begin, and those that came back and were not good: told in the log once a minute, and
    /// the latter in the audit log, for anybody can make as many as he likes.
    unbegun: Refusals,
    unfinished: Refusals,
    /// Those whom the provider refused itself: people who change their mind must not hide a provider whose tokens are bad.
    denied: Refusals,
}

impl Doorway {
    pub(super) fn new(provider: Provider) -> Arc<Doorway> {
        Arc::new(Doorway {
            provider,
            away: Away::default(),
            asking: Arc::new(Semaphore::new(ASKING_MAX)),
            unbegun: Refusals::default(),
            unfinished: Refusals::default(),
            denied: Refusals::default(),
        })
    }

    /// What the audit log calls the provider, which is no account.
    fn who(&self) -> String {
        format!("{}@provider", self.host())
    }

    /// The provider's name for people.
    pub(super) fn host(&self) -> String {
        self.provider.host()
    }

    /// What the provider answered, or why it did not. Whoever went away keeps the place until then.
    async fn ask<T: Send + 'static>(
        self: &Arc<Doorway>,
        work: impl FnOnce(&Provider) -> Result<T, String> + Send + 'static,
    ) -> Result<Result<T, String>, Refused> {
        let busy = || Refused::from(Problem::busy("Too many people sign in at once: try again in a moment."));
        let asking = Arc::clone(&self.asking).try_acquire_owned().map_err(|_| busy())?;
        let doorway = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || {
            let _asking = asking;
            work(&doorway.provider)
        });
        Ok(answer.await.map_err(Problem::internal)?)
    }
}

fn doorway(portal: &Shared) -> Result<Arc<Doorway>, Refused> {
    portal.doorway.clone().ok_or_else(|| Problem::not_found("There is no such page.").into())
}

fn cannot(error: &str) -> Refused {
    Refused(StatusCode::BAD_GATEWAY, format!("You cannot be signed in now: {error}."))
}

/// Somebody came back, and nobody knows who.
async fn note(portal: &Shared, refusals: &Refusals, error: &str) -> Result<(), Refused> {
    let Some(count) = refusals.count() else { return Ok(()) };
    tracing::warn!("{count} sign-ins by the provider failed, the last: {error}");
    portal.refuse_somebody(format!("{count} by the provider, the last: {error}")).await
}

fn cookie_name(portal: &Shared) -> &'static str {
    if portal.is_tls { COOKIE_TLS } else { COOKIE }
}

/// Sends somebody to the provider.
pub(super) async fn go(
    State(portal): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refused> {
    let doorway = doorway(&portal)?;
    let (cookie, begun) = doorway.away.begin(wanted.page());
    let url = doorway.ask(move |provider| provider.begin(&begun)).await?.map_err(|error| {
        if let Some(count) = doorway.unbegun.count() {
            tracing::warn!("{count} sign-ins by the provider could not begin, the last: {error}");
        }
        cannot(&error)
    })?;
    let mut answer = Redirect::to(&url).into_response();
    set_cookie(&portal, &mut answer, &cookie, away::MAX.as_secs() as i64);
    Ok(answer)
}

/// Lax: the provider's page sends people back, and that is another site.
fn set_cookie(portal: &Shared, answer: &mut Response, value: &str, age_s: i64) {
    let cookie = cookie::Cookie::build((cookie_name(portal), value))
        .path("/")
        .http_only(true)
        .secure(portal.is_tls)
        .same_site(cookie::SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(age_s))
        .to_string();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// With what somebody comes back. Providers add more.
#[derive(Deserialize)]
pub(super) struct Back {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Lets in who comes back from the provider.
pub(super) async fn back(
    State(portal): State<Shared>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let doorway = doorway(&portal)?;
    let lost = || {
        let detail = "This sign-in did not begin in this browser, or more than ten minutes ago. Begin anew.";
        Refused(StatusCode::BAD_REQUEST, detail.to_owned())
    };
    let cookie = guard::cookie_within(&headers, cookie_name(&portal), away::COOKIE_OCTETS_MAX);
    let cookie = cookie.ok_or_else(lost)?;
    let (begun, next) = doorway.away.recall(&cookie).ok_or_else(lost)?;
    let state = back.state.unwrap_or_default();
    if !bool::from(begun.state.as_bytes().ct_eq(state.as_bytes())) {
        return Err(lost());
    }
    if let Some(error) = back.error {
        let why = back.error_description.unwrap_or_default();
        let why: String = format!("{error} {why}").trim().chars().take(300).collect();
        let why = text::visible(&why);
        note(&portal, &doorway.denied, &why).await?;
        let detail = format!("The provider did not let you in: {why}.");
        return Err(Refused(StatusCode::FORBIDDEN, detail));
    }
    let code = back.code.ok_or_else(lost)?;
    let person = match doorway.ask(move |provider| provider.finish(&code, begun)).await? {
        Ok(person) => person,
        Err(error) => {
            note(&portal, &doorway.unfinished, &error).await?;
            return Err(cannot(&error));
        }
    };
    let next = onward::page(&next).unwrap_or(onward::OVERVIEW);
    let mut answer = admit(&portal, &doorway, person, next).await?;
    set_cookie(&portal, &mut answer, "", 0);
    Ok(answer)
}

async fn admit(portal: &Shared, doorway: &Doorway, person: Person, next: &str) -> Result<Response, Refused> {
    let Person { name, credential, role } = person;
    let who = doorway.who();
    let Some(role) = role else {
        let dismiss = move |portal: &super::Portal| {
            portal.api.with_control(|control| control.dismiss(&credential, &who))
        };
        let account = portal.control(dismiss).await?.unwrap_or_else(|| name.clone());
        portal.refuse(&account, Why::NoAccount).await?;
        let detail = format!(
            "The provider knows you as {name}, and nobody gave you a role here. An administrator names a value of \
             your claim {:?} under portal.oidc.analysts or portal.oidc.administrators.",
            doorway.provider.claim()
        );
        return Err(Refused(StatusCode::FORBIDDEN, detail));
    };
    let (wanted, proof) = (name.clone(), Proof::Person(credential.clone()));
    let admit = move |portal: &super::Portal| {
        portal.api.with_control(|control| control.admit(&wanted, &credential, role, &who))
    };
    let Some(account) = portal.control(admit).await? else {
        portal.refuse(&name, Why::NoAccount).await?;
        let detail = format!(
            "There is an account {name} already, and it is not yours: it has a password, or was made for another \
             person of the provider. An administrator can take it away: vpn-sensor portal remove {name}"
        );
        return Err(Refused(StatusCode::CONFLICT, detail));
    };
    let mut answer = frame::bare("Signed in", &html! { p { a href=(next) { "Go on" } } });
    // Not by a redirect: for the browser that would still be the provider's request, and the visit's cookie stays home.
    onward::load(&mut answer, next);
    let begun = sign_in::begin(portal, answer, &account, proof, Some("portal.sign-in-by-provider")).await?;
    // Somebody took the account away in this moment.
    let detail = format!("The account {account} was taken away meanwhile: begin anew.");
    begun.ok_or(Refused(StatusCode::CONFLICT, detail))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    fn doorway() -> Arc<Doorway> {
        Doorway::new(Provider::new(policy::portal::Oidc {
            issuer: "https://id.contoso.example".to_owned(),
            client_id: "vpn-sensor".to_owned(),
            client_secret: policy::sink::Secret::new(b"secret".to_vec()),
            redirect: "https://sensor.contoso.example/sign-in/provider/back".to_owned(),
            claim: "groups".to_owned(),
            administrators: Vec::new(),
            analysts: Vec::new(),
            scopes: Vec::new(),
            trust: policy::sink::Trust::default(),
        }))
    }

    #[tokio::test]
    async fn who_goes_away_keeps_the_place_until_the_provider_has_answered() {
        let doorway = doorway();
        let (begin, begun) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let asker = tokio::spawn({
            let doorway = Arc::clone(&doorway);
            async move {
                let work = move |_: &Provider| {
                    let _ = begin.send(());
                    Ok(ended.recv().is_err())
                };
                doorway.ask(work).await.is_ok()
            }
        });
        begun.await.unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        assert_eq!(doorway.asking.available_permits(), ASKING_MAX - 1, "it is still asked");
        drop(end);
        while doorway.asking.available_permits() < ASKING_MAX {
            tokio::task::yield_now().await;
        }
    }
}
