//! Values for people and for JSON: written straight into a formatter, nothing allocated.

use core::fmt::{self, Write};

use super::Type;
use crate::attribute::{Decoded, Joined};
use crate::packet::MAX_LENGTH;

/// A value as people read it: text with everything unprintable escaped, addresses, enumerated names or numbers, other
/// octets as hexadecimal digits. Passwords and keys come out as `(hidden)` (R38), a value that does not fit its type as
/// hexadecimal digits (R14).
#[derive(Debug, Clone, Copy)]
pub struct Rendered<'a>(pub(crate) Decoded<'a>);

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attribute = &self.0;
        let kind = attribute.entry().map_or(Type::Octets, |entry| entry.kind);
        if kind == Type::Hidden {
            return f.write_str("(hidden)");
        }
        let Some(value) = attribute.value() else { return hex(f, attribute.raw()) };
        match kind {
            Type::Text | Type::TaggedText => text(f, value),
            Type::Integer | Type::Integer64 | Type::Time | Type::TaggedInteger => {
                let Some(number) = attribute.integer() else { return hex(f, value) };
                let name = u32::try_from(number)
                    .ok()
                    .and_then(|number| attribute.entry().and_then(|entry| entry.value_name(number)));
                match name {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{number}"),
                }
            }
            Type::Ipv4 | Type::Ipv6 => match attribute.address() {
                Some(address) => write!(f, "{address}"),
                None => hex(f, value),
            },
            Type::Ipv6Prefix => match attribute.prefix() {
                Some((address, length)) => write!(f, "{address}/{length}"),
                None => hex(f, value),
            },
            Type::InterfaceId => {
                let Some(octets) = value.as_slice() else { return hex(f, value) };
                for (n, pair) in octets.chunks(2).enumerate() {
                    if n > 0 {
                        f.write_char(':')?;
                    }
                    for octet in pair {
                        write!(f, "{octet:02x}")?;
                    }
                }
                Ok(())
            }
            Type::Octets | Type::Hidden | Type::Tlv => hex(f, value),
        }
    }
}

/// Any octets as text: valid UTF-8 as it is, except control characters and those that turn the direction of writing,
/// as `\x00` or `\u{202e}`; octets that are no UTF-8 as `\xff` (R17, R18). A backslash stays one, so that
/// `CONTOSO\alice` reads as sent: for people, not for reading back.
pub fn escaped(octets: &[u8]) -> impl fmt::Display {
    Escaped(octets)
}

struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    c if c.is_ascii_control() => write!(f, "\\x{:02x}", c as u32)?,
                    c if c.is_control() || turns_direction(c) => write!(f, "{}", c.escape_unicode())?,
                    c => f.write_char(c)?,
                }
            }
            for octet in chunk.invalid() {
                write!(f, "\\x{octet:02x}")?;
            }
        }
        Ok(())
    }
}

/// Characters that reorder or break what stands around them on a screen.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn text(f: &mut fmt::Formatter<'_>, value: Joined<'_>) -> fmt::Result {
    if let Some(octets) = value.as_slice() {
        return fmt::Display::fmt(&Escaped(octets), f);
    }
    // A character may be cut by a fragment's end.
    let mut whole = [0; MAX_LENGTH];
    match value.copy_to(&mut whole) {
        Ok(octets) => fmt::Display::fmt(&Escaped(octets), f),
        Err(_) => hex(f, value),
    }
}

fn hex(f: &mut fmt::Formatter<'_>, value: Joined<'_>) -> fmt::Result {
    for octet in value.fragments().flatten() {
        write!(f, "{octet:02x}")?;
    }
    Ok(())
}
