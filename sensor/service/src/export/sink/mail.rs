//! Letters over SMTP: each message one. How many a day is not decided here.
//!
//! A letter goes to all recipients at once. A server that refuses one of them takes it for none of them, so that behind a
//! refusal each is asked by itself: a mailbox that is gone or full costs nobody else a letter. Who has the letter that is
//! under way is remembered until all have it or never will, so that it is tried again for those alone who have not.

use std::time::Duration;

use lettre::{
    Message as Letter, SmtpTransport, Transport as _,
    address::Envelope,
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

/// The server ends the connection, whoever the letter is for (RFC 5321).
const CLOSING: u16 = 421;

pub(super) struct Server {
    settings: Settings,
    arrived: Option<u64>,
    under_way: Option<UnderWay>,
    /// Who refused the last letter that others took, and why.
    refusals: Option<Vec<String>>,
}

/// A letter that not all recipients have.
struct UnderWay {
    sequence: u64,
    /// In the order of the settings.
    recipients: Vec<Recipient>,
}

/// What became of a letter at one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Recipient {
    /// It is to be sent, perhaps once more.
    Waits {
        may_have_it: bool,
    },
    Has,
    /// It is refused for good.
    Refuses(String),
}

impl UnderWay {
    fn waiting(&self, may_have_it: bool) -> Vec<usize> {
        let waits = Recipient::Waits { may_have_it };
        (0..self.recipients.len()).filter(|&at| self.recipients[at] == waits).collect()
    }

    fn set(&mut self, recipients: &[usize], to: &Recipient) {
        recipients.iter().for_each(|&at| self.recipients[at] = to.clone());
    }

    fn has_anybody(&self) -> bool {
        self.recipients.contains(&Recipient::Has)
    }
}

impl Server {
    pub(super) fn new(settings: Settings) -> Server {
        Server { settings, arrived: None, under_way: None, refusals: None }
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

    fn letter(&self, body: &str) -> Result<Vec<u8>, String> {
        let (subject, body) = body.split_once('\n').unwrap_or((body, ""));
        let mut letter = Letter::builder()
            .from(self.settings.from.clone())
            .subject(subject)
            .message_id(None)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.settings.to {
            letter = letter.to(to.clone());
        }
        let letter = letter.body(body.to_owned()).map_err(|error| error.to_string())?;
        Ok(letter.formatted())
    }

    /// Sends to whoever has not got it yet. What keeps some of them from having it for now, if anything does; an error
    /// where no other recipient would fare better.
    fn deliver(&self, message: &Message<'_>, way: &mut UnderWay) -> Result<Option<String>, Failure> {
        let transport = self.transport().map_err(Failure::before)?;
        let mut held_up = None;
        for may_have_it in [false, true] {
            let waiting = way.waiting(may_have_it);
            if waiting.is_empty() {
                continue;
            }
            let body = if may_have_it { message.body } else { &message.entry.body };
            // What cannot be written as a letter never can.
            let letter = self.letter(body).map_err(Failure::Refused)?;
            held_up = self.deliver_to(&waiting, &transport, &letter, way)?.or(held_up);
        }
        Ok(held_up)
    }

    fn deliver_to(
        &self,
        recipients: &[usize],
        transport: &SmtpTransport,
        letter: &[u8],
        way: &mut UnderWay,
    ) -> Result<Option<String>, Failure> {
        let to = recipients.iter().map(|&at| self.settings.to[at].email.clone()).collect();
        let envelope = Envelope::new(Some(self.settings.from.email.clone()), to);
        let envelope = envelope.map_err(|error| Failure::Refused(error.to_string()))?;
        let Err(error) = transport.send_raw(&envelope, letter) else {
            way.set(recipients, &Recipient::Has);
            return Ok(None);
        };
        let code = error.status().map(u16::from);
        if code.is_none() && !error.is_client() || matches!(code, Some(530 | 534 | 535 | 538 | CLOSING)) {
            let failure = self.failure(&error);
            if matches!(failure, Failure::Unreachable { may_have_arrived: true, .. }) {
                way.set(recipients, &Recipient::Waits { may_have_it: true });
            }
            return Err(failure);
        }
        if recipients.len() > 1 {
            let mut held_up = None;
            for &recipient in recipients {
                held_up = self.deliver_to(&[recipient], transport, letter, way)?.or(held_up);
            }
            return Ok(held_up);
        }
        if matches!(code, Some(500..)) {
            way.set(recipients, &Recipient::Refuses(error.to_string()));
            return Ok(None);
        }
        Ok(Some(format!("{}: {error}", self.names(recipients))))
    }

    fn names(&self, recipients: &[usize]) -> String {
        let names: Vec<&str> = recipients.iter().map(|&at| self.settings.to[at].email.as_ref()).collect();
        names.join(", ")
    }

    /// Why the server takes nothing for anybody.
    fn failure(&self, error: &smtp::Error) -> Failure {
        let reason = format!("{}: {error}", self.takes_none());
        match error.status() {
            Some(code) if u16::from(code) == CLOSING => {
                Failure::busy(format!("{reason}; it is tried again"), false)
            }
            // It wants somebody to log in, or somebody else (RFC 4954).
            Some(_) => Failure::busy(format!("{reason}; check `user` and `secret_file`"), false),
            None if error.is_tls() => Failure::before(format!("{reason}; check `tls` and `ca_file`")),
            None => Failure::during(format!("{reason}; see whether it runs and is let through")),
        }
    }

    fn takes_none(&self) -> String {
        format!("the mail server {}:{} does not take a letter", self.settings.host, self.settings.port)
    }

    /// What came of it for the message as a whole.
    fn settle(
        &mut self,
        message: &Message<'_>,
        way: UnderWay,
        delivered: Result<Option<String>, Failure>,
    ) -> Result<(), Failure> {
        let held_up = match delivered {
            Ok(held_up) => held_up.map(|who| {
                Failure::busy(format!("{} to {who}; it is tried again", self.takes_none()), false)
            }),
            Err(refused @ Failure::Refused(_)) => return Err(refused),
            Err(failure) => Some(failure),
        };
        if let Some(mut failure) = held_up {
            // Behind a kill nobody knows who has it.
            if let Failure::Unreachable { may_have_arrived, .. } = &mut failure {
                *may_have_arrived |= way.has_anybody();
            }
            self.under_way = Some(way);
            return Err(failure);
        }
        let refusal = |(at, recipient): (usize, &Recipient)| match recipient {
            Recipient::Refuses(reason) => Some(format!("{} ({reason})", self.names(&[at]))),
            _ => None,
        };
        let refusals: Vec<String> = way.recipients.iter().enumerate().filter_map(refusal).collect();
        if !way.has_anybody() {
            let who = refusals.join(", ");
            return Err(Failure::Refused(format!("{} to {who}; check `from` and `to`", self.takes_none())));
        }
        self.refusals = Some(refusals);
        self.arrived = Some(message.entry.sequence);
        Ok(())
    }
}

impl Peer for Server {
    fn send(&mut self, message: &Message<'_>) -> Result<(), Failure> {
        let sequence = message.entry.sequence;
        let waits = Recipient::Waits { may_have_it: message.may_be_twice };
        let known = self.under_way.take().filter(|way| way.sequence == sequence);
        let mut way =
            known.unwrap_or_else(|| UnderWay { sequence, recipients: vec![waits; self.settings.to.len()] });
        let delivered = self.deliver(message, &mut way);
        self.settle(message, way, delivered)
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

    fn refusals(&self) -> Option<&[String]> {
        self.refusals.as_deref()
    }
}
