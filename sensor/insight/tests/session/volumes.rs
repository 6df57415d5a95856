//! Counters with gigawords, without, that wrap, begin again and come late.

use crate::{Say, Told, interim, start, stop};

fn volume(say: Say, input: u32, output: u32) -> Say {
    Say { octets: Some((input, output)), ..say }
}

fn totals(told: &Told) -> (u64, u64) {
    let session = &told.changes.last().unwrap().session;
    (session.input_octets().unwrap(), session.output_octets().unwrap())
}

#[test]
fn gigawords_are_the_high_half() {
    let told = Told::by(&[start(0), Say { gigawords: Some((2, 0)), ..volume(interim(300, 300), 5, 7) }]);
    assert_eq!(totals(&told), ((2 << 32) + 5, 7));
    assert_eq!(Told::by(&[start(0)]).changes[0].session.input_octets(), None);
}

#[test]
fn without_gigawords_octets_wrap() {
    let told = Told::by(&[
        start(0),
        volume(interim(300, 300), 4_000_000_000, 10),
        volume(interim(600, 600), 5, 20),
        volume(stop(900, 900), 3, 30),
    ]);
    // The second time the way round would be almost 4 GiB: the counter began again.
    assert_eq!(totals(&told), ((1 << 32) + 5 + 3, 30));
}

#[test]
fn a_wrap_is_seen_in_whatever_order_it_comes() {
    let mut says = [
        volume(interim(100, 100).timed(), 3_000_000_000, 1),
        volume(interim(130, 130).timed(), 500_000_000, 2),
        volume(interim(160, 160).timed(), 3_000_000_000, 3),
        volume(interim(190, 190).timed(), 100_000_000, 4),
    ];
    for say in &mut says {
        say.arrival = 200;
    }
    let in_order = totals(&Told::by(&says));
    // 3,000 to 500 million the short way round; back to 3,000 is 2,500 on; and round again.
    assert_eq!(in_order, ((2 << 32) + 100_000_000, 4));
    for order in [[3, 2, 1, 0], [0, 2, 1, 3], [2, 0, 3, 1]] {
        let told = Told::by(&order.map(|at: usize| says[at].clone()));
        assert_eq!(totals(&told), in_order, "{order:?}");
    }
}

#[test]
fn with_gigawords_a_lower_value_is_a_counter_that_began_again() {
    let words = |say: Say| Say { gigawords: Some((0, 0)), ..say };
    let told = Told::by(&[
        start(0),
        words(volume(interim(300, 300), 4_000_000_000, 10)),
        words(volume(interim(600, 600), 5, 20)),
    ]);
    assert_eq!(totals(&told), (4_000_000_005, 20));
}

#[test]
fn a_lower_value_that_does_not_say_when_it_was_sent_is_late() {
    let bare = |arrival, octets| Say { seconds: None, ..volume(interim(arrival, 0), octets, octets) };
    let told = Told::by(&[start(0), bare(300, 1000), bare(301, 900), bare(600, 2000)]);
    assert_eq!(totals(&told), (2000, 2000));
    // Its length says so, too.
    let told =
        Told::by(&[start(0), volume(interim(600, 600), 1000, 1000), volume(interim(601, 300), 900, 900)]);
    assert_eq!(totals(&told), (1000, 1000));
    let told = Told::by(&[
        start(0),
        volume(interim(300, 300), 1000, 1000),
        volume(interim(600, 600), 5, 5),
        volume(interim(601, 300), 1000, 1000),
    ]);
    assert_eq!(totals(&told), (1005, 1005));
}

#[test]
fn volumes_never_overflow() {
    let most = Say { gigawords: Some((u32::MAX, u32::MAX)), ..volume(interim(0, 0), u32::MAX, u32::MAX) };
    let none = Say { gigawords: Some((0, 0)), ..volume(interim(0, 0), 0, 0) };
    let says: Vec<Say> = (1..40u32)
        .map(|at| {
            let say = if at % 2 == 0 { &none } else { &most };
            Say { arrival: u64::from(at) * 300, seconds: Some(at * 300), ..say.clone() }
        })
        .collect();
    assert_eq!(totals(&Told::by(&says)), (u64::MAX, u64::MAX));
}
