//! All connections of a user or a device, page by page and by days.

use service::{
    control::Control,
    store::{self, Store},
};

use crate::{
    check,
    host::{Host, Login},
};

/// Hours between two connections of [`sixty`]: they are of 21 days.
const APART_H: u64 = 8;

/// `alice` connected 60 times, `bob` once before.
fn sixty() -> Host {
    let login = |number: u64, user: &str| Login {
        user: user.to_owned(),
        server: "gateway".to_owned(),
        after_s: number * APART_H * 3600,
    };
    let mut logins = vec![login(0, "bob")];
    logins.extend((1..=60).map(|number| login(number, "alice")));
    Host::after(&logins)
}

/// Addresses of the rows of a page, one a connection.
fn rows(text: &str) -> Vec<&str> {
    let table = text.split_once("aria-label=\"Connections\"").map_or("", |(_, table)| table);
    table
        .split("data-label=\"Address\"><a href=\"/connections?remote=")
        .skip(1)
        .map(|row| row.split('"').next().unwrap())
        .collect()
}

/// Where the link with these words leads to.
fn way(text: &str, words: &str) -> Option<String> {
    let (before, _) = text.split_once(&format!(">{words}</a>"))?;
    let address = before.rsplit_once("href=\"")?.1.split_once('"')?.0;
    Some(address.replace("&amp;", "&"))
}

#[test]
fn all_connections_of_a_user_and_a_device_can_be_looked_at() {
    let host = sixty();
    let carol = host.signed_in("carol");
    for (first, common) in [("/users/alice", "user=alice"), ("/devices/PC-alice", "device=PC-alice")] {
        let page = carol.get(first).text;
        let all = way(&page, "All connections, by days").unwrap();
        assert_eq!(all, format!("/connections?{common}"));
        let mut seen: Vec<String> = rows(&page).into_iter().map(str::to_owned).collect();
        assert_eq!(seen.len(), 25, "{first}");
        let mut next = way(&page, "Older ones");
        while let Some(address) = next {
            let answer = carol.get(&address);
            check(&answer, &address);
            seen.extend(rows(&answer.text).into_iter().map(str::to_owned));
            next = way(&answer.text, "Older ones");
        }
        let newest_first: Vec<String> = (1..=60).rev().map(|number| format!("203.0.113.{number}")).collect();
        assert_eq!(seen, newest_first, "each once, from {first} on");
        assert_eq!(rows(&carol.get(&all).text).len(), 50);
    }
    let bob = carol.get("/users/bob").text;
    assert_eq!((rows(&bob).len(), way(&bob, "Older ones")), (1, None));
    for nobody in ["user=nobody", "device=nothing"] {
        assert_eq!(carol.get(&format!("/connections?{nobody}")).status, 404, "{nobody}");
    }
    let audit = host.control.audit(100).unwrap();
    assert!(audit.iter().any(|row| {
        (&*row.action, row.subject.as_deref()) == ("sessions.list", Some("alice"))
            && row.who == "carol@portal"
    }));
}

#[test]
fn a_range_of_days_has_the_connections_of_both_its_ends_and_is_a_file() {
    let host = sixty();
    host.end_all();
    let carol = host.signed_in("carol");
    // 2026-09-21T14:13:20Z is the beginning: at 06:13, 14:13 and 22:13 of each day.
    let days = "since=2026-09-23&until=2026-09-25";
    for common in ["user=alice", "device=PC-alice"] {
        let answer = carol.get(&format!("/connections?{common}&{days}"));
        check(&answer, common);
        let wanted: Vec<String> = (5..=13).rev().map(|number| format!("203.0.113.{number}")).collect();
        assert_eq!(rows(&answer.text), wanted, "{common}");
        for part in ["name=\"since\" value=\"2026-09-23\"", "since 2026-09-23 UTC, until 2026-09-25 UTC"] {
            assert!(answer.text.contains(part), "{part} is not in {}", answer.text);
        }
    }
    let page = carol.get("/connections?user=alice&since=2026-09-23&until=").text;
    let next = way(&page, "Older ones").unwrap();
    assert!(next.contains("&user=alice&since=2026-09-23"), "{next}");
    assert_eq!(rows(&page).len() + rows(&carol.get(&next).text).len(), 56);

    let page = carol.get(&format!("/connections?user=alice&{days}")).text;
    let file = way(&page, "CSV").unwrap();
    assert_eq!(file, format!("/users/alice/connections.csv?zone=UTC&{days}"));
    let answer = carol.get(&file);
    assert_eq!((answer.status, answer.text.lines().count()), (200, 1 + 9), "{}", answer.text);
    let answer = carol.get(&format!("/users/alice/connections.json?{days}"));
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&answer.text).unwrap().len(), 9);
    for wrong in ["since=yesterday", "until=2026-13-01", "when=now"] {
        for page in ["/connections?user=alice&", "/users/alice/connections.csv?"] {
            assert_eq!(carol.get(&format!("{page}{wrong}")).status, 400, "{page}{wrong}");
        }
    }
    let audit = host.control.audit(100).unwrap();
    let told = "as csv, since=2026-09-23T00:00:00.000000Z, until=2026-09-26T00:00:00.000000Z";
    assert!(audit.iter().any(|row| row.details.as_deref() == Some(told)), "{audit:?}");
}

#[test]
fn what_a_page_leaves_out_it_says_with_a_way_to_all_of_it() {
    let logins: Vec<Login> = (0..310)
        .map(|number| Login {
            user: if number < 4 { "bob" } else { "alice" }.to_owned(),
            server: "gateway".to_owned(),
            after_s: number * 3600,
        })
        .collect();
    let host = Host::after(&logins);
    let carol = host.signed_in("carol");
    let alice = carol.get("/users/alice");
    assert!(carol.octets_on_the_wire("/users/alice") < 100_000);
    let (_, locations) = alice.text.split_once("VPN locations").unwrap();
    let locations = locations.split_once("</section>").unwrap().0;
    assert_eq!(locations.matches("href=\"/connections?remote=").count(), 10);
    let words = "The newest 10, and 40 or more: <a href=\"/connections?user=alice\">";
    assert!(locations.contains(words), "{locations}");
    for part in ["300 connections in thirty days", "all that began since", "300 connections are drawn"] {
        assert!(alice.text.contains(part), "{part:?} is not in {}", alice.text);
    }
    let all = way(&alice.text, "all of them").unwrap();
    assert!(all.starts_with("/connections?user=alice&since=2"), "{all}");
    assert_eq!(carol.get(&all).status, 200);
    assert!(carol.get("/devices/PC-alice").text.contains("The newest 10, and 40 or more: "));

    let bob = carol.get("/users/bob").text;
    assert!(!bob.contains("The newest"), "{bob}");
}

/// A portal over a store with these sessions: who, address outside the tunnel and in it, begin and end in seconds since 1970.
fn with_sessions(sessions: &[(&str, &str, &str, i64, Option<i64>)]) -> Host {
    let folder = tempfile::tempdir().unwrap();
    drop(Control::open(folder.path()).unwrap());
    let path = service::folder(folder.path()).join(store::FILE);
    drop(Store::open(&path).unwrap());
    let written = rusqlite::Connection::open(&path).unwrap();
    written.execute_batch("INSERT INTO server (number, client) VALUES (1, 'gateway')").unwrap();
    for (user, remote, assigned, start_s, end_s) in sessions {
        let last_s = end_s.unwrap_or_else(|| jiff::Timestamp::now().as_second());
        let [start, last] = [*start_s, last_s].map(|at| at * 1_000_000_000);
        written
            .execute(
                "INSERT INTO session (server, session_id, start, start_source, last_seen, ended, user, remote, assigned)
                 VALUES (1, 's', ?1, 'start', ?2, ?3, ?4, ?5, ?6)",
                (start, last, end_s.map(|_| last), user, remote, assigned),
            )
            .unwrap();
        let seen =
            "INSERT OR REPLACE INTO sighting (sort, name, first, last, count) VALUES (1, ?1, ?2, ?3, 1)";
        written.execute(seen, (user, start, last)).unwrap();
    }
    drop(written);
    Host::serving(folder)
}

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

#[test]
fn a_connection_that_is_always_on_is_on_every_day_of_the_timeline() {
    let now = jiff::Timestamp::now().as_second();
    let host = with_sessions(&[
        ("alice", "203.0.113.1", "10.1.2.3", now - 40 * DAY_S, None),
        ("alice", "203.0.113.1", "10.1.2.4", now - 38 * DAY_S, Some(now - 35 * DAY_S)),
        ("alice", "203.0.113.1", "10.1.2.5", now - 50 * DAY_S, Some(now - 20 * DAY_S)),
    ]);
    let page = host.signed_in("carol").get("/users/alice");
    check(&page, "always on");
    assert!(page.text.contains("2 connections in thirty days since"), "{}", page.text);
    let (_, timeline) = page.text.split_once("<svg class=\"timeline\"").unwrap();
    let timeline = timeline.split_once("</svg>").unwrap().0;
    // Thirty days of the one, and ten of the other, the last of them a part.
    let bars = timeline.matches("class=\"bar\"").count();
    assert_eq!(bars, 30 + 10, "{timeline}");
}

#[test]
fn whoever_had_an_address_since_the_evening_before_is_found_on_that_day() {
    // 2026-09-24T00:00:00Z.
    let day = 1_790_208_000;
    let (outside, inside) = ("203.0.113.9", "10.1.2.3");
    let host = with_sessions(&[
        ("alice", outside, inside, day - 6 * HOUR_S, Some(day + 7 * HOUR_S)),
        ("bob", outside, inside, day + 8 * HOUR_S, Some(day + 9 * HOUR_S)),
        ("dave", outside, inside, day - 9 * HOUR_S, Some(day - 7 * HOUR_S)),
        ("erin", outside, inside, day - 9 * DAY_S, Some(day + HOUR_S)),
        ("frank", outside, inside, day + DAY_S, Some(day + DAY_S + HOUR_S)),
    ]);
    let carol = host.signed_in("carol");
    for common in [format!("assigned={inside}"), format!("remote={outside}")] {
        let page = carol.get(&format!("/connections?{common}&since=2026-09-24&until=2026-09-24"));
        check(&page, &common);
        let table = page.text.split_once("aria-label=\"Connections\"").unwrap().1;
        let users: Vec<&str> =
            table.split("href=\"/users/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(users, ["bob", "alice", "erin"], "{common}: {}", page.text);
        let said = "there at some time since 2026-09-24 UTC, until 2026-09-24 UTC";
        assert!(page.text.contains(said), "{}", page.text);
    }
    let page = carol.get("/connections?since=2026-09-24&until=2026-09-24").text;
    assert!(page.contains("begun since 2026-09-24 UTC") && !page.contains("/users/alice"), "{page}");
}

#[test]
fn a_place_is_one_through_whatever_network_and_by_whatever_database() {
    let at = |hour: i64| 1_790_208_000 + hour * HOUR_S;
    let sessions: Vec<(&str, &str, &str, i64, Option<i64>)> = [
        ("alice", "203.0.113.1", 0),
        ("bob", "203.0.113.2", 1),
        ("alice", "203.0.113.1", 2),
        ("dave", "203.0.113.4", 3),
    ]
    .into_iter()
    .map(|(user, remote, hour)| (user, remote, "10.1.2.3", at(hour), Some(at(hour + 1))))
    .collect();
    let host = with_sessions(&sessions);
    // Orange, Free, and Orange again by the next build; Paris.
    host.write(
        "INSERT INTO place (id, whereabouts, name, country, asn, kinds, anycast, database) VALUES
             (1, 'place', 'Lyon, FR', 'FR', 3215, '', 0, 'a'), (2, 'place', 'Lyon, FR', 'FR', 12322, '', 0, 'a'),
             (3, 'place', 'Lyon, FR', 'FR', 3215, '', 0, 'b'), (4, 'place', 'Paris, FR', 'FR', 3215, '', 0, 'a');
         UPDATE session SET place = number;",
    );
    let carol = host.signed_in("carol");
    for place in [1, 2, 3] {
        let page = carol.get(&format!("/connections?place={place}"));
        check(&page, "a place");
        assert_eq!(rows(&page.text), ["203.0.113.1", "203.0.113.2", "203.0.113.1"], "{}", page.text);
        assert!(page.text.contains("from Lyon, FR"), "{}", page.text);
    }
    let found = carol.get("/search?q=Lyon");
    assert_eq!(found.status, 303, "there is one: {}", found.text);
    let alice = carol.get("/users/alice").text;
    let (_, locations) = alice.split_once("VPN locations").unwrap();
    let locations = locations.split_once("</section>").unwrap().0;
    assert_eq!(locations.matches("href=\"/connections?remote=").count(), 1, "{locations}");
}
