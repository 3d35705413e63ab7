//! Counters of a running journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::JournalError;

/// Counters since opening; sizes in bytes, times in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Bytes written to segments.
    pub bytes_written: u64,
    /// Syncs of segments with data.
    pub fsyncs: u64,
    /// Length of the last sync.
    pub fsync_seconds_last: f64,
    /// Length of the longest sync.
    pub fsync_seconds_max: f64,
    /// Length of all syncs.
    pub fsync_seconds_total: f64,
    /// Entries appended.
    pub entries: u64,
    /// Segments there are.
    pub segments: u64,
    /// What poisoned the journal, or the last failed purge.
    pub last_error: Option<String>,
}

#[derive(Default)]
pub(super) struct Counters {
    pub bytes_written: AtomicU64,
    fsyncs: AtomicU64,
    last_us: AtomicU64,
    max_us: AtomicU64,
    total_us: AtomicU64,
    pub purge_error: parking_lot::Mutex<Option<String>>,
}

impl Counters {
    pub fn synced(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.fsyncs.fetch_add(1, Ordering::Relaxed);
        self.last_us.store(us, Ordering::Relaxed);
        self.max_us.fetch_max(us, Ordering::Relaxed);
        self.total_us.fetch_add(us, Ordering::Relaxed);
    }

    pub fn read(&self, entries: u64, segments: u64, poison: Option<&JournalError>) -> Stats {
        let seconds = |us: &AtomicU64| us.load(Ordering::Relaxed) as f64 / 1e6;
        Stats {
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            fsyncs: self.fsyncs.load(Ordering::Relaxed),
            fsync_seconds_last: seconds(&self.last_us),
            fsync_seconds_max: seconds(&self.max_us),
            fsync_seconds_total: seconds(&self.total_us),
            entries,
            segments,
            last_error: poison.map(ToString::to_string).or_else(|| self.purge_error.lock().clone()),
        }
    }
}
