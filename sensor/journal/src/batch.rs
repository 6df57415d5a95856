//! `Batch`: a preallocated run of records, filled by a worker, sealed and written by the writer.

use crate::NewRecord;
use crate::codec::{self, BATCH_HEADER, BatchHeader, MAX_RECORD_OVERHEAD};

/// There is no room for the record: submit this batch and take another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch is full")]
pub struct BatchFull;

/// Records on their way to the journal. Its memory is allocated once, when its port is made; it can only be moved:
/// from the port's free ones to the worker, to the writer, and back with an [`Outcome`](crate::Outcome).
#[derive(Debug)]
pub struct Batch {
    /// Room for the header, the sensor's name, the records; after sealing, padding and checksum too.
    octets: Vec<u8>,
    records_end: usize,
    count: u32,
    max_records: u32,
    /// Bound of `octets.len()`, padding and checksum included.
    max_octets: usize,
    prefix: usize,
    slot: usize,
}

impl Batch {
    pub(crate) fn new(sensor: &str, slot: usize, max_octets: usize, max_records: u32) -> Self {
        let mut octets = Vec::with_capacity(max_octets);
        octets.resize(BATCH_HEADER, 0);
        octets.extend_from_slice(sensor.as_bytes());
        let prefix = octets.len();
        Self { octets, records_end: prefix, count: 0, max_records, max_octets, prefix, slot }
    }

    /// Copies `record` in and returns its request's octets, so that the caller can blank passwords in them before
    /// they are written. Allocates nothing. A client name beyond 255 octets is cut.
    ///
    /// # Errors
    /// [`BatchFull`] when octets or records have reached their limit; the batch is unchanged.
    pub fn append(&mut self, record: &NewRecord<'_>) -> Result<&mut [u8], BatchFull> {
        let length = codec::record_length(record);
        if self.count == self.max_records
            || record.octets.len() > usize::from(u16::MAX)
            || codec::sealed_length(self.octets.len() + length) > self.max_octets
        {
            return Err(BatchFull);
        }
        codec::push_record(&mut self.octets, record);
        self.records_end = self.octets.len();
        self.count += 1;
        let request = self.records_end - record.octets.len();
        Ok(&mut self.octets[request..])
    }

    /// Records in it.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of this batch within its port, from 0 to below the port's batches, the same for good.
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// A request of `octets` octets will fit, whatever its addresses and client.
    pub fn has_room(&self, octets: usize) -> bool {
        self.count < self.max_records
            && octets <= usize::from(u16::MAX)
            && codec::sealed_length(self.octets.len() + MAX_RECORD_OVERHEAD + octets) <= self.max_octets
    }

    /// Octets it will take in a segment.
    pub(crate) fn sealed_length(&self) -> usize {
        codec::sealed_length(self.records_end)
    }

    /// Gives it its place. Can be done again with another one: a batch whose write failed moves to a new segment.
    pub(crate) fn seal(&mut self, first_sequence: u64, watermark: u64, salt: u64) {
        self.octets.truncate(self.records_end);
        let header = BatchHeader {
            count: self.count,
            first_sequence,
            watermark,
            salt,
            sensor_length: (self.prefix - BATCH_HEADER) as u8,
            records_length: (self.records_end - self.prefix) as u32,
        };
        codec::seal(&mut self.octets, &header);
    }

    /// What goes into the segment, after [`seal`](Self::seal).
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(crate) fn clear(&mut self) {
        self.octets.truncate(self.prefix);
        self.records_end = self.prefix;
        self.count = 0;
    }
}
