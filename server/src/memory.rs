//! How much memory the process has allocated: a thin count over the allocator.
//!
//! `maxmemory` needs the number at every write, so threads gather their own changes and add them
//! to the shared count 32 KiB at a time. It counts what Rust code asked for. What the base's C++
//! code holds, and what the allocator loses between objects, shows only in the resident size; with
//! a base that is looked at now and then, and the difference is added.
// A global allocator cannot be written without it; all it does is pass on and count.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use tikv_jemallocator::Jemalloc;

const STEP: i64 = 32 << 10;

static ALLOCATED: AtomicI64 = AtomicI64::new(0);
/// What the base holds outside of this allocator, bytes.
static ELSEWHERE: AtomicI64 = AtomicI64::new(0);

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

/// Bytes in use, to within 32 KiB a thread.
pub fn used() -> u64 {
    let used = ALLOCATED.load(Ordering::Relaxed) + ELSEWHERE.load(Ordering::Relaxed);
    used.max(0) as u64
}

/// Parts of the resident size, in twentieths, that count as in use: some is always freed and not
/// given back yet.
const IN_USE_TWENTIETHS: u64 = 19;

/// Says how much the base is known to hold, and how large the process is; `maxmemory` is the
/// limit. The difference between what was counted and what is resident counts as used, but for at
/// most a third of the limit: objects would leave memory for what their leaving does not free.
pub fn set_elsewhere(base: u64, resident: u64, maxmemory: u64) {
    let counted = ALLOCATED.load(Ordering::Relaxed).max(0) as u64;
    let missing = (resident / 20 * IN_USE_TWENTIETHS).saturating_sub(counted);
    let elsewhere = base.max(missing.min(maxmemory / 3));
    ELSEWHERE.store(elsewhere as i64, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_resident_and_not_counted_is_used_up_to_a_third_of_the_limit() {
        let counted = || used() - ELSEWHERE.load(Ordering::Relaxed) as u64;
        let elsewhere = |base, missing: u64, max| {
            set_elsewhere(base, (counted() + missing) / IN_USE_TWENTIETHS * 20, max);
            ELSEWHERE.load(Ordering::Relaxed) as u64 >> 20
        };
        let mib = 1 << 20;
        assert_eq!(elsewhere(7 * mib, 0, 300 * mib), 7, "what the base says counts at least");
        // Other tests allocate meanwhile.
        assert!((35..=45).contains(&elsewhere(7 * mib, 40 * mib, 300 * mib)));
        assert_eq!(elsewhere(7 * mib, 900 * mib, 300 * mib), 100);
        assert_eq!(elsewhere(7 * mib, 900 * mib, 0), 7);
    }
}
