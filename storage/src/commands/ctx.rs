//! What a command works with: its arguments, the locked partitions of its keys, and the batch
//! that its changes go into.
//!
//! Every change passes through here: it marks the object with the feed epoch, tells watchers and
//! loads, keeps the count of keys, and writes the change into the batch. So a command cannot
//! change an object without journaling it.

use super::fail::{Fail, WRONG_TYPE};
use crate::keyspace::{Class, Entry, Key, Locked, Notice, Partition, Space, Turn};
use crate::objects::{Changes, Collection, Str, Thresholds, Value};
use crate::record::{self, Change};
use resp::Args;

/// What to do when the key of a [`Ctx::modify`] does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    Create,
    Skip,
}

/// One execution of one command.
pub struct Ctx<'a, 's> {
    pub args: Args<'a>,
    /// The client's database.
    pub db: usize,
    /// Milliseconds since the epoch; one instant for the whole command.
    pub now: i64,
    pub space: &'a Space,
    pub locked: Locked<'s>,
    pub turn: &'a mut Turn,
    /// A key that was made to find its partition, with its place among the arguments.
    first: Option<(usize, Key<'a>)>,
}

impl<'a, 's> Ctx<'a, 's> {
    pub fn new(
        args: Args<'a>,
        db: usize,
        space: &'a Space,
        locked: Locked<'s>,
        turn: &'a mut Turn,
    ) -> Ctx<'a, 's> {
        Ctx { args, db, now: turn.now, space, locked, turn, first: None }
    }

    /// Says that the argument at `index` was made a key already.
    #[inline]
    pub fn with_key(mut self, index: usize, key: Key<'a>) -> Ctx<'a, 's> {
        self.first = Some((index, key));
        self
    }

    /// The argument at `index` as a key.
    #[inline]
    pub fn key(&self, index: usize) -> Key<'a> {
        if let Some((at, key)) = self.first
            && at == index
        {
            return key;
        }
        Key::new(self.args.at(index), self.turn.settings.tag)
    }

    pub fn limits(&self) -> &Thresholds {
        &self.turn.settings.thresholds
    }

    /// `proto-max-bulk-len`: strings grow no larger, bytes.
    pub fn bulk_len_max(&self) -> usize {
        self.turn.settings.bulk_len_max
    }

    /// A number drawn uniformly from `0..below`; 0 when `below` is 0.
    pub fn random(&mut self, below: usize) -> usize {
        if below == 0 { 0 } else { self.turn.rng.usize(..below) }
    }

    // Looking.

    #[inline]
    fn entry(&self, key: &Key<'_>) -> Option<&Entry> {
        let entry = self.locked.get(key.partition())?.get(self.db, key)?;
        (!entry.is_due(self.now)).then_some(entry)
    }

    pub fn exists(&self, key: &Key<'_>) -> bool {
        self.entry(key).is_some()
    }

    /// The object of a key, whatever its type.
    pub fn object(&self, key: &Key<'_>) -> Option<&Entry> {
        self.entry(key)
    }

    /// The value of a key, whatever its type; nothing is counted.
    pub fn value(&self, key: &Key<'_>) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A typed look without counting, for several keys at once.
    pub fn peek<T: Collection>(&self, key: &Key<'_>) -> Result<Option<&T>, Fail> {
        self.value(key).map(|value| T::from_value(value).ok_or(WRONG_TYPE)).transpose()
    }

    /// Notes an access: a hit or a miss, and the object's clock. True when the key exists.
    pub fn touch(&mut self, key: &Key<'_>) -> bool {
        self.access(key).is_some()
    }

    /// Where the key's object lies, once one whose time has come is gone.
    #[inline]
    fn find(&mut self, key: &Key<'_>) -> Option<usize> {
        let partition = self.locked.get(key.partition())?;
        let slot = partition.find(self.db, key)?;
        if partition.at(self.db, slot).is_some_and(|entry| entry.is_due(self.now)) {
            self.expire(key);
            return None;
        }
        Some(slot)
    }

    #[inline]
    fn at_mut(&mut self, key: &Key<'_>, slot: usize) -> Option<&mut Entry> {
        self.locked.get_mut(key.partition())?.at_mut(self.db, slot)
    }

    /// [`Ctx::touch`], returning the object.
    #[inline]
    fn access(&mut self, key: &Key<'_>) -> Option<&mut Entry> {
        let Some(slot) = self.find(key) else {
            self.turn.misses += 1;
            self.notify(Class::KeyMiss, "keymiss", key);
            return None;
        };
        let Ctx { locked, turn, now, db, .. } = self;
        let entry = locked.get_mut(key.partition())?.at_mut(*db, slot)?;
        turn.hits += 1;
        touch_entry(entry, turn, *now);
        Some(entry)
    }

    #[inline]
    fn touch_at(&mut self, key: &Key<'_>, slot: usize) {
        let Ctx { locked, turn, now, db, .. } = self;
        let partition = locked.get_mut(key.partition());
        if let Some(entry) = partition.and_then(|partition| partition.at_mut(*db, slot)) {
            touch_entry(entry, turn, *now);
        }
    }

    pub fn read<T: Collection>(&mut self, key: &Key<'_>) -> Result<Option<&T>, Fail> {
        let entry = self.access(key);
        entry.map(|entry| T::from_value(&entry.value).ok_or(WRONG_TYPE)).transpose()
    }

    pub fn read_str(&mut self, key: &Key<'_>) -> Result<Option<&Str>, Fail> {
        match self.access(key).map(|entry| &entry.value) {
            None => Ok(None),
            Some(Value::Str(string)) => Ok(Some(string)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// Milliseconds since the epoch at which the key expires; `None` without deadline or key.
    pub fn deadline(&self, key: &Key<'_>) -> Option<i64> {
        self.entry(key)?.deadline()
    }

    // Changing.

    /// Deletes the key if its time has come, as an expiry.
    #[inline]
    fn expire_if_due(&mut self, key: &Key<'_>) {
        let partition = self.locked.get(key.partition());
        let entry = partition.and_then(|partition| partition.get(self.db, key));
        if entry.is_some_and(|entry| entry.is_due(self.now)) {
            self.expire(key);
        }
    }

    #[cold]
    fn expire(&mut self, key: &Key<'_>) {
        self.remove(key);
        self.turn.expired += 1;
        self.notify(Class::Expired, "expired", key);
    }

    /// Works on a collection in place; see the type's mutating methods. `Ok(None)`: the key does
    /// not exist and `missing` says to skip it. An object that ends up empty is deleted.
    pub fn modify<T: Collection, R>(
        &mut self,
        key: &Key<'_>,
        missing: Missing,
        work: impl FnOnce(&mut T, &mut Changes<'_>) -> R,
    ) -> Result<Option<R>, Fail> {
        let limits = self.turn.settings.thresholds;
        let mut changes = Changes::new(&limits, self.space.journaled);
        let Some(slot) = self.find(key) else {
            if missing == Missing::Skip {
                return Ok(None);
            }
            let mut object = T::default();
            let result = work(&mut object, &mut changes);
            if !object.is_empty() {
                self.insert(key, object.into_value(), None);
            }
            return Ok(Some(result));
        };
        let Ctx { locked, turn, now, db, .. } = self;
        let Some(partition) = locked.get_mut(key.partition()) else { return Ok(None) };
        let epoch = partition.epoch;
        let Some(entry) = partition.at_mut(*db, slot) else { return Ok(None) };
        let object = T::from_value_mut(&mut entry.value).ok_or(WRONG_TYPE)?;
        let was_single = object.is_single();
        let result = work(object, &mut changes);
        if object.is_empty() {
            self.remove_as(key, was_single);
            return Ok(Some(result));
        }
        touch_entry(entry, turn, *now);
        if changes.is_dirty() {
            entry.set_epoch(epoch);
            partition.changed(*db, key.name);
            if self.space.journaled {
                self.journal_change(key, slot, was_single, changes.ops());
            }
        }
        Ok(Some(result))
    }

    /// Works on a string in place. The closure says `touch` when it changed it.
    pub fn modify_str<R>(
        &mut self,
        key: &Key<'_>,
        missing: Missing,
        work: impl FnOnce(&mut Str, &mut Changes<'_>) -> R,
    ) -> Result<Option<R>, Fail> {
        let limits = self.turn.settings.thresholds;
        let mut changes = Changes::new(&limits, self.space.journaled);
        let Some(slot) = self.find(key) else {
            if missing == Missing::Skip {
                return Ok(None);
            }
            let mut string = Str::new(b"");
            let result = work(&mut string, &mut changes);
            if changes.is_dirty() {
                self.insert(key, Value::Str(string), None);
            }
            return Ok(Some(result));
        };
        let Some(Value::Str(string)) = self.at_mut(key, slot).map(|entry| &mut entry.value) else {
            return Err(WRONG_TYPE);
        };
        let result = work(string, &mut changes);
        self.touch_at(key, slot);
        if changes.is_dirty() {
            self.commit(key, slot, true, &[]);
        }
        Ok(Some(result))
    }

    /// Overwrites whatever the key holds with a string and drops its deadline: SET.
    #[inline]
    pub fn store_str(&mut self, key: &Key<'_>, bytes: &[u8]) {
        let clock = self.start_clock();
        let Some(slot) = self.find(key) else {
            return self.insert(key, Value::Str(Str::new(bytes)), None);
        };
        match self.at_mut(key, slot) {
            Some(Entry { value: Value::Str(string), .. }) => string.assign(bytes),
            _ => return self.put(key, Value::Str(Str::new(bytes)), None),
        }
        let Some(entry) = self.at_mut(key, slot) else { return };
        entry.set_clock(clock);
        if entry.deadline().is_some() {
            let db = self.db;
            if let Some(partition) = self.locked.get_mut(key.partition()) {
                partition.set_deadline(db, key, None);
            }
        }
        self.commit(key, slot, true, &[]);
    }

    /// Overwrites whatever the key holds and drops its deadline. An empty collection deletes.
    pub fn store(&mut self, key: &Key<'_>, value: Value) {
        self.put(key, value, None);
    }

    /// [`Ctx::store`], leaving the deadline as it is.
    pub fn store_keep_ttl(&mut self, key: &Key<'_>, value: Value) {
        self.expire_if_due(key);
        let deadline = self.deadline(key);
        self.put(key, value, deadline);
    }

    /// [`Ctx::store`] with a deadline: value and deadline are one change.
    pub fn put(&mut self, key: &Key<'_>, value: Value, deadline: Option<i64>) {
        if value.is_empty() {
            self.delete(key);
            return;
        }
        let Some(slot) = self.find(key) else { return self.insert(key, value, deadline) };
        let (db, clock) = (self.db, self.start_clock());
        let Some(entry) = self.at_mut(key, slot) else { return };
        let was_single = entry.value.is_single();
        let is_single = value.is_single();
        let had_deadline = entry.deadline().is_some();
        let old = std::mem::replace(&mut entry.value, value);
        entry.set_clock(clock);
        if had_deadline || deadline.is_some() {
            if let Some(partition) = self.locked.get_mut(key.partition()) {
                partition.set_deadline(db, key, deadline);
            }
            self.space.note_deadlines();
        }
        drop(old);
        if was_single && is_single {
            return self.commit(key, slot, true, &[]);
        }
        self.mark(key, slot);
        if self.space.journaled {
            // A large form on either side: the old records go and all new ones are put.
            self.journal_delete(key, !was_single);
            self.journal_whole(key, slot, true);
        }
    }

    pub fn delete(&mut self, key: &Key<'_>) -> bool {
        self.expire_if_due(key);
        self.remove(key)
    }

    /// False when there is no such key.
    pub fn set_deadline(&mut self, key: &Key<'_>, deadline: Option<i64>) -> bool {
        self.expire_if_due(key);
        let db = self.db;
        let Some(partition) = self.locked.get_mut(key.partition()) else { return false };
        if !partition.set_deadline(db, key, deadline) {
            return false;
        }
        partition.changed(db, key.name);
        let slot = partition.find(db, key);
        self.space.note_deadlines();
        if let Some(slot) = slot.filter(|_| self.space.journaled) {
            self.journal_main(key, slot, false);
        }
        true
    }

    /// Takes the object out to be put elsewhere (RENAME, MOVE); the key is deleted.
    pub fn take(&mut self, key: &Key<'_>) -> Option<(Value, Option<i64>)> {
        self.expire_if_due(key);
        let entry = self.entry(key)?;
        let single = entry.value.is_single();
        self.remove_as(key, single).map(|entry| {
            let deadline = entry.deadline();
            (entry.value, deadline)
        })
    }

    /// A keyspace notification, as Redis sends it.
    #[inline]
    pub fn notify(&mut self, class: Class, event: &'static str, key: &Key<'_>) {
        if self.turn.settings.notify & class as u32 != 0 {
            self.turn.notices.push(Notice { event, db: self.db, key: key.name.into() });
        }
    }

    #[inline]
    fn start_clock(&self) -> u32 {
        crate::keyspace::start_clock(&self.turn.settings, self.now)
    }

    /// Adds an object whose key does not exist.
    fn insert(&mut self, key: &Key<'_>, value: Value, deadline: Option<i64>) {
        let (db, clock) = (self.db, self.start_clock());
        let bucket = self.space.bucket(key);
        let Some(partition) = self.locked.get_mut(key.partition()) else {
            unreachable!("a command locks the partitions of its keys")
        };
        let mut entry = Entry::new(key.name, value, bucket, partition.epoch, clock);
        entry.set_deadline(deadline);
        partition.insert(db, key, entry);
        partition.changed(db, key.name);
        let slot = if self.space.journaled { partition.find(db, key) } else { None };
        self.count(bucket, 1);
        if deadline.is_some() {
            self.space.note_deadlines();
        }
        self.notify(Class::New, "new", key);
        if let Some(slot) = slot {
            self.journal_whole(key, slot, true);
        }
    }

    /// Counts a key that was made (+1) or went (-1), so that a rewind can take it back.
    #[inline]
    fn count(&mut self, bucket: u16, change: i8) {
        self.space.count(self.db, bucket, i64::from(change));
        if self.space.journaled {
            self.turn.counted.push((self.db as u8, bucket, change));
        }
    }

    /// Marks an object as changed now and tells watchers and loads.
    #[inline]
    fn mark(&mut self, key: &Key<'_>, slot: usize) {
        let db = self.db;
        let Some(partition) = self.locked.get_mut(key.partition()) else { return };
        partition.changed(db, key.name);
        let epoch = partition.epoch;
        if let Some(entry) = partition.at_mut(db, slot) {
            entry.set_epoch(epoch);
        }
    }

    /// Marks and journals what was changed in an object that was there before.
    #[inline]
    fn commit(&mut self, key: &Key<'_>, slot: usize, was_single: bool, ops: &[u8]) {
        self.mark(key, slot);
        if self.space.journaled {
            self.journal_change(key, slot, was_single, ops);
        }
    }

    fn journal_change(&mut self, key: &Key<'_>, slot: usize, was_single: bool, ops: &[u8]) {
        let partition = self.locked.get(key.partition());
        let entry = partition.and_then(|partition| partition.at(self.db, slot));
        let single = entry.is_none_or(|entry| entry.value.is_single());
        if was_single && !single {
            // Leaving the single form: the old record goes and all records are put (C21).
            self.journal_delete(key, false);
            self.journal_whole(key, slot, true);
        } else if single {
            self.journal_main(key, slot, false);
        } else {
            let bucket = self.space.bucket(key);
            let physical = self.space.physical(self.db);
            Change::Elements { bucket, db: physical, key: key.name, ops }
                .encode(&mut self.turn.batch);
        }
    }

    fn journal_delete(&mut self, key: &Key<'_>, wide: bool) {
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(self.db));
        Change::Delete { bucket, db: physical, key: key.name, wide }.encode(&mut self.turn.batch);
    }

    /// Puts the main record into the batch.
    fn journal_main(&mut self, key: &Key<'_>, slot: usize, created: bool) {
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(self.db));
        let Ctx { locked, turn, db, .. } = self;
        let partition = locked.get(key.partition());
        if let Some(entry) = partition.and_then(|partition| partition.at(*db, slot)) {
            let deadline = entry.deadline();
            let batch = &mut turn.batch;
            record::put_object(batch, bucket, physical, key.name, created, &entry.value, deadline);
        }
    }

    /// Puts the main record and, of a large object, all elements into the batch.
    fn journal_whole(&mut self, key: &Key<'_>, slot: usize, created: bool) {
        self.journal_main(key, slot, created);
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(self.db));
        let Ctx { locked, turn, db, .. } = self;
        let partition = locked.get(key.partition());
        let Some(entry) = partition.and_then(|partition| partition.at(*db, slot)) else { return };
        if !entry.value.is_single() {
            let mut all = Changes::new(&turn.settings.thresholds, true);
            entry.value.elements(&mut |subkey, value| all.put(subkey, value));
            Change::Elements { bucket, db: physical, key: key.name, ops: all.ops() }
                .encode(&mut turn.batch);
        }
    }

    fn remove(&mut self, key: &Key<'_>) -> bool {
        let entry = self.locked.get(key.partition()).and_then(|at| at.get(self.db, key));
        let Some(single) = entry.map(|entry| entry.value.is_single()) else { return false };
        self.remove_as(key, single).is_some()
    }

    /// Deletes a resident object whose record form was single, or not.
    fn remove_as(&mut self, key: &Key<'_>, was_single: bool) -> Option<Box<Entry>> {
        let db = self.db;
        let partition = self.locked.get_mut(key.partition())?;
        let entry = partition.remove(db, key, true)?;
        partition.changed(db, key.name);
        self.count(entry.bucket(), -1);
        if self.space.journaled {
            self.journal_delete(key, !was_single);
        }
        Some(entry)
    }

    /// Deletes the key if its time has come; the active side of expiry.
    pub fn delete_if_due(&mut self, key: &Key<'_>) {
        self.expire_if_due(key);
    }

    /// The locked partition of a key, for the keyspace's own commands.
    pub(crate) fn partition(&mut self, key: &Key<'_>) -> Option<&mut Partition> {
        self.locked.get_mut(key.partition())
    }
}

/// Notes an access to an object, unless the client asked for none to be noted.
#[inline]
fn touch_entry(entry: &mut Entry, turn: &mut Turn, now: i64) {
    if !turn.no_touch {
        let Turn { rng, settings, .. } = turn;
        crate::keyspace::touch(entry, settings, now, || rng.u32(..));
    }
}
