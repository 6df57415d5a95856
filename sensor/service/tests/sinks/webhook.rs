//! Webhooks: signed, tried again, refused, over TLS.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use rustls::{ServerConnection, StreamOwned};
use service::export::{
    format::Format,
    sink::{Secret, Settings, Target, Trust},
};

use super::{certificate::Certificates, hook, notice, numbers, open, settings, standing, until};

pub(crate) fn webhook(name: &str, url: String, trust: Trust) -> Settings {
    let secret = Some(Secret::new(hook::SECRET.to_vec()));
    settings(name, Format::Json, Target::Webhook { url, trust, secret })
}

#[test]
fn requests_are_signed_tried_again_and_refused() {
    let state = tempfile::tempdir().unwrap();
    let (address, inbox) = hook::serve("127.0.0.1:0".parse().unwrap());
    // The second is refused for good; the third finds it busy, then broken, then its proxy set up anew.
    inbox.answers.lock().unwrap().extend([200, 400, 429, 503, 404]);
    let sinks = open(state.path(), vec![webhook("hook", format!("http://{address}/hook"), Trust::default())]);
    (1..=4).for_each(|number| sinks.tell_notice(&notice(number, "alice"), &[]));
    until("all are done with", || standing(&sinks, "hook").waiting == 0);
    let standing = standing(&sinks, "hook");
    assert_eq!((standing.sent, standing.refused, standing.lost, standing.is_up), (3, 1, 1, true));
    assert!(standing.last_error.unwrap().contains("404"));
    let requests = inbox.requests.lock().unwrap();
    let seen: Vec<(u64, bool, bool, u16)> = requests
        .iter()
        .map(|request| {
            let [(number, is_marked)] = numbers(&request.body)[..] else { panic!() };
            (number, is_marked, request.is_marked, request.status)
        })
        .collect();
    // Busy means that it was not taken; broken may be behind the taking.
    let expected = [
        (1, false, false, 200),
        (2, false, false, 400),
        (3, false, false, 429),
        (3, false, false, 503),
        (3, true, true, 404),
        (3, true, true, 200),
        (4, false, false, 200),
    ];
    assert_eq!(seen, expected);
    assert!(requests.iter().all(|request| request.content_type == "application/json"));
    drop(requests);
    sinks.stop();
}

#[test]
fn with_a_wrong_secret_messages_wait_for_the_right_one_and_it_shows_nowhere() {
    let state = tempfile::tempdir().unwrap();
    let (address, inbox) = hook::serve("127.0.0.1:0".parse().unwrap());
    let mut wrong = webhook("hook", format!("http://{address}/hook"), Trust::default());
    if let Target::Webhook { secret, .. } = &mut wrong.target {
        *secret = Some(Secret::new(b"swordfish".to_vec()));
    }
    assert!(!format!("{wrong:?}").contains("swordfish"));
    let sinks = open(state.path(), vec![wrong]);
    (1..=2).for_each(|number| sinks.tell_notice(&notice(number, "alice"), &[]));
    until("it is turned away", || standing(&sinks, "hook").last_error.is_some());
    let turned_away = standing(&sinks, "hook");
    let reason = turned_away.last_error.unwrap();
    assert!(reason.contains("401") && reason.contains("secret"), "{reason}");
    assert_eq!((turned_away.waiting, turned_away.refused, turned_away.lost), (2, 0, 0));
    assert!(!turned_away.is_up);
    assert!(!format!("{sinks:?}").contains("swordfish"));
    sinks.stop();
    let right = webhook("hook", format!("http://{address}/hook"), Trust::default());
    let sinks = open(state.path(), vec![right]);
    until("both arrive", || standing(&sinks, "hook").waiting == 0);
    assert_eq!(numbers(&inbox.taken()), [(1, false), (2, false)]);
    sinks.stop();
}

#[test]
fn a_server_must_be_one_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let config = certificates.server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        // Whoever does not trust it ends the handshake; the first that does is answered.
        loop {
            let (socket, _) = listener.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket);
            let mut request = Vec::new();
            let mut octets = [0; 4096];
            while !request.ends_with(b"}") {
                match stream.read(&mut octets) {
                    Ok(count) if count > 0 => request.extend(&octets[..count]),
                    _ => break,
                }
            }
            if request.ends_with(b"}") {
                stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
                stream.flush().unwrap();
                return String::from_utf8(request).unwrap();
            }
        }
    });
    let trusting = |ca_file| webhook("hook", format!("https://localhost:{port}/hook"), Trust { ca_file });
    let mut sinks = open(folder.path(), vec![trusting(None)]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("it is not trusted", || standing(&sinks, "hook").last_error.is_some());
    assert_eq!(standing(&sinks, "hook").sent, 0);
    // With the authority's certificate it goes on.
    sinks.reload(vec![trusting(Some(certificates.authority.clone()))]);
    until("it arrives", || standing(&sinks, "hook").waiting == 0);
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    sinks.stop();
}
