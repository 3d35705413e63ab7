//! Walking the keys of a database: SCAN, KEYS, RANDOMKEY.
//!
//! The order is (bucket, hash), the order of the records. A cursor is `bucket << 32 | hash`, holds
//! no partition or node number, and goes on at any node that has the bucket (C19). What stays all
//! along is returned: a call takes whole groups of equal hash from memory, then from the base what
//! is neither in memory nor deleted.

use super::key::partition_of;
use super::partition::Partition;
use super::space::{Locked, Space};
use crate::base::{Base, BaseError};
use crate::bucket::SLOTS;
use crate::objects::Kind;
use std::collections::HashSet;

/// One key of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub hash: u32,
    pub name: Box<[u8]>,
    pub kind: Kind,
    /// Milliseconds since the epoch.
    pub deadline: Option<i64>,
}

/// Where a walk stands; 0 as a number is its begin and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub bucket: u16,
    pub hash: u32,
}

impl Cursor {
    pub fn from_number(number: u64) -> Cursor {
        let bucket = u16::try_from(number >> 32).unwrap_or(u16::MAX);
        Cursor { bucket: bucket.max(1), hash: number as u32 }
    }

    pub fn number(self) -> u64 {
        u64::from(self.bucket) << 32 | u64::from(self.hash)
    }
}

/// The keys of a node as a walk sees them: each partition is locked for a moment, or is one of
/// those that EXEC holds locked.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub space: &'a Space,
    pub locked: Option<&'a Locked<'static>>,
}

impl Keys<'_> {
    fn with<R>(&self, number: u16, look: impl FnOnce(&Partition) -> R) -> R {
        match self.locked.and_then(|locked| locked.get(number)) {
            Some(partition) => look(partition),
            None => look(&self.space.partition(number)),
        }
    }
}

/// The partitions that hold keys of `bucket`.
pub fn partitions_of(bucket: u16, buckets: u16) -> impl Iterator<Item = u16> {
    // The first slot whose bucket is at least `bucket`.
    let first_slot = |bucket: u16| {
        let slots = u32::from(bucket - 1) * u32::from(SLOTS);
        slots.div_ceil(u32::from(buckets)) as u16
    };
    let (first, end) = (first_slot(bucket), first_slot(bucket + 1).min(SLOTS));
    partition_of(first.min(SLOTS - 1))
        ..=partition_of(end.saturating_sub(1).max(first).min(SLOTS - 1))
}

/// The keys of one bucket from `from` on: all keys of whole hashes until there are at least
/// `limit`. `None` instead of the next hash at the bucket's end. With a base it may read the disk;
/// no lock is held then.
pub fn bucket_from(
    keys: Keys<'_>,
    base: Option<&dyn Base>,
    db: usize,
    bucket: u16,
    from: u32,
    limit: usize,
) -> Result<(Vec<Seen>, Option<u32>), BaseError> {
    let space = keys.space;
    let mut seen: Vec<Seen> = Vec::new();
    let mut hidden: HashSet<Box<[u8]>> = HashSet::new();
    let mut complete = true;
    // Where each source's knowledge ends.
    let mut end: Option<u32> = None;
    let physical = space.physical(db);
    for number in partitions_of(bucket, space.buckets()) {
        keys.with(number, |partition| {
            complete &= partition.complete;
            let Some(content) = partition.db(db) else { return };
            let mut taken: Vec<Seen> = Vec::new();
            for (hash, entry) in content.table.iter_from(from) {
                if taken.len() >= limit && taken.last().is_some_and(|last| last.hash != hash) {
                    end = Some(end.map_or(hash, |end| end.min(hash)));
                    break;
                }
                if entry.bucket() == bucket {
                    taken.push(Seen {
                        hash,
                        name: entry.key.as_slice().into(),
                        kind: entry.value.kind(),
                        deadline: entry.deadline(),
                    });
                }
            }
            seen.append(&mut taken);
            if !partition.complete {
                hidden.extend(content.tombstones.keys().cloned());
            }
        });
    }
    if let Some(base) = base.filter(|_| !complete) {
        hidden.extend(seen.iter().map(|seen| seen.name.clone()));
        let scanned = base.scan(bucket, physical, from, limit)?;
        if let Some(next) = scanned.next {
            end = Some(end.map_or(next, |end| end.min(next)));
        }
        for key in scanned.keys {
            if !hidden.contains(key.key.as_slice()) {
                let name = key.key.as_slice().into();
                seen.push(Seen { hash: key.hash, name, kind: key.kind, deadline: key.deadline });
            }
        }
    }
    if let Some(end) = end {
        seen.retain(|seen| seen.hash < end);
    }
    seen.sort_unstable_by(|a, b| (a.hash, &a.name).cmp(&(b.hash, &b.name)));
    seen.dedup_by(|a, b| a.name == b.name);
    Ok((seen, end))
}

/// One call of SCAN: keys from the cursor on, about `count` of them, and where to go on.
pub fn scan(
    keys: Keys<'_>,
    base: Option<&dyn Base>,
    db: usize,
    cursor: Cursor,
    count: usize,
) -> Result<(Vec<Seen>, Option<Cursor>), BaseError> {
    let space = keys.space;
    let mut at = cursor;
    let mut found = Vec::new();
    while at.bucket <= space.buckets() {
        if space.bucket_len(db, at.bucket) > 0 {
            let left = count - found.len().min(count);
            let (seen, next) = bucket_from(keys, base, db, at.bucket, at.hash, left.max(1))?;
            found.extend(seen);
            if let Some(hash) = next {
                at.hash = hash;
                if found.len() >= count {
                    return Ok((found, Some(at)));
                }
                continue;
            }
        }
        at = Cursor { bucket: at.bucket + 1, hash: 0 };
        if found.len() >= count {
            break;
        }
    }
    let more = at.bucket <= space.buckets();
    Ok((found, more.then_some(at)))
}

/// A key drawn at random: a bucket by its number of keys, then the first key behind a random
/// hash. `None` in an empty database, or when only expired keys are left.
pub fn random(
    keys: Keys<'_>,
    base: Option<&dyn Base>,
    db: usize,
    now: i64,
    rng: &mut fastrand::Rng,
) -> Result<Option<Box<[u8]>>, BaseError> {
    let space = keys.space;
    for _ in 0..100 {
        let total = space.len(db);
        if total == 0 {
            return Ok(None);
        }
        let mut rank = rng.u64(..total);
        let mut bucket = 1;
        while bucket < space.buckets() && rank >= space.bucket_len(db, bucket) {
            rank -= space.bucket_len(db, bucket);
            bucket += 1;
        }
        for from in [rng.u32(..), 0] {
            let (seen, _) = bucket_from(keys, base, db, bucket, from, 1)?;
            let mut live = seen.into_iter().filter(|seen| seen.deadline.is_none_or(|at| at > now));
            if let Some(seen) = live.next() {
                return Ok(Some(seen.name));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::bucket_of;

    #[test]
    fn the_partitions_of_a_bucket_hold_all_its_slots_and_no_other_partition_does() {
        for buckets in [1, 7, 1000, 16384] {
            for slot in 0..SLOTS {
                let holders = partitions_of(bucket_of(slot, buckets), buckets);
                assert!(holders.into_iter().any(|number| number == partition_of(slot)));
            }
            let all: usize =
                (1..=buckets).map(|bucket| partitions_of(bucket, buckets).count()).sum();
            assert!(all <= usize::from(buckets) + super::super::PARTITIONS);
        }
    }
}
