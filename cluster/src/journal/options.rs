//! What a journal is opened with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest `entry_bytes_max` used; keeps a record's length and a reader's buffer small.
pub(super) const ENTRY_BYTES_MAX: usize = 8 << 20;
/// Smallest segment used: less would be all openings.
const SEGMENT_BYTES_MIN: u64 = 512;

/// When the journal is synced: Redis's `appendfsync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// An entry is committed when it is synced; one sync serves all that wait.
    Always,
    /// Committed when written; nothing stays unsynced for longer than a second.
    EverySec,
    /// Committed when written; the operating system syncs when it likes.
    No,
}

/// Monotonic time since some fixed instant.
pub type Clock = Arc<dyn Fn() -> Duration + Send + std::marker::Sync>;

/// Who runs [`Journal::sync_step`](super::Journal::sync_step).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The journal's own thread.
    Thread,
    /// The caller: simulations, with their own clock.
    Steps,
}

/// What a journal is opened with; [`Options::new`] has the defaults.
#[derive(Clone)]
pub struct Options {
    /// Directory of the segments, the journal's alone.
    pub dir: PathBuf,
    /// Can be changed while it runs.
    pub sync: Sync,
    /// Most bytes of a segment; one larger record makes a larger segment.
    pub segment_bytes: u64,
    /// Most payload bytes of an entry; a larger batch becomes a run (C6).
    pub entry_bytes_max: usize,
    /// Free disk below which writes are refused; `None`: the smaller of 5 % and 1 GiB.
    pub reserve_bytes: Option<u64>,
    /// The cluster the directory belongs to; another cluster's journal is refused.
    pub cluster_id: u64,
    /// This node, in log ids.
    pub node: u64,
    /// See [`boot_id`](crate::files::boot_id); 0 is unknown.
    pub boot_id: u128,
    /// Who syncs.
    pub driver: Driver,
    /// Monotonic time.
    pub clock: Clock,
}

impl Options {
    /// Defaults for a journal in `dir`: everysec, 64 MiB segments, 64 KiB entries.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let start = Instant::now();
        Self {
            dir: dir.into(),
            sync: Sync::EverySec,
            segment_bytes: 64 << 20,
            entry_bytes_max: 64 << 10,
            reserve_bytes: None,
            cluster_id: 0,
            node: 1,
            boot_id: 0,
            driver: Driver::Thread,
            clock: Arc::new(move || start.elapsed()),
        }
    }

    pub(super) fn bounded(mut self) -> Self {
        self.segment_bytes = self.segment_bytes.max(SEGMENT_BYTES_MIN);
        self.entry_bytes_max = self.entry_bytes_max.clamp(1, ENTRY_BYTES_MAX);
        self
    }
}

impl Sync {
    pub(super) fn to_byte(self) -> u8 {
        match self {
            Self::Always => 0,
            Self::EverySec => 1,
            Self::No => 2,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Always,
            1 => Self::EverySec,
            _ => Self::No,
        }
    }
}
