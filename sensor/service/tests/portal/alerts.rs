//! Alerts: found, looked at, closed one by one and many at once.

use service::Meaning;

use crate::{check, desk::Desk, host::Browser};

/// The boxes of a list: numbers with revisions.
fn boxes(text: &str) -> Vec<String> {
    let parts = text.split("name=\"alert\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

/// The alert about a user.
fn alert_of(browser: &Browser<'_>, user: &str) -> String {
    let found = boxes(&browser.get(&format!("/alerts?user={user}")).text);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].split('.').next().unwrap().to_owned()
}

#[test]
fn an_alert_about_travel_shows_from_where_to_where() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let answer = carol.get(&format!("/alerts/{}", alert_of(&carol, "user0")));
    check(&answer, "alert");
    for part in
        ["class=\"way\"", "From Boxford", "Distance", "Expected", "Seen", "Usual for this user", "/records"]
    {
        assert!(answer.text.contains(part), "{part:?} is not in {}", answer.text);
    }
    let other = carol.get(&format!("/alerts/{}", alert_of(&carol, "user1")));
    assert!(other.text.contains("Where its connections came from"), "{}", other.text);
    assert!(!other.text.contains("0 km"), "nothing says how well the place is known: {}", other.text);
}

#[test]
fn the_records_of_an_alert_are_one_click_away() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let number = alert_of(&carol, "user1");
    let answer = carol.get(&format!("/alerts/{number}/records"));
    check(&answer, "records");
    for part in ["Acct-Session-Id", "away-1", "Calling-Station-Id", "89.160.20.112", "Start"] {
        assert!(answer.text.contains(part), "{part:?} is not in {}", answer.text);
    }
    assert!(!answer.text.contains("away-0") && !answer.text.contains("Not all of the journal"));
    assert_eq!(carol.get("/alerts/999/records").status, 404);
}

#[test]
fn filters_take_what_they_say() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    assert_eq!(boxes(&carol.get("/alerts").text).len(), 3);
    assert_eq!(boxes(&carol.get("/alerts?severity=high").text).len(), 1);
    assert_eq!(boxes(&carol.get("/alerts?reason=device").text).len(), 3);
    assert_eq!(boxes(&carol.get("/alerts?state=closed").text).len(), 0);
    assert_eq!(boxes(&carol.get("/alerts?since=2099-01-01").text).len(), 0);
    assert_eq!(carol.get("/alerts?since=yesterday").status, 400);
    assert_eq!(carol.get("/alerts?reason=nonsense").status, 400);
}

#[test]
fn what_was_held_back_says_so_in_the_list_and_on_its_page() {
    let mut meaning = Meaning::default();
    meaning.detect.notices_per_day = 1;
    let desk = Desk::with(&meaning);
    let carol = desk.host.signed_in("carol");
    // One of two below high severity is sent.
    let held = carol.get("/alerts?sent=held");
    check(&held, "alerts");
    let all = carol.get("/alerts").text;
    assert_eq!((boxes(&held.text).len(), boxes(&all).len()), (1, 3));
    assert_eq!(all.matches(">held back</span>").count(), 1, "{all}");
    let number = boxes(&held.text)[0].split('.').next().unwrap().to_owned();
    let page = carol.get(&format!("/alerts/{number}"));
    check(&page, "alert");
    for part in
        ["to nobody as it stands: held back", "What happened", "new", ", held back, 1 piece of news since "]
    {
        assert!(page.text.contains(part), "{part:?} is not in {}", page.text);
    }
    let sent = boxes(&all).into_iter().find(|alert| !alert.starts_with(&format!("{number}."))).unwrap();
    let page = carol.get(&format!("/alerts/{}", sent.split('.').next().unwrap())).text;
    assert!(page.contains("What happened") && !page.contains("held back"), "{page}");
    assert!(
        page.contains(" times likelier an attacker&#39;s than the user&#39;s")
            || page.contains(" times likelier an attacker's than the user's"),
        "{page}"
    );
}

#[test]
fn many_alerts_are_closed_at_once_and_what_changed_meanwhile_is_not() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let list = carol.get("/alerts");
    check(&list, "alerts");
    let (token, all) = (list.form_token(), boxes(&list.text));
    assert_eq!(all.len(), 3);
    let close = |alerts: &[&str], token: &str| {
        let mut form = vec![("token", token), ("verdict", "unclear"), ("comment", "drill")];
        form.extend(alerts.iter().map(|alert| ("alert", *alert)));
        carol.post("/alerts/close", &form)
    };
    assert_eq!(close(&[&all[0]], "wrong").status, 403);
    assert_eq!(close(&[], &token).status, 422);
    let stale = format!("{}.999", all[0].split('.').next().unwrap());
    let answer = close(&[&stale, &all[1]], &token);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("changed since you looked") && answer.text.contains("is closed."));
    assert_eq!(boxes(&carol.get("/alerts").text).len(), 2);
    let answer = close(&[&all[0], &all[1]], &token);
    assert!(
        answer.text.contains("is closed already: as unclear by carol@portal")
            && answer.text.contains("is closed."),
        "who closed it, and not of which revision it is: {}",
        answer.text
    );
    assert!(!answer.text.contains("changed since you looked"), "{}", answer.text);
    assert_eq!(close(&[&all[2]], &token).status, 303);
    assert_eq!(boxes(&carol.get("/alerts").text).len(), 0);
    let closed = carol.get("/alerts?state=unclear").text;
    assert!(closed.contains("unclear, by ") && closed.contains("carol@portal"), "{closed}");
    let audit = desk.host.control.audit(100).unwrap();
    assert_eq!(audit.iter().filter(|row| &*row.action == "alert.close").count(), 3);
}

#[test]
fn usual_for_this_user_is_one_button() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let number = alert_of(&carol, "user1");
    let page = carol.get(&format!("/alerts/{number}"));
    let (_, form) = page.text.split_once("name=\"revision\" value=\"").unwrap();
    let revision = form.split('"').next().unwrap();
    let token = page.form_token();
    let form = [("token", &*token), ("revision", revision), ("verdict", "usual")];
    assert_eq!(carol.post(&format!("/alerts/{number}/close"), &form).status, 303);
    assert!(carol.get(&format!("/alerts/{number}")).text.contains("usual, by "));
}

#[test]
fn a_user_who_is_not_known_is_said_so_with_those_who_may_be_meant() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let answer = carol.get("/alerts?state=all&severity=low&user=SER");
    check(&answer, "alerts of nobody");
    assert!(
        answer.text.contains("Nobody is known as") && !answer.text.contains("No alerts."),
        "{}",
        answer.text
    );
    for user in ["user0", "user1", "user2"] {
        let way = format!("href=\"/alerts?state=all&amp;severity=low&amp;user={user}\"");
        assert!(answer.text.contains(&way), "{way}: {}", answer.text);
    }
    let slip = carol.get("/alerts?user=usr1").text;
    assert!(slip.contains("nobody has this in the name") && !slip.contains("user1\""), "{slip}");
    let known = carol.get("/alerts?state=closed&user=user1").text;
    assert!(known.contains("No alerts.") && !known.contains("Nobody is known"), "{known}");
}

#[test]
fn a_form_of_many_alerts_that_is_refused_keeps_its_ticks_and_its_text() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let list = carol.get("/alerts");
    let (token, all) = (list.form_token(), boxes(&list.text));
    // Two octets a letter: what a script sends, and no field takes.
    let long = "\u{44f}".repeat(2_500);
    let form = [
        ("token", &*token),
        ("list", "severity=high"),
        ("verdict", "unclear"),
        ("comment", &long),
        ("alert", &all[0]),
    ];
    let high = boxes(&carol.get("/alerts?severity=high").text);
    let form: Vec<(&str, &str)> =
        form.into_iter().chain(high.iter().map(|alert| ("alert", &**alert))).collect();
    let answer = carol.post("/alerts/close", &form);
    assert_eq!(answer.status, 422, "{}", answer.text);
    check(&answer, "alerts");
    for part in [
        "role=\"alert\"><bdi>a comment has at most 4096 octets",
        "<option value=\"unclear\" selected>",
        &*long,
        &format!("value=\"{}\" checked", high[0]),
    ] {
        assert!(answer.text.contains(part), "{part:?} is not in {}", answer.text);
    }
    assert_eq!(boxes(&answer.text), high, "the list as it was asked for");
    assert_eq!(boxes(&carol.get("/alerts").text).len(), 3);
    let form = [("token", &*token), ("verdict", ""), ("comment", "drill"), ("alert", &all[1])];
    let answer = carol.post("/alerts/close", &form);
    assert_eq!(answer.status, 422);
    assert!(
        answer.text.contains("value=\"drill\"") && answer.text.matches(" checked").count() == 1,
        "{}",
        answer.text
    );
}

#[test]
fn who_decides_second_is_told_who_was_first_on_the_alert_s_page_with_what_she_wrote() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let number = alert_of(&carol, "user1");
    let path = format!("/alerts/{number}");
    let looked = carol.get(&path);
    let token = looked.form_token();
    let closing = |revision: &str, verdict: &str, comment: &str| {
        let form = [("token", &*token), ("revision", revision), ("verdict", verdict), ("comment", comment)];
        carol.post(&format!("{path}/close"), &form)
    };
    let written = carol.post(&format!("{path}/comments"), &[("token", &*token), ("comment", "first")]);
    assert_eq!(written.status, 303);
    // It grew meanwhile: her text is there, on the alert as it is now.
    let grown = closing("1", "malicious", "asked <her>");
    assert_eq!(grown.status, 409);
    check(&grown, "alert");
    for part in [
        "changed since you looked at it: it is of revision 2, not 1",
        "value=\"asked &lt;her&gt;\"",
        "<option value=\"malicious\" selected>",
        "name=\"revision\" value=\"2\"",
        ">first</bdi>",
    ] {
        assert!(grown.text.contains(part), "{part:?} is not in {}", grown.text);
    }
    let too_long = "\u{44f}".repeat(2_500);
    for refused in [
        closing("2", "usual", &too_long),
        carol.post(&format!("{path}/comments"), &[("token", &*token), ("comment", &*too_long)]),
    ] {
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains(&too_long) && refused.text.contains("octets, and this has 5000"));
    }
    assert_eq!(closing("2", "usual", "").status, 303);
    for second in [
        closing("2", "malicious", "asked <her>"),
        carol.post(&format!("{path}/comments"), &[("token", &*token), ("comment", "asked <her>")]),
    ] {
        assert_eq!(second.status, 409);
        check(&second, "alert");
        for part in [
            "is closed already: as usual by carol@portal",
            ">asked &lt;her&gt;</textarea>",
            "Expected against seen",
        ] {
            assert!(second.text.contains(part), "{part:?} is not in {}", second.text);
        }
        assert!(!second.text.contains("revision"), "{}", second.text);
    }
    let closed = carol.get(&path).text;
    assert!(!closed.contains(&format!("action=\"{path}/")) && closed.contains("It is closed: nothing more"));
    assert_eq!(
        carol
            .post("/alerts/999/close", &[("token", &*token), ("revision", "1"), ("verdict", "usual")])
            .status,
        404
    );
}
