//! What is looked at: all pages, of busy and of usual users, near and far back, first pages and second ones.

use super::{
    audit,
    company::{BUSY, Company},
    host::Browser,
    lists,
};

pub(super) struct Visit {
    /// Its kind.
    pub(super) page: &'static str,
    pub(super) path: String,
}

/// Pages that follow from what is in the store: found on others before anything is measured.
pub(super) struct Known {
    alert: Option<String>,
    place: Option<String>,
    server: Option<String>,
    /// The second pages of lists.
    second: Vec<String>,
    absent: Vec<&'static str>,
    /// Pages of settings, with those of single entries.
    settings: Vec<String>,
}

/// Lists with more than one page.
const LISTS: [&str; 5] =
    ["/users", "/devices", "/alerts?state=all", "/connections?open=true", "/settings/audit"];
/// Kinds of visits, one after the other.
const KINDS: u64 = 36;
/// What alerts are asked for by.
const ALERTS: [&str; 6] = [
    "state=open&severity=high",
    "state=all&severity=medium&reason=network",
    "state=all&reason=impossible-travel",
    "state=open&reason=first-country-for-user",
    "state=all&sent=held",
    "state=closed&severity=high&reason=device",
];
/// What administrators see.
const SETTINGS: [&str; 12] = [
    "vpn",
    "clients",
    "listening",
    "sites",
    "detections",
    "exclusions",
    "sinks",
    "retention",
    "health",
    "people",
    "tokens",
    "audit",
];
/// Parts of names of places, devices and VPN servers, and the beginnings of addresses outside the tunnel and in it.
const PARTS: [&str; 6] = ["Paris", "Berlin", "LAPTOP-0001", "gw", "81.", "10."];

impl Known {
    pub(super) fn look(browser: &Browser<'_>) -> anyhow::Result<Known> {
        let first = |page: &str, beginning: &str| -> anyhow::Result<Option<String>> {
            Ok(links(&browser.text(page)?).into_iter().find(|link| link.starts_with(beginning)))
        };
        let mut known = Known {
            alert: first("/alerts?state=all", "/alerts/")?,
            place: first("/connections?open=true", "/connections?place=")?,
            // The client of all: what alone is found is opened at once.
            server: first("/search?q=vpn", "/connections?server=")?,
            second: LISTS
                .iter()
                .map(|list| Ok(links(&browser.text(list)?).into_iter().find(|link| is_second(link))))
                .filter_map(Result::transpose)
                .collect::<anyhow::Result<_>>()?,
            absent: Vec::new(),
            settings: SETTINGS.iter().map(|page| format!("/settings/{page}")).collect(),
        };
        known.settings.extend(lists::changed_on(browser)?);
        let kinds = [
            ("alert", known.alert.is_some()),
            ("place", known.place.is_some()),
            ("VPN server", known.server.is_some()),
            ("second page", !known.second.is_empty()),
        ];
        known.absent = kinds.into_iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect();
        Ok(known)
    }

    /// Of what the company has none, so that such pages are not measured.
    pub(super) fn absent(&self) -> &[&'static str] {
        &self.absent
    }
}

fn is_second(link: &str) -> bool {
    link.contains("cursor=") || link.contains("before=")
}

/// Where a page leads to.
pub(super) fn links(page: &str) -> Vec<String> {
    let links = page.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.map(|link| link.replace("&amp;", "&")).collect()
}

/// The visit of this number; the same in each run over one state. None: the company has nothing of the kind.
pub(super) fn of(number: u64, users: u64, sessions: u64, known: &Known) -> Option<Visit> {
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
    // A week, a month, a quarter, all that there is.
    let back = [9, 32, 95, 180][number as usize / KINDS as usize % 4];
    let export =
        |kind: &str| format!("/users/{name}/connections.{kind}?since={}&until={}", day(back), day(2));
    let among = |list: &[&str]| list[number as usize / KINDS as usize % list.len()].to_owned();
    let (page, path) = match number % KINDS {
        0 => ("overview", "/".to_owned()),
        1 => ("users", "/users".to_owned()),
        2 => ("search of users", format!("/users?q={}", &Company::user_name(user)[..6])),
        3..=6 => ("user", format!("/users/{name}")),
        7 => ("export as CSV", export("csv")),
        8 => ("export as JSON", export("json")),
        9 => ("devices", format!("/devices?q={}", &device[..9])),
        10 | 11 => ("device", format!("/devices/{device}")),
        12 => (
            "alerts",
            format!("/alerts?state={}", ["open", "all", "closed"][number as usize / KINDS as usize % 3]),
        ),
        13 => ("alerts of a user", format!("/alerts?state=all&user={name}&since={}", day(back))),
        14 => ("alert", known.alert.clone()?),
        15 => ("records of an alert", format!("{}/records", known.alert.as_ref()?)),
        16 => ("search", format!("/search?q={}", Company::line(user, session))),
        17 => ("search", format!("/search?q={}", Company::session_id(session))),
        18 => ("search", format!("/search?q=user{user}")),
        19 | 20 => ("search", format!("/search?q={}", among(&PARTS))),
        21 => ("connections from an address", format!("/connections?remote={}", Company::line(user, 0))),
        22 => ("connections from a place", known.place.clone()?),
        23 => ("connections through a VPN server", known.server.clone()?),
        24 => ("connections on line", "/connections?open=true".to_owned()),
        25 => (
            "second page",
            known.second.get(number as usize / KINDS as usize % known.second.len().max(1)).cloned()?,
        ),
        26 => ("days of a user", format!("/connections?user={name}&since={}&until={}", day(300), day(2))),
        27 => ("days of a device", format!("/connections?device={device}&since={}", day(300))),
        28 => ("sensors", "/sensors".to_owned()),
        29 => ("VPN servers", "/servers".to_owned()),
        30 => {
            ("plots of a sensor", format!("/sensors/plots?minutes={}", among(&["15", "60", "360", "1440"])))
        }
        31 => {
            ("connections of a session id", format!("/connections?session={}", Company::session_id(session)))
        }
        32 => ("alerts by what they are", format!("/alerts?{}", among(&ALERTS))),
        33 => ("audit log of somebody", format!("/settings/audit?who={}", audit::who(dice))),
        34 => (
            "audit log of an action and a user",
            match number / KINDS % 3 {
                0 => format!("/settings/audit?subject={name}"),
                1 => {
                    format!("/settings/audit?action={}", audit::ACTIONS[dice as usize % audit::ACTIONS.len()])
                }
                _ => format!("/settings/audit?who={}&subject={name}", audit::who(dice)),
            },
        ),
        _ => ("settings", known.settings[number as usize / KINDS as usize % known.settings.len()].clone()),
    };
    Some(Visit { page, path })
}
