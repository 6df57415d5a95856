//! A past as `vpn-sensor backtest` reads it: one line of JSON an event.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    net::IpAddr,
    path::Path,
};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an event reports, as RFC 2866 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// A connection begins.
    Start,
    /// It goes on.
    #[serde(rename = "Interim-Update")]
    InterimUpdate,
    /// It has ended.
    Stop,
}

/// One line. Never says whether an attacker caused it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub time: Timestamp,
    /// What it reports.
    pub status: Status,
    /// The VPN server or proxy that sent it, by its configured name.
    pub client: String,
    /// Acct-Session-Id.
    pub session: String,
    /// The account.
    pub user: String,
    /// The user's address outside the tunnel.
    pub address: IpAddr,
    /// The device, where the VPN server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The client software, where the VPN server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// Octets from the user so far; none at the Start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_octets: Option<u64>,
    /// Octets to the user so far; none at the Start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_octets: Option<u64>,
    /// The VPN server behind the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nas: Option<String>,
}

/// Writes values as lines of JSON.
///
/// # Errors
/// The disk.
pub fn write_lines<T: Serialize>(path: &Path, lines: &[T]) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        for line in lines {
            serde_json::to_writer(&mut out, line)?;
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Reads lines of JSON.
///
/// # Errors
/// The file cannot be read, or a line is not what it should be; the error names the line.
pub fn read_lines<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("cannot read {}: check its path", path.display()))?;
    let mut values = Vec::new();
    for (at, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        let value = serde_json::from_str(&line)
            .with_context(|| format!("{}, line {}: not what is expected here", path.display(), at + 1))?;
        values.push(value);
    }
    Ok(values)
}
