//! Deletes keys whose deadline has passed and that may be only in the base (C20).
//!
//! A thread of its own walks the base's deadlines, so that neither a feed nor a load holds it up.
//! It knows the next deadline there and sleeps until then: while nothing is due nothing is read. A
//! feed brings deadlines and moves what the walk has passed, so after one the walk begins again.
//!
//! What is read of the base is old by the time the key's partition is locked. A key that is in
//! memory then is judged by its own deadline. One that is not is as the base has it, and if no feed
//! ended since the walk read it, that is what was read.

use super::Store;
use crate::node::{Node, wall_ms};
use crate::session::publish_notices;
use crate::writer;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use storage::base::{BaseError, Due};
use storage::commands::Ctx;
use storage::keyspace::{Class, Key, Known, Notice, Partition, Turn};
use storage::record::Change;

/// Keys read in one page, and pages in one walk.
const PAGE: usize = 1000;
const PAGES: usize = 20;
/// Between two walks: at least, so that deadlines close to each other are met together, and at
/// most, in case the clock was set. Milliseconds.
const REST_MIN_MS: i64 = 2;
const REST_MAX_MS: i64 = 100;

/// Wakes and ends the expiring thread.
#[derive(Default)]
pub struct Alarm {
    state: Mutex<AlarmState>,
    changed: Condvar,
}

#[derive(Default)]
struct AlarmState {
    rung: bool,
    stop: bool,
}

impl Alarm {
    /// A feed has ended: other deadlines may be in the base.
    pub fn ring(&self) {
        self.state.lock().rung = true;
        self.changed.notify_all();
    }

    pub fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits; false when the thread is to end.
    fn wait(&self, at_most: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.rung && !state.stop {
            self.changed.wait_for(&mut state, at_most);
        }
        state.rung = false;
        !state.stop
    }
}

/// The loop of the expiring thread.
pub fn expire_loop(node: &'static Node) {
    let Some(store) = &node.store else { return };
    let mut walk = Walk::new(node);
    let mut rest_ms = 0;
    while store.alarm.wait(Duration::from_millis(rest_ms as u64)) {
        rest_ms = REST_MAX_MS;
        if !node.space.has_deadlines() || !node.space.settings().active_expire {
            continue;
        }
        match walk.step(node, store, wall_ms()) {
            Ok(next) => rest_ms = next.saturating_sub(wall_ms()).clamp(REST_MIN_MS, REST_MAX_MS),
            Err(error) => tracing::error!("looking for expired keys in the base failed: {error}"),
        }
    }
}

/// A walk over the base's deadlines.
pub(super) struct Walk {
    turn: Turn,
    /// The base's index when the walk began.
    index: Option<u64>,
    /// The last deadline that was passed. What the walk deletes stays in the base until the next
    /// feed; beginning at the front each time would meet only that.
    after: Option<Due>,
    /// Before this time, ms since the epoch, there is nothing to be found.
    next: i64,
    flush: Arc<Flush>,
}

impl Walk {
    pub(super) fn new(node: &Node) -> Walk {
        Walk {
            turn: Turn::new(&node.space, 0),
            index: None,
            after: None,
            next: i64::MIN,
            flush: Arc::default(),
        }
    }

    /// Deletes what is due at `now`. Returns when to look again, ms since the epoch.
    pub(super) fn step(
        &mut self,
        node: &'static Node,
        store: &'static Store,
        now: i64,
    ) -> Result<i64, BaseError> {
        let index = store.base.index();
        if self.index != Some(index) {
            (self.index, self.after, self.next) = (Some(index), None, i64::MIN);
        }
        if self.next > now {
            return Ok(self.next);
        }
        self.turn.begin(&node.space, now);
        let walked = self.delete_all_due(node, store, now);
        node.counters.expired.fetch_add(std::mem::take(&mut self.turn.expired), Ordering::Relaxed);
        let notices = std::mem::take(&mut self.turn.notices);
        publish_notices(node, self.turn.settings.notify, notices);
        self.flush.ask(node, store);
        walked?;
        Ok(self.next)
    }

    fn delete_all_due(&mut self, node: &Node, store: &Store, now: i64) -> Result<(), BaseError> {
        for _ in 0..PAGES {
            let mut due = store.base.due(self.after.as_ref(), now, PAGE)?;
            for found in &due {
                if !self.delete_due(node, store, found) {
                    // The base has moved on; the next walk begins anew.
                    self.index = None;
                    return Ok(());
                }
            }
            let is_last = due.len() < PAGE;
            self.after = due.pop().or(self.after.take());
            if is_last {
                let next = store.base.next_deadline(now.saturating_add(1))?;
                self.next = next.unwrap_or(i64::MAX);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Deletes one key that was found due in the base, unless memory knows better. False when what
    /// was found may no longer be so.
    fn delete_due(&mut self, node: &Node, store: &Store, found: &Due) -> bool {
        let Some(db) = node.space.client_db(found.key.db) else { return true };
        let key = Key::new(&found.key.key, node.space.tag());
        let mut locked = node.space.lock_one(key.partition());
        // A FLUSHDB or SWAPDB may have come before the lock.
        if node.space.physical(db) != found.key.db {
            return true;
        }
        let Some(partition) = locked.get_mut(key.partition()) else { return true };
        match partition.known(db, &key) {
            Known::Absent => {}
            Known::Unknown if self.index != Some(store.base.index()) => return false,
            Known::Unknown => self.delete_cold(node, partition, db, &key, found.key.db),
            Known::Resident | Known::Hollow => {
                let none = resp::OwnedArgs::from_slices(&[]);
                let mut cx = Ctx::new(none.as_args(), db, &node.space, locked, &mut self.turn);
                cx.delete_if_due(&key);
                locked = cx.locked;
            }
        }
        writer::commit(node, &mut self.turn);
        drop(locked);
        self.turn.discarded.clear();
        true
    }

    /// Deletes a key that is only in the base.
    fn delete_cold(
        &mut self,
        node: &Node,
        partition: &mut Partition,
        db: usize,
        key: &Key<'_>,
        physical: u32,
    ) {
        let bucket = node.space.bucket(key);
        let change = Change::Delete { bucket, db: physical, key: key.name, wide: true };
        change.encode(&mut self.turn.batch);
        let epoch = partition.epoch;
        partition.entomb(db, key.name, epoch);
        partition.changed(db, key.name);
        node.space.count(db, bucket, -1);
        self.turn.expired += 1;
        if self.turn.settings.notify & Class::Expired as u32 != 0 {
            self.turn.notices.push(Notice { event: "expired", db, key: key.name.into() });
        }
    }
}

/// Has the journal written on a thread that may wait: a write stalls while the disk syncs, and
/// other keys become due meanwhile.
#[derive(Default)]
struct Flush {
    /// The index to be written.
    wanted: AtomicU64,
    is_running: AtomicBool,
}

impl Flush {
    fn ask(self: &Arc<Flush>, node: &'static Node, store: &'static Store) {
        let end = store.journal.end();
        self.wanted.store(end, Ordering::Release);
        if store.journal.written() < end && !self.is_running.swap(true, Ordering::AcqRel) {
            let flush = self.clone();
            node.workers.run(Box::new(move || flush.run(store)));
        }
    }

    fn run(&self, store: &Store) {
        loop {
            if let Err(error) = store.journal.flush(self.wanted.load(Ordering::Acquire)) {
                store.fatal(&error.to_string());
            }
            self.is_running.swap(false, Ordering::AcqRel);
            // Who asked before that line relies on this flush, who asks after it begins another.
            let is_written = store.journal.written() >= self.wanted.load(Ordering::Acquire);
            if is_written || self.is_running.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    }
}
