//! Keys with what finds them: the hash that orders a partition, and the slot that chooses it.

use crate::bucket::{SLOTS, Tag};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Number of partitions: each holds 16 neighbouring slots, about one bucket of a thousand, so a
/// SCAN that looks for one bucket walks little else.
pub const PARTITIONS: usize = 1024;

static HASH_SEED: AtomicU64 = AtomicU64::new(0);

/// Sets the seed of [`hash32`]; once, before any key is stored. It belongs to the data directory
/// and is the same for a whole cluster (C19).
pub fn set_hash_seed(seed: u64) {
    HASH_SEED.store(seed, Ordering::Relaxed);
}

/// The hash by which keys, fields and members are found and scanned. Its function never changes:
/// it is part of records on disk and of cursors.
#[inline]
pub fn hash32(bytes: &[u8]) -> u32 {
    (xxh3_64_with_seed(bytes, HASH_SEED.load(Ordering::Relaxed)) >> 32) as u32
}

/// A key of a command.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    pub name: &'a [u8],
    pub hash: u32,
    pub slot: u16,
}

impl<'a> Key<'a> {
    #[inline]
    pub fn new(name: &'a [u8], tag: Tag) -> Key<'a> {
        Key { name, hash: hash32(name), slot: tag.slot(name) }
    }

    /// The partition that holds the key, `0..PARTITIONS`.
    #[inline]
    pub fn partition(&self) -> u16 {
        partition_of(self.slot)
    }
}

pub fn partition_of(slot: u16) -> u16 {
    slot / (SLOTS / PARTITIONS as u16)
}
