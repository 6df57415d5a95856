//! Where a value stands: an attribute, perhaps one `key=value` pair inside it. Vendor tables are made of sources, and so
//! is what a client's configuration says instead ([`Mapping`]).

use std::{borrow::Cow, fmt, str::FromStr};

use radius::{attribute::Id, dictionary};

/// Most sources of one field.
pub const SOURCES_MAX: usize = 8;

/// A part of an event that vendors put into different attributes. Everything else (session id, counters, times) stands
/// in the same standard attribute everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The user's name.
    User,
    /// The realm of a name that carries none.
    Domain,
    /// The client's address outside the tunnel.
    Remote,
    /// Addresses inside the tunnel.
    Assigned,
    /// The device: a name or a stable identifier.
    Device,
    /// What kind of device.
    DeviceModel,
    /// The client software.
    Software,
    /// The client's operating system.
    OperatingSystem,
    /// Its version.
    OperatingSystemVersion,
    /// Tunnel group, connection profile or user group.
    Group,
    /// What ties records of one login together.
    Correlation,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 11] = [
        Field::User,
        Field::Domain,
        Field::Remote,
        Field::Assigned,
        Field::Device,
        Field::DeviceModel,
        Field::Software,
        Field::OperatingSystem,
        Field::OperatingSystemVersion,
        Field::Group,
        Field::Correlation,
    ];

    /// Its name in configuration and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Field::User => "user",
            Field::Domain => "domain",
            Field::Remote => "remote",
            Field::Assigned => "assigned",
            Field::Device => "device",
            Field::DeviceModel => "device_model",
            Field::Software => "software",
            Field::OperatingSystem => "operating_system",
            Field::OperatingSystemVersion => "operating_system_version",
            Field::Group => "group",
            Field::Correlation => "correlation",
        }
    }
}

/// How a value is taken out of its attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The value as it is.
    Whole,
    /// The attribute holds `key=value`, this is the key; others of the same type hold other keys.
    Pair(Cow<'static, str>),
    /// MS-RAS-Client-Name: the computer behind `MSRAS-0-`, `MSRAS-1-` or `MS-RAS-0-` (MS-RNAP 2.2.1.11 and its prose).
    RasClientName,
    /// The value with this before it: a version that does not say of what.
    Prefixed(&'static str),
}

/// One place where a value may stand. Written `Calling-Station-Id`, `31`, `26.25461.7` or, with a key,
/// `Cisco-AVPair:mdm-tlv=device-uid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The attribute.
    pub attribute: Id,
    /// What of it.
    pub form: Form,
}

impl Source {
    /// The octets of `value` that this source means; `None` if it is another pair, or a name with nothing in it.
    #[inline]
    pub(super) fn take<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        match &self.form {
            Form::Whole | Form::Prefixed(_) => Some(value),
            // One octet tells most other pairs apart.
            Form::Pair(key) => match value.split_at_checked(key.len())? {
                (before, [b'=', behind @ ..]) if before == key.as_bytes() => Some(behind),
                _ => None,
            },
            Form::RasClientName => {
                let rest = value.strip_prefix(b"MSRAS-").or_else(|| value.strip_prefix(b"MS-RAS-"));
                Some(rest.and_then(|rest| rest.get(1..)?.strip_prefix(b"-")).unwrap_or(value))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match dictionary::lookup(self.attribute) {
            Some(entry) => f.write_str(entry.name)?,
            None => write!(f, "{}", self.attribute)?,
        }
        match &self.form {
            Form::Pair(key) => write!(f, ":{key}"),
            Form::Whole | Form::RasClientName | Form::Prefixed(_) => Ok(()),
        }
    }
}

/// A text that names no attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSource(String);

impl fmt::Display for UnknownSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} names no attribute: give its name as `journal dump` prints it, its number (31), a vendor's as \
             26.<vendor>.<type>, or with `:key` behind it where it holds key=value",
            self.0
        )
    }
}

impl std::error::Error for UnknownSource {}

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Source, UnknownSource> {
        let (attribute, key) = match text.split_once(':') {
            Some((attribute, key)) => (attribute, Some(key.trim_end_matches('='))),
            None => (text, None),
        };
        let form = match key {
            Some("") => return Err(UnknownSource(text.to_owned())),
            Some(key) => Form::Pair(Cow::Owned(key.to_owned())),
            None => Form::Whole,
        };
        let attribute = numbered(attribute)
            .or_else(|| dictionary::by_name(attribute).map(|(id, _)| id))
            .ok_or_else(|| UnknownSource(text.to_owned()))?;
        Ok(Source { attribute, form })
    }
}

/// `31`, `26.9.1`, `241.5`: what [`Id`] prints, of kinds that hold values.
fn numbered(text: &str) -> Option<Id> {
    let mut parts = text.split('.').map(str::parse::<u32>);
    let numbers = [parts.next(), parts.next(), parts.next(), parts.next()];
    let octet = |number: u32| u8::try_from(number).ok().filter(|number| *number > 0);
    match numbers {
        [Some(Ok(26)), Some(Ok(vendor @ 1..=0xff_ffff)), Some(Ok(kind)), None] => {
            Some(Id::Vendor { vendor, kind: octet(kind)? })
        }
        [Some(Ok(kind @ 241..=246)), Some(Ok(extended)), None, None] => {
            Some(Id::Extended { kind: octet(kind)?, extended: octet(extended)? })
        }
        [Some(Ok(kind)), None, None, None] if !matches!(kind, 26 | 241..) => Some(Id::Standard(octet(kind)?)),
        _ => None,
    }
}

/// What a client's configuration says instead of its vendor's table, field by field. An empty list turns a field off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    fields: Vec<(Field, Vec<Source>)>,
}

/// Why a mapping is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingError {
    /// More than [`SOURCES_MAX`] sources for the field.
    TooMany(Field),
    /// The field was given before.
    Repeated(Field),
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MappingError::TooMany(field) => {
                write!(f, "at most {SOURCES_MAX} attributes for {}", field.name())
            }
            MappingError::Repeated(field) => write!(f, "{} is given twice", field.name()),
        }
    }
}

impl std::error::Error for MappingError {}

impl Mapping {
    /// Reads `field` from these sources, the most trusted first.
    pub fn set(&mut self, field: Field, sources: Vec<Source>) -> Result<(), MappingError> {
        if sources.len() > SOURCES_MAX {
            return Err(MappingError::TooMany(field));
        }
        if self.get(field).is_some() {
            return Err(MappingError::Repeated(field));
        }
        self.fields.push((field, sources));
        Ok(())
    }

    /// The sources given for a field; `None`: the vendor's.
    pub fn get(&self, field: Field) -> Option<&[Source]> {
        self.fields.iter().find(|(of, _)| *of == field).map(|(_, sources)| sources.as_slice())
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_by_name_number_and_key() {
        for (text, attribute, shown) in [
            ("Calling-Station-Id", Id::Standard(31), "Calling-Station-Id"),
            ("calling-station-id", Id::Standard(31), "Calling-Station-Id"),
            ("31", Id::Standard(31), "Calling-Station-Id"),
            ("26.25461.7", Id::Vendor { vendor: 25461, kind: 7 }, "PaloAlto-Client-Source-IP"),
            ("26.4242.7", Id::Vendor { vendor: 4242, kind: 7 }, "26.4242.7"),
            ("241.5", Id::Extended { kind: 241, extended: 5 }, "IP-Port-Limit-Info"),
        ] {
            let source: Source = text.parse().unwrap();
            assert_eq!((source.attribute, &source.form), (attribute, &Form::Whole));
            assert_eq!(source.to_string(), shown);
        }
        let pair: Source = "Cisco-AVPair:mdm-tlv=device-uid".parse().unwrap();
        assert_eq!(pair.to_string(), "Cisco-AVPair:mdm-tlv=device-uid");
        assert_eq!(pair.take(b"mdm-tlv=device-uid=abc"), Some(&b"abc"[..]));
        assert_eq!(pair.take(b"mdm-tlv=device-uid-global=abc"), None);
        for wrong in
            ["", "0", "26", "26.9", "26.0.1", "26.9.256", "256", "245", "No-Such-Thing", "31:", "1.2.3.4.5"]
        {
            let error = wrong.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains("names no attribute"), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_forms_of_a_ras_client_name() {
        let source = Source { attribute: Id::Vendor { vendor: 311, kind: 34 }, form: Form::RasClientName };
        for (value, expected) in [
            ("MSRAS-0-PC7", "PC7"),
            ("MSRAS-1-PC7", "PC7"),
            ("MS-RAS-0-Laptop", "Laptop"),
            ("MSRAS-0-ENIGMA-PC", "ENIGMA-PC"),
            ("MSRAS-0-", ""),
            ("MSRAS-", "MSRAS-"),
            ("PC7", "PC7"),
        ] {
            assert_eq!(source.take(value.as_bytes()), Some(expected.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_mapping_takes_each_field_once_and_a_bounded_list() {
        let mut mapping = Mapping::default();
        let source = || "31".parse::<Source>().unwrap();
        mapping.set(Field::Remote, vec![source()]).unwrap();
        assert_eq!(mapping.set(Field::Remote, vec![]), Err(MappingError::Repeated(Field::Remote)));
        let many = (0..=SOURCES_MAX).map(|_| source()).collect();
        assert_eq!(mapping.set(Field::Device, many), Err(MappingError::TooMany(Field::Device)));
        assert_eq!(mapping.get(Field::Remote), Some(&[source()][..]));
        assert_eq!(mapping.get(Field::Device), None);
    }
}
