//! A link sets a password once; wrong passwords wait; signing out ends the visit.

use browser::{Browser, people};
use end_to_end::{Namespace, config::Config, sensor::Home};

#[test]
fn a_link_signs_in_once_and_wrong_passwords_wait() {
    let namespace = Namespace::new("portal");
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&namespace);
    let browser = Browser::start(&namespace);

    browser.open("/users");
    browser.wait_path("/sign-in?next=%2Fusers");
    let link = people::link(&home, &namespace, "carol", "analyst");
    browser.open_url(&link);
    browser.fill("input[name=password]", people::PASSWORD);
    browser.fill("input[name=again]", "something else");
    browser.click("main button");
    assert!(browser.text("[role=alert]").contains("not the same"));
    browser.fill("input[name=password]", people::PASSWORD);
    browser.fill("input[name=again]", people::PASSWORD);
    browser.click("main button");
    browser.wait_path("/");
    assert!(browser.text(".account").contains("carol (analyst)"));
    browser.assert_quiet_but(&["422"]);

    browser.click_text("Sign out");
    browser.wait_path("/sign-in");
    browser.open("/users");
    browser.wait_path("/sign-in?next=%2Fusers");
    browser.open_url(&link);
    assert!(browser.seen().contains("used up"), "{}", browser.seen());

    let attempt = |password: &str| {
        browser.open("/sign-in");
        browser.fill("input[name=account]", "carol");
        browser.fill("input[name=password]", password);
        browser.click("main button");
    };
    attempt(people::PASSWORD);
    assert!(browser.text(".account").contains("carol"));
    browser.click_text("Sign out");
    browser.wait_path("/sign-in");
    browser.open("/users?q=a");
    browser.fill("input[name=account]", "carol");
    browser.fill("input[name=password]", people::PASSWORD);
    browser.click("main button");
    browser.wait_path("/users?q=a");
    browser.click_text("Sign out");
    browser.wait_path("/sign-in");
    for _ in 0..5 {
        attempt("a guess of somebody");
        assert!(browser.text("[role=alert]").contains("wrong"), "{}", browser.seen());
    }
    attempt(people::PASSWORD);
    let told = browser.text("[role=alert]");
    assert!(told.contains("Too many wrong passwords") && told.contains("administrator"), "{told}");
    let audit = people::command(&home, &namespace, "audit --format json");
    let refused = |why: &str| {
        let lines = audit.lines().filter(|line| line.contains("portal.sign-in-refused"));
        lines.filter(|line| line.contains("carol@portal") && line.contains(why)).count()
    };
    assert_eq!((refused("wrong account or password"), refused("")), (5, 6), "{audit}");
    assert_eq!(refused("this one was not looked at"), 1, "{audit}");

    // Who lost the password comes in at once, by the host.
    people::sign_in(&browser, &home, &namespace, "carol", "analyst");
    browser.assert_quiet_but(&["401", "410", "429"]);
}
