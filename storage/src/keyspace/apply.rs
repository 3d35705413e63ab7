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
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Applied {
    Done,
    /// The object must be installed first.
    Needs {
        db: usize,
        key: Box<[u8]>,
    },
}

/// Applies one change. `clock` is the LRU word objects begin with.
pub fn apply(space: &Space, change: Change<'_>, clock: u32) -> Result<Applied, Corrupt> {
    let tag = space.tag();
    let place = |db: u32, key| space.client_db(db).map(|db| (db, Key::new(key, tag)));
    match change {
        Change::Put { bucket, db, key, created, value } => {
            let Some((db, key)) = place(db, key) else { return Ok(Applied::Done) };
            let main = Main::decode(value)?;
            let mut partition = space.partition(key.partition());
            let old = partition.get(db, &key).is_some_and(|entry| {
                // A large object's main record may be put again (a new deadline, say): its
                // elements stay.
                !main.single && !created && !entry.value.is_single()
            });
            if !old {
                if !main.single && !created && !partition.complete {
                    // Only the main record of an object that the base has: it must be loaded.
                    return Ok(Applied::Needs { db, key: key.name.into() });
                }
                partition.put(db, &key, main.value()?, bucket, clock);
            }
            partition.set_deadline(db, &key, main.deadline);
            if main.deadline.is_some() {
                space.note_deadlines();
            }
            space.count(db, bucket, i64::from(created));
            Ok(Applied::Done)
        }
        Change::Elements { db, key, ops, .. } => {
            let Some((db, key)) = place(db, key) else { return Ok(Applied::Done) };
            let mut partition = space.partition(key.partition());
            let epoch = partition.epoch;
            let Some(entry) = partition.get_mut(db, &key) else {
                return Ok(Applied::Needs { db, key: key.name.into() });
            };
            entry.set_epoch(epoch);
            for op in decode_ops(ops) {
                match op? {
                    ElementOp::Put { subkey, value } => entry.value.load_element(subkey, value)?,
                    ElementOp::Delete { subkey } => entry.value.unload_element(subkey),
                }
            }
            Ok(Applied::Done)
        }
        Change::Delete { bucket, db, key, .. } => {
            let Some((db, key)) = place(db, key) else { return Ok(Applied::Done) };
            let mut partition = space.partition(key.partition());
            let epoch = partition.epoch;
            if partition.remove(db, &key, true).is_none() {
                partition.entomb(db, key.name, epoch);
            }
            space.count(db, bucket, -1);
            Ok(Applied::Done)
        }
        // The data of a db that no client db is mapped to is not in memory.
        Change::Clear { .. } => Ok(Applied::Done),
        Change::MapDbs { map } => {
            remap(space, map);
            Ok(Applied::Done)
        }
    }
}

/// Gives the client databases new physical ones: what is in memory follows its number.
fn remap(space: &Space, map: [u32; DBS]) {
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
