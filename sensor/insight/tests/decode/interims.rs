//! What an Interim-Update does not repeat, and the fingerprint of what it does.

use insight::vpn::{Client, Decoder, Field, Interim, Mapping, Received, Settings, Status};
use proptest::prelude::*;
use radius::build::RequestBuilder;

use crate::{decoder, octets, received};

/// What of it changes from one to the next of a session, and what else it says.
type Attributes = Vec<(u8, Vec<u8>)>;

fn request(attributes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    octets(|b| {
        attributes.iter().for_each(|(kind, value)| {
            b.attribute(*kind, value);
        });
    })
}

fn usual() -> Attributes {
    let number = |number: u32| number.to_be_bytes().to_vec();
    let mut device = 311u32.to_be_bytes().to_vec();
    device.extend([34, 15]);
    device.extend(b"MSRAS-0-PC7\0\0");
    vec![
        (1, b"alice".to_vec()),
        (40, number(3)),
        (44, b"4F".to_vec()),
        (41, number(2)),
        (26, device),
        (55, number(crate::ARRIVAL_S - 5)),
        (42, number(1000)),
        (43, number(2000)),
        (46, number(300)),
        (52, number(1)),
        (53, number(0)),
        (47, number(10)),
        (48, number(20)),
        (66, b"203.0.113.7".to_vec()),
        (33, b"proxy".to_vec()),
        (61, number(5)),
    ]
}

fn interim(decoder: &Decoder, attributes: &[(u8, Vec<u8>)]) -> Option<Interim> {
    decoder.interim(&received(&request(attributes)))
}

/// Says what decoding says.
#[track_caller]
fn agrees(decoder: &Decoder, octets: &[u8]) -> bool {
    let received = received(octets);
    let Some(interim) = decoder.interim(&received) else { return false };
    let event = decoder.decode(&received).unwrap();
    assert_eq!(
        (event.status, event.time, event.counters),
        (Status::InterimUpdate, interim.time, interim.counters)
    );
    assert_eq!(interim.arrival_unix_ns, event.arrival_unix_ns);
    true
}

#[test]
fn times_and_counters_are_read_and_all_else_is_in_the_fingerprint() {
    let decoder = Decoder::new(Settings::default());
    let usual = usual();
    assert!(agrees(&decoder, &request(&usual)));
    let fingerprint = interim(&decoder, &usual).unwrap().fingerprint;
    for at in 0..usual.len() {
        let mut other = usual.clone();
        let (kind, value) = &mut other[at];
        let kind = *kind;
        if kind == 40 {
            continue;
        }
        *value.last_mut().unwrap() ^= 1;
        assert!(agrees(&decoder, &request(&other)), "{kind}");
        let is_repeated = matches!(kind, 1 | 26 | 44 | 61 | 66);
        assert_eq!(interim(&decoder, &other).unwrap().fingerprint != fingerprint, is_repeated, "{kind}");
        // Nor is it there.
        other.remove(at);
        assert_eq!(interim(&decoder, &other).unwrap().fingerprint != fingerprint, is_repeated, "no {kind}");
    }
    // The order of what is repeated counts, that of what is not does not.
    let mut other = usual.clone();
    other.rotate_left(1);
    assert!(interim(&decoder, &other).unwrap().fingerprint != fingerprint);
    let mut other = usual.clone();
    other.swap(3, 5);
    other.push((33, b"another proxy".to_vec()));
    assert!(interim(&decoder, &other).unwrap().fingerprint == fingerprint);
    // Two attributes are not one that holds the octets of both.
    let [mut two, mut one] = [usual.clone(), usual];
    two.extend([(25, b"a".to_vec()), (25, b"b".to_vec())]);
    one.push((25, [b"a", &[25, 3][..], b"b"].concat()));
    assert!(interim(&decoder, &two).unwrap().fingerprint != interim(&decoder, &one).unwrap().fingerprint);
}

#[test]
fn who_sent_it_is_in_the_fingerprint() {
    let decoder = Decoder::new(Settings::default());
    let octets = request(&usual());
    let of = |received: Received<'_>| decoder.interim(&received).unwrap().fingerprint;
    let one = of(received(&octets));
    let port = "192.0.2.10:40001".parse().unwrap();
    assert!(
        one == of(Received { source: port, arrival_unix_ns: crate::ARRIVAL_NS + 1, ..received(&octets) })
    );
    for source in ["192.0.2.11:40000", "[2001:db8::1]:40000"] {
        assert!(one != of(Received { source: source.parse().unwrap(), ..received(&octets) }), "{source}");
    }
    assert!(one != of(Received { client: "gatewa", ..received(&octets) }));
    // Nobody else can make the same.
    let other = Decoder::new(Settings::default());
    assert!(one != other.interim(&received(&octets)).unwrap().fingerprint);
}

#[test]
fn what_is_unusual_is_to_be_decoded() {
    let decoder = Decoder::new(Settings::default());
    let with = |kind: u8, value: &[u8]| {
        let mut attributes = usual();
        attributes.push((kind, value.to_vec()));
        interim(&decoder, &attributes)
    };
    assert!(with(25, b"class").is_some());
    for (kind, value) in [
        // A second one: the first counts.
        (40, &[0, 0, 0, 3][..]),
        (41, &[0, 0, 0, 1]),
        (42, &[0, 0, 0, 1]),
        (55, &[0, 0, 0, 1]),
        // May be refused.
        (0, b"reserved"),
        (79, b"eap"),
        (80, b"too short"),
    ] {
        assert!(with(kind, value).is_none(), "{kind}");
    }
    for at in 0..usual().len() {
        let mut attributes = usual();
        let (kind, value) = &mut attributes[at];
        let kind = *kind;
        value.push(0);
        let is_number = matches!(kind, 40..=43 | 46..=48 | 52 | 53 | 55);
        assert_eq!(interim(&decoder, &attributes).is_none(), is_number, "{kind}");
        attributes.remove(at);
        assert_eq!(interim(&decoder, &attributes).is_none(), kind == 40, "no {kind}");
    }
    for status in [1, 2, 7, 8] {
        let mut attributes = usual();
        attributes[1].1[3] = status;
        assert!(interim(&decoder, &attributes).is_none(), "{status}");
    }
    // What no sensor would have recorded.
    let whole = request(&usual());
    for hurt in [&whole[..whole.len() - 1], &[&whole[..], &[0]].concat(), &whole[..3], &[]] {
        assert!(decoder.interim(&received(hurt)).is_none());
    }
    for length in 0..20u8 {
        let short = [&[4, 0, 0, length][..], &[0; 16]].concat();
        assert!(decoder.interim(&received(&short[..usize::from(length)])).is_none(), "{length}");
    }
    // Longer than a request may be, in what is left out of a fingerprint.
    let mut long = whole.clone();
    for _ in 0..20 {
        long.extend([33, 255]);
        long.extend([0; 253]);
    }
    let length = (long.len() as u16).to_be_bytes();
    long[2..4].copy_from_slice(&length);
    assert!(decoder.decode(&received(&long)).is_err() && decoder.interim(&received(&long)).is_none());
    let mut hurt = whole.clone();
    hurt[0] = 12;
    assert!(decoder.interim(&received(&hurt)).is_none());
    let many: Attributes = (0..512).map(|_| (25, b"abc".to_vec())).collect();
    assert!(interim(&decoder, &[&usual()[..], &many].concat()).is_none());
}

#[test]
fn a_client_whose_values_stand_in_what_changes_is_decoded() {
    let of = |source: &str| {
        let mut mapping = Mapping::default();
        mapping.set(Field::Group, vec![source.parse().unwrap()]).unwrap();
        interim(&decoder(Client { mapping, ..Client::default() }), &usual())
    };
    assert!(of("Filter-Id").is_some());
    assert!(of("Proxy-State").is_none());
    assert!(of("Acct-Session-Time").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_says_what_decoding_says(
        attributes in prop::collection::vec(
            (prop::sample::select(vec![1u8, 25, 26, 33, 41, 42, 43, 44, 46, 47, 48, 52, 53, 55]),
             prop_oneof![4 => prop::collection::vec(any::<u8>(), 4), 1 => prop::collection::vec(any::<u8>(), 0..9)]),
            0..12,
        ),
        near in -100_000i32..100_000,
        is_signed: bool,
    ) {
        let decoder = Decoder::new(Settings::default());
        let fill = |b: &mut RequestBuilder<'_>| {
            b.integer(40, 3);
            for (kind, value) in &attributes {
                if *kind == 55 && value.len() == 4 {
                    b.integer(55, crate::ARRIVAL_S.wrapping_add_signed(near));
                } else {
                    b.attribute(*kind, value);
                }
            }
            if is_signed {
                b.message_authenticator();
            }
        };
        agrees(&decoder, &octets(fill));
    }
}
