//! What an evaluation found: for people at a terminal, for programs, and as one page.
//!
//! `console` and `json` write text; `page` puts the page together from `drawings` (which curves; `plot` draws them in the
//! colours of `ink`) and `tables`; `documentation` makes of the lines of `json` what the documentation has.

mod console;
mod documentation;
mod drawings;
mod ink;
mod json;
mod page;
mod plot;
mod tables;
#[cfg(test)]
mod tests;

pub use console::console;
pub use documentation::Documentation;
pub use json::lines;
pub use page::page;
