//! Values that a configuration writes as text: sizes, lengths of time, addresses.

use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

use ipnet::IpNet;
use jiff::{Span, SpanRelativeTo, Timestamp, civil::Date};

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Bytes from text such as "64 MiB".
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "not a size; write it as \"64 MiB\", with KiB, MiB, GiB or TiB".to_owned();
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| text.trim().strip_suffix(unit).map(|number| (number, *factor)))
        .ok_or_else(wrong)?;
    number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

/// A length of time from text such as "30s", "12h", "90d". A day is 24 hours.
pub fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "not a length of time; write it as \"30s\", \"12h\" or \"90d\"".to_owned())
}

/// Longest beginning of a link: it is in each message.
const LINK_OCTETS_MAX: usize = 200;

/// What links begin with: a host that browsers reach, and perhaps a path. A query or a name to sign in with would stand in
/// the middle of each.
pub(super) fn link(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "{text:?} is not what links begin with, such as \"https://sensor.contoso.example\": no ?, # and user"
        )
    };
    let parsed: http::Uri = text.parse().map_err(|_| wrong())?;
    let has_host = parsed.host().is_some_and(|host| !host.is_empty());
    let is_sound = matches!(parsed.scheme_str(), Some("http" | "https")) && has_host;
    if !is_sound
        || !text.is_ascii()
        || text.len() > LINK_OCTETS_MAX
        || text.contains(['?', '#', '@', '"', '<', '>', '\\'])
    {
        return Err(wrong());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A length of time in whole days, such as "14d".
pub(super) fn days(text: &str, range: &RangeInclusive<u64>) -> Result<u64, String> {
    let seconds = duration(text)?.as_secs();
    match seconds / 86_400 {
        days if seconds % 86_400 == 0 && range.contains(&days) => Ok(days),
        _ => Err(format!("must be whole days, from {}d to {}d", range.start(), range.end())),
    }
}

/// A length of time as [`duration`] reads it, in its largest whole unit.
pub(super) fn shown(duration: Duration) -> String {
    const UNITS: [(u128, &str); 6] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    let nanoseconds = duration.as_nanos();
    let whole = UNITS.iter().find(|(unit, _)| nanoseconds >= *unit && nanoseconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", nanoseconds / unit),
        None if nanoseconds == 0 => "0s".to_owned(),
        None => format!("{nanoseconds}ns"),
    }
}

/// A size as [`size`] reads it, in its largest whole unit.
pub(super) fn shown_size(octets: u64) -> String {
    let whole = UNITS.iter().filter(|(_, unit)| octets >= *unit && octets.is_multiple_of(*unit));
    let largest = whole.max_by_key(|(_, unit)| *unit);
    largest.map_or("0 B".to_owned(), |(name, unit)| format!("{} {name}", octets / unit))
}

/// A moment from text such as "2026-12-31T18:00:00Z", or the end of a day, in UTC, from "2026-12-31".
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    // A date alone: a time without an offset would be one of somewhere.
    let day = Some(text).filter(|text| text.len() <= 10).and_then(|text| text.parse::<Date>().ok());
    let end = day.and_then(|day| day.tomorrow().ok());
    end.and_then(|end| format!("{end}T00:00:00Z").parse().ok()).ok_or_else(|| {
        "not a date, nor a date-time with an offset; write it as \"2026-12-31\" or \"2026-12-31T18:00:00+01:00\""
            .to_owned()
    })
}

/// An address and port to listen on.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("{text:?} is not an address with a port; write it as \"0.0.0.0:1813\" or \"[::]:1813\"")
    })?;
    if address.port() == 0 {
        return Err("port 0 is none that a client could send to".to_owned());
    }
    Ok(address)
}

/// An address or a prefix of them.
pub(super) fn prefix(text: &str) -> Result<IpNet, String> {
    let wrong = || format!("{text:?} is not an IP address or a prefix such as \"192.0.2.0/24\"");
    let prefix = match text.parse::<IpNet>() {
        Ok(prefix) => prefix,
        Err(_) => IpNet::from(text.parse::<std::net::IpAddr>().map_err(|_| wrong())?),
    };
    if let IpNet::V6(prefix) = prefix
        && prefix.addr().to_ipv4_mapped().is_some()
    {
        return Err(format!("{text:?} is an IPv4 address in IPv6 form; write it as IPv4"));
    }
    if prefix.trunc() != prefix {
        let meant = prefix.trunc();
        return Err(format!("{text:?} has bits set beyond its prefix length; did you mean \"{meant}\"?"));
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("64 MiB"), Ok(64 << 20));
        assert_eq!(size("1GB"), Ok(1_000_000_000));
        assert_eq!(size("7B"), Ok(7));
        for wrong in ["", "MiB", "-1 MiB", "1.5 GiB", "64", "99999999999 TiB"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "30", "-5s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for text in ["0s", "7us", "100ms", "30s", "90m", "36h", "90d"] {
            assert_eq!(shown(duration(text).unwrap()), text);
        }
        assert_eq!(shown(Duration::from_nanos(1)), "1ns");
        for text in ["7 B", "5 GB", "64 MiB", "1 TiB"] {
            assert_eq!(shown_size(size(text).unwrap()), text);
        }
    }

    #[test]
    fn moments() {
        let of = |text: &str| moment(text).map(|moment| moment.to_string());
        assert_eq!(of("2026-12-31"), Ok("2027-01-01T00:00:00Z".to_owned()));
        assert_eq!(of("2026-12-31T18:00:00+01:00"), Ok("2026-12-31T17:00:00Z".to_owned()));
        assert_eq!(of("2026-12-31 18:00:00Z"), Ok("2026-12-31T18:00:00Z".to_owned()));
        for wrong in ["", "soon", "2026-02-30", "2026-12-31T18:00:00", "18:00:00", "31.12.2026"] {
            assert!(moment(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn prefixes() {
        assert_eq!(prefix("192.0.2.10").map(|prefix| prefix.to_string()), Ok("192.0.2.10/32".to_owned()));
        assert_eq!(prefix("2001:db8::/48").map(|prefix| prefix.to_string()), Ok("2001:db8::/48".to_owned()));
        assert!(prefix("10.1.2.3/8").is_err_and(|reason| reason.contains("10.0.0.0/8")));
        assert!(prefix("::ffff:10.0.0.1").is_err_and(|reason| reason.contains("IPv4")));
        assert!(prefix("branch.example").is_err());
    }
}
