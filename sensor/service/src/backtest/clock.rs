//! How late it is, by the times of lines or records. One that lies far from those before it moves nothing: a VPN server's
//! clock was wrong, or a line is out of its place. The time goes there once the next says so too. Only what came before is
//! asked. Called by `Backtest` only.

/// Seven days, ns: so much at once profiles take for the next day. What lies farther ahead they take for a wrong clock, so
/// that it has to go by day by day.
const STEP_MAX_NS: u64 = 7 * DAY_NS;
/// So many days in a row are the most that go by one by one: more than anything is remembered, 180 days.
const DAYS_MAX: u64 = 200;
const DAY_NS: u64 = 86_400_000_000_000;

/// How late it is.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What is believed; 0: nothing yet.
    now: u64,
    /// The latest that was ever believed: what was learned until then must not be taken for older than it is.
    reached: u64,
    /// Where the one before was, if it was far from that.
    astray: Option<u64>,
}

/// What a time says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// When it counts as heard of, ns since 1970 UTC.
    pub(super) arrival_unix_ns: u64,
    /// It lies so far before those before it that it counts at theirs: by so many ns.
    pub(super) early_by_ns: Option<u64>,
    /// The one before it lay ahead of all others by so many ns, and is not believed.
    pub(super) was_ahead_by_ns: Option<u64>,
    /// It is sure now that the time went on by more than profiles take at once: from, until.
    pub(super) went_by: Option<(u64, u64)>,
    /// It may lie too far ahead to be true.
    pub(super) is_doubtful: bool,
}

impl Clock {
    /// Takes the next time, which is believed as far from the others as `trusted_ns`.
    pub(super) fn hear(&mut self, unix_ns: u64, trusted_ns: u64) -> Heard {
        let mut heard = Heard { arrival_unix_ns: unix_ns, ..Heard::default() };
        let is_far = |from: u64, to: u64| to > from.saturating_add(trusted_ns);
        if self.now == 0 {
            self.now = unix_ns;
        }
        match self.astray.take() {
            // Two ahead in a row.
            Some(ahead) if ahead > self.now && !is_far(unix_ns, ahead) => {
                let from = self.now.max(self.reached);
                heard.went_by = (ahead > from.saturating_add(STEP_MAX_NS)).then_some((from, ahead));
                self.now = ahead;
            }
            Some(ahead) if ahead > self.now => heard.was_ahead_by_ns = Some(ahead - self.now),
            // Two behind in a row.
            Some(behind) if is_far(unix_ns, self.now) => self.now = behind,
            Some(_) | None => {}
        }
        if is_far(self.now, unix_ns) {
            self.astray = Some(unix_ns);
            heard.is_doubtful = unix_ns > self.now.saturating_add(STEP_MAX_NS);
        } else if is_far(unix_ns, self.now) {
            self.astray = Some(unix_ns);
            heard.early_by_ns = Some(self.now - unix_ns);
            heard.arrival_unix_ns = self.now;
        } else {
            self.now = self.now.max(unix_ns);
            heard.arrival_unix_ns = self.now;
        }
        self.reached = self.reached.max(self.now);
        heard
    }
}

/// The days that go by between two times, so that profiles do not take the second for a wrong clock's; the last of them if
/// they are too many.
pub(super) fn days_between((from, until): (u64, u64)) -> impl Iterator<Item = u64> {
    let days = (until.saturating_sub(from) / DAY_NS).min(DAYS_MAX);
    (0..=days).rev().map(move |before| until - before * DAY_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days heard one behind the other; where each counts.
    fn days<const N: usize>(heard: [u64; N]) -> [u64; N] {
        let mut clock = Clock::default();
        heard.map(|day| clock.hear(day * DAY_NS, DAY_NS).arrival_unix_ns / DAY_NS)
    }

    #[test]
    fn one_time_far_from_the_others_moves_none_of_them() {
        assert_eq!(days([100, 130, 100, 101, 130, 101]), [100, 130, 100, 101, 130, 101]);
        assert_eq!(days([100, 101, 90, 101, 102]), [100, 101, 101, 101, 102]);
        // By less than is trusted it is another's that comes late.
        assert_eq!(days([100, 101, 100, 101]), [100, 101, 101, 101]);
    }

    #[test]
    fn two_in_a_row_do() {
        assert_eq!(days([100, 130, 130, 131, 100, 130]), [100, 130, 130, 131, 131, 131]);
        assert_eq!(days([100, 130, 130, 100, 100, 101, 102]), [100, 130, 130, 130, 100, 101, 102]);
        // Hardly anybody connects: each is far from the one before.
        assert_eq!(days([100, 120, 140, 160, 155]), [100, 120, 140, 160, 155]);
        // Backwards, the second counts where the first of both was.
        assert_eq!(days([100, 90, 80, 80, 80]), [100, 100, 90, 80, 80]);
    }

    #[test]
    fn what_was_wrong_is_told_with_the_next() {
        let mut clock = Clock::default();
        let mut hear = |day: u64| clock.hear(day * DAY_NS, DAY_NS);
        hear(100);
        assert_eq!(hear(130), Heard { arrival_unix_ns: 130 * DAY_NS, is_doubtful: true, ..Heard::default() });
        assert_eq!(hear(100).was_ahead_by_ns, Some(30 * DAY_NS));
        assert_eq!(hear(100).was_ahead_by_ns, None);
        assert_eq!(hear(90).early_by_ns, Some(10 * DAY_NS));
    }

    #[test]
    fn days_go_by_once_it_is_sure_and_never_again() {
        let mut clock = Clock::default();
        let mut went_by = |day: u64| clock.hear(day * DAY_NS, DAY_NS).went_by;
        let sure = |from: u64, until: u64| Some((from * DAY_NS, until * DAY_NS));
        // Up to seven days profiles take at once.
        assert_eq!([100, 107, 107].map(&mut went_by), [None; 3]);
        assert_eq!([115, 115, 116].map(&mut went_by), [None, sure(107, 115), None]);
        // Set back to 1970 for a while: since then nothing went by but a day.
        assert_eq!([1, 1, 2, 117, 117, 118].map(&mut went_by), [None; 6]);
        assert_eq!([140, 141].map(&mut went_by), [None, sure(118, 140)]);
    }

    #[test]
    fn a_hundred_years_take_no_longer_than_what_is_remembered() {
        let days = |until: u64| days_between((100 * DAY_NS, until)).collect::<Vec<_>>();
        assert_eq!(days(102 * DAY_NS + 5), [100, 101, 102].map(|day| day * DAY_NS + 5));
        let all = days(36_600 * DAY_NS);
        assert_eq!((all.len(), all[0], all[200]), (201, 36_400 * DAY_NS, 36_600 * DAY_NS));
    }
}
