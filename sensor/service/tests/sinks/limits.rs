//! A peer that is dead until both limits bite, while others go on.

use std::{fs, thread, time::Duration};

use service::export::spool::Limits;

use super::{check_arrived, file, hook, notice, numbers, open, standing, until, webhook::webhook};

#[test]
fn a_dead_sink_delays_says_so_and_holds_nobody() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("alerts.json");
    let address = hook::free_address();
    let mut dead = webhook("dead", format!("http://{address}/hook"), Default::default());
    dead.limits = Limits { max_age: Duration::from_secs(6), max_bytes: 256 << 10, ..Limits::default() };
    let sinks = open(state.path(), vec![dead, file("file", &path)]);
    let written = || fs::read_to_string(&path).unwrap_or_default();
    // Looked at in the middle of a write it may end in half a line.
    let whole = || numbers(written().rsplit_once('\n').map_or("", |(whole, _)| whole)).len();
    // Its size bites.
    for number in 1..=1000 {
        sinks.tell_notice(&notice(number, "alice"), &[]);
        assert!(standing(&sinks, "dead").spool_bytes <= 256 << 10);
    }
    until("the file has all", || whole() == 1000);
    let by_size = standing(&sinks, "dead");
    assert!(by_size.lost > 0 && by_size.waiting > 0 && by_size.lost + by_size.waiting == 1000, "{by_size:?}");
    assert!(!by_size.is_up && by_size.sent == 0);
    let reason = by_size.last_error.unwrap();
    assert!(reason.contains(&address.to_string()) && reason.contains("see whether it runs"), "{reason}");
    // Its age bites.
    thread::sleep(Duration::from_secs(1));
    assert!(standing(&sinks, "dead").behind_seconds > 1.0);
    until("the rest falls out", || standing(&sinks, "dead").lost == 1000);
    sinks.tell_notice(&notice(1001, "alice"), &[]);
    until("the file goes on", || whole() == 1001);
    // It comes back and takes what is left by the time of the next attempt.
    let (_, inbox) = hook::serve(address);
    let mut last = 1001;
    until("it takes messages again", || {
        last += 1;
        sinks.tell_notice(&notice(last, "alice"), &[]);
        thread::sleep(Duration::from_millis(300));
        standing(&sinks, "dead").is_up
    });
    until("nothing waits", || standing(&sinks, "dead").waiting == 0);
    let standing = standing(&sinks, "dead");
    assert!(standing.sent > 0 && standing.sent + standing.lost == last, "{standing:?}");
    let arrived = numbers(&inbox.taken());
    assert_eq!(arrived.last(), Some(&(last, false)));
    assert_eq!(arrived.len() as u64, standing.sent);
    check_arrived(&numbers(&written()), last);
    sinks.stop();
}
