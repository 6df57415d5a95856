//! Within a day the order does not matter; long texts are cut, not refused.

use insight::profile::{Feature, Observation, Value};
use proptest::prelude::*;

use crate::{MONDAY, all, at, end, profiles};

const DEVICES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Also when there are more devices than there is room for, and with equal times.
    #[test]
    fn the_order_within_a_day_does_not_matter(
        seen in proptest::collection::vec((0..12usize, 0..24u32, 0..3u32, 0..10_000u64), 1..60),
        turn in any::<u32>(),
    ) {
        let mut turned = seen.clone();
        turned.rotate_left(turn as usize % seen.len());
        turned.sort_by_key(|one| one.3 ^ u64::from(turn % 8192));
        let told = |seen: &[(usize, u32, u32, u64)]| {
            let mut profiles = profiles(MONDAY);
            profiles.learn(&Observation { device: None, ..at("alice", MONDAY, 0) });
            for &(device, hour, network, seconds) in seen {
                let network = Some(network);
                profiles.learn(&Observation { device: Some(DEVICES[device]), network, ..at("alice", MONDAY, hour) });
                profiles.learn_end(&end("alice", MONDAY, hour, seconds, Some(seconds * 77)));
            }
            profiles
        };
        let (one, other) = (told(&seen), told(&turned));
        let devices: std::collections::BTreeSet<usize> = seen.iter().map(|seen| seen.0).collect();
        if devices.len() <= Feature::Device.values_max() {
            prop_assert_eq!(all(&one, "alice"), all(&other, "alice"));
        }
        prop_assert_eq!(one.everybody().hours(), other.everybody().hours());
    }
}

#[test]
fn a_long_text_is_cut_at_a_character() {
    let mut profiles = profiles(MONDAY);
    let long = "x".to_owned() + &"é".repeat(200);
    profiles.learn(&Observation { device: Some(&long), ..at("alice", MONDAY, 8) });
    let profile = profiles.get("alice").unwrap();
    let usual = profile.values(Feature::Device)[0];
    assert_eq!(usual.value, Value::Text(&long[..255]));
    assert_eq!(profile.value(Feature::Device, Value::Text(&long)), Some(usual));
}
