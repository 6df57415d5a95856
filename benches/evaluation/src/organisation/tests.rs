//! What every organisation must be like.

use std::collections::{BTreeMap, HashMap, HashSet};

use insight::geo::Places;

use super::*;
use crate::{event::Status, world::tests::world};

fn organisation(seed: u64, size: Size) -> Organisation {
    Organisation::generate(world(), seed, size).unwrap()
}

/// FNV-1a over the lines.
fn digest(organisation: &Organisation) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let events = organisation.events.iter().map(|event| serde_json::to_string(event).unwrap());
    let labels = organisation.labels.iter().map(|label| serde_json::to_string(label).unwrap());
    for octet in events.chain(labels).flat_map(String::into_bytes) {
        digest = (digest ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    }
    digest
}

#[test]
fn the_same_seed_gives_the_same_organisation_on_every_host() {
    let one = organisation(1, Size::QUICK);
    assert_eq!(digest(&one), digest(&organisation(1, Size::QUICK)));
    assert_ne!(digest(&one), digest(&organisation(2, Size::QUICK)));
    // Whoever changes the generator changes all figures: write the new number here knowingly.
    assert_eq!(digest(&one), 8_880_855_941_804_563_955);
}

#[test]
fn lines_obey_the_contract_of_backtest() {
    let organisation = organisation(1, Size::QUICK);
    for event in &organisation.events {
        let line = serde_json::to_string(event).unwrap();
        let value: BTreeMap<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        for key in ["time", "status", "client", "session", "user", "address", "nas"] {
            assert!(value[key].as_str().is_some_and(|text| !text.is_empty()), "{key} in {line}");
        }
        let known = [
            "time",
            "status",
            "client",
            "session",
            "user",
            "address",
            "device",
            "software",
            "input_octets",
            "output_octets",
            "nas",
        ];
        assert!(value.keys().all(|key| known.contains(&&**key)), "{line}");
        let has_volume = event.input_octets.is_some() && event.output_octets.is_some();
        assert_eq!(has_volume, event.status != Status::Start, "{line}");
        assert!(event.user.ends_with("@contoso.example"));
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), *event);
    }
    assert!(organisation.events.windows(2).all(|pair| pair[0].time <= pair[1].time));
}

#[test]
fn sessions_begin_go_on_and_end_once() {
    let organisation = organisation(1, Size::QUICK);
    let mut sessions: HashMap<(&str, &str), Vec<&Event>> = HashMap::new();
    for event in &organisation.events {
        sessions.entry((&event.client, &event.session)).or_default().push(event);
    }
    let (mut no_start, mut no_stop, mut interims) = (0, 0, 0);
    for events in sessions.values() {
        let starts = events.iter().filter(|event| event.status == Status::Start).count();
        let stops = events.iter().filter(|event| event.status == Status::Stop).count();
        assert!(starts <= 1 && stops <= 1);
        assert!(events.iter().all(|event| event.user == events[0].user));
        assert!(starts == 0 || events[0].status == Status::Start);
        assert!(stops == 0 || events[events.len() - 1].status == Status::Stop);
        let volumes: Vec<_> = events.iter().filter_map(|event| event.output_octets).collect();
        assert!(volumes.is_sorted());
        no_start += usize::from(starts == 0);
        no_stop += usize::from(stops == 0);
        interims += events.iter().filter(|event| event.status == Status::InterimUpdate).count();
    }
    assert!(no_start > 0 && no_stop > 0 && interims > 0);
}

#[test]
fn each_start_has_a_label_and_no_event_tells() {
    let organisation = organisation(1, Size::QUICK);
    let starts: Vec<_> = (1..)
        .zip(&organisation.events)
        .filter(|(_, event)| event.status == Status::Start)
        .map(|(line, event)| (line, &*event.user))
        .collect();
    let labelled: Vec<_> = organisation.labels.iter().map(|label| (label.n, &*label.user)).collect();
    assert_eq!(starts, labelled);
    for label in &organisation.labels {
        assert_eq!(label.label == Truth::Attack, label.attacker.is_some() && label.model.is_some());
        assert!(label.label == Truth::Genuine || label.difficulties.is_empty());
    }
}

#[test]
fn attackers_are_equally_many_and_come_after_the_learning() {
    for seed in [1, 2, 101] {
        let organisation = organisation(seed, Size::FULL);
        let counts: HashSet<_> = organisation.summary.attackers.values().collect();
        assert_eq!(organisation.summary.attackers.len(), Model::ALL.len());
        assert_eq!(counts.len(), 1, "{:?}", organisation.summary.attackers);
        let mut seen = HashSet::new();
        let mut victims: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for label in &organisation.labels {
            match &label.attacker {
                None => _ = seen.insert(&*label.user),
                Some(attacker) => {
                    let at_s = organisation.events[label.n - 1].time.as_second() - connection::BEGIN_UNIX_S;
                    assert!(at_s >= LEARNING_DAYS * 86_400);
                    // Somebody whose account is misused has used it before.
                    assert!(seen.contains(&*label.user), "{label:?}");
                    victims.entry(&label.user).or_default().insert(attacker);
                }
            }
        }
        assert!(victims.values().all(|attackers| attackers.len() == 1));
    }
}

#[test]
fn an_overlapping_attacker_comes_while_the_victim_is_connected() {
    let organisation = organisation(1, Size::FULL);
    let attackers: HashSet<_> =
        organisation.labels.iter().filter(|label| label.model.is_some()).map(|label| label.n).collect();
    // The lines of the Start and the Stop of each of the owners' sessions that has both.
    let mut sessions: HashMap<(&str, &str), (usize, Option<usize>)> = HashMap::new();
    for (line, event) in (1..).zip(&organisation.events) {
        let key = (&*event.user, &*event.session);
        match event.status {
            Status::Start if !attackers.contains(&line) => _ = sessions.insert(key, (line, None)),
            Status::Stop => _ = sessions.get_mut(&key).map(|session| session.1 = Some(line)),
            _ => {}
        }
    }
    let of_model = organisation.labels.iter().filter(|label| label.model == Some(Model::SessionOverlap));
    let (mut all, mut meet) = (0, 0);
    for label in of_model {
        let is_open =
            |(start, stop): &(usize, Option<usize>)| *start < label.n && stop.is_some_and(|it| it > label.n);
        all += 1;
        meet +=
            usize::from(sessions.iter().any(|((user, _), session)| *user == label.user && is_open(session)));
    }
    // A few victims' Stops are lost.
    assert!(all > 10 && meet * 10 >= all * 9, "{meet} of {all}");
}

#[test]
fn every_difficulty_is_in_every_organisation() {
    for (seed, size) in
        [(1, Size::QUICK), (2, Size::QUICK), (101, Size::QUICK), (102, Size::QUICK), (3, Size::FULL)]
    {
        let organisation = organisation(seed, size);
        for difficulty in Difficulty::ALL {
            let tells_software = organisation.events.iter().any(|event| event.software.is_some());
            if difficulty == Difficulty::SoftwareUpgrade && !tells_software {
                continue;
            }
            let count = organisation.summary.difficulties.get(&difficulty).copied().unwrap_or(0);
            assert!(count > 0, "{difficulty:?} in organisation {seed}: {:?}", organisation.summary);
        }
        assert!(organisation.summary.lost_starts > 0);
    }
}

#[test]
fn everybody_is_on_the_air_of_a_real_provider() {
    let organisation = organisation(1, Size::QUICK);
    for event in &organisation.events {
        let found = world().find(event.address);
        assert!(found.country.is_some() && found.asn.is_some(), "{}", event.address);
    }
    // Places answers nothing for networks of the documentation, so none of them can be here.
    assert!(Places::default().find("192.0.2.1".parse().unwrap()).place().is_none());
    let addresses: HashSet<_> = organisation.events.iter().map(|event| event.address).collect();
    assert!(addresses.iter().any(|address| address.is_ipv6()) && addresses.len() > 1000);
}

#[test]
fn in_the_middle_the_databases_say_another_country_of_a_few_networks() {
    for (seed, size) in [(1, Size::QUICK), (102, Size::FULL)] {
        let organisation = organisation(seed, size);
        let update = organisation.geo_update.as_ref().unwrap();
        let folder = tempfile::tempdir().unwrap();
        organisation.write(folder.path()).unwrap();
        let octets = std::fs::read(folder.path().join(GEO_UPDATE)).unwrap();
        let database = insight::geo::Database::read("update", octets).unwrap();
        assert_eq!(database.check().unwrap().networks, update.networks().count());
        let places = Places::new(Default::default(), vec![std::sync::Arc::new(database)]);
        let (mut moved, mut marked) = (HashSet::new(), 0);
        for label in &organisation.labels {
            let event = &organisation.events[label.n - 1];
            let there = places.find(event.address).place().and_then(|place| place.country);
            assert_eq!(there, update.country(event.address), "{}", event.address);
            assert_ne!(there, world().find(event.address).country, "it is another one");
            let seen = crate::baselines::Seen::new(world(), Some(update)).find(event).country;
            let is_later = event.time >= update.at;
            assert_eq!(seen == there, is_later && there.is_some(), "{event:?}");
            if there.is_some() {
                moved.insert(&*event.user);
            }
            let is_marked = label.difficulties.contains(&Difficulty::GeoUpdate);
            assert!(!is_marked || is_later && there.is_some());
            marked += usize::from(is_marked);
        }
        let users = organisation.summary.users;
        assert!(
            marked >= 3 && moved.len() >= 3 && moved.len() * 8 < users,
            "{marked} {} of {users}",
            moved.len()
        );
        // Behind the learning, and long enough before the end to be seen.
        let day = (update.at.as_second() - connection::BEGIN_UNIX_S) / 86_400;
        assert!((LEARNING_DAYS + 5..organisation.summary.days - 11).contains(&day), "{day}");
    }
}
