//! Where the portal is reached.

use super::*;

#[test]
fn what_links_begin_with_is_a_host_and_perhaps_a_path() {
    let load = |link: &str| load_text(&format!("[portal]\nlink = {link:?}"));
    for (link, taken) in [
        ("https://sensor.contoso.example", "https://sensor.contoso.example"),
        ("https://sensor.contoso.example:8443/vpn/", "https://sensor.contoso.example:8443/vpn"),
        ("http://[2001:db8::5]/", "http://[2001:db8::5]"),
    ] {
        assert_eq!(load(link).unwrap().portal_link.as_deref(), Some(taken));
    }
    let long = format!("https://sensor.contoso.example/{}", "x".repeat(200));
    for wrong in [
        "",
        "sensor.contoso.example",
        "/alerts",
        "https://",
        "ftp://sensor.contoso.example",
        "javascript:alert(1)",
        "https://anybody@sensor.contoso.example",
        "https://sensor.contoso.example/?a=b",
        "https://sensor.contoso.example/#top",
        "https://sensor.contoso.example/a b",
        "https://sensor.contoso.example/\u{202e}",
        &long,
    ] {
        assert!(load(wrong).is_err(), "{wrong}");
    }
    assert_eq!(load_text("").unwrap().portal_link, None);
}

#[test]
fn what_other_hosts_can_reach_speaks_tls_and_its_addresses_say_so() {
    let load = |text: &str| load_text(&format!("state_dir = \"/s\"\n[portal]\n{text}")).unwrap();
    let plain = load("");
    assert_eq!(plain.portal_certificate(), None);
    assert_eq!(plain.portal_url().as_deref(), Some("http://127.0.0.1:8813"));
    assert_eq!(load("address = \"off\"").portal_url(), None);

    let open = load("address = \"192.0.2.1:8813\"\nlink = \"https://sensor.contoso.example/\"");
    let Some(Certificate::Made { file, names }) = open.portal_certificate() else { panic!("{open:?}") };
    assert_eq!(file, Path::new("/s/portal.pem"));
    assert_eq!(names, ["localhost", "127.0.0.1", "::1", "192.0.2.1", "sensor.contoso.example"]);
    assert_eq!(open.portal_url().as_deref(), Some("https://sensor.contoso.example"));
    assert_eq!(plain.needs_restart(&load("address = \"127.0.0.1:8813\"")), Vec::<&str>::new());
    assert!(plain.needs_restart(&open).contains(&"portal.certificate"));
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "known to two").unwrap();
    let provider = load(&format!(
        "link = \"https://sensor.contoso.example/vpn\"\n[portal.oidc]\nissuer = \"https://id.contoso.example\"\n\
         client_id = \"vpn-sensor\"\nclient_secret_file = {:?}\nanalysts = [\"*\"]\n",
        secret.path()
    ));
    let oidc = provider.portal_provider().unwrap();
    assert_eq!(oidc.redirect, "https://sensor.contoso.example/vpn/sign-in/provider/back");
    assert_eq!((&*oidc.claim, oidc.client_secret.octets()), ("groups", &b"known to two"[..]));
    assert!(!format!("{provider:?}").contains("known to two"));
    assert!(plain.needs_restart(&provider).contains(&"portal.oidc"));
    let anywhere = load("address = \"[::]:8813\"");
    assert_eq!(anywhere.portal_url().as_deref(), Some("https://localhost:8813"));
}

#[test]
fn a_claim_of_the_provider_decides_unless_people_write_it_themselves() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "known to two").unwrap();
    let load = |claim: &str| {
        load_text(&format!(
            "[portal.oidc]\nissuer = \"https://id.contoso.example\"\nclient_id = \"vpn-sensor\"\n\
             client_secret_file = {:?}\nanalysts = [\"*\"]\nclaim = {claim:?}\n",
            secret.path()
        ))
    };
    for claim in ["groups", "roles", "https://contoso.example/roles", "sub", "email"] {
        assert_eq!(load(claim).unwrap().portal_oidc.unwrap().claim, claim);
    }
    for claim in ["preferred_username", "name", "name#de", "nickname", "email_verified", "amr", "updated_at"]
    {
        let error = load_error(load(claim));
        assert!(
            error.contains(":6:") && error.contains("groups or roles") && error.contains("\"sub\""),
            "{error}"
        );
    }
}
