//! The thirty days: which days are in them, where each is kept, and a clock that may be wrong. Days are counted from 1970
//! UTC. Called within the profiles only.

/// Days that profiles look back.
pub const WINDOW_DAYS: u16 = 30;
/// A day is kept at its number modulo this. Two more than needed for the window: the day after today, since a VPN
/// server's clock may be minutes ahead.
pub(super) const RING: usize = 32;
/// More days at once are a jump of the clock, or a sensor that was off.
const JUMP_DAYS: u16 = 7;
/// What is told of a longer time ago is a wrong clock's: no configuration accepts more of the past.
const TOLD_LATE_DAYS: u16 = 90;

pub(super) const DAY_S: u32 = 86_400;
const SECOND: u64 = 1_000_000_000;

/// Seconds since 1970; at most those of the year 2106.
pub(super) fn seconds(unix_ns: u64) -> u32 {
    u32::try_from(unix_ns / SECOND).unwrap_or(u32::MAX)
}

pub(super) fn day(unix_s: u32) -> u16 {
    // At most 49,710.
    (unix_s / DAY_S) as u16
}

/// Where a day is kept.
pub(super) fn place(day: u16) -> usize {
    usize::from(day) % RING
}

/// The first and the last day that are kept while it is `today`.
pub(super) fn bounds(today: u16) -> (u16, u16) {
    (today.saturating_sub(WINDOW_DAYS - 1), today.saturating_add(1))
}

/// Whether a day is kept while it is `today`.
pub(super) fn contains(today: u16, day: u16) -> bool {
    let (first, last) = bounds(today);
    (first..=last).contains(&day)
}

/// The day that is kept at `place` while it is `today`.
pub(super) fn day_at(today: u16, place: usize) -> u16 {
    let (_, last) = bounds(today);
    last.saturating_sub((usize::from(last).wrapping_sub(place) % RING) as u16)
}

/// Of what was kept while it was `before`, what is kept while it is `today`: a bit for each place.
pub(super) fn kept(before: u16, today: u16) -> u32 {
    if before == today {
        return u32::MAX;
    }
    let ((first, last), (new_first, new_last)) = (bounds(before), bounds(today));
    let (first, last) = (first.max(new_first), last.min(new_last));
    if first > last {
        return 0;
    }
    let days = u32::from(last - first) + 1;
    (u32::MAX >> (32 - days.min(32))).rotate_left(u32::from(first) % 32)
}

/// Which day it is. A clock that is wrong for an hour must not cost what was learned in a month: behind a jump, ahead by
/// more than seven days or back, the day stays until another has gone by on the new time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Today {
    /// The day; 0 before the first.
    pub(crate) day: u16,
    /// The day to which the clock jumped, if it did.
    pub(crate) jumped_to: Option<u16>,
}

impl Today {
    /// Whether a day lies before the window and not so far that it cannot be true. While the clock may have jumped none is.
    pub(super) fn is_told_late(self, day: u16) -> bool {
        let (first, _) = bounds(self.day);
        self.jumped_to.is_none() && (self.day.saturating_sub(TOLD_LATE_DAYS)..first).contains(&day)
    }

    /// It is so late now. Tells whether another day began.
    pub(crate) fn advance(&mut self, now_unix_s: u32) -> bool {
        let now = day(now_unix_s);
        let before = self.day;
        let is_next = now >= self.day && now - self.day <= JUMP_DAYS;
        if self.day == 0 || is_next {
            (self.day, self.jumped_to) = (now, None);
        } else {
            match self.jumped_to {
                Some(day) if now == day => {}
                // Back or ahead again within the new time: it is no better than the old.
                Some(day) if now > day && now - day <= JUMP_DAYS => {
                    (self.day, self.jumped_to) = (now, None);
                }
                _ => self.jumped_to = Some(now),
            }
        }
        self.day != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place, one by one.
    fn kept_slowly(before: u16, today: u16) -> u32 {
        let days = (0..u16::MAX).skip(usize::from(before.saturating_sub(40))).take(90);
        let both = days.filter(|&day| contains(before, day) && contains(today, day));
        both.fold(0, |mask, day| mask | 1 << place(day))
    }

    #[test]
    fn what_is_kept_is_what_both_windows_hold() {
        for before in [20_000u16, 20_001, 20_031, 20_063] {
            for today in before - 70..before + 70 {
                let expected = if before == today { u32::MAX } else { kept_slowly(before, today) };
                assert_eq!(kept(before, today), expected, "{before} {today}");
            }
        }
    }

    #[test]
    fn each_day_has_its_place() {
        for today in 20_000..20_070 {
            let (first, last) = bounds(today);
            assert_eq!(last - first + 1, WINDOW_DAYS + 1);
            for day in first..=last {
                assert_eq!(day_at(today, place(day)), day);
            }
        }
    }

    #[test]
    fn a_jump_counts_once_a_day_has_gone_by() {
        let mut today = Today::default();
        let mut at = |day: u32| {
            today.advance(day * DAY_S + 5);
            today.day
        };
        assert_eq!([at(20_000), at(20_001), at(20_008)], [20_000, 20_001, 20_008]);
        // Ahead for an hour, and back.
        assert_eq!([at(20_700), at(20_700), at(20_008), at(20_009)], [20_008, 20_008, 20_008, 20_009]);
        // To 1970, as after a dead battery.
        assert_eq!([at(1), at(20_010)], [20_009, 20_010]);
        // Off for weeks.
        assert_eq!([at(20_040), at(20_041)], [20_010, 20_041]);
        // It was wrong all the time.
        assert_eq!([at(20_011), at(20_011), at(20_012)], [20_041, 20_041, 20_012]);
    }
}
