//! `reference`: pages written from the code. `cargo xtask docs` puts them into the documentation.

use std::io::Write;

use clap::ValueEnum;

use super::Failure;
use crate::{config, metrics};

/// Options of `reference`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which page
    #[arg(value_enum, default_value_t = Page::Metrics)]
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// All metrics
    Metrics,
    /// Everything that the configuration can say about detections
    Thresholds,
}

impl Arguments {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let page = match self.page {
            Page::Metrics => metrics::markdown(),
            Page::Thresholds => config::thresholds_page(),
        };
        std::io::stdout().lock().write_all(page.as_bytes())?;
        Ok(())
    }
}
