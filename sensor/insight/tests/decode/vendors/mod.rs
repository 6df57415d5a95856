//! Every vendor's row: what its VPN server sends, by what is confirmed and, where nothing is, by the standard attributes.

mod commercial;
mod first_four;
mod free;
