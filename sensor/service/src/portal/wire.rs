//! Pages made small for the wire.
//!
//! A page repeats what was asked for, beside the token of its forms: compressed, its length says something about both to
//! whoever can make a browser ask and sees the wire (BREACH). Another site cannot make it: the cookie of a visit is
//! `SameSite=Strict`, and without it there is no page.

use std::io::Write as _;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use flate2::{Compression, write::GzEncoder};

use super::Refused;
use crate::api::Problem;

/// Smaller ones are one packet anyway, octets.
const WORTH: usize = 1400;
/// Largest page, octets: far beyond any there is.
const PAGE_MAX: usize = 4 << 20;

/// Compresses pages, style sheet and script for browsers that take gzip. Files to be kept stay as they are.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let is_wanted = takes_gzip(request.headers());
    let answer = next.run(request).await;
    let kind =
        answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_page = ["text/html", "text/css", "text/javascript"].iter().any(|page| kind.starts_with(page));
    if !is_wanted || !is_page || answer.headers().contains_key(header::CONTENT_ENCODING) {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let Ok(octets) = to_bytes(body, PAGE_MAX).await else {
        return Refused::from(Problem::internal("a page is too large")).into_response();
    };
    head.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if octets.len() < WORTH {
        return Response::from_parts(head, Body::from(octets));
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(octets.len() / 3), Compression::fast());
    match encoder.write_all(&octets).and_then(|()| encoder.finish()) {
        Ok(compressed) => {
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            head.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(head, Body::from(compressed))
        }
        Err(_) => Response::from_parts(head, Body::from(octets)),
    }
}

/// Whether gzip is among what a browser takes, and not taken out by a weight of 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|weight| {
            weight
                .strip_prefix("q=")
                .is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0))
        });
        is_gzip && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.8"));
        assert!(!takes("identity") && !takes("gzip;q=0") && !takes("br, gzip; q=0.0") && !takes(""));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
