//! Whatever stands in a file: it is refused or can be asked, nothing panics, and what comes out is bounded.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

const ALL: [&[u8]; 9] =
    [CITY, ASN, ANONYMOUS, CONNECTION, ENTERPRISE, FLAT_COUNTRY, FLAT_CITY_IPV4, FLAT_CITY_IPV6, FLAT_ASN];

fn address() -> impl Strategy<Value = IpAddr> {
    let listed = ["81.2.69.142", "1.124.213.1", "84.160.0.1", "2001:218::1", "2003:e4::1", "12.81.96.1"];
    prop_oneof![
        any::<u32>().prop_map(|number| IpAddr::V4(number.into())),
        any::<u128>().prop_map(|number| IpAddr::V6(number.into())),
        // Where IPv6 addresses are.
        any::<u128>().prop_map(|number| IpAddr::V6((number >> 3 | 1 << 125).into())),
        prop::sample::select(listed.to_vec()).prop_map(|text| text.parse().unwrap()),
    ]
}

fn ask(octets: Vec<u8>, addresses: &[IpAddr]) -> Result<bool, TestCaseError> {
    let Ok(database) = Database::read("mutated", octets) else { return Ok(false) };
    let _ = database.check();
    let places = Places::new(Arc::new(Sites::default()), vec![Arc::new(database)]);
    for address in addresses {
        let found = places.find(*address);
        if let Some(position) = found.position() {
            prop_assert!(position.latitude().abs() <= 90.0 && position.longitude().abs() <= 180.0);
            prop_assert!(position.radius_km() >= 1);
        }
        let place = found.place();
        let texts = [
            place.and_then(|place| place.city.as_deref()),
            place.and_then(|place| place.region.as_deref()),
            found.network.as_ref().and_then(|network| network.organisation.as_deref()),
        ];
        for text in texts.into_iter().flatten() {
            prop_assert!(!text.is_empty() && text.len() <= 2048 && !text.chars().any(char::is_control));
        }
    }
    Ok(true)
}

proptest! {
    #[test]
    fn some_octets_changed(
        which in 0..ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        addresses in prop::collection::vec(address(), 1..8),
    ) {
        let mut octets = ALL[which].to_vec();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        ask(octets, &addresses)?;
    }

    #[test]
    fn a_part_overwritten_or_moved(
        which in 0..ALL.len(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        length in 1..200usize,
        addresses in prop::collection::vec(address(), 1..8),
    ) {
        let mut octets = ALL[which].to_vec();
        let (from, to) = (from.index(octets.len()), to.index(octets.len()));
        let length = length.min(octets.len() - from).min(octets.len() - to);
        octets.copy_within(from..from + length, to);
        ask(octets, &addresses)?;
    }

    #[test]
    fn a_part_cut_out(
        which in 0..ALL.len(),
        from in any::<prop::sample::Index>(),
        length in 1..500usize,
        addresses in prop::collection::vec(address(), 1..8),
    ) {
        let mut octets = ALL[which].to_vec();
        let from = from.index(octets.len());
        octets.drain(from..(from + length).min(octets.len()));
        ask(octets, &addresses)?;
    }

    #[test]
    fn unchanged_ones_answer(addresses in prop::collection::vec(address(), 1..20)) {
        for octets in ALL {
            prop_assert!(ask(octets.to_vec(), &addresses)?);
        }
    }
}
