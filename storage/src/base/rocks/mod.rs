//! The base on disk: RocksDB, written by ingestion only (C17).
//!
//! A feed becomes sorted table files, synced, and one ingest call makes all of them part of the
//! store, the base record among them. So a crash leaves the state before or after a feed. A read
//! takes a snapshot, but never while an ingest call is under way: RocksDB gives out the new
//! sequence number before the new files are seen, so that such a snapshot would change under its
//! reader. Waiting takes a few milliseconds in a feed; probes, and the index, wait for nothing.

mod error;
mod files;
mod format;
mod options;
#[cfg(test)]
mod tests;
mod view;

pub use options::RocksOptions;

use super::checks::{self, Report};
use super::merge::{self, MetaChanges};
use super::meta::{self, BaseRecord};
use super::read;
use super::totals::{self, Totals};
use super::view::{Cursor, View};
use super::{
    Base, BaseError, BaseKey, BaseStats, Cached, Due, Feed, Ingested, Loaded, RawRecord, Scanned,
};
use crate::record::OwnedKey;
use error::{open_error, run_error};
use files::FeedFiles;
use format::Found;
use parking_lot::{Mutex, RwLock};
use rocksdb::checkpoint::Checkpoint;
use rocksdb::properties;
use rocksdb::{
    Cache, DB, DEFAULT_COLUMN_FAMILY_NAME, IngestExternalFileOptions, Options, ReadOptions,
    WaitForCompactOptions,
};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use view::SnapshotView;

/// Directory of the file in which feeds are sorted; the file has no name.
const SORTING: &str = "sorting";

/// The base in a directory.
pub struct RocksBase {
    db: DB,
    cache: Cache,
    feed_options: Options,
    options: RocksOptions,
    /// Held for writing during an ingest call, for reading while a snapshot is taken.
    gate: RwLock<()>,
    state: RwLock<State>,
    stale: Mutex<Stale>,
    /// One feed at a time.
    ingesting: Mutex<()>,
    ingests: AtomicU64,
}

struct State {
    record: BaseRecord,
    totals: Totals,
}

/// At `index`, all deadline records below `head` were stale. A walk need not look at them again,
/// and the next feed deletes them; a feed may make one of them true, so after it this is void.
#[derive(Default)]
struct Stale {
    index: u64,
    head: Option<Vec<u8>>,
}

impl RocksBase {
    /// Opens a base or makes one. Every file is looked at; what an unfinished feed left goes.
    pub fn open(options: RocksOptions) -> Result<RocksBase, BaseError> {
        let found = format::inspect(&options.path)?;
        if found == Found::Fresh {
            format::begin(&options.path)?;
        }
        files::clean(&options.path)?;
        let cache = Cache::new_lru_cache(options.block_cache_bytes);
        let mut store = options::store_options(&options, &cache);
        store.create_if_missing(found == Found::Fresh);
        let cf = [(DEFAULT_COLUMN_FAMILY_NAME, store.clone())];
        let db = DB::open_cf_with_opts(&store, &options.path, cf)
            .map_err(|error| open_error(&options.path, &error))?;
        if found == Found::Fresh {
            format::finish(&options.path)?;
        }
        let view = SnapshotView::new(&db);
        let state = State { record: read_record(&view, &options)?, totals: read::totals(&view)? };
        drop(view);
        Ok(RocksBase {
            feed_options: options::feed_options(&cache),
            db,
            cache,
            options,
            gate: RwLock::default(),
            state: RwLock::new(state),
            stale: Mutex::default(),
            ingesting: Mutex::default(),
            ingests: AtomicU64::new(0),
        })
    }

    /// Looks at every record of the open base and says what does not fit.
    pub fn check(&self) -> Result<Report, BaseError> {
        let (_, mut view) = self.snapshot();
        view.fill_cache = false;
        checks::check(&view)
    }

    /// A snapshot and its index.
    fn snapshot(&self) -> (u64, SnapshotView<'_>) {
        let _no_ingest = self.gate.read();
        (self.index(), SnapshotView::new(&self.db))
    }

    /// Makes staged files part of the store, and the new state known.
    fn take_in(
        &self,
        files: Vec<std::path::PathBuf>,
        record: BaseRecord,
        changed: Totals,
    ) -> Result<(), BaseError> {
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        let _no_snapshot = self.gate.write();
        let result = self.db.ingest_external_file_opts(&ingest, files);
        result.map_err(|error| run_error("ingest into", &error))?;
        let mut state = self.state.write();
        state.record = record;
        totals::enter(&mut state.totals, changed);
        Ok(())
    }

    /// Below which deadline records are known to be stale at `index`.
    fn stale_below(&self, index: u64) -> Option<Vec<u8>> {
        let stale = self.stale.lock();
        stale.head.clone().filter(|_| stale.index == index)
    }

    fn remember_stale(&self, index: u64, head: Vec<u8>) {
        let mut stale = self.stale.lock();
        if stale.index < index {
            *stale = Stale { index, head: None };
        }
        if stale.index == index {
            stale.head = stale.head.take().max(Some(head));
        }
    }

    /// The only column family.
    fn family(&self) -> Result<&rocksdb::ColumnFamily, BaseError> {
        let family = self.db.cf_handle(DEFAULT_COLUMN_FAMILY_NAME);
        family.ok_or_else(|| BaseError::Corrupt {
            place: self.options.path.display().to_string(),
            reason: "it has no column family".to_owned(),
        })
    }

    fn property(&self, name: impl rocksdb::CStrLike) -> u64 {
        self.db.property_int_value(name).ok().flatten().unwrap_or(0)
    }

    fn level0_files(&self) -> u64 {
        let value = self.db.property_value(properties::num_files_at_level(0));
        value.ok().flatten().and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

fn read_record(view: &SnapshotView<'_>, options: &RocksOptions) -> Result<BaseRecord, BaseError> {
    read::base_record(view).map_err(|error| match error {
        BaseError::Version { found, known, .. } => {
            BaseError::Version { file: options.path.clone(), found, known }
        }
        other => other,
    })
}

impl Base for RocksBase {
    fn index(&self) -> u64 {
        self.state.read().record.index
    }

    fn record(&self) -> BaseRecord {
        self.state.read().record
    }

    fn probe(&self, key: BaseKey<'_>) -> Cached {
        // RocksDB sets the read tier of this call itself: the block cache and nothing below.
        match self.db.key_may_exist(read::main_key(key)) {
            true => Cached::Unknown,
            false => Cached::Absent,
        }
    }

    fn load(&self, key: BaseKey<'_>) -> Result<(u64, Option<Loaded>), BaseError> {
        let (index, view) = self.snapshot();
        Ok((index, read::load(&view, &read::main_key(key))?))
    }

    fn load_many(&self, keys: &[OwnedKey]) -> Result<(u64, Vec<Option<Loaded>>), BaseError> {
        let (index, view) = self.snapshot();
        let mut options = ReadOptions::default();
        options.set_snapshot(&view.snapshot);
        // In the order of the store, so that keys of one block are looked for together.
        let mut places: Vec<(Vec<u8>, usize)> = keys
            .iter()
            .enumerate()
            .map(|(place, key)| (read::main_key(key.into()), place))
            .collect();
        places.sort_unstable();
        let names = places.iter().map(|(key, _)| key.as_slice());
        let mut loaded: Vec<Option<Loaded>> = Vec::new();
        loaded.resize_with(keys.len(), || None);
        let found = self.db.batched_multi_get_cf_opt(self.family()?, names, true, &options);
        for ((key, place), value) in places.iter().zip(found) {
            let Some(value) = value.map_err(|error| run_error("read", &error))? else { continue };
            if let Some(slot) = loaded.get_mut(*place) {
                *slot = Some(read::hollow(key, &value)?);
            }
        }
        Ok((index, loaded))
    }

    fn records(&self, key: BaseKey<'_>) -> Result<(u64, Vec<RawRecord>), BaseError> {
        let (index, view) = self.snapshot();
        Ok((index, read::records(&view, &read::main_key(key))?))
    }

    fn new_feed(&self, budget_bytes: usize) -> Feed {
        Feed::sorting_in(&self.options.path.join(SORTING), budget_bytes)
    }

    fn ingest(&self, feed: Feed) -> Result<Ingested, BaseError> {
        let _one = self.ingesting.lock();
        let before = self.record();
        let Some(record) = feed.record_after(&before) else {
            return Ok(Ingested { index: before.index, ..Ingested::default() });
        };
        if record.index <= before.index {
            return Err(BaseError::Behind { base: before.index, feed: record.index });
        }
        if self.level0_files() >= options::LEVEL0_TABLES_MAX {
            // Compaction is behind. Feeding on would make every read dearer; the journal can wait.
            let waited = self.db.wait_for_compact(&WaitForCompactOptions::default());
            waited.map_err(|error| run_error("compact", &error))?;
        }
        let changed = feed.steps.apply(&self.state.read().totals);
        let stale_below = self.stale_below(before.index);
        let meta = MetaChanges { record, totals: &changed, stale_below };
        let (path, file_bytes_max) = (&self.options.path, self.options.feed_file_bytes);
        let mut files = FeedFiles::create(path, &self.feed_options, file_bytes_max)?;
        merge::write(feed, meta, &mut files)?;
        let staged = files.finish()?;
        self.take_in(staged, record, changed)?;
        self.ingests.fetch_add(1, Ordering::Relaxed);
        Ok(Ingested { index: record.index, records: files.records, file_bytes: files.file_bytes })
    }

    fn scan(
        &self,
        bucket: u16,
        db: u32,
        from_hash: u32,
        limit: usize,
    ) -> Result<Scanned, BaseError> {
        let (index, mut view) = self.snapshot();
        // A walk over everything must not push out what is read again and again.
        view.fill_cache = false;
        let page = read::scan(&view, bucket, db, from_hash, limit)?;
        Ok(read::scanned(index, page))
    }

    fn counts(&self) -> Result<Vec<(u32, u16, u64)>, BaseError> {
        let state = self.state.read();
        Ok(state.totals.iter().map(|((db, bucket), count)| (*db, *bucket, *count)).collect())
    }

    fn due(&self, after: Option<&Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>, BaseError> {
        let (index, view) = self.snapshot();
        let from = match after {
            Some(due) => read::deadlines_after(due),
            None => self.stale_below(index).unwrap_or_else(|| meta::DEADLINES.to_vec()),
        };
        let (found, head) = read::due(&view, &from, until_ms, limit)?;
        if after.is_none() {
            self.remember_stale(index, head);
        }
        Ok(found)
    }

    fn next_deadline(&self, from_ms: i64) -> Result<Option<i64>, BaseError> {
        let (_, view) = self.snapshot();
        read::next_deadline(&view, from_ms)
    }

    fn checkpoint(&self, dir: &Path) -> Result<(), BaseError> {
        let failed = |error: rocksdb::Error| run_error("make a checkpoint of", &error);
        let checkpoint = Checkpoint::new(&self.db).map_err(failed)?;
        checkpoint.create_checkpoint(dir).map_err(failed)?;
        format::begin(dir)?;
        format::finish(dir)
    }

    fn stats(&self) -> BaseStats {
        let metadata = self.db.get_column_family_metadata();
        BaseStats {
            sst_bytes: self.property(properties::TOTAL_SST_FILES_SIZE),
            sst_files: metadata.file_count as u64,
            level0_files: self.level0_files(),
            block_cache_bytes: self.cache.get_usage() as u64,
            block_cache_pinned_bytes: self.cache.get_pinned_usage() as u64,
            table_readers_bytes: self.property(properties::ESTIMATE_TABLE_READERS_MEM),
            ingests: self.ingests.load(Ordering::Relaxed),
            pending_compaction_bytes: self.property(properties::ESTIMATE_PENDING_COMPACTION_BYTES),
        }
    }
}

/// Reads every byte of the base in `path`, without changing it, and says what does not fit. An
/// error is one that hinders looking; it names the file.
pub fn check(path: &Path) -> Result<Report, BaseError> {
    let options = RocksOptions::new(path);
    if format::inspect(path)? == Found::Fresh {
        return Err(BaseError::Open {
            file: path.to_owned(),
            reason: "there is no base".to_owned(),
            remedy: "name the directory of a base",
        });
    }
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let store = options::store_options(&options, &cache);
    let db =
        DB::open_for_read_only(&store, path, false).map_err(|error| open_error(path, &error))?;
    let mut view = SnapshotView::new(&db);
    view.fill_cache = false;
    read_record(&view, &options)?;
    // Every block is read, deleted ranges too, and RocksDB verifies the checksum of each.
    view.ignore_range_deletions = true;
    let mut cursor = view.cursor(&[], &[u8::MAX; 2]);
    while cursor.item().is_some() {
        cursor.next();
    }
    cursor.status()?;
    drop(cursor);
    view.ignore_range_deletions = false;
    checks::check(&view)
}
