//! The single keys that can be set in the portal, with their defaults. What is not here is for the configuration file
//! alone: a document with anything else is refused, whoever wrote it.

use policy::{
    Detecting,
    settings::{Kind, Page},
};

use toml::de::{DeTable, DeValue};

use super::document::{LISTS, path};
use crate::{
    Config,
    detect::{self, ThresholdKey},
    document::Document,
    values,
};

/// The keys of an entry that name the files of its secrets.
pub(super) const SECRET_FILE: &str = "secret_file";
pub(super) const PREVIOUS_FILE: &str = "previous_secret_file";

/// One key.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) page: Page,
    pub(super) kind: Kind,
    pub(super) default: String,
    pub(super) allowed: String,
    pub(super) about: &'static str,
}

/// All their names.
pub(super) fn names() -> Vec<String> {
    all().into_iter().map(|known| known.name).collect()
}

/// What is said of a key that is not among them.
pub(super) fn refusal(key: &str) -> String {
    format!("`{key}` cannot be set here: set it in the configuration file")
}

/// Notes a problem for each key of the portal's document that is neither one of them nor a list.
pub(crate) fn keep_within(document: &Document<'_>, table: &DeTable<'_>) {
    let mut known = names();
    known.extend(LISTS.map(|list| path(list).to_owned()));
    look(document, table, "", &known);
}

fn look(document: &Document<'_>, table: &DeTable<'_>, folder: &str, known: &[String]) {
    for (key, value) in table.iter() {
        let name = format!("{folder}{}", key.get_ref());
        match value.get_ref() {
            _ if known.contains(&name) => {}
            DeValue::Table(table) => look(document, table, &format!("{name}."), known),
            _ => document.problem(key.span(), refusal(&name)),
        }
    }
}

/// All of them, in the order of the pages.
pub(super) fn all() -> Vec<Known> {
    let mut keys = vec![known(
        Page::Vpn,
        Kind::Switch,
        "listen.accounting",
        "true",
        "true or false",
        "Whether RADIUS accounting is taken. Off closes its ports: some VPN servers then refuse log-ins.",
    )];
    keys.extend(thresholds());
    keys.extend(retention());
    keys.extend(health());
    keys
}

fn known(
    page: Page,
    kind: Kind,
    name: &str,
    default: impl Into<String>,
    allowed: &str,
    about: &'static str,
) -> Known {
    let (name, default, allowed) = (name.to_owned(), default.into(), allowed.to_owned());
    Known { name, page, kind, default, allowed, about }
}

fn thresholds() -> Vec<Known> {
    let usual = Detecting::default();
    let mut keys = vec![
        known(
            Page::Detections,
            Kind::Number,
            "detect.notices_per_day",
            usual.notices_per_day.to_string(),
            "1 to 1000000",
            "So many notices of alerts are sent in a day (UTC); those of high severity are not counted and never held back.",
        ),
        known(
            Page::Detections,
            Kind::Text,
            "detect.accept_after",
            usual.accept_after_days.map_or("off".to_owned(), |days| format!("{days}d")),
            "1d to 90d, or off",
            "An alert below high severity that nobody decided about for so long is closed as usual and teaches the profile.",
        ),
    ];
    let of = |ThresholdKey { name, default, allowed, about, is_number }| Known {
        name,
        page: Page::Detections,
        kind: if is_number { Kind::Number } else { Kind::Text },
        default,
        allowed,
        about,
    };
    keys.extend(detect::threshold_keys().into_iter().map(of));
    keys
}

fn retention() -> Vec<Known> {
    let usual = Config::built_in();
    let size = |octets: Option<u64>| octets.map_or("none".to_owned(), values::shown_size);
    let page = Page::Retention;
    vec![
        known(
            page,
            Kind::Text,
            "store.keep",
            values::shown(usual.keep),
            "91d to 3660d",
            "How long connections that are over, and alerts, can be looked at.",
        ),
        known(
            page,
            Kind::Text,
            "journal.max_bytes",
            size(usual.journal.max_bytes),
            "a size such as 16 GiB, two segments at least",
            "All records on disk together; beyond it the oldest go, read or not.",
        ),
        known(
            page,
            Kind::Text,
            "journal.max_age",
            usual.journal.max_age.map_or("none".to_owned(), values::shown),
            "1d to 36500d",
            "The age of the oldest record on disk; beyond it the oldest go. In lengths of time d is days, h hours and m minutes; none is months.",
        ),
        known(
            page,
            Kind::Text,
            "journal.free_reserve",
            size(Some(usual.journal.free_reserve_bytes)),
            "a size such as 1 GiB",
            "What stays free on the file system: below it the oldest records go, because a full disk stops answers.",
        ),
        known(
            page,
            Kind::Switch,
            "journal.keep_unread",
            usual.journal.keep_unread.to_string(),
            "true or false",
            "Keep records that the service has not read, and rather stop answering when the disk is full.",
        ),
    ]
}

fn health() -> Vec<Known> {
    let usual = policy::health::Settings::default();
    let off = |time: Option<std::time::Duration>| time.map_or("off".to_owned(), values::shown);
    let key = |name, default: String, allowed, about| {
        known(Page::Health, Kind::Text, name, default, allowed, about)
    };
    vec![
        key(
            "health.client_silent",
            off(usual.client_silent),
            "1s to 366d, or off",
            "A VPN server that was heard of and then not for so long is told of.",
        ),
        key(
            "health.sensor_silent",
            off(usual.sensor_silent),
            "1s to 366d, or off",
            "The same for all VPN servers of a sensor together.",
        ),
        key(
            "health.geo_stale",
            off(usual.geo_stale),
            "1d to 366d, or off",
            "Databases of places that are older are told of.",
        ),
        key(
            "health.sink_behind",
            values::shown(usual.sink_behind),
            "1s to 366d",
            "A sink that has not taken a message for so long is told of.",
        ),
        key(
            "health.clock_skew",
            values::shown(usual.clock_skew),
            "1m to 366d",
            "A VPN server whose clock is off by more is told of.",
        ),
        key(
            "health.over_after",
            values::shown(usual.over_after),
            "1s to 366d",
            "What is mended stays so for so long before it is told to be over.",
        ),
    ]
}
