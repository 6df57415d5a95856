//! What every request must have and every answer gets, and who is signed in.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Refused, Shared, onward, zone::Zone};
use crate::control::Role;

/// The cookie of a visit over plain HTTP, on this host alone: browsers take no `__Host-` one there.
const COOKIE: &str = "vpn-sensor-visit";
/// The same over TLS: no other host can plant it.
const COOKIE_TLS: &str = "__Host-vpn-sensor-visit";
/// Browsers that trust the certificate speak TLS alone with this host from then on, a year.
const ONLY_TLS: &str = "max-age=31536000";
/// Longest cookie that is looked at, octets. Ours have 43.
const COOKIE_OCTETS_MAX: usize = 128;

/// Headers of every page. Nothing from elsewhere is loaded, framed, or told where people come from.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "geolocation=(), camera=(), microphone=()"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Visitor {
    /// The account.
    pub(super) account: String,
    /// What it may do.
    pub(super) role: Role,
    /// What every form of this visit must send along.
    pub(super) form_token: String,
    pub(super) cookie: String,
    /// Whose days and hours she is shown.
    pub(super) zone: Zone,
}

impl Visitor {
    /// As the audit log and alerts name her.
    pub(super) fn name(&self) -> String {
        format!("{}@portal", self.account)
    }

    /// That a form came from a page of this visit.
    pub(super) fn check(&self, form_token: &str) -> Result<(), Refused> {
        if bool::from(self.form_token.as_bytes().ct_eq(form_token.as_bytes())) {
            return Ok(());
        }
        let detail =
            "This form was not sent by a page of yours. Go back, load the page again and send it once more.";
        Err(Refused(StatusCode::FORBIDDEN, detail.to_owned()))
    }
}

/// Lets those through who are signed in; sends others to the sign-in.
pub(super) async fn require_visitor(
    State(portal): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let Some(cookie) = cookie(request.headers(), cookie_name(portal.is_tls)) else {
        return Ok(to_sign_in(&request));
    };
    let Some((account, role)) = known(&portal, &cookie).await? else { return Ok(to_sign_in(&request)) };
    let form_token = form_token(&cookie);
    let zone = Zone::of(request.headers());
    request.extensions_mut().insert(Visitor { account, role, form_token, cookie, zone });
    Ok(next.run(request).await)
}

/// Whose visit this cookie is of.
async fn known(portal: &Shared, cookie: &str) -> Result<Option<(String, Role)>, Refused> {
    let cookie = cookie.to_owned();
    portal.control(move |portal| portal.api.with_control(|control| control.visitor(&cookie))).await
}

/// Whether somebody asks who is signed in.
pub(super) async fn is_visitor(portal: &Shared, headers: &HeaderMap) -> Result<bool, Refused> {
    let Some(cookie) = cookie(headers, cookie_name(portal.is_tls)) else { return Ok(false) };
    Ok(known(portal, &cookie).await?.is_some())
}

/// Lets administrators through, and tells others who they are not.
pub(super) async fn require_administrator(request: Request, next: Next) -> Result<Response, Refused> {
    match request.extensions().get::<Visitor>() {
        Some(visitor) if visitor.role == Role::Administrator => Ok(next.run(request).await),
        _ => {
            let detail = "Settings are for administrators, and your account is an analyst's. Ask an administrator to change it.";
            Err(Refused(StatusCode::FORBIDDEN, detail.to_owned()))
        }
    }
}

/// Follows from the cookie and says nothing about it.
fn form_token(cookie: &str) -> String {
    let digest = Sha256::new().chain_update("form\n").chain_update(cookie).finalize();
    digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}

fn to_sign_in(request: &Request) -> Response {
    if *request.method() == Method::GET {
        let wanted = request.uri().path_and_query().and_then(|wanted| onward::page(wanted.as_str()));
        let wanted = wanted.filter(|wanted| *wanted != onward::OVERVIEW);
        return Redirect::to(&onward::by("/sign-in", wanted.unwrap_or_default())).into_response();
    }
    Refused(StatusCode::UNAUTHORIZED, "You are signed out. Sign in and do it again.".to_owned())
        .into_response()
}

pub(super) fn cookie_name(is_tls: bool) -> &'static str {
    if is_tls { COOKIE_TLS } else { COOKIE }
}

pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    cookie_within(headers, name, COOKIE_OCTETS_MAX)
}

/// The same of one that may have more octets.
pub(super) fn cookie_within(headers: &HeaderMap, name: &str, octets_max: usize) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours = all
        .flat_map(cookie::Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned());
    ours.next().filter(|value| !value.is_empty() && value.len() <= octets_max)
}

/// Refuses names of this host that nobody gave it: a stranger's page whose name points here would read with the rights
/// of whoever looks at it (DNS rebinding). An address, `localhost` and the host of the configured links are no stranger's.
pub(super) async fn known_host(
    State(portal): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let link = portal.api.link();
    if host.is_some_and(|host| is_ours(host, link.as_deref())) {
        return Ok(next.run(request).await);
    }
    let detail = "This name is not one of this host: use its address, or name it in `portal.link`.";
    Err(Refused(StatusCode::MISDIRECTED_REQUEST, detail.to_owned()))
}

fn is_ours(host: &str, link: Option<&str>) -> bool {
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let link = link.and_then(|link| link.parse::<axum::http::Uri>().ok());
    let is_linked = link.is_some_and(|link| link.host().is_some_and(|host| name.eq_ignore_ascii_case(host)));
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok() || is_linked
}

/// Refuses what another origin's page sends.
pub(super) async fn same_origin(request: Request, next: Next) -> Result<Response, Refused> {
    if *request.method() == Method::GET || is_same_origin(request.headers()) {
        return Ok(next.run(request).await);
    }
    Err(Refused(StatusCode::FORBIDDEN, "This was sent by a page of another site.".to_owned()))
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    // Every browser sends it with a form.
    text(header::ORIGIN)
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(scheme, origin)| matches!(scheme, "http" | "https") && origin == host)
}

pub(super) async fn harden(mut answer: Response) -> Response {
    for (name, value) in HEADERS {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

pub(super) async fn only_tls(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_TLS));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_s_name_for_this_host_is_none_of_ours() {
        for ours in ["localhost", "LOCALHOST:8813", "127.0.0.1:8813", "[::1]:8813", "192.0.2.7"] {
            assert!(is_ours(ours, None), "{ours}");
        }
        for other in
            ["", "evil.example:8813", "localhost.evil.example", "127.0.0.1.evil.example", "a@127.0.0.1.x"]
        {
            assert!(!is_ours(other, Some("https://sensor.contoso.example:8443")), "{other}");
        }
        assert!(is_ours("Sensor.contoso.example", Some("https://sensor.contoso.example:8443/")));
    }

    #[test]
    fn a_form_comes_from_this_very_origin() {
        let headers = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            headers
        };
        assert!(is_same_origin(&headers("127.0.0.1:8813", Some("http://127.0.0.1:8813"))));
        for origin in [None, Some("null"), Some("http://127.0.0.1:8814"), Some("http://evil.example")] {
            assert!(!is_same_origin(&headers("127.0.0.1:8813", origin)), "{origin:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_and_gives_a_form_token_that_is_not_it() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; vpn-sensor-visit=secret; c=d"));
        let found = cookie(&headers, COOKIE).unwrap();
        assert_eq!(cookie(&headers, COOKIE_TLS), None);
        assert_eq!(found, "secret");
        assert!(!form_token(&found).contains("secret") && form_token(&found) != form_token("other"));
    }
}
