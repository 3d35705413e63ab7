//! A RocksDB snapshot as the state that reading works on.

use super::super::error::BaseError;
use super::super::view::{Cursor, View};
use super::error::run_error;
use rocksdb::{DB, DBRawIteratorWithThreadMode, ReadOptions, Snapshot};

const ACTION: &str = "read";

pub(super) struct SnapshotView<'a> {
    pub snapshot: Snapshot<'a>,
    /// Whether blocks that are read stay in the cache.
    pub fill_cache: bool,
    /// Whether what ranges deleted is seen: only to verify its bytes.
    pub ignore_range_deletions: bool,
}

impl<'a> SnapshotView<'a> {
    pub fn new(db: &'a DB) -> SnapshotView<'a> {
        SnapshotView { snapshot: db.snapshot(), fill_cache: true, ignore_range_deletions: false }
    }

    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.fill_cache(self.fill_cache);
        // Deprecated as a means to make reads faster; here what it does is wanted.
        #[allow(deprecated)]
        options.set_ignore_range_deletions(self.ignore_range_deletions);
        options
    }
}

impl View for SnapshotView<'_> {
    type Cursor<'a>
        = RocksCursor<'a>
    where
        Self: 'a;

    fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, BaseError> {
        let found = self.snapshot.get_pinned_opt(key, self.options());
        let found = found.map_err(|error| run_error(ACTION, &error))?;
        Ok(found.map(|value| read(&value)))
    }

    fn cursor(&self, from: &[u8], to: &[u8]) -> RocksCursor<'_> {
        let mut options = self.options();
        options.set_iterate_upper_bound(to);
        let mut inner = self.snapshot.raw_iterator_opt(options);
        inner.seek(from);
        RocksCursor { inner }
    }
}

pub(super) struct RocksCursor<'a> {
    inner: DBRawIteratorWithThreadMode<'a, DB>,
}

impl Cursor for RocksCursor<'_> {
    fn item(&self) -> Option<(&[u8], &[u8])> {
        self.inner.item()
    }

    fn next(&mut self) {
        self.inner.next();
    }

    fn seek(&mut self, key: &[u8]) {
        self.inner.seek(key);
    }

    fn status(&self) -> Result<(), BaseError> {
        self.inner.status().map_err(|error| run_error(ACTION, &error))
    }
}
