//! Signing in by an OpenID provider: who comes in, with which role, and who does not.

use std::{os::unix::fs::PermissionsExt as _, time::Instant};

use browser::{
    Browser,
    openid::{CLIENT, CLIENT_SECRET, Flaw, ISSUER, OpenId, Person},
    people,
};
use end_to_end::{
    Namespace,
    config::Config,
    sensor::Home,
    tools::{need_program, output},
};

const PEOPLE: [Person; 10] = [
    person("dora@contoso.example", "1", &["staff", "soc"], Flaw::None),
    person("erin@contoso.example", "2", &["vpn-admins"], Flaw::None),
    person("frank@contoso.example", "3", &["staff"], Flaw::None),
    person("carol", "4", &["vpn-admins"], Flaw::None),
    person("audience", "5", &["vpn-admins"], Flaw::Audience),
    person("issuer", "6", &["vpn-admins"], Flaw::Issuer),
    person("expired", "7", &["vpn-admins"], Flaw::Expired),
    person("nonce", "8", &["vpn-admins"], Flaw::Nonce),
    person("signature", "9", &["vpn-admins"], Flaw::Signature),
    person("unsigned", "10", &["vpn-admins"], Flaw::Unsigned),
];

const fn person(
    name: &'static str,
    subject: &'static str,
    groups: &'static [&'static str],
    flaw: Flaw,
) -> Person {
    Person { name, subject, groups, flaw }
}

#[test]
fn who_has_a_role_at_the_provider_comes_in_and_nobody_else() {
    let namespace = Namespace::new("portal");
    let secrets = tempfile::tempdir().unwrap();
    let secret = secrets.path().join("oidc.secret");
    std::fs::write(&secret, CLIENT_SECRET).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let home = Home::new(&Config::udp().lines(&format!(
        "[portal.oidc]\nissuer = {ISSUER:?}\nclient_id = {CLIENT:?}\nclient_secret_file = {secret:?}\n\
         administrators = [\"vpn-admins\"]\nanalysts = [\"soc\"]\n"
    )));
    let _sensor = home.start(&namespace);
    let browser = Browser::start(&namespace);
    let begin = || {
        browser.open("/sign-in");
        browser.click_text("Sign in by 127.0.0.1");
    };

    begin();
    assert!(browser.seen().contains("check portal.oidc.issuer"), "no provider: {}", browser.seen());
    let provider = OpenId::start(&namespace, &PEOPLE);
    for (name, role) in [("dora@contoso.example", "analyst"), ("erin@contoso.example", "administrator")] {
        begin();
        browser.click_text(name);
        browser.wait_seen(&format!("{name} ({role})"));
        browser.wait_path("/");
        assert_eq!(browser.cookies().len(), 1, "the sign-in's own cookie has served");
        browser.click_text("Sign out");
        browser.wait_path("/sign-in");
    }

    begin();
    browser.click_text("No");
    browser.wait_seen("did not let you in: access_denied");
    begin();
    browser.click_text("frank@contoso.example");
    browser.wait_seen("nobody gave you a role here");
    // An account with a password is nobody's else, whatever the provider calls him.
    people::sign_in(&browser, &home, &namespace, "carol", "analyst");
    browser.click_text("Sign out");
    browser.wait_path("/sign-in");
    begin();
    browser.click_text("carol");
    browser.wait_seen("There is an account carol already");
    let flawed_since = Instant::now();
    for flawed in PEOPLE.iter().filter(|person| person.flaw != Flaw::None) {
        begin();
        browser.click_text(flawed.name);
        browser.wait_seen("You cannot be signed in now: the provider's ID token is not good");
    }
    browser.open("/");
    browser.wait_path("/sign-in");

    // However many others begin, whoever is at the provider comes in.
    begin();
    need_program("curl", "curl");
    let mut others = namespace.command("curl");
    let url = format!("{}/sign-in/provider?[1-1200]", browser.origin());
    others.args(["--silent", "--write-out", "%{http_code}\n", &url]);
    let others = String::from_utf8(output(&mut others).stdout).unwrap();
    assert_eq!(others.lines().filter(|status| *status == "303").count(), 1200);
    browser.click_text("dora@contoso.example");
    browser.wait_seen("dora@contoso.example (analyst)");
    browser.click_text("Sign out");
    browser.wait_path("/sign-in");

    // A code that somebody else's browser brings, and one that comes twice.
    begin();
    let link = browser.run("return [...document.links].find(a => a.text.startsWith('dora')).href", &[]);
    let link = link.as_str().unwrap().to_owned();
    browser.forget_cookies();
    browser.open_url(&link);
    browser.wait_seen("did not begin in this browser");
    begin();
    browser.click_text("dora@contoso.example");
    browser.wait_seen("dora@contoso.example (analyst)");
    let accounts = people::command(&home, &namespace, "portal accounts --format json");
    assert_eq!(accounts.lines().count(), 3, "{accounts}");
    let audit = people::command(&home, &namespace, "audit --format json");
    assert_eq!(audit.matches("portal.sign-in-by-provider").count(), 4, "{audit}");
    let refused: Vec<&str> = audit.lines().filter(|line| line.contains("portal.sign-in-refused")).collect();
    for known in ["\"frank@contoso.example@portal\"", "\"carol@portal\""] {
        assert_eq!(refused.iter().filter(|line| line.contains(known)).count(), 1, "{audit}");
    }
    // Of those whom no good token names, the first at once, and the others once a minute together; whom the provider
    // refused itself hides none of them.
    let unknown: Vec<&str> = refused.iter().copied().filter(|line| line.contains("\"?@portal\"")).collect();
    let (denied, flawed): (Vec<&str>, Vec<&str>) =
        unknown.iter().copied().partition(|line| line.contains("1 by the provider, the last: access_denied"));
    assert_eq!(denied.len(), 1, "{audit}");
    assert!(
        flawed[0].contains("1 by the provider, the last: the provider's ID token is not good"),
        "{audit}"
    );
    let minutes = flawed_since.elapsed().as_secs() as usize / 60;
    assert!((1..=1 + minutes).contains(&flawed.len()), "{audit}");
    assert_eq!(refused.len(), 2 + unknown.len(), "{audit}");
    let warned = home.log().matches("sign-ins by the provider failed").count();
    assert_eq!(warned, unknown.len(), "{}", home.log());
    assert!(!home.log().contains(CLIENT_SECRET));
    drop(provider);
}
