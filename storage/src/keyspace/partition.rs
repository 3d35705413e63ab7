//! One partition: the resident objects of 16 neighbouring slots, in all databases.
//!
//! What is not resident may be in the base. A partition is *complete* while nothing of it is only
//! in the base: there a miss is an answer (C15). In another, a miss is an answer only where a
//! tombstone stands: a deletion leaves one until the base has passed it (C13). A key that is being
//! loaded is noted; a change to it meanwhile makes what the load brings stale (C14).

use super::entry::Entry;
use super::key::Key;
use crate::objects::Value;
use crate::table::HashOrdered;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::hash_map::Entry as Place;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised when a watched key changes; one per connection that has watched something.
pub type Watch = Arc<AtomicBool>;

#[derive(Default)]
pub struct Db {
    pub table: HashOrdered<Box<Entry>>,
    /// Keys that are gone although the base may still have them, with the epoch of the deletion.
    pub tombstones: HashMap<Box<[u8]>, u32>,
}

#[derive(Default)]
pub struct Partition {
    dbs: SmallVec<[Db; 1]>,
    /// Nothing of this partition is only in the base.
    pub complete: bool,
    /// Whether deletions must leave tombstones: there is a base.
    pub based: bool,
    /// The feed epoch that changes made now belong to.
    pub epoch: u32,
    watchers: HashMap<(usize, Box<[u8]>), Vec<Watch>>,
    /// Keys a load is under way for; true: changed since it began.
    loading: HashMap<(usize, Box<[u8]>), bool>,
    deadlines: BinaryHeap<Reverse<(i64, u32, u32)>>,
    /// Resident objects with a deadline.
    pub expiring: usize,
    /// How many objects have left memory without being deleted.
    pub evictions: u64,
    /// Changes of the journal's tail that are not applied yet.
    pub(super) pending: Vec<u8>,
}

/// What is known of a key without asking the base.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Known {
    Resident,
    Absent,
    /// Only the base can tell.
    Unknown,
}

impl Partition {
    /// An empty partition; `based`: there is a base beneath it.
    pub fn new(based: bool) -> Partition {
        Partition { complete: true, based, epoch: 1, ..Partition::default() }
    }

    #[inline]
    pub fn db(&self, db: usize) -> Option<&Db> {
        self.dbs.get(db)
    }

    #[inline]
    pub fn db_mut(&mut self, db: usize) -> &mut Db {
        while self.dbs.len() <= db {
            self.dbs.push(Db::default());
        }
        // The loop above made it.
        #[allow(clippy::indexing_slicing)]
        &mut self.dbs[db]
    }

    pub fn dbs(&self) -> impl Iterator<Item = (usize, &Db)> {
        self.dbs.iter().enumerate()
    }

    #[inline]
    pub fn get(&self, db: usize, key: &Key<'_>) -> Option<&Entry> {
        let table = &self.dbs.get(db)?.table;
        table.get(key.hash, |entry| entry.key.as_slice() == key.name).map(|entry| &**entry)
    }

    #[inline]
    pub fn get_mut(&mut self, db: usize, key: &Key<'_>) -> Option<&mut Entry> {
        let table = &mut self.dbs.get_mut(db)?.table;
        table.get_mut(key.hash, |entry| entry.key.as_slice() == key.name).map(|entry| &mut **entry)
    }

    /// Begins to bring a key's slot near.
    #[inline]
    pub(super) fn prefetch_slot(&self, db: usize, hash: u32) {
        if let Some(db) = self.dbs.get(db) {
            db.table.prefetch(hash);
        }
    }

    /// Begins to bring near what is probably the key's object.
    #[inline]
    pub(super) fn prefetch_entry(&self, db: usize, hash: u32) {
        if let Some(entry) = self.dbs.get(db).and_then(|db| db.table.first_of(hash)) {
            crate::prefetch::prefetch(&**entry);
        }
    }

    /// Begins to bring near the value of what is probably the key's object.
    #[inline]
    pub(super) fn prefetch_value(&self, db: usize, hash: u32) {
        if let Some(entry) = self.dbs.get(db).and_then(|db| db.table.first_of(hash)) {
            entry.value.prefetch();
        }
    }

    /// Where a resident object lies; good until an object comes or goes.
    #[inline]
    pub fn find(&self, db: usize, key: &Key<'_>) -> Option<usize> {
        let table = &self.dbs.get(db)?.table;
        table.find(key.hash, |entry| entry.key.as_slice() == key.name)
    }

    #[inline]
    pub fn at(&self, db: usize, slot: usize) -> Option<&Entry> {
        self.dbs.get(db)?.table.at(slot).map(|entry| &**entry)
    }

    #[inline]
    pub fn at_mut(&mut self, db: usize, slot: usize) -> Option<&mut Entry> {
        self.dbs.get_mut(db)?.table.at_mut(slot).map(|entry| &mut **entry)
    }

    pub fn known(&self, db: usize, key: &Key<'_>) -> Known {
        if self.get(db, key).is_some() {
            return Known::Resident;
        }
        let gone = || self.dbs.get(db).is_some_and(|db| db.tombstones.contains_key(key.name));
        if self.complete || gone() { Known::Absent } else { Known::Unknown }
    }

    /// Adds an object that is known not to be resident.
    pub fn insert(&mut self, db: usize, key: &Key<'_>, entry: Entry) -> &mut Entry {
        if let Some(deadline) = entry.deadline() {
            self.expiring += 1;
            self.note_deadline(db, key.hash, deadline);
        }
        let db = self.db_mut(db);
        if !db.tombstones.is_empty() {
            db.tombstones.remove(key.name);
        }
        db.table.insert(key.hash, Box::new(entry))
    }

    /// Takes an object out of memory. With `tombstone` it is gone, else it is only evicted.
    pub fn remove(&mut self, db: usize, key: &Key<'_>, tombstone: bool) -> Option<Box<Entry>> {
        let (based, epoch) = (self.based, self.epoch);
        let place = self.dbs.get_mut(db)?;
        let entry = place.table.remove(key.hash, |entry| entry.key.as_slice() == key.name)?;
        if tombstone && based {
            place.tombstones.insert(key.name.into(), epoch);
        }
        if !tombstone {
            self.complete = false;
            self.evictions += 1;
        }
        if entry.deadline().is_some() {
            self.expiring -= 1;
        }
        Some(entry)
    }

    /// Notes that a key that is not resident is gone, or that the base has been found not to have
    /// it (`epoch` 0).
    pub fn entomb(&mut self, db: usize, name: &[u8], epoch: u32) {
        if self.based && !self.complete {
            self.db_mut(db).tombstones.insert(name.into(), epoch);
        }
    }

    /// Keeps what a load brought, unless it is resident by now.
    pub fn install(&mut self, db: usize, key: &Key<'_>, entry: Entry) {
        if self.known(db, key) == Known::Unknown {
            self.insert(db, key, entry);
        }
    }

    /// Sets the deadline of a resident object; false when there is none.
    pub fn set_deadline(&mut self, db: usize, key: &Key<'_>, deadline: Option<i64>) -> bool {
        let epoch = self.epoch;
        let Some(entry) = self.get_mut(db, key) else { return false };
        let had = entry.deadline().is_some();
        entry.set_deadline(deadline);
        entry.set_epoch(epoch);
        self.expiring = self.expiring + usize::from(deadline.is_some()) - usize::from(had);
        if let Some(deadline) = deadline {
            self.note_deadline(db, key.hash, deadline);
        }
        true
    }

    /// Replaces the value of a resident object, or adds it. Returns whether it is new.
    pub fn put(
        &mut self,
        db: usize,
        key: &Key<'_>,
        value: Value,
        bucket: u16,
        clock: u32,
    ) -> (bool, &mut Entry) {
        let epoch = self.epoch;
        let known = self.get(db, key).is_some();
        if !known {
            return (true, self.insert(db, key, Entry::new(key.name, value, bucket, epoch, clock)));
        }
        match self.get_mut(db, key) {
            Some(entry) => {
                entry.value = value;
                entry.set_epoch(epoch);
                (false, entry)
            }
            None => unreachable!("found just above under the same lock"),
        }
    }

    /// Remembers when to look at a key again; forgotten deadlines are skipped when they come up.
    fn note_deadline(&mut self, db: usize, hash: u32, deadline: i64) {
        if self.deadlines.len() > 64 && self.deadlines.len() > 4 * self.expiring {
            self.rebuild_deadlines();
        }
        self.deadlines.push(Reverse((deadline, db as u32, hash)));
    }

    fn rebuild_deadlines(&mut self) {
        let noted = self.dbs.iter().enumerate().flat_map(|(db, place)| {
            place.table.iter_from(0).filter_map(move |(hash, entry)| {
                entry.deadline().map(|deadline| Reverse((deadline, db as u32, hash)))
            })
        });
        self.deadlines = noted.collect();
    }

    /// The earliest deadline noted; `i64::MAX` when there is none.
    pub fn next_deadline(&self) -> i64 {
        self.deadlines.peek().map_or(i64::MAX, |Reverse((deadline, _, _))| *deadline)
    }

    /// Takes up to `limit` notes that are due and returns the keys that really are.
    pub fn take_due(&mut self, now: i64, limit: usize) -> Vec<(usize, Box<[u8]>)> {
        let mut due = Vec::new();
        for _ in 0..limit {
            if self.next_deadline() > now {
                break;
            }
            let Some(Reverse((_, db, hash))) = self.deadlines.pop() else { break };
            let Some(place) = self.dbs.get(db as usize) else { continue };
            for (_, entry) in place.table.iter_from(hash).take_while(|(at, _)| *at == hash) {
                if entry.is_due(now) {
                    due.push((db as usize, entry.key.as_slice().into()));
                }
            }
        }
        due
    }

    /// Tells watchers and loads that the key has changed.
    #[inline]
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        if !self.watchers.is_empty() || !self.loading.is_empty() {
            self.changed_slowly(db, key);
        }
    }

    #[cold]
    fn changed_slowly(&mut self, db: usize, key: &[u8]) {
        let place = (db, key.into());
        if let Some(watchers) = self.watchers.remove(&place) {
            watchers.iter().for_each(|watch| watch.store(true, Ordering::Release));
        }
        if let Some(stale) = self.loading.get_mut(&place) {
            *stale = true;
        }
    }

    pub fn watch(&mut self, db: usize, key: &[u8], watch: &Watch) {
        let watchers = self.watchers.entry((db, key.into())).or_default();
        if !watchers.iter().any(|known| Arc::ptr_eq(known, watch)) {
            watchers.push(watch.clone());
        }
    }

    pub fn unwatch(&mut self, db: usize, key: &[u8], watch: &Watch) {
        let place = (db, Box::from(key));
        if let Some(watchers) = self.watchers.get_mut(&place) {
            watchers.retain(|known| !Arc::ptr_eq(known, watch));
            if watchers.is_empty() {
                self.watchers.remove(&place);
            }
        }
    }

    /// The watched keys of one database, for FLUSHDB and SWAPDB, which touch existing ones only.
    pub fn touch_watched(&mut self, mut concerns: impl FnMut(usize, &[u8], &Partition) -> bool) {
        let watchers = std::mem::take(&mut self.watchers);
        let mut kept = HashMap::new();
        for ((db, key), list) in watchers {
            if concerns(db, &key, self) {
                list.iter().for_each(|watch| watch.store(true, Ordering::Release));
            } else {
                kept.insert((db, key), list);
            }
        }
        self.watchers = kept;
    }

    /// Notes that a load of the key begins; false when one is under way already.
    pub fn begin_load(&mut self, db: usize, key: &[u8]) -> bool {
        match self.loading.entry((db, key.into())) {
            Place::Occupied(_) => false,
            Place::Vacant(place) => {
                place.insert(false);
                true
            }
        }
    }

    /// Whether a load of the key is under way.
    pub fn is_loading(&self, db: usize, key: &[u8]) -> bool {
        self.loading.contains_key(&(db, Box::from(key)))
    }

    /// Ends a load; true when the key changed meanwhile, so what was loaded must not be used.
    pub fn end_load(&mut self, db: usize, key: &[u8]) -> bool {
        self.loading.remove(&(db, Box::from(key))).unwrap_or(true)
    }

    /// Empties a database and returns what was in it, for the caller to free without the lock.
    /// With a base the partition's other databases keep what is only in the base.
    pub fn take_db(&mut self, db: usize) -> Db {
        let taken = self.dbs.get_mut(db).map(std::mem::take).unwrap_or_default();
        let dated = taken.table.iter().filter(|entry| entry.deadline().is_some()).count();
        self.expiring -= dated;
        self.loading
            .iter_mut()
            .filter(|((at, _), _)| *at == db)
            .for_each(|(_, stale)| *stale = true);
        taken
    }

    /// Puts back what [`Partition::take_db`] took, as another database.
    pub fn give_db(&mut self, db: usize, content: Db) {
        self.expiring += content.table.iter().filter(|entry| entry.deadline().is_some()).count();
        *self.db_mut(db) = content;
        self.rebuild_deadlines();
    }

    pub fn swap_dbs(&mut self, a: usize, b: usize) {
        self.db_mut(a.max(b));
        self.dbs.swap(a, b);
        for ((db, _), stale) in self.loading.iter_mut() {
            *stale |= *db == a || *db == b;
        }
        self.rebuild_deadlines();
    }

    /// Forgets the tombstones that the base has passed: those of epochs up to `fed`.
    pub fn prune_tombstones(&mut self, fed: u32) {
        for db in &mut self.dbs {
            if !db.tombstones.is_empty() {
                db.tombstones.retain(|_, epoch| *epoch > fed);
            }
        }
    }

    /// Starts feed epochs anew: everything the base has is 0, everything else 1.
    pub fn rebase_epochs(&mut self, fed: u32) {
        for db in &mut self.dbs {
            for entry in db.table.iter_mut() {
                entry.set_epoch(u32::from(entry.epoch() > fed));
            }
            db.tombstones.values_mut().for_each(|epoch| *epoch = u32::from(*epoch > fed));
        }
        self.epoch = 1;
    }

    /// Forgets what is in memory, as if nothing had been loaded yet (C7); `complete`: the base is
    /// empty. Watched keys count as changed, and loads under way bring nothing.
    pub(super) fn forget(&mut self, complete: bool) {
        // Keys that were resident are unknown now: whoever asks the base meanwhile asks again.
        self.evictions += 1;
        self.complete = complete;
        self.dbs = SmallVec::new();
        self.pending = Vec::new();
        self.deadlines = BinaryHeap::new();
        self.expiring = 0;
        let watches = std::mem::take(&mut self.watchers).into_values().flatten();
        watches.for_each(|watch| watch.store(true, Ordering::Release));
        self.loading.values_mut().for_each(|stale| *stale = true);
    }

    /// Takes everything out of memory that the base has (DEBUG RELOAD).
    pub fn unload_all(&mut self, fed: u32) {
        for db in &mut self.dbs {
            let kept = std::mem::take(&mut db.table);
            for entry in kept {
                if entry.epoch() > fed {
                    let hash = super::key::hash32(&entry.key);
                    db.table.insert(hash, entry);
                } else {
                    self.evictions += 1;
                    self.complete = false;
                    self.expiring -= usize::from(entry.deadline().is_some());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_load_does_not_make_the_first_one_fresh() {
        let mut partition = Partition::new(true);
        assert!(partition.begin_load(0, b"k"));
        partition.changed(0, b"k");
        assert!(!partition.begin_load(0, b"k"), "it is being loaded already");
        assert!(partition.end_load(0, b"k"), "what was loaded is older than the change");
        assert!(!partition.is_loading(0, b"k"));
        assert!(partition.begin_load(0, b"k") && !partition.end_load(0, b"k"));
    }
}
