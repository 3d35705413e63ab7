//! A base in memory, for tests and for nodes that keep nothing on disk.
//!
//! One ordered map of records under a lock; the records are those of the base on disk.

use super::checks::{self, Report};
use super::merge::{self, MetaChanges};
use super::meta::{self, BaseRecord};
use super::read;
use super::totals::{self, Totals};
use super::view::{Cursor, Sink, View};
use super::{
    Base, BaseError, BaseKey, BaseStats, Cached, Due, Feed, Ingested, Loaded, RawRecord, Scanned,
};
use crate::record::OwnedKey;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// All records in one map.
#[derive(Default)]
pub struct MemoryBase {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    records: Records,
    record: BaseRecord,
    totals: Totals,
    ingests: u64,
}

impl MemoryBase {
    pub fn new() -> MemoryBase {
        MemoryBase::default()
    }

    /// Looks at every record and says what does not fit.
    pub fn check(&self) -> Result<Report, BaseError> {
        checks::check(&self.state.read().records)
    }
}

impl Base for MemoryBase {
    fn index(&self) -> u64 {
        self.state.read().record.index
    }

    fn record(&self) -> BaseRecord {
        self.state.read().record
    }

    fn probe(&self, key: BaseKey<'_>) -> Cached {
        match self.state.read().records.contains_key(&read::main_key(key)) {
            true => Cached::Unknown,
            false => Cached::Absent,
        }
    }

    fn load(&self, key: BaseKey<'_>) -> Result<(u64, Option<Loaded>), BaseError> {
        let state = self.state.read();
        Ok((state.record.index, read::load(&state.records, &read::main_key(key))?))
    }

    fn load_many(&self, keys: &[OwnedKey]) -> Result<(u64, Vec<Option<Loaded>>), BaseError> {
        let state = self.state.read();
        let hollow = |key: &OwnedKey| {
            let key = read::main_key(key.into());
            state.records.get(&key).map(|value| read::hollow(&key, value)).transpose()
        };
        let loaded: Result<_, _> = keys.iter().map(hollow).collect();
        Ok((state.record.index, loaded?))
    }

    fn records(&self, key: BaseKey<'_>) -> Result<(u64, Vec<RawRecord>), BaseError> {
        let state = self.state.read();
        Ok((state.record.index, read::records(&state.records, &read::main_key(key))?))
    }

    fn ingest(&self, feed: Feed) -> Result<Ingested, BaseError> {
        let mut guard = self.state.write();
        let state = &mut *guard;
        let Some(record) = feed.record_after(&state.record) else {
            return Ok(Ingested { index: state.record.index, ..Ingested::default() });
        };
        if record.index <= state.record.index {
            return Err(BaseError::Behind { base: state.record.index, feed: record.index });
        }
        let changed = feed.steps.apply(&state.totals);
        let mut sink = MapSink { records: &mut state.records, count: 0 };
        // Stale deadlines go when they are met.
        let meta = MetaChanges { record, totals: &changed, stale_below: None };
        merge::write(feed, meta, &mut sink)?;
        let count = sink.count;
        totals::enter(&mut state.totals, changed);
        state.record = record;
        state.ingests += 1;
        Ok(Ingested { index: record.index, records: count, file_bytes: 0 })
    }

    fn scan(
        &self,
        bucket: u16,
        db: u32,
        from_hash: u32,
        limit: usize,
    ) -> Result<Scanned, BaseError> {
        let state = self.state.read();
        let page = read::scan(&state.records, bucket, db, from_hash, limit)?;
        Ok(read::scanned(state.record.index, page))
    }

    fn counts(&self) -> Result<Vec<(u32, u16, u64)>, BaseError> {
        let state = self.state.read();
        Ok(state.totals.iter().map(|((db, bucket), count)| (*db, *bucket, *count)).collect())
    }

    fn due(&self, after: Option<&Due>, until_ms: i64, limit: usize) -> Result<Vec<Due>, BaseError> {
        let mut state = self.state.write();
        let from = after.map_or_else(|| meta::DEADLINES.to_vec(), read::deadlines_after);
        let (found, head) = read::due(&state.records, &from, until_ms, limit)?;
        if after.is_none() {
            let mut sink = MapSink { records: &mut state.records, count: 0 };
            sink.delete_range(meta::DEADLINES, &head)?;
        }
        Ok(found)
    }

    fn next_deadline(&self, from_ms: i64) -> Result<Option<i64>, BaseError> {
        read::next_deadline(&self.state.read().records, from_ms)
    }

    fn checkpoint(&self, _dir: &Path) -> Result<(), BaseError> {
        Err(BaseError::NoFiles)
    }

    fn stats(&self) -> BaseStats {
        BaseStats { ingests: self.state.read().ingests, ..BaseStats::default() }
    }
}

struct MapSink<'a> {
    records: &'a mut Records,
    count: u64,
}

impl Sink for MapSink<'_> {
    fn delete_range(&mut self, from: &[u8], to: &[u8]) -> Result<(), BaseError> {
        self.count += 1;
        let range = (Bound::Included(from), Bound::Excluded(to));
        let keys: Vec<Vec<u8>> =
            self.records.range::<[u8], _>(range).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.records.remove(&key);
        }
        Ok(())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), BaseError> {
        self.count += 1;
        self.records.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), BaseError> {
        self.count += 1;
        self.records.remove(key);
        Ok(())
    }
}

impl View for Records {
    type Cursor<'a> = MapCursor<'a>;

    fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, BaseError> {
        Ok(BTreeMap::get(self, key).map(|value| read(value)))
    }

    fn cursor(&self, from: &[u8], to: &[u8]) -> MapCursor<'_> {
        let mut cursor = MapCursor { records: self, to: to.to_vec(), item: None };
        cursor.go(Bound::Included(from));
        cursor
    }
}

pub(crate) struct MapCursor<'a> {
    records: &'a Records,
    to: Vec<u8>,
    item: Option<(&'a [u8], &'a [u8])>,
}

impl MapCursor<'_> {
    fn go(&mut self, from: Bound<&[u8]>) {
        let mut from_there = self.records.range::<[u8], _>((from, Bound::Unbounded));
        let first = from_there.next().filter(|(key, _)| **key < self.to);
        self.item = first.map(|(key, value)| (&key[..], &value[..]));
    }
}

impl Cursor for MapCursor<'_> {
    fn item(&self) -> Option<(&[u8], &[u8])> {
        self.item
    }

    fn next(&mut self) {
        if let Some((key, _)) = self.item {
            self.go(Bound::Excluded(key));
        }
    }

    fn seek(&mut self, key: &[u8]) {
        self.go(Bound::Included(key));
    }

    fn status(&self) -> Result<(), BaseError> {
        Ok(())
    }
}
