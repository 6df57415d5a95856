//! The frame as plain text: for pipes, files and `--once`.

use std::fmt::Write as _;

use super::{
    frame::Frame,
    rows::{self, Sort, Table},
};
use crate::cli::units;

/// All panels, one below the other.
pub(super) fn text(frame: &Frame) -> String {
    let mut text = format!("{}\n", headline(frame));
    let refused = rows::refused(frame);
    let sections = [
        ("Queues", rows::queues(frame), "there is none"),
        ("Verdicts", rows::verdicts(frame), "there is none"),
        ("Lost before a worker saw them", rows::drops(frame), "nothing"),
        ("Journal", rows::journal(frame), "there is none"),
        ("Batch fill, this interval", rows::fill(frame), "no commit"),
        ("Commit time, this interval", rows::commit_times(frame), "no commit"),
        ("Stages: this interval | since the start", rows::stages(frame), "there is none"),
        ("Clients by rate", rows::clients(frame, Sort::Rate), "none is configured"),
        ("Refused, most recent first", refused, "nobody"),
    ];
    for (title, table, nothing) in sections {
        let _ = write!(text, "\n{title}\n");
        if table.rows.is_empty() {
            let _ = writeln!(text, "  {nothing}");
        } else {
            print(&mut text, &table);
        }
    }
    text
}

/// The sensor in one line.
pub(super) fn headline(frame: &Frame) -> String {
    let rate = |per_s: Option<f64>| per_s.map_or_else(|| "-".to_owned(), units::number);
    let Frame { version, address, .. } = frame;
    match &frame.not_ready {
        None => format!(
            "vpn-sensor {version} at {address} is ready, {} requests/s, {} answers/s, up {}",
            rate(frame.received.per_s),
            rate(frame.answered.per_s),
            units::age(frame.uptime_s)
        ),
        Some(reason) => format!("vpn-sensor {version} at {address} is NOT READY: {reason}"),
    }
}

fn print(text: &mut String, table: &Table) {
    let widths = table.widths();
    let titles = table.columns.iter().map(|column| column.title.to_owned()).collect();
    for cells in
        table.is_titled().then_some(&titles).into_iter().chain(table.rows.iter().map(|row| &row.cells))
    {
        let mut line = String::new();
        for ((cell, column), width) in cells.iter().zip(&table.columns).zip(&widths) {
            let _ = if column.right {
                write!(line, "  {cell:>width$}")
            } else {
                write!(line, "  {cell:<width$}")
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::top::fixture;

    #[test]
    fn everything_is_there_and_numbers_align() {
        let text = text(&fixture::frame());
        let head = text.lines().next().unwrap();
        assert!(head.contains("is ready, 500 requests/s, 470 answers/s"), "{head}");
        let lines: Vec<&str> = text.lines().collect();
        let line = |begins: &str| *lines.iter().find(|line| line.trim_start().starts_with(begins)).unwrap();
        let titles = line("worker");
        let end = titles.find("requests/s").unwrap() + "requests/s".len();
        assert_eq!(&line("eth0-0")[..end].split_whitespace().last().unwrap(), &"500");
        assert_eq!(line("192.0.2.7").split_whitespace().nth(1), Some("branch"));
        for wanted in [
            fixture::ODD_NAME,
            "rx_ring_full",
            "bad_authenticator",
            "records a commit",
            "check the shared secret",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
        }
    }

    #[test]
    fn a_sensor_that_is_not_ready_says_why() {
        let mut frame = fixture::frame();
        frame.not_ready = Some("the journal cannot record".to_owned());
        assert!(headline(&frame).ends_with("is NOT READY: the journal cannot record"));
    }
}
