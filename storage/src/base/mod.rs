//! The base: the store beneath the resident objects.
//!
//! It is always the exact state at one journal index. Nothing writes to it but a [`Feed`]: the
//! batches of a stretch of the journal, reduced to the last change of each record, put in one
//! atomic step together with the index they end at (C17). What is not in memory is here, whole;
//! so a load, a scan or a count says which index it speaks of, and the journal has the rest.
//!
//! Everything but the storing itself, how objects, scans and deadlines are read and what a feed
//! writes, is the same for [`RocksBase`](rocks::RocksBase) and [`MemoryBase`] and stands in
//! `feed`, `meta` and `read`.

mod arena;
mod checks;
mod error;
mod feed;
mod memory;
mod merge;
mod meta;
mod read;
#[cfg(feature = "rocksdb")]
pub mod rocks;
mod runs;
mod totals;
mod view;

#[cfg(test)]
mod conformance;

pub use checks::Report;
pub use error::BaseError;
pub use feed::Feed;
pub use memory::MemoryBase;
pub use meta::BaseRecord;
#[cfg(feature = "rocksdb")]
pub use rocks::{RocksBase, RocksOptions, check};

use crate::bytes::SmallBytes;
use crate::objects::{Kind, Value};
use crate::record::{DBS, OwnedKey};
use std::path::Path;

/// The key of an object, with what routes and orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseKey<'a> {
    pub bucket: u16,
    /// Physical db number.
    pub db: u32,
    pub hash: u32,
    pub key: &'a [u8],
}

impl<'a> From<&'a OwnedKey> for BaseKey<'a> {
    fn from(owned: &'a OwnedKey) -> Self {
        BaseKey { bucket: owned.bucket, db: owned.db, hash: owned.hash, key: &owned.key }
    }
}

/// An object as the base has it.
pub struct Loaded {
    pub value: Value,
    /// Milliseconds since the epoch at which it expires; it may be past.
    pub deadline: Option<i64>,
}

/// What can be said of a key without reading the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cached {
    /// The base has no such key. Final, as of the current index.
    Absent,
    /// Only a load can tell.
    Unknown,
}

/// What a scan tells of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedKey {
    pub hash: u32,
    pub key: SmallBytes,
    pub kind: Kind,
    pub deadline: Option<i64>,
}

/// Some keys of one db of one bucket, in the order of their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// The journal index whose state was scanned.
    pub index: u64,
    pub keys: Vec<ScannedKey>,
    /// The hash to go on from; `None` at the end.
    pub next: Option<u32>,
}

/// A key whose deadline has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Milliseconds since the epoch.
    pub deadline: i64,
    pub key: OwnedKey,
}

/// What a feed came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// The base's index from now on.
    pub index: u64,
    /// Records put or deleted, ranges included.
    pub records: u64,
    /// Bytes of the files that were taken in; 0 in memory.
    pub file_bytes: u64,
}

/// Sizes and counts for INFO and the memory budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BaseStats {
    /// Bytes of all table files on disk.
    pub sst_bytes: u64,
    /// Table files, and those of them in level 0.
    pub sst_files: u64,
    pub level0_files: u64,
    /// Bytes in the block cache, filters and indexes of the tables included.
    pub block_cache_bytes: u64,
    /// The part of `block_cache_bytes` that cannot be evicted.
    pub block_cache_pinned_bytes: u64,
    /// Bytes of open tables outside of the block cache.
    pub table_readers_bytes: u64,
    /// Feeds taken in since opening.
    pub ingests: u64,
    /// Bytes that compaction has still to rewrite, estimated.
    pub pending_compaction_bytes: u64,
}

/// The store beneath the resident objects. All methods but `probe` may block on the disk.
pub trait Base: Send + Sync {
    /// The journal index whose state this is, 0 at first.
    fn index(&self) -> u64;

    /// Index, term, time and db map of the last feed.
    fn record(&self) -> BaseRecord;

    /// Whether a key can be ruled out; never touches the disk.
    fn probe(&self, key: BaseKey<'_>) -> Cached;

    /// The object and the index of the snapshot it was read from (C14).
    fn load(&self, key: BaseKey<'_>) -> Result<(u64, Option<Loaded>), BaseError>;

    /// The main records of several keys, all from one snapshot; in the order of `keys`. What has
    /// elements of its own comes without them, [hollow](Value::Hollow).
    fn load_many(&self, keys: &[OwnedKey]) -> Result<(u64, Vec<Option<Loaded>>), BaseError>;

    /// The stored records of one key as `(subkey, value)`, the main record, if it exists, first
    /// and the elements in the order of their subkeys; from one snapshot.
    fn records(&self, key: BaseKey<'_>) -> Result<(u64, Vec<RawRecord>), BaseError>;

    /// An empty feed for this base that keeps about `budget_bytes` in memory.
    fn new_feed(&self, budget_bytes: usize) -> Feed {
        Feed::new(budget_bytes)
    }

    /// Takes in a feed, atomically and durably. An error leaves the base as it was.
    fn ingest(&self, feed: Feed) -> Result<Ingested, BaseError>;

    /// At least `limit` keys (as far as there are) from `from_hash` on, all keys of a hash
    /// together.
    fn scan(
        &self,
        bucket: u16,
        db: u32,
        from_hash: u32,
        limit: usize,
    ) -> Result<Scanned, BaseError>;

    /// Live keys per `(db, bucket)`, without zeros, expired ones that nobody deleted included.
    fn counts(&self) -> Result<Vec<(u32, u16, u64)>, BaseError>;

    /// Keys with a deadline at or below `until_ms`, the earliest first, at most `limit`; those
    /// after `after` when a walk is continued.
    fn due(&self, after: Option<&Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>, BaseError>;

    /// The earliest deadline at or after `from_ms` that some key has or once had: before it no
    /// further key is due.
    fn next_deadline(&self, from_ms: i64) -> Result<Option<i64>, BaseError>;

    /// The physical numbers of the client databases; `None` before the first `Change::MapDbs`.
    fn db_map(&self) -> Result<Option<[u32; DBS]>, BaseError> {
        Ok(self.record().db_map)
    }

    /// Writes the state into the new directory `dir`, which can be opened as a base.
    fn checkpoint(&self, dir: &Path) -> Result<(), BaseError>;

    fn stats(&self) -> BaseStats;
}

/// A stored record of a key: subkey and value.
pub type RawRecord = (Vec<u8>, Vec<u8>);
