//! The rings over heap memory: order, bounds, wrap-around, and two threads (Miri, loom).

use super::heap::Heap;

#[cfg(not(loom))]
mod one_thread {
    use super::*;
    use crate::ring::Producer;

    /// Where the indices start in every test: in the middle, and so that they wrap during it.
    const STARTS: [u32; 5] = [0, 7, u32::MAX / 2, u32::MAX - 2, u32::MAX];

    #[test]
    fn ring_keeps_order_across_the_wrap() {
        for start in STARTS {
            let (mut producer, mut consumer) = Heap::<u64>::pair(4, start);
            for round in 0..50u64 {
                for n in 0..3 {
                    producer.push(round * 3 + n).unwrap();
                }
                assert!(producer.commit());
                for n in 0..3 {
                    assert_eq!(consumer.pop(), Some(round * 3 + n), "start {start}, round {round}");
                }
                assert_eq!(consumer.pop(), None);
                consumer.release();
            }
        }
    }

    #[test]
    fn ring_never_takes_more_than_its_size() {
        for start in STARTS {
            let (mut producer, mut consumer) = Heap::<u64>::pair(8, start);
            for n in 0..8 {
                producer.push(n).unwrap();
            }
            assert_eq!(producer.push(8), Err(8));
            producer.commit();
            assert_eq!((producer.free(1), producer.outstanding()), (0, 8));
            assert_eq!(consumer.available(), 8);
            assert_eq!(consumer.pop(), Some(0));
            assert_eq!(producer.push(8), Err(8), "a popped slot is not free before it is released");
            consumer.release();
            assert_eq!((producer.free(1), producer.outstanding()), (1, 7));
            producer.push(8).unwrap();
            assert_eq!(producer.push(9), Err(9));
        }
    }

    #[test]
    fn ring_shows_nothing_before_commit() {
        for start in STARTS {
            let (mut producer, mut consumer) = Heap::<u64>::pair(4, start);
            producer.push(1).unwrap();
            assert_eq!((producer.uncommitted(), consumer.available(), consumer.pop()), (1, 0, None));
            assert!(producer.commit());
            assert!(!producer.commit(), "nothing new");
            assert_eq!((producer.uncommitted(), consumer.pop()), (0, Some(1)));
        }
    }

    #[test]
    fn ring_handles_start_where_the_shared_indices_stand() {
        let heap = Heap::<u64>::new(4, u32::MAX - 1);
        // SAFETY: one producer at a time: the first is gone before the second comes.
        let mut first = unsafe { Producer::new(heap.clone()) };
        for n in 0..3 {
            first.push(n).unwrap();
        }
        first.commit();
        drop(first);
        // SAFETY: as above.
        let mut second = unsafe { Producer::new(heap.clone()) };
        assert_eq!((second.outstanding(), second.free(4)), (3, 1));
    }

    #[test]
    fn ring_reads_the_wakeup_flag() {
        let heap = Heap::<u64>::new(4, 0);
        // SAFETY: the only producer.
        let producer = unsafe { Producer::new(heap.clone()) };
        assert!(!producer.needs_wakeup());
        heap.set_flags(1);
        assert!(producer.needs_wakeup());
        heap.set_flags(2);
        assert!(!producer.needs_wakeup(), "another flag");
    }

    #[test]
    fn ring_between_two_threads() {
        const ENTRIES: u64 = if cfg!(miri) { 200 } else { 200_000 };
        let (mut producer, mut consumer) = Heap::<(u64, u64)>::pair(8, u32::MAX - 2);
        let sender = std::thread::spawn(move || {
            for n in 0..ENTRIES {
                while producer.push((n, !n)).is_err() {
                    producer.commit();
                    std::thread::yield_now();
                }
                if n % 3 == 0 {
                    producer.commit();
                }
            }
            producer.commit();
        });
        let mut expected = 0;
        while expected < ENTRIES {
            match consumer.pop() {
                Some(entry) => {
                    assert_eq!(entry, (expected, !expected));
                    expected += 1;
                    if expected % 5 == 0 {
                        consumer.release();
                    }
                }
                None => {
                    consumer.release();
                    std::thread::yield_now();
                }
            }
        }
        sender.join().unwrap();
    }
}

/// Every interleaving of a ring of two slots through which three entries go, across the wrap.
#[cfg(loom)]
#[test]
fn ring_loom() {
    loom::model(|| {
        let (mut producer, mut consumer) = Heap::<u64>::pair(2, u32::MAX);
        let sender = loom::thread::spawn(move || {
            for n in 0..3 {
                while producer.push(n).is_err() {
                    loom::thread::yield_now();
                }
                producer.commit();
            }
        });
        for n in 0..3 {
            let entry = loop {
                if let Some(entry) = consumer.pop() {
                    break entry;
                }
                loom::thread::yield_now();
            };
            assert_eq!(entry, n);
            consumer.release();
        }
        sender.join().unwrap();
    });
}
