use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use insight::vpn::{
    Client, Decoder, Kind, Received, Settings, TimeSource,
    names::Realms,
    session::{self, Change, EndReason, Happening, Sessions},
};
use radius::authenticator;

use super::{
    super::write,
    networks::{HOTEL_CALIFORNIA, OFFICE_STRASBOURG},
    *,
};

const SECRET: &[u8] = b"a shared secret";
/// 2026-11-25T08:00:00Z, a Wednesday.
const END_S: u64 = 1_795_593_600;

/// Ends on all days of the week, by day and by night.
fn ends() -> impl Iterator<Item = u64> {
    (0..7).map(|day| END_S + day * DAY_S + day * 4 * HOUR_S)
}

/// By session: its reports.
fn by_session(month: &Month) -> BTreeMap<usize, Vec<Report>> {
    let mut sessions = BTreeMap::<_, Vec<_>>::new();
    for report in month.reports() {
        sessions.entry(report.session).or_default().push(*report);
    }
    sessions
}

#[test]
fn a_seed_and_an_end_mean_the_same_month_and_others_another() {
    assert_eq!(Month::new(1, END_S), Month::new(1, END_S));
    assert_ne!(Month::new(1, END_S), Month::new(2, END_S));
    assert_ne!(Month::new(1, END_S), Month::new(1, END_S + DAY_S));
}

#[test]
fn sessions_begin_go_on_and_end_in_order() {
    for (seed, end_s) in ends().enumerate() {
        let month = Month::new(seed as u64, end_s);
        assert!((2000..8000).contains(&month.reports().len()), "{}", month.reports().len());
        assert!(month.reports().is_sorted_by_key(|report| report.unix_s));
        let trusted = end_s - Month::LENGTH_S..=end_s;
        assert!(month.reports().iter().all(|report| trusted.contains(&report.unix_s)));
        let mut open = 0;
        for (session, reports) in by_session(&month) {
            if reports[0].status == Status::AccountingOn {
                assert_eq!((session, reports.len()), (0, 1));
                continue;
            }
            let (first, last) = (reports[0], reports[reports.len() - 1]);
            assert_eq!((first.status, first.elapsed_s), (Status::Start, 0));
            let (ends, between) = match last.status {
                Status::Stop => (1, &reports[1..reports.len() - 1]),
                _ => (0, &reports[1..]),
            };
            assert!(between.iter().all(|report| report.status == Status::InterimUpdate));
            open += 1 - ends;
            for pair in reports.windows(2) {
                assert!(pair[0].elapsed_s < pair[1].elapsed_s);
                assert_eq!(pair[1].unix_s - pair[0].unix_s, pair[1].elapsed_s - pair[0].elapsed_s);
                assert_eq!(pair[0].vendor, pair[1].vendor);
            }
            let gaps = between.windows(2).map(|pair| pair[1].unix_s - pair[0].unix_s);
            assert!(gaps.into_iter().all(|gap_s| (600..=1800).contains(&gap_s)));
            assert!(last.elapsed_s < 11 * HOUR_S, "{last:?}");
            assert!(ends == 0 || last.elapsed_s >= 15 * 60, "{last:?}");
        }
        // Who is connected now, still is: nobody else.
        assert!(open <= Month::PEOPLE, "{open} sessions are open");
    }
}

#[test]
fn nobody_is_in_two_places_at_once_and_everybody_shows() {
    for (seed, end_s) in ends().enumerate() {
        let month = Month::new(seed as u64, end_s);
        let mut until = HashMap::new();
        let mut sessions: Vec<_> = by_session(&month).into_values().skip(1).collect();
        sessions.sort_by_key(|reports| reports[0].unix_s);
        for reports in &sessions {
            let user = &month.session(&reports[0]).user;
            let name = user.trim_start_matches("CONTOSO\\").trim_end_matches("@contoso.example");
            let before = until.insert(name.to_owned(), reports[reports.len() - 1].unix_s);
            assert!(before.is_none_or(|before| before < reports[0].unix_s), "{user} overlaps");
        }
        assert_eq!(until.len(), Month::PEOPLE);
        let ons = month.reports().iter().filter(|report| report.status == Status::AccountingOn);
        assert_eq!(ons.count(), 1);
        // Acct-Session-Ids: RRAS' begin again at its restart, those of the others never.
        let mut ids = HashMap::<_, Vec<_>>::new();
        for reports in &sessions {
            ids.entry(reports[0].vendor).or_default().push(month.session(&reports[0]).session_id.clone());
        }
        for vendor in Vendor::ALL {
            let different = ids[&vendor].iter().collect::<HashSet<_>>().len();
            assert_eq!(different < ids[&vendor].len(), vendor == Vendor::Rras);
        }
    }
}

/// The sensor's half: every request of the month as the demo's configuration has it decoded.
fn decoder() -> Decoder {
    let groups = [vec!["contoso.example", "CONTOSO", ""]];
    let check_point = Client { vendor: Some(insight::vpn::Vendor::CheckPoint), ..Client::default() };
    Decoder::new(Settings {
        realms: Realms::new(&groups).unwrap(),
        accept_past_s: 35 * DAY_S,
        clients: HashMap::from([("CheckPoint".to_owned(), check_point)]),
    })
}

#[test]
fn every_vendor_is_read_rightly_and_alice_is_one_person() {
    let month = Month::new(1, END_S);
    let decoder = decoder();
    let mut sessions = Sessions::new(session::Settings { closed_kept_s: 35 * DAY_S, ..Default::default() });
    let (mut changes, mut found) = (Vec::new(), BTreeMap::new());
    let mut buffer = [0; radius::MAX_LENGTH];
    let mut counters = HashMap::new();
    let mut alice = BTreeSet::new();
    for (number, report) in (1..).zip(month.reports()) {
        // Ten seconds to send it all in.
        let arrival_unix_ns = END_S * 1_000_000_000 + number * 2_000_000;
        let attributes = month.attributes(report, arrival_unix_ns / 1_000_000_000);
        let octets = write(&mut buffer, report.status, 0, &[0; 16], &attributes, SECRET).unwrap();
        assert!(authenticator::verify_request(octets, SECRET));
        let source = format!("192.0.2.{}:1024", 11 + report.vendor as u8).parse().unwrap();
        let client = format!("{:?}", report.vendor);
        let received = Received { octets, source, destination: source, client: &client, arrival_unix_ns };
        let event = decoder.decode(&received).unwrap();
        assert_eq!(event.defects.total(), 0, "{:?}", event.defects);
        assert_eq!(event.time.unix_ns / 1_000_000_000, report.unix_s);
        let (vendor, time, device) = match report.vendor {
            Vendor::Rras => (insight::vpn::Vendor::Microsoft, TimeSource::Timestamp, true),
            Vendor::F5 => (insight::vpn::Vendor::F5, TimeSource::Delay, false),
            Vendor::CheckPoint => (insight::vpn::Vendor::CheckPoint, TimeSource::Delay, false),
            Vendor::Asa => (insight::vpn::Vendor::CiscoAsa, TimeSource::Timestamp, true),
        };
        assert_eq!(event.time.source, time);
        let told = month.session(report);
        if report.status == Status::AccountingOn {
            assert!(event.user.is_none());
        } else {
            assert_eq!((event.vendor, event.classified.kind), (vendor, Kind::Person), "{event:?}");
            let remote = event.remote.unwrap();
            assert_eq!(remote.address.to_string(), told.calling_station_id);
            assert_eq!(event.device.as_deref(), device.then_some(told.device.name.as_str()));
            let user = event.user.as_ref().unwrap();
            assert!(user.key.ends_with("@contoso.example"), "{}", user.key);
            if user.key == "alice@contoso.example" {
                alice.insert((
                    report.vendor as usize,
                    remote.address,
                    event.device.as_deref().map(str::to_owned),
                ));
            }
            if report.status != Status::Start {
                let now = (event.counters.input_octets, event.counters.output_octets);
                assert!(now.0.is_some() && now.1.is_some());
                let before = counters.insert(report.session, now);
                assert!(
                    before.is_none_or(|before| before.0 < now.0 && before.1 < now.1),
                    "{before:?} {now:?}"
                );
            }
        }
        sessions.advance(arrival_unix_ns, &mut changes);
        sessions.take(number, &event, &mut changes);
        for change in changes.drain(..) {
            follow(&mut found, change);
        }
    }
    let addresses = alice.iter().map(|(_, address, _)| *address).collect::<BTreeSet<_>>();
    assert!(addresses.contains(&OFFICE_STRASBOURG));
    assert!(addresses.iter().any(|address| HOTEL_CALIFORNIA.contains(*address)));
    assert!(addresses.len() >= 6, "{addresses:?}");
    assert_eq!(alice.iter().map(|(vendor, ..)| *vendor).collect::<BTreeSet<_>>().len(), 4);
    let devices = alice.into_iter().filter_map(|(_, _, device)| device).collect::<BTreeSet<_>>();
    assert_eq!(devices.len(), 2, "{devices:?}");

    // One session for each that was lived, each with its true beginning and end.
    let lived = by_session(&month);
    assert_eq!(found.len(), lived.len() - 1);
    for reports in lived.values().skip(1) {
        let (first, last) = (reports[0], reports[reports.len() - 1]);
        let user = month.session(&first).session_id.as_str();
        let matches = |change: &&Change| {
            change.session.start_unix_ns / 1_000_000_000 == first.unix_s
                && change.session.details.remote().map(|remote| remote.to_string()).as_deref()
                    == Some(month.session(&first).calling_station_id.as_str())
        };
        let session = &found.values().find(matches).unwrap_or_else(|| panic!("no session {user}")).session;
        let end = session.end();
        if last.status == Status::Stop {
            let end = end.unwrap();
            assert_eq!((end.unix_ns / 1_000_000_000, end.reason), (last.unix_s, EndReason::Stop));
        }
    }
}

fn follow(found: &mut BTreeMap<u64, Change>, change: Change) {
    match change.happening {
        Happening::Merged { .. } => drop(found.remove(&change.session.number)),
        _ => drop(found.insert(change.session.number, change)),
    }
}
