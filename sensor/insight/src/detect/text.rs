//! Sentences of reasons, for somebody who sees this product for the first time.

use std::fmt::{self, Display, Formatter};

use super::assessment::{Assessment, Detection, Expected, Measure, Reason, ReasonFeature, Standing};

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use Detection::{SuspiciousConnection, UnlearnedUser};
        let Reason { user, seen, .. } = self;
        match (self.detection, self.feature) {
            (SuspiciousConnection | UnlearnedUser, Some(ReasonFeature::Hour)) => {
                return write!(f, "unusual time for {user}: {seen}");
            }
            (SuspiciousConnection | UnlearnedUser, Some(ReasonFeature::Away)) => {
                return write!(
                    f,
                    "{user} connects {seen} after the last sign of life, when people here seldom do"
                );
            }
            (SuspiciousConnection | UnlearnedUser, None) => {
                return write!(f, "{user} seems to be connected already, from {seen}");
            }
            (SuspiciousConnection | UnlearnedUser, Some(ReasonFeature::Kinds)) => {
                write!(f, "kind of network unusual for {user}: {seen}")?;
            }
            (SuspiciousConnection | UnlearnedUser, feature) => {
                let name = feature.map_or("connection", noun);
                match self.standing {
                    Standing::New => write!(f, "{name} never seen for {user}: {seen}")?,
                    Standing::Known => write!(f, "{name} seldom seen for {user}: {seen}")?,
                    Standing::Left { last_unix_s } => {
                        let last = Date(last_unix_s);
                        write!(
                            f,
                            "{user} goes back to the {name} {seen}, which was left; the last time: {last}"
                        )?;
                    }
                }
            }
            (Detection::ImpossibleTravel, _) => {
                write!(f, "{user} cannot have travelled so fast: now {seen}")?;
            }
            (Detection::SimultaneousSessions, _) => {
                write!(f, "{user} is in two distant places at once: now {seen}")?;
            }
            (Detection::AddressChange, _) => {
                write!(f, "a running session of {user} moved to another place: now {seen}")?;
            }
            (Detection::FirstCountryForUser, _) => {
                write!(f, "first connection of {user} from {seen}")?;
            }
            (Detection::FirstCountryForAll, _) => {
                write!(f, "nobody of the organisation connected from {seen} before, {user} does")?;
            }
            (Detection::AnonymousNetwork, _) => {
                write!(f, "{user} connects from a network that hides who uses it: {seen}")?;
            }
            (Detection::HostingNetwork, _) => {
                write!(f, "{user} connects from a network of servers for rent: {seen}")?;
            }
            (Detection::NewDeviceAndNetwork, _) => {
                write!(f, "{user} uses a new device in a new network: {seen}")?;
            }
            (Detection::DormantUser, _) => write!(f, "{user} was away for long: now {seen}")?,
            (Detection::UnusualVolume, _) => write!(f, "unusual volume of a session of {user}: {seen}")?,
            (Detection::UnusualLength, _) => write!(f, "unusually long session of {user}: {seen}")?,
            (Detection::OneAddressManyUsers, _) => {
                // Of IPv6 it is the line's network: `2001:db8:1:2::/64, AS64500 Example`.
                let is_network = seen.split(", ").next().is_some_and(|line| line.contains('/'));
                let what = if is_network { "network" } else { "address" };
                write!(f, "one {what}, from which many connect to whom it is new: {seen}")?;
            }
            (Detection::StopWithoutStart, _) => {
                write!(f, "sessions end that never began, at VPN server {seen}")?;
            }
        }
        self.write_measure(f)?;
        self.write_expected(f)
    }
}

impl Reason {
    /// What is usual, in words, where it is measured and no value: `up to 1.2 GB`.
    pub fn usual(&self) -> Option<String> {
        let usual = match self.measure {
            Measure::Count { usual, .. } => usual,
            Measure::Users { usual, days, .. } => {
                let users = if usual == 1 { "user" } else { "users" };
                return Some(format!("{usual} {users} in {}", Days(days)));
            }
            _ => return None,
        };
        Some(match self.detection {
            Detection::UnusualVolume => format!("up to {}", Octets(usual)),
            Detection::UnusualLength => format!("up to {}", Span(usual)),
            _ => format!("up to {usual} in one hour"),
        })
    }

    fn write_measure(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.measure {
            Measure::None => Ok(()),
            Measure::Travel { km, seconds: 0 } => write!(f, ", {km} km apart at least"),
            Measure::Travel { km, seconds } => {
                write!(f, ", {km} km at least in {}", Span(u64::from(seconds)))
            }
            Measure::Count { seen, usual } => match self.detection {
                Detection::UnusualVolume => {
                    write!(f, "; usual: {} (seen {})", self.usual().unwrap_or_default(), Octets(seen))
                }
                Detection::UnusualLength => {
                    write!(f, "; usual: {} (seen {})", self.usual().unwrap_or_default(), Span(seen))
                }
                _ => write!(f, ", {seen} in one hour; usual: up to {usual}"),
            },
            Measure::Users { seen, usual, days } => {
                write!(f, ", {seen} users in {}; usual: {usual}", Days(days))
            }
            Measure::Days(days) => write!(f, " after {days} days"),
        }
    }

    fn write_expected(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = match self.detection {
            Detection::ImpossibleTravel | Detection::SimultaneousSessions | Detection::AddressChange => {
                "other place"
            }
            Detection::DormantUser => "last",
            _ => "usual",
        };
        let expected = self.expected.iter().filter(|expected| expected.value != self.seen);
        for (at, Expected { value, connections, last_unix_s, .. }) in expected.enumerate() {
            let begin = if at == 0 { format!("; {word}: ") } else { ", ".to_owned() };
            let last = Date(*last_unix_s);
            match connections {
                0 => write!(f, "{begin}{value} ({last})")?,
                1 => write!(f, "{begin}{value} (1 connection, on {last})")?,
                _ => write!(f, "{begin}{value} ({connections} connections, last on {last})")?,
            }
        }
        if self.users > 0 && self.detection.is_by_score() {
            let (s, have) = if self.users == 1 { ("", "has") } else { ("s", "have") };
            write!(f, "; {} other user{s} {have} it", self.users)?;
        }
        Ok(())
    }
}

fn noun(feature: ReasonFeature) -> &'static str {
    match feature {
        ReasonFeature::Country => "country",
        ReasonFeature::Place => "place",
        ReasonFeature::Network => "network",
        ReasonFeature::Kinds => "kind of network",
        ReasonFeature::Device => "device",
        ReasonFeature::Software => "client software",
        ReasonFeature::Server => "VPN server",
        ReasonFeature::Prefix => "part of the network",
        ReasonFeature::Hour | ReasonFeature::Away => "time",
    }
}

/// The reasons, one a line.
impl Display for Assessment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, reason) in self.reasons.iter().enumerate() {
            let begin = if at == 0 { "" } else { "\n" };
            write!(f, "{begin}{reason}")?;
        }
        Ok(())
    }
}

/// `2026-11-23`.
pub(super) struct Date(pub(super) u32);

impl Display for Date {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Every number of 32 bits is within the calendar.
        let time = jiff::Timestamp::from_second(i64::from(self.0)).unwrap_or_default();
        write!(f, "{}", time.strftime("%F"))
    }
}

/// `40 min`, `7 h`, `3 days`.
pub(super) struct Span(pub(super) u64);

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds @ 0..120 => write!(f, "{seconds} s"),
            seconds @ 120..7_200 => write!(f, "{} min", seconds / 60),
            seconds @ 7_200..172_800 => write!(f, "{} h", seconds / 3_600),
            seconds => write!(f, "{} days", seconds / 86_400),
        }
    }
}

/// `two days`.
struct Days(u16);

impl Display for Days {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("one day"),
            2 => f.write_str("two days"),
            days => write!(f, "{days} days"),
        }
    }
}

/// `12 GB`.
pub(super) struct Octets(pub(super) u64);

impl Display for Octets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        let (mut left, mut unit) = (self.0, 0);
        while left >= 10_000 && unit + 1 < units.len() {
            (left, unit) = (left / 1000, unit + 1);
        }
        write!(f, "{left} {}", units[unit])
    }
}
