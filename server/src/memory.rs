//! How much memory the process has allocated: a thin count over the allocator.
//!
//! `maxmemory` needs the number at every write, so threads gather their own changes and add them
//! to the shared count 32 KiB at a time. It counts what Rust code asked for. What the base's C++
//! code holds, and what the allocator loses between objects, shows only in the resident size; with
//! a base a thread watches that, and withholds from the objects what the rest takes.
// A global allocator cannot be written without it; all it does is pass on and count.
#![allow(unsafe_code)]

use crate::admin::info::process::resident_bytes;
use crate::node::Node;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tikv_jemallocator::Jemalloc;

const STEP: i64 = 32 << 10;

static ALLOCATED: AtomicI64 = AtomicI64::new(0);
/// What the base is known to hold outside of this allocator, bytes.
static ELSEWHERE: AtomicI64 = AtomicI64::new(0);
/// The part of `maxmemory` that is not for what this allocator hands out, bytes.
static WITHHELD: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static PENDING: Cell<i64> = const { Cell::new(0) };
}

pub struct Counting;

/// jemalloc's settings, read by it before `main`: what is freed goes back to the system within
/// seconds, also when a thread sleeps, because `maxmemory` looks at the resident size.
#[unsafe(export_name = "malloc_conf")]
static MALLOC_CONF: Option<&'static std::ffi::c_char> = {
    const TEXT: &std::ffi::CStr = c"background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0";
    // Safety: a C string has at least the byte that ends it.
    Some(unsafe { &*TEXT.as_ptr() })
};

#[inline]
fn count(change: i64) {
    // A thread that is ending has no cell any more: what it still frees is counted directly.
    let counted = PENDING.try_with(|pending| {
        let sum = pending.get() + change;
        if sum.abs() < STEP {
            pending.set(sum);
        } else {
            pending.set(0);
            ALLOCATED.fetch_add(sum, Ordering::Relaxed);
        }
    });
    if counted.is_err() {
        ALLOCATED.fetch_add(change, Ordering::Relaxed);
    }
}

// Safety: every call goes to jemalloc unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { Jemalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { Jemalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { Jemalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        unsafe { Jemalloc.realloc(pointer, layout, size) }
    }
}

fn counted() -> i64 {
    ALLOCATED.load(Ordering::Relaxed)
}

/// Bytes in use, to within 32 KiB a thread.
pub fn used() -> u64 {
    (counted() + ELSEWHERE.load(Ordering::Relaxed)).max(0) as u64
}

/// What is compared with `maxmemory`: bytes in use, and what else the process takes up.
pub fn charged() -> u64 {
    let others = ELSEWHERE.load(Ordering::Relaxed).max(WITHHELD.load(Ordering::Relaxed));
    (counted() + others).max(0) as u64
}

/// How long the watch rests: the shorter, the nearer the limit, because memory fills at up to
/// hundreds of megabytes a second.
const REST: Duration = Duration::from_millis(100);
const SHORT_REST: Duration = Duration::from_millis(10);

/// The loop of the thread that watches the size of a process with a base.
pub fn watch(node: &Node) {
    let Some(store) = &node.store else { return };
    let (mut withheld, mut last, mut asked) = (0, Instant::now(), None::<Instant>);
    while !node.stopping.load(Ordering::Relaxed) {
        // The base has a lock to take for its answer, and changes slowly.
        if asked.is_none_or(|at| at.elapsed() >= REST) {
            let stats = store.base.stats();
            let known = stats.block_cache_bytes + stats.table_readers_bytes;
            ELSEWHERE.store(known as i64, Ordering::Relaxed);
            asked = Some(Instant::now());
        }
        let max = node.space.settings().maxmemory;
        let counted = counted().max(0) as u64;
        withheld = withhold(withheld, counted, resident_bytes(), max, last.elapsed());
        last = Instant::now();
        WITHHELD.store(withheld as i64, Ordering::Relaxed);
        std::thread::sleep(if max > 0 && charged() > max / 4 * 3 { SHORT_REST } else { REST });
    }
}

/// How much of `max` is withheld from the objects, after `elapsed` in which `withheld` was.
///
/// When the process comes within a sixteenth of `max`, they get no more than they have (`counted`):
/// what newly comes fills the holes of what goes, and the process grows no further, but for what
/// the base needs for short. To take more from them would only make holes, so that is done slowly,
/// and only beyond `max`: then the holes are of sizes that nobody asks for any more, and close as
/// more goes. When there is room again they get it back as slowly. At most a third is ever
/// withheld.
fn withhold(withheld: u64, counted: u64, resident: u64, max: u64, elapsed: Duration) -> u64 {
    let step = max / 64 * elapsed.as_millis().min(1000) as u64 / 1000;
    let all_they_have = withheld.max(max.saturating_sub(counted));
    let near = max - max / 16;
    let next = if resident > max {
        all_they_have + step
    } else if resident > near {
        all_they_have
    } else if resident < near - max / 32 {
        withheld.saturating_sub(step)
    } else {
        withheld
    };
    next.min(max / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn objects_get_no_more_than_they_have_while_the_process_is_too_large() {
        assert_eq!(withhold(0, 200 * MIB, 239 * MIB, 256 * MIB, SECOND), 0);
        assert_eq!(withhold(0, 200 * MIB, 241 * MIB, 256 * MIB, SECOND), 56 * MIB);
        assert_eq!(withhold(60 * MIB, 200 * MIB, 255 * MIB, 256 * MIB, SECOND), 60 * MIB);
        assert_eq!(withhold(60 * MIB, 196 * MIB, 257 * MIB, 256 * MIB, SECOND), 64 * MIB);
    }

    #[test]
    fn a_third_is_the_most() {
        assert_eq!(withhold(0, MIB, 9000 * MIB, 300 * MIB, SECOND), 100 * MIB);
    }

    #[test]
    fn what_is_withheld_comes_back_slowly() {
        assert_eq!(withhold(60 * MIB, 196 * MIB, 235 * MIB, 256 * MIB, SECOND), 60 * MIB);
        assert_eq!(withhold(60 * MIB, 196 * MIB, 230 * MIB, 256 * MIB, SECOND), 56 * MIB);
        assert_eq!(withhold(60 * MIB, 196 * MIB, 230 * MIB, 256 * MIB, SECOND / 4), 59 * MIB);
        assert_eq!(withhold(MIB, 0, 230 * MIB, 256 * MIB, SECOND), 0);
    }
}
