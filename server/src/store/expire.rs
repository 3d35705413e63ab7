//! Deletes keys whose deadline has passed and that are only in the base (C20).

use super::Store;
use crate::node::Node;
use anyhow::Result;
use std::sync::atomic::Ordering;
use storage::base::Due;
use storage::keyspace::Key;
use storage::record::Change;

/// Where the walk over the base's deadlines goes on. What it deletes stays in the base until the
/// next feed; beginning at the front each time would meet only that.
#[derive(Default)]
pub(super) struct DuePlace {
    index: u64,
    after: Option<Due>,
    begun: Option<std::time::Instant>,
}

impl DuePlace {
    /// Goes back to the front after a feed, and now and then: a key that was resident when the
    /// walk passed it may have left memory since.
    fn renew(&mut self, index: u64) {
        let old = self.begun.is_none_or(|begun| begun.elapsed().as_secs() >= 10);
        if self.index != index || old {
            *self = DuePlace { index, after: None, begun: Some(std::time::Instant::now()) };
        }
    }
}

/// Keys looked at in one page, and pages in one walk.
const DUE_PAGE: usize = 1000;

const DUE_PAGES: usize = 20;

/// Deletes keys whose deadline has passed and that are only in the base (C20).
pub(super) fn expire_in_base(node: &Node, store: &Store, place: &mut DuePlace) -> Result<()> {
    let now = crate::node::wall_ms();
    place.renew(store.base.index());
    let mut deleted = false;
    for _ in 0..DUE_PAGES {
        let mut due = store.base.due(place.after.as_ref(), now, DUE_PAGE)?;
        let last = due.len() < DUE_PAGE;
        for found in &due {
            deleted |= delete_due(node, store, found, now);
        }
        place.after = due.pop().or(place.after.take());
        if last {
            break;
        }
    }
    if deleted {
        store.journal.flush(store.journal.end())?;
    }
    Ok(())
}

/// Deletes one key that was found due in the base, unless memory knows better.
fn delete_due(node: &Node, store: &Store, found: &Due, now: i64) -> bool {
    let Some(db) = node.space.client_db(found.key.db) else { return false };
    let key = Key::new(&found.key.key, node.space.tag());
    let mut partition = node.space.partition(key.partition());
    // A FLUSHDB or SWAPDB may have come before the lock.
    let moved = node.space.physical(db) != found.key.db;
    if moved || partition.known(db, &key) != storage::keyspace::Known::Unknown {
        return false;
    }
    let bucket = node.space.bucket(&key);
    let mut batch = Vec::new();
    Change::Delete { bucket, db: found.key.db, key: key.name, wide: true }.encode(&mut batch);
    let epoch = partition.epoch;
    partition.entomb(db, key.name, epoch);
    partition.changed(db, key.name);
    node.space.count(db, bucket, -1);
    store.journal.append(&batch, now as u64);
    node.counters.expired.fetch_add(1, Ordering::Relaxed);
    true
}
