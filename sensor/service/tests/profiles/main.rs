//! Records teach profiles: each connection once, whatever comes late, is told twice or is taken up again from a checkpoint;
//! and the page made from the store says the same.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod clock;
mod taken_back;
mod together;
mod usual;

use std::{net::IpAddr, sync::Arc};

use insight::profile::{Feature, Learned, Learning, Profile, Value};
use journal::{CapturePath, Record};
use radius::{Code, build::RequestBuilder};
use service::{
    Meaning,
    fold::{Fold, Resolve, Resolved},
    store::{Store, StoreReader, UsualPage, UsualValue},
};

/// 2026-09-21T00:00:00Z, a Monday.
const MONDAY_S: u64 = 1_789_948_800;
const DAY_S: u64 = 86_400;
const HOUR_S: u64 = 3600;
const NS: u64 = 1_000_000_000;

/// Odd addresses are at home in Lyon, even ones on a mobile network, those that end in 0 nowhere; 198.51.100.0/24 is far
/// away, and 192.0.2.0/24 are Tor's.
struct Addresses;

impl Resolve for Addresses {
    fn resolve(&mut self, _: u64, address: IpAddr) -> Resolved {
        let IpAddr::V4(address) = address else { return Resolved::default() };
        let last = address.octets()[3];
        if last == 0 {
            return Resolved { whereabouts: "not-listed".into(), ..Resolved::default() };
        }
        if address.octets()[0] == 198 {
            return Resolved {
                whereabouts: "place".into(),
                country: Some("CN".into()),
                asn: Some(64_500),
                ..Resolved::default()
            };
        }
        if address.octets()[0] == 192 {
            return Resolved {
                whereabouts: "place".into(),
                country: Some("DE".into()),
                asn: Some(64_501),
                kinds: vec!["tor".into()],
                ..Resolved::default()
            };
        }
        let is_home = last % 2 == 1;
        Resolved {
            whereabouts: "place".into(),
            country: Some("FR".into()),
            city: is_home.then(|| "Lyon".into()),
            asn: Some(if is_home { 3215 } else { 20_810 }),
            organisation: Some("Orange".into()),
            kinds: if is_home { vec![] } else { vec!["mobile".into()] },
            ..Resolved::default()
        }
    }
}

/// A request of one session; absent is what is empty or 0.
#[derive(Clone, Copy, Default)]
struct Say<'a> {
    status: u32,
    session: &'a str,
    user: &'a str,
    address: &'a str,
    device: &'a str,
    seconds: u32,
    octets: u32,
}

const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;

/// The record of a request that is sent and arrives then.
fn record(sequence: u64, unix_s: u64, say: Say<'_>) -> Record {
    let mut buffer = [0; 1024];
    let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, sequence as u8);
    request.integer(40, say.status).text(44, say.session).text(32, "gateway").integer(61, 5).integer(6, 2);
    request.integer(55, unix_s as u32);
    for (attribute, text) in [(1, say.user), (31, say.address)] {
        if !text.is_empty() {
            request.text(attribute, text);
        }
    }
    if !say.device.is_empty() {
        request.vendor(9, 1, format!("mdm-tlv=device-uid={}", say.device).as_bytes());
    }
    if say.seconds > 0 {
        request.integer(46, say.seconds).integer(42, say.octets).integer(43, say.octets);
    }
    Record {
        sequence,
        arrival_unix_ns: unix_s * NS,
        source: "192.0.2.10:1024".parse().unwrap(),
        destination: "192.0.2.1:1813".parse().unwrap(),
        path: CapturePath::Udp,
        client: Arc::from("branch"),
        sensor: Arc::from("sensor"),
        octets: request.seal(b"secret").unwrap().to_vec(),
        redacted: false,
    }
}

struct Told {
    fold: Fold,
    store: Store,
    sequence: u64,
    folder: tempfile::TempDir,
}

impl Told {
    fn new() -> Told {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
        Told { fold: Fold::new(Meaning::default()).unwrap(), store, sequence: 0, folder }
    }

    fn hear(&mut self, unix_s: u64, say: Say<'_>) {
        self.sequence += 1;
        let record = record(self.sequence, unix_s, say);
        self.fold.take(&record, &mut Addresses);
        if self.fold.must_be_stored() {
            self.store();
        }
    }

    fn store(&mut self) {
        self.store.write(&self.fold.finish(), None).unwrap();
    }

    fn profile(&self, user: &str) -> Profile<'_> {
        self.fold.profiles().get(user).unwrap()
    }

    /// What the store says a minute later.
    fn page(&mut self, user: &str, unix_s: u64) -> UsualPage {
        self.page_by(user, Learning::default(), unix_s)
    }

    /// The same by another learning rule.
    fn page_by(&mut self, user: &str, learning: Learning, unix_s: u64) -> UsualPage {
        self.store();
        let reader = StoreReader::open(&self.folder.path().join("store.sqlite")).unwrap();
        reader.user_page(user, 1, learning, unix_s * NS).unwrap().unwrap().usual
    }
}

/// Forty days, at work on five in seven, of two people, with what can go wrong on the way.
fn month(told: &mut Told, restarts: bool) -> u64 {
    let mut unix_s = MONDAY_S;
    for day in 0..40 {
        if day % 7 > 4 {
            continue;
        }
        unix_s = MONDAY_S + day * DAY_S + 8 * HOUR_S;
        let session = format!("a{day}");
        let alice = Say { session: &session, user: "alice", ..Say::default() };
        // The address is known at the Interim, the device at the Stop.
        told.hear(unix_s, Say { status: START, ..alice });
        let address = if day % 5 == 0 { "203.0.113.2" } else { "203.0.113.1" };
        told.hear(unix_s + 600, Say { status: INTERIM, seconds: 600, octets: 10, address, ..alice });
        let bob = format!("b{day}");
        let bob = Say { session: &bob, user: "bob", address: "203.0.113.0", ..Say::default() };
        told.hear(unix_s + 700, Say { status: START, device: "PC-BOB", ..bob });
        if restarts {
            told.fold = Fold::load(&told.fold.save().unwrap()).unwrap();
        }
        let end =
            Say { status: STOP, device: "PC-ALICE", seconds: 28_800, octets: 1 << 20, address, ..alice };
        told.hear(unix_s + 28_800, end);
        told.hear(unix_s + 28_800, end);
        told.hear(unix_s + 30_000, Say { status: STOP, seconds: 29_300, octets: 1 << 10, ..bob });
        unix_s += 30_000;
    }
    unix_s
}

#[test]
fn a_month_teaches_each_connection_once_and_the_page_says_the_same() {
    let mut told = Told::new();
    let now = month(&mut told, false) + 60;
    let mut restarted = Told::new();
    month(&mut restarted, true);
    assert_eq!(told.fold.save().unwrap(), restarted.fold.save().unwrap());

    for user in ["alice", "bob"] {
        let page = told.page(user, now);
        let profile = told.profile(user);
        assert_eq!((page.connections, page.days), (profile.connections(), profile.days()));
        assert_eq!(page.connections, 22, "{page:?}");
        let same = |values: &[UsualValue], feature| {
            let counts = |usual: insight::profile::Usual<'_>| (usual.connections, usual.days);
            let said: Vec<(u32, u32)> = profile.values(feature).into_iter().map(counts).collect();
            let shown: Vec<(u32, u32)> = values.iter().map(|value| (value.connections, value.days)).collect();
            assert_eq!(said, shown, "{feature:?} of {user}: {page:?}");
        };
        same(&page.countries, Feature::Country);
        same(&page.places, Feature::Place);
        same(&page.networks, Feature::Network);
        same(&page.kinds, Feature::Kinds);
        same(&page.devices, Feature::Device);
        same(&page.software, Feature::Software);
        same(&page.servers, Feature::Server);
        assert_eq!(page.hours, profile.hours());
        let spread =
            |spread: insight::profile::Spread| (spread.connections, spread.median, spread.nine_in_ten);
        let shown = |spread: service::store::Spread| (spread.connections, spread.median, spread.nine_in_ten);
        assert_eq!(page.seconds.map(shown), profile.lengths().map(spread));
        assert_eq!(page.octets.map(shown), profile.volumes().map(spread));
        assert!(page.learned && profile.learned(now as u32, Learning::default()) == Learned::Yes, "{page:?}");
    }
    let page = told.page("alice", now);
    let values = |values: &[UsualValue]| -> Vec<(String, u32)> {
        values.iter().map(|value| (value.name.clone(), value.connections)).collect()
    };
    assert_eq!(values(&page.places), [("Lyon, FR".into(), 17), ("FR".into(), 5)]);
    assert_eq!(values(&page.networks), [("AS3215 Orange".into(), 17), ("AS20810 Orange".into(), 5)]);
    assert_eq!(values(&page.kinds), [("mobile".into(), 5)]);
    assert_eq!(values(&page.devices), [("PC-ALICE".into(), 22)]);
    assert_eq!(values(&page.servers), [("gateway".into(), 22)]);
    assert_eq!((page.hours[8], page.hours[9]), (4, 0));
    assert!(page.seconds.unwrap().median.abs_diff(28_800) < 1800, "{page:?}");
    // Nothing is known of bob's address.
    let page = told.page("bob", now);
    assert_eq!((page.places.len(), page.networks.len(), page.devices.len()), (0, 0, 1));
    // Somebody who is away: what was usual, and that nothing is compared with it.
    let page = told.page("alice", now + 50 * DAY_S);
    assert_eq!((page.connections, page.learned), (22, false));
    assert_eq!(page.not_learned.unwrap(), "0 connections in 30 days, 5 are needed");
}

#[test]
fn a_user_whose_name_comes_late_is_learned_with_everything() {
    let mut told = Told::new();
    let say = Say { session: "1", address: "203.0.113.1", device: "PC", ..Say::default() };
    told.hear(MONDAY_S, Say { status: START, ..say });
    assert!(told.fold.profiles().is_empty());
    told.fold = Fold::load(&told.fold.save().unwrap()).unwrap();
    told.hear(MONDAY_S + 600, Say { status: INTERIM, user: "alice", seconds: 600, ..say });
    told.hear(MONDAY_S + 1200, Say { status: INTERIM, user: "alice", seconds: 1200, ..say });
    let profile = told.profile("alice");
    assert_eq!(profile.connections(), 1);
    for (feature, value) in
        [(Feature::Place, "Lyon, FR"), (Feature::Device, "PC"), (Feature::Server, "gateway")]
    {
        assert_eq!(profile.value(feature, Value::Text(value)).unwrap().connections, 1, "{value}");
    }
    let learned = profile.learned((MONDAY_S + 1200) as u32, Learning::default());
    assert!(matches!(learned, Learned::Young { .. }), "{learned:?}");
    let page = told.page("alice", MONDAY_S + 1200);
    assert_eq!(page.not_learned.unwrap(), "the first connection is not 30 days ago, until 2026-10-21");
    // By the rule that is in force.
    let rule = |days, connections_min| Learning { days, connections_min };
    let page = told.page_by("alice", rule(10, 5), MONDAY_S + 1200);
    assert_eq!(page.not_learned.unwrap(), "the first connection is not 10 days ago, until 2026-10-01");
    let page = told.page_by("alice", rule(1, 2), MONDAY_S + 2 * DAY_S);
    assert_eq!(page.not_learned.unwrap(), "1 connections in 30 days, 2 are needed");
    assert!(told.page_by("alice", rule(1, 1), MONDAY_S + 2 * DAY_S).learned);
}

#[test]
fn a_session_that_is_alive_after_all_ends_once() {
    let mut told = Told::new();
    let say = Say { session: "1", user: "alice", address: "203.0.113.1", device: "PC", ..Say::default() };
    told.hear(MONDAY_S, Say { status: START, ..say });
    for minute in 1..=3 {
        let seconds = minute * 600;
        told.hear(MONDAY_S + u64::from(seconds), Say { status: INTERIM, seconds, ..say });
    }
    // Others go on: this one has fallen silent.
    for minute in 4..30 {
        let other = Say { session: "2", user: "bob", ..say };
        let seconds = minute * 600;
        let status = if minute == 4 { START } else { INTERIM };
        told.hear(MONDAY_S + u64::from(seconds), Say { status, seconds: seconds - 2400, ..other });
    }
    assert_eq!(told.profile("alice").lengths().unwrap().connections, 1);
    let open =
        |told: &Told| told.fold.sessions().iter().filter(|(.., session)| session.end().is_none()).count();
    assert_eq!(open(&told), 1);
    told.hear(MONDAY_S + 18_000, Say { status: INTERIM, seconds: 18_000, ..say });
    assert_eq!(open(&told), 2);
    told.fold = Fold::load(&told.fold.save().unwrap()).unwrap();
    told.hear(MONDAY_S + 18_600, Say { status: STOP, seconds: 18_600, ..say });
    assert_eq!(open(&told), 1);
    let profile = told.profile("alice");
    assert_eq!((profile.connections(), profile.lengths().unwrap().connections), (1, 1));
}
