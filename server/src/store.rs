//! Journal and base of this node: opening, replaying the tail, feeding, saving.

use crate::node::Node;
use anyhow::{Context, Result};
use cluster::journal::{DataDir, Identity, Journal, JournalError};
use parking_lot::{Condvar, Mutex};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use storage::base::{Base, BaseKey, Due};
use storage::keyspace::{
    Key, PARTITIONS, Space, Tail, TailError, defer, install, lru, scan, settle_all,
};
use storage::record::Change;

#[cfg(test)]
mod tests;

/// Bytes of journal read at once.
const READ_BYTES: usize = 4 << 20;

pub struct Store {
    pub journal: Journal,
    pub base: Arc<dyn Base>,
    /// Keeps the lock on the directory.
    pub dir: DataDir,
    /// Writes have to wait until the base has caught up.
    pub lagging: AtomicBool,
    /// A feed is under way: until it ends, objects it has put into the base may not leave memory.
    pub feeding: AtomicBool,
    pub feeder: Feeder,
    /// With `loaded`: tells those who wait for another's load of the same key.
    pub load_ended: Mutex<()>,
    pub loaded: Condvar,
    pub fed_bytes: AtomicU64,
    pub feeds: AtomicU64,
    pub feed_micros: AtomicU64,
}

/// How others reach the feeding thread.
#[derive(Default)]
pub struct Feeder {
    state: Mutex<FeedState>,
    changed: Condvar,
}

#[derive(Default)]
struct FeedState {
    wanted: bool,
    stop: bool,
    /// Feeds begun and ended; a feed that began after a request has all that was before it.
    begun: u64,
    ended: u64,
    /// Text of the error that ended the last feed.
    failure: Option<String>,
}

impl Feeder {
    /// Asks for a feed soon.
    pub fn want(&self) {
        let mut state = self.state.lock();
        if !state.wanted {
            state.wanted = true;
            self.changed.notify_all();
        }
    }

    pub fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits until everything journaled before the call is in the base.
    pub fn feed_now(&self) -> Result<(), String> {
        let mut state = self.state.lock();
        let target = state.begun + 1;
        state.wanted = true;
        self.changed.notify_all();
        // A feed that failed ends too; its error is the answer.
        while state.ended < target && !state.stop {
            self.changed.wait(&mut state);
        }
        state.failure.clone().map_or(Ok(()), Err)
    }
}

impl Store {
    pub fn new(journal: Journal, base: Arc<dyn Base>, dir: DataDir) -> Store {
        Store {
            journal,
            base,
            dir,
            lagging: AtomicBool::new(false),
            feeding: AtomicBool::new(false),
            feeder: Feeder::default(),
            load_ended: Mutex::default(),
            loaded: Condvar::new(),
            fed_bytes: AtomicU64::new(0),
            feeds: AtomicU64::new(0),
            feed_micros: AtomicU64::new(0),
        }
    }

    pub fn is_lagging(&self) -> bool {
        self.lagging.load(Ordering::Relaxed)
    }

    /// Whether the base lacks changes, or the feed that brought the last ones has not ended.
    pub fn is_behind(&self) -> bool {
        self.journal.end() > self.base.index() || self.feeding.load(Ordering::Acquire)
    }

    /// Bytes of journal that are not in the base yet.
    pub fn lag_bytes(&self) -> u64 {
        let index = self.base.index();
        if self.journal.end() > index { self.journal.bytes_since(index) } else { 0 }
    }

    /// A failed write or sync of the journal: nothing that was not acknowledged may be later, so
    /// the process ends at once (RELIABILITY.md section 1).
    pub fn fatal(&self, error: &str) -> ! {
        tracing::error!("the journal cannot be written, the process ends: {error}");
        std::process::exit(74)
    }
}

/// The identity a new directory gets.
pub fn fresh_identity(buckets: u16, tag: String, seed: Option<u64>) -> Identity {
    let random = || fastrand::u64(1..);
    Identity {
        cluster_id: random(),
        buckets: u32::from(buckets),
        bucket_tag: tag,
        hash_seed: seed.unwrap_or_else(random),
    }
}

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

/// The loop of the feeding thread: feeds when there is enough, when memory asks for it, or after
/// an idle second; and lets writers wait while the lag is over its limit.
pub fn feed_loop(node: &'static Node) {
    let Some(store) = &node.store else { return };
    let mut last_end = 0;
    let mut idle_since = std::time::Instant::now();
    let mut walked = std::time::Instant::now();
    let mut place = DuePlace::default();
    loop {
        let wanted = {
            let mut state = store.feeder.state.lock();
            if !state.wanted && !state.stop {
                store.feeder.changed.wait_for(&mut state, std::time::Duration::from_millis(50));
            }
            if state.stop {
                return;
            }
            std::mem::take(&mut state.wanted)
        };
        let end = store.journal.end();
        if end != last_end {
            last_end = end;
            idle_since = std::time::Instant::now();
        }
        let lag = store.lag_bytes();
        let limit = node.config.feed_bytes();
        let room = node.space.settings().maxmemory / 4;
        let enough = lag >= limit || (room > 0 && lag >= room);
        let idle = end > store.base.index() && idle_since.elapsed().as_millis() >= 1000;
        set_lagging(node, store, lag > node.config.base_lag_max());
        if wanted || enough || idle {
            let result = feed(node, store);
            let mut state = store.feeder.state.lock();
            state.failure = result.as_ref().err().map(|error| format!("{error:#}"));
            state.ended = state.begun;
            store.feeding.store(false, Ordering::Release);
            if let Err(error) = result {
                tracing::error!("feeding the base failed, it is tried again: {error:#}");
            }
            store.feeder.changed.notify_all();
            drop(state);
            set_lagging(node, store, store.lag_bytes() > node.config.base_lag_max());
            node.inboxes.iter().for_each(|inbox| inbox.released());
        }
        let stats = store.base.stats();
        crate::memory::set_elsewhere(stats.block_cache_bytes + stats.table_readers_bytes);
        let expires = node.space.has_deadlines() && node.space.settings().active_expire;
        if expires && walked.elapsed().as_millis() >= 100 {
            walked = std::time::Instant::now();
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
fn feed(node: &Node, store: &Store) -> Result<()> {
    let begun = std::time::Instant::now();
    {
        let mut state = store.feeder.state.lock();
        state.begun += 1;
        store.feeding.store(true, Ordering::Release);
    }
    // Every partition moves to the next epoch under its lock. A command holds its partitions from
    // the change to the append; so what was changed in earlier epochs is in the journal at `end`.
    let epoch = next_epoch(node);
    let end = store.journal.end();
    store.journal.flush(end)?;
    // C4: what is fed is durable in the journal first.
    store.journal.sync_to(end)?;
    let budget = feed_budget(node);
    while store.base.index() < end {
        let mut feed = storage::base::Feed::new(budget);
        let mut from = store.base.index() + 1;
        while from <= end && feed.bytes() < budget {
            let entries = store.journal.read(from, READ_BYTES.min(budget))?;
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
        let ingested = store.base.ingest(feed)?;
        store.fed_bytes.fetch_add(ingested.file_bytes, Ordering::Relaxed);
        set_lagging(node, store, store.lag_bytes() > node.config.base_lag_max());
        store.journal.purge(ingested.index);
    }
    node.space.fed_epoch.store(epoch, Ordering::Release);
    for number in 0..storage::keyspace::PARTITIONS as u16 {
        node.space.partition(number).prune_tombstones(epoch);
    }
    store.feeds.fetch_add(1, Ordering::Relaxed);
    store.feed_micros.fetch_add(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
    Ok(())
}

/// Begins the next feed epoch everywhere and returns the one that ended.
fn next_epoch(node: &Node) -> u32 {
    let fed = node.space.fed_epoch.load(Ordering::Acquire);
    let rebase = node.space.partition(0).epoch + 2 >= storage::keyspace::EPOCH_END;
    if rebase {
        // Of the old numbers none is compared with a new one: what was fed is epoch 0 from here on.
        node.space.fed_epoch.store(0, Ordering::Release);
    }
    let mut ended = 0;
    for number in 0..storage::keyspace::PARTITIONS as u16 {
        let mut partition = node.space.partition(number);
        if rebase {
            partition.rebase_epochs(fed);
        }
        ended = partition.epoch;
        partition.epoch += 1;
    }
    ended
}

/// Bytes one ingest may gather in memory: a sixteenth of `maxmemory`, at most 128 MiB.
fn feed_budget(node: &Node) -> usize {
    let most = 128 << 20;
    match node.space.settings().maxmemory {
        0 => most,
        max => ((max / 16) as usize).clamp(1 << 20, most),
    }
}

/// Where the walk over the base's deadlines goes on. What it deletes stays in the base until the
/// next feed; beginning at the front each time would meet only that.
#[derive(Default)]
struct DuePlace {
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
fn expire_in_base(node: &Node, store: &Store, place: &mut DuePlace) -> Result<()> {
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

    /// Makes a backup: feeds the base, then writes a checkpoint of it into `backups/`.
    pub fn save(&self) -> Result<(), String> {
        let store = self.store.as_ref().ok_or("there is nothing on disk with --base memory")?;
        save(store).map_err(|error| format!("{error:#}"))
    }

    /// Puts everything into the base and forgets what is in memory (DEBUG RELOAD).
    pub fn reload(&self) -> Result<(), String> {
        let store = self.store.as_ref().ok_or("there is nothing on disk with --base memory")?;
        store.feeder.feed_now()?;
        let fed = self.space.fed_epoch.load(Ordering::Acquire);
        for number in 0..storage::keyspace::PARTITIONS as u16 {
            self.space.partition(number).unload_all(fed);
        }
        Ok(())
    }
}

fn save(store: &Store) -> Result<()> {
    store.feeder.feed_now().map_err(anyhow::Error::msg)?;
    let backups = store.dir.path().join("backups");
    std::fs::create_dir_all(&backups)
        .with_context(|| format!("cannot create {}", backups.display()))?;
    let dir = backups.join(format!("backup-{}", crate::node::wall_ms()));
    let half = dir.with_extension("part");
    std::fs::create_dir(&half).with_context(|| format!("cannot create {}", half.display()))?;
    store.base.checkpoint(&half.join("base"))?;
    let identity = store.dir.path().join("IDENTITY");
    std::fs::copy(&identity, half.join("IDENTITY"))
        .with_context(|| format!("cannot copy {}", identity.display()))?;
    std::fs::rename(&half, &dir).with_context(|| format!("cannot finish {}", dir.display()))?;
    sync_dir(&backups)?;
    tracing::info!("backup written: {}", dir.display());
    Ok(())
}

fn sync_dir(dir: &Path) -> Result<()> {
    let opened =
        std::fs::File::open(dir).with_context(|| format!("cannot open {}", dir.display()))?;
    opened.sync_all().with_context(|| format!("cannot sync {}", dir.display()))
}

/// Says that a key is being loaded, once nobody else does; `None` when it is known by now.
fn begin_load(node: &Node, store: &Store, db: usize, key: &Key<'_>) -> Option<u32> {
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
fn load_all(node: &Node, store: &Store, cold: &crate::writer::Cold) -> Result<(), String> {
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

/// Applies what the start left of the journal's tail, unless commands come first.
pub fn settle(space: &Space) {
    (0..PARTITIONS as u16).for_each(|number| drop(space.partition(number)));
}

fn on_unsettled(error: &TailError) -> ! {
    tracing::error!("the journal's tail cannot be applied, the process ends: {error}");
    std::process::exit(74)
}

/// What the journal says when it cannot go on.
pub fn on_fatal(error: JournalError) {
    tracing::error!("the journal cannot be written, the process ends: {error}");
    std::process::exit(74)
}
