//! A request whose attributes stand: what the worker verifies, answers and records.

use crate::attribute::{self, Attributes, Decoder, kind};
use crate::marks::Marks;
use crate::packet::{Code, Framed, HEADER_LENGTH, Malformed, Rejected};

/// Most attributes that a request may hold; more is [`Malformed::TooManyAttributes`] (R20).
///
/// Real NASes send 15 to 60. 512 lets a packet of 4096 octets average 8 octets an attribute (a full packet of
/// addresses and counters comes to 680 at most, which nobody sends) and still cuts off the 2038 empty attributes that
/// a forger could make every later reader walk. FreeRADIUS stops at 200.
pub const MAX_ATTRIBUTES: usize = 512;

/// An Accounting-Request or Status-Server whose attributes are well-formed. Not yet verified: see
/// [`authenticator`](crate::authenticator).
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    framed: Framed<'a>,
    code: Code,
    /// Offset of the Message-Authenticator's 16 value octets; 0 = absent (never a valid offset).
    message_authenticator: u16,
    /// Octets of the Proxy-States that the answer copies, their headers included. Below MAX_LENGTH.
    proxy_states: u16,
    status_type: Option<u32>,
    marks: Marks,
}

impl<'a> Request<'a> {
    pub(crate) fn validate(framed: Framed<'a>) -> Result<Request<'a>, Rejected> {
        let code = match framed.code() {
            4 => Code::AccountingRequest,
            12 => Code::StatusServer,
            other => return Err(Rejected::UnsupportedCode(other)),
        };
        let mut survey = Survey::default();
        let octets = framed.octets();
        let mut offset = HEADER_LENGTH;
        let mut count = 0;
        while offset < octets.len() {
            let value = attribute::value_range(octets, offset)?;
            count += 1;
            if count > MAX_ATTRIBUTES {
                return Err(Malformed::TooManyAttributes.into());
            }
            survey.see(octets[offset], value.start, &octets[value.clone()])?;
            offset = value.end;
        }
        if survey.message_authenticator == 0 {
            if survey.eap_message {
                return Err(Malformed::EapMessageUnsigned.into());
            }
            if code == Code::StatusServer {
                return Err(Malformed::StatusServerUnsigned.into());
            }
        }
        Ok(Request {
            framed,
            code,
            message_authenticator: survey.message_authenticator,
            proxy_states: if code == Code::AccountingRequest { survey.proxy_states } else { 0 },
            status_type: survey.status_type,
            marks: if code == Code::AccountingRequest { survey.marks() } else { Marks::NONE },
        })
    }

    /// [`Code::AccountingRequest`] or [`Code::StatusServer`].
    pub fn code(&self) -> Code {
        self.code
    }

    /// The Identifier, which the answer copies (R10).
    pub fn identifier(&self) -> u8 {
        self.framed.identifier()
    }

    /// The Request Authenticator.
    pub fn authenticator(&self) -> &'a [u8; 16] {
        self.framed.authenticator()
    }

    /// Exactly Length octets, header included.
    pub fn octets(&self) -> &'a [u8] {
        self.framed.octets()
    }

    /// The attributes as they stand on the wire, in order.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(&self.framed.octets()[HEADER_LENGTH..])
    }

    /// The attributes with their meaning; see [`Decoder`].
    pub fn decoded(&self) -> Decoder<'a> {
        Decoder::new(self.attributes())
    }

    /// Where in [`octets`](Request::octets) the 16 value octets of the Message-Authenticator begin.
    pub fn message_authenticator_offset(&self) -> Option<usize> {
        (self.message_authenticator != 0).then_some(usize::from(self.message_authenticator))
    }

    /// Octets that the Proxy-States with a value take, their headers included: what the answer copies (R31).
    pub fn proxy_state_octets(&self) -> usize {
        usize::from(self.proxy_states)
    }

    /// The value of the first well-formed Acct-Status-Type (40), known or unknown (R41).
    pub fn status_type(&self) -> Option<u32> {
        self.status_type
    }

    /// The value of the first attribute of this type that means something: one of zero octets is passed over (R13),
    /// except Chargeable-User-Identity (89), where RFC 4372 gives the empty value a meaning. Lengths are not checked
    /// against the type (R14): [`decoded`](Request::decoded) does.
    pub fn first(&self, kind: u8) -> Option<&'a [u8]> {
        self.attributes()
            .find(|a| a.kind == kind && (!a.value.is_empty() || kind == kind::CHARGEABLE_USER_IDENTITY))
            .map(|a| a.value)
    }

    /// What is unusual about it. Always empty for Status-Server.
    pub fn marks(&self) -> Marks {
        self.marks
    }
}

/// What one pass over the attributes finds out.
#[derive(Default)]
struct Survey {
    message_authenticator: u16,
    proxy_states: u16,
    eap_message: bool,
    nas: bool,
    session_ids: u16,
    session_id_given: bool,
    status_types: u16,
    status_type: Option<u32>,
    marks: Marks,
}

impl Survey {
    fn see(&mut self, kind: u8, offset: usize, value: &[u8]) -> Result<(), Malformed> {
        match kind {
            0 => return Err(Malformed::AttributeTypeZero),
            kind::MESSAGE_AUTHENTICATOR => {
                if value.len() != 16 {
                    return Err(Malformed::MessageAuthenticatorLength);
                }
                if self.message_authenticator != 0 {
                    return Err(Malformed::MessageAuthenticatorRepeated);
                }
                // Offsets are below MAX_LENGTH, so the cast cannot cut.
                self.message_authenticator = offset as u16;
            }
            // An empty one breaks RFC 2865 section 5.33 and is not copied (R32). All attributes together are shorter
            // than MAX_LENGTH, so the sum cannot run over.
            kind::PROXY_STATE if !value.is_empty() => self.proxy_states += 2 + value.len() as u16,
            kind::EAP_MESSAGE => self.eap_message = true,
            kind::NAS_IP_ADDRESS => self.nas |= value.len() == 4,
            kind::NAS_IPV6_ADDRESS => self.nas |= value.len() == 16,
            kind::NAS_IDENTIFIER => self.nas |= !value.is_empty(),
            kind::ACCT_STATUS_TYPE => {
                self.status_types += 1;
                match <[u8; 4]>::try_from(value) {
                    Ok(octets) => self.status_type = self.status_type.or(Some(u32::from_be_bytes(octets))),
                    Err(_) => self.marks |= Marks::STATUS_TYPE_INVALID,
                }
            }
            kind::ACCT_SESSION_ID => {
                self.session_ids += 1;
                self.session_id_given |= !value.is_empty();
            }
            kind::USER_PASSWORD | kind::CHAP_PASSWORD => self.marks |= Marks::PASSWORD_PRESENT,
            kind::REPLY_MESSAGE | kind::STATE | kind::CHAP_CHALLENGE => {
                self.marks |= Marks::FORBIDDEN_ATTRIBUTE;
            }
            _ => {}
        }
        Ok(())
    }

    fn marks(&self) -> Marks {
        let mut marks = self.marks;
        let mut mark_if = |condition: bool, mark: Marks| {
            if condition {
                marks |= mark;
            }
        };
        mark_if(!self.nas, Marks::NAS_MISSING);
        mark_if(self.status_types == 0, Marks::STATUS_TYPE_MISSING);
        mark_if(self.status_types > 1, Marks::STATUS_TYPE_REPEATED);
        mark_if(!self.session_id_given, Marks::SESSION_ID_MISSING);
        mark_if(self.session_ids > 1, Marks::SESSION_ID_REPEATED);
        marks
    }
}
