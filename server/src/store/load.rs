//! Brings keys from the base into memory, on a thread that may wait (C14).

use super::Store;
use crate::node::Node;
use std::sync::atomic::Ordering;
use storage::base::BaseKey;
use storage::keyspace::{Key, install};

impl Node {
    /// Loads keys from the base and lets the command that waits for them run again.
    pub fn load(&'static self, cold: crate::writer::Cold, core: usize, place: usize, client: u64) {
        use crate::net::Message;
        self.workers.load(Box::new(move || {
            let result = self.store.as_ref().map_or(Ok(()), |store| load_all(self, store, &cold));
            let Some(inbox) = self.inboxes.get(core) else { return };
            inbox.send(match result {
                Ok(()) => Message::Retry { place, client },
                Err(text) => Message::Failed { place, client, text },
            });
        }));
    }
}

/// Says that a key is being loaded, once nobody else does; `None` when it is known by now.
pub(super) fn begin_load(node: &Node, store: &Store, db: usize, key: &Key<'_>) -> Option<u32> {
    loop {
        let mut ended = store.load_ended.lock();
        let mut partition = node.space.partition(key.partition());
        if partition.known(db, key) != storage::keyspace::Known::Unknown {
            return None;
        }
        if partition.begin_load(db, key.name) {
            return Some(node.space.physical(db));
        }
        drop(partition);
        // The other load's end is told; the time limit is for one told just before the wait.
        store.loaded.wait_for(&mut ended, std::time::Duration::from_millis(5));
    }
}

/// Loads each key that is still unknown. A key that changes while it is being loaded is left as
/// it is now; the command looks again (C14).
pub(super) fn load_all(
    node: &Node,
    store: &Store,
    cold: &crate::writer::Cold,
) -> Result<(), String> {
    for (db, name) in cold {
        let key = Key::new(name, node.space.tag());
        let bucket = node.space.bucket(&key);
        let Some(physical) = begin_load(node, store, *db, &key) else { continue };
        let place = BaseKey { bucket, db: physical, hash: key.hash, key: name };
        let loaded = store.base.load(place);
        let mut partition = node.space.partition(key.partition());
        let stale = partition.end_load(*db, name);
        store.loaded.notify_all();
        let (_, loaded) = loaded.map_err(|error| {
            tracing::error!("loading a key failed: {error}");
            format!("ERR the base cannot be read: {error}")
        })?;
        if stale {
            continue;
        }
        match loaded {
            None => partition.entomb(*db, name, 0),
            Some(loaded) => {
                let max = node.space.settings().maxmemory;
                if max > 0 && loaded.value.heap_bytes(0) as u64 > max {
                    return Err(
                        "OOM command not allowed when used memory > 'maxmemory'.".to_owned()
                    );
                }
                node.counters.loaded.fetch_add(1, Ordering::Relaxed);
                let clock =
                    storage::keyspace::start_clock(&node.space.settings(), crate::node::wall_ms());
                install(&mut partition, *db, &key, bucket, loaded, clock);
            }
        }
    }
    Ok(())
}
