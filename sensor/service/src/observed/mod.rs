//! What the sensor beside the service tells of itself: how it stands now, and how it went during the last day. Handed in
//! by whoever runs the sensor ([`Observed::note`], each [`INTERVAL`]); read by API and portal. Plain data: the service knows
//! no sensor.
//!
//! | file | what lives there |
//! |---|---|
//! | `reading` | [`SensorNow`]: one look |
//! | `latency` | times sorted into buckets, and percentiles of them |
//! | `history` | the last day, and series of it |

mod history;
mod latency;
mod reading;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use history::History;
pub use history::{Series, StageSeries, VerdictSeries};
pub use latency::{BUCKETS, Counts};
pub use reading::{Amount, JournalNow, QueueNow, RefusedMode, SensorNow, ServiceNow, StageNow, WorkerNow};

/// Between two looks.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// Where looks at the sensor go. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Observed(Arc<Mutex<History>>);

impl Observed {
    /// Takes a look.
    pub fn note(&self, now: SensorNow) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).note(now);
    }

    /// The newest look; none where no sensor runs here, or in its first seconds.
    pub(crate) fn now(&self) -> Option<Arc<SensorNow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// How it went during the last so many minutes.
    pub(crate) fn series(&self, minutes: u32) -> Series {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).series(minutes)
    }
}
