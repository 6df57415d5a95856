//! How well abnormal connections are found, and how often usual ones are taken for such. The program `evaluate` calls
//! it, and `cargo xtask evaluate` calls that; no part of the product does.
//!
//! | file | what lives there |
//! |---|---|
//! | `chance` | [`chance::Chance`]: the same seed gives the same numbers on every host |
//! | `world/` | [`world::World`]: countries, providers and their prefixes, from the databases that ship with the product |
//! | `event`, `label` | the lines of a past: what an accounting client sent, and what it truly was |
//! | `organisation/` | a made-up organisation: its people, their devices, lines and days |
//! | `attackers` | who uses a stolen account, each model its own file |
//! | `baselines/` | the four that the product is held against, which see the past only |
//! | `run` | [`run::Running`]: all of it over a set |
//! | `product` | the product's own scores: `vpn-sensor backtest`, or a file of them |
//! | `own` | what the product's own thresholds do |
//! | `metrics/` | ROC, recall at a budget of alerts, intervals |
//! | `bars` | what the product set out to reach, met or not |
//! | `mmdb` | databases that change in the middle of a past, as files |
//! | `sets` | which seeds belong to which set |
//! | `report/` | one page, and lines of JSON |
//! | `rba_csv` | the public set of logins as a past |
#![forbid(unsafe_code)]

pub mod attackers;
pub mod bars;
pub mod baselines;
pub mod chance;
pub mod event;
pub mod label;
pub mod metrics;
mod mmdb;
pub mod organisation;
pub mod own;
pub mod product;
pub mod rba_csv;
pub mod report;
pub mod run;
pub mod sets;
pub mod world;
