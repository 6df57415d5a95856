//! Whoever writes a line and waits for what is said of it.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use super::*;

/// What was said so far, for both ends.
#[derive(Clone, Default)]
struct Said(Rc<RefCell<Heard>>);

#[derive(Default)]
struct Heard {
    octets: Vec<u8>,
    writes: usize,
}

impl Write for Said {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut said = self.0.borrow_mut();
        said.octets.extend(octets);
        said.writes += 1;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the next only once all before it was answered.
struct Waiting {
    parts: VecDeque<(&'static str, usize)>,
    said: Said,
}

impl Read for Waiting {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some((part, answers)) = self.parts.pop_front() else { return Ok(0) };
        let said = self.said.0.borrow().octets.iter().filter(|octet| **octet == b'\n').count();
        assert_eq!(said, answers, "before {part:?}");
        to[..part.len()].copy_from_slice(part.as_bytes());
        Ok(part.len())
    }
}

fn run_into(said: &Said, lines: impl Read) {
    let config = crate::config::Config::built_in();
    let places = places::Sources::of(&config).open().unwrap();
    let backtest = Backtest::new(config.meaning(), &places).unwrap();
    let out = BufWriter::new(said.clone());
    let mut run = Run { backtest, alerts_only: false, later_too: false, out, sum: Sum::default() };
    run.lines(lines).unwrap_or_else(|failure| panic!("{failure}"));
    run.out.flush().unwrap();
}

#[test]
fn an_answer_is_there_before_more_is_asked_for() {
    const FIRST: &str =
        "{\"time\":\"2026-11-02T08:00:00Z\",\"status\":\"Start\",\"client\":\"a\",\"session\":\"1\"}\n";
    const TWO: &str = "{\"time\":\"2026-11-02T08:00:01Z\",\"status\":\"Start\",\"client\":\"a\",\"session\":\"2\"}\n\
                       {\"time\":\"2026-11-02T08:00:02Z\",\"status\":\"Start\",\"client\":\"a\",\"session\":\"3\"}\n{\"time\":";
    const REST: &str = "\"2026-11-02T08:00:03Z\",\"status\":\"Start\",\"client\":\"a\",\"session\":\"4\"}";
    let said = Said::default();
    let parts = VecDeque::from([(FIRST, 0), (TWO, 1), (REST, 3)]);
    run_into(&said, Waiting { parts, said: said.clone() });
    let said = said.0.borrow();
    assert_eq!(said.octets.iter().filter(|octet| **octet == b'\n').count(), 4);
}

#[test]
fn a_file_is_not_answered_line_by_line() {
    let said = Said::default();
    run_into(&said, &log()[..]);
    let said = said.0.borrow();
    // A buffer of 8 KiB, and what is out when it ends.
    assert!(said.writes <= said.octets.len() / 8192 + 3, "{} of {} octets", said.writes, said.octets.len());
}
