//! The frame of a RADIUS packet: header and Length, and everything that can be wrong with one.
//! [`Framed`] is what the worker makes of a datagram before it knows whether it came from a client.

use core::fmt;

use crate::request::Request;

/// Octets of the fixed header: Code, Identifier, Length, Authenticator.
pub const HEADER_LENGTH: usize = 20;
/// Smallest value of the Length field (RFC 2866 section 3).
pub const MIN_LENGTH: usize = HEADER_LENGTH;
/// Largest value of the Length field. RFC 2866 section 3 prints 4095, RFC 2865 section 3 prints 4096: the larger one is
/// accepted, since refusing the octet gains nothing (R6).
pub const MAX_LENGTH: usize = 4096;

/// The packet codes that this crate reads or writes (RFC 2866 section 3, RFC 5997 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Code {
    /// A NAS reports that a session started, goes on or stopped.
    AccountingRequest = 4,
    /// The answer to a recorded request, and on the accounting port also to Status-Server.
    AccountingResponse = 5,
    /// "Are you there?" (RFC 5997).
    StatusServer = 12,
}

impl From<Code> for u8 {
    fn from(code: Code) -> u8 {
        code as u8
    }
}

impl Code {
    /// The name that the RFCs print.
    pub fn name(self) -> &'static str {
        match self {
            Code::AccountingRequest => "Accounting-Request",
            Code::AccountingResponse => "Accounting-Response",
            Code::StatusServer => "Status-Server",
        }
    }
}

/// Why a datagram is silently discarded as malformed: one variant for each rule, so that each can be counted and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// Fewer octets received than a header has (R3).
    Truncated,
    /// Length field below 20 (R3).
    LengthBelowMinimum,
    /// Length field above 4096 (R6).
    LengthAboveMaximum,
    /// Length field larger than what was received (R4).
    LengthBeyondDatagram,
    /// An attribute of type 0, which is reserved (R12).
    AttributeTypeZero,
    /// An attribute whose length field is 0 or 1 (R11).
    AttributeLengthTooSmall,
    /// An attribute that runs over the end of the packet (R11).
    AttributeOverrun,
    /// One octet left over behind the last attribute (R11).
    LeftOverOctet,
    /// More than [`MAX_ATTRIBUTES`](crate::MAX_ATTRIBUTES) attributes (R20).
    TooManyAttributes,
    /// A Message-Authenticator whose length is not 18 (R54).
    MessageAuthenticatorLength,
    /// More than one Message-Authenticator (R54).
    MessageAuthenticatorRepeated,
    /// An EAP-Message without a Message-Authenticator (R39, RFC 2869 section 5.19 note 1).
    EapMessageUnsigned,
    /// A Status-Server without a Message-Authenticator (R58, RFC 5997 section 3).
    StatusServerUnsigned,
}

impl Malformed {
    /// All variants, for tables of counters.
    pub const ALL: [Malformed; 13] = [
        Malformed::Truncated,
        Malformed::LengthBelowMinimum,
        Malformed::LengthAboveMaximum,
        Malformed::LengthBeyondDatagram,
        Malformed::AttributeTypeZero,
        Malformed::AttributeLengthTooSmall,
        Malformed::AttributeOverrun,
        Malformed::LeftOverOctet,
        Malformed::TooManyAttributes,
        Malformed::MessageAuthenticatorLength,
        Malformed::MessageAuthenticatorRepeated,
        Malformed::EapMessageUnsigned,
        Malformed::StatusServerUnsigned,
    ];

    /// One sentence for a log line or a diagnosis.
    pub fn reason(self) -> &'static str {
        match self {
            Malformed::Truncated => "fewer than 20 octets received",
            Malformed::LengthBelowMinimum => "Length field below 20",
            Malformed::LengthAboveMaximum => "Length field above 4096",
            Malformed::LengthBeyondDatagram => "Length field larger than the datagram",
            Malformed::AttributeTypeZero => "attribute of type 0",
            Malformed::AttributeLengthTooSmall => "attribute length below 2",
            Malformed::AttributeOverrun => "attribute runs over the end of the packet",
            Malformed::LeftOverOctet => "one octet left over behind the last attribute",
            Malformed::TooManyAttributes => "too many attributes",
            Malformed::MessageAuthenticatorLength => "Message-Authenticator is not 18 octets long",
            Malformed::MessageAuthenticatorRepeated => "more than one Message-Authenticator",
            Malformed::EapMessageUnsigned => "EAP-Message without Message-Authenticator",
            Malformed::StatusServerUnsigned => "Status-Server without Message-Authenticator",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Malformed {}

/// Why a framed packet is not a request that this port serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejected {
    /// A code other than Accounting-Request and Status-Server (R2). Never answered: no loops between servers (R35).
    UnsupportedCode(u8),
    /// The attributes do not stand.
    Malformed(Malformed),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejected::UnsupportedCode(code) => write!(f, "code {code} is not served on this port"),
            Rejected::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl core::error::Error for Rejected {}

impl From<Malformed> for Rejected {
    fn from(malformed: Malformed) -> Rejected {
        Rejected::Malformed(malformed)
    }
}

/// A packet with a sound header and Length; code and attributes are not looked at yet.
#[derive(Debug, Clone, Copy)]
pub struct Framed<'a> {
    octets: &'a [u8],
    authenticator: &'a [u8; 16],
}

impl<'a> Framed<'a> {
    /// Cuts the packet out of one datagram (R1, R3 to R7).
    ///
    /// Octets behind Length are padding and no part of the result, whatever they hold and however many they are: a
    /// datagram above 4096 octets is accepted as long as its Length field is not (R7).
    #[inline]
    pub fn parse(datagram: &'a [u8]) -> Result<Framed<'a>, Malformed> {
        let Some((&[_, _, high, low, ref authenticator @ ..], _)) =
            datagram.split_first_chunk::<HEADER_LENGTH>()
        else {
            return Err(Malformed::Truncated);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < MIN_LENGTH {
            return Err(Malformed::LengthBelowMinimum);
        }
        if length > MAX_LENGTH {
            return Err(Malformed::LengthAboveMaximum);
        }
        let octets = datagram.get(..length).ok_or(Malformed::LengthBeyondDatagram)?;
        Ok(Framed { octets, authenticator })
    }

    /// The Code field, any value.
    #[inline]
    pub fn code(&self) -> u8 {
        self.octets[0]
    }

    /// The Identifier field, any value (R10).
    #[inline]
    pub fn identifier(&self) -> u8 {
        self.octets[1]
    }

    /// The Authenticator field.
    #[inline]
    pub fn authenticator(&self) -> &'a [u8; 16] {
        self.authenticator
    }

    /// Exactly Length octets, header included.
    #[inline]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Checks code, then attributes (the order of R26), in one pass over the octets.
    #[inline]
    pub fn request(self) -> Result<Request<'a>, Rejected> {
        Request::validate(self)
    }
}
