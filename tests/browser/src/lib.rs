//! The harness of the tests in a browser: Debian's Chromium without a screen, driven by its chromedriver, in the network
//! namespace of a sensor that runs for the test. Nothing else can be reached from there.
//!
//! | file | what lives there |
//! |---|---|
//! | `browser` | one browser: opening pages, reading and using them |
//! | `driver` | WebDriver to a chromedriver of its own |
//! | `inspect` | what a page must never do: errors, requests to other hosts, barriers (axe-core), what the keyboard misses |
//! | `lists` | sinks, sites and exclusions that an administrator set |
//! | `openid` | an OpenID provider |
//! | `picture` | pictures made small |
//! | `people` | accounts that sign in, VPN users that connect |
//! | `tabs` | two tabs in which the same setting is changed |
//!
//! A case is a file of `tests/portal`. Called by those, by the test of the page of all benches and by the program
//! `screenshots`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails by panicking")]

mod browser;
mod driver;
mod inspect;
pub mod lists;
pub mod openid;
pub mod people;
pub mod picture;
pub mod tabs;

pub use browser::{Browser, Key, Shape, Theme};
