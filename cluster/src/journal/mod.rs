//! The durable ordered log of a shard, solo shape: one node, no consensus code (Mach I).
//!
//! Intuition: a command changes memory, its batch is *appended* to a buffer in memory, once per
//! turn of a core's loop the buffer is *written*, on the journal's own thread the file is
//! *synced*, and a reply goes out when its entry is *released*:
//!
//! ```text
//! append (buffer lock)  ->  flush (write lock, write(2))  ->  sync_step (fdatasync)
//! end                   ->  written                       ->  synced
//!                           released: everysec, no            released: always
//! ```
//!
//! Rules: order in the file is order of appending; positions never go back; a failed write or
//! sync poisons the journal for good (RELIABILITY.md 1); what is read is released and whole.
//! Every entry carries (term, node, index), entry 0 is the membership and each start votes a new
//! term, so that this log is the log of a one-voter group (C4, C5).
//!
//! Limits: the journal keeps no batch in memory after it is written; readers read the files.

mod check;
mod clean;
mod dir;
mod entry;
mod error;
mod gather;
mod open;
mod options;
mod read;
mod record;
mod recover;
mod scan;
mod segment;
mod stats;
mod sync;
#[cfg(test)]
mod tests;
mod write;

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex, RwLock};

pub use check::{CheckReport, SegmentReport, check};
pub use dir::{DataDir, Identity};
pub use entry::{Batches, Entry, LogId};
pub use error::{JournalError, OpenError};
pub use open::{Cut, Opened};
pub use options::{Clock, Driver, Options, Sync};
pub use stats::Stats;

use crate::files::Files;
use gather::Gather;
use segment::Segment;
use sync::Wake;
use write::Writing;

type Callback<T> = OnceLock<Box<dyn Fn(T) + Send + std::marker::Sync>>;

/// The journal of one shard. Clones are the same journal; use it from any thread.
#[derive(Clone)]
pub struct Journal(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What cores and the journal's thread share. Lock order: `syncing`, `writing`, then `gather` or
/// `wake` or `segments`, none of which is held while another is taken or a file is touched.
struct Shared {
    files: Arc<dyn Files>,
    options: Options,
    gather: Mutex<Gather>,
    writing: Mutex<Writing>,
    syncing: Mutex<()>,
    wake: Mutex<Wake>,
    waker: Condvar,
    segments: RwLock<Vec<Arc<Segment>>>,
    end: AtomicU64,
    written: AtomicU64,
    synced: AtomicU64,
    released: AtomicU64,
    policy: AtomicU8,
    reserve_low: AtomicBool,
    /// At how many bytes written the reserve is reached if nobody else writes to the disk.
    reserve_at: AtomicU64,
    poison: OnceLock<JournalError>,
    on_release: Callback<u64>,
    on_fatal: Callback<JournalError>,
    stats: stats::Counters,
}

impl Journal {
    /// Adds one atomic batch to the entry being gathered and returns the index a reply to it
    /// waits for: of the entry that holds it, or of the last entry of its run (C6).
    ///
    /// Called while the locks of all partitions the batch touched are held, so that order in the
    /// journal is order of execution: one short lock, a copy, no I/O. On a poisoned journal the
    /// batch goes nowhere and [`flush`](Self::flush) says so.
    pub fn append(&self, batch: &[u8], now_ms: u64) -> u64 {
        let shared = &self.0.shared;
        let mut gather = shared.gather.lock();
        let index = gather.add(batch, now_ms, shared.options.entry_bytes_max);
        shared.end.store(index, Ordering::Release);
        index
    }

    /// Index of the last entry appended to: what a reply executed now waits for.
    pub fn end(&self) -> u64 {
        self.0.shared.end.load(Ordering::Acquire)
    }

    /// Index up to which entries are in the files, perhaps only in the operating system's cache.
    pub fn written(&self) -> u64 {
        self.0.shared.written.load(Ordering::Acquire)
    }

    /// Index up to which entries survive a power cut.
    pub fn synced(&self) -> u64 {
        self.0.shared.synced.load(Ordering::Acquire)
    }

    /// Index up to which entries are committed: written, or synced under [`Sync::Always`].
    pub fn released(&self) -> u64 {
        self.0.shared.released.load(Ordering::Acquire)
    }

    /// (generation, first lost index) of the last appended entries that will never be committed
    /// (C5). A solo journal loses none but by ending: always `None`.
    pub fn lost(&self) -> Option<(u64, u64)> {
        None
    }

    /// Registers what is called, on the syncing thread, after [`released`](Self::released) moved
    /// because of a sync or a change of policy; not after a [`flush`](Self::flush) moved it, for
    /// the flushing core knows. Only the first registration counts.
    pub fn on_release(&self, f: Box<dyn Fn(u64) + Send + std::marker::Sync>) {
        let _ = self.0.shared.on_release.set(f);
    }

    /// Registers what is called once when the journal is poisoned, on the thread that saw it; at
    /// once if it already is. Only the first registration counts.
    pub fn on_fatal(&self, f: Box<dyn Fn(JournalError) + Send + std::marker::Sync>) {
        let shared = &self.0.shared;
        if shared.on_fatal.set(f).is_ok()
            && let (Some(error), Some(f)) = (shared.poison.get(), shared.on_fatal.get())
            && *error != JournalError::Closed
        {
            f(error.clone());
        }
    }

    /// Whether free disk is below the reserve, as of at most 200 ms ago or as soon as the
    /// journal alone has used up what was free then: the Writer refuses writes with `-MISCONF`.
    pub fn reserve_low(&self) -> bool {
        self.0.shared.reserve_low.load(Ordering::Relaxed)
    }

    /// Counters since opening.
    pub fn stats(&self) -> Stats {
        let shared = &self.0.shared;
        let segments = shared.segments.read().len() as u64;
        let entries = shared.gather.lock().entries();
        shared.stats.read(entries, segments, shared.poison.get())
    }
}

impl Shared {
    fn check(&self) -> Result<(), JournalError> {
        self.poison.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// The last segment: the one being written.
    fn current(&self) -> Option<Arc<Segment>> {
        self.segments.read().last().cloned()
    }

    /// Ends the journal's life: all later calls answer the first error.
    fn poison(&self, error: JournalError) -> JournalError {
        if self.poison.set(error.clone()).is_ok() {
            tracing::error!(%error, "the journal failed and will not be used again");
            if let Some(f) = self.on_fatal.get() {
                f(error.clone());
            }
        }
        self.poison.get().cloned().unwrap_or(error)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop_thread();
    }
}
