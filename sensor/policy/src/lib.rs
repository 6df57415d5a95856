//! What the service goes by, as plain data: a configuration is read into it, the service acts by it. Neither needs the
//! other for that.
//!
//! | module | what lives there |
//! |---|---|
//! | `meaning` | what records mean, when people are told and of what not; an input of the fold |
//! | `health` | from where on something that keeps the product from its work is worth a word |
//! | `portal` | with what the portal speaks TLS, and who else lets people in |
//! | `settings` | what an administrator sets |
//! | `sink` | whom messages are sent to, how they are written, whom to trust |
//!
//! Used by the configuration and by the service. Does no I/O, but for [`sink::Trust::certificates`] and
//! [`portal::Identity::read`].
#![forbid(unsafe_code)]

pub mod health;
mod meaning;
pub mod portal;
pub mod settings;
pub mod sink;

pub use meaning::{ClientMeaning, Detecting, Exclusion, Meaning, MeaningError};
