//! From an address to a place: where it is, how well that is known, whose network it is in, what kind of network.
//!
//! The service hands in databases as octets and asks [`Places`] for each address of an event. Nothing leaves the host
//! for it, no name is resolved and nothing is fetched. `Places` is one snapshot: a reload builds another one and swaps
//! it, sharing the databases that stay.
//!
//! | file | what lives there |
//! |---|---|
//! | `places` | [`Places`]: the way in; asks the others in their order |
//! | `found` | what is found: [`Found`], [`Place`], [`Position`], [`Network`] |
//! | `database` | [`Database`]: one file in MaxMind's format, checked, of either schema |
//! | `record` | what stands in a database's records |
//! | `site` | [`Sites`]: networks that the configuration names |
//! | `special` | ranges that have no place, have many, or carry another address |
//! | `country/` | [`Country`]: codes, centres and sizes |
//! | `kind` | [`NetworkKinds`]: hosting, VPN exit, Tor, mobile ... |

mod country;
mod database;
mod found;
mod kind;
mod places;
mod record;
mod site;
mod special;

pub use country::Country;
pub use database::{Checked, Contents, Database, DatabaseError, DatabaseFault, SAMPLE_RECORDS};
pub use found::{
    FIXED_LINE_RADIUS_KM, Found, Network, Place, Position, Precision, UNKNOWN_RADIUS_KM, Unplaced,
    Whereabouts,
};
pub use kind::{NetworkKind, NetworkKinds};
pub use places::Places;
pub use site::{SITE_RADIUS_KM, Site, Sites, SitesError};
