//! MITRE ATT&CK techniques that alerts name, with the tactic that they serve here. Ids are data: names and tactics change
//! between versions of the catalogue.

use serde_json::{Value, json};

/// The catalogue's version that the names below are of.
const VERSION: &str = "16.1";

/// Id, name, tactic.
const TECHNIQUES: [(&str, &str, &str); 13] = [
    ("T1048", "Exfiltration Over Alternative Protocol", "TA0010"),
    ("T1078", "Valid Accounts", "TA0001"),
    ("T1078.002", "Domain Accounts", "TA0001"),
    ("T1078.003", "Local Accounts", "TA0001"),
    ("T1078.004", "Cloud Accounts", "TA0001"),
    ("T1090", "Proxy", "TA0011"),
    ("T1090.002", "External Proxy", "TA0011"),
    ("T1090.003", "Multi-hop Proxy", "TA0011"),
    ("T1110", "Brute Force", "TA0006"),
    ("T1110.003", "Password Spraying", "TA0006"),
    ("T1110.004", "Credential Stuffing", "TA0006"),
    ("T1133", "External Remote Services", "TA0001"),
    ("T1621", "Multi-Factor Authentication Request Generation", "TA0006"),
];
/// Data manipulation has names of its own.
const MANIPULATION: [(&str, &str, &str); 2] =
    [("T1565", "Data Manipulation", "TA0040"), ("T1565.002", "Transmitted Data Manipulation", "TA0040")];

const TACTICS: [(&str, &str); 5] = [
    ("TA0001", "Initial Access"),
    ("TA0006", "Credential Access"),
    ("TA0010", "Exfiltration"),
    ("TA0011", "Command and Control"),
    ("TA0040", "Impact"),
];

/// What a technique is called; none of one that is not listed.
pub(crate) fn technique_name(id: &str) -> Option<&'static str> {
    TECHNIQUES.iter().chain(&MANIPULATION).find(|(known, _, _)| *known == id).map(|(_, name, _)| *name)
}

/// The `attack` object of a technique; of one that is not listed the id alone.
pub(super) fn attack(id: &str) -> Value {
    let named = |id: &str| match technique_name(id) {
        Some(name) => json!({"uid": id, "name": name}),
        None => json!({"uid": id}),
    };
    let tactic = TECHNIQUES.iter().chain(&MANIPULATION).find(|(known, _, _)| *known == id);
    let tactic = tactic.and_then(|(_, _, tactic)| TACTICS.iter().find(|(uid, _)| uid == tactic));
    let tactic = tactic.map(|(uid, name)| json!({"uid": uid, "name": name}));
    match id.split_once('.') {
        Some((technique, _)) => json!({
            "tactic": tactic, "technique": named(technique), "sub_technique": named(id), "version": VERSION,
        }),
        None => json!({"tactic": tactic, "technique": named(id), "version": VERSION}),
    }
}
