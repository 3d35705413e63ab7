//! How often each command ran and how long it took.
//!
//! Every core has cells of its own, written by it alone with plain loads and stores of atomics, so
//! that counting costs a nanosecond; readers add them up.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bucket `i` counts executions of less than `2^i` microseconds, the last one all others.
pub const BUCKETS: usize = 24;

#[derive(Default)]
pub struct Cell {
    pub calls: AtomicU64,
    pub nanos: AtomicU64,
    /// Refused before they ran.
    pub rejected: AtomicU64,
    /// Answered with an error.
    pub failed: AtomicU64,
    pub latency: [AtomicU64; BUCKETS],
}

/// The sum of a command's cells.
#[derive(Default, Clone, Debug)]
pub struct Total {
    pub calls: u64,
    pub nanos: u64,
    pub rejected: u64,
    pub failed: u64,
    pub latency: [u64; BUCKETS],
}

pub struct Measures {
    /// `[core][command]`, each by itself: as one piece they would be the only allocation of their
    /// size, for which the allocator reserves half a megabyte.
    cells: Vec<Box<[Box<Cell>]>>,
}

#[inline]
fn add(cell: &AtomicU64, n: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

impl Measures {
    pub fn new(cores: usize, commands: usize) -> Measures {
        let core = || (0..commands).map(|_| Box::default()).collect();
        Measures { cells: (0..cores).map(|_| core()).collect() }
    }

    fn cell(&self, core: usize, command: usize) -> Option<&Cell> {
        self.cells.get(core)?.get(command).map(|cell| &**cell)
    }

    /// Called by `core` only.
    #[inline]
    pub fn ran(&self, core: usize, command: usize, nanos: u64, failed: bool) {
        let Some(cell) = self.cell(core, command) else { return };
        add(&cell.calls, 1);
        add(&cell.nanos, nanos);
        let bucket = (64 - (nanos / 1000).leading_zeros() as usize).min(BUCKETS - 1);
        if let Some(count) = cell.latency.get(bucket) {
            add(count, 1);
        }
        if failed {
            add(&cell.failed, 1);
        }
    }

    /// Called by `core` only.
    pub fn rejected(&self, core: usize, command: usize) {
        if let Some(cell) = self.cell(core, command) {
            add(&cell.rejected, 1);
        }
    }

    pub fn total(&self, command: usize) -> Total {
        let mut total = Total::default();
        for cell in self.cells.iter().filter_map(|core| core.get(command)) {
            total.calls += cell.calls.load(Ordering::Relaxed);
            total.nanos += cell.nanos.load(Ordering::Relaxed);
            total.rejected += cell.rejected.load(Ordering::Relaxed);
            total.failed += cell.failed.load(Ordering::Relaxed);
            for (sum, count) in total.latency.iter_mut().zip(&cell.latency) {
                *sum += count.load(Ordering::Relaxed);
            }
        }
        total
    }

    /// Commands executed so far, all kinds.
    pub fn calls(&self) -> u64 {
        let cells = self.cells.iter().flat_map(|core| core.iter());
        cells.map(|cell| cell.calls.load(Ordering::Relaxed)).sum()
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&self) {
        for cell in self.cells.iter().flat_map(|core| core.iter()) {
            let counts = [&cell.calls, &cell.nanos, &cell.rejected, &cell.failed];
            counts.into_iter().chain(&cell.latency).for_each(|n| n.store(0, Ordering::Relaxed));
        }
    }
}
