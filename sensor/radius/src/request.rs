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
    #[inline]
    pub(crate) fn validate(framed: Framed<'a>) -> Result<Request<'a>, Rejected> {
        let code = match framed.code() {
            4 => Code::AccountingRequest,
            12 => Code::StatusServer,
            other => return Err(Rejected::UnsupportedCode(other)),
        };
        let survey = match Sketch::of(framed.octets())?.survey(framed.octets()) {
            Some(survey) => survey,
            None => Survey::of(framed.octets())?,
        };
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
    #[inline]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The Identifier, which the answer copies (R10).
    #[inline]
    pub fn identifier(&self) -> u8 {
        self.framed.identifier()
    }

    /// The Request Authenticator.
    #[inline]
    pub fn authenticator(&self) -> &'a [u8; 16] {
        self.framed.authenticator()
    }

    /// Exactly Length octets, header included.
    #[inline]
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
    #[inline]
    pub fn message_authenticator_offset(&self) -> Option<usize> {
        (self.message_authenticator != 0).then_some(usize::from(self.message_authenticator))
    }

    /// Octets that the Proxy-States with a value take, their headers included: what the answer copies (R31).
    #[inline]
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
    #[inline]
    pub fn marks(&self) -> Marks {
        self.marks
    }
}

/// What an attribute's type says about how much there is to see in it. The usual request has at most one attribute of
/// each class but [`Class::PLAIN`] and none of [`Class::RARE`].
struct Class;

impl Class {
    /// Nothing to see.
    const PLAIN: u8 = 0;
    const NAS_IP_ADDRESS: u8 = 1;
    const NAS_IDENTIFIER: u8 = 2;
    const ACCT_STATUS_TYPE: u8 = 3;
    const ACCT_SESSION_ID: u8 = 4;
    /// To be looked at by [`Survey`].
    const RARE: u8 = 5;
    const COUNT: usize = 8;

    const OF_TYPE: [u8; 256] = {
        let mut classes = [Class::PLAIN; 256];
        classes[kind::NAS_IP_ADDRESS as usize] = Class::NAS_IP_ADDRESS;
        classes[kind::NAS_IDENTIFIER as usize] = Class::NAS_IDENTIFIER;
        classes[kind::ACCT_STATUS_TYPE as usize] = Class::ACCT_STATUS_TYPE;
        classes[kind::ACCT_SESSION_ID as usize] = Class::ACCT_SESSION_ID;
        let rare = [
            0,
            kind::MESSAGE_AUTHENTICATOR,
            kind::PROXY_STATE,
            kind::EAP_MESSAGE,
            kind::NAS_IPV6_ADDRESS,
            kind::USER_PASSWORD,
            kind::CHAP_PASSWORD,
            kind::REPLY_MESSAGE,
            kind::STATE,
            kind::CHAP_CHALLENGE,
        ];
        let mut index = 0;
        while index < rare.len() {
            classes[rare[index] as usize] = Class::RARE;
            index += 1;
        }
        classes
    };
}

/// The lengths of all attributes, checked, and where the attributes of each class begin. One pass without a branch on
/// their types, which no predictor guesses: of a walk with a jump a type, 40 % of the time was spent at the jump.
struct Sketch {
    /// A bit for each class seen, and for each seen more than once.
    seen: u32,
    repeated: u32,
    /// How many octets before the end the last attribute of each class begins.
    left: [u16; Class::COUNT],
}

// Inlined, so that the offsets stay where they were written: read by the eight of a copy, they would wait for the stores.
impl Sketch {
    #[inline(always)]
    fn of(octets: &[u8]) -> Result<Sketch, Malformed> {
        let mut sketch = Sketch { seen: 0, repeated: 0, left: [0; Class::COUNT] };
        let mut rest = &octets[HEADER_LENGTH..];
        let mut count = 0u32;
        while let [kind, length, ..] = *rest {
            let Some(behind) = rest.get(usize::from(length)..).filter(|_| length >= 2) else { break };
            let class = Class::OF_TYPE[usize::from(kind)] & 7;
            let bit = 1 << class;
            sketch.repeated |= sketch.seen & bit;
            sketch.seen |= bit;
            // At most MAX_LENGTH, so the cast cannot cut.
            sketch.left[usize::from(class)] = rest.len() as u16;
            // A request of MAX_LENGTH octets has no room for as many as would run over.
            count = count.wrapping_add(1);
            rest = behind;
        }
        // One that is too short, one that runs over the end, an octet left over: each leaves something behind.
        if !rest.is_empty() || count > MAX_ATTRIBUTES as u32 {
            return Err(first_fault(octets));
        }
        Ok(sketch)
    }

    /// What there is to see, if that is the usual.
    #[inline(always)]
    fn survey(&self, octets: &[u8]) -> Option<Survey> {
        if self.repeated & !(1 << Class::PLAIN) != 0 || self.seen & (1 << Class::RARE) != 0 {
            return None;
        }
        let value = |class: u8| {
            let seen = self.seen & (1 << class) != 0;
            let offset = octets.len().checked_sub(usize::from(self.left[usize::from(class)]))?;
            let length = usize::from(*octets.get(offset + 1)?);
            octets.get(offset + 2..offset + length).filter(|_| seen)
        };
        let mut survey = Survey {
            nas: value(Class::NAS_IP_ADDRESS).is_some_and(|value| value.len() == 4)
                || value(Class::NAS_IDENTIFIER).is_some_and(|value| !value.is_empty()),
            ..Survey::default()
        };
        if let Some(value) = value(Class::ACCT_STATUS_TYPE) {
            survey.see_status_type(value);
        }
        if let Some(value) = value(Class::ACCT_SESSION_ID) {
            survey.see_session_id(value);
        }
        Some(survey)
    }
}

/// The fault that the walk in the order of the octets meets first. Only for octets that have one.
#[cold]
fn first_fault(octets: &[u8]) -> Malformed {
    Survey::of(octets).err().unwrap_or(Malformed::AttributeOverrun)
}

/// What one pass over the attributes finds out.
#[derive(Debug, Default, PartialEq, Eq)]
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
    fn of(octets: &[u8]) -> Result<Survey, Malformed> {
        let mut survey = Survey::default();
        let mut offset = HEADER_LENGTH;
        let mut count = 0;
        while offset < octets.len() {
            let value = attribute::value_range(octets, offset)?;
            count += 1;
            if count > MAX_ATTRIBUTES {
                return Err(Malformed::TooManyAttributes);
            }
            survey.see(octets[offset], value.start, &octets[value.clone()])?;
            offset = value.end;
        }
        Ok(survey)
    }

    fn see_status_type(&mut self, value: &[u8]) {
        self.status_types += 1;
        match <[u8; 4]>::try_from(value) {
            Ok(octets) => self.status_type = self.status_type.or(Some(u32::from_be_bytes(octets))),
            Err(_) => self.marks |= Marks::STATUS_TYPE_INVALID,
        }
    }

    fn see_session_id(&mut self, value: &[u8]) {
        self.session_ids += 1;
        self.session_id_given |= !value.is_empty();
    }

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
            kind::ACCT_STATUS_TYPE => self.see_status_type(value),
            kind::ACCT_SESSION_ID => self.see_session_id(value),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The walk without branches must see what the plain one sees, in every request and in every broken one.
    fn agree(attributes: &[u8]) -> Result<(), TestCaseError> {
        let mut octets = vec![4, 1, 0, 0];
        octets.extend([0; 16]);
        octets.extend(attributes);
        let plain = Survey::of(&octets);
        match Sketch::of(&octets) {
            Ok(sketch) => {
                // What only the plain walk looks into it finds out itself.
                if let Some(survey) = sketch.survey(&octets) {
                    prop_assert_eq!(Ok(survey), plain);
                }
            }
            Err(fault) => prop_assert_eq!(plain, Err(fault)),
        }
        Ok(())
    }

    #[test]
    fn the_usual_request_is_surveyed_by_its_sketch() {
        let octets =
            [&[4, 1, 0, 0][..], &[0; 16], &[40, 6, 0, 0, 0, 1, 44, 3, b'1', 4, 6, 1, 2, 3, 4, 1, 3, b'u']];
        let octets = octets.concat();
        let survey = Sketch::of(&octets).unwrap().survey(&octets).unwrap();
        assert_eq!(survey, Survey::of(&octets).unwrap());
        assert!(survey.nas && survey.session_id_given && survey.status_type == Some(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 4 } else { 300 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn both_walks_agree_on_attributes(
            list in prop::collection::vec(
                (prop_oneof![any::<u8>(), prop::sample::select(vec![4u8, 32, 40, 44, 80, 33, 79, 2, 95])],
                    prop_oneof![Just(4usize), Just(16), 0usize..20]),
                0..if cfg!(miri) { 6 } else { 30 },
            ),
        ) {
            let octets: Vec<u8> = list
                .iter()
                .flat_map(|&(kind, length)| [vec![kind, length as u8 + 2], vec![7; length]].concat())
                .collect();
            agree(&octets)?;
        }

        #[test]
        fn both_walks_agree_on_anything(octets in prop::collection::vec(any::<u8>(), 0..if cfg!(miri) { 20 } else { 200 })) {
            agree(&octets)?;
        }

        #[test]
        fn both_walks_agree_on_many(shortest in 0..=2u8, count in 500usize..600) {
            agree(&vec![2 + shortest; count * usize::from(2 + shortest)])?;
        }
    }
}
