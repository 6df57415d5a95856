//! Whatever comes: no panic, finite scores, equal calls give equal answers, users who have nothing in common do not
//! influence where others were.

use insight::{
    detect::{Connection, Detector, Ending, Model, Spot, Thresholds, Told, UserKey},
    geo::{NetworkKind, NetworkKinds},
    profile::{Options, Profiles},
};
use proptest::prelude::*;

use crate::{DAY_S, MONDAY, SECOND};

#[derive(Debug, Clone)]
struct Any {
    what: u8,
    user: usize,
    session: u64,
    ns: u64,
    texts: [Option<usize>; 6],
    asn: Option<u32>,
    position: [Option<f64>; 2],
    radius: Option<u16>,
    kinds: u16,
    address: Option<u32>,
    flags: [bool; 2],
}

const TEXTS: [&str; 6] = ["", "DE", "BR", "Köln, NW, DE", "AnyConnect 5.1", "\u{1F600}v1"];
const USERS: [&str; 3] = ["alice", "", "bob"];

fn any_event() -> impl Strategy<Value = Any> {
    let text = || proptest::option::of(0..TEXTS.len());
    let ns = prop_oneof![
        6 => (MONDAY * DAY_S..(MONDAY + 40) * DAY_S).prop_map(|unix_s| unix_s * SECOND),
        1 => any::<u64>(),
    ];
    let position = || proptest::option::of(prop_oneof![4 => -200.0..200.0f64, 1 => any::<f64>()]);
    (
        (0..8u8, 0..USERS.len(), 0..6u64, ns),
        ([text(), text(), text(), text(), text(), text()], proptest::option::of(0..5u32)),
        ([position(), position()], proptest::option::of(any::<u16>()), 0..2048u16),
        (proptest::option::of(0..4u32), [any::<bool>(), any::<bool>()]),
    )
        .prop_map(
            |((what, user, session, ns), (texts, asn), (position, radius, kinds), (address, flags))| Any {
                what,
                user,
                session,
                ns,
                texts,
                asn,
                position,
                radius,
                kinds,
                address,
                flags,
            },
        )
}

impl Any {
    fn connection(&self) -> Connection<'static> {
        let text = |at: usize| self.texts[at].map(|text| TEXTS[text]);
        let kinds = NetworkKind::ALL.into_iter().zip(0..).filter(|(_, bit)| self.kinds >> bit & 1 == 1);
        Connection {
            session: self.session,
            user: USERS[self.user],
            start_unix_ns: self.ns,
            server: text(0),
            remote: self.address.map(|address| std::net::Ipv4Addr::from_bits(address << 8).into()),
            spot: Spot {
                country: text(1),
                region: text(2),
                place: text(3),
                latitude: self.position[0],
                longitude: self.position[1],
                radius_km: self.radius,
                asn: self.asn,
                kinds: kinds.map(|(kind, _)| kind).collect::<NetworkKinds>(),
                anycast: self.flags[0],
                is_own: self.flags[1],
                database: text(5),
                ..Spot::default()
            },
            device: text(4),
            software: text(5),
            ..Connection::default()
        }
    }

    fn happens(&self, detector: &mut Detector, profiles: &mut Profiles) -> String {
        let connection = self.connection();
        let assessment = match self.what {
            0 => {
                detector.advance(self.ns);
                profiles.advance(self.ns);
                return String::new();
            }
            1 => {
                detector.alive(UserKey::of(connection.user), self.session, self.ns);
                return String::new();
            }
            2 => detector.moved(&connection, self.ns, profiles),
            3 => {
                let ending = Ending {
                    session: self.session,
                    user: connection.user,
                    end_unix_ns: self.ns,
                    seconds: self.address.map(u64::from),
                    octets: Some(self.ns),
                    told: Told::default(),
                };
                detector.ended(&ending, profiles)
            }
            4 => detector.stop_without_start(connection.server.unwrap_or("s"), self.ns),
            _ => {
                let assessment = detector.opened(&connection, profiles);
                profiles.learn(&connection.observation());
                assessment
            }
        };
        assert!(assessment.score.is_finite(), "{assessment:?}");
        assert!(assessment.reasons.iter().all(|reason| reason.log_ratio.is_finite()));
        format!("{assessment:?} {assessment}")
    }
}

fn begun(thresholds: Thresholds) -> (Detector, Profiles) {
    let (mut detector, mut profiles) = (Detector::new(thresholds), Profiles::new(Options::default()));
    detector.advance(MONDAY * DAY_S * SECOND);
    profiles.advance(MONDAY * DAY_S * SECOND);
    (detector, profiles)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_scores_are_finite_and_a_reload_changes_nothing(
        events in proptest::collection::vec(any_event(), 1..60),
        reload in 0..60usize,
        odd in any::<f64>(),
        is_odd in any::<bool>(),
    ) {
        let mut thresholds = Thresholds::default();
        if is_odd {
            // Whatever somebody writes into the configuration.
            thresholds = Thresholds { travel_kmh: odd, alert_score: odd, volume_times: odd, stops_times: odd, ..thresholds };
            thresholds.model = Model { novelty_country: odd, feature_max: odd, ..Model::default() };
        }
        let (mut one, mut profiles) = begun(thresholds.clone());
        let (mut other, mut same) = begun(thresholds.clone());
        for (at, event) in events.iter().enumerate() {
            if at == reload {
                other = Detector::load(thresholds.clone(), &other.save(Vec::new()).unwrap()).unwrap();
            }
            prop_assert_eq!(event.happens(&mut one, &mut profiles), event.happens(&mut other, &mut same));
        }
        prop_assert_eq!(one.save(Vec::new()).unwrap(), other.save(Vec::new()).unwrap());
    }

    /// Those of one user before or behind those of another: the same is remembered of where they were.
    #[test]
    fn the_order_of_unrelated_users_does_not_matter(
        hers in proptest::collection::vec((0..4usize, 0..4u32), 1..8),
        his in proptest::collection::vec((0..4usize, 0..4u32), 1..8),
        turns in proptest::collection::vec(any::<bool>(), 16),
    ) {
        let connection = |user: &'static str, at: usize, &(place, device): &(usize, u32)| {
            let names = ["D0", "D1", "D2", "D3"];
            let device = Some(names[device as usize]);
            let unix_s = MONDAY * DAY_S + at as u64 * 1800;
            let spot = [crate::germany(), crate::brazil(), crate::cable(), crate::hosting()][place];
            Connection { session: at as u64, user, start_unix_ns: unix_s * SECOND, spot, device, ..Connection::default() }
        };
        let hers: Vec<_> = hers.iter().enumerate().map(|(at, one)| connection("alice", at, one)).collect();
        let his: Vec<_> = his.iter().enumerate().map(|(at, one)| connection("bob", 100 + at, one)).collect();
        let run = |order: Vec<&Connection<'static>>| {
            let (mut detector, profiles) = begun(Thresholds::default());
            let mut said: Vec<String> = order.iter().map(|one| {
                let travels: Vec<_> = detector.opened(one, &profiles).reasons.into_iter()
                    .filter(|reason| !matches!(reason.measure, insight::detect::Measure::None))
                    .collect();
                format!("{} {travels:?}", one.session)
            }).collect();
            said.sort_unstable();
            said
        };
        let mut mixed = Vec::new();
        let (mut hers_left, mut his_left) = (hers.iter(), his.iter());
        for turn in turns {
            mixed.extend(if turn { hers_left.next() } else { his_left.next() });
        }
        mixed.extend(hers_left);
        mixed.extend(his_left);
        prop_assert_eq!(run(hers.iter().chain(&his).collect()), run(mixed));
    }
}
