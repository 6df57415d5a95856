//! Figures from scores: what is compared, curves, budgets of alerts, intervals.
//!
//! An attacker counts by the highest score of its Starts; genuine use by the highest of a user's Starts on one day, since
//! repeats of a day are one alert. All users count, learned or not; the days of learning do not. Equal scores are in a
//! random order: the curve between two thresholds is a straight line.
//!
//! | file | what lives there |
//! |---|---|
//! | `sample` | [`Sample`]: what is compared, of any number of organisations |
//! | `curve` | ROC and everything read off it, for weighted users |
//! | `early` | the curves' beginning, exactly: whether one is above another at every rate |
//! | `bootstrap` | intervals: users are drawn anew |
//! | `detection` | what happens at one threshold: time to detection, who is never alerted |

mod bootstrap;
mod curve;
mod detection;
mod early;
mod sample;

pub use bootstrap::{Estimate, Figures, GroupFigures, figures};
pub use curve::{BUDGETS, GRID, PARTIAL, grid_rate};
pub use detection::{Detection, detections};
pub use early::{Early, Step};
pub use sample::{Frequency, Group, Past, Sample};
