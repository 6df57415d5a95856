//! Users by risk, and one box that finds everything.

use crate::{
    HOSTILE, check,
    desk::Desk,
    host::{Host, Login},
    path,
};

#[test]
fn users_with_open_alerts_come_first_and_the_riskiest_of_them() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let answer = carol.get("/users");
    check(&answer, "users");
    let order: Vec<usize> = ["user0", "user1", "user2"]
        .iter()
        .map(|user| answer.text.find(&format!("/users/{user}\"")).unwrap())
        .collect();
    assert!(order[0] < order[1] && order[0] < order[2], "travel that cannot be weighs most: {order:?}");
    assert!(answer.text.contains("severity high"));
    assert!(answer.text.contains("data-follow=\"results\"") && answer.text.contains("id=\"results\""));
}

#[test]
fn devices_of_open_alerts_come_first_and_the_riskiest_of_them() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let answer = carol.get("/devices");
    check(&answer, "devices");
    let place = |device: &str| answer.text.find(&format!("/devices/{device}\"")).unwrap();
    for other in ["PC-1", "PC-2"] {
        assert!(place("KALI") < place(other), "{}", answer.text);
    }
    let (_, row) = answer.text.split_once("/devices/KALI\"").unwrap();
    let row = row.split_once("</tr>").unwrap().0;
    assert!(row.contains("severity high") && row.contains("<strong>3</strong>"), "{row}");
    assert!(!carol.get("/devices?q=pc-").text.contains("/devices/KALI"));
    assert!(carol.get("/devices?q=kAl").text.contains("/devices/KALI"));
}

#[test]
fn a_list_by_risk_has_everybody_once_page_by_page() {
    let people: Vec<String> = (0..120).map(|number| format!("person{number:03}")).collect();
    let host = Host::start(&people.iter().map(String::as_str).collect::<Vec<_>>());
    let carol = host.signed_in("carol");
    for list in ["users", "devices"] {
        let mut seen = Vec::new();
        let mut page = format!("/{list}?q=person");
        for _ in 0..3 {
            let text = carol.get(&page).text;
            let way = format!("href=\"/{list}/");
            let rows = text.split(&way).skip(1);
            seen.extend(rows.map(|part| part.split('"').next().unwrap().to_owned()));
            match text.split_once(&format!("href=\"/{list}?q=person&amp;cursor=")) {
                Some((_, rest)) => {
                    page = format!("/{list}?q=person&cursor={}", rest.split('"').next().unwrap());
                }
                None => break,
            }
        }
        assert_eq!(seen.len(), 120, "{list}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 120, "{list}");
    }
}

#[test]
fn one_box_finds_everything() {
    let host = Host::start(&["alice", "bob", "albert"]);
    let carol = host.signed_in("carol");
    let answer = carol.get("/search?q=203.0.113.");
    check(&answer, "search");
    for address in ["203.0.113.0", "203.0.113.1", "203.0.113.2"] {
        assert!(answer.text.contains(&format!("/connections?remote={address}")), "{}", answer.text);
    }
    for (asked, found) in [
        ("al", "/users/albert"),
        ("pc-", "/devices/PC-bob"),
        ("s00", "/connections?session=s001"),
        ("203", "/connections?remote=203.0.113.1"),
    ] {
        let text = carol.get(&format!("/search?q={asked}")).text;
        assert!(text.contains(found), "{asked}: {text}");
    }
    for (asked, way) in [
        ("lyon", "/connections?place="),
        ("gatew", "/connections?server="),
        ("Telecom", "/connections?place="),
    ] {
        let answer = carol.get(&format!("/search?q={asked}"));
        assert!(
            answer.status == 303 && answer.header("location").starts_with(way),
            "{asked}: {}",
            answer.text
        );
        let connections = carol.get(answer.header("location"));
        check(&connections, asked);
        assert!(connections.text.contains("/users/bob") && connections.text.contains("/users/alice"));
    }
    // What a firewall's log has is an address inside the tunnel.
    assert_eq!(carol.get("/search?q=10.1.0.1").header("location"), "/connections?assigned=10.1.0.1");
    let part = carol.get("/search?q=10.1.0.");
    check(&part, "addresses inside the tunnel");
    assert!(part.text.contains("/connections?assigned=10.1.0.2") && part.text.contains("last albert"));
    let connections = carol.get("/connections?assigned=10.1.0.1");
    check(&connections, "connections with an address inside the tunnel");
    assert!(connections.text.contains("/users/bob") && !connections.text.contains("/users/alice"));
    assert!(connections.text.contains("href=\"/connections?assigned=10.1.0.1\""));
    assert_eq!(carol.get("/search?q=S001").header("location"), "/connections?session=s001");

    assert_eq!(carol.get("/connections?place=999").status, 404);
    for none in ["999", "-1", "-9223372036854775808", "9223372036854775807"] {
        assert_eq!(carol.get(&format!("/connections?server={none}")).status, 404, "{none}");
    }
    assert!(carol.get("/devices?q=pc-b").text.contains("/devices/PC-bob"));
    assert!(!carol.get("/devices?q=pc-b").text.contains("/devices/PC-alice"));
    assert!(carol.get("/connections?open=true&remote=203.0.113.1").text.contains("/users/bob"));
}

#[test]
fn a_user_is_found_as_a_vpn_server_writes_the_name() {
    let host = Host::start(&["alice@contoso", "alice@fabrikam", "bob"]);
    let carol = host.signed_in("carol");
    let found = carol.get("/search?q=CONTOSO%5CAlice");
    assert_eq!((found.status, found.header("location")), (303, "/users/alice@contoso"), "{}", found.text);
    for list in ["/users?q=CONTOSO%5Cali", "/users?q=contoso/ali"] {
        let text = carol.get(list).text;
        assert!(text.contains("/users/alice@contoso"), "{list}: {text}");
        assert!(!text.contains("/users/alice@fabrikam") && !text.contains("/users/bob"), "{list}: {text}");
    }
}

#[test]
fn what_is_typed_into_boxes_is_harmless() {
    let host = Host::start(&HOSTILE);
    let carol = host.signed_in("carol");
    for name in HOSTILE {
        let name = path(name);
        for page in [
            format!("/devices?q={name}"),
            format!("/connections?session={name}"),
            format!("/connections?remote={name}"),
            format!("/connections?assigned={name}"),
            format!("/alerts?since={name}"),
        ] {
            let answer = carol.get(&page);
            assert!([200, 400].contains(&answer.status), "{page}: {}", answer.status);
            check(&answer, &page);
        }
    }
}

#[test]
fn signs_of_patterns_are_looked_for_as_they_are() {
    let host = Host::start(&["alice", "b%b", "c_c"]);
    let carol = host.signed_in("carol");
    for (asked, found, other) in
        [("%25", "PC-b%25b", "PC-alice"), ("c_", "PC-c_c", "PC-alice"), ("%5C", "", "PC-alice")]
    {
        let text = carol.get(&format!("/devices?q={asked}")).text;
        assert!(text.contains(&format!("/devices/{found}")) || found.is_empty(), "{asked}: {text}");
        assert!(!text.contains(&format!("/devices/{other}")), "{asked}: {text}");
    }
}

/// Where the links of the card with this heading lead to.
fn card(text: &str, heading: &str) -> Vec<String> {
    let (_, card) =
        text.split_once(&format!("<h2>{heading}</h2>")).unwrap_or_else(|| panic!("{heading}: {text}"));
    let card = card.split_once("</section>").unwrap().0;
    card.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&")).collect()
}

#[test]
fn what_is_called_so_comes_first_and_a_search_that_leaves_some_out_says_so() {
    let login = |(number, user): (u64, String)| Login {
        user,
        server: format!("gw{}", if number == 12 { 1 } else { 10 + number }),
        after_s: number * 60,
    };
    let users = ["bob".to_owned()].into_iter().chain((1..13).map(|number| format!("bob{number}")));
    let host = Host::after(&(0..).zip(users).map(login).collect::<Vec<_>>());
    let carol = host.signed_in("carol");
    let page = carol.get("/search?q=BOB");
    check(&page, "search");
    let (users, devices) = (card(&page.text, "Users"), card(&page.text, "Devices"));
    assert_eq!((&*users[0], &*users[1], users.len()), ("/users/bob", "/users/bob12", 11), "{users:?}");
    assert_eq!(users[10], "/users?q=BOB");
    assert_eq!((&*devices[0], devices.len()), ("/devices/PC-bob12", 11), "{devices:?}");
    assert_eq!(page.text.matches("The first ten. ").count(), 2, "{}", page.text);
    let devices = card(&carol.get("/search?q=pc-Bob").text, "Devices");
    assert_eq!((&*devices[0], &*devices[10]), ("/devices/PC-bob", "/devices?q=pc-Bob"), "{devices:?}");
    let servers = card(&carol.get("/search?q=GW1").text, "VPN servers");
    let first = carol.get(&servers[0]).text;
    assert!(first.contains("/users/bob12\"") && !first.contains("/users/bob\""), "{servers:?}: {first}");
    assert_eq!((servers.len(), &*servers[10]), (11, "/servers"));
    let few = carol.get("/search?q=bob1");
    assert_eq!(card(&few.text, "Users"), ["/users/bob1", "/users/bob12", "/users/bob11", "/users/bob10"]);
    assert!(!few.text.contains("The first ten"), "{}", few.text);
}

#[test]
fn a_country_is_found_and_a_range_of_addresses_says_how_to_look() {
    let host = Host::start(&["alice", "bob"]);
    let carol = host.signed_in("carol");
    assert_eq!(card(&carol.get("/search?q=fr").text, "Countries"), ["/connections?country=FR"]);
    let page = carol.get("/connections?country=fr&since=2026-09-21");
    check(&page, "connections from a country");
    assert!(page.text.contains("/users/alice") && page.text.contains("/users/bob"), "{}", page.text);
    assert!(page.text.contains("name=\"country\" value=\"fr\""), "{}", page.text);
    assert!(!carol.get("/connections?country=DE").text.contains("/users/alice"));
    let range = carol.get("/search?q=203.0.113.0/24");
    check(&range, "a range");
    assert!(range.text.contains("Nothing.") && range.text.contains("/search?q=203.0.113."), "{}", range.text);
}
