//! Letters: to a server that speaks SMTP with STARTTLS and wants somebody to log in.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use service::export::{
    format::Format,
    sink::{MailSettings, Secret, Settings, Target, Trust, mailbox},
};

use super::{certificate::Certificates, notice, open, settings, standing, until};

/// What stands in a letter that may have arrived before.
const MARK: &str = "may have been sent before";

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// One letter as the server got it.
#[derive(Debug)]
struct Letter {
    recipients: Vec<String>,
    text: String,
    login: String,
    is_encrypted: bool,
}

/// Speaks with one client until it leaves. Refuses recipients called `refused` and `gone` for good, and `full` as often as
/// `full` says. Behind a letter to `torn` it leaves without a word, unless that is marked.
fn speak(
    socket: TcpStream,
    tls: &Arc<ServerConfig>,
    letters: &mpsc::Sender<Letter>,
    full: &mut u32,
) -> io::Result<()> {
    let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(socket.try_clone()?));
    let (mut recipients, mut login, mut is_encrypted) = (Vec::new(), String::new(), false);
    write!(stream.get_mut(), "220 mail.example\r\n")?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let answer = match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" if is_encrypted => "250-mail.example\r\n250 AUTH PLAIN\r\n",
            "EHLO" => "250-mail.example\r\n250 STARTTLS\r\n",
            "STARTTLS" => {
                write!(stream.get_mut(), "220 go on\r\n")?;
                let connection = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
                stream = BufReader::new(Box::new(StreamOwned::new(connection, socket.try_clone()?)));
                is_encrypted = true;
                continue;
            }
            "AUTH" => {
                let code = line.rsplit(' ').next().unwrap_or_default();
                login = String::from_utf8(STANDARD.decode(code).unwrap()).unwrap();
                match login.as_str() {
                    "\0sensor\0open sesame" => "235 welcome\r\n",
                    _ => "535 who are you\r\n",
                }
            }
            "RCPT" if line.contains("refused@") || line.contains("gone@") => "550 no such user\r\n",
            "RCPT" if line.contains("full@") && *full > 0 => {
                *full -= 1;
                "452 no room\r\n"
            }
            "RCPT" => {
                recipients.push(line.to_owned());
                "250 ok\r\n"
            }
            "DATA" => {
                write!(stream.get_mut(), "354 go on\r\n")?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut text)?;
                }
                let recipients: Vec<String> = std::mem::take(&mut recipients);
                let is_torn =
                    recipients.iter().any(|recipient| recipient.contains("torn@")) && !text.contains(MARK);
                letters.send(Letter { recipients, text, login: login.clone(), is_encrypted }).unwrap();
                if is_torn {
                    return Ok(());
                }
                "250 taken\r\n"
            }
            "QUIT" => {
                write!(stream.get_mut(), "221 bye\r\n")?;
                return Ok(());
            }
            _ => "250 ok\r\n",
        };
        write!(stream.get_mut(), "{answer}")?;
    }
}

/// A server that refuses `full` so many times.
fn serve(tls: Arc<ServerConfig>, mut full: u32) -> (u16, mpsc::Receiver<Letter>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, letters) = mpsc::channel();
    thread::spawn(move || {
        for socket in listener.incoming() {
            // A client that does not trust the server leaves in the middle.
            let _ = speak(socket.unwrap(), &tls, &sender, &mut full);
        }
    });
    (port, letters)
}

#[test]
fn letters_arrive_and_name_their_matter() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let (port, letters) = serve(certificates.server(), 0);
    let mail = |to: &str, password: &str| {
        let server = MailSettings {
            host: "localhost".to_owned(),
            port,
            tls: Some(Trust { ca_file: Some(certificates.authority.clone()) }),
            from: mailbox("VPN sensor <sensor@contoso.example>").unwrap(),
            to: vec![mailbox("security@contoso.example").unwrap(), mailbox(to).unwrap()],
            login: Some(("sensor".to_owned(), Secret::new(password.as_bytes().to_vec()))),
        };
        vec![settings("mail", Format::Text, Target::Mail(server))]
    };
    let mut sinks = open(folder.path(), mail("second@contoso.example", "wrong"));
    let user = "zwölf\r\nBcc: everybody@contoso.example\r\n.\r\n";
    sinks.tell_notice(&notice(1, user), &[]);
    until("it says why", || standing(&sinks, "mail").last_error.is_some());
    let reason = standing(&sinks, "mail").last_error.unwrap();
    assert!(
        reason.contains("535") && reason.contains("secret_file") && !reason.contains("wrong"),
        "{reason}"
    );
    sinks.reload(mail("second@contoso.example", "open sesame"));
    let letter = letters.recv().unwrap();
    assert!(letter.is_encrypted && letter.login.contains("sensor"));
    assert_eq!(letter.recipients.len(), 2);
    // The name neither began a header nor ended the letter.
    let (head, body) = letter.text.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(head.contains("From: \"VPN sensor\" <sensor@contoso.example>"), "{head}");
    assert!(body.contains("What to do:") || body.len() > 100, "{body}");
    until("it is done with", || standing(&sinks, "mail").waiting == 0);
    // Nobody of the name there: the other one has it, and it is said.
    sinks.reload(mail("refused@contoso.example", "open sesame"));
    sinks.tell_notice(&notice(2, "alice"), &[]);
    until("it is sent", || standing(&sinks, "mail").sent == 1);
    assert_eq!(to(&letters.recv().unwrap()), ["security"]);
    let stands = standing(&sinks, "mail");
    assert_eq!((stands.waiting, stands.refused, stands.lost), (0, 0, 0));
    let refused = stands.recipients_refused.unwrap();
    assert!(
        matches!(&refused[..], [one] if one.contains("refused@contoso.example") && one.contains("550")),
        "{refused:?}"
    );
    assert!(stands.last_error.unwrap().contains("refused@contoso.example"));
    sinks.stop();
}

/// Names of a letter's recipients.
fn to(letter: &Letter) -> Vec<&str> {
    let name = |line: &'_ String| line.find('<').zip(line.find('@')).unwrap();
    letter.recipients.iter().map(|line| &line[name(line).0 + 1..name(line).1]).collect()
}

fn plain(port: u16, names: &[&str]) -> Settings {
    let server = MailSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: None,
        from: mailbox("sensor@contoso.example").unwrap(),
        to: names.iter().map(|name| mailbox(&format!("{name}@contoso.example")).unwrap()).collect(),
        login: None,
    };
    settings("mail", Format::Text, Target::Mail(server))
}

#[test]
fn a_letter_is_refused_only_if_all_recipients_are() {
    let folder = tempfile::tempdir().unwrap();
    let (port, letters) = serve(Certificates::make(folder.path()).server(), 0);
    let mut sinks = open(folder.path(), vec![plain(port, &["gone", "first", "refused", "second"])]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("it is sent", || standing(&sinks, "mail").sent == 1);
    let mut reached: Vec<Letter> = letters.try_iter().collect();
    assert_eq!(reached.iter().flat_map(to).collect::<Vec<_>>(), ["first", "second"]);
    // One letter, by name too, so that a list of both shows it once.
    let id =
        |letter: &Letter| letter.text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
    assert_eq!(id(&reached[0]), id(&reached.remove(1)));
    assert_eq!(standing(&sinks, "mail").recipients_refused.unwrap().len(), 2);
    sinks.reload(vec![plain(port, &["gone", "refused"])]);
    sinks.tell_notice(&notice(2, "alice"), &[]);
    until("it is refused", || standing(&sinks, "mail").refused == 1);
    let reason = standing(&sinks, "mail").last_error.unwrap();
    assert!(reason.contains("gone@") && reason.contains("refused@") && reason.contains("550"), "{reason}");
    assert_eq!(standing(&sinks, "mail").lost, 1);
    sinks.stop();
}

#[test]
fn who_has_a_letter_does_not_get_it_again_while_others_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    // Refused in the letter to all, alone, and alone once more.
    let (port, letters) = serve(Certificates::make(folder.path()).server(), 3);
    let sinks = open(folder.path(), vec![plain(port, &["first", "full", "second", "gone"])]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    sinks.tell_notice(&notice(2, "alice"), &[]);
    until("it says who is full", || {
        standing(&sinks, "mail").last_error.is_some_and(|error| error.contains("full@"))
    });
    until("both are sent", || standing(&sinks, "mail").sent == 2);
    let arrived: Vec<Letter> = letters.try_iter().collect();
    let names: Vec<Vec<&str>> = arrived.iter().map(to).collect();
    let first = [vec!["first"], vec!["second"], vec!["full"]];
    assert_eq!(names, [&first[..], &[vec!["first"], vec!["full"], vec!["second"]]].concat());
    let is_marked = |letter: &Letter| letter.text.contains(MARK);
    assert!(!arrived.iter().any(is_marked), "nobody can have it twice");
    sinks.stop();
}

#[test]
fn a_stop_while_some_have_a_letter_marks_it_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let (port, letters) = serve(Certificates::make(folder.path()).server(), 2);
    let settings = || vec![plain(port, &["first", "full"])];
    let sinks = open(folder.path(), settings());
    sinks.tell_notice(&notice(1, "alice"), &[]);
    assert_eq!(to(&letters.recv().unwrap()), ["first"]);
    until("it waits", || standing(&sinks, "mail").failures == 1);
    sinks.stop();
    let sinks = open(folder.path(), settings());
    let letter = letters.recv().unwrap();
    assert_eq!(to(&letter), ["first", "full"]);
    assert!(letter.text.contains(MARK), "{}", letter.text);
    sinks.stop();
}

#[test]
fn a_connection_that_breaks_marks_the_letter_for_whom_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (port, letters) = serve(Certificates::make(folder.path()).server(), 0);
    let sinks = open(folder.path(), vec![plain(port, &["first", "gone", "torn", "second"])]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("it is sent", || standing(&sinks, "mail").sent == 1);
    let arrived: Vec<Letter> = letters.try_iter().collect();
    let arrived: Vec<(&str, bool)> =
        arrived.iter().map(|letter| (to(letter)[0], letter.text.contains(MARK))).collect();
    assert_eq!(arrived, [("first", false), ("torn", false), ("second", false), ("torn", true)]);
    sinks.stop();
}
