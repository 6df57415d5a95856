//! The thresholds as a page of the documentation, and what a configuration changed in one line.

use std::fmt::Write as _;

use policy::Detecting;

use super::keys::{self, Key};

/// What stands before the table of `[detect]`.
const HEAD: &str = "# Thresholds

Written by `cargo xtask docs` from the code; [detection.md](detection.md) says what the detections are. Every key is
optional. A change is taken at SIGHUP, holds from the next connection on, and is written down, so that a rebuild judges old
connections by what held then. Try one on the past first: `backtest` goes by the file that `--config` names, and `--all` prints
what is known only at Interim-Updates and Stops. Scores are natural logarithms: 2.3 is ten times as likely an attacker's.

## `[detect]`

| key | default | allowed | what it does, and why it is so |
|---|---|---|---|
| `notices_per_day` | 50 | 1 to 1000000 | So many notices of alerts are sent in a day (UTC), those of high severity and what people closed or wrote not counted among them and never held back. All alerts are listed. 50: what two people can look at in a morning. |
| `accept_after` | \"off\" | 1d to 90d, or \"off\" | An alert below high severity that nothing happened to for so long, and that nobody decided about, is closed as usual, unless a session in it was of an alert before that was closed otherwise, and it teaches the profile. Off: whoever stays unnoticed for long enough would become usual. |
";

const MODEL: &str = "
## `[detect.model]`

What the score assumes of people and of attackers. `novelty_*`: about so many new values a user brings before the first is seen
twice (the concentration of a Dirichlet process): the greater, the less a new value says. `attacker_*`: how likely an attacker
is to have what this user has. They were chosen together: look at what `backtest` says before and after a change.

| key | default | allowed | what it does, and why it is so |
|---|---|---|---|
";

const EXCLUSIONS: &str = "
## `[[detect.exclusion]]`

Connections that have all that is named raise no alert and teach the profile as others do. One of `user`, `network`, `asn` and
`place` is required, and so are `reason` and `until`.

| key | what it is |
|---|---|
| `user` | a user, in any way the name is written; realms count as in `users.realms` |
| `network` | the client's address outside the tunnel: one, or a network |
| `asn` | the number of the autonomous system: 64500 |
| `place` | a place as alerts name it, or a country by its two letters |
| `reason` | why, for those who come later; not empty |
| `until` | from then on it does not hold any more: a date (to its end, UTC), or a date-time with an offset |
| `set_by`, `set_at` | who made or changed it last, and when: written by the service where it was the portal or the API, shown there, and optional |
";

/// The page.
pub fn markdown() -> String {
    let mut usual = Detecting::default();
    let mut page = HEAD.to_owned();
    let rows = |page: &mut String, keys: Vec<Key<'_>>| {
        for Key { name, reason, value } in keys {
            let _ = writeln!(page, "| `{name}` | {} | {} | {reason} |", value.shown(), value.allowed());
        }
    };
    rows(&mut page, keys::of_notices(&mut usual));
    rows(&mut page, keys::of(&mut usual.thresholds));
    page += MODEL;
    rows(&mut page, keys::of_model(&mut usual.thresholds.model));
    page + EXCLUSIONS
}

/// A threshold's key, for those who show it.
pub(crate) struct ThresholdKey {
    /// Its dotted name.
    pub(crate) name: String,
    /// As it is written, without quotes.
    pub(crate) default: String,
    /// From and to.
    pub(crate) allowed: String,
    /// What it does, and why its default is what it is.
    pub(crate) about: &'static str,
    /// Written without quotes.
    pub(crate) is_number: bool,
}

/// All thresholds' keys, in the order of the page.
pub(crate) fn threshold_keys() -> Vec<ThresholdKey> {
    let mut usual = Detecting::default();
    let of = |table: &str, key: Key<'_>| {
        let default = key.value.shown();
        ThresholdKey {
            name: format!("{table}.{}", key.name),
            default: default.trim_matches('"').to_owned(),
            allowed: key.value.allowed(),
            about: key.reason,
            is_number: !default.starts_with('"'),
        }
    };
    let mut all: Vec<_> = keys::of_notices(&mut usual).into_iter().map(|key| of("detect", key)).collect();
    all.extend(keys::of(&mut usual.thresholds).into_iter().map(|key| of("detect", key)));
    let model = keys::of_model(&mut usual.thresholds.model);
    all.extend(model.into_iter().map(|key| of("detect.model", key)));
    all
}

/// What is not as the product comes, in one line.
pub fn summary(detecting: &Detecting, now_unix_ns: u64) -> String {
    let (mut own, mut usual) = (detecting.clone(), Detecting::default());
    let mut changed = Vec::new();
    let mut compare = |prefix: &str, own: Vec<Key<'_>>, usual: Vec<Key<'_>>| {
        for (own, usual) in own.iter().zip(&usual) {
            let (value, usual) = (own.value.shown(), usual.value.shown());
            if value != usual {
                changed.push(format!("{prefix}{} = {value} (default {usual})", own.name));
            }
        }
    };
    compare("", keys::of_notices(&mut own), keys::of_notices(&mut usual));
    let (own, usual) = (&mut own.thresholds, &mut usual.thresholds);
    compare("", keys::of(own), keys::of(usual));
    compare("model.", keys::of_model(&mut own.model), keys::of_model(&mut usual.model));
    let mut parts = vec![match changed.is_empty() {
        true => "default thresholds".to_owned(),
        false => changed.join(", "),
    }];
    let all = detecting.exclusions.len();
    let over = detecting.exclusions.iter().filter(|exclusion| exclusion.is_over(now_unix_ns)).count();
    parts.push(match (all, over) {
        (0, _) => "no exclusions".to_owned(),
        (all, 0) => format!("exclusions: {all}"),
        (all, over) => format!("exclusions: {all}, of which {over} ended"),
    });
    parts.push(format!("at most {} notices a day", detecting.notices_per_day));
    parts.push(match detecting.accept_after_days {
        Some(days) => format!("alerts below high severity are accepted after {days}d"),
        None => "no alert is accepted automatically".to_owned(),
    });
    parts.join("; ")
}
