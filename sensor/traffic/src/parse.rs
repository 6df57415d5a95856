//! `NAME=VALUE`, as people type attributes.

use std::{net::Ipv6Addr, str::FromStr};

use radius::{
    attribute::Id,
    dictionary::{self, Entry, Type},
};

use super::Attribute;

/// Why `NAME=VALUE` is no attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There is no `=`.
    #[error("write NAME=VALUE")]
    NoValue,
    /// The dictionary does not have it, and it is no number.
    #[error("no attribute is named {0:?}; unknown ones can be given by number: 31=…, or VENDOR/TYPE: 9/1=…")]
    UnknownName(String),
    /// The value does not fit the attribute's type.
    #[error("{name} takes {wanted}, not {value:?}")]
    BadValue {
        /// The attribute.
        name: String,
        /// What its values look like.
        wanted: &'static str,
        /// What was given.
        value: String,
    },
}

impl FromStr for Attribute {
    type Err = ParseError;

    /// NAME is a name of the dictionary, a number, or VENDOR/TYPE; VALUE is read as the dictionary says. Octets are
    /// written `0x…`; so may be any value but text. A value given for Message-Authenticator is not looked at.
    fn from_str(text: &str) -> Result<Attribute, ParseError> {
        let (name, value) = text.split_once('=').ok_or(ParseError::NoValue)?;
        let id = identify(name.trim()).ok_or_else(|| ParseError::UnknownName(name.to_owned()))?;
        let entry = dictionary::lookup(id);
        let octets = octets(entry, value).map_err(|wanted| ParseError::BadValue {
            name: name.to_owned(),
            wanted,
            value: value.to_owned(),
        })?;
        match id {
            Id::Standard(kind) => Ok(Attribute::new(kind, octets)),
            Id::Vendor { vendor, kind } => Ok(Attribute::of_vendor(vendor, kind, octets)),
            Id::Extended { kind, extended } => Ok(Attribute::new(kind, [&[extended], &octets[..]].concat())),
            _ => Err(ParseError::UnknownName(name.to_owned())),
        }
    }
}

fn identify(name: &str) -> Option<Id> {
    if let Some((id, _)) = dictionary::by_name(name) {
        return Some(id);
    }
    match name.split_once('/') {
        Some((vendor, kind)) => Some(Id::Vendor { vendor: vendor.parse().ok()?, kind: kind.parse().ok()? }),
        None => Some(Id::Standard(name.parse().ok()?)),
    }
}

/// The octets of a value, or what it should have looked like.
fn octets(entry: Option<&Entry>, value: &str) -> Result<Vec<u8>, &'static str> {
    let Some(entry) = entry else {
        // Nothing is known of it: octets if they are written as such, else text.
        return Ok(hexadecimal(value).unwrap_or_else(|| value.as_bytes().to_vec()));
    };
    if entry.kind == Type::Text {
        return Ok(value.as_bytes().to_vec());
    }
    if let Some(octets) = hexadecimal(value) {
        return Ok(octets);
    }
    let integer = |value: &str| {
        let named =
            entry.values.iter().find(|(_, name)| name.eq_ignore_ascii_case(value)).map(|(number, _)| *number);
        named.or_else(|| value.parse().ok())
    };
    match entry.kind {
        Type::Text | Type::TaggedText | Type::Octets | Type::Hidden | Type::Tlv => {
            Ok(value.as_bytes().to_vec())
        }
        Type::Integer => {
            let wanted = if entry.values.is_empty() {
                "a number up to 4294967295"
            } else {
                "a number or name of a value"
            };
            integer(value).map(|number| number.to_be_bytes().to_vec()).ok_or(wanted)
        }
        Type::TaggedInteger => {
            let (tag, value) = value.split_once(':').unwrap_or(("0", value));
            let number = integer(value).filter(|number| *number < 1 << 24);
            let tag = tag.parse::<u8>().ok().filter(|tag| *tag < 0x20);
            tag.zip(number)
                .map(|(tag, number)| Attribute::tagged_integer(entry.number, tag, number).value)
                .ok_or("a number up to 16777215 or name of a value, perhaps after TAG:")
        }
        Type::Integer64 => {
            value.parse::<u64>().map(|number| number.to_be_bytes().to_vec()).map_err(|_| "a number")
        }
        Type::Time => value
            .parse()
            .ok()
            .or_else(|| {
                value.parse::<jiff::Timestamp>().ok().and_then(|time| u32::try_from(time.as_second()).ok())
            })
            .map(|seconds: u32| seconds.to_be_bytes().to_vec())
            .ok_or("seconds since 1970, or a time like 2026-11-23T10:00:00Z"),
        Type::Ipv4 => value
            .parse::<std::net::Ipv4Addr>()
            .map(|address| address.octets().to_vec())
            .map_err(|_| "an IPv4 address"),
        Type::Ipv6 => {
            value.parse::<Ipv6Addr>().map(|address| address.octets().to_vec()).map_err(|_| "an IPv6 address")
        }
        Type::Ipv6Prefix => value
            .parse::<ipnet::Ipv6Net>()
            .map(|net| [&[0, net.prefix_len()], &net.network().octets()[..]].concat())
            .map_err(|_| "an IPv6 prefix"),
        Type::InterfaceId => Err("0x and 16 hexadecimal digits"),
    }
}

fn hexadecimal(value: &str) -> Option<Vec<u8>> {
    let digits = value.strip_prefix("0x")?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs
        .iter()
        .map(|[high, low]| {
            let digit = |digit: &u8| char::from(*digit).to_digit(16);
            Some((digit(high)? << 4 | digit(low)?) as u8)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Attribute {
        text.parse().unwrap()
    }

    #[test]
    fn values_are_read_as_the_dictionary_says() {
        for (text, expected) in [
            ("User-Name=alice", Attribute::new(1, *b"alice")),
            ("user-name=0x41=b", Attribute::new(1, *b"0x41=b")),
            ("Framed-IP-Address=192.0.2.9", Attribute::new(8, [192, 0, 2, 9])),
            (
                "NAS-IPv6-Address=2001:db8::1",
                Attribute::new(95, "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets()),
            ),
            ("Acct-Session-Time=258", Attribute::new(46, [0, 0, 1, 2])),
            ("NAS-Port-Type=virtual", Attribute::new(61, [0, 0, 0, 5])),
            ("Event-Timestamp=1970-01-01T00:01:00Z", Attribute::new(55, [0, 0, 0, 60])),
            ("Event-Timestamp=61", Attribute::new(55, [0, 0, 0, 61])),
            ("Tunnel-Type=L2TP", Attribute::new(64, [0, 0, 0, 3])),
            ("Tunnel-Type=2:79617", Attribute::new(64, [2, 1, 0x37, 1])),
            ("Tunnel-Client-Endpoint=203.0.113.7", Attribute::new(66, *b"203.0.113.7")),
            ("Tunnel-Client-Endpoint=0x0141", Attribute::new(66, [1, 0x41])),
            ("Class=0x00ff", Attribute::new(25, [0, 255])),
            ("Class=abc", Attribute::new(25, *b"abc")),
            ("Cisco-AVPair=ip:source-ip=192.0.2.1", Attribute::of_vendor(9, 1, *b"ip:source-ip=192.0.2.1")),
            ("9/1=x", Attribute::of_vendor(9, 1, *b"x")),
            ("31=x", Attribute::new(31, *b"x")),
            ("250=0x01", Attribute::new(250, [1])),
            ("4242/7=0xZZ", Attribute::of_vendor(4242, 7, *b"0xZZ")),
            ("Proxy-State=", Attribute::new(33, Vec::new())),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        let prefix = parse("Framed-IPv6-Prefix=2001:db8::/48");
        assert_eq!((prefix.value.len(), prefix.value[1]), (18, 48));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| text.parse::<Attribute>().unwrap_err().to_string();
        assert_eq!(error("User-Name"), "write NAME=VALUE");
        assert!(error("Usre-Name=x").starts_with("no attribute is named \"Usre-Name\""));
        assert_eq!(error("Framed-IP-Address=x"), "Framed-IP-Address takes an IPv4 address, not \"x\"");
        assert!(error("NAS-Port-Type=Vitrual").contains("a number or name of a value"));
        assert!(error("Acct-Session-Time=-1").contains("a number up to 4294967295"));
        assert!(error("Tunnel-Type=32:1").contains("perhaps after TAG:"));
        assert!(error("300=x").starts_with("no attribute is named"));
    }
}
