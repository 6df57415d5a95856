//! Days and hours of the viewer's zone, which the script tells by a cookie, and of UTC where it does not.

use crate::{
    check,
    host::{Browser, Host, Login},
    sensing,
};

/// `alice` connected at 2026-09-21T18:14:59Z and at 18:15:00Z: midnight in Kathmandu lies between them.
fn around_midnight() -> Host {
    let login = |after_s: u64| Login { user: "alice".to_owned(), server: "gateway".to_owned(), after_s };
    let host = Host::after(&[login(14_499), login(14_500)]);
    host.end_all();
    host
}

/// How many connections of a day there are on the page of connections and in the file that it leads to.
fn on(browser: &Browser<'_>, day: &str) -> (usize, usize) {
    let range = format!("since={day}&until={day}");
    let page = browser.get(&format!("/connections?user=alice&{range}"));
    check(&page, day);
    let file = browser.get(&file(&page.text)).text;
    (page.text.matches("data-label=\"Address\"").count(), file.lines().count() - 1)
}

/// Where the page of connections has them as CSV.
fn file(page: &str) -> String {
    let (_, file) =
        page.split_once("<a href=\"/users/alice/connections.csv?").unwrap_or_else(|| panic!("{page}"));
    let file = file.split('"').next().unwrap().replace("&amp;", "&");
    format!("/users/alice/connections.csv?{file}")
}

#[test]
fn days_and_hours_of_a_page_are_the_viewer_s_and_it_says_whose() {
    let host = around_midnight();
    let carol = host.signed_in("carol");
    let utc = carol.get("/users/alice");
    check(&utc, "without a zone");
    for part in [
        "Days and hours are those of UTC.",
        ">2026-09-21: 2<",
        ">2026-09-21 18:15 UTC, ",
        ">Mon 18 h UTC: 2<",
    ] {
        assert!(utc.text.contains(part), "{part:?} is not in {}", utc.text);
    }
    assert_eq!([on(&carol, "2026-09-21"), on(&carol, "2026-09-22")], [(2, 2), (0, 0)]);

    let of_utc = file(&carol.get("/connections?user=alice&since=2026-09-22&until=2026-09-22").text);
    carol.go_to_zone("Asia/Kathmandu");
    // A link has the days of the page that it stands on.
    assert_eq!(carol.get(&of_utc).text.lines().count(), 1, "{of_utc}");
    let page = carol.get("/users/alice");
    check(&page, "in Kathmandu");
    for part in [
        "Days and hours are those of Asia/Kathmandu.",
        ">2026-09-21: 1<",
        ">2026-09-22: 1<",
        ">2026-09-21 23:59 Asia/Kathmandu, ",
        ">2026-09-22 00:00 Asia/Kathmandu, ",
        "(2026-09-21T18:15:00Z)<",
        ">Mon 23 h Asia/Kathmandu: 1<",
        ">Tue 0 h Asia/Kathmandu: 1<",
        // The script writes it in the viewer's zone.
        "<time datetime=\"2026-09-21T18:15:00",
    ] {
        assert!(page.text.contains(part), "{part:?} is not in {}", page.text);
    }
    assert_eq!([on(&carol, "2026-09-21"), on(&carol, "2026-09-22")], [(1, 1), (1, 1)]);
    let text = carol.get("/connections?user=alice&since=2026-09-22").text;
    for part in ["From (day of Asia/Kathmandu)", "since 2026-09-22 Asia/Kathmandu"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(carol.get("/alerts").text.contains("Since (day of Asia/Kathmandu)"));

    // Files and the API have UTC, whoever asks; what the audit log has is UTC as well.
    let file = carol.get("/users/alice/connections.csv?since=2026-09-22").text;
    assert!(file.contains("\n\"2026-09-21T18:15:00") && !file.contains("2026-09-22"), "{file}");
    let told = "as csv, since=2026-09-21T18:15:00.000000Z";
    let audit = host.control.audit(100).unwrap();
    assert!(audit.iter().any(|row| row.details.as_deref() == Some(told)), "{audit:?}");
}

#[test]
fn axes_of_time_have_the_hours_of_the_viewer_s_zone() {
    let host = Host::start(&["alice"]);
    let carol = host.signed_in("carol");
    // The last is of 2026-09-21T14:48:10Z.
    for step in 0..200 {
        host.sensor.note(sensing::look(1_790_000_100 + 10 * step, 500 * step));
    }
    for (zone, name, last) in
        [(None, "UTC", "14:48"), (Some("America/St_Johns"), "America/St_Johns", "12:18")]
    {
        if let Some(zone) = zone {
            carol.go_to_zone(zone);
        }
        for page in ["/", "/sensors?minutes=15", "/sensors/plots?minutes=15"] {
            let text = carol.get(page).text;
            for part in
                [format!("<tspan> {name}</tspan>"), format!(">{last}<title>2026-09-21T14:48:10Z</title>")]
            {
                assert!(text.contains(&part), "{page} in {name}: {part:?} is not in {text}");
            }
        }
    }
}

#[test]
fn times_that_a_search_finds_are_moments() {
    let host = Host::start(&["alice", "bob"]);
    let text = host.signed_in("carol").get("/search?q=10.1.0.").text;
    let moment = "from <time datetime=\"2026-09-21T14:13:20.000000Z\" title=\"2026-09-21T14:13:20.000000Z\">";
    assert!(text.contains(moment), "{text}");
}

#[test]
fn a_cookie_that_names_no_zone_is_utc_and_stands_on_no_page() {
    let host = around_midnight();
    let carol = host.signed_in("carol");
    for hostile in [
        "Mars/Olympus",
        "../../etc/passwd",
        "Etc/Unknown",
        "<b>Europe/Berlin",
        "%45urope/Berlin",
        &"A".repeat(3000),
    ] {
        carol.go_to_zone(hostile);
        for page in
            ["/", "/users/alice", "/connections?user=alice&since=2026-09-21&until=2026-09-21", "/alerts"]
        {
            let answer = carol.get(page);
            assert_eq!(answer.status, 200, "{page}: {hostile}");
            check(&answer, page);
            assert!(!answer.text.contains(hostile), "{page}: {hostile}");
        }
        assert!(carol.get("/users/alice").text.contains("Days and hours are those of UTC."), "{hostile}");
        assert_eq!(on(&carol, "2026-09-21"), (2, 2), "{hostile}");
    }
}
