//! Letters over SMTP: each message one. How many a day is not decided here.

use std::time::Duration;

use lettre::{
    Message as Letter, SmtpTransport, Transport as _,
    message::header::ContentType,
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};

use policy::sink::MailSettings as Settings;

use super::{Failure, Message, Peer};

/// For a connection and each answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Where TLS begins with the connection (RFC 8314); elsewhere STARTTLS asks for it.
const SUBMISSIONS: u16 = 465;

pub(super) struct Server {
    settings: Settings,
    arrived: Option<u64>,
}

impl Server {
    pub(super) fn new(settings: Settings) -> Server {
        Server { settings, arrived: None }
    }

    /// The certificates are read anew for each letter: there are few.
    fn transport(&self) -> Result<SmtpTransport, String> {
        let Settings { host, port, tls, login, .. } = &self.settings;
        let tls = match tls {
            None => Tls::None,
            Some(trust) => {
                let mut parameters =
                    TlsParameters::builder(host.clone()).certificate_store(CertificateStore::None);
                for der in trust.certificates()? {
                    let certificate =
                        Certificate::from_der(der.to_vec()).map_err(|error| error.to_string())?;
                    parameters = parameters.add_root_certificate(certificate);
                }
                let parameters = parameters.build().map_err(|error| error.to_string())?;
                if *port == SUBMISSIONS { Tls::Wrapper(parameters) } else { Tls::Required(parameters) }
            }
        };
        let transport = SmtpTransport::builder_dangerous(host).port(*port).tls(tls).timeout(Some(TIMEOUT));
        Ok(match login {
            Some((user, secret)) => {
                let secret = String::from_utf8_lossy(secret.octets()).into_owned();
                transport.credentials(Credentials::new(user.clone(), secret)).build()
            }
            None => transport.build(),
        })
    }

    fn letter(&self, message: &Message<'_>) -> Result<Letter, String> {
        let (subject, body) = message.body.split_once('\n').unwrap_or((message.body, ""));
        let mut letter = Letter::builder()
            .from(self.settings.from.clone())
            .subject(subject)
            .message_id(None)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.settings.to {
            letter = letter.to(to.clone());
        }
        letter.body(body.to_owned()).map_err(|error| error.to_string())
    }

    fn failure(&self, error: &smtp::Error) -> Failure {
        let server = format!("{}:{}", self.settings.host, self.settings.port);
        let reason = format!("the mail server {server} does not take a letter: {error}");
        let code = error.status().map(u16::from);
        match code {
            // It wants somebody to log in, or somebody else (RFC 4954).
            Some(530 | 534 | 535 | 538) => {
                Failure::busy(format!("{reason}; check `user` and `secret_file`"), false)
            }
            Some(500..) => Failure::Refused(format!("{reason}; check `from` and `to`")),
            Some(_) => Failure::busy(format!("{reason}; it is tried again"), false),
            None if error.is_tls() => Failure::before(format!("{reason}; check `tls` and `ca_file`")),
            None => Failure::during(format!("{reason}; see whether it runs and is let through")),
        }
    }
}

impl Peer for Server {
    fn send(&mut self, message: &Message<'_>) -> Result<(), Failure> {
        let transport = self.transport().map_err(Failure::before)?;
        // What cannot be written as a letter never can.
        let letter = self.letter(message).map_err(Failure::Refused)?;
        transport.send(&letter).map_err(|error| self.failure(&error))?;
        self.arrived = Some(message.entry.sequence);
        Ok(())
    }

    fn certain(&mut self) -> Result<Option<u64>, Failure> {
        Ok(self.arrived.take())
    }

    fn is_prompt(&self) -> bool {
        true
    }

    fn close(&mut self) -> Option<u64> {
        self.arrived.take()
    }
}
