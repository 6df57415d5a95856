//! Writes requests: for the `send` command and for tests, also wrong ones. Not on the worker's way.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use crate::attribute::{kind, value_range};
use crate::authenticator::{message_digest, request_authenticator};
use crate::packet::{Code, HEADER_LENGTH, MAX_LENGTH};

/// Why a request could not be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildError {
    /// The buffer, or the 4096 octets that a packet may have, are used up.
    NoRoom,
    /// A value longer than its attribute can carry.
    ValueTooLong,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BuildError::NoRoom => "the request does not fit",
            BuildError::ValueTooLong => "an attribute value is too long",
        })
    }
}

impl core::error::Error for BuildError {}

/// Writes one request into a buffer, attribute by attribute. The first error is kept and reported by
/// [`seal`](RequestBuilder::seal), so that calls chain.
///
/// ```
/// use radius::build::RequestBuilder;
/// use radius::{Code, Framed, authenticator};
///
/// let mut buffer = [0; 4096];
/// let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 7);
/// request.integer(40, 1).text(1, "alice").text(44, "0001").text(32, "gateway");
/// let octets = request.seal(b"secret")?;
/// assert!(authenticator::verify_request(octets, b"secret"));
/// # Ok::<(), radius::build::BuildError>(())
/// ```
#[derive(Debug)]
pub struct RequestBuilder<'b> {
    buffer: &'b mut [u8],
    length: usize,
    message_authenticator: Option<usize>,
    error: Option<BuildError>,
}

impl<'b> RequestBuilder<'b> {
    /// Starts a request. `buffer` of 4096 octets is always enough; 20 is the least. Any code can be written, for tests
    /// of those that a server must refuse.
    pub fn new(buffer: &'b mut [u8], code: impl Into<u8>, identifier: u8) -> RequestBuilder<'b> {
        let error = match buffer.first_chunk_mut::<HEADER_LENGTH>() {
            Some(header) => {
                header.fill(0);
                header[0] = code.into();
                header[1] = identifier;
                None
            }
            None => Some(BuildError::NoRoom),
        };
        RequestBuilder { buffer, length: HEADER_LENGTH, message_authenticator: None, error }
    }

    /// Sets the Authenticator of a Status-Server, which is random and unpredictable (RFC 5997 section 3). For an
    /// Accounting-Request it is computed and this has no effect.
    pub fn authenticator(&mut self, authenticator: &[u8; 16]) -> &mut Self {
        if let Some(field) = self.buffer.get_mut(4..HEADER_LENGTH) {
            field.copy_from_slice(authenticator);
        }
        self
    }

    /// Appends an attribute; the value is at most 253 octets.
    pub fn attribute(&mut self, kind: u8, value: &[u8]) -> &mut Self {
        self.parts(kind, &[value])
    }

    /// Appends a text attribute.
    pub fn text(&mut self, kind: u8, value: &str) -> &mut Self {
        self.attribute(kind, value.as_bytes())
    }

    /// Appends an integer, enumeration or time.
    pub fn integer(&mut self, kind: u8, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Appends an IPv4 address.
    pub fn ipv4(&mut self, kind: u8, value: Ipv4Addr) -> &mut Self {
        self.attribute(kind, &value.octets())
    }

    /// Appends an IPv6 address.
    pub fn ipv6(&mut self, kind: u8, value: Ipv6Addr) -> &mut Self {
        self.attribute(kind, &value.octets())
    }

    /// Appends a tagged text (RFC 2868 section 3); without a tag the value begins at once, as Cisco sends it.
    pub fn tagged_text(&mut self, kind: u8, tag: Option<u8>, value: &str) -> &mut Self {
        match tag {
            Some(tag) => self.parts(kind, &[&[tag], value.as_bytes()]),
            None => self.text(kind, value),
        }
    }

    /// Appends a tagged integer: tag (0 = none), then the low 24 bits of the value (RFC 2868 section 3.1).
    pub fn tagged_integer(&mut self, kind: u8, tag: u8, value: u32) -> &mut Self {
        let [_, high, middle, low] = value.to_be_bytes();
        self.attribute(kind, &[tag, high, middle, low])
    }

    /// Appends a Vendor-Specific attribute with one sub-attribute (RFC 2865 section 5.26); at most 247 octets.
    pub fn vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> &mut Self {
        match u8::try_from(value.len() + 2) {
            Ok(length) => self.parts(kind::VENDOR_SPECIFIC, &[&vendor.to_be_bytes(), &[kind, length], value]),
            Err(_) => self.fail(BuildError::ValueTooLong),
        }
    }

    /// Appends an extended attribute of type 241 to 244 (RFC 6929 section 2.1); at most 252 octets.
    pub fn extended(&mut self, kind: u8, extended: u8, value: &[u8]) -> &mut Self {
        self.parts(kind, &[&[extended], value])
    }

    /// Appends a long extended attribute of type 245 or 246, cut into as many fragments as it takes (RFC 6929
    /// section 2.2).
    pub fn long_extended(&mut self, kind: u8, extended: u8, value: &[u8]) -> &mut Self {
        let mut fragments = value.chunks(251).peekable();
        while let Some(fragment) = fragments.next() {
            let flags = if fragments.peek().is_some() { 0x80 } else { 0 };
            self.parts(kind, &[&[extended, flags], fragment]);
        }
        self
    }

    /// Appends octets as they are, well-formed or not: for tests of what a server must refuse.
    pub fn raw(&mut self, octets: &[u8]) -> &mut Self {
        let end = self.length + octets.len();
        match self.buffer.get_mut(self.length..end) {
            Some(room) if end <= MAX_LENGTH && self.error.is_none() => {
                room.copy_from_slice(octets);
                self.length = end;
            }
            _ => {
                self.fail(BuildError::NoRoom);
            }
        }
        self
    }

    /// Appends a Message-Authenticator, computed by [`seal`](RequestBuilder::seal).
    pub fn message_authenticator(&mut self) -> &mut Self {
        let offset = self.length + 2;
        self.attribute(kind::MESSAGE_AUTHENTICATOR, &[0; 16]);
        if self.error.is_none() {
            self.message_authenticator = Some(offset);
        }
        self
    }

    /// Writes Length, Message-Authenticator and (unless a Status-Server) Authenticator; returns the whole packet.
    pub fn seal(self, secret: &[u8]) -> Result<&'b [u8], BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let octets = &mut self.buffer[..self.length];
        // At most MAX_LENGTH, so the cast cannot cut.
        octets[2..4].copy_from_slice(&(self.length as u16).to_be_bytes());
        reseal_at(octets, self.message_authenticator, secret);
        Ok(octets)
    }

    fn parts(&mut self, kind: u8, parts: &[&[u8]]) -> &mut Self {
        let value: usize = parts.iter().map(|part| part.len()).sum();
        let Ok(length) = u8::try_from(value + 2) else { return self.fail(BuildError::ValueTooLong) };
        if self.length + usize::from(length) > self.buffer.len().min(MAX_LENGTH) {
            return self.fail(BuildError::NoRoom);
        }
        self.raw(&[kind, length]);
        for part in parts {
            self.raw(part);
        }
        self
    }

    fn fail(&mut self, error: BuildError) -> &mut Self {
        self.error.get_or_insert(error);
        self
    }
}

/// Computes the Message-Authenticator (if there is one) and the Authenticator of a changed packet again. `octets` is
/// exactly one packet; its Length field is taken as it stands.
pub fn reseal(octets: &mut [u8], secret: &[u8]) {
    let mut offset = HEADER_LENGTH;
    let mut message_authenticator = None;
    while offset < octets.len() {
        let Ok(value) = value_range(octets, offset) else { break };
        if octets[offset] == kind::MESSAGE_AUTHENTICATOR && value.len() == 16 {
            message_authenticator = Some(value.start);
        }
        offset = value.end;
    }
    if octets.len() >= HEADER_LENGTH {
        reseal_at(octets, message_authenticator, secret);
    }
}

fn reseal_at(octets: &mut [u8], message_authenticator: Option<usize>, secret: &[u8]) {
    let status_server = octets[0] == u8::from(Code::StatusServer);
    if let Some(offset) = message_authenticator {
        let mut authenticator = [0; 16];
        if status_server {
            authenticator.copy_from_slice(&octets[4..HEADER_LENGTH]);
        }
        let digest = message_digest(octets, &authenticator, offset, secret);
        octets[offset..offset + 16].copy_from_slice(&digest);
    }
    if !status_server {
        let digest = request_authenticator(octets, secret);
        octets[4..HEADER_LENGTH].copy_from_slice(&digest);
    }
}
