//! Members of a line as other products write them: a number where a text is meant, a whole number with a point, anything at
//! all under a name that only means something to us. Called by `line` only.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A text, or a number in its place. Anything else is an error.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

/// A text or a number. Anything else is nothing.
#[derive(Debug, Default)]
pub(super) struct Perhaps<'a>(pub(super) Option<Cow<'a, str>>);

/// A whole number, with a point or as a text too. Anything else is an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole(pub(super) u64);

/// A whole number. Anything else is nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PerhapsWhole(pub(super) Option<u64>);

/// One text, or the first two of a list. Anything else is an error.
#[derive(Debug)]
pub(super) struct UpToTwo<'a>(pub(super) [Option<Cow<'a, str>>; 2]);

/// `address` of an object. Anything else is nothing.
#[derive(Debug, Default)]
pub(super) struct AddressOf<'a>(pub(super) Option<Cow<'a, str>>);

/// A float that is a whole number and not below zero: `1e6`.
fn whole(value: f64) -> Option<u64> {
    // Above 2^53 not every whole number is one of these; none is taken for another one on the way.
    (value.fract() == 0.0 && (0.0..18_446_744_073_709_551_616.0).contains(&value)).then_some(value as u64)
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Perhaps<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Perhaps<'a>, D::Error> {
        Ok(Perhaps(match deserializer.deserialize_any(Anything)? {
            Member::Text(text) => Some(text),
            Member::Number(number) => Some(Cow::Owned(number.to_string())),
            Member::Object(_) | Member::Other => None,
        }))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
        let number = match deserializer.deserialize_any(Anything)? {
            Member::Number(number) => number.as_whole(),
            Member::Text(text) => text.parse().ok(),
            Member::Object(_) | Member::Other => None,
        };
        number.map(Whole).ok_or_else(|| D::Error::custom("octets are a whole number, 0 or more"))
    }
}

impl<'de> Deserialize<'de> for PerhapsWhole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PerhapsWhole, D::Error> {
        Ok(PerhapsWhole(match deserializer.deserialize_any(Anything)? {
            Member::Number(number) => number.as_whole(),
            Member::Text(_) | Member::Object(_) | Member::Other => None,
        }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AddressOf<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AddressOf<'a>, D::Error> {
        Ok(AddressOf(match deserializer.deserialize_any(Anything)? {
            Member::Object(address) => address,
            Member::Text(_) | Member::Number(_) | Member::Other => None,
        }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for UpToTwo<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UpToTwo<'a>, D::Error> {
        struct Addresses;
        impl<'de> Visitor<'de> for Addresses {
            type Value = UpToTwo<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address or a list of them")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<UpToTwo<'de>, E> {
                Ok(UpToTwo([Some(Cow::Borrowed(text)), None]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<UpToTwo<'de>, E> {
                Ok(UpToTwo([Some(Cow::Owned(text.to_owned())), None]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<UpToTwo<'de>, A::Error> {
                let mut each = || Ok(list.next_element::<Option<Text<'de>>>()?.flatten().map(|text| text.0));
                let two = [each()?, each()?];
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(UpToTwo(two))
            }
        }
        deserializer.deserialize_any(Addresses)
    }
}

/// Whatever stands there.
enum Member<'a> {
    Text(Cow<'a, str>),
    Number(Number),
    /// Its `address`, if that is a text.
    Object(Option<Cow<'a, str>>),
    Other,
}

#[derive(Clone, Copy)]
enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

impl Number {
    fn as_whole(self) -> Option<u64> {
        match self {
            Number::Unsigned(number) => Some(number),
            Number::Signed(number) => u64::try_from(number).ok(),
            Number::Float(number) => whole(number),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Unsigned(number) => number.fmt(f),
            Number::Signed(number) => number.fmt(f),
            Number::Float(number) => number.fmt(f),
        }
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Member<'de>, E> {
        Ok(Member::Number(Number::Unsigned(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Member<'de>, E> {
        Ok(Member::Number(Number::Signed(number)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Member<'de>, E> {
        Ok(Member::Number(Number::Float(number)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Member<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Member<'de>, A::Error> {
        let mut address = None;
        while let Some(Text(name)) = members.next_key()? {
            if name == "address" {
                address = members.next_value::<Perhaps<'de>>()?.0;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Member::Object(address))
    }
}
