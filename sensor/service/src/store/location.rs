//! Where connections came from, address by address.

use serde::Serialize;
use utoipa::ToSchema;

/// An address that connections came from, and where it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LocationRow {
    /// The client's address outside the tunnel.
    pub address: String,
    /// The place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The provider: `AS3320 Deutsche Telekom AG`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// In so many connections.
    pub connections: i64,
    /// Last sign of life.
    pub last_seen: String,
}
