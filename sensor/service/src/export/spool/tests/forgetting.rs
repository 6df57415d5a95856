//! Persons who are forgotten.

use super::*;

/// Octets of all files of a folder.
fn octets(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_person_is_in_no_file_any_more_and_everybody_else_is() {
    use crate::export::format::{Client, Source, Told, Tunnel, TunnelActivity};
    let source = Source { host: "gw1".into(), version: "1".into(), portal: None };
    let folder = tempfile::tempdir().unwrap();
    // Small segments, so that several are written anew.
    let spool = Spool::open(folder.path(), limits(256 << 10)).unwrap();
    // Whole names alone, as written: with the domain in front, and the signs that formats escape.
    let users = ["CONTOSO\\Mallory", "bob", "smallory", "mallory@contoso.example", "M\"al=l|ory", "carol"];
    let mut position = 0;
    for user in users.iter().cycle().take(60) {
        for format in [Format::Ocsf, Format::Cef, Format::Json, Format::Text] {
            position += 1;
            let mut activity = TunnelActivity {
                unix_ns: NOW,
                what: Tunnel::Open,
                user: Some("somebody".to_owned()),
                user_original: None,
                session_id: "1".to_owned(),
                start_unix_ns: NOW,
                end_reason: None,
                terminate_cause: None,
                client: Client::default(),
                assigned: Vec::new(),
                server: None,
                server_address: None,
                // In a text beside the user's name alone.
                device: Some(format!("laptop of {user}")),
                software: None,
                input_octets: None,
                output_octets: None,
            };
            if position / 24 % 2 == 0 {
                activity.user = Some((*user).to_owned());
            }
            let told = Told::Activity(&activity);
            let body = export::format::write(format, &told, &source);
            let persons = told.persons();
            assert_eq!(spool.push(&Draft { format, persons, ..draft(position, &body) }, NOW), Kept::Waiting);
        }
    }
    // Text for mail names no device here; all others do.
    assert!(segments(folder.path()).len() > 3);
    let first = spool.take(4, NOW).unwrap();
    assert!(spool.is_wanted(first[0].sequence));
    let written = vec!["CONTOSO\\mallory".to_owned(), "M\"al=l|ory".to_owned()];
    let person =
        Person::new(Names { typed: "Mallory".into(), key: "mallory@contoso.example".into(), written });
    let before = spool.backlog();
    let forgotten = spool.forget(&person).unwrap();
    let text = String::from_utf8_lossy(&octets(folder.path())).to_lowercase().replace("smallory", "");
    assert!(
        !text.contains("mallory") && !text.contains("m\\\"al=l|ory") && !text.contains("al\\=l"),
        "{text}"
    );
    assert!(text.contains("bob") && text.contains("carol"));
    assert_eq!(spool.backlog().waiting, before.waiting - forgotten);
    assert_eq!(spool.backlog().lost, 0);
    assert!(!spool.is_wanted(first[0].sequence), "it must not be sent any more");
    // Nothing of it is handed over again, and what comes now goes on behind.
    assert_eq!(spool.push(&draft(position, "again"), NOW), Kept::Known);
    fill(&spool, [position + 1]);
    spool.give_back(0).unwrap();
    let waiting = spool.backlog().waiting;
    assert_eq!(taken(&spool, 999).len() as u64, waiting);
    drop(spool);
    let spool = Spool::open(folder.path(), limits(256 << 10)).unwrap();
    assert_eq!((spool.backlog().waiting, spool.backlog().lost), (waiting, 0));
}
