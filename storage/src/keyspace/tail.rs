//! The journal's tail after a restart: sorted by partition at once, applied when it is needed.
//!
//! A long tail takes seconds to become objects. So a restart only reads it: counts, deadlines and
//! damage are looked at, and each change is kept with its partition as the bytes it is. Whoever
//! locks the partition first applies what waits there, so that nobody sees it without; a thread
//! walks the others meanwhile. A change of the db map concerns all partitions and applies all that
//! came before it first.
//!
//! Limit: a large object that the tail changes and that is only in the base is read from the disk
//! with its partition locked. No feed runs before everything is applied, since it locks all.

use super::apply::{Applied, apply_to, install, note, place, remap};
use super::key::{Key, PARTITIONS};
use super::partition::Partition;
use super::space::Space;
use crate::base::{Base, BaseError, BaseKey};
use crate::objects::{Corrupt, decode_ops};
use crate::record::{Change, changes};
use std::sync::Arc;

/// Why a change of the tail cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    #[error("the journal holds a change that does not decode: {0}")]
    Corrupt(#[from] Corrupt),
    #[error(transparent)]
    Base(#[from] BaseError),
    #[error("the journal changes a large object that the base does not have")]
    Missing,
    #[error("applying a change panicked")]
    Panicked,
}

/// What applying the tail needs.
pub struct Tail {
    /// The LRU word objects begin with.
    pub clock: u32,
    pub base: Arc<dyn Base>,
    /// Bytes of the tail that a partition may expect.
    pub partition_bytes: usize,
    /// Ends the process when a change cannot be applied after the start.
    pub fail: fn(&TailError) -> !,
}

/// Takes one batch of the tail, in the journal's order; returns how many changes it has.
pub fn defer(space: &Space, batch: &[u8]) -> Result<u64, TailError> {
    let mut rest = batch;
    let mut count = 0;
    loop {
        let bytes = rest;
        let Some(change) = Change::take(&mut rest)? else { return Ok(count) };
        count += 1;
        if let Change::MapDbs { map } = change {
            settle_all(space)?;
            remap(space, map);
            continue;
        }
        let Some((db, key)) = place(space, &change) else { continue };
        if let Change::Elements { ops, .. } = change {
            decode_ops(ops).try_for_each(|op| op.map(drop))?;
        }
        note(space, db, &change)?;
        let bytes = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
        let mut partition = space.partition_as_is(key.partition());
        if partition.pending.capacity() == 0 {
            // Growing step by step would touch, and so have the kernel clear, twice the memory.
            partition.pending.reserve(space.tail().map_or(0, |tail| tail.partition_bytes));
        }
        partition.pending.extend_from_slice(bytes);
    }
}

/// Applies what waits anywhere; at the start, where an error still ends it with a text.
pub fn settle_all(space: &Space) -> Result<(), TailError> {
    let Some(clock) = space.tail().map(|tail| tail.clock) else { return Ok(()) };
    (0..PARTITIONS as u16)
        .try_for_each(|number| settle(space, &mut space.partition_as_is(number), clock))
}

/// Applies what waits in a partition; `clock`: the LRU word of objects.
pub(super) fn settle(
    space: &Space,
    partition: &mut Partition,
    clock: u32,
) -> Result<(), TailError> {
    let Some(tail) = space.tail() else { return Ok(()) };
    for change in changes(&std::mem::take(&mut partition.pending)) {
        let change = change?;
        let Some((db, key)) = place(space, &change) else { continue };
        if apply_to(partition, db, &key, change, clock)? == Applied::Done {
            continue;
        }
        load(space, partition, tail, db, &key)?;
        if apply_to(partition, db, &key, change, clock)? != Applied::Done {
            return Err(TailError::Missing);
        }
    }
    Ok(())
}

fn load(
    space: &Space,
    partition: &mut Partition,
    tail: &Tail,
    db: usize,
    key: &Key<'_>,
) -> Result<(), TailError> {
    let bucket = space.bucket(key);
    let place = BaseKey { bucket, db: space.physical(db), hash: key.hash, key: key.name };
    let (_, loaded) = tail.base.load(place)?;
    install(partition, db, key, bucket, loaded.ok_or(TailError::Missing)?, tail.clock);
    Ok(())
}
