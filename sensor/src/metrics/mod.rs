//! What the sensor tells about itself: Prometheus metrics, health, latency, over HTTP.
//!
//! [`Reading`] is one look at all counters; `table` turns a reading into metrics and is the list of what there is;
//! `http` serves them. `run` makes the readings; `cli::top` reads what is served. Nothing here is on a request's way.

mod http;
mod latency;
mod reading;
mod table;

pub use http::{Service, serve};
pub use latency::{StageHistogram, StageHistograms};
pub use reading::{
    CaptureMode, ClientReading, FrameReading, InsightReading, KernelDrops, Reading, Refused, RefusedMode,
    RefusedSource, SteerReading, WorkerReading,
};
pub use table::{Metric, exposition, markdown, metrics};
