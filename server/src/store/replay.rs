//! The journal's tail at a start: what the base lacks.

use super::READ_BYTES;
use anyhow::Result;
use cluster::journal::Journal;
use std::sync::Arc;
use storage::base::Base;
use storage::keyspace::{PARTITIONS, Space, Tail, TailError, defer, lru, scan, settle_all};

/// Changes of the journal's tail that are applied before the start ends; more are left to
/// [`settle`].
const SETTLED_AT_START: u64 = 20_000;

/// Fills the empty keyspace with what is not in the base yet: counts, and the journal's tail.
/// Returns the number of changes in it.
pub fn replay(space: &Space, journal: &Journal, base: &Arc<dyn Base>, now: i64) -> Result<u64> {
    if let Some(map) = base.db_map()? {
        space.set_db_map(map);
    }
    let mut seen = 0;
    for (physical, bucket, count) in base.counts()? {
        for number in scan::partitions_of(bucket, space.buckets()) {
            space.partition(number).complete = false;
        }
        if let Some(db) = space.client_db(physical) {
            space.count(db, bucket, count as i64);
        }
    }
    if base.index() > 0 {
        // Deadlines in the base are walked whether or not a key with one was loaded.
        space.note_deadlines();
    }
    let tail_bytes = journal.bytes_since(base.index()) as usize;
    space.set_tail(Tail {
        clock: lru(now),
        base: base.clone(),
        partition_bytes: tail_bytes / PARTITIONS + tail_bytes / PARTITIONS / 8,
        fail: on_unsettled,
    });
    let mut from = base.index() + 1;
    while from <= journal.end() {
        let entries = journal.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.id.index + 1;
        for batch in entries.iter().flat_map(|entry| entry.batches()) {
            seen += defer(space, batch)?;
        }
    }
    if seen <= SETTLED_AT_START {
        settle_all(space)?;
    }
    Ok(seen)
}

/// Applies what the start left of the journal's tail, unless commands come first.
pub fn settle(space: &Space) {
    (0..PARTITIONS as u16).for_each(|number| drop(space.partition(number)));
}

fn on_unsettled(error: &TailError) -> ! {
    if let Some(text) = crate::panics::unreported() {
        tracing::error!("a panic: {text}");
    }
    tracing::error!("the journal's tail cannot be applied, the process ends: {error}");
    std::process::exit(74)
}
