//! The viewer's time zone, by which pages lay out days and hours. The script names it in a cookie; where there is none, or
//! one that names no zone, it is UTC, and the pages say so. The database of zones comes with the product.

use axum::http::HeaderMap;
use jiff::{
    Timestamp,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::guard;
use crate::store;

/// The cookie in which the script has the browser's zone. One name with and without TLS: it says nothing that is secret,
/// and whoever plants another one changes what a page says of itself.
const COOKIE: &str = "vpn-sensor-zone";
/// Longest name that is looked up, octets. The longest of the database has 32.
const NAME_OCTETS_MAX: usize = 64;
const DAY_S: i64 = 86_400;

/// A zone of the database.
#[derive(Debug, Clone)]
pub(super) struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Zone {
        Zone(TimeZone::UTC)
    }
}

impl Zone {
    /// That of who sent these headers.
    pub(super) fn of(headers: &HeaderMap) -> Zone {
        guard::cookie(headers, COOKIE).and_then(|name| Zone::named(&name)).unwrap_or_default()
    }

    /// The zone that the IANA calls so.
    pub(super) fn named(name: &str) -> Option<Zone> {
        let found = (name.len() <= NAME_OCTETS_MAX).then(|| TimeZoneDatabase::bundled().get(name).ok())??;
        // `Etc/Unknown` is a name of no zone.
        (!found.is_unknown()).then_some(Zone(found))
    }

    /// As the database has it, whatever was asked for: `Europe/Berlin`.
    pub(super) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub(super) fn is_utc(&self) -> bool {
        self.name() == "UTC"
    }

    /// What a clock on the wall shows then, as seconds since 1970 by that clock.
    pub(super) fn clock_s(&self, unix_s: i64) -> i64 {
        let offset = Timestamp::from_second(unix_s).map_or(0, |time| self.0.to_offset(time).seconds());
        unix_s.saturating_add(i64::from(offset))
    }

    /// On which day that is, days since 1970 by the calendar on the wall.
    pub(super) fn day(&self, unix_s: i64) -> i64 {
        self.clock_s(unix_s).div_euclid(DAY_S)
    }

    /// How many of these moments, ns since 1970 UTC and ascending, lie on each of its days, since 1970.
    pub(super) fn days(&self, starts_unix_ns: &[i64]) -> Vec<(i64, u64)> {
        store::days(starts_unix_ns, |unix_s| self.clock_s(unix_s))
    }

    /// How many of them lie in each hour of its week, Monday 0 h first, 168 of them.
    pub(super) fn hours(&self, starts_unix_ns: &[i64]) -> Vec<u64> {
        store::hours(starts_unix_ns, |unix_s| self.clock_s(unix_s))
    }

    /// When a day begins: at midnight, or behind it where clocks are set forward at midnight. `None`: the calendar ends before.
    pub(super) fn begin_of(&self, day: Date) -> Option<Timestamp> {
        day.to_zoned_datetime(self.0.clone()).ok().map(|begin| begin.timestamp())
    }

    /// The same of days since 1970, in seconds since 1970 UTC.
    pub(super) fn begin_s(&self, day: i64) -> i64 {
        let midnight_s = day.saturating_mul(DAY_S);
        let date = Timestamp::from_second(midnight_s).map(|time| TimeZone::UTC.to_datetime(time).date());
        let begin = date.ok().and_then(|date| self.begin_of(date));
        begin.map_or(midnight_s, |begin| begin.as_second())
    }

    /// The day at whose end this moment is.
    pub(super) fn day_ended(&self, end: Timestamp) -> Option<Date> {
        let next = self.0.to_datetime(end).date();
        (self.begin_of(next)? == end).then(|| next.yesterday().ok())?
    }

    /// A time from one moment to another as the clock on the wall shows it: in parts, between which somebody sets the clock.
    pub(super) fn stretches(&self, start_s: i64, end_s: i64) -> Vec<(i64, i64)> {
        let mut stretches = Vec::new();
        let mut from = start_s;
        if let Ok(start) = Timestamp::from_second(start_s) {
            let set = self.0.following(start).map(|set| set.timestamp().as_second());
            for set in set.take_while(|set| *set <= end_s) {
                // Those at which the clock itself stays need no part of their own, and do no harm.
                stretches.push((self.clock_s(from), self.clock_s(set - 1)));
                from = set;
            }
        }
        stretches.push((self.clock_s(from), self.clock_s(end_s)));
        stretches
    }

    /// A moment as people read it, without its zone: `2026-11-23 15:45`.
    pub(super) fn minute(&self, unix_s: i64) -> String {
        let time = Timestamp::from_second(unix_s).map(|time| self.0.to_datetime(time));
        time.map_or_else(|_| "\u{2013}".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
    }

    /// A moment as configurations have it, with the zone's offset: `2026-11-24T00:00:00+05:45`.
    pub(super) fn with_offset(&self, time: Timestamp) -> String {
        time.display_with_offset(self.0.to_offset(time)).to_string()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    pub(in super::super) fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn unix_s(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn of(cookie: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        Zone::of(&headers).name().to_owned()
    }

    #[test]
    fn a_cookie_names_a_zone_of_the_database_or_it_is_utc() {
        assert_eq!(Zone::of(&HeaderMap::new()).name(), "UTC");
        for (named, known) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/BERLIN", "Europe/Berlin"),
            // As Chromium calls it.
            ("Asia/Katmandu", "Asia/Katmandu"),
            ("Etc/GMT+5", "Etc/GMT+5"),
            ("America/Argentina/ComodRivadavia", "America/Argentina/ComodRivadavia"),
            ("UTC", "UTC"),
        ] {
            assert_eq!(of(format!("a=b; vpn-sensor-zone={named}; c=d").as_bytes()), known);
        }
        for hostile in [
            "",
            "Mars/Olympus",
            "Etc/Unknown",
            "../../etc/passwd",
            "/etc/localtime",
            "Europe/Berlin/",
            "Europe/Berlin\0",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "+05:45",
            "<script>",
            "%45urope/Berlin",
            "posix/Europe/Berlin",
            "tzdata.zi",
        ] {
            assert!(Zone::named(hostile).is_none(), "{hostile:?}");
        }
        assert_eq!(of(b"vpn-sensor-zone=<b>; vpn-sensor-zone=Europe/Berlin"), "UTC", "the first counts");
        assert_eq!(of(b"vpn-sensor-zone=\xff\xfe"), "UTC");
        assert_eq!(of(format!("vpn-sensor-zone={}", "A".repeat(4000)).as_bytes()), "UTC");
        assert!(Zone::named(&"A/".repeat(1 << 20)).is_none());
    }

    #[test]
    fn days_begin_at_the_midnight_of_the_zone_and_have_the_hours_that_they_have() {
        let day = |text: &str| unix_s(&format!("{text}T00:00:00Z")) / DAY_S;
        let hours =
            |zone: &Zone, text: &str| (zone.begin_s(day(text) + 1) - zone.begin_s(day(text))) as f64 / 3600.0;
        let berlin = zone("Europe/Berlin");
        assert_eq!(hours(&berlin, "2026-03-29"), 23.0);
        assert_eq!(hours(&berlin, "2026-10-25"), 25.0);
        assert_eq!(hours(&berlin, "2026-10-26"), 24.0);
        assert_eq!(hours(&zone("Australia/Lord_Howe"), "2026-04-05"), 24.5);
        // Clocks are set forward at midnight: there is no 0 o'clock, and the day begins at 1.
        let cairo = zone("Africa/Cairo");
        assert_eq!(cairo.begin_s(day("2026-04-24")), unix_s("2026-04-23T22:00:00Z"));
        assert_eq!(hours(&cairo, "2026-04-24"), 23.0);
        // Samoa went without a day.
        assert_eq!(hours(&zone("Pacific/Apia"), "2011-12-30"), 0.0);

        let kathmandu = zone("Asia/Kathmandu");
        for (text, wanted) in [("2026-11-23T18:14:59Z", "2026-11-23"), ("2026-11-23T18:15:00Z", "2026-11-24")]
        {
            assert_eq!(kathmandu.day(unix_s(text)), day(wanted), "{text}");
        }
        assert_eq!(kathmandu.begin_s(day("2026-11-24")), unix_s("2026-11-23T18:15:00Z"));
        assert_eq!(kathmandu.minute(unix_s("2026-11-23T18:15:00Z")), "2026-11-24 00:00");
        // What lies outside the calendar is no reason to end.
        for far in [i64::MIN, i64::MAX] {
            kathmandu.begin_s(far);
            kathmandu.day(far);
            kathmandu.minute(far);
        }
    }

    #[test]
    fn an_end_of_a_day_is_known_in_its_zone_alone_and_has_its_offset() {
        let (berlin, st_johns) = (zone("Europe/Berlin"), zone("America/St_Johns"));
        let day: Date = "2026-12-04".parse().unwrap();
        let end = st_johns.begin_of(day.tomorrow().unwrap()).unwrap();
        assert_eq!(st_johns.with_offset(end), "2026-12-05T00:00:00-03:30");
        assert_eq!((st_johns.day_ended(end), berlin.day_ended(end)), (Some(day), None));
        assert_eq!(Zone::default().with_offset(end), "2026-12-05T03:30:00+00:00");
    }

    #[test]
    fn a_night_in_which_clocks_are_set_is_two_stretches() {
        let wall = |text: &str| unix_s(&format!("{text}Z"));
        let berlin = zone("Europe/Berlin");
        // From 1 to 4 o'clock of summer and of winter: four hours that were, of which the clock shows one twice.
        assert_eq!(
            berlin.stretches(unix_s("2026-10-24T23:00:00Z"), unix_s("2026-10-25T03:00:00Z")),
            [
                (wall("2026-10-25T01:00:00"), wall("2026-10-25T02:59:59")),
                (wall("2026-10-25T02:00:00"), wall("2026-10-25T04:00:00"))
            ]
        );
        assert_eq!(
            berlin.stretches(unix_s("2026-03-29T00:30:00Z"), unix_s("2026-03-29T01:30:00Z")),
            [
                (wall("2026-03-29T01:30:00"), wall("2026-03-29T01:59:59")),
                (wall("2026-03-29T03:00:00"), wall("2026-03-29T03:30:00"))
            ]
        );
        assert_eq!(berlin.stretches(0, 60), [(3600, 3660)]);
        assert_eq!(Zone::default().stretches(5, 7), [(5, 7)]);
    }

    #[test]
    fn a_moment_is_on_the_day_that_it_is_in_the_viewer_s_zone() {
        // 2026-10-24T21:59:59Z, 22:00:00Z, 2026-10-25T22:59:59Z, 23:00:00Z: a day of 25 hours between them in Berlin.
        let starts =
            [1_792_879_199, 1_792_879_200, 1_792_969_199, 1_792_969_200].map(|second| second * 1_000_000_000);
        assert_eq!(zone("Europe/Berlin").days(&starts), [(20_750, 1), (20_751, 2), (20_752, 1)]);
        assert_eq!(Zone::default().days(&starts), [(20_750, 2), (20_751, 2)]);
    }
}
