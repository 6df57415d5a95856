//! The portal over a real listener, as a browser without a script would use it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod alerts;
mod connections;
mod desk;
mod finding;
mod host;
mod overview;
mod profile;
#[path = "../desk/mod.rs"]
mod running;
mod sensing;
mod settings;
mod zones;

use host::{Answer, Host};

const HOSTILE: [&str; 3] = ["<script>alert(1)</script>", "\u{202e}ecila", "a'\"&<b>"];

fn path(name: &str) -> String {
    name.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

/// What every page has, whoever asks for it.
fn check(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "geolocation=(), camera=(), microphone=()"),
    ] {
        assert_eq!(answer.header(name), value, "{what}");
    }
    // What was searched for stands in its box as it was typed: that turns nothing else around.
    let text = answer.text.replace("value=\"\u{202e}ecila\"", "");
    for forbidden in
        ["<script>", "style=", "onclick", "javascript:", "\u{202e}", "a'\"&<b>", "http://", "https://"]
    {
        assert!(!text.contains(forbidden), "{what} has {forbidden:?}");
    }
    assert!(answer.text.len() < 100_000, "{what} has {} octets", answer.text.len());
}

#[test]
fn nobody_sees_anything_before_signing_in() {
    let host = Host::start(&HOSTILE);
    for (page, next) in [
        ("/", ""),
        ("/users", "?next=%2Fusers"),
        ("/users/alice", "?next=%2Fusers%2Falice"),
        ("/alerts", "?next=%2Falerts"),
        ("/alerts/1", "?next=%2Falerts%2F1"),
        ("/search?q=alice", "?next=%2Fsearch%3Fq%3Dalice"),
        ("/devices/x", "?next=%2Fdevices%2Fx"),
    ] {
        let answer = host.stranger().get(page);
        assert_eq!((answer.status, answer.header("location")), (303, &*format!("/sign-in{next}")), "{page}");
    }
    let answer = host.stranger().get("/sign-in");
    assert_eq!(answer.status, 200);
    check(&answer, "sign-in");
    assert_eq!(host.stranger().post("/alerts/1/close", &[("token", "x")]).status, 401);
    assert_eq!(host.stranger().get("/nothing").status, 404);
    for asset in ["/assets/portal.css", "/assets/portal.js"] {
        assert_eq!(host.stranger().get(asset).status, 200, "{asset}");
    }
}

#[test]
fn a_link_sets_a_password_once_and_the_password_signs_in() {
    let host = Host::start(&HOSTILE);
    let link = format!("/link/{}", host.link("carol"));
    let visitor = host.stranger();
    assert!(visitor.get(&link).text.contains("carol"), "looking at it does not use it up");
    let set = |password: &str, again: &str| {
        visitor.post(&link, &[("account", "carol"), ("password", password), ("again", again)])
    };
    assert_eq!(set("short", "short").status, 422);
    assert_eq!(set("correct horse battery", "correct horse batterie").status, 422);
    let answer = set("correct horse battery", "correct horse battery");
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let cookie = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(set("correct horse battery", "correct horse battery").status, 410, "used up");
    assert_eq!(visitor.get(&link).status, 410);
    assert_eq!(host.stranger().get("/link/nothing").status, 410);

    assert_eq!(host.stranger().sign_in("carol", "wrong").status, 401);
    assert_eq!(host.stranger().sign_in("nobody", "correct horse battery").status, 401);
    let carol = host.stranger();
    assert_eq!(carol.sign_in("carol", "correct horse battery").status, 303);
    let overview = carol.get("/");
    assert_eq!(overview.status, 200);
    check(&overview, "overview");

    assert_eq!(carol.post("/sign-out", &[("token", "wrong")]).status, 403);
    assert_eq!(carol.get("/").status, 200, "still there");
    assert_eq!(carol.post("/sign-out", &[("token", &overview.form_token())]).status, 303);
    assert_eq!(carol.get("/").status, 303, "signed out");
    let audit = host.control.audit(100).unwrap();
    let actions: Vec<&str> =
        audit.iter().filter(|row| row.who == "carol@portal").map(|row| &*row.action).collect();
    for action in ["portal.password-set", "portal.sign-in-refused", "portal.sign-in", "portal.sign-out"] {
        assert!(actions.contains(&action), "{action} in {actions:?}");
    }
    assert!(!format!("{audit:?}").contains("horse"));
}

#[test]
fn guessing_becomes_slow_for_one_account_and_nobody_else() {
    let host = Host::start(&HOSTILE);
    let dave = host.signed_in("dave");
    host.signed_in("carol");
    for _ in 0..5 {
        assert_eq!(host.stranger().sign_in("carol", "wrong").status, 401);
    }
    let answer = host.stranger().sign_in("carol", host::PASSWORD);
    assert_eq!(answer.status, 429, "even the right one waits");
    assert!(answer.text.contains("try again in"), "{}", answer.text);
    assert_eq!(dave.get("/").status, 200);
    assert_eq!(host.stranger().sign_in("dave", host::PASSWORD).status, 303);

    for _ in 0..20 {
        assert_eq!(host.stranger().sign_in("carol", "wrong").status, 429);
    }
    let audit = host.control.audit(100).unwrap();
    let refused = |why: &str| {
        let rows = audit.iter().filter(|row| row.action == "portal.sign-in-refused");
        rows.filter(|row| row.who == "carol@portal" && row.details.as_ref().unwrap().contains(why)).count()
    };
    assert_eq!(refused("wrong account or password"), 5);
    let throttled = refused("too many wrong passwords");
    assert!((5..=11).contains(&throttled), "five a minute, and a minute may begin anew: {throttled}");
}

#[test]
fn what_comes_from_another_site_or_under_another_name_is_refused() {
    let host = Host::start(&HOSTILE);
    let carol = host.signed_in("carol");
    let token = carol.get("/").form_token();
    for origin in [None, Some("http://evil.example"), Some("null")] {
        let answer = carol.post_from("/sign-out", &[("token", &token)], origin);
        assert_eq!(answer.status, 403, "{origin:?}");
    }
    assert_eq!(carol.get_as("/", "evil.example").status, 421);
    assert_eq!(carol.get("/").status, 200);
    let long = "x".repeat(20_000);
    assert_eq!(carol.post("/sign-out", &[("token", &long)]).status, 413);
}

#[test]
fn names_that_attackers_choose_are_harmless_on_every_page() {
    let host = Host::start(&HOSTILE);
    let carol = host.signed_in("carol");
    let mut pages = vec!["/".to_owned(), "/users".to_owned(), "/alerts?state=all".to_owned()];
    for name in HOSTILE {
        pages.push(format!("/users/{}", path(name)));
        pages.push(format!("/search?q={}", path(name)));
        pages.push(format!("/users?q={}", path(name)));
        pages.push(format!("/alerts?user={}", path(name)));
    }
    for page in pages {
        let answer = carol.get(&page);
        let follows = answer.status == 303 && answer.header("location").starts_with('/');
        assert!(answer.status == 200 || follows, "{page}: {} {}", answer.status, answer.text);
        if answer.status == 200 {
            check(&answer, &page);
        }
    }
    // Links go by keys, in which what is no clean text is escaped.
    let users = carol.get("/users").text;
    let links: Vec<&str> =
        users.split("href=\"/users/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), HOSTILE.len(), "{users}");
    for link in links {
        for page in [format!("/users/{link}"), format!("/users/{link}/connections.csv")] {
            assert_eq!(carol.get(&page).status, 200, "{page}");
        }
        let alerts = carol.get(&format!("/alerts?state=all&user={link}"));
        assert_eq!(alerts.status, 200, "{link}");
    }
    let page = carol.get(&format!("/users/{}", path(HOSTILE[0]))).text;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "shown as it is: {page}");
}

#[test]
fn a_user_s_page_says_where_with_what_and_for_how_long() {
    let host = Host::start(&["alice", "bob"]);
    let carol = host.signed_in("carol");
    let page = carol.get("/users/alice").text;
    for part in ["VPN locations", "203.0.113.0", "Lyon", "gateway", "What is usual", "on line", "PC-alice"] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert_eq!(carol.get("/users/nobody").status, 404);
    assert!(carol.get("/devices/PC-alice").text.contains("/users/alice"));
    let found = carol.get("/connections?remote=203.0.113.1").text;
    assert!(found.contains("/users/bob") && !found.contains("/users/alice"), "{found}");
    assert_eq!(carol.get("/search?q=s001").header("location"), "/connections?session=s001");
    assert!(carol.get("/search?q=nothing-at-all").text.contains("Nothing."));
    let audit = host.control.audit(100).unwrap();
    assert!(audit.iter().any(|row| {
        (&*row.who, &*row.action, row.subject.as_deref()) == ("carol@portal", "user.show", Some("alice"))
    }));
}

#[test]
fn the_api_answers_beside_it_and_a_cookie_opens_no_route() {
    let host = Host::start(&HOSTILE);
    let carol = host.signed_in("carol");
    assert_eq!(carol.get("/api/v1/users").status, 401);
    assert_eq!(carol.get("/api/v1/openapi.json").status, 200);
}
