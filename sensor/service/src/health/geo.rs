//! Databases of places that are missing, cannot be read, or are old: then places are wrong or not known, and so are the
//! alerts that rest on them.

use std::time::Duration;

use insight::geo::Contents;
use jiff::Timestamp;

use super::{Condition, Now, Round, Seen, Settings, board::Finding, seen::DatabaseSeen};
use crate::alert::Severity;

/// So many are named in one message.
const NAMED_MAX: usize = 4;

type Has = fn(&Contents) -> bool;

/// What databases say, and who has it.
const SORTS: [(&str, Has); 3] = [
    ("countries", |contents| contents.countries),
    ("networks", |contents| contents.networks),
    ("kinds of networks", |contents| contents.kinds),
];

pub(super) fn look(seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
    let Some(geo) = &seen.geo else {
        round.undecided.extend([Condition::GeoMissing, Condition::GeoStale]);
        return;
    };
    let lacking = SORTS.iter().filter(|(_, has)| !geo.databases.iter().any(|one| has(&one.contents)));
    let mut wrong: Vec<String> = geo.wrong.iter().take(NAMED_MAX).cloned().collect();
    wrong.extend(lacking.map(|(sort, _)| format!("no database says anything about {sort}")));
    if !wrong.is_empty() {
        round.findings.push(missing(&wrong, now));
    }
    let Some(longest) = settings.geo_stale else { return };
    let old: Vec<(&DatabaseSeen, Duration)> = geo
        .databases
        .iter()
        .filter(|database| !database.is_included || counts(database, &geo.databases))
        .map(|database| (database, age(database, now)))
        .filter(|(_, age)| *age > longest)
        .collect();
    if let Some(most) = old.iter().map(|(_, age)| *age).max() {
        round.findings.push(stale(&old, now.ago(most.saturating_sub(longest))));
    }
}

/// An included database counts where nobody added one that says the same.
fn counts(included: &DatabaseSeen, databases: &[DatabaseSeen]) -> bool {
    let is_added =
        |has: Has| databases.iter().any(|database| !database.is_included && has(&database.contents));
    SORTS.iter().any(|(_, has)| has(&included.contents) && !is_added(*has))
}

fn age(database: &DatabaseSeen, now: Now) -> Duration {
    Duration::from_secs((now.unix_ns / 1_000_000_000).saturating_sub(database.built_unix_s))
}

fn missing(wrong: &[String], now: Now) -> Finding {
    Finding {
        condition: Condition::GeoMissing,
        subject: String::new(),
        severity: Severity::Medium,
        since_unix_ns: now.unix_ns,
        message: format!("Places and networks of addresses are known in part only: {}.", wrong.join("; ")),
        advice: vec![
            "Mend the file, or take it out of `geo.databases`; then send SIGHUP. `vpn-sensor geo` lists what is in use, \
             `vpn-sensor geo --database FILE` tries a file."
                .to_owned(),
        ],
    }
}

fn stale(old: &[(&DatabaseSeen, Duration)], since_unix_ns: u64) -> Finding {
    let named = old.iter().take(NAMED_MAX).map(|(database, age)| {
        let built = Timestamp::from_second(database.built_unix_s as i64).unwrap_or_default();
        format!("{} of {} ({} days)", database.name, built.strftime("%Y-%m-%d"), age.as_secs() / 86_400)
    });
    let named: Vec<String> = named.collect();
    Finding {
        condition: Condition::GeoStale,
        subject: String::new(),
        severity: Severity::Low,
        since_unix_ns,
        message: format!(
            "Databases of places and networks are old: {}. Addresses change hands: alerts will name wrong places.",
            named.join("; ")
        ),
        advice: vec![
            "Download newer ones and add them: `vpn-sensor geo add FILE`, then send SIGHUP. Those that come with the \
             product are renewed with it."
                .to_owned(),
            "If they are not to be renewed that often, set `health.geo_stale` to more.".to_owned(),
        ],
    }
}
