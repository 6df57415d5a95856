//! What is looked at: all pages, of busy and of usual users, near and far back.

use super::company::{BUSY, Company};

pub(super) struct Visit {
    /// Its kind.
    pub(super) page: &'static str,
    pub(super) path: String,
}

/// The visit of this number; the same in each run.
pub(super) fn of(number: u64, users: u64, sessions: u64) -> Visit {
    let dice = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
    // Every other one is of somebody busy.
    let user = if dice.is_multiple_of(2) { dice / 2 % BUSY.min(users) } else { dice % users };
    let session = dice % sessions;
    let name = Company::user_name(user).replace('@', "%40");
    // Not every VPN server tells the device: that of an ASA does.
    let device = Company::device_name((user / 4 * 4 + 3) % users);
    let day = |back: u64| {
        let day =
            jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * i64::try_from(back).unwrap_or(1));
        day.strftime("%Y-%m-%d").to_string()
    };
    let visit = |page, path: String| Visit { page, path };
    match number % 16 {
        0 => visit("overview", "/".to_owned()),
        1 => visit("users", "/users".to_owned()),
        2 => visit("search of users", format!("/users?q={}", &Company::user_name(user)[..6])),
        3 | 4 => visit("user", format!("/users/{name}")),
        5 => visit("export", format!("/users/{name}/connections.csv?since={}&until={}", day(9), day(2))),
        6 => visit("devices", format!("/devices?q={}", &device[..9])),
        7 => visit("device", format!("/devices/{device}")),
        8 => visit("alerts", "/alerts?state=any".to_owned()),
        9 => visit("search", format!("/search?q={}", Company::line(user, session))),
        10 => visit("search", format!("/search?q={}", Company::session_id(session))),
        11 => visit("search", format!("/search?q=user{user}")),
        12 => visit("connections", format!("/connections?remote={}", Company::line(user, 0))),
        13 => {
            visit("days of a user", format!("/connections?user={name}&since={}&until={}", day(300), day(2)))
        }
        14 => visit("days of a device", format!("/connections?device={device}&since={}", day(300))),
        _ => visit(
            "search",
            format!(
                "/search?q={}",
                ["Paris", "Berlin", "LAPTOP-0001", "gw", "10."][number as usize / 16 % 5]
            ),
        ),
    }
}
