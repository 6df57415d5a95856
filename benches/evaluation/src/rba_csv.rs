//! The public set of logins for risk-based authentication (Wiefling et al., 2022) as a past. Its addresses and networks
//! are partly made up by its publishers, so the countries and systems that our databases find are not always its own; it
//! has no ends of sessions, so whatever needs them has nothing to go by.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::Read,
};

use anyhow::{Context as _, bail};
use jiff::{civil::DateTime, tz::TimeZone};

use crate::{
    event::{Event, Status},
    label::{Label, Truth},
    organisation::{Organisation, Summary},
};

/// The columns that are read, by their headings.
const COLUMNS: [&str; 6] = [
    "Login Timestamp",
    "User ID",
    "IP Address",
    "User Agent String",
    "Login Successful",
    "Is Account Takeover",
];

/// Reads the set. Successful logins become Starts, takeovers become attacks of one attacker a victim; failed ones are left
/// out. `users_max`: how many users are taken, the first in the file.
///
/// # Errors
/// It is not the set, or a row of it cannot be read; the error names the row.
pub fn read(file: impl Read, users_max: usize) -> anyhow::Result<Organisation> {
    let mut rows = csv::Reader::from_reader(file);
    let head = rows.headers().context("row 1")?;
    if head.is_empty() {
        bail!("the file is empty");
    }
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = head.iter().position(|heading| heading.trim() == column);
        *place = found.with_context(|| format!("no column {column:?}: is it the public RBA data set?"))?;
    }
    let mut users = HashSet::new();
    let mut starts = Vec::new();
    for (number, row) in (2..).zip(rows.records()) {
        let row = row.with_context(|| format!("row {number}"))?;
        let field = |at: usize| row.get(places[at]).map_or("", str::trim);
        let row = || format!("row {number}");
        if !truth(field(4)).with_context(row)? {
            continue;
        }
        let user = field(1);
        if !users.contains(user) {
            if users.len() >= users_max {
                continue;
            }
            users.insert(user.to_owned());
        }
        let time: DateTime = field(0).replace(' ', "T").parse().with_context(row)?;
        let event = Event {
            time: TimeZone::UTC.to_timestamp(time).with_context(row)?,
            status: Status::Start,
            client: "rba".to_owned(),
            session: number.to_string(),
            user: user.to_owned(),
            address: field(2).parse().with_context(row)?,
            device: None,
            software: Some(field(3).to_owned()).filter(|text| !text.is_empty()),
            input_octets: None,
            output_octets: None,
            nas: None,
        };
        starts.push((event, truth(field(5)).with_context(row)?));
    }
    starts.sort_by_key(|(event, _)| event.time);
    Ok(organisation(starts))
}

fn organisation(starts: Vec<(Event, bool)>) -> Organisation {
    let mut labels = Vec::new();
    let mut events = Vec::new();
    for (at, (event, is_takeover)) in starts.into_iter().enumerate() {
        labels.push(Label {
            n: at + 1,
            user: event.user.clone(),
            label: if is_takeover { Truth::Attack } else { Truth::Genuine },
            attacker: is_takeover.then(|| format!("takeover-{}", event.user)),
            model: None,
            difficulties: Vec::new(),
        });
        events.push(event);
    }
    let day = |event: &Event| event.time.as_second().div_euclid(86_400);
    let attacks = labels.iter().filter(|label| label.label == Truth::Attack).count();
    let summary = Summary {
        seed: 0,
        users: events.iter().map(|event| &event.user).collect::<BTreeSet<_>>().len(),
        days: events.last().zip(events.first()).map_or(0, |(last, first)| day(last) - day(first) + 1),
        countries: Vec::new(),
        clients: vec!["rba".to_owned()],
        events: events.len(),
        genuine_starts: labels.len() - attacks,
        attack_starts: attacks,
        attackers: BTreeMap::new(),
        difficulties: BTreeMap::new(),
        lost_starts: 0,
        geo_update: None,
    };
    Organisation { events, labels, geo_update: None, summary }
}

fn truth(text: &str) -> anyhow::Result<bool> {
    match text {
        "True" | "true" | "1" => Ok(true),
        "False" | "false" | "0" => Ok(false),
        other => bail!("{other:?} is neither True nor False"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,\
                        User Agent String,Browser Name and Version,OS Name and Version,Device Type,Login Successful,\
                        Is Attack IP,Is Account Takeover\n";
    const ROWS: &str = "\
0,2020-02-03 12:43:30.772,-4324475583306591935,,10.0.65.171,NO,-,-,29695,\"Mozilla/5.0 (iPhone, \"\"x\"\")\",Firefox 20.0,iOS 13.4,mobile,False,False,False
1,2020-02-03 12:43:43.549,-4324475583306591935,,194.87.207.6,AU,-,-,60117,\"Mozilla/5.0 (Linux, like Gecko)\",Chrome 46.0,Android 4.1,mobile,True,False,False
2,2020-02-04 12:43:55.873,-3284137479262433373,12.0,81.167.144.58,NO,Vestland,Urangsvag,29695,Mozilla/5.0,Android 2.3,Android 2.3,mobile,True,True,True
";

    fn text(rows: &str) -> String {
        format!("{HEAD}{rows}")
    }

    #[test]
    fn successful_logins_become_starts_and_takeovers_attacks() {
        let past = read(text(ROWS).as_bytes(), usize::MAX).unwrap();
        let line = |at: usize| serde_json::to_string(&past.events[at]).unwrap();
        assert_eq!(
            line(0),
            r#"{"time":"2020-02-03T12:43:43.549Z","status":"Start","client":"rba","session":"3","user":"-4324475583306591935","address":"194.87.207.6","software":"Mozilla/5.0 (Linux, like Gecko)"}"#
        );
        let truths: Vec<_> = past.labels.iter().map(|label| (label.n, label.label)).collect();
        assert_eq!(truths, [(1, Truth::Genuine), (2, Truth::Attack)]);
        let Summary { users, days, genuine_starts, attack_starts, .. } = past.summary;
        assert_eq!((users, days, genuine_starts, attack_starts), (2, 2, 1, 1));
    }

    #[test]
    fn the_first_users_of_the_file_are_taken() {
        let past = read(text(ROWS).as_bytes(), 1).unwrap();
        assert_eq!(past.events.len(), 1);
    }

    #[test]
    fn fields_hold_quotes_commas_and_ends_of_lines() {
        let rows = ROWS.replace("Mozilla/5.0 (Linux, like Gecko)", "a, \"\"b\"\"\nc").replace('\n', "\r\n");
        let past = read(text(&rows).as_bytes(), usize::MAX).unwrap();
        let software = past.events.iter().map(|event| event.software.as_deref().unwrap());
        assert_eq!(software.collect::<Vec<_>>(), ["a, \"b\"\r\nc", "Mozilla/5.0"]);
    }

    #[test]
    fn what_is_no_such_set_is_told() {
        let fault = |text: &str| format!("{:#}", read(text.as_bytes(), 9).err().unwrap());
        assert!(fault("").contains("empty"));
        assert!(fault("a,b\n1,2\n").contains("no column \"Login Timestamp\""));
        assert!(fault(&text(&ROWS.replace("194.87.207.6", "home"))).contains("row 3"));
        assert!(fault(&text(&ROWS.replace(",False\n1", "\n1"))).contains("row 2"), "a field is missing");
        assert!(
            fault(&text(&ROWS.replace("mobile,True,False,False", "mobile,yes,False,False")))
                .contains("row 3")
        );
    }
}
