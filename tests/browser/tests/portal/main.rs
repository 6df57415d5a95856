//! The portal in a browser, with a real sensor behind it and real requests on the wire. One file a case.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod alert;
mod decisions;
mod every_page;
mod first_packet;
mod hostile_names;
mod lists;
mod live;
mod profile;
mod provider;
mod script;
mod sign_in;
mod tls;
mod zones;
