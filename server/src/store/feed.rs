//! The feeding thread: turns the journal's tail into ingests of the base.

use super::Store;
use super::expire::{DuePlace, expire_in_base};
use crate::node::Node;
use anyhow::Result;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use storage::keyspace::PARTITIONS;

/// Bytes of journal that a feed reads at once.
const FEED_READ_BYTES: usize = 1 << 20;

/// The loop of the feeding thread: feeds when there is enough, when memory asks for it, or after
/// an idle second; and lets writers wait while the lag is over its limit.
pub fn feed_loop(node: &'static Node) {
    let Some(store) = &node.store else { return };
    let mut last_end = 0;
    let mut idle_since = Instant::now();
    let mut walked = Instant::now();
    let mut place = DuePlace::default();
    loop {
        let Some(wanted) = store.feeder.next(Duration::from_millis(50)) else { return };
        let end = store.journal.end();
        if end != last_end {
            last_end = end;
            idle_since = Instant::now();
        }
        let lag = store.lag_bytes();
        let limit = node.config.feed_bytes();
        let room = node.space.settings().maxmemory / 4;
        let enough = lag >= limit || (room > 0 && lag >= room);
        let idle = end > store.base.index() && idle_since.elapsed().as_millis() >= 1000;
        set_lagging(node, store, lag > node.config.base_lag_max());
        if wanted || enough || idle {
            let result = feed(node, store);
            if let Err(error) = &result {
                tracing::error!("feeding the base failed, it is tried again: {error:#}");
            }
            let failure = result.err().map(|error| format!("{error:#}"));
            store.feeder.end(failure, || store.feeding.store(false, Ordering::Release));
            set_lagging(node, store, store.lag_bytes() > node.config.base_lag_max());
            node.inboxes.iter().for_each(|inbox| inbox.released());
        }
        let stats = store.base.stats();
        let known = stats.block_cache_bytes + stats.table_readers_bytes;
        let max = node.space.settings().maxmemory;
        crate::memory::set_elsewhere(known, crate::admin::info::process::resident_bytes(), max);
        let expires = node.space.has_deadlines() && node.space.settings().active_expire;
        if expires && walked.elapsed().as_millis() >= 100 {
            walked = Instant::now();
            if let Err(error) = expire_in_base(node, store, &mut place) {
                tracing::error!("looking for expired keys in the base failed: {error}");
            }
        }
    }
}

fn set_lagging(node: &Node, store: &Store, lagging: bool) {
    if store.lagging.swap(lagging, Ordering::Relaxed) && !lagging {
        node.inboxes.iter().for_each(|inbox| inbox.released());
    }
}

/// Turns the journal since the base's index into one or more ingests.
pub(super) fn feed(node: &Node, store: &Store) -> Result<()> {
    let begun = Instant::now();
    store.feeder.begin();
    store.feeding.store(true, Ordering::Release);
    // Every partition moves to the next epoch under its lock. A command holds its partitions from
    // the change to the append; so what was changed in earlier epochs is in the journal at `end`.
    let epoch = next_epoch(node);
    let end = store.journal.end();
    store.journal.flush(end)?;
    // C4: what is fed is durable in the journal first.
    store.journal.sync_to(end)?;
    let budget = feed_budget(node);
    while store.base.index() < end {
        let mut feed = store.base.new_feed(budget);
        let mut from = store.base.index() + 1;
        while from <= end && !feed.is_full() {
            let entries = store.journal.read(from, FEED_READ_BYTES)?;
            let Some(last) = entries.last() else { break };
            from = last.id.index + 1;
            store.journal.sync_to(last.id.index)?;
            for entry in &entries {
                for batch in entry.batches() {
                    feed.add(entry.id.index, entry.id.term, entry.time_ms as i64, batch)?;
                }
            }
        }
        if feed.is_empty() {
            break;
        }
        let ingested = {
            let _ingests = store.ingesting.lock();
            store.base.ingest(feed)?
        };
        store.fed_bytes.fetch_add(ingested.file_bytes, Ordering::Relaxed);
        set_lagging(node, store, store.lag_bytes() > node.config.base_lag_max());
        store.journal.purge(ingested.index);
    }
    node.space.fed_epoch.store(epoch, Ordering::Release);
    for number in 0..PARTITIONS as u16 {
        node.space.partition(number).prune_tombstones(epoch);
    }
    store.feeds.fetch_add(1, Ordering::Relaxed);
    store.feed_micros.fetch_add(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
    Ok(())
}

/// Begins the next feed epoch everywhere and returns the one that ended.
pub(super) fn next_epoch(node: &Node) -> u32 {
    let fed = node.space.fed_epoch.load(Ordering::Acquire);
    let rebase = node.space.partition(0).epoch + 2 >= storage::keyspace::EPOCH_END;
    if rebase {
        // Of the old numbers none is compared with a new one: what was fed is epoch 0 from here on.
        node.space.fed_epoch.store(0, Ordering::Release);
    }
    let mut ended = 0;
    for number in 0..PARTITIONS as u16 {
        let mut partition = node.space.partition(number);
        if rebase {
            partition.rebase_epochs(fed);
        }
        ended = partition.epoch;
        partition.epoch += 1;
    }
    ended
}

/// Bytes one feed may hold in memory: a 64th of `maxmemory`, within bounds.
fn feed_budget(node: &Node) -> usize {
    let most = 16 << 20;
    match node.space.settings().maxmemory {
        0 => most,
        max => ((max / 64) as usize).clamp(1 << 20, most),
    }
}
