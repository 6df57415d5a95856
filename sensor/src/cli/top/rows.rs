//! A frame as tables of text: the same rows for the terminal and for the plain frame.

use super::frame::{Bound, Client, Frame, Rated};
use crate::cli::units;

/// A column: its title, and whether numbers stand in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) right: bool,
}

/// A row; `alarm` marks one that wants a person.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) alarm: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

impl Table {
    fn new(columns: &[Column], rows: impl IntoIterator<Item = Row>) -> Table {
        Table { columns: columns.to_vec(), rows: rows.into_iter().collect() }
    }

    /// Whether its columns have titles.
    pub(super) fn is_titled(&self) -> bool {
        self.columns.iter().any(|column| !column.title.is_empty())
    }

    /// The widest cell of each column, its title included.
    pub(super) fn widths(&self) -> Vec<usize> {
        let width = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(index));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            widest.max(self.columns[index].title.chars().count())
        };
        (0..self.columns.len()).map(width).collect()
    }
}

const fn left(title: &'static str) -> Column {
    Column { title, right: false }
}

const fn right(title: &'static str) -> Column {
    Column { title, right: true }
}

fn row(alarm: bool, mut cells: Vec<String>) -> Row {
    // What another host answers must not steer the terminal.
    for cell in cells.iter_mut().filter(|cell| cell.contains(char::is_control)) {
        *cell = cell.replace(char::is_control, "\u{fffd}");
    }
    Row { cells, alarm }
}

fn rate(rated: Rated) -> String {
    rated.per_s.map_or_else(|| "-".to_owned(), units::number)
}

fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), units::seconds)
}

fn grows(rated: Rated) -> bool {
    rated.per_s.is_some_and(|rate| rate > 0.0)
}

/// How clients are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Most requests a second first.
    #[default]
    Rate,
    /// Most requests first.
    Total,
    /// Most refused requests first.
    Refused,
    /// By name.
    Name,
}

impl Sort {
    /// The next one.
    pub(super) fn next(self) -> Sort {
        match self {
            Sort::Rate => Sort::Total,
            Sort::Total => Sort::Refused,
            Sort::Refused => Sort::Name,
            Sort::Name => Sort::Rate,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Sort::Rate => "rate",
            Sort::Total => "total",
            Sort::Refused => "wrong secret",
            Sort::Name => "name",
        }
    }
}

/// Each queue: how it is captured and what it does.
pub(super) fn queues(frame: &Frame) -> Table {
    let columns = [
        left("worker"),
        left("mode"),
        right("requests/s"),
        right("answers/s"),
        right("refused/s"),
        right("drops"),
        right("drops/s"),
    ];
    let rows = frame.queues.iter().map(|queue| {
        let program = || format!("{} program", queue.path);
        row(
            grows(queue.dropped) || grows(queue.answers_lost),
            vec![
                queue.worker.clone(),
                queue.mode.clone().unwrap_or_else(program),
                rate(queue.received),
                rate(queue.answered),
                rate(queue.refused),
                units::count(queue.dropped.total),
                rate(queue.dropped),
            ],
        )
    });
    Table::new(&columns, rows)
}

/// What became of the datagrams.
pub(super) fn verdicts(frame: &Frame) -> Table {
    let good = ["accepted", "duplicate", "status_server"];
    let rows = frame.verdicts.iter().map(|named| {
        row(
            grows(named.datagrams) && !good.contains(&named.verdict),
            vec![named.verdict.to_owned(), rate(named.datagrams), units::count(named.datagrams.total)],
        )
    });
    Table::new(&[left("verdict"), right("per s"), right("total")], rows)
}

/// What was lost before a worker saw it: only what ever was, what is being lost first.
pub(super) fn drops(frame: &Frame) -> Table {
    let mut lost: Vec<_> = frame.drops.iter().filter(|drops| drops.datagrams.total > 0).collect();
    lost.sort_by(|one, other| {
        let rates = [other, one].map(|drops| drops.datagrams.per_s.unwrap_or_default());
        rates[0].total_cmp(&rates[1]).then(other.datagrams.total.cmp(&one.datagrams.total))
    });
    let rows = lost.into_iter().map(|drops| {
        let cells = vec![
            drops.worker.clone(),
            drops.reason.clone(),
            rate(drops.datagrams),
            units::count(drops.datagrams.total),
        ];
        row(grows(drops.datagrams), cells)
    });
    Table::new(&[left("worker"), left("lost because of"), right("per s"), right("total")], rows)
}

/// The journal, line by line.
pub(super) fn journal(frame: &Frame) -> Table {
    let journal = &frame.journal;
    let commit = journal.commit;
    let at_most =
        |bound: Option<Bound>| bound.map_or_else(|| "-".to_owned(), |bound| bound_text(bound, whole));
    let mean = journal.fill.mean.map_or_else(|| "-".to_owned(), units::number);
    let line = |alarm, name: &str, value: String| row(alarm, vec![name.to_owned(), value]);
    let rows = [
        line(
            grows(journal.failed_records),
            "records/s",
            format!("{}, failed {}", rate(journal.records), units::count(journal.failed_records.total)),
        ),
        line(false, "commits/s", rate(journal.commits)),
        line(false, "records a commit", format!("{mean}, p99 {}", at_most(journal.fill.p99_at_most))),
        line(false, "commit p50, p99", format!("{}, {}", seconds(commit.p50_s), seconds(commit.p99_s))),
        line(false, "written/s", journal.written_bytes.per_s.map_or_else(|| "-".to_owned(), units::bytes)),
        line(
            false,
            "disk, free",
            format!("{}, {}", units::bytes(journal.bytes as f64), units::bytes(journal.free_bytes as f64)),
        ),
        line(false, "batches waiting", units::count(journal.queued_batches)),
        line(grows(journal.failures), "failed writes", units::count(journal.failures.total)),
        line(
            grows(journal.duplicates_evicted) || grows(journal.duplicates_refused),
            "forgotten early",
            units::count(journal.duplicates_evicted.total),
        ),
    ];
    Table::new(&[left(""), left("")], rows)
}

/// The clients in the chosen order.
pub(super) fn clients(frame: &Frame, sort: Sort) -> Table {
    let mut clients: Vec<&Client> = frame.clients.iter().collect();
    let refused = |client: &Client| client.bad_authenticators.total + client.bad_message_authenticators.total;
    let by_rate = |client: &Client| client.genuine.per_s.unwrap_or(0.0);
    clients.sort_by(|a, b| {
        let order = match sort {
            Sort::Rate => by_rate(b).total_cmp(&by_rate(a)).then(b.genuine.total.cmp(&a.genuine.total)),
            Sort::Total => b.genuine.total.cmp(&a.genuine.total),
            Sort::Refused => refused(b).cmp(&refused(a)),
            Sort::Name => std::cmp::Ordering::Equal,
        };
        order.then_with(|| a.client.cmp(&b.client))
    });
    let columns = [
        left("client"),
        right("requests/s"),
        right("requests"),
        right("wrong/s"),
        right("wrong secret"),
        right("bad M-A"),
        right("genuine ago"),
    ];
    let rows = clients.into_iter().map(|client| {
        let last = client.last_genuine_s_ago;
        row(
            grows(client.bad_authenticators) || grows(client.bad_message_authenticators),
            vec![
                client.client.clone(),
                rate(client.genuine),
                units::count(client.genuine.total),
                rate(client.bad_authenticators),
                units::count(client.bad_authenticators.total),
                units::count(client.bad_message_authenticators.total),
                last.map_or_else(|| "never".to_owned(), units::age),
            ],
        )
    });
    Table::new(&columns, rows)
}

/// Who was refused and why, most recent first.
pub(super) fn refused(frame: &Frame) -> Table {
    let columns = [left("source"), left("client"), right("datagrams"), right("ago"), left("why")];
    let now = frame.refused.now;
    let rows = frame.refused.sources.iter().map(|source| {
        let ago = now.duration_since(source.last_seen).as_secs().max(0).unsigned_abs();
        row(
            source.client.is_some() && !source.is_mended && ago < 60,
            vec![
                source.source.to_string(),
                source.client.clone().unwrap_or_else(|| "-".to_owned()),
                units::count(source.datagrams),
                units::age(ago),
                if source.is_mended { MENDED.to_owned() } else { source.reason.clone() },
            ],
        )
    });
    Table::new(&columns, rows)
}

/// Of a source whose authenticator was wrong.
const MENDED: &str = "was wrong, and verifies by now";

/// The stages of a request's way: within the interval and since the start.
pub(super) fn stages(frame: &Frame) -> Table {
    let columns = [
        left("stage"),
        right("per s"),
        right("p50"),
        right("p99"),
        left("|"),
        right("p50"),
        right("p99"),
        right("p99.9"),
        right("max"),
    ];
    let rows = frame.stages.iter().map(|times| {
        let since_start = |at: f64| match times.since_start.count {
            0 => "-".to_owned(),
            _ => units::duration(times.since_start.percentile(at)),
        };
        let cells = vec![
            times.stage.clone(),
            rate(times.requests),
            seconds(times.interval.p50_s),
            seconds(times.interval.p99_s),
            "|".to_owned(),
            since_start(50.0),
            since_start(99.0),
            since_start(99.9),
            since_start(100.0),
        ];
        // A second is a fault: some VPN servers end the session.
        row(times.stage == "total" && times.interval.p99_s.is_some_and(|p99| p99 >= 1.0), cells)
    });
    Table::new(&columns, rows)
}

/// Cells of the longest bar.
const BAR: f64 = 20.0;

/// How full the interval's commits were.
pub(super) fn fill(frame: &Frame) -> Table {
    bars("records a commit", &frame.journal.fill.shares, whole)
}

/// How long the interval's commits took.
pub(super) fn commit_times(frame: &Frame) -> Table {
    bars("commit time", &frame.journal.commit_shares, units::seconds)
}

fn bars(title: &'static str, shares: &[(Bound, f64)], text: fn(f64) -> String) -> Table {
    let rows = shares.iter().map(|&(bound, share)| {
        let bar = "#".repeat((share * BAR).ceil() as usize);
        row(false, vec![bound_text(bound, text), format!("{:.0} %", share * 100.0), bar])
    });
    Table::new(&[right(title), right("share"), left("")], rows)
}

fn whole(value: f64) -> String {
    units::count(value as u64)
}

fn bound_text(bound: Bound, text: fn(f64) -> String) -> String {
    bound.0.map_or_else(|| "more".to_owned(), |bound| format!("<= {}", text(bound)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::top::fixture;

    fn first_cells(table: &Table) -> Vec<&str> {
        table.rows.iter().map(|row| row.cells[0].as_str()).collect()
    }

    #[test]
    fn every_row_has_a_cell_for_every_column() {
        let frame = fixture::frame();
        let clients = clients(&frame, Sort::Rate);
        for table in [
            queues(&frame),
            verdicts(&frame),
            drops(&frame),
            journal(&frame),
            clients,
            refused(&frame),
            stages(&frame),
            fill(&frame),
            commit_times(&frame),
        ] {
            assert!(!table.rows.is_empty(), "{:?}", table.columns);
            assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()), "{table:?}");
        }
    }

    #[test]
    fn clients_are_sorted_as_asked() {
        let frame = fixture::frame();
        assert_eq!(first_cells(&clients(&frame, Sort::Rate)), ["branch", fixture::ODD_NAME]);
        assert_eq!(first_cells(&clients(&frame, Sort::Refused)), [fixture::ODD_NAME, "branch"]);
        assert_eq!(first_cells(&clients(&frame, Sort::Name)), [fixture::ODD_NAME, "branch"]);
        let mut sort = Sort::Rate;
        for _ in 0..4 {
            sort = sort.next();
        }
        assert_eq!(sort, Sort::Rate);
    }

    #[test]
    fn what_wants_a_person_is_marked() {
        let mut frame = fixture::frame();
        let alarms = |table: &Table| {
            table.rows.iter().filter(|row| row.alarm).map(|row| row.cells[0].clone()).collect::<Vec<_>>()
        };
        assert_eq!(alarms(&verdicts(&frame)), ["bad_authenticator"]);
        assert_eq!(alarms(&queues(&frame)), [""; 0], "the drops are old");
        assert_eq!(alarms(&refused(&frame)), ["192.0.2.7"], "a client, and lately");
        frame.refused.sources[0].is_mended = true;
        assert_eq!(alarms(&refused(&frame)), [""; 0], "it is let in by now");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let mut frame = fixture::frame();
        frame.clients[0].client = "\u{1b}[2Jbranch".to_owned();
        assert_eq!(first_cells(&clients(&frame, Sort::Rate))[0], "\u{fffd}[2Jbranch");
    }

    #[test]
    fn queues_say_how_they_are_captured() {
        let table = queues(&fixture::frame());
        let modes: Vec<_> = table.rows.iter().map(|row| row.cells[1].as_str()).collect();
        assert_eq!(modes, ["native copy", "udp", "xdp program"]);
        assert_eq!(table.rows[0].cells[2..], ["500", "470", "30.0", "7", "0"]);
    }
}
