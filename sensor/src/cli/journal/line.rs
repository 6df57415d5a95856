//! One record as a row for people; [`RecordLine`] is its JSON.

use std::io::{self, Write};

use radius::attribute::kind;
use service::record::RecordLine;

use super::super::{records::Row, units::rfc3339};

impl Row for RecordLine<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:>10}  {:<27}  {:<20}  {:<24}  {:<14}  {:<24}  SESSION",
            "SEQUENCE", "TIME", "CLIENT", "SOURCE", "STATUS", "USER"
        )
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let whole = match self {
            RecordLine::Record(whole) => whole,
            RecordLine::Tombstone(tombstone) => {
                let (sequence, time) = tombstone.when();
                return writeln!(out, "{sequence:>10}  {:<27}  (redacted)", rfc3339(time));
            }
        };
        let ((sequence, time), (client, source)) = (whole.when(), whole.sender());
        writeln!(
            out,
            "{sequence:>10}  {:<27}  {client:<20}  {:<24}  {:<14}  {:<24}  {}",
            rfc3339(time),
            source.to_string(),
            whole.attribute(kind::ACCT_STATUS_TYPE),
            whole.attribute(kind::USER_NAME),
            whole.attribute(kind::ACCT_SESSION_ID),
        )
    }
}

#[cfg(test)]
mod tests {
    use journal::{CapturePath, Record};

    use super::*;

    #[test]
    fn a_row_says_who_did_what() {
        let mut octets = vec![4, 7, 0, 33];
        octets.extend([0xab; 16]);
        octets.extend([1, 7, b'a', b'l', b'i', b'c', b'e', 40, 6, 0, 0, 0, 1]);
        let record = Record {
            sequence: 1,
            arrival_unix_ns: 1_795_514_400_000_123_456,
            source: "192.0.2.1:5000".parse().unwrap(),
            destination: "[2001:db8::1]:1813".parse().unwrap(),
            path: CapturePath::Udp,
            client: "branch-rras".into(),
            sensor: "s".into(),
            octets,
            redacted: false,
        };
        let mut row = Vec::new();
        RecordLine::new(&record).write_row(&mut row).unwrap();
        let row = String::from_utf8(row).unwrap();
        assert!(row.contains("Start") && row.contains("alice"), "{row}");
    }
}
