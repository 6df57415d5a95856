//! The page that somebody wanted who had to sign in first, and the way on to it.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};
use serde::Deserialize;

use super::text::encoded;

/// Where those go on to who wanted nothing else.
pub(super) const OVERVIEW: &str = "/";
/// Longest address of a page that is wanted, octets.
pub(super) const PAGE_OCTETS_MAX: usize = 1024;
/// What the paths of pages begin with. What signs in and out, the API and files of the design are no pages.
const PAGES: [&str; 8] =
    ["alerts", "connections", "devices", "search", "sensors", "servers", "settings", "users"];

/// The query of an address that leads somewhere else in the end.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
    /// The page of the sign-in loaded itself: not once more.
    again: Option<String>,
}

impl Wanted {
    /// The page; nothing where there is none of ours.
    pub(super) fn page(&self) -> &str {
        page(&self.next).unwrap_or_default()
    }

    /// Where the page of the sign-in loads itself from; nowhere a second time, whatever a browser says of who asks.
    pub(super) fn once_more(&self) -> Option<String> {
        let next = Some(self.page()).filter(|next| !next.is_empty()).unwrap_or(OVERVIEW);
        self.again.is_none().then(|| format!("{}&again=yes", by("/sign-in", next)))
    }
}

/// The address of a page of this portal. Anything else that was sent, another host's above all, is none: whoever makes a
/// link must not choose where people are led who have just typed a password.
pub(super) fn page(next: &str) -> Option<&str> {
    if next == OVERVIEW {
        return Some(next);
    }
    // Browsers take `\` for `/`, leave out control characters, and resolve dots, however they are written.
    let is_plain = next.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\');
    let (path, _) = next.split_once(['?', '#']).unwrap_or((next, ""));
    let mut parts = path.strip_prefix('/')?.split('/');
    let is_page = parts.next().is_some_and(|first| PAGES.contains(&first));
    let has_dots = parts.any(|part| matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "." | ".."));
    (is_plain && is_page && !has_dots && next.len() <= PAGE_OCTETS_MAX).then_some(next)
}

/// An address with the page that is wanted in its query.
pub(super) fn by(address: &str, next: &str) -> String {
    if next.is_empty() { address.to_owned() } else { format!("{address}?next={}", encoded(next)) }
}

/// Whether a link on another site led here. Browsers keep the cookie of a visit at home then (`SameSite=Strict`), so that
/// who asks may well be signed in.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Has the browser load an address by itself, at once: unlike behind a redirect, that is asked for by a page of this portal.
pub(super) fn load(answer: &mut Response, address: &str) {
    if let Ok(value) = HeaderValue::try_from(format!("0; url={address}")) {
        answer.headers_mut().insert(HeaderName::from_static("refresh"), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_led_to_pages_of_the_portal_and_nowhere_else() {
        for ours in [
            "/",
            "/alerts/7",
            "/alerts?state=all&user=a%2F",
            "/users/..~",
            "/settings/vpn",
            "/users/a@b.example#x",
        ] {
            assert_eq!(page(ours), Some(ours));
        }
        for other in [
            "",
            "/?",
            "alerts/7",
            "//evil.example/alerts",
            "//alerts/7",
            "/\\evil.example",
            "\\alerts",
            "/alerts\\..",
            "https://evil.example/alerts",
            "javascript:alert(1)",
            "/\talerts",
            "/alerts/7\r\nset-cookie: a=b",
            "/alerts/7\u{0}",
            "/alerts 7",
            "/alerts/../sign-out",
            "/alerts/%2e%2E/api/v1/users",
            "/alerts/.%2e",
            "/users/\u{e9}",
            "/sign-in",
            "/sign-in/provider",
            "/sign-out",
            "/link/secret",
            "/api/v1/alerts",
            "/alertsx",
        ] {
            assert_eq!(page(other), None, "{other:?}");
        }
        assert_eq!(page(&format!("/users/{}", "a".repeat(PAGE_OCTETS_MAX))), None);
    }
}
