//! Near a threshold: what is late and a clock that jumps, through the whole service. From a town in England to one in
//! China a minute too fast for an airliner, and just not.

use service::{rebuild::WAITING_MAX, store::AlertFilter};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Request, places_of},
};

/// When the user is at home, and from when on no more.
const NINE: u64 = 9 * HOUR_S;
const TEN: u64 = 10 * HOUR_S;
const YEAR_S: u64 = 365 * DAY_S;

/// What happens: a request that was sent at one second and arrives at another, or a turn at one.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Home { status: u32, sent: u64, arrives: u64 },
    Away { sent: u64, arrives: u64 },
    Turn(u64),
}
use Happens::{Away, Home, Turn};

/// Names of the detections that spoke in the end.
fn told(happens: &[Happens]) -> Vec<String> {
    let mut house = House::new(
        crate::meaning(&["contoso.example", "contoso", ""], 90),
        places_of("GeoIP2-City-Test.mmdb"),
    );
    for happens in happens {
        let start = Request { user: 1, ..Request::start() };
        let last = match *happens {
            Home { status, sent, arrives } => {
                house.hear(&Request { at: arrives, event: Some(sent), status, session: "home", ..start });
                arrives
            }
            Away { sent, arrives } => {
                house.hear(&Request { at: arrives, event: Some(sent), session: "away", address: 4, ..start });
                arrives
            }
            Turn(at) => at,
        };
        house.catch_up(last);
        house.turn(last);
    }
    house.stop();
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
    let alerts = house.store().alerts(&AlertFilter::default(), 10).unwrap();
    let reasons = alerts.into_iter().flat_map(|alert| alert.reasons);
    let mut names: Vec<String> = reasons.map(|reason| reason.detection).collect();
    names.sort();
    names.dedup();
    names
}

fn home(status: u32, at: u64) -> Happens {
    Home { status, sent: at, arrives: at }
}

/// So many seconds after the end at home the user is far away.
fn on_time(gap: u64) -> Vec<String> {
    told(&[home(1, NINE), home(2, TEN), Away { sent: TEN + gap, arrives: TEN + gap }])
}

/// The first whole minute, in seconds, in which somebody can have travelled.
fn threshold() -> u64 {
    let (mut too_fast, mut enough) = (60, 48 * 60);
    while enough - too_fast > 1 {
        let middle = u64::midpoint(too_fast, enough);
        *(if on_time(middle * 60).is_empty() { &mut enough } else { &mut too_fast }) = middle;
    }
    enough * 60
}

/// Too fast by up to a minute, and not too fast; from the end at home to the beginning far away, in seconds.
fn gaps() -> [(u64, &'static [&'static str]); 2] {
    let threshold = threshold();
    [(threshold - 60, &["impossible-travel", "unlearned-user"]), (threshold, &[])]
}

#[test]
fn what_arrives_late_counts_when_it_was() {
    for (gap, expected) in gaps() {
        let sent = TEN + gap;
        for late in [0, 59, 301, 6 * HOUR_S, 12 * HOUR_S] {
            let away = Away { sent, arrives: sent + late };
            assert_eq!(told(&[home(1, NINE), home(2, TEN), away]), expected, "{gap}: {late} s");
        }
        // The Start at home comes behind its Stop, at once or behind all.
        let late = |arrives| Home { status: 1, sent: NINE, arrives };
        let away = Away { sent, arrives: sent };
        assert_eq!(told(&[home(2, TEN), late(TEN + 60), away]), expected, "{gap}");
        assert_eq!(told(&[home(2, TEN), away, late(sent + HOUR_S)]), expected, "{gap}");
    }
}

#[test]
fn a_connection_is_judged_by_what_was_known_when_it_began() {
    // That she was at home until ten is known afterwards only: nobody travels into the past.
    for (gap, _) in gaps() {
        let sent = TEN + gap;
        let away = Away { sent, arrives: sent };
        for late in [1, 60, HOUR_S, 8 * HOUR_S] {
            let at_home = |status, sent| Home { status, sent, arrives: TEN + gap + late };
            let none = [] as [&str; 0];
            assert_eq!(told(&[home(1, NINE), away, at_home(2, TEN)]), none, "{gap}: {late} s");
            assert_eq!(told(&[away, at_home(1, NINE), at_home(2, TEN)]), none, "{gap}: {late} s");
        }
    }
}

#[test]
fn a_clock_that_jumps_moves_no_threshold() {
    for (gap, expected) in gaps() {
        let (before, sent) = ([home(1, NINE), home(2, TEN)], TEN + gap);
        let then = |happens: &[Happens]| told(&[&before[..], happens].concat());
        let away = Away { sent, arrives: sent };
        // Ahead for an hour while nobody connects, and right again.
        for years in [1, 10] {
            let ahead = TEN + years * YEAR_S;
            let turns = [Turn(ahead), Turn(ahead + HOUR_S), Turn(TEN + 120), away];
            assert_eq!(then(&turns), expected, "{gap}: {years} years");
        }
        for off in [-299, -60, 299, 3600, 6 * 3600] {
            let arrives = sent.saturating_add_signed(off);
            // Wrong while she begins far away, and until a minute before.
            let begins = [Turn(arrives - 60), Away { sent, arrives }];
            assert_eq!(then(&begins), expected, "{gap}: {off} s");
            let mended = [Turn(TEN.saturating_add_signed(off)), Turn(sent - 60), away];
            assert_eq!(then(&mended), expected, "{gap}: {off} s, mended");
        }
    }
}
