//! What is unusual about a request that is nevertheless recorded and answered.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// A set of oddities. RFC 2866 forbids each to the sender but gives the server no rule, and silence would make the NAS
/// send for ever (RFC 5080 section 2.2.1): so the request is recorded, answered and marked (R36 to R38).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Marks(u16);

impl Marks {
    /// Nothing unusual.
    pub const NONE: Marks = Marks(0);
    /// None of NAS-IP-Address, NAS-Identifier, NAS-IPv6-Address (R36).
    pub const NAS_MISSING: Marks = Marks(1 << 0);
    /// No Acct-Status-Type (R37).
    pub const STATUS_TYPE_MISSING: Marks = Marks(1 << 1);
    /// More than one Acct-Status-Type; the first counts (R37, R40).
    pub const STATUS_TYPE_REPEATED: Marks = Marks(1 << 2);
    /// An Acct-Status-Type whose value is not 4 octets long: not read (R14, R41).
    pub const STATUS_TYPE_INVALID: Marks = Marks(1 << 3);
    /// No Acct-Session-Id, or only an empty one (R37).
    pub const SESSION_ID_MISSING: Marks = Marks(1 << 4);
    /// More than one Acct-Session-Id; the first counts (R37, R40).
    pub const SESSION_ID_REPEATED: Marks = Marks(1 << 5);
    /// User-Password or CHAP-Password: their values must never be stored or shown (R38).
    pub const PASSWORD_PRESENT: Marks = Marks(1 << 6);
    /// Reply-Message, State or CHAP-Challenge, which have no place in an Accounting-Request (R38).
    pub const FORBIDDEN_ATTRIBUTE: Marks = Marks(1 << 7);

    const NAMES: [(Marks, &'static str); 8] = [
        (Marks::NAS_MISSING, "nas_missing"),
        (Marks::STATUS_TYPE_MISSING, "status_type_missing"),
        (Marks::STATUS_TYPE_REPEATED, "status_type_repeated"),
        (Marks::STATUS_TYPE_INVALID, "status_type_invalid"),
        (Marks::SESSION_ID_MISSING, "session_id_missing"),
        (Marks::SESSION_ID_REPEATED, "session_id_repeated"),
        (Marks::PASSWORD_PRESENT, "password_present"),
        (Marks::FORBIDDEN_ATTRIBUTE, "forbidden_attribute"),
    ];

    /// Whether nothing is marked.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every mark of `other` is set.
    pub fn contains(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as a number, for storing; bits keep their meaning.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The names of the marks set, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Marks::NAMES.into_iter().filter(move |(mark, _)| self.contains(*mark)).map(|(_, name)| name)
    }
}

impl BitOr for Marks {
    type Output = Marks;
    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Marks) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.names().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}
