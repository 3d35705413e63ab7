//! The journal's promises, on a simulated disk.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod damage;
mod dirs;
mod life;
mod power;
mod real;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::files::{CrashMode, SimFiles};

/// A disk, a clock, and what to open a journal with.
struct Bench {
    disk: SimFiles,
    now_ms: Arc<AtomicU64>,
    options: Options,
}

impl Bench {
    fn new(sync: Sync) -> Self {
        let now_ms = Arc::new(AtomicU64::new(0));
        let clock = now_ms.clone();
        let mut options = Options::new("/data/journal");
        options.sync = sync;
        options.driver = Driver::Steps;
        options.cluster_id = 77;
        options.clock = Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed)));
        Self { disk: SimFiles::new(), now_ms, options }
    }

    fn open(&self, base_index: u64) -> Result<(Journal, Opened), OpenError> {
        let mut options = self.options.clone();
        options.boot_id = self.disk.boot_id();
        Journal::open(Arc::new(self.disk.clone()), options, base_index)
    }

    fn step(&self, journal: &Journal, advance_ms: u64) -> Result<(), JournalError> {
        let now = self.now_ms.fetch_add(advance_ms, Ordering::Relaxed) + advance_ms;
        journal.sync_step(Duration::from_millis(now)).map(drop)
    }

    fn segments(&self) -> Vec<PathBuf> {
        let dir = Path::new("/data/journal");
        let names = self.disk.list(dir).unwrap();
        names.iter().filter(|name| name.ends_with(".seg")).map(|name| dir.join(name)).collect()
    }

    /// Plants a changed copy of a file.
    fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.disk.contents(path).unwrap();
        change(&mut bytes);
        self.disk.plant(path, &bytes);
    }
}

/// All batches from `from` on, read in bites of `max_bytes`, each with its entry's index.
fn read_all(journal: &Journal, mut from: u64, max_bytes: usize) -> Vec<(u64, Vec<u8>)> {
    let mut all = Vec::new();
    loop {
        let entries = journal.read(from, max_bytes).unwrap();
        let Some(last) = entries.last() else { return all };
        from = last.id.index + 1;
        for entry in &entries {
            all.extend(entry.batches().map(|batch| (entry.id.index, batch.to_vec())));
        }
    }
}

/// Appends numbered batches, one entry each.
fn fill(journal: &Journal, count: u64) -> Vec<(u64, Vec<u8>)> {
    let batch = |i: u64| format!("batch {i:06} {}", "x".repeat(40)).into_bytes();
    let write = |i| {
        let batch = batch(i);
        let index = journal.append(&batch, 1000 + i);
        journal.flush(index).unwrap();
        (index, batch)
    };
    (0..count).map(write).collect()
}
