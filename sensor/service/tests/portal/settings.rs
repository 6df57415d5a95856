//! Who sets what: roles, people and tokens. The pages that want a running sensor are tested with one, end to end.

use service::control::{AuditEntry, Role};

use super::{HOSTILE, check, host::Host, path};

const PAGES: [&str; 17] = [
    "",
    "/vpn",
    "/listening",
    "/listening/192.0.2.7",
    "/clients",
    "/sites",
    "/sites/change?name=Berlin",
    "/detections",
    "/exclusions",
    "/exclusions/change?name=1",
    "/retention",
    "/health",
    "/sinks",
    "/sinks/change?name=siem",
    "/people",
    "/tokens",
    "/audit",
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
        "exclusions",
        "exclusions/remove",
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

#[test]
fn a_link_for_a_lost_password_changes_no_role_unless_one_is_chosen() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in_as("carol", Role::Administrator);
    host.signed_in_as("erin", Role::Administrator);
    host.signed_in("dave");
    let page = carol.get("/settings/people");
    let token = page.form_token();
    assert!(
        page.text.contains("<option value=\"\" selected>"),
        "no role is chosen beforehand: {}",
        page.text
    );
    let ask = |account: &str, role: &str| {
        carol.post("/settings/people", &[("token", &token), ("account", account), ("role", role)])
    };
    let redeem = |account: &str, role: &str| {
        let made = ask(account, role).text;
        let (_, link) = made.split_once("/link/").expect("a link");
        let link = format!("/link/{}", link.split_once('<').unwrap().0);
        let password = super::host::PASSWORD;
        let set = [("account", account), ("password", password), ("again", password)];
        assert_eq!(host.stranger().post(&link, &set).status, 303);
        let accounts = host.control.accounts().unwrap();
        accounts.into_iter().find(|found| found.name == account).unwrap().role
    };
    assert_eq!(redeem("erin", ""), Role::Administrator);
    assert_eq!(redeem("dave", ""), Role::Analyst);
    assert!(!host.control.audit(100).unwrap().iter().any(|row| row.action == "portal.role"));
    assert_eq!(redeem("erin", "analyst"), Role::Analyst);
    assert_eq!(redeem("dave", "administrator"), Role::Administrator);

    for (account, role, status) in [("frank", "", 422), ("dave", "owner", 400)] {
        let refused = ask(account, role);
        assert!(refused.status == status && !refused.text.contains("/link/"), "{}", refused.text);
        assert!(refused.text.contains(&format!("name=\"account\" value=\"{account}\"")), "{}", refused.text);
    }
    assert!(ask("frank", "").text.contains("no account &quot;frank&quot; yet"));
    assert_eq!(redeem("frank", "analyst"), Role::Analyst);

    let audit = host.control.audit(100).unwrap();
    let rows = |action: &str| {
        let rows = audit.iter().filter(|row| row.action == action);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        rows.map(|row| format!("{}: {}, {}", row.who, text(&row.subject), text(&row.details)))
            .collect::<Vec<_>>()
    };
    let made = [
        "erin, keeps its role",
        "dave, keeps its role",
        "erin, analyst",
        "dave, administrator",
        "frank, analyst",
    ];
    assert_eq!(rows("portal.link"), made.map(|made| format!("carol@portal: {made}")));
    let changed = [
        "erin@portal: erin, administrator -> analyst, by a link",
        "dave@portal: dave, analyst -> administrator, by a link",
    ];
    assert_eq!(rows("portal.role"), changed);
}

#[test]
fn administrators_read_the_audit_log_and_nothing_in_it_does_harm() {
    let host = Host::start(&HOSTILE);
    let carol = host.signed_in_as("carol", Role::Administrator);
    let dave = host.signed_in("dave");
    for name in HOSTILE {
        assert_eq!(dave.get(&format!("/users/{}", path(name))).status, 200);
        assert_eq!(host.stranger().sign_in(name, "wrong").status, 401);
    }
    let all = carol.get("/settings/audit");
    check(&all, "the audit log");
    assert_eq!(all.status, 200);
    for part in [
        "href=\"/settings/audit\" aria-current=\"page\"",
        "&lt;script&gt;alert(1)&lt;/script&gt;@portal",
        "U+202Eecila",
        "user.show",
        "wrong account or password",
        "href=\"/settings/audit?who=dave@portal&amp;action=&amp;subject=\"",
    ] {
        assert!(all.text.contains(part), "{part:?} is not in {}", all.text);
    }
    for name in HOSTILE {
        let name = path(name);
        for page in [format!("?who={name}"), format!("?subject={name}"), format!("?action={name}")] {
            let page = format!("/settings/audit{page}");
            let answer = carol.get(&page);
            check(&answer, &page);
            assert_eq!(answer.status, 200, "{page}");
        }
    }
    let about =
        carol.get(&format!("/settings/audit?who=dave@portal&action=user.show&subject={}", path(HOSTILE[2])));
    let lines = about.text.split("<td data-label=\"What\">user.show<").count() - 1;
    assert_eq!(lines, 1, "{}", about.text);

    for number in 0..150 {
        let subject = format!("user{number}");
        let (who, action) = ("reports", "user.show");
        let entry = AuditEntry { who, action, subject: Some(&subject), details: None };
        host.control.write_audit(&entry).unwrap();
    }
    let first = carol.get("/settings/audit?who=reports").text;
    assert!(first.contains(">user149<") && first.contains(">user50<") && !first.contains(">user49<"));
    let (_, rest) = first.split_once("cursor=").unwrap();
    let next = format!("/settings/audit?who=reports&cursor={}", rest.split('"').next().unwrap());
    let second = carol.get(&next).text;
    assert!(second.contains(">user49<") && second.contains(">user0<") && !second.contains("cursor="));
    assert_eq!(carol.get("/settings/audit?cursor=x").status, 400);
}
