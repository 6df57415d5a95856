//! The page that shows the results of a run, and what changed since an earlier one. Only the program `report` calls it.
//!
//! `results` reads the lines, `compare` sets them beside the earlier ones, `headline` and `stages` find what the
//! first screen says, `figure` and `wording` write it for people, `plot` draws, `section` and `side_by_side`
//! pick a bench's plots, `page` puts all of it into one file that loads nothing else.

mod compare;
mod figure;
mod headline;
mod page;
mod plot;
mod results;
mod section;
mod side_by_side;
mod stages;
#[cfg(test)]
mod tests;
mod wording;

pub use page::page;
pub use results::Results;
