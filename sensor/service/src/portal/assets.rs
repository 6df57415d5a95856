//! Style sheet, script, icon.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};

const STYLE: &str = include_str!("portal.css");
const SCRIPT: &str = include_str!("portal.js");
const ICON: &str = include_str!("icon.svg");

pub(super) const STYLE_PATH: &str = "/assets/portal.css";
pub(super) const SCRIPT_PATH: &str = "/assets/portal.js";
pub(super) const ICON_PATH: &str = "/assets/icon.svg";

pub(super) async fn style() -> Response {
    asset(STYLE, "text/css; charset=utf-8")
}

pub(super) async fn script() -> Response {
    asset(SCRIPT, "text/javascript; charset=utf-8")
}

pub(super) async fn icon() -> Response {
    asset(ICON, "image/svg+xml")
}

fn asset(text: &'static str, kind: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 1] = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
    (headers, text).into_response()
}
