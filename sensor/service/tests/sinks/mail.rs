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
    sink::{MailSettings, Secret, Target, Trust, mailbox},
};

use super::{certificate::Certificates, notice, open, settings, standing, until};

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

/// Speaks with one client until it leaves. Refuses a recipient of this name.
fn speak(socket: TcpStream, tls: &Arc<ServerConfig>, letters: &mpsc::Sender<Letter>) -> io::Result<()> {
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
            "RCPT" if line.contains("refused@") => "550 no such user\r\n",
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
                let recipients = std::mem::take(&mut recipients);
                letters.send(Letter { recipients, text, login: login.clone(), is_encrypted }).unwrap();
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

fn serve(tls: Arc<ServerConfig>) -> (u16, mpsc::Receiver<Letter>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, letters) = mpsc::channel();
    thread::spawn(move || {
        for socket in listener.incoming() {
            // A client that does not trust the server leaves in the middle.
            let _ = speak(socket.unwrap(), &tls, &sender);
        }
    });
    (port, letters)
}

#[test]
fn letters_arrive_and_name_their_matter() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let (port, letters) = serve(certificates.server());
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
    sinks.tell_notice(&notice(1, user));
    until("it says why", || standing(&sinks, "mail").last_error.is_some());
    let reason = standing(&sinks, "mail").last_error.unwrap();
    assert!(
        reason.contains("535") && reason.contains("secret_file") && !reason.contains("wrong"),
        "{reason}"
    );
    sinks.reload(mail("second@contoso.example", "open sesame")).unwrap();
    let letter = letters.recv().unwrap();
    assert!(letter.is_encrypted && letter.login.contains("sensor"));
    assert_eq!(letter.recipients.len(), 2);
    // The name neither began a header nor ended the letter.
    let (head, body) = letter.text.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(head.contains("From: \"VPN sensor\" <sensor@contoso.example>"), "{head}");
    assert!(body.contains("What to do:") || body.len() > 100, "{body}");
    until("it is done with", || standing(&sinks, "mail").waiting == 0);
    // Nobody of the name there: that one is lost, and it is said.
    sinks.reload(mail("refused@contoso.example", "open sesame")).unwrap();
    sinks.tell_notice(&notice(2, "alice"));
    until("it is refused", || standing(&sinks, "mail").refused == 1);
    assert!(standing(&sinks, "mail").last_error.unwrap().contains("550"));
    sinks.stop();
}
