//! What goes into the octets of details comes out of them.

use super::*;
use crate::vpn::{Decoder, Received, Settings};

fn details() -> Details {
    let assigned = [("10.0.0.7", 32), ("2001:db8:1::", 56)]
        .map(|(address, prefix_length)| Assigned { address: address.parse().unwrap(), prefix_length });
    let texts = [Some("élise"), Some("ÉLISE"), None, Some("AnyConnect"), None, Some("staff")];
    Details::with(Some("203.0.113.7".parse().unwrap()), assigned, texts)
}

#[test]
fn what_goes_in_comes_out() {
    let details = details();
    assert_eq!(details.remote(), Some("203.0.113.7".parse().unwrap()));
    let assigned: Vec<String> = details.assigned().map(|assigned| assigned.to_string()).collect();
    assert_eq!(assigned, ["10.0.0.7", "2001:db8:1::/56"]);
    assert_eq!((details.user(), details.user_original()), (Some("élise"), Some("ÉLISE")));
    assert_eq!((details.device(), details.software()), (None, Some("AnyConnect")));
    assert_eq!((details.operating_system(), details.group()), (None, Some("staff")));
    let nothing = Details::with(None, [], [None; TEXTS]);
    for empty in [Details::default(), nothing] {
        assert_eq!((empty.remote(), empty.assigned().count(), empty.user()), (None, 0, None));
    }
}

#[test]
fn every_prefix_length_and_address_comes_out() {
    let addresses = ["0.0.0.0", "255.255.255.255", "128.1.127.7", "::", "::1", "ffff:8000::7f80:ffff"];
    for address in addresses.map(|address| address.parse().unwrap()) {
        for prefix_length in 0..=128 {
            let assigned = Assigned { address, prefix_length };
            let details = Details::with(Some(address), [assigned, assigned], [Some("alice"); TEXTS]);
            assert_eq!(details.remote(), Some(address));
            assert!(details.assigned().eq([assigned, assigned]), "{assigned:?}");
            assert_eq!((details.user(), details.group()), (Some("alice"), Some("alice")));
        }
    }
}

#[test]
fn a_text_that_would_end_beyond_the_limit_is_absent_and_the_others_are_not() {
    let (long, fits) = ("x".repeat(TEXTS_MAX), "x".repeat(TEXTS_MAX - 10));
    let with = |device: &str| {
        let texts = [Some("alice"), Some("alice"), Some(device), None, None, Some("staff")];
        Details::with(None, [], texts)
    };
    let (cut, whole) = (with(&long), with(&fits));
    assert_eq!((cut.user(), cut.device(), cut.group()), (Some("alice"), None, Some("staff")));
    assert_eq!((whole.device(), whole.group()), (Some(&*fits), Some("staff")));
}

fn sent(key: &str, original: &str) -> Details {
    Details::with(None, [], [Some(key), Some(original), Some("laptop"), None, None, None])
}

#[test]
fn a_user_who_is_sent_as_the_key_is_there_once() {
    let (once, twice) = (sent("alice", "alice"), sent("alice", "Alice"));
    assert_eq!((once.user(), once.user_original()), (Some("alice"), Some("alice")));
    assert_eq!((twice.user(), twice.user_original()), (Some("alice"), Some("Alice")));
    assert_eq!([once.device(), twice.device()], [Some("laptop"); 2]);
    assert_eq!(once.0.len() + 5, twice.0.len());
}

/// Of a Start that says nothing else.
fn event(octets: &[u8; 26]) -> Event<'_> {
    let nobody = "192.0.2.1:1813".parse().unwrap();
    let (source, destination) = (nobody, nobody);
    let received = Received { octets, source, destination, client: "vpn1", arrival_unix_ns: 0 };
    Decoder::new(Settings::default()).decode(&received).unwrap()
}

#[test]
fn a_system_with_its_version_is_found_the_same_and_no_other() {
    let mut octets = [0; 26];
    octets[0] = 4;
    octets[3] = 26;
    octets[20..].copy_from_slice(&[40, 6, 0, 0, 0, 1]);
    let systems = [
        (None, None),
        (Some("Windows"), None),
        (None, Some("11")),
        (Some("Windows"), Some("11")),
        (Some("Windows"), Some("1")),
        (Some("Windows 11"), Some("11")),
        (Some("Win"), Some("dows 11")),
    ];
    let said = systems.map(|(system, version)| {
        let mut event = event(&octets);
        event.operating_system = system.map(Cow::Borrowed);
        event.operating_system_version = version.map(Cow::Borrowed);
        event
    });
    for (one, event) in said.iter().enumerate() {
        for (other, details) in said.iter().map(Details::of).enumerate() {
            assert_eq!(details.are_of(event), one == other, "{:?} of {:?}", systems[other], systems[one]);
        }
    }
    // It is the text that counts, not where it came from.
    let mut whole = event(&octets);
    whole.operating_system = Some(Cow::Borrowed("Windows 11"));
    assert!(Details::of(&said[3]).are_of(&whole) && Details::of(&whole).are_of(&said[3]));
}

#[test]
fn it_is_read_as_it_was_written() {
    let nothing = Details::with(None, [], [None; TEXTS]);
    for written in [details(), nothing, sent("alice", "alice")] {
        let octets = postcard::to_stdvec(&written).unwrap();
        assert_eq!(postcard::from_bytes::<Details>(&octets).unwrap(), written);
    }
}

#[test]
fn texts_that_end_within_a_letter_or_beyond_are_not_read() {
    let ends = |ends: [u16; TEXTS]| {
        let written = Written { remote: None, assigned: Vec::new(), texts: "élise".into(), ends };
        postcard::from_bytes::<Details>(&postcard::to_stdvec(&written).unwrap())
    };
    ends([6; TEXTS]).unwrap();
    for wrong in [[1, 6, 6, 6, 6, 6], [6, 6, 6, 6, 6, 7], [6, 5, 6, 6, 6, 6], [4; TEXTS]] {
        ends(wrong).unwrap_err();
    }
}

#[test]
fn the_order_goes_by_address_then_by_texts() {
    let with = |remote: Option<&str>, user: &str| {
        let remote = remote.map(|remote| remote.parse().unwrap());
        Details::with(remote, [], [Some(user), None, None, None, None, None])
    };
    let sorted =
        [with(None, "z"), with(Some("9.0.0.1"), "b"), with(Some("10.0.0.1"), "a"), with(Some("::1"), "a")];
    assert!(sorted.is_sorted());
    assert!(with(None, "a") < with(None, "b"));
}
