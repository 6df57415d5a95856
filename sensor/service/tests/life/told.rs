//! What sinks are told by a service that is stopped and started: each alert as new first, each connection's end, and what came
//! while one of them could not run.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use insight::detect::Thresholds;
use service::{
    Detecting,
    alert::{Severity, State, Verdict},
    control::Control,
    export::{
        Telling,
        format::{Format, Kind},
        sink::{Settings, Standing, Target},
        spool::Limits,
    },
    rebuild::WAITING_MAX,
    store::AlertFilter,
};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Instead, Request, epoch_s, places_of},
};

const MINUTE_S: u64 = 60;
/// In three countries that nobody connects from.
const CHINA: &str = "175.16.199.7";
const SWEDEN: &str = "89.160.20.112";
const AMERICA: &str = "216.160.83.56";

/// A service with its sinks.
struct Told {
    house: House,
    settings: Vec<Settings>,
    telling: Option<Telling>,
    /// A sink whose peer takes nothing.
    dead: Option<&'static str>,
}

impl Told {
    fn new(settings: impl Fn(&Path) -> Vec<Settings>) -> Told {
        let meaning = crate::meaning(&["contoso.example", "contoso", ""], 180);
        let house = House::new(meaning, places_of("GeoIP2-City-Test.mmdb"));
        let settings = settings(house.state_dir());
        Told { house, settings, telling: None, dead: None }
    }

    fn telling(&mut self) -> (&mut Telling, &mut House) {
        if self.telling.is_none() {
            // The service makes the store before anything is told.
            self.house.live();
            let telling = Telling::open(self.house.state_dir(), self.settings.clone(), None);
            telling.begin(self.house.live());
            self.telling = Some(telling);
        }
        (self.telling.as_mut().unwrap(), &mut self.house)
    }

    /// Takes what is recorded, stores it, and hands over what there is.
    fn turn(&mut self, at: u64) {
        let (_, house) = self.telling();
        // As the service opens it.
        house.live().keep_activities(true);
        house.catch_up(at);
        house.turn(at);
        // As old as an outcome gets before it is stored, and a look at the alerts.
        thread::sleep(Duration::from_millis(300));
        self.house.turn(at);
        let (telling, house) = self.telling();
        telling.turn(house.live()).unwrap();
        self.settle();
    }

    /// Sinks that run have written what they have.
    fn settle(&mut self) {
        let dead = self.dead;
        let (telling, _) = self.telling();
        let begin = Instant::now();
        let is_late = |sink: &Standing| sink.waiting > 0 && Some(&*sink.name) != dead;
        while telling.sinks().standing().iter().any(is_late) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", telling.sinks().standing());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// A clean stop; the next turn is behind a start.
    fn stop(&mut self) {
        self.house.stop();
        if let Some(telling) = self.telling.take() {
            telling.stop();
        }
    }

    /// Somebody with the password of `user1` on this day, an hour long.
    fn stranger(&mut self, day: u64, address: &str, device: &str) {
        let (at, session) = (day * DAY_S + 8 * HOUR_S, format!("{day}-{device}"));
        let instead = Instead { address: Some(address), device: Some(device), ..Instead::default() };
        let start = Request { at, user: 1, session: &session, instead, ..Request::start() };
        self.house.hear(&start);
        self.house.hear(&Request { at: at + HOUR_S, ..start.stop(1) });
        self.turn(at + 2 * HOUR_S);
    }

    /// The only alert is closed.
    fn close(&mut self, at: u64) {
        let control = Control::open(self.house.state_dir()).unwrap();
        control.decide(1, Some(Verdict::Usual), None, "uid 0").unwrap();
        self.house.live().take_decisions(&control).unwrap();
        self.turn(at);
    }

    fn at_home(&mut self) {
        for day in 0..20 {
            let (at, session) = (day * DAY_S + 8 * HOUR_S, format!("{day}-home"));
            let start = Request { at, user: 1, session: &session, ..Request::start() };
            self.house.hear(&start);
            self.house.hear(&Request { at: at + HOUR_S, ..start.stop(1) });
            self.house.turn(at + 2 * HOUR_S);
        }
    }
}

fn file(state_dir: &Path, name: &str, format: Format, what: Kind) -> Settings {
    Settings {
        name: name.to_owned(),
        target: Target::File { path: path(state_dir, name) },
        format,
        what: vec![what],
        min_severity: Severity::Informational,
        limits: Limits::default(),
    }
}

fn path(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join(format!("{name}.txt"))
}

fn lines(told: &Told, name: &str) -> Vec<String> {
    let text = fs::read_to_string(path(told.house.state_dir(), name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What is news in each line of CEF.
fn triggers(told: &Told, name: &str) -> Vec<String> {
    let trigger = |line: &String| line.split_once(" cs2=").unwrap().1.split(' ').next().unwrap().to_owned();
    lines(told, name).iter().map(trigger).collect()
}

/// And of OCSF.
fn activities(told: &Told, name: &str) -> Vec<String> {
    let activity = |line: &String| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        match event["activity_id"].as_u64().unwrap() {
            1 => "new",
            2 => "updated",
            _ => "closed",
        }
        .to_owned()
    };
    lines(told, name).iter().map(activity).collect()
}

/// Both ways of writing say the same.
fn news(told: &Told, name: &str) -> Vec<String> {
    let news = triggers(told, &format!("{name}-cef"));
    assert_eq!(news, activities(told, &format!("{name}-ocsf")));
    news
}

fn both(state_dir: &Path, name: &str, min_severity: Severity) -> Vec<Settings> {
    let formats = [("cef", Format::Cef), ("ocsf", Format::Ocsf)];
    let file = |(suffix, format)| Settings {
        min_severity,
        ..file(state_dir, &format!("{name}-{suffix}"), format, Kind::Alert)
    };
    formats.map(file).into()
}

/// Nothing is of high severity, and so many are sent in a day. Who is at home for twenty days is learned.
fn calm(notices_per_day: u32) -> Detecting {
    let thresholds = Thresholds {
        learning_days: 10,
        alert_score: 1.0,
        high_score: 100.0,
        travel_kmh: 90_000.0,
        simultaneous_km_min: 20_000.0,
        change_km_min: 20_000.0,
        ..Thresholds::default()
    };
    Detecting { thresholds, notices_per_day, ..Detecting::default() }
}

#[test]
fn the_first_message_of_an_alert_whose_new_was_held_back_is_new() {
    let mut told = Told::new(|state_dir| both(state_dir, "all", Severity::Informational));
    told.at_home();
    told.house.tune(calm(0));
    told.stranger(20, CHINA, "KALI");
    assert_eq!(news(&told, "all"), [""; 0]);
    // It grows on a day that has room, behind a start.
    told.stop();
    told.house.tune(calm(50));
    told.stranger(21, SWEDEN, "PC-other");
    assert_eq!(news(&told, "all"), ["new"]);
    told.stop();
    told.stranger(22, AMERICA, "PC-third");
    assert_eq!(news(&told, "all"), ["new", "updated"]);
    told.close(22 * DAY_S + 12 * HOUR_S);
    assert_eq!(news(&told, "all"), ["new", "updated", "closed"]);
    told.stop();
}

#[test]
fn an_alert_that_grows_into_a_sinks_severity_is_new_to_it() {
    let mut told = Told::new(|state_dir| {
        let all = both(state_dir, "all", Severity::Informational);
        [all, both(state_dir, "urgent", Severity::High)].concat()
    });
    told.at_home();
    told.house.tune(calm(50));
    told.stranger(20, CHINA, "KALI");
    assert_eq!((news(&told, "all"), news(&told, "urgent").len()), (vec!["new".to_owned()], 0));
    told.stop();
    let thresholds = Thresholds { high_score: 1.0, ..calm(50).thresholds };
    told.house.tune(Detecting { thresholds, ..calm(50) });
    told.stranger(21, SWEDEN, "PC-other");
    assert_eq!((news(&told, "all").len(), news(&told, "urgent")), (2, vec!["new".to_owned()]));
    told.stop();
    told.stranger(22, AMERICA, "PC-third");
    assert_eq!(news(&told, "all"), ["new", "updated", "updated"]);
    assert_eq!(news(&told, "urgent"), ["new", "updated"]);
    told.stop();
}

/// Other sinks from here on, behind a start or without one.
fn other_sinks(told: &mut Told, settings: Vec<Settings>, is_stopped: bool) {
    told.settings = settings;
    if is_stopped {
        told.stop();
        told.telling();
    } else {
        let settings = told.settings.clone();
        told.telling().0.reload(settings, None);
    }
}

#[test]
fn a_sink_that_is_added_while_an_alert_is_open_is_told_of_it_as_new_first() {
    for is_stopped in [true, false] {
        let mut told = Told::new(|state_dir| both(state_dir, "all", Severity::Informational));
        told.at_home();
        told.house.tune(calm(50));
        told.stranger(20, CHINA, "KALI");
        let sinks = sinks_of(&told, &["all", "late"]);
        other_sinks(&mut told, sinks, is_stopped);
        told.stranger(21, SWEDEN, "PC-other");
        assert_eq!(news(&told, "late"), ["new"], "{is_stopped}");
        let sinks = sinks_of(&told, &["all", "late", "last"]);
        other_sinks(&mut told, sinks, is_stopped);
        told.stranger(22, AMERICA, "PC-third");
        told.stop();
        told.close(22 * DAY_S + 12 * HOUR_S);
        assert_eq!(news(&told, "all"), ["new", "updated", "updated", "closed"], "{is_stopped}");
        assert_eq!(news(&told, "late"), ["new", "updated", "closed"], "{is_stopped}");
        assert_eq!(news(&told, "last"), ["new", "closed"], "{is_stopped}");
        told.stop();
        // One that comes when all is said is not told that something is closed.
        let mut told = Told::new(|state_dir| both(state_dir, "all", Severity::Informational));
        told.at_home();
        told.house.tune(calm(50));
        told.stranger(20, CHINA, "KALI");
        let sinks = sinks_of(&told, &["all", "late"]);
        other_sinks(&mut told, sinks, is_stopped);
        told.close(20 * DAY_S + 12 * HOUR_S);
        assert_eq!((news(&told, "all").len(), news(&told, "late")), (2, Vec::new()), "{is_stopped}");
        told.stop();
    }
}

fn sinks_of(told: &Told, names: &[&str]) -> Vec<Settings> {
    let state_dir = told.house.state_dir();
    names.iter().flat_map(|name| both(state_dir, name, Severity::Informational)).collect()
}

#[test]
fn a_sink_that_wants_other_alerts_while_one_is_open_is_told_by_what_it_had_of_it() {
    for is_stopped in [true, false] {
        let mut told = Told::new(|state_dir| {
            let health = both(state_dir, "health", Severity::Informational).into_iter();
            let health = health.map(|sink| Settings { what: vec![Kind::Health], ..sink });
            let all = both(state_dir, "all", Severity::Informational);
            [all, both(state_dir, "urgent", Severity::High), health.collect()].concat()
        });
        told.at_home();
        told.house.tune(calm(50));
        told.stranger(20, CHINA, "KALI");
        assert_eq!(["all", "urgent", "health"].map(|name| news(&told, name).len()), [1, 0, 0]);
        // All get what the other had.
        let state_dir = told.house.state_dir().to_owned();
        let all = both(&state_dir, "all", Severity::High);
        let urgent = both(&state_dir, "urgent", Severity::Informational);
        let health = both(&state_dir, "health", Severity::Informational);
        other_sinks(&mut told, [all, urgent, health].concat(), is_stopped);
        told.stranger(21, SWEDEN, "PC-other");
        assert_eq!((news(&told, "all").len(), news(&told, "urgent")), (1, vec!["new".to_owned()]));
        assert_eq!(news(&told, "health"), ["new"], "{is_stopped}");
        let thresholds = Thresholds { high_score: 1.0, ..calm(50).thresholds };
        told.house.tune(Detecting { thresholds, ..calm(50) });
        told.stranger(22, AMERICA, "PC-third");
        told.close(22 * DAY_S + 12 * HOUR_S);
        // It was told as long as it wanted such; that it wants less now takes nothing of that away.
        assert_eq!(news(&told, "all"), ["new", "updated", "closed"], "{is_stopped}");
        assert_eq!(news(&told, "urgent"), ["new", "updated", "closed"], "{is_stopped}");
        told.stop();
    }
}

#[test]
fn a_sink_that_is_put_back_while_messages_wait_for_it_gets_what_happened_meanwhile() {
    let sinks = |state_dir: &Path, names: &[&str]| {
        names.iter().map(|name| file(state_dir, name, Format::Json, Kind::Alert)).collect::<Vec<_>>()
    };
    let mut told = Told::new(|state_dir| sinks(state_dir, &["all", "late"]));
    told.dead = Some("late");
    let in_the_way = path(told.house.state_dir(), "late");
    fs::create_dir(&in_the_way).unwrap();
    told.at_home();
    told.house.tune(calm(50));
    told.stranger(20, CHINA, "KALI");
    let only = sinks(told.house.state_dir(), &["all"]);
    other_sinks(&mut told, only, false);
    told.stranger(21, SWEDEN, "PC-other");
    fs::remove_dir(&in_the_way).unwrap();
    told.dead = None;
    let both = sinks(told.house.state_dir(), &["all", "late"]);
    other_sinks(&mut told, both, false);
    told.stranger(22, AMERICA, "PC-third");
    let sequences = |name: &str| -> Vec<Option<u64>> {
        let event = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
        lines(&told, name).iter().map(|line| event(line)["sequence"].as_u64()).collect()
    };
    let three = [Some(1), Some(2), Some(3)];
    assert_eq!((sequences("all"), sequences("late")), (three.to_vec(), three.to_vec()));
    told.stop();
}

#[test]
fn what_is_closed_and_was_never_sent_is_not_sent() {
    let mut told = Told::new(|state_dir| both(state_dir, "all", Severity::Informational));
    told.at_home();
    told.house.tune(calm(0));
    told.stranger(20, CHINA, "KALI");
    told.close(20 * DAY_S + 12 * HOUR_S);
    let notices = told.house.store().notices(0, 9).unwrap();
    assert_eq!(notices.iter().map(|notice| notice.is_held).collect::<Vec<_>>(), [true, false]);
    assert_eq!(news(&told, "all"), [""; 0]);
    told.stop();
}

/// Nobody decides about it for as long as alerts are kept.
#[test]
fn an_alert_that_retention_is_about_to_take_is_closed_and_whoever_was_told_of_it_knows() {
    let mut told = Told::new(|state_dir| {
        let all = both(state_dir, "all", Severity::Informational);
        [all, both(state_dir, "urgent", Severity::High)].concat()
    });
    told.at_home();
    told.house.tune(calm(50));
    told.stranger(20, CHINA, "KALI");
    let last = 20 + 180;
    let is_there = |told: &Told, is_open: bool| {
        let alerts = told.house.store().alerts(&AlertFilter::default(), 9).unwrap();
        alerts.iter().map(|alert| alert.state == State::Open).collect::<Vec<_>>() == [is_open]
    };
    for day in 21..last - 8 {
        told.house.turn(day * DAY_S);
    }
    told.turn((last - 8) * DAY_S + HOUR_S);
    assert!(is_there(&told, true) && news(&told, "all") == ["new"]);
    told.turn((last - 7) * DAY_S + HOUR_S);
    assert_eq!(news(&told, "all"), ["new", "closed"]);
    assert_eq!(news(&told, "urgent"), [""; 0]);
    assert!(lines(&told, "all-ocsf")[1].contains("for as long as alerts are kept"));
    let closed = told.house.store().notices(0, 9).unwrap().pop().unwrap();
    assert_eq!(closed.unix_ns() / 1_000_000_000, epoch_s() + (last - 7) * DAY_S + HOUR_S);
    // What it holds is kept no longer than it would have been.
    for day in last - 6..last {
        told.house.turn(day * DAY_S);
    }
    told.stop();
    assert!(is_there(&told, false));
    (last..last + 3).for_each(|day| told.house.turn(day * DAY_S));
    told.stop();
    assert_eq!(told.house.store().alerts(&AlertFilter::default(), 9).unwrap(), []);
    let (live, rebuilt) = told.house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
}

#[test]
fn connections_that_fall_silent_behind_a_start_are_told_as_closed() {
    let mut told =
        Told::new(|state_dir| vec![file(state_dir, "connections", Format::Json, Kind::Connection)]);
    told.turn(0);
    for (minute, status) in [(1, 1), (6, 3), (11, 3)] {
        for user in 0..3 {
            let (at, session) = (minute * MINUTE_S + user, format!("s{user}"));
            told.house.hear(&Request { at, user, status, session: &session, ..Request::start() });
        }
        told.turn(minute * MINUTE_S + 3);
    }
    let closed = |told: &Told| {
        let lines = lines(told, "connections");
        lines.iter().filter(|line| line.contains("\"silence\"")).count()
    };
    let before = lines(&told, "connections").len();
    assert!(before >= 3 && closed(&told) == 0);
    // No record comes any more, and what is told belongs to the last one.
    told.stop();
    for minute in 12..120 {
        if minute % 5 == 0 {
            told.telling();
            told.house.live().keep_activities(true);
            told.house.turn(minute * MINUTE_S);
        }
    }
    told.turn(120 * MINUTE_S);
    assert_eq!((closed(&told), lines(&told, "connections").len()), (3, before + 3));
    // Nor is one told again.
    told.stop();
    told.turn(125 * MINUTE_S);
    assert_eq!(lines(&told, "connections").len(), before + 3);
    told.stop();
}

#[test]
fn a_sink_that_could_not_run_gets_the_alerts_of_that_time_when_it_does() {
    let mut told = Told::new(|state_dir| {
        let mut late = file(state_dir, "late", Format::Json, Kind::Alert);
        late.what = Kind::ALL.into();
        vec![late, file(state_dir, "other", Format::Json, Kind::Alert)]
    });
    let spool = service::folder(told.house.state_dir()).join("spool/late");
    fs::create_dir_all(spool.parent().unwrap()).unwrap();
    fs::write(&spool, "in the way").unwrap();
    told.at_home();
    told.house.tune(calm(50));
    told.turn(20 * DAY_S);
    told.stranger(20, CHINA, "KALI");
    told.stranger(21, SWEDEN, "PC-other");
    let arrived = lines(&told, "other");
    assert!(arrived.len() >= 2, "{arrived:?}");
    let (telling, _) = told.telling();
    let standing = telling.sinks().standing();
    let stopped = standing.iter().find(|sink| sink.name == "late").unwrap();
    let reason = stopped.stopped.clone().unwrap();
    assert!(reason.contains("spool/late") && stopped.lost > 0, "{stopped:?}");
    fs::remove_file(&spool).unwrap();
    let settings = told.settings.clone();
    told.telling().0.reload(settings, None);
    told.turn(22 * DAY_S);
    assert_eq!((lines(&told, "late"), lines(&told, "other")), (arrived.clone(), arrived));
    let (telling, _) = told.telling();
    let late = telling.sinks().standing().into_iter().find(|sink| sink.name == "late").unwrap();
    assert!(late.stopped.is_none() && late.lost > 0, "{late:?}");
    told.stop();
}
