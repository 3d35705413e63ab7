//! The buffer that batches are appended to: records, complete but for their checksums.
//!
//! This is the hot path, once per write command under a lock that all cores share, so it copies
//! the batch and does nothing else: checksums are computed at the flush, outside of the lock.

use super::LogId;
use super::record::{self, FIRST, HEAD, Kind, LAST};

/// Bytes of a batch's length.
const LENGTH: usize = 4;

pub(super) struct Gather {
    records: Vec<u8>,
    /// Where the entry begins that still takes batches.
    open: Option<usize>,
    next: LogId,
    time_ms: u64,
    entries: u64,
}

impl Gather {
    /// Entries begin at `next`, their times at `time_ms`.
    pub fn new(next: LogId, time_ms: u64) -> Self {
        Self { records: Vec::new(), open: None, next, time_ms, entries: 0 }
    }

    /// Adds a batch; returns the index of the last entry that has a part of it.
    pub fn add(&mut self, batch: &[u8], now_ms: u64, entry_bytes_max: usize) -> u64 {
        self.time_ms = self.time_ms.max(now_ms);
        let size = batch.len().saturating_add(LENGTH);
        if size > entry_bytes_max {
            return self.add_run(batch, entry_bytes_max);
        }
        match self.open {
            Some(at) if self.payload(at).saturating_add(size) <= entry_bytes_max => {
                record::set_time(&mut self.records, at, self.time_ms);
            }
            _ => {
                self.close();
                self.open = Some(self.records.len());
                self.begin(Kind::Entry, FIRST | LAST);
            }
        }
        // Fits: `entry_bytes_max` is at most `ENTRY_BYTES_MAX`.
        let length = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        self.records.extend_from_slice(&length.to_le_bytes());
        self.records.extend_from_slice(batch);
        self.next.index.wrapping_sub(1)
    }

    /// Adds the entry that names the voters: this node alone.
    pub fn add_membership(&mut self) {
        self.close();
        let at = self.records.len();
        self.begin(Kind::Membership, FIRST | LAST);
        let node = self.next.node;
        self.records.extend_from_slice(&1u32.to_le_bytes());
        self.records.extend_from_slice(&node.to_le_bytes());
        record::finish(&mut self.records, at);
    }

    /// Gives away what was gathered, in exchange for an empty buffer; returns the last index.
    pub fn take(&mut self, empty: &mut Vec<u8>) -> u64 {
        self.close();
        std::mem::swap(&mut self.records, empty);
        self.next.index.wrapping_sub(1)
    }

    /// Entries gathered since opening.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    fn add_run(&mut self, batch: &[u8], entry_bytes_max: usize) -> u64 {
        self.close();
        let count = batch.len().div_ceil(entry_bytes_max.max(1));
        let heads = count.saturating_mul(HEAD);
        self.records.reserve(batch.len().saturating_add(heads));
        for (i, part) in batch.chunks(entry_bytes_max.max(1)).enumerate() {
            let first = if i == 0 { FIRST } else { 0 };
            let at = self.records.len();
            self.begin(Kind::Entry, first);
            self.records.extend_from_slice(part);
            record::finish(&mut self.records, at);
        }
        // An entry with both marks is a row of batches, so a run of one part needs an end of its
        // own; an empty last entry serves runs of every length.
        let at = self.records.len();
        self.begin(Kind::Entry, LAST);
        record::finish(&mut self.records, at);
        self.next.index.wrapping_sub(1)
    }

    fn begin(&mut self, kind: Kind, marks: u8) {
        record::begin(&mut self.records, kind, marks, self.next, self.time_ms);
        self.next.index = self.next.index.wrapping_add(1);
        self.entries = self.entries.wrapping_add(1);
    }

    fn payload(&self, at: usize) -> usize {
        self.records.len().saturating_sub(at).saturating_sub(HEAD)
    }

    fn close(&mut self) {
        if let Some(at) = self.open.take() {
            record::finish(&mut self.records, at);
        }
    }
}
