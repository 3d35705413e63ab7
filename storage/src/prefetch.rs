//! Asks the processor to bring memory near before it is needed.
// The instruction cannot be had otherwise; it reads nothing and never faults.
#![allow(unsafe_code)]

/// Begins to fetch the cache line at the beginning of `item`; a hint, without any effect that a
/// program could see. Does nothing where the processor is not known.
#[inline]
pub(crate) fn prefetch<T: ?Sized>(item: &T) {
    #[cfg(target_arch = "x86_64")]
    // Safety: a prefetch of any address is allowed.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}
