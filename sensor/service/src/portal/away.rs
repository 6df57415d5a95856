//! People who are at the OpenID provider. Nothing is kept of them: their browsers have a cookie, and from that and a key
//! follows all that has to be known when they come back. So nobody who begins sign-ins by the thousand ends another's.

use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{onward::PAGE_OCTETS_MAX, provider::Begun};

/// How long somebody may be away.
pub(super) const MAX: Duration = Duration::from_secs(600);
/// Longest cookie that is looked at, octets: with the longest page that somebody may want.
pub(super) const COOKIE_OCTETS_MAX: usize = 128 + PAGE_OCTETS_MAX * 4 / 3;

/// By what cookies are made and known again.
pub(super) struct Away {
    /// Known to nobody, and another at each start.
    code: Hmac<Sha256>,
    since: Instant,
}

impl Default for Away {
    fn default() -> Away {
        let key: [u8; 64] = rand::random();
        Away { code: Hmac::new(&key.into()), since: Instant::now() }
    }
}

impl Away {
    /// A cookie, and the sign-in that begins with it. `next`: the page that she wants when she is back.
    pub(super) fn begin(&self, next: &str) -> (String, Begun) {
        self.begin_at(next, Instant::now())
    }

    fn begin_at(&self, next: &str, now: Instant) -> (String, Begun) {
        let chance: [u8; 32] = rand::random();
        let [chance, next] = [&chance[..], next.as_bytes()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let cookie = format!("{}.{chance}.{next}", self.seconds(now));
        let begun = self.begun(&cookie);
        (cookie, begun)
    }

    /// The sign-in of a cookie, and the page that was wanted, if that is not too old. Of a cookie that was made up or altered it is one whose `state`
    /// the provider has never seen.
    pub(super) fn recall(&self, cookie: &str) -> Option<(Begun, String)> {
        self.recall_at(cookie, Instant::now())
    }

    fn recall_at(&self, cookie: &str, now: Instant) -> Option<(Begun, String)> {
        let (began, rest) = cookie.split_once('.')?;
        let age = self.seconds(now).checked_sub(began.parse().ok()?)?;
        let next = rest.split_once('.').and_then(|(_, next)| BASE64_URL_SAFE_NO_PAD.decode(next).ok());
        let next = next.and_then(|next| String::from_utf8(next).ok()).unwrap_or_default();
        (age < MAX.as_secs()).then(|| (self.begun(cookie), next))
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs()
    }

    fn begun(&self, cookie: &str) -> Begun {
        Begun::new(
            self.derived("state", cookie),
            self.derived("nonce", cookie),
            self.derived("verifier", cookie),
        )
    }

    /// HMAC-SHA-256 in 43 letters, digits, `-` and `_`: as long as a verifier of PKCE must be (RFC 7636).
    fn derived(&self, sort: &str, cookie: &str) -> String {
        let mut code = self.code.clone();
        code.update(sort.as_bytes());
        code.update(&[0]);
        code.update(cookie.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(code.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_back_in_time_with_her_cookie_is_known_again() {
        let (away, now) = (Away::default(), Instant::now());
        let (cookie, begun) = away.begin_at("/alerts/7", now);
        let state = |cookie: &str, later: u64| {
            away.recall_at(cookie, now + Duration::from_secs(later)).map(|(begun, _)| begun.state)
        };
        assert_eq!(away.recall_at(&cookie, now).unwrap().1, "/alerts/7", "where she wanted to");
        let (longest, _) = away.begin_at(&"x".repeat(PAGE_OCTETS_MAX), now + MAX);
        assert!(longest.len() <= COOKIE_OCTETS_MAX);
        assert_eq!(state(&cookie, 0).as_ref(), Some(&begun.state));
        assert_eq!(state(&cookie, MAX.as_secs() - 1).as_ref(), Some(&begun.state));
        assert_eq!(state(&cookie, MAX.as_secs() + 1), None, "too late");
        // A cookie of now made of one of before, of another, of nothing.
        let (_, chance) = cookie.split_once('.').unwrap();
        for forged in [&format!("7.{chance}"), &away.begin_at("", now).0, "0.", "0.x", "0.x.y"] {
            assert_ne!(state(forged, 8).as_ref(), Some(&begun.state), "{forged}");
        }
        for nonsense in ["", ".", "x.y", &chance[1..], "18446744073709551615.x"] {
            assert_eq!(state(nonsense, 0), None, "{nonsense}");
        }
        assert_ne!(Away::default().begun(&cookie).state, begun.state, "of another start");
    }

    #[test]
    fn nothing_that_one_part_of_a_sign_in_tells_is_another_one() {
        let away = Away::default();
        let (cookie, _) = away.begin("");
        let parts = ["state", "nonce", "verifier"].map(|sort| away.derived(sort, &cookie));
        assert!(parts.iter().all(|part| part.len() == 43 && !cookie.contains(part.as_str())));
        assert!(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2]);
    }
}
