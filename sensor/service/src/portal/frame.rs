//! The page around everything: title, ways to the other pages, search, sign-out.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    assets::{ICON_PATH, SCRIPT_PATH, STYLE_PATH},
    guard::Visitor,
    text,
};
use crate::control::Role;

/// The pages that are one step away, with their titles.
const WAYS: &[(&str, &str)] = &[
    ("/", "Overview"),
    ("/alerts", "Alerts"),
    ("/users", "Users"),
    ("/devices", "Devices"),
    ("/sensors", "Sensors"),
];

/// A page for somebody who is signed in.
pub(super) fn page(visitor: &Visitor, title: &str, content: &Markup) -> Response {
    page_with(visitor, title, &html! {}, content)
}

/// The same with more in its head.
pub(super) fn page_with(visitor: &Visitor, title: &str, head: &Markup, content: &Markup) -> Response {
    document(
        title,
        head,
        &html! {
            a.skip href="#content" { "To the content" }
            header {
                nav aria-label="Pages" {
                    a.brand href="/" { "vpn-sensor" }
                    @for (path, name) in WAYS {
                        a href=(path) aria-current=[(title == *name).then_some("page")] { (name) }
                    }
                    @if visitor.role == Role::Administrator { a href="/settings/vpn" { "Settings" } }
                }
                form.search role="search" aria-label="Everything" action="/search" {
                    input type="search" name="q" aria-label="Search for a user, a device, an address, a place, a VPN server, a session id"
                        placeholder="user, device, address, place, session" maxlength="256";
                    button { "Search" }
                }
                form.account method="post" action="/sign-out" {
                    input type="hidden" name="token" value=(visitor.form_token);
                    span { (visitor.account) " (" (visitor.role.name()) ")" }
                    button.plain { "Sign out" }
                }
            }
            main id="content" {
                h1 { (text::stranger(title)) }
                // Written by the script, which writes times in the viewer's zone.
                p.paper data-zone hidden {}
                (content)
            }
        },
    )
}

/// A page for whoever asks.
pub(super) fn bare(title: &str, content: &Markup) -> Response {
    document(
        title,
        &html! {},
        &html! {
            header { nav { a.brand href="/" { "vpn-sensor" } } }
            main id="content" { h1 { (text::stranger(title)) } (content) }
        },
    )
}

fn document(title: &str, head: &Markup, body: &Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text::visible(title)) " - vpn-sensor" }
                link rel="stylesheet" href=(STYLE_PATH);
                link rel="icon" href=(ICON_PATH) type="image/svg+xml";
                script src=(SCRIPT_PATH) defer {}
                (head)
            }
            body { (body) }
        }
    };
    let mut answer = (StatusCode::OK, Html(document.into_string())).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}
