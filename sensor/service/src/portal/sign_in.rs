//! Signing in and out, and links that set a password.

use std::time::{Duration, Instant};

use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Refused, Shared, by_provider, frame,
    guard::{self, Visitor, cookie_name},
    onward::{self, Wanted},
    password,
    refusing::Why,
};
use crate::{
    api::Problem,
    control::{AuditEntry, LINK_S, Proof},
};

/// Longest link that is looked at, octets. Ours have 43.
const LINK_OCTETS_MAX: usize = 128;

/// The sign-in page. Who wants a page of the portal and is signed in goes on to it: a link on another site brought her here
/// without her cookie, and this page, asked for by itself, gets it.
pub(super) async fn page(
    State(portal): State<Shared>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let next = wanted.page();
    if !next.is_empty() && guard::is_visitor(&portal, &headers).await? {
        return Ok(Redirect::to(next).into_response());
    }
    let mut answer = form(&portal, "", next, None);
    if let Some(address) = wanted.once_more().filter(|_| onward::is_from_elsewhere(&headers)) {
        onward::load(&mut answer, &address);
    }
    Ok(answer)
}

fn form(portal: &Shared, account: &str, next: &str, problem: Option<&str>) -> Response {
    frame::bare(
        "Sign in",
        &html! {
            @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
            form.narrow method="post" action="/sign-in" {
                @if !next.is_empty() { input type="hidden" name="next" value=(next); }
                label { "Account" input name="account" value=(account) autocomplete="username" required autofocus; }
                label { "Password" input name="password" type="password" autocomplete="current-password" required; }
                button { "Sign in" }
            }
            @if let Some(doorway) = &portal.doorway {
                p { a href=(onward::by(by_provider::PATH, next)) { "Sign in by " (doorway.host()) } }
            }
            p.quiet {
                "No account, or the password is lost? On the host, " code { "vpn-sensor portal link --account " em { "NAME" } }
                " prints a link that sets one."
            }
        },
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    account: String,
    password: String,
    /// The page that was wanted.
    #[serde(default)]
    next: String,
}

/// Signs in, or says why not.
pub(super) async fn sign_in(
    State(portal): State<Shared>,
    Form(SignIn { account, password, next }): Form<SignIn>,
) -> Result<Response, Refused> {
    let account: String = account.trim().chars().take(64).collect();
    let next = onward::page(&next).unwrap_or_default();
    let wait = portal.throttle().wait(&account, Instant::now());
    if wait > Duration::ZERO {
        return throttled(&portal, &account, next, wait).await;
    }
    let known = portal.control({
        let account = account.clone();
        move |portal| portal.api.with_control(|control| control.password(&account))
    });
    let known = known.await?;
    let place = match password.len() <= password::OCTETS_MAX {
        true => Some(portal.passwords.place().await?),
        false => None,
    };
    // Once more, now that it would be looked at: others may have been, while this one waited.
    let wait = portal.throttle().attempt(&account, known.is_some(), Instant::now());
    if wait > Duration::ZERO {
        drop(place);
        return throttled(&portal, &account, next, wait).await;
    }
    let is_right = match place {
        Some(place) => portal.passwords.is_right(place, password, known.clone()).await?,
        None => false,
    };
    let Some(checked) = known.filter(|_| is_right) else { return wrong(&portal, &account, next).await };
    let to = if next.is_empty() { onward::OVERVIEW } else { next };
    let (answer, proof) = (Redirect::to(to).into_response(), Proof::Password(checked));
    let begun = begin(&portal, answer, &account, proof, Some("portal.sign-in")).await?;
    // While it was looked at somebody has set another one, so it is wrong by now.
    let Some(answer) = begun else { return wrong(&portal, &account, next).await };
    portal.throttle().right(&account);
    Ok(answer)
}

async fn wrong(portal: &Shared, account: &str, next: &str) -> Result<Response, Refused> {
    portal.refuse(account, Why::Wrong).await?;
    let problem = "The account or the password is wrong.";
    Ok(refused(portal, StatusCode::UNAUTHORIZED, account, next, problem))
}

/// Too many were wrong for another to be looked at now.
async fn throttled(portal: &Shared, account: &str, next: &str, wait: Duration) -> Result<Response, Refused> {
    let problem = format!(
        "Too many wrong passwords for this account: try again in {} s. If it was not you, tell an administrator.",
        wait.as_secs().max(1)
    );
    portal.refuse(account, Why::Throttled).await?;
    Ok(refused(portal, StatusCode::TOO_MANY_REQUESTS, account, next, &problem))
}

fn refused(portal: &Shared, status: StatusCode, account: &str, next: &str, problem: &str) -> Response {
    let mut answer = form(portal, account, next, Some(problem));
    *answer.status_mut() = status;
    answer
}

/// The page of a link: a form for a new password. Looking at it does not use it up.
pub(super) async fn link(
    State(portal): State<Shared>,
    Path(link): Path<String>,
) -> Result<Response, Refused> {
    let account = portal.link_account(&link).await?;
    Ok(frame::bare("Set a password", &link_form(&account, None)))
}

fn link_form(account: &str, problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        p { "For the account " strong { (account) } ". All who are signed in with it are signed out." }
        form.narrow method="post" {
            input type="hidden" name="account" value=(account) autocomplete="username";
            label {
                "New password, " (password::CHARACTERS_MIN) " characters or more"
                input name="password" type="password" minlength=(password::CHARACTERS_MIN)
                    autocomplete="new-password" required autofocus;
            }
            label { "The same again" input name="again" type="password" autocomplete="new-password" required; }
            button { "Set it and sign in" }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    #[serde(rename = "account")]
    _account: String,
    password: String,
    again: String,
}

/// Uses up a link: sets the password and signs in.
pub(super) async fn redeem(
    State(portal): State<Shared>,
    Path(link): Path<String>,
    Form(NewPassword { password, again, .. }): Form<NewPassword>,
) -> Result<Response, Refused> {
    let account = portal.link_account(&link).await?;
    let problem = if password != again {
        Some("The two are not the same.".to_owned())
    } else if password.chars().count() < password::CHARACTERS_MIN {
        Some(format!("Choose {} characters or more: a few words will do.", password::CHARACTERS_MIN))
    } else if password.len() > password::OCTETS_MAX {
        Some("That is too long.".to_owned())
    } else {
        None
    };
    if let Some(problem) = problem {
        let mut answer = frame::bare("Set a password", &link_form(&account, Some(&problem)));
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    }
    let kept = portal.passwords.digest(password).await?;
    let proof = Proof::Password(kept.clone());
    let redeemed = portal
        .control(move |portal| portal.api.with_control_mut(|control| control.redeem_link(&link, &kept)));
    let account = redeemed.await?.ok_or_else(link_is_over)?;
    portal.throttle().right(&account);
    // That the password was set is in the audit log already.
    let answer = begin(&portal, Redirect::to("/").into_response(), &account, proof, None).await?;
    match answer {
        Some(answer) => Ok(answer),
        None => wrong(&portal, &account, "").await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignOut {
    token: String,
}

/// Ends the visit.
pub(super) async fn sign_out(
    State(portal): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(SignOut { token }): Form<SignOut>,
) -> Result<Response, Refused> {
    visitor.check(&token)?;
    let cookie = visitor.cookie.clone();
    portal.control(move |portal| portal.api.with_control(|control| control.end_visit(&cookie))).await?;
    portal.note(visitor.name(), "portal.sign-out").await?;
    Ok(with_cookie(Redirect::to("/sign-in").into_response(), portal.is_tls, "", 0))
}

fn link_is_over() -> Refused {
    let detail = format!(
        "This link is used up or older than {} minutes. `vpn-sensor portal link` on the host prints a new one.",
        LINK_S / 60
    );
    Refused(StatusCode::GONE, detail)
}

fn with_cookie(mut answer: Response, is_tls: bool, value: &str, age_s: i64) -> Response {
    let cookie = cookie::Cookie::build((cookie_name(is_tls), value))
        .path("/")
        .http_only(true)
        .secure(is_tls)
        .same_site(cookie::SameSite::Strict)
        .max_age(cookie::time::Duration::seconds(age_s))
        .to_string();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// Begins a visit with this answer, which the audit log calls `action`; `None` if what was checked opens the account no more.
/// A cookie of before is worth nothing to whoever planted it.
pub(super) async fn begin(
    portal: &Shared,
    answer: Response,
    account: &str,
    proof: Proof,
    action: Option<&'static str>,
) -> Result<Option<Response>, Refused> {
    let account = account.to_owned();
    let begin = move |portal: &super::Portal| {
        portal.api.with_control(|control| control.begin_visit(&account, &proof, action))
    };
    let cookie = portal.control(begin).await?;
    Ok(cookie.map(|cookie| with_cookie(answer, portal.is_tls, cookie.reveal(), crate::control::VISIT_S)))
}

impl super::Portal {
    fn throttle(&self) -> std::sync::MutexGuard<'_, super::Throttle> {
        self.throttle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Work with what is decided, which may block.
    pub(super) async fn control<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        work: impl FnOnce(&super::Portal) -> Result<T, crate::control::ControlError> + Send + 'static,
    ) -> Result<T, Refused> {
        let portal = std::sync::Arc::clone(self);
        Ok(self.api.readers.run(move || Ok(work(&portal)?)).await?)
    }

    pub(super) async fn note(
        self: &std::sync::Arc<Self>,
        who: String,
        action: &'static str,
    ) -> Result<(), Refused> {
        let entry = move |control: &crate::control::Control| {
            control.write_audit(&AuditEntry { who: &who, action, subject: None, details: None })
        };
        self.control(move |portal| portal.api.with_control(entry)).await
    }

    async fn link_account(self: &std::sync::Arc<Self>, link: &str) -> Result<String, Refused> {
        if link.len() > LINK_OCTETS_MAX {
            return Err(Problem::not_found("There is no such page.").into());
        }
        let link = link.to_owned();
        let found =
            self.control(move |portal| portal.api.with_control(|control| control.link_account(&link)));
        found.await?.ok_or_else(link_is_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{control::Role, portal::testing};

    const WANTED: &str = "/alerts/7?from=mail";
    const SIGN_IN: &str = "/sign-in?next=%2Falerts%2F7%3Ffrom%3Dmail";

    #[tokio::test]
    async fn the_page_of_a_link_is_found_again_behind_the_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let portal = testing::portal(folder.path(), None).await;
        let look =
            async |path: &str, headers: &[(&str, &str)]| testing::ask(&portal, path, headers, None).await;
        let (status, headers, _) = look(WANTED, &[]).await;
        assert_eq!((status, headers[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, SIGN_IN));

        let (status, headers, page) = look(SIGN_IN, &[]).await;
        assert!(status == StatusCode::OK && !headers.contains_key(header::REFRESH), "{headers:?}");
        assert!(page.contains(&format!("name=\"next\" value=\"{WANTED}\"")), "{page}");
        let (_, _, page) = look("/sign-in?next=//evil.example/alerts", &[]).await;
        assert!(!page.contains("next") && !page.contains("evil"), "{page}");

        let digest = portal.passwords.digest("correct horse battery".to_owned()).await.ok().unwrap();
        let link = portal.api.with_control(|control| control.add_link("carol", Some(Role::Analyst))).unwrap();
        portal.api.with_control_mut(|control| control.redeem_link(link.reveal(), &digest)).unwrap();
        let send = async |password: &str, next: &str| {
            let form = format!("account=carol&password={password}&next={next}");
            testing::ask(&portal, "/sign-in", &[], Some(&form)).await
        };
        let (status, _, page) = send("wrong", "%2Falerts%2F7%3Ffrom%3Dmail").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(page.contains(&format!("name=\"next\" value=\"{WANTED}\"")), "{page}");
        for (next, to) in
            [("%2Falerts%2F7%3Ffrom%3Dmail", WANTED), ("", "/"), ("%2F%2Fevil.example%2Falerts", "/")]
        {
            let (status, headers, _) = send("correct+horse+battery", next).await;
            assert_eq!((status, headers[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, to));
        }
    }

    #[tokio::test]
    async fn who_signs_in_while_the_password_is_reset_has_the_wrong_one() {
        let folder = tempfile::tempdir().unwrap();
        let portal = testing::portal(folder.path(), None).await;
        let [old, new] = ["correct horse battery", "another horse battery"];
        let [before, after] = [old, new].map(|password| portal.passwords.digest(password.to_owned()));
        let (before, after) = (before.await.ok().unwrap(), after.await.ok().unwrap());
        let reset = |digest: &str| {
            let link =
                portal.api.with_control(|control| control.add_link("carol", Some(Role::Administrator)));
            let link = link.unwrap();
            portal
                .api
                .with_control_mut(|control| control.redeem_link(link.reveal(), digest))
                .unwrap()
                .unwrap()
        };
        reset(&before);
        let send = |password: &'static str| {
            let (portal, form) = (portal.clone(), format!("account=carol&password={password}"));
            async move { testing::ask(&portal, "/sign-in", &[], Some(&form.replace(' ', "+"))).await }
        };
        // Somebody who has the old one waits for the place where passwords are looked at.
        let place = portal.passwords.place().await.ok().unwrap();
        let early = tokio::spawn(send(old));
        while portal.passwords.waiting() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        reset(&after);
        drop(place);
        let (status, headers, page) = early.await.unwrap();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{page}");
        assert!(page.contains("is wrong") && !headers.contains_key(header::SET_COOKIE), "{headers:?}");
        assert_eq!(send(new).await.0, StatusCode::SEE_OTHER);
        let rows = portal.api.with_control(|control| control.audit(100)).unwrap();
        let said: Vec<&str> = rows.iter().map(|row| &*row.action).collect();
        let expected =
            ["portal.password-set", "portal.password-set", "portal.sign-in-refused", "portal.sign-in"];
        assert_eq!(said, expected);
    }

    #[tokio::test]
    async fn a_link_lets_the_owner_in_whom_a_stranger_s_guesses_keep_out() {
        let folder = tempfile::tempdir().unwrap();
        let portal = testing::portal(folder.path(), None).await;
        testing::visit(&portal, "carol", Role::Administrator);
        let send = async |path: &str, form: &str| testing::ask(&portal, path, &[], Some(form)).await.0;
        for number in 0..5 {
            let guess = format!("account=carol&password=guess{number}");
            assert_eq!(send("/sign-in", &guess).await, StatusCode::UNAUTHORIZED);
        }
        let hers = "account=carol&password=correct+horse+battery";
        assert_eq!(send("/sign-in", hers).await, StatusCode::TOO_MANY_REQUESTS);
        let link = portal.api.with_control(|control| control.add_link("carol", None)).unwrap();
        let set = format!("{hers}&again=correct+horse+battery");
        assert_eq!(send(&format!("/link/{}", link.reveal()), &set).await, StatusCode::SEE_OTHER);
        assert_eq!(send("/sign-in", hers).await, StatusCode::SEE_OTHER, "nor does she wait from then on");
    }

    #[tokio::test]
    async fn many_guesses_at_once_are_no_more_than_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let portal = testing::portal(folder.path(), None).await;
        testing::visit(&portal, "carol", Role::Analyst);
        let mut guesses = tokio::task::JoinSet::new();
        for number in 0..14 {
            let portal = portal.clone();
            guesses.spawn(async move {
                let form = format!("account=carol&password=guess{number}");
                testing::ask(&portal, "/sign-in", &[], Some(&form)).await.0
            });
        }
        let answers = guesses.join_all().await;
        let count = |status| answers.iter().filter(|answer| **answer == status).count();
        let counts = (count(StatusCode::UNAUTHORIZED), count(StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(counts, (5, 9), "{answers:?}");
    }

    #[tokio::test]
    async fn a_link_on_another_site_does_not_ask_whoever_is_signed_in_to_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let portal = testing::portal(folder.path(), None).await;
        // The browser keeps the cookie back, and loads the page once more by itself; with it then, or with none.
        let elsewhere = ("sec-fetch-site", "cross-site");
        let again = format!("{SIGN_IN}&again=yes");
        for (asked, loaded) in
            [(SIGN_IN, Some(&*again)), ("/sign-in", Some("/sign-in?next=%2F&again=yes")), (&again, None)]
        {
            let (status, headers, _) = testing::ask(&portal, asked, &[elsewhere], None).await;
            assert_eq!(status, StatusCode::OK);
            let refresh = headers.get(header::REFRESH).map(|value| value.to_str().unwrap());
            assert_eq!(refresh, loaded.map(|loaded| format!("0; url={loaded}")).as_deref(), "{asked}");
        }
        let cookie = testing::visit(&portal, "dora", Role::Analyst);
        let own = ("sec-fetch-site", "same-origin");
        let (status, headers, _) = testing::ask(&portal, SIGN_IN, &[own, ("cookie", &cookie)], None).await;
        assert_eq!((status, headers[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, WANTED));
        let overview = "/sign-in?next=%2F&again=yes";
        let (_, headers, _) = testing::ask(&portal, overview, &[own, ("cookie", &cookie)], None).await;
        assert_eq!(headers[header::LOCATION], "/");
        for cookie in ["", "vpn-sensor-visit=no+more"] {
            let (status, headers, _) = testing::ask(&portal, SIGN_IN, &[own, ("cookie", cookie)], None).await;
            assert!(status == StatusCode::OK && !headers.contains_key(header::REFRESH), "no circle");
        }
    }
}
