//! Journal and base of this node: opening, replaying the tail, feeding, saving.

mod expire;
mod feed;
mod feeder;
mod load;
mod replay;
mod rewind;
mod save;
#[cfg(test)]
mod tests;

pub use feed::feed_loop;
pub use feeder::Feeder;
pub use replay::{replay, settle};

use cluster::journal::{DataDir, Identity, Journal, JournalError};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use storage::base::Base;

/// Bytes of journal read at once where nobody counts memory.
const READ_BYTES: usize = 4 << 20;

pub struct Store {
    pub journal: Journal,
    pub base: Arc<dyn Base>,
    /// Keeps the lock on the directory.
    pub dir: DataDir,
    /// Writes have to wait until the base has caught up.
    pub lagging: AtomicBool,
    /// A feed is under way: until it ends, objects it has put into the base may not leave memory.
    pub feeding: AtomicBool,
    pub feeder: Feeder,
    /// Held during each ingest: while it is, the base's index moves.
    pub ingesting: Mutex<()>,
    /// With `loaded`: tells those who wait for another's load of the same key.
    pub load_ended: Mutex<()>,
    pub loaded: Condvar,
    pub fed_bytes: AtomicU64,
    pub feeds: AtomicU64,
    pub feed_micros: AtomicU64,
}

impl Store {
    pub fn new(journal: Journal, base: Arc<dyn Base>, dir: DataDir) -> Store {
        Store {
            journal,
            base,
            dir,
            lagging: AtomicBool::new(false),
            feeding: AtomicBool::new(false),
            feeder: Feeder::default(),
            ingesting: Mutex::default(),
            load_ended: Mutex::default(),
            loaded: Condvar::new(),
            fed_bytes: AtomicU64::new(0),
            feeds: AtomicU64::new(0),
            feed_micros: AtomicU64::new(0),
        }
    }

    pub fn is_lagging(&self) -> bool {
        self.lagging.load(Ordering::Relaxed)
    }

    /// Whether the base lacks changes, or the feed that brought the last ones has not ended.
    pub fn is_behind(&self) -> bool {
        self.journal.end() > self.base.index() || self.feeding.load(Ordering::Acquire)
    }

    /// Bytes of journal that are not in the base yet.
    pub fn lag_bytes(&self) -> u64 {
        let index = self.base.index();
        if self.journal.end() > index { self.journal.bytes_since(index) } else { 0 }
    }

    /// A failed write or sync of the journal: nothing that was not acknowledged may be later, so
    /// the process ends at once (RELIABILITY.md section 1).
    pub fn fatal(&self, error: &str) -> ! {
        tracing::error!("the journal cannot be written, the process ends: {error}");
        std::process::exit(74)
    }
}

/// The identity a new directory gets.
pub fn fresh_identity(buckets: u16, tag: String, seed: Option<u64>) -> Identity {
    let random = || fastrand::u64(1..);
    Identity {
        cluster_id: random(),
        buckets: u32::from(buckets),
        bucket_tag: tag,
        hash_seed: seed.unwrap_or_else(random),
    }
}

/// What the journal says when it cannot go on.
pub fn on_fatal(error: JournalError) {
    tracing::error!("the journal cannot be written, the process ends: {error}");
    std::process::exit(74)
}
