//! All connections of a user or a device, page by page and by days.

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
    for part in ["The newest 300 connections in thirty days", "300 connections are drawn"] {
        assert!(alice.text.contains(part), "{part:?} is not in {}", alice.text);
    }
    let all = way(&alice.text, "all of them").unwrap();
    assert!(all.starts_with("/connections?user=alice&since=2"), "{all}");
    assert_eq!(carol.get(&all).status, 200);
    assert!(carol.get("/devices/PC-alice").text.contains("The newest 10, and 40 or more: "));

    let bob = carol.get("/users/bob").text;
    assert!(!bob.contains("The newest"), "{bob}");
}
