//! Copies of refused Accounting-Requests, so that people can try secrets on them: a few fixed buffers go round between
//! the workers and the control thread. A worker without a free buffer keeps no copy, and neither allocates nor waits.

use std::{net::SocketAddr, sync::Arc};

use crossbeam::queue::ArrayQueue;
use radius::MAX_LENGTH;

/// Buffers: what may be refused between two looks of the control thread. 64 take 256 KiB.
const BUFFERS: usize = 64;

/// One refused request: its octets are as long as its header says.
struct Specimen {
    source: SocketAddr,
    length: usize,
    buffer: [u8; MAX_LENGTH],
}

/// The buffers of all workers. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub struct Specimens {
    free: Arc<ArrayQueue<Box<Specimen>>>,
    taken: Arc<ArrayQueue<Box<Specimen>>>,
}

impl Specimens {
    pub(crate) fn new() -> Specimens {
        let specimens =
            Specimens { free: Arc::new(ArrayQueue::new(BUFFERS)), taken: Arc::new(ArrayQueue::new(BUFFERS)) };
        for _ in 0..BUFFERS {
            let source = SocketAddr::from(([0, 0, 0, 0], 0));
            specimens.give_back(Box::new(Specimen { source, length: 0, buffer: [0; MAX_LENGTH] }));
        }
        specimens
    }

    /// Shows sender and octets of what was kept, the oldest first, and takes the buffers back: at most as many as there
    /// are, however fast workers fill them again.
    pub fn look(&self, mut see: impl FnMut(SocketAddr, &[u8])) {
        for specimen in std::iter::from_fn(|| self.taken.pop()).take(BUFFERS) {
            see(specimen.source, &specimen.buffer[..specimen.length]);
            self.give_back(specimen);
        }
    }

    fn give_back(&self, specimen: Box<Specimen>) {
        // There is room: as many places as buffers.
        let _ = self.free.push(specimen);
    }

    /// Keeps a copy, if there is a free buffer. Whether there was one.
    #[must_use]
    pub(crate) fn keep(&self, source: SocketAddr, octets: &[u8]) -> bool {
        let Some(mut specimen) = self.free.pop() else { return false };
        let Some(buffer) = specimen.buffer.get_mut(..octets.len()) else {
            self.give_back(specimen);
            return false;
        };
        buffer.copy_from_slice(octets);
        (specimen.source, specimen.length) = (source, octets.len());
        // There is room, as above.
        self.taken.push(specimen).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_whole_and_never_more_than_there_are_buffers() {
        let specimens = Specimens::new();
        let from = SocketAddr::from(([192, 0, 2, 7], 1000));
        let kept = (0..BUFFERS + 10).filter(|number| specimens.keep(from, &[*number as u8; 20])).count();
        assert_eq!(kept, BUFFERS, "the newest find no buffer and are let go");
        let mut count = 0;
        specimens.look(|source, octets| {
            assert_eq!((source, octets), (from, &[count as u8; 20][..]));
            count += 1;
        });
        assert_eq!(count, BUFFERS);
        assert!(specimens.keep(from, &[1; 4096]) && !specimens.keep(from, &[1; 4097]));
        let mut lengths = Vec::new();
        specimens.look(|_, octets| lengths.push(octets.len()));
        assert_eq!(lengths, [4096]);
    }

    #[test]
    fn a_look_ends_however_fast_workers_keep_more() {
        let specimens = Specimens::new();
        let source = SocketAddr::from(([192, 0, 2, 7], 1000));
        assert!(specimens.keep(source, &[1; 20]));
        let mut count = 0;
        specimens.look(|source, octets| {
            count += 1;
            assert!(specimens.keep(source, octets));
        });
        assert_eq!(count, BUFFERS);
    }
}
