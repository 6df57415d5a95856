//! Accounts and tokens by the API, and who may not. Settings want a running sensor: the package of end-to-end tests has them.

use serde_json::{Value, json};
use service::control::{Right, Role};

use crate::host::{Answer, Host};

/// Whether only tokens that may administer are let through.
pub(crate) fn is_of_administrators(path: &str) -> bool {
    ["accounts", "audit", "settings", "tokens"].iter().any(|root| path.split('/').next() == Some(root))
}

fn ask(host: &Host, method: &str, path: &str, token: &str, body: &Value) -> Answer {
    let (url, token) = (host.url(path), format!("Bearer {token}"));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let sent = match method {
        "get" => agent.get(url).header("authorization", token).call(),
        "delete" => agent.delete(url).header("authorization", token).call(),
        _ => {
            let request = if method == "post" { agent.post(url) } else { agent.patch(url) };
            let request = request.header("authorization", token).header("content-type", "application/json");
            request.send(body.to_string())
        }
    };
    Answer::of(sent.unwrap())
}

#[test]
fn only_tokens_that_may_administer_set_anything() {
    let host = Host::start();
    let decides = host.control.add_token("desk", Some(Right::Decide), None).unwrap();
    let description = host.get_with("/api/v1/openapi.json", None).body;
    let mut routes = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1/").unwrap();
        let path = path.replace("{account}", "carol").replace("{token}", "desk");
        for method in methods.as_object().unwrap().keys().filter(|_| is_of_administrators(&path)) {
            for token in [&host.token, decides.reveal()] {
                let answer = ask(&host, method, &path, token, &json!({}));
                assert_eq!(answer.status, 403, "{method} {path}");
                assert!(answer.body["detail"].as_str().unwrap().contains("--may administer"));
            }
            routes += 1;
        }
    }
    assert_eq!(routes, 13);
    assert!(host.control.accounts().unwrap().is_empty() && host.control.tokens().unwrap().len() == 2);
}

#[test]
fn accounts_and_tokens_are_made_changed_and_removed() {
    let mut host = Host::start();
    let setup = host.control.add_token("setup", Some(Right::Administer), None).unwrap();
    let setup = setup.reveal();
    for (name, role) in [("carol", "administrator"), ("dave", "analyst")] {
        let made = ask(&host, "post", "accounts/links", setup, &json!({"account": name, "role": role}));
        assert_eq!(made.status, 200, "{}", made.body);
        let link = made.body["path"].as_str().unwrap().strip_prefix("/link/").unwrap().to_owned();
        assert_eq!(host.control.redeem_link(&link, "hash").unwrap().as_deref(), Some(name));
    }
    let roles = |host: &Host| -> Vec<String> {
        let accounts = ask(host, "get", "accounts", setup, &json!({})).body;
        let items = accounts["items"].as_array().unwrap().iter();
        items.map(|account| account["role"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(roles(&host), ["administrator", "analyst"]);
    let analyst = json!({"role": "analyst"});
    assert_eq!(ask(&host, "patch", "accounts/carol", setup, &analyst).status, 409, "the only one");
    assert_eq!(ask(&host, "delete", "accounts/carol", setup, &json!({})).status, 409);
    let demoting =
        ask(&host, "post", "accounts/links", setup, &json!({"account": "carol", "role": "analyst"}));
    let detail = demoting.body["detail"].as_str().unwrap();
    assert!(demoting.status == 409 && detail.contains("role administrator"), "{detail}");
    assert_eq!(ask(&host, "patch", "accounts/dave", setup, &json!({"role": "administrator"})).status, 204);
    let link = host.control.add_link("carol", Some(Role::Administrator)).unwrap();
    assert_eq!(ask(&host, "patch", "accounts/carol", setup, &analyst).status, 204);
    assert_eq!(host.control.redeem_link(link.reveal(), "hash").unwrap(), None, "withdrawn with her role");
    assert_eq!(roles(&host), ["analyst", "administrator"]);
    assert_eq!(ask(&host, "delete", "accounts/carol", setup, &json!({})).status, 204);
    assert_eq!(ask(&host, "delete", "accounts/carol", setup, &json!({})).status, 404);
    let lost = ask(&host, "post", "accounts/links", setup, &json!({"account": "dave"}));
    let link = lost.body["path"].as_str().unwrap().strip_prefix("/link/").unwrap().to_owned();
    assert_eq!(host.control.redeem_link(&link, "hash").unwrap().as_deref(), Some("dave"));
    assert_eq!(roles(&host), ["administrator"], "a lost password changes no role");
    for body in [json!({"account": "no name", "role": "analyst"}), json!({"account": "frank"})] {
        assert_eq!(ask(&host, "post", "accounts/links", setup, &body).status, 422, "{body}");
    }

    let wanted = json!({"name": "desk", "may": "decide", "lifetime_seconds": 3600});
    let made = ask(&host, "post", "tokens", setup, &wanted);
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!(host.get_with("/api/v1/users", Some(&token)).status, 200);
    assert_eq!(ask(&host, "post", "tokens", setup, &wanted).status, 409);
    let listed = ask(&host, "get", "tokens", setup, &json!({})).body;
    assert!(listed["items"].as_array().unwrap().iter().any(|row| row["may"] == json!(["read", "decide"])));
    assert_eq!(ask(&host, "delete", "tokens/desk", setup, &json!({})).status, 204);
    assert_eq!(host.get_with("/api/v1/users", Some(&token)).status, 401);
    assert_eq!(
        ask(&host, "get", "settings", setup, &json!({})).status,
        503,
        "nothing runs here that has some"
    );

    let audit = host.control.audit(100).unwrap();
    for action in ["portal.link", "portal.role", "portal.remove", "token.add", "token.remove"] {
        assert!(audit.iter().any(|row| row.who == "setup" && row.action == action), "{action}");
    }
    assert!(!format!("{audit:?}").contains(&token));
}

#[test]
fn what_was_refused_is_not_told_as_done() {
    let mut host = Host::start();
    let setup = host.control.add_token("setup", Some(Right::Administer), None).unwrap();
    let setup = setup.reveal();
    let link = host.control.add_link("carol", Some(Role::Administrator)).unwrap();
    host.control.redeem_link(link.reveal(), "hash").unwrap();
    let analyst = json!({"role": "analyst"});
    let to_analyst = json!({"account": "carol", "role": "analyst"});
    for (method, path, body, status) in [
        ("delete", "accounts/carol", &json!({}), 409),
        ("patch", "accounts/carol", &analyst, 409),
        ("post", "accounts/links", &to_analyst, 409),
        ("post", "accounts/links", &json!({"account": "dave"}), 422),
        ("delete", "accounts/nobody", &json!({}), 404),
        ("patch", "accounts/nobody", &analyst, 404),
        ("post", "tokens", &json!({"name": "setup"}), 409),
        ("post", "tokens", &json!({"name": "no name"}), 422),
        ("delete", "tokens/nobody", &json!({}), 404),
    ] {
        let answer = ask(&host, method, path, setup, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let told = |host: &Host| -> Vec<String> {
        let rows = host.control.audit(100).unwrap().into_iter().filter(|row| row.who == "setup");
        rows.map(|row| format!("{} {}", row.action, row.subject.unwrap_or_default())).collect()
    };
    assert_eq!(told(&host), Vec::<String>::new());
    let roles = host.control.accounts().unwrap();
    assert_eq!(roles.iter().map(|account| account.role).collect::<Vec<_>>(), [Role::Administrator]);

    let dave = json!({"account": "dave", "role": "administrator"});
    let made = ask(&host, "post", "accounts/links", setup, &dave).body;
    let link = made["path"].as_str().unwrap().strip_prefix("/link/").unwrap();
    host.control.redeem_link(link, "hash").unwrap();
    assert_eq!(ask(&host, "patch", "accounts/carol", setup, &analyst).status, 204);
    assert_eq!(ask(&host, "delete", "accounts/carol", setup, &json!({})).status, 204);
    assert_eq!(ask(&host, "post", "tokens", setup, &json!({"name": "reports"})).status, 200);
    assert_eq!(ask(&host, "delete", "tokens/reports", setup, &json!({})).status, 204);
    let done = [
        "portal.link dave",
        "portal.role carol",
        "portal.remove carol",
        "token.add reports",
        "token.remove reports",
    ];
    assert_eq!(told(&host), done);
}

#[test]
fn the_audit_log_is_read_by_who_what_and_about_whom() {
    let host = Host::start();
    let setup = host.control.add_token("setup", Some(Right::Administer), None).unwrap();
    let setup = setup.reveal();
    let users = ["user001", "user002", "user003"].map(|user| format!("{user}@contoso.example"));
    for user in &users {
        assert_eq!(host.get(&format!("/api/v1/users/{user}")).status, 200);
    }
    let read = |query: &str| {
        let answer = ask(&host, "get", &format!("audit{query}"), setup, &json!({}));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.body
    };
    let subjects = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|row| row["subject"].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(
        subjects(&read("")),
        ["-", &users[2], &users[1], &users[0]],
        "the question itself comes first"
    );
    let first = read("?who=tests&limit=2");
    assert_eq!(subjects(&first), [&*users[2], &users[1]]);
    let rest = read(&format!("?who=tests&limit=2&cursor={}", first["next"].as_str().unwrap()));
    assert_eq!((subjects(&rest), &rest["next"]), (users[..1].to_vec(), &Value::Null));
    assert_eq!(subjects(&read("?action=user.show&subject=user002@contoso.example&who=tests")), users[1..2]);
    assert_eq!(subjects(&read("?who=nobody")), Vec::<String>::new());
    let row = &read("?subject=user001@contoso.example&action=user.show")["items"][0];
    assert_eq!(
        (&row["who"], &row["action"], &row["number"]),
        (&json!("tests"), &json!("user.show"), &json!(1))
    );
    assert!(row["time"].as_str().unwrap().ends_with('Z'));
    let asked = host.control.audit(100).unwrap();
    let asked = asked.iter().rfind(|row| row.details.as_deref() == Some("who=nobody")).unwrap();
    assert_eq!((&*asked.who, &*asked.action), ("setup", "audit.list"));
    for (wrong, status) in [("?whom=x", 400), ("?limit=0", 400), ("?cursor=x", 400)] {
        assert_eq!(ask(&host, "get", &format!("audit{wrong}"), setup, &json!({})).status, status, "{wrong}");
    }
}
