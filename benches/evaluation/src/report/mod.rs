//! What an evaluation found, for people at a terminal, for programs, and as one page.

mod console;
mod json;

pub use console::console;
pub use json::lines;
