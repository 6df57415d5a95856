//! POST requests, one for each message, signed so that the receiver knows who sent them and when.
//!
//! The signature is HMAC-SHA-256 (RFC 2104) over the timestamp, a dot and the body, in hexadecimal. A receiver computes the
//! same, compares, and refuses timestamps that are far from its clock, so that nobody can send an old request again.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{Failure, Message, Peer, Secret, Trust, tls};
use crate::export::format::{Format, PERHAPS_TWICE};

/// Seconds since 1970 UTC at which the request was made.
pub const TIMESTAMP_HEADER: &str = "X-Vpn-Sensor-Timestamp";
/// `sha256=` and the signature.
pub const SIGNATURE_HEADER: &str = "X-Vpn-Sensor-Signature";
/// The message's name, the same when it is sent again.
pub const ID_HEADER: &str = "X-Vpn-Sensor-Id";
/// `perhaps-twice`, if it may have arrived before.
pub const DELIVERY_HEADER: &str = "X-Vpn-Sensor-Delivery";

/// For one request with its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that rested for longer is not used again: what is between may have forgotten it, and swallow what is sent.
const REUSE_MAX: Duration = Duration::from_secs(2);
/// So long a message waits that is turned away with an answer that may not be about it.
const PATIENCE: Duration = Duration::from_secs(3600);
/// And so often; half as often as it is tried in that time.
const TURNED_AWAY_MIN: u32 = 60;

/// The value of the signature's header.
pub fn signature(secret: &[u8], timestamp: u64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut code) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    code.update(format!("{timestamp}.").as_bytes());
    code.update(body.as_bytes());
    let code = code.finalize().into_bytes();
    let hexadecimal: String = code.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("sha256={hexadecimal}")
}

pub(super) struct Hook {
    url: String,
    trust: Trust,
    secret: Option<Secret>,
    /// In front of the number in a message's name.
    name: String,
    agent: Option<Agent>,
    arrived: Option<u64>,
    /// The message that is turned away, since when and how often.
    turned_away: Option<(u64, Instant, u32)>,
}

impl Hook {
    pub(super) fn new(url: String, trust: Trust, secret: Option<Secret>, name: String) -> Hook {
        Hook { url, trust, secret, name, agent: None, arrived: None, turned_away: None }
    }

    fn agent(&mut self) -> Result<&Agent, String> {
        let agent = match self.agent.take() {
            Some(agent) => agent,
            None => self.connect()?,
        };
        Ok(self.agent.insert(agent))
    }

    fn connect(&self) -> Result<Agent, String> {
        let mut config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_idle_age(REUSE_MAX)
            .http_status_as_error(false)
            // Elsewhere is not where the administrator meant messages to go.
            .max_redirects(0)
            .user_agent(concat!("vpn-sensor/", env!("CARGO_PKG_VERSION")));
        if self.url.starts_with("https:") {
            let certificates = self.trust.certificates()?;
            let roots = certificates.iter().map(|der| Certificate::from_der(der).to_owned());
            let roots = RootCerts::from(roots.collect::<Vec<_>>());
            let tls =
                TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(tls::provider());
            config = config.tls_config(tls.build());
        }
        Ok(config.build().new_agent())
    }

    fn post(&mut self, message: &Message<'_>) -> Result<u16, Failure> {
        let (url, entry) = (self.url.clone(), message.entry);
        let id = format!("{}/{}", self.name, entry.sequence);
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signature =
            self.secret.as_ref().map(|secret| signature(secret.octets(), timestamp, message.body));
        let mut request = self
            .agent()
            .map_err(Failure::before)?
            .post(&url)
            .header("Content-Type", content_type(entry.format))
            .header(ID_HEADER, id)
            .header(TIMESTAMP_HEADER, timestamp.to_string());
        if let Some(signature) = signature {
            request = request.header(SIGNATURE_HEADER, signature);
        }
        if message.may_be_twice {
            request = request.header(DELIVERY_HEADER, PERHAPS_TWICE);
        }
        let response = request.send(message.body).map_err(|error| self.failure(&error))?;
        Ok(response.status().as_u16())
    }

    fn failure(&mut self, error: &ureq::Error) -> Failure {
        // The next attempt reads the certificates anew.
        self.agent = None;
        let reason =
            format!("{} cannot be reached: {error}; see whether it runs and is let through", self.url);
        match error {
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::BadUri(_) => {
                Failure::before(reason)
            }
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                Failure::before(reason)
            }
            _ => Failure::during(reason),
        }
    }
}

impl Hook {
    /// Whether a message that is turned away is tried again.
    fn has_patience(&mut self, sequence: u64, now: Instant) -> bool {
        let (_, since, times) = match &mut self.turned_away {
            Some(turned_away) if turned_away.0 == sequence => turned_away,
            turned_away => turned_away.insert((sequence, now, 0)),
        };
        *times += 1;
        // Twice in an hour, with nobody there in between, is no answer.
        now.duration_since(*since) < PATIENCE || *times < TURNED_AWAY_MIN
    }
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Ocsf | Format::Json => "application/json",
        Format::Cef | Format::Text => "text/plain; charset=utf-8",
    }
}

impl Peer for Hook {
    fn send(&mut self, message: &Message<'_>) -> Result<(), Failure> {
        let status = self.post(message)?;
        let url = self.url.clone();
        let answered = |what: &str| format!("{url} answered {status}: {what}");
        match status {
            200..=299 => {
                self.arrived = Some(message.entry.sequence);
                Ok(())
            }
            408 | 429 => Err(Failure::busy(answered("it is busy; messages are sent later"), false)),
            // About this message, and of no other.
            400 | 406 | 409 | 413 | 415 | 422 | 424 | 451 => {
                Err(Failure::Refused(answered("check what the receiver expects, and the sink's `format`")))
            }
            // About who asks and where, most likely: the next message would fare no better, and this one can still be
            // taken. But what stands in front of a receiver may look into bodies.
            401..=499 if self.has_patience(message.entry.sequence, Instant::now()) => Err(Failure::busy(
                answered("mend the address, the secret or the receiver; each message waits for an hour"),
                false,
            )),
            401..=499 => Err(Failure::Refused(answered("it did so for an hour; the next one is tried"))),
            300..=399 => Err(Failure::busy(answered("set `url` to where it has moved"), false)),
            _ => Err(Failure::busy(answered("see the receiver's log"), true)),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_turned_away_for_an_hour_lets_the_next_one_through() {
        let mut hook = Hook::new(String::new(), Trust::default(), None, String::new());
        let began = Instant::now();
        let mut tried = |sequence: u64, minutes: std::ops::RangeInclusive<u64>| {
            let at = minutes.map(|minute| began + Duration::from_secs(60 * minute));
            at.map(|now| hook.has_patience(sequence, now)).collect::<Vec<_>>()
        };
        assert_eq!(tried(7, 0..=59), [true; 60]);
        assert_eq!(tried(7, 60..=60), [false]);
        assert_eq!(tried(8, 60..=119), [true; 60]);
        // Twice, long apart: it was away in between.
        assert_eq!((tried(9, 119..=119), tried(9, 300..=300)), (vec![true], vec![true]));
        assert_eq!(tried(9, 301..=357), [true; 57]);
        assert_eq!(tried(9, 358..=358), [false]);
        assert_eq!(tried(8, 359..=359), [true]);
    }
}
