//! What the records of the journal mean: who connected, from where, through which VPN server, with which device.
//!
//! Sans-IO: octets and the time handed in, meaning out; no clock, no file, no socket. The service reads the journal,
//! calls [`vpn::Decoder`], asks [`geo::Places`], and hands connections to [`detect::Detector`] and
//! [`profile::Profiles`]; the command line shows what comes out. Nothing in here knows its callers, and of the other members only `radius` is known.
#![forbid(unsafe_code)]

pub mod detect;
pub mod geo;
pub mod profile;
pub mod vpn;
