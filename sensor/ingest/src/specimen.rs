//! Copies of refused Accounting-Requests, so that people can try secrets on them: a few fixed buffers go round between
//! the workers and the control thread. A worker without a free buffer keeps no copy, and neither allocates nor waits.

use std::{fmt, net::SocketAddr, sync::Arc};

use crossbeam::queue::ArrayQueue;
use radius::MAX_LENGTH;

/// Buffers: what may be refused between two looks of the control thread. 64 take 256 KiB.
const BUFFERS: usize = 64;

/// One refused request.
#[derive(Clone)]
pub struct Specimen {
    /// Who sent it.
    pub source: SocketAddr,
    length: usize,
    buffer: [u8; MAX_LENGTH],
}

impl Specimen {
    /// The request as it was sent, as long as its header says.
    pub fn octets(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl fmt::Debug for Specimen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Specimen").field("source", &self.source).finish_non_exhaustive()
    }
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

    /// The oldest that was kept. To be given back.
    pub fn next(&self) -> Option<Box<Specimen>> {
        self.taken.pop()
    }

    /// Its buffer can be used again.
    pub fn give_back(&self, specimen: Box<Specimen>) {
        // There is room: as many places as buffers.
        let _ = self.free.push(specimen);
    }

    /// Keeps a copy, if there is a free buffer.
    pub(crate) fn keep(&self, source: SocketAddr, octets: &[u8]) {
        let Some(mut specimen) = self.free.pop() else { return };
        let Some(buffer) = specimen.buffer.get_mut(..octets.len()) else { return self.give_back(specimen) };
        buffer.copy_from_slice(octets);
        (specimen.source, specimen.length) = (source, octets.len());
        if let Err(specimen) = self.taken.push(specimen) {
            self.give_back(specimen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_whole_and_never_more_than_there_are_buffers() {
        let specimens = Specimens::new();
        let source = SocketAddr::from(([192, 0, 2, 7], 1000));
        for number in 0..BUFFERS + 10 {
            specimens.keep(source, &[number as u8; 20]);
        }
        let mut count = 0;
        while let Some(specimen) = specimens.next() {
            assert_eq!((specimen.source, specimen.octets()), (source, &[count as u8; 20][..]));
            count += 1;
            specimens.give_back(specimen);
        }
        assert_eq!(count, BUFFERS, "the newest find no buffer and are let go");
        specimens.keep(source, &[1; 4096]);
        specimens.keep(source, &[1; 4097]);
        assert_eq!(specimens.next().unwrap().octets().len(), 4096);
        assert!(specimens.next().is_none());
    }
}
