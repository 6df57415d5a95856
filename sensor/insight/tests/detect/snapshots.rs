//! Snapshots: what was loaded goes on as what was saved; equal states give equal octets; damage is found; people go out.

use insight::detect::{Connection, Detector, SnapshotError, Thresholds};

use crate::{HOUR_S, NINE, SECOND, Service, address, brazil, cable, home, hosting};

fn busy() -> Service {
    let mut service = Service::new();
    service.works(&["alice", "bob", "carol"]);
    service.opens(NINE, &Connection { spot: brazil(), remote: address("203.0.113.4"), ..home("alice") });
    service.opens(
        NINE + 1,
        &Connection { spot: hosting(), device: None, remote: address("198.51.100.9"), ..home("bob") },
    );
    service.opens(
        NINE + 2,
        &Connection { spot: cable(), device: None, remote: address("198.51.100.9"), ..home("carol") },
    );
    service.detector.stop_without_start("berlin", NINE * SECOND);
    service
}

#[test]
fn one_that_was_loaded_goes_on_as_the_one_that_was_saved() {
    let mut service = busy();
    let octets = service.detector.save(vec![7]).unwrap();
    assert_eq!(octets[0], 7);
    let mut loaded = Detector::load(Thresholds::default(), &octets[1..]).unwrap();
    assert_eq!(loaded.save(vec![7]).unwrap(), octets);
    for (at, user) in ["alice", "bob", "carol", "dave"].into_iter().enumerate() {
        for spot in [home(user).spot, brazil(), cable(), hosting()] {
            let connection = Connection {
                session: 500 + at as u64,
                start_unix_ns: (NINE + HOUR_S) * SECOND,
                spot,
                ..home(user)
            };
            let answers =
                [&mut service.detector, &mut loaded].map(|one| one.opened(&connection, &service.profiles));
            assert_eq!(answers[0], answers[1]);
        }
    }
    assert_eq!(loaded.save(Vec::new()).unwrap(), service.detector.save(Vec::new()).unwrap());
}

#[test]
fn damage_is_found() {
    let octets = busy().detector.save(Vec::new()).unwrap();
    let load = |octets: &[u8]| Detector::load(Thresholds::default(), octets).map(|_| ());
    assert_eq!(load(&octets), Ok(()));
    for at in 2..octets.len() {
        let mut damaged = octets.clone();
        damaged[at] ^= 1;
        assert_eq!(load(&damaged), Err(SnapshotError::Damaged), "{at}");
    }
    for end in 0..octets.len() {
        assert!(load(&octets[..end]).is_err());
    }
    let mut other = octets;
    other[0] = 99;
    assert_eq!(load(&other), Err(SnapshotError::Version(99)));
}

#[test]
fn somebody_who_is_forgotten_leaves_nothing() {
    let mut with = busy();
    assert!(with.detector.forget("alice"));
    assert!(!with.detector.forget("alice"));
    // Nothing of hers decides: she could travel anywhere.
    let far = Connection { session: 900, start_unix_ns: (NINE + 60) * SECOND, device: None, ..home("alice") };
    let profiles = insight::profile::Profiles::default();
    let assessment = with.detector.opened(&far, &profiles);
    assert!(!assessment.is_alert, "{assessment}");
}

#[test]
fn thresholds_are_a_table_of_the_configuration() {
    let octets = postcard::to_stdvec(&Thresholds::default()).unwrap();
    assert_eq!(postcard::from_bytes::<Thresholds>(&octets).unwrap(), Thresholds::default());
    let mut service = busy();
    service.detector.set_thresholds(Thresholds {
        alert_score: 99.0,
        alert_score_one_group: 99.0,
        ..Thresholds::default()
    });
    let stranger =
        Connection { spot: cable(), device: Some("DESKTOP-66"), remote: address("192.0.2.1"), ..home("bob") };
    let assessment = service.opens(NINE + 9 * HOUR_S, &stranger);
    assert!(assessment.score > 5.0);
    assert_eq!(service.detector.thresholds().alert_score, 99.0);
}
