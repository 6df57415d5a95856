//! Profiles that were saved and loaded go on as if nothing had been; damage is refused.

use insight::profile::{Observation, Options, Profiles, SnapshotError};
use proptest::prelude::*;

use crate::{DAY_S, MONDAY, all, at, end, ns, profiles};

const USERS: [&str; 5] = ["alice", "bob", "carol", "dave", "eve"];
/// Octets of version and checksum.
const HEAD: usize = 6;

/// With the right checksum, whatever is behind it.
fn sealed(octets: &[u8]) -> Vec<u8> {
    let mut sealed = octets.to_vec();
    if let Some((head, rest)) = sealed.split_at_mut_checked(HEAD) {
        head[2..].copy_from_slice(&crc32c::crc32c(rest).to_le_bytes());
    }
    sealed
}

/// Somebody connects, somebody is forgotten, or days go by.
fn step(profiles: &mut Profiles, day: &mut u32, dice: u32) {
    let user = USERS[(dice >> 8) as usize % USERS.len()];
    match dice % 16 {
        0 => {
            *day += dice >> 16 & 3;
            profiles.advance(ns(*day * DAY_S));
        }
        1 => drop(profiles.forget(user)),
        2 => {
            profiles.learn_end(&end(user, *day, dice >> 12 & 15, u64::from(dice), Some(u64::from(dice) << 9)))
        }
        3 => profiles.advance(ns((dice >> 16) % 49_000 * DAY_S)),
        _ => {
            let device = format!("device-{}", dice >> 16 & 15);
            let network = Some(dice >> 20 & 31);
            profiles.learn(&Observation {
                device: Some(&device),
                network,
                ..at(user, *day, dice >> 12 & 15)
            });
        }
    }
}

fn options() -> Options {
    Options { users_max: 4, values_max: 40, spilled_max: 20, ..Options::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_loaded_goes_on_as_what_was_saved(
        before in proptest::collection::vec(any::<u32>(), 0..200),
        after in proptest::collection::vec(any::<u32>(), 0..100),
    ) {
        let mut kept = Profiles::new(options());
        let mut day = MONDAY;
        kept.advance(ns(day * DAY_S));
        before.iter().for_each(|dice| step(&mut kept, &mut day, *dice));
        let octets = kept.save(vec![7; 3]);
        prop_assert_eq!(&octets[..3], [7; 3]);
        let mut loaded = Profiles::load(options(), &octets[3..]).unwrap();
        let mut other_day = day;
        for dice in after {
            step(&mut kept, &mut day, dice);
            step(&mut loaded, &mut other_day, dice);
        }
        for user in USERS {
            prop_assert_eq!(all(&kept, user), all(&loaded, user));
        }
        prop_assert_eq!(kept.save(Vec::new()), loaded.save(Vec::new()));
        prop_assert_eq!(kept.everybody().hours(), loaded.everybody().hours());
        prop_assert_eq!(kept.everybody().connections(), loaded.everybody().connections());
        prop_assert_eq!(kept.counts(), loaded.counts());
    }

    /// Whatever it says, it is refused or taken, and what was taken can be used.
    #[test]
    fn nothing_that_a_snapshot_says_breaks(at in any::<u32>(), to in any::<u8>(), dice in proptest::collection::vec(any::<u32>(), 60)) {
        let mut profiles = profiles(MONDAY);
        let mut day = MONDAY;
        dice.iter().for_each(|dice| step(&mut profiles, &mut day, *dice));
        let mut octets = profiles.save(Vec::new());
        let at = HEAD + at as usize % (octets.len() - HEAD);
        octets[at] = to;
        if let Ok(mut loaded) = Profiles::load(options(), &sealed(&octets)) {
            dice.iter().for_each(|dice| step(&mut loaded, &mut day, *dice));
            USERS.iter().for_each(|user| drop(all(&loaded, user)));
            assert!(USERS.iter().all(|user| loaded.forget(user) || loaded.get(user).is_none()));
        }
    }
}

#[test]
fn damage_is_told() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    let octets = profiles.save(Vec::new());
    let load = |octets: &[u8]| Profiles::load(Options::default(), octets).unwrap_err();
    assert_eq!(load(&[]), SnapshotError::Short);
    let mut other = octets.clone();
    other[0] = 9;
    assert_eq!(load(&other), SnapshotError::Version(9));
    let mut other = octets.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(load(&other), SnapshotError::Checksum);
    assert!(matches!(load(&sealed(&octets[..octets.len() - 1])), SnapshotError::Short));
    let mut other = octets.clone();
    other.push(0);
    assert!(matches!(load(&sealed(&other)), SnapshotError::Contradiction(_)));
    // As soon as it is cut anywhere.
    for length in 0..octets.len() {
        assert!(Profiles::load(Options::default(), &sealed(&octets[..length])).is_err(), "{length}");
    }
}
