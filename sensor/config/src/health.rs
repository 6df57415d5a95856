//! The keys that say from where on something is worth a health message: `[health]`.

use std::{ops::RangeInclusive, time::Duration};

use policy::health::Settings;

use super::{document::Section, values};

/// Less than a look every second can tell makes no sense; more than a year is as good as never.
const TIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(366 * 86_400);
/// Databases come daily at the most often.
const GEO_MIN: Duration = Duration::from_secs(86_400);
/// Smaller differences are the network's.
const SKEW_MIN: Duration = Duration::from_secs(60);

pub(super) fn read(section: Section<'_, '_>, settings: &mut Settings) {
    let never = |text: &str, least: Duration| -> Result<Option<Duration>, String> {
        if text == "off" {
            return Ok(None);
        }
        let time = values::duration(text)?;
        if time < least || time > *TIME.end() {
            return Err(format!("must lie between {least:?} and {:?}, or be \"off\"", TIME.end()));
        }
        Ok(Some(time))
    };
    if let Some(time) = section.parsed("client_silent", |text| never(text, *TIME.start())) {
        settings.client_silent = time;
    }
    if let Some(time) = section.parsed("sensor_silent", |text| never(text, *TIME.start())) {
        settings.sensor_silent = time;
    }
    if let Some(time) = section.parsed("geo_stale", |text| never(text, GEO_MIN)) {
        settings.geo_stale = time;
    }
    if let Some(time) = section.duration("sink_behind", TIME) {
        settings.sink_behind = time;
    }
    if let Some(octets) = section.size("disk_free", 0..u64::MAX) {
        settings.disk_free = Some(octets);
    }
    if let Some(time) = section.duration("clock_skew", SKEW_MIN..=*TIME.end()) {
        settings.clock_skew = time;
    }
    if let Some(time) = section.duration("over_after", TIME) {
        settings.over_after = time;
    }
    section.finish();
}
