//! From where on something that keeps the product from its work is worth a word.

use std::time::Duration;

/// From where on something is worth a word: the table `[health]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A client that sent before is silent for so long; none: never told.
    pub client_silent: Option<Duration>,
    /// So are all of them together; none: never told.
    pub sensor_silent: Option<Duration>,
    /// A database of places is older than this; none: never told.
    pub geo_stale: Option<Duration>,
    /// A sink's oldest message waits for longer.
    pub sink_behind: Duration,
    /// Fewer octets are free where the state directory is; none: 2 GiB, a tenth of a smaller file system.
    pub disk_free: Option<u64>,
    /// A VPN server's clock is wrong by more.
    pub clock_skew: Duration,
    /// What comes and goes must stay away for so long to be over.
    pub over_after: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            // A server that people use is silent for a night, not for a day.
            client_silent: Some(Duration::from_secs(86_400)),
            // With interims somebody is always heard; without, a night is 12 h.
            sensor_silent: Some(Duration::from_secs(12 * 3600)),
            // Free databases come monthly: two were missed.
            geo_stale: Some(Duration::from_secs(60 * 86_400)),
            // Longer than a receiver's restart.
            sink_behind: Duration::from_secs(300),
            disk_free: None,
            // From there on Event-Timestamp is not believed.
            clock_skew: Duration::from_secs(300),
            over_after: Duration::from_secs(3600),
        }
    }
}
