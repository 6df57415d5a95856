//! Who sets what: roles, people and tokens. The pages that want a running sensor are tested with one, end to end.

use service::control::Role;

use super::{check, host::Host};

const PAGES: [&str; 11] = [
    "",
    "/vpn",
    "/listening",
    "/listening/192.0.2.7",
    "/clients",
    "/sites",
    "/detections",
    "/retention",
    "/health",
    "/sinks",
    "/people",
];

#[test]
fn analysts_get_a_sentence_and_no_settings() {
    let host = Host::start(&["alice"]);
    let dave = host.signed_in("dave");
    assert!(!dave.get("/").text.contains("href=\"/settings/vpn\""), "no way there is shown");
    let token = dave.get("/").form_token();
    for page in PAGES {
        let path = format!("/settings{page}");
        assert_eq!(host.stranger().get(&path).status, 303, "{path}: strangers sign in");
        let answer = dave.get(&path);
        assert!(
            answer.status == 403 && answer.text.contains("for administrators"),
            "{path}: {}",
            answer.text
        );
        check(&answer, &path);
    }
    for path in [
        "vpn/accounting",
        "vpn/secret",
        "clients",
        "clients/secret",
        "clients/remove",
        "listening/192.0.2.7",
        "detections",
        "retention",
        "health",
        "sites",
        "sites/remove",
        "sinks",
        "sinks/remove",
        "people",
        "people/change",
        "tokens",
        "tokens/remove",
    ] {
        assert_eq!(dave.post(&format!("/settings/{path}"), &[("token", &token)]).status, 403, "{path}");
    }
}

#[test]
fn administrators_make_people_and_tokens() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in_as("carol", Role::Administrator);
    assert!(carol.get("/").text.contains("href=\"/settings/vpn\""));
    let people = carol.get("/settings/people");
    check(&people, "people");
    assert_eq!(carol.get("/settings/vpn").status, 503, "nothing runs here that has settings");
    let token = people.form_token();
    let form = [("token", &*token), ("account", "dave"), ("role", "analyst")];
    assert_eq!(carol.post("/settings/people", &[("token", "wrong"), form[1], form[2]]).status, 403);
    let made = carol.post("/settings/people", &form).text;
    let (_, link) = made.split_once("/link/").unwrap();
    let link = format!("/link/{}", link.split_once('<').unwrap().0);
    let dave = host.stranger();
    let set = [("account", "dave"), ("password", super::host::PASSWORD), ("again", super::host::PASSWORD)];
    assert_eq!(dave.post(&link, &set).status, 303);
    assert_eq!(dave.get("/settings/people").status, 403);
    let change = |account: &str, what: &str| {
        carol.post("/settings/people/change", &[("token", &token), ("account", account), ("do", what)]).status
    };
    assert_eq!((change("carol", "analyst"), change("carol", "remove")), (409, 409), "the only one");
    let demoting = [("token", &*token), ("account", "carol"), ("role", "analyst")];
    let refused = carol.post("/settings/people", &demoting);
    assert!(refused.status == 409 && refused.text.contains("only administrator"), "{}", refused.text);
    assert!(!refused.text.contains("/link/"), "{}", refused.text);
    assert_eq!(change("dave", "administrator"), 303);
    assert_eq!(dave.get("/settings/people").status, 200, "at once");
    assert_eq!((change("dave", "remove"), change("dave", "remove")), (303, 404));
    assert_eq!(dave.get("/").status, 303, "signed out");

    let make = |name: &str, days: &str| {
        let form = [("token", &*token), ("name", name), ("may", "read"), ("days", days)];
        carol.post("/settings/tokens", &form)
    };
    let made = make("reports", "30");
    assert!(made.text.contains("vpns_"), "{}", made.text);
    check(&carol.get("/settings/tokens"), "tokens");
    assert!(!carol.get("/settings/tokens").text.contains("vpns_"), "shown once");
    assert_eq!((make("reports", "30").status, make("other", "soon").status), (409, 400));
    assert_eq!(make("<b>", "").status, 422);
    let removed = carol.post("/settings/tokens/remove", &[("token", &token), ("name", "reports")]);
    assert_eq!(removed.status, 303);
    assert!(host.control.tokens().unwrap().is_empty());
}
