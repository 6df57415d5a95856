//! Whoever reads for a while only is not kept by what is passed over.

use std::time::{Duration, Instant};

use journal::Reader;

use crate::common::{Acknowledged, Session, small};
use crate::disk::Disk;

#[test]
fn reading_is_given_up_in_time_also_amid_records_that_are_passed_over() {
    let disk = Disk::default();
    let mut session = Session::open(&disk, small()).unwrap();
    for number in 0..20 {
        session.submit(number..number + 1, 100);
        assert!(session.turn(&mut Acknowledged::new()).is_empty());
    }
    let reader = Reader::over(session.storage.clone(), Some(session.handle.clone()));
    // All of them came before: none is handed out.
    let none = || reader.records_since(u64::MAX).unwrap();
    let mut records = none().give_up_at(Instant::now() + Duration::from_secs(3600));
    assert!(records.next().is_none() && !records.has_given_up(), "there was time for all");

    let (read_time, patience) = (Duration::from_millis(50), Duration::from_millis(25));
    disk.with(|inner| inner.read_time = read_time);
    let mut records = none().give_up_at(Instant::now() + patience);
    assert!(records.next().is_none() && records.has_given_up(), "one read takes longer than that");
}
