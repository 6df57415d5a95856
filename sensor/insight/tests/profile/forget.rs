//! A person who was forgotten is nowhere.

use insight::profile::{Feature, Observation, Share, Value};

use crate::{MONDAY, at, end, profiles};

fn holds(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_is_left_of_whom_was_forgotten() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("bob", MONDAY, 8));
    let before = profiles.save(Vec::new());
    for hour in 0..24 {
        let network = Some(hour);
        let device = format!("secret-{hour}");
        profiles.learn(&Observation { device: Some(&device), network, ..at("alice", MONDAY, hour) });
        profiles.learn_end(&end("alice", MONDAY, hour, 77, Some(77)));
    }
    assert!(holds(&profiles.save(Vec::new()), "alice"));
    assert!(holds(&profiles.save(Vec::new()), "secret-"));
    assert!(profiles.forget("alice"));
    assert!(!profiles.forget("alice"));
    let octets = profiles.save(Vec::new());
    assert!(!holds(&octets, "alice") && !holds(&octets, "secret-") && holds(&octets, "bob"));
    assert_eq!(profiles.len(), 1);
    let everybody = profiles.everybody();
    assert_eq!(everybody.connections(), 1);
    assert_eq!(everybody.hours().iter().sum::<u64>(), 1);
    assert_eq!(everybody.share(Feature::Network, Value::Network(7)), Share::default());
    assert_eq!(
        everybody.share(Feature::Place, Value::Text("Lyon, Rhone, FR")),
        Share { users: 1, connections: 1 }
    );
    // Only what is free differs from before: it is used again.
    assert!(octets.len() > before.len());
    let values = profiles.values();
    profiles.learn(&at("alice", MONDAY, 8));
    assert_eq!(profiles.values(), values);
    assert!(profiles.save(Vec::new()).len() <= octets.len() + 128);
}

#[test]
fn a_device_that_bears_the_name_of_somebody_goes_out_of_everybody() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&Observation { device: Some("ALICE-PC"), ..at("bob", MONDAY, 8) });
    profiles.learn(&Observation { device: Some("PC-17"), ..at("bob", MONDAY, 9) });
    assert_eq!(profiles.forget_texts(|text| text.to_lowercase().contains("alice")), 1);
    assert!(!holds(&profiles.save(Vec::new()), "ALICE-PC"));
    let everybody = profiles.everybody();
    assert_eq!(everybody.share(Feature::Device, Value::Text("ALICE-PC")), Share::default());
    assert_eq!(everybody.share(Feature::Device, Value::Text("PC-17")), Share { users: 1, connections: 1 });
    assert_eq!(profiles.forget_texts(|text| text.to_lowercase().contains("alice")), 0);
}
