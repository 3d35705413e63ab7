//! Applying committed changes to memory: how a restart replays the journal's tail.
//!
//! Nothing is executed, results are put in place. A change to elements of an object that is not
//! resident needs the object first; the caller loads it and applies the change again.

use super::entry::Entry;
use super::key::Key;
use super::partition::Partition;
use super::space::Space;
use crate::objects::{Corrupt, ElementOp, decode_ops};
use crate::record::{Change, DBS, Main};
use std::collections::HashMap;

/// Whether a change could be applied.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Applied {
    Done,
    /// The object must be installed first.
    Needs,
}

/// The client db and the key of a change to one key whose db is mapped.
pub(super) fn place<'a>(space: &Space, change: &Change<'a>) -> Option<(usize, Key<'a>)> {
    match *change {
        Change::Put { db, key, .. }
        | Change::Elements { db, key, .. }
        | Change::Delete { db, key, .. } => {
            Some((space.client_db(db)?, Key::new(key, space.tag())))
        }
        Change::Clear { .. } | Change::MapDbs { .. } => None,
    }
}

/// What a change means to the whole keyspace: the number of keys, and whether any expires.
pub(super) fn note(space: &Space, db: usize, change: &Change<'_>) -> Result<(), Corrupt> {
    match *change {
        Change::Put { bucket, created, value, .. } => {
            if Main::decode(value)?.deadline.is_some() {
                space.note_deadlines();
            }
            space.count(db, bucket, i64::from(created));
        }
        Change::Delete { bucket, .. } => space.count(db, bucket, -1),
        _ => {}
    }
    Ok(())
}

/// Applies a change to the partition of its key.
pub(super) fn apply_to(
    partition: &mut Partition,
    db: usize,
    key: &Key<'_>,
    change: Change<'_>,
    clock: u32,
) -> Result<Applied, Corrupt> {
    match change {
        Change::Put { bucket, created, value, .. } => {
            let main = Main::decode(value)?;
            let old = partition.get(db, key).is_some_and(|entry| {
                // A large object's main record may be put again (a new deadline, say): its
                // elements stay.
                !main.single && !created && !entry.value.is_single()
            });
            if !old {
                if !main.single && !created && !partition.complete {
                    // Only the main record of an object that the base has: it must be loaded.
                    return Ok(Applied::Needs);
                }
                partition.put(db, key, main.value()?, bucket, clock);
            }
            partition.set_deadline(db, key, main.deadline);
        }
        Change::Elements { ops, .. } => {
            let epoch = partition.epoch;
            let Some(entry) = partition.get_mut(db, key) else {
                return Ok(Applied::Needs);
            };
            entry.set_epoch(epoch);
            for op in decode_ops(ops) {
                match op? {
                    ElementOp::Put { subkey, value } => entry.value.load_element(subkey, value)?,
                    ElementOp::Delete { subkey } => entry.value.unload_element(subkey),
                }
            }
        }
        Change::Delete { .. } => {
            let epoch = partition.epoch;
            if partition.remove(db, key, true).is_none() {
                partition.entomb(db, key.name, epoch);
            }
        }
        Change::Clear { .. } | Change::MapDbs { .. } => {}
    }
    Ok(Applied::Done)
}

/// Gives the client databases new physical ones: what is in memory follows its number.
pub(super) fn remap(space: &Space, map: [u32; DBS]) {
    let old = space.db_map();
    let mut locked = space.lock_all();
    for (_, partition) in locked.iter_mut() {
        let mut by_number: HashMap<u32, super::partition::Db> =
            old.iter().enumerate().map(|(db, number)| (*number, partition.take_db(db))).collect();
        for (db, number) in map.iter().enumerate() {
            if let Some(content) = by_number.remove(number) {
                partition.give_db(db, content);
            }
        }
    }
    let counts: HashMap<u32, Vec<i64>> =
        old.iter().enumerate().map(|(db, number)| (*number, space.take_counts(db))).collect();
    for (db, number) in map.iter().enumerate() {
        for (bucket, count) in counts.get(number).into_iter().flatten().enumerate() {
            space.count(db, bucket as u16 + 1, *count);
        }
    }
    space.set_db_map(map);
}

/// Puts an object that was loaded from the base into memory.
pub fn install(
    partition: &mut Partition,
    db: usize,
    key: &Key<'_>,
    bucket: u16,
    loaded: crate::base::Loaded,
    clock: u32,
) {
    let mut entry = Entry::new(key.name, loaded.value, bucket, 0, clock);
    entry.set_deadline(loaded.deadline);
    partition.install(db, key, entry);
}
