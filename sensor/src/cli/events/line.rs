//! One event as a row for people. Its JSON is the service's, so that command line and API say the same.

use std::io::{self, Write};

use service::event::EventLine;

use super::super::records::Row;

impl Row for EventLine<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:>10}  {:<27}  {:<14}  {:<14}  {:<32}  {:<39}  {:<24}  {:<32}  {:<24}  DEVICE",
            "SEQUENCE", "TIME", "KIND", "STATUS", "USER", "FROM", "PLACE", "NETWORK", "VPN SERVER"
        )
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let [sequence, time, kind, status, user, from, place, network, server, device] = self.columns();
        writeln!(
            out,
            "{sequence:>10}  {time:<27}  {kind:<14}  {status:<14}  {user:<32}  {from:<39}  {place:<24}  {network:<32}  {server:<24}  {device}"
        )
    }
}
