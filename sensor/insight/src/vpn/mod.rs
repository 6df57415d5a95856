//! VPN connections: from a record to an [`Event`], from events to [`session`]s.
//!
//! | file | what lives there |
//! |---|---|
//! | `decode/` | [`Decoder`]: one record becomes one event. The way in; calls all the others |
//! | `event` | [`Event`], what later parts read |
//! | `session/` | events become sessions: who was connected from when to when. Reads events only |
//! | `vendors/` | the vendor tables: data. Which attributes carry what, how a vendor is recognised |
//! | `source` | one place where a value stands: an attribute, perhaps a pair inside it; configuration writes them too |
//! | `plan` | a vendor's table with a client's changes, made ready for decoding |
//! | `recognise` | which vendor a request comes from |
//! | `kind` | whether it is a person's VPN connection: a table of rules |
//! | `names/` | user names in all their forms, realms, the user's key |
//! | `address` | addresses as VPN servers write them |
//! | `told` | [`Told`]: events that somebody else decoded |
//! | `text` | octets that should be text |

pub mod address;
mod decode;
mod event;
mod kind;
pub mod names;
mod plan;
mod recognise;
pub mod session;
mod source;
pub(crate) mod text;
mod told;
pub mod vendors;

pub use decode::{Client, Decoder, Fingerprint, Interim, Received, Settings};
pub use event::{
    ASSIGNED_MAX, ATTRIBUTES_MAX, Assigned, Counters, DEFECTS_MAX, Defect, Defects, Event, EventTime, Flaw,
    Remote, Status, TimeSource, VpnServer, terminate_cause_name,
};
pub use kind::{Classified, Kind};
pub use recognise::Recognised;
pub use source::{Field, Form, Mapping, MappingError, SOURCES_MAX, Source, UnknownSource};
pub use told::Told;
pub use vendors::{UnknownVendor, Vendor};
