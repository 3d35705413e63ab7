//! Gathers a stretch of the journal for the base.
//!
//! Batches are copied into one arena; of each change only a number is kept beside, `bucket | db |
//! hash | offset`, so that sorting the numbers brings the changes of a key together, in the order
//! in which they happened, and the keys into the order of the base. `merge` then walks them. What
//! does not depend on the order of keys is done on the way in: counting keys, the last db map,
//! and every check, so that a feed that was gathered cannot fail for its content.

use super::meta::BaseRecord;
use super::totals::Steps;
use crate::keyspace::hash32;
use crate::objects::{Corrupt, decode_ops};
use crate::record::{Change, DBS, Main};

/// Bits of a place that hold the offset in the arena.
const OFFSET_BITS: u32 = 48;
const OFFSET_MASK: u128 = (1 << OFFSET_BITS) - 1;

/// Where a change stands in the arena, in an order: `bucket u16 | db u32 | hash u32 | offset u48`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u128);

impl Place {
    fn new(bucket: u16, db: u32, hash: u32, offset: usize) -> Place {
        let order = u128::from(bucket) << 64 | u128::from(db) << 32 | u128::from(hash);
        Place(order << OFFSET_BITS | (offset as u128 & OFFSET_MASK))
    }

    pub fn offset(self) -> usize {
        (self.0 & OFFSET_MASK) as usize
    }

    /// Bucket, db and hash as one number.
    pub fn order(self) -> u128 {
        self.0 >> OFFSET_BITS
    }

    pub fn hash(self) -> u32 {
        self.order() as u32
    }
}

/// A range that was emptied; changes before `offset` in it are void.
pub(crate) struct Cleared {
    pub db: u32,
    pub from: u16,
    pub to: u16,
    pub offset: usize,
}

/// The changes of consecutive journal entries, on their way into the base.
pub struct Feed {
    pub(crate) arena: Vec<u8>,
    pub(crate) places: Vec<Place>,
    pub(crate) cleared: Vec<Cleared>,
    pub(crate) steps: Steps,
    /// Whether some main record has a deadline.
    pub(crate) dated: bool,
    db_map: Option<[u32; DBS]>,
    last: Option<BaseRecord>,
    budget_bytes: usize,
}

impl Feed {
    /// An empty feed that calls itself full at `budget_bytes`; it takes more.
    pub fn new(budget_bytes: usize) -> Feed {
        Feed {
            arena: Vec::new(),
            places: Vec::new(),
            cleared: Vec::new(),
            steps: Steps::default(),
            dated: false,
            db_map: None,
            last: None,
            budget_bytes,
        }
    }

    /// Takes the next batch: `index`, `term` and `time_ms` are those of its journal entry. Entries
    /// come in ascending order; several batches of one entry and empty batches are fine.
    ///
    /// After an error the feed is not to be used: the journal holds what nobody wrote.
    pub fn add(
        &mut self,
        index: u64,
        term: u64,
        time_ms: i64,
        batch: &[u8],
    ) -> Result<(), Corrupt> {
        if self.last.is_some_and(|last| index < last.index) {
            return Err(Corrupt("journal order"));
        }
        let start = self.arena.len();
        let mut rest = batch;
        loop {
            let offset = start + (batch.len() - rest.len());
            let Some(change) = Change::take(&mut rest)? else { break };
            self.note(change, offset)?;
        }
        self.arena.extend_from_slice(batch);
        self.last = Some(BaseRecord { index, term, time_ms, db_map: None });
        Ok(())
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
                self.cleared.push(Cleared { db, from, to, offset });
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
        self.places.push(Place::new(bucket, db, hash32(key), offset));
        Ok(())
    }

    /// Memory in use.
    pub fn bytes(&self) -> usize {
        self.arena.len() + self.places.len() * size_of::<Place>()
    }

    /// Number of changes gathered.
    pub fn changes(&self) -> usize {
        self.places.len()
    }

    /// Whether it holds no journal entry, not even one without changes.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    pub fn is_full(&self) -> bool {
        self.bytes() >= self.budget_bytes
    }

    /// The last journal index taken.
    pub fn index(&self) -> Option<u64> {
        self.last.map(|last| last.index)
    }

    /// The base record that follows `before`; `None` when the feed is empty.
    pub(crate) fn record_after(&self, before: &BaseRecord) -> Option<BaseRecord> {
        self.last.map(|last| BaseRecord { db_map: self.db_map.or(before.db_map), ..last })
    }
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

    #[test]
    fn places_order_by_bucket_db_hash_and_then_time() {
        let places = [
            Place::new(1, u32::MAX, u32::MAX, 9),
            Place::new(2, 0, 0, 0),
            Place::new(2, 0, 5, 3),
            Place::new(2, 0, 5, 4),
            Place::new(2, 1, 0, 1),
        ];
        assert!(places.is_sorted());
        assert_eq!((places[3].offset(), places[3].hash()), (4, 5));
        assert!(places[2].order() == places[3].order() && places[1].order() < places[2].order());
    }
}
