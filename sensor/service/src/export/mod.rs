//! What leaves the host for other eyes.
//!
//! | file | what lives there |
//! |---|---|
//! | `pseudonym` | names and addresses made unreadable, each always the same way |
//!
//! Called by the command line.

mod pseudonym;

pub use pseudonym::{Pseudonyms, PseudonymsError};
