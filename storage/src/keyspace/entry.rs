//! A resident object: key, value, deadline, and one word of metadata.
//!
//! The word holds the bucket label, Redis's 24-bit LRU or LFU clock, the *feed epoch* in which the
//! object was last changed, and how often it was used. 64 bytes in all: one cache line.

use crate::bytes::SmallBytes;
use crate::objects::Value;

const NO_DEADLINE: i64 = i64::MIN;
const CLOCK_BITS: u32 = 24;
const EPOCH_BITS: u32 = 24;
const EPOCH_SHIFT: u32 = CLOCK_BITS;
const USES_SHIFT: u32 = EPOCH_SHIFT + EPOCH_BITS;
const USES_BITS: u32 = 2;
const USES_MAX: u64 = (1 << USES_BITS) - 1;
const BUCKET_SHIFT: u32 = USES_SHIFT + USES_BITS;

/// Feed epochs are below this; the keyspace begins again at 1 before it is reached.
pub const EPOCH_END: u32 = 1 << EPOCH_BITS;
/// LRU clocks and LFU words are below this.
pub const CLOCK_END: u32 = 1 << CLOCK_BITS;

#[derive(Clone)]
pub struct Entry {
    pub key: SmallBytes,
    pub value: Value,
    deadline: i64,
    meta: u64,
}

impl Entry {
    /// `bucket` is `1..=16384`.
    pub fn new(key: &[u8], value: Value, bucket: u16, epoch: u32, clock: u32) -> Entry {
        let mut entry = Entry {
            key: SmallBytes::new(key),
            value,
            deadline: NO_DEADLINE,
            meta: u64::from(bucket - 1) << BUCKET_SHIFT,
        };
        entry.set_epoch(epoch);
        entry.set_clock(clock);
        entry
    }

    /// Milliseconds since the epoch.
    #[inline]
    pub fn deadline(&self) -> Option<i64> {
        (self.deadline != NO_DEADLINE).then_some(self.deadline)
    }

    pub fn set_deadline(&mut self, deadline: Option<i64>) {
        self.deadline = deadline.unwrap_or(NO_DEADLINE);
    }

    #[inline]
    pub fn is_due(&self, now: i64) -> bool {
        self.deadline != NO_DEADLINE && self.deadline <= now
    }

    /// The label, `1..=16384`.
    pub fn bucket(&self) -> u16 {
        (self.meta >> BUCKET_SHIFT) as u16 + 1
    }

    /// LRU: seconds modulo 2^24; LFU: minutes modulo 2^16, then the 8-bit counter.
    #[inline]
    pub fn clock(&self) -> u32 {
        self.meta as u32 & (CLOCK_END - 1)
    }

    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        let mask = u64::from(CLOCK_END - 1);
        self.meta = (self.meta & !mask) | (u64::from(clock) & mask);
    }

    /// The feed epoch of the last change.
    #[inline]
    pub fn epoch(&self) -> u32 {
        (self.meta >> EPOCH_SHIFT) as u32 & (EPOCH_END - 1)
    }

    #[inline]
    pub fn set_epoch(&mut self, epoch: u32) {
        let mask = u64::from(EPOCH_END - 1) << EPOCH_SHIFT;
        self.meta = (self.meta & !mask) | ((u64::from(epoch) << EPOCH_SHIFT) & mask);
    }

    /// How often it was used, up to 3, less what it has aged.
    #[inline]
    pub fn uses(&self) -> u64 {
        self.meta >> USES_SHIFT & USES_MAX
    }

    /// Counts a use.
    #[inline]
    pub fn used_again(&mut self) {
        if self.uses() < USES_MAX {
            self.meta += 1 << USES_SHIFT;
        }
    }

    /// Forgets one use.
    pub fn age(&mut self) {
        if self.uses() > 0 {
            self.meta -= 1 << USES_SHIFT;
        }
    }

    /// Estimated bytes with the slot in the table, for MEMORY USAGE.
    pub fn bytes(&self, samples: usize) -> usize {
        size_of::<Entry>() + 18 + self.key.heap_bytes() + self.value.heap_bytes(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Str;

    #[test]
    fn the_fields_of_the_metadata_word_do_not_touch() {
        let value = || Value::Str(Str::new(b"v"));
        let mut entry = Entry::new(b"k", value(), 16384, EPOCH_END - 1, CLOCK_END - 1);
        entry.set_clock(5);
        assert_eq!((entry.bucket(), entry.epoch(), entry.clock()), (16384, EPOCH_END - 1, 5));
        entry.set_epoch(1);
        assert_eq!((entry.bucket(), entry.epoch(), entry.clock()), (16384, 1, 5));
        (0..5).for_each(|_| entry.used_again());
        let fields = |e: &Entry| (e.bucket(), e.uses(), e.epoch(), e.clock());
        assert_eq!(fields(&entry), (16384, 3, 1, 5));
        (0..5).for_each(|_| entry.age());
        assert_eq!(fields(&entry), (16384, 0, 1, 5));
        let entry = Entry::new(b"k", value(), 1, 0, 0);
        assert_eq!((entry.bucket(), entry.epoch(), entry.clock()), (1, 0, 0));
        assert_eq!(entry.deadline(), None);
        assert_eq!(size_of::<Entry>(), 64);
    }
}
