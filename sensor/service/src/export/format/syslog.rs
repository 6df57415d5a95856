//! The frame around a message on its way to a syslog receiver: RFC 5424, with its length in front (RFC 6587 section
//! 3.4.1), since a message may hold line ends.
//!
//! Receivers cut long messages: an alert with all its evidence has up to 32 KiB. rsyslog takes 8 KiB unless
//! `global(maxMessageSize="64k")` says otherwise.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Format, PRODUCT, Source};
use crate::alert::Severity;

/// Security messages (RFC 5424 section 6.2.1).
const FACILITY: u8 = 4;
/// In front of a message in UTF-8 (section 6.4).
const BOM: char = '\u{feff}';
/// Longest host name (section 6).
const HOST_MAX: usize = 255;
/// Longest MSGID.
const ID_MAX: usize = 32;
/// A sequenceId begins again behind this (section 7.3.1).
const SEQUENCE_MAX: u64 = 2_147_483_647;

/// What stands around a message.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// How urgent.
    pub severity: Severity,
    /// When, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What it is, in a word.
    pub id: &'a str,
    /// Its number in the sink's spool.
    pub sequence: u64,
}

/// The message as octets for a stream.
pub fn frame(header: &Header<'_>, source: &Source, format: Format, message: &str) -> Vec<u8> {
    let line = line(header, source, format, message);
    format!("{} {line}", line.len()).into_bytes()
}

/// The same without its length in front.
pub fn line(header: &Header<'_>, source: &Source, format: Format, message: &str) -> String {
    let priority = FACILITY * 8 + severity(header.severity);
    let time = Timestamp::from_nanosecond(i128::from(header.unix_ns / 1000 * 1000)).unwrap_or_default();
    let host = printable(&source.host, HOST_MAX);
    let id = printable(header.id, ID_MAX);
    let process = std::process::id();
    let mut line = format!("<{priority}>1 {time:.6} {host} {PRODUCT} {process} {id} ");
    let sequence = header.sequence.saturating_sub(1) % SEQUENCE_MAX + 1;
    push_element(&mut line, "origin", &[("software", PRODUCT), ("swVersion", &source.version)]);
    push_element(&mut line, "meta", &[("sequenceId", &sequence.to_string()), ("language", "en")]);
    line.push(' ');
    // What reads CEF looks for `CEF:` right behind the header.
    if format != Format::Cef {
        line.push(BOM);
    }
    line.push_str(message);
    line
}

fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 6,
        Severity::Low => 5,
        Severity::Medium => 4,
        Severity::High => 2,
    }
}

/// PRINTUSASCII of a field of the header; what is none becomes `?`, what is empty `-`.
fn printable(text: &str, octets_max: usize) -> String {
    let sound = |character: char| if character.is_ascii_graphic() { character } else { '?' };
    let text: String = text.chars().take(octets_max).map(sound).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

/// An SD-ELEMENT (section 6.3). `"`, `\` and `]` in values are escaped, control characters shown by their numbers.
pub(super) fn push_element(line: &mut String, id: &str, parameters: &[(&str, &str)]) {
    let _ = write!(line, "[{id}");
    for (name, value) in parameters {
        let _ = write!(line, " {name}=\"");
        for character in value.chars() {
            if matches!(character, '"' | '\\' | ']') {
                line.push('\\');
            }
            super::escape::push_visible(line, character);
        }
        line.push('"');
    }
    line.push(']');
}
