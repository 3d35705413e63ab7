//! Gathers a stretch of the journal for the base.
//!
//! Changes gather in an arena (`arena`); when it is full it is sorted and written out as a run
//! (`runs`), and at the end `merge` walks over all runs and the arena side by side. So a feed of
//! any length needs the same memory. What does not depend on the order of keys is done on the way
//! in: counting keys, the last db map, and every check, so that a feed that was gathered cannot
//! fail for its content.

use super::BaseError;
use super::arena::{Arena, Groups, Place};
use super::meta::BaseRecord;
use super::runs::{RunReader, Runs};
use super::totals::Steps;
use crate::keyspace::hash32;
use crate::objects::{Corrupt, decode_ops};
use crate::record::{Change, DBS, Main};
use smallvec::SmallVec;
use std::path::{Path, PathBuf};

/// Runs of one feed: each is read through a buffer of its own.
const RUNS_MAX: usize = 64;

/// A range that was emptied; what came before in it is void.
struct Cleared {
    db: u32,
    from: u16,
    to: u16,
    /// Runs that were finished before it, and where it stands in the next one.
    run: usize,
    offset: usize,
}

/// The changes of consecutive journal entries, on their way into the base.
pub struct Feed {
    arena: Arena,
    runs: Option<Runs>,
    /// Where runs may be written; without it everything stays in memory.
    dir: Option<PathBuf>,
    cleared: Vec<Cleared>,
    pub(crate) steps: Steps,
    /// Whether some main record has a deadline.
    pub(crate) dated: bool,
    db_map: Option<[u32; DBS]>,
    last: Option<BaseRecord>,
    budget_bytes: usize,
}

impl Feed {
    /// An empty feed in memory that calls itself full at `budget_bytes`; it takes more.
    pub fn new(budget_bytes: usize) -> Feed {
        Feed {
            arena: Arena::default(),
            runs: None,
            dir: None,
            cleared: Vec::new(),
            steps: Steps::default(),
            dated: false,
            db_map: None,
            last: None,
            budget_bytes,
        }
    }

    /// An empty feed that holds about `budget_bytes` in memory and the rest in a file in `dir`.
    pub fn sorting_in(dir: &Path, budget_bytes: usize) -> Feed {
        Feed { dir: Some(dir.to_owned()), ..Feed::new(budget_bytes) }
    }

    /// Takes the next batch: `index`, `term` and `time_ms` are those of its journal entry. Entries
    /// come in ascending order; several batches of one entry and empty batches are fine.
    ///
    /// After an error the feed is not to be used: the journal holds what nobody wrote, or the disk
    /// refused.
    pub fn add(
        &mut self,
        index: u64,
        term: u64,
        time_ms: i64,
        batch: &[u8],
    ) -> Result<(), BaseError> {
        if self.last.is_some_and(|last| index < last.index) {
            return Err(corrupt(Corrupt("journal order")));
        }
        if self.dir.is_some() && self.arena.size() >= self.budget_bytes {
            self.write_run()?;
        }
        let start = self.arena.end();
        let mut rest = batch;
        loop {
            let offset = start + (batch.len() - rest.len());
            let Some(change) = Change::take(&mut rest).map_err(corrupt)? else { break };
            self.note(change, offset).map_err(corrupt)?;
        }
        self.arena.push_bytes(batch);
        self.last = Some(BaseRecord { index, term, time_ms, db_map: None });
        Ok(())
    }

    /// Moves what the arena holds to the disk, as far as it matters.
    fn write_run(&mut self) -> Result<(), BaseError> {
        let mut runs = match (self.runs.take(), &self.dir) {
            (Some(runs), _) => runs,
            (None, Some(dir)) => Runs::create(dir)?,
            (None, None) => return Ok(()),
        };
        self.arena.sort();
        let run = runs.count();
        for places in self.arena.groups() {
            let mut changes: SmallVec<[(Change<'_>, &[u8]); 4]> = SmallVec::new();
            for place in places {
                let (change, bytes) = self.arena.change(*place).map_err(corrupt)?;
                if !self.is_void(&change, run, place.offset()) {
                    changes.push((change, bytes));
                }
            }
            // Of several puts of one key the last one is enough.
            let alike = |a: &Change<'_>, b: &Change<'_>| matches!((a, b), (Change::Put { key: a, .. }, Change::Put { key: b, .. }) if a == b);
            let mut parts: SmallVec<[&[u8]; 4]> = SmallVec::new();
            for (at, (change, bytes)) in changes.iter().enumerate() {
                if changes.get(at + 1).is_none_or(|(next, _)| !alike(change, next)) {
                    parts.push(bytes);
                }
            }
            if let (Some(place), false) = (places.first(), parts.is_empty()) {
                runs.put(place.order(), &parts)?;
            }
        }
        runs.finish()?;
        self.arena.clear();
        self.runs = Some(runs);
        Ok(())
    }

    /// Whether a later clear emptied the range of a change that stands at `offset` of `run`.
    pub(crate) fn is_void(&self, change: &Change<'_>, run: usize, offset: usize) -> bool {
        let Some((bucket, db, _)) = target(change) else { return true };
        self.cleared.iter().any(|clear| {
            clear.db == db
                && (clear.from..=clear.to).contains(&bucket)
                && (run, offset) < (clear.run, clear.offset)
        })
    }

    fn note(&mut self, change: Change<'_>, offset: usize) -> Result<(), Corrupt> {
        let (bucket, db, key) = match change {
            Change::Put { bucket, db, key, created, value } => {
                self.dated |= Main::decode(value)?.deadline.is_some();
                if created {
                    self.steps.step(db, bucket, 1);
                }
                (bucket, db, key)
            }
            Change::Elements { bucket, db, key, ops } => {
                decode_ops(ops).try_for_each(|op| op.map(drop))?;
                (bucket, db, key)
            }
            Change::Delete { bucket, db, key, .. } => {
                self.steps.step(db, bucket, -1);
                (bucket, db, key)
            }
            Change::Clear { db, from, to } => {
                if from > to || from == super::meta::BUCKET || !valid_bucket(to) {
                    return Err(Corrupt("clear"));
                }
                self.steps.clear(db, from, to);
                let run = self.runs.as_ref().map_or(0, Runs::count);
                self.cleared.push(Cleared { db, from, to, run, offset });
                return Ok(());
            }
            Change::MapDbs { map } => {
                self.db_map = Some(map);
                return Ok(());
            }
        };
        if !valid_bucket(bucket) {
            return Err(Corrupt("bucket"));
        }
        self.arena.push_place(Place::new(bucket, db, hash32(key), offset));
        Ok(())
    }

    /// Memory in use.
    pub fn bytes(&self) -> usize {
        self.arena.size()
    }

    /// Whether it holds no journal entry, not even one without changes.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Whether it should be ingested before more is added.
    pub fn is_full(&self) -> bool {
        let runs = self.runs.as_ref().map_or(0, Runs::count);
        self.arena.size() >= self.budget_bytes && (self.dir.is_none() || runs + 1 >= RUNS_MAX)
    }

    /// The last journal index taken.
    pub fn index(&self) -> Option<u64> {
        self.last.map(|last| last.index)
    }

    /// The base record that follows `before`; `None` when the feed is empty.
    pub(crate) fn record_after(&self, before: &BaseRecord) -> Option<BaseRecord> {
        self.last.map(|last| BaseRecord { db_map: self.db_map.or(before.db_map), ..last })
    }

    /// Brings the last changes into order too; a walk needs that.
    pub(crate) fn sort(&mut self) {
        self.arena.sort();
    }

    /// The ranges that were emptied: `(db, from, to)`.
    pub(crate) fn cleared(&self) -> impl Iterator<Item = (u32, u16, u16)> {
        self.cleared.iter().map(|clear| (clear.db, clear.from, clear.to))
    }

    /// A walk over all changes in the order of the base; the feed has to be sorted.
    pub(crate) fn sources(&self) -> Result<Sources<'_>, BaseError> {
        let runs = self.runs.as_ref().map_or(Ok(Vec::new()), Runs::readers)?;
        let mut groups = self.arena.groups();
        let places = groups.next().unwrap_or_default();
        Ok(Sources { feed: self, runs, groups, places })
    }
}

/// All runs and the arena, side by side; each stands on the group it gives next.
pub(crate) struct Sources<'a> {
    feed: &'a Feed,
    runs: Vec<RunReader<'a>>,
    groups: Groups<'a>,
    places: &'a [Place],
}

impl Sources<'_> {
    /// The least order of which changes are left.
    pub fn order(&self) -> Option<u128> {
        let runs = self.runs.iter().filter_map(RunReader::order);
        runs.chain(self.places.first().map(|place| place.order())).min()
    }

    /// The changes of `order`, in the order in which they happened, without void ones.
    pub fn changes(&self, order: u128) -> Result<SmallVec<[Change<'_>; 4]>, BaseError> {
        let mut changes = SmallVec::new();
        for (number, run) in self.runs.iter().enumerate().filter(|(_, r)| r.order() == Some(order))
        {
            let mut rest = run.changes();
            while let Some(change) = Change::take(&mut rest).map_err(corrupt)? {
                // What its own run made void was not written.
                if !self.feed.is_void(&change, number, usize::MAX) {
                    changes.push(change);
                }
            }
        }
        let run = self.runs.len();
        for place in self.places.iter().filter(|place| place.order() == order) {
            let (change, _) = self.feed.arena.change(*place).map_err(corrupt)?;
            if !self.feed.is_void(&change, run, place.offset()) {
                changes.push(change);
            }
        }
        Ok(changes)
    }

    /// Goes on to what follows `order`.
    pub fn advance(&mut self, order: u128) -> Result<(), BaseError> {
        for run in self.runs.iter_mut().filter(|run| run.order() == Some(order)) {
            run.advance()?;
        }
        if self.places.first().is_some_and(|place| place.order() == order) {
            self.places = self.groups.next().unwrap_or_default();
        }
        Ok(())
    }
}

/// Bucket, db and key of a change of one key.
pub(crate) fn target<'a>(change: &Change<'a>) -> Option<(u16, u32, &'a [u8])> {
    match *change {
        Change::Put { bucket, db, key, .. }
        | Change::Elements { bucket, db, key, .. }
        | Change::Delete { bucket, db, key, .. } => Some((bucket, db, key)),
        Change::Clear { .. } | Change::MapDbs { .. } => None,
    }
}

pub(crate) fn corrupt(error: Corrupt) -> BaseError {
    BaseError::Corrupt { place: "journal batch".to_owned(), reason: error.to_string() }
}

/// Buckets are numbered from 1 and there are no more of them than slots.
fn valid_bucket(bucket: u16) -> bool {
    (1..=crate::bucket::SLOTS).contains(&bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_applied_is_refused_on_the_way_in() {
        let refused = [
            Change::Put { bucket: 1, db: 0, key: b"k", created: true, value: b"" },
            Change::Put { bucket: 0, db: 0, key: b"k", created: true, value: b"\x00\x01\x00v" },
            Change::Delete { bucket: u16::MAX, db: 0, key: b"k", wide: false },
            Change::Elements { bucket: 1, db: 0, key: b"k", ops: b"\x07" },
            Change::Clear { db: 0, from: 2, to: 1 },
            Change::Clear { db: 0, from: 0, to: 1 },
        ];
        for change in refused {
            let mut batch = Vec::new();
            change.encode(&mut batch);
            assert!(Feed::new(1).add(1, 1, 0, &batch).is_err(), "{change:?}");
        }
        let mut feed = Feed::new(1);
        assert!(feed.is_empty() && !feed.is_full());
        feed.add(5, 1, 0, &[]).unwrap();
        assert!(!feed.is_empty() && feed.index() == Some(5));
        assert!(feed.add(4, 1, 0, &[]).is_err());
    }
}
