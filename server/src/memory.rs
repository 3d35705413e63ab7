//! How much memory the process has allocated: a thin count over the allocator.
//!
//! `maxmemory` needs the number at every write, so threads gather their own changes and add them
//! to the shared count 32 KiB at a time. It counts what Rust code asked for; the base's C++ memory
//! is asked of RocksDB and added by the store.
// A global allocator cannot be written without it; all it does is pass on and count.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

const STEP: i64 = 32 << 10;

static ALLOCATED: AtomicI64 = AtomicI64::new(0);
/// What the base holds outside of this allocator, bytes.
static ELSEWHERE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static PENDING: Cell<i64> = const { Cell::new(0) };
}

pub struct Counting;

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

// Safety: every call goes to mimalloc unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { mimalloc::MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { mimalloc::MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { mimalloc::MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        unsafe { mimalloc::MiMalloc.realloc(pointer, layout, size) }
    }
}

/// Bytes in use, to within 32 KiB a thread.
pub fn used() -> u64 {
    let used = ALLOCATED.load(Ordering::Relaxed) + ELSEWHERE.load(Ordering::Relaxed);
    used.max(0) as u64
}

/// Says how much the base holds.
pub fn set_elsewhere(bytes: u64) {
    ELSEWHERE.store(bytes as i64, Ordering::Relaxed);
}
