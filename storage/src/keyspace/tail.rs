//! The journal's tail after a restart: sorted by partition at once, applied when it is needed.
//!
//! A long tail takes seconds to become objects. So a restart only reads it: counts, deadlines and
//! damage are looked at, and each change is kept with its partition as the bytes it is. Whoever
//! locks the partition first applies what waits there, so that nobody sees it without; a thread
//! walks the others meanwhile. A change of the db map concerns all partitions and applies all that
//! came before it first.
//!
//! A large object that the tail changes and that is only in the base is read first, with no lock
//! held; what waits is then gone on with where it stopped. The base stands still meanwhile: no feed
//! runs before everything is applied, since it locks all. Limit: the thread that comes first reads
//! the disk itself, be it a core's.

use super::apply::{Applied, apply_to, install, note, place, remap};
use super::key::{Key, PARTITIONS};
use super::partition::Partition;
use super::space::Space;
use crate::base::{Base, BaseError, BaseKey, Loaded};
use crate::objects::{Corrupt, decode_ops};
use crate::record::Change;
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
        space.set_unsettled(true);
    }
}

/// Applies what waits anywhere; at the start, where an error still ends it with a text.
pub fn settle_all(space: &Space) -> Result<(), TailError> {
    (0..PARTITIONS as u16).try_for_each(|number| settle(space, number))?;
    space.set_unsettled(false);
    Ok(())
}

/// Applies what waits in a partition. The caller holds no lock of any.
pub(super) fn settle(space: &Space, number: u16) -> Result<(), TailError> {
    let Some(tail) = space.tail() else { return Ok(()) };
    let mut brought = None;
    loop {
        let mut partition = space.partition_as_is(number);
        let settling = Settling { fail: tail.fail };
        let lacking = go_on(space, &mut partition, brought.take(), tail.clock);
        std::mem::forget(settling);
        drop(partition);
        let Some(lacking) = lacking? else { return Ok(()) };
        brought = Some(lacking.load(space, tail)?);
    }
}

/// [`settle`] for a partition that stays locked; `clock`: the LRU word of objects.
pub(super) fn settle_locked(
    space: &Space,
    partition: &mut Partition,
    clock: u32,
) -> Result<(), TailError> {
    let Some(tail) = space.tail() else { return Ok(()) };
    let mut brought = None;
    while let Some(lacking) = go_on(space, partition, brought.take(), clock)? {
        brought = Some(lacking.load(space, tail)?);
    }
    Ok(())
}

/// Dropped while a partition is half settled, and locked: after a panic, which nobody may go on
/// from.
struct Settling {
    fail: fn(&TailError) -> !,
}

impl Drop for Settling {
    fn drop(&mut self) {
        (self.fail)(&TailError::Panicked);
    }
}

/// An object without which the first change that waits cannot be applied.
struct Lacking {
    db: usize,
    name: Box<[u8]>,
    /// Bytes of changes that wait.
    left: usize,
}

/// What was lacking, read.
struct Brought {
    lacking: Lacking,
    loaded: Loaded,
}

impl Lacking {
    fn load(self, space: &Space, tail: &Tail) -> Result<Brought, TailError> {
        let key = Key::new(&self.name, space.tag());
        let (bucket, db) = (space.bucket(&key), space.physical(self.db));
        let (_, loaded) = tail.base.load(BaseKey { bucket, db, hash: key.hash, key: key.name })?;
        Ok(Brought { loaded: loaded.ok_or(TailError::Missing)?, lacking: self })
    }
}

/// Applies changes that wait, up to one that needs an object which is only in the base; that was
/// brought for the first of them, unless another thread has got further since.
fn go_on(
    space: &Space,
    partition: &mut Partition,
    brought: Option<Brought>,
    clock: u32,
) -> Result<Option<Lacking>, TailError> {
    let waiting = partition.pending.len();
    let brought = brought.filter(|brought| brought.lacking.left == waiting);
    let was_brought = brought.is_some();
    if let Some(Brought { lacking, loaded }) = brought {
        let key = Key::new(&lacking.name, space.tag());
        install(partition, lacking.db, &key, space.bucket(&key), loaded, clock);
    }
    let lacking = apply_pending(space, partition, clock)?;
    match &lacking {
        Some(lacking) if was_brought && lacking.left == waiting => Err(TailError::Missing),
        _ => Ok(lacking),
    }
}

/// Applies changes that wait, up to one that needs an object which is only in the base.
fn apply_pending(
    space: &Space,
    partition: &mut Partition,
    clock: u32,
) -> Result<Option<Lacking>, TailError> {
    let pending = std::mem::take(&mut partition.pending);
    let mut rest = pending.as_slice();
    loop {
        let waiting = rest;
        let Some(change) = Change::take(&mut rest)? else { return Ok(None) };
        let Some((db, key)) = place(space, &change) else { continue };
        if apply_to(partition, db, &key, change, clock)? == Applied::Needs {
            partition.pending = waiting.to_vec();
            return Ok(Some(Lacking { db, name: key.name.into(), left: waiting.len() }));
        }
    }
}
