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
}

impl<'a, 's> Ctx<'a, 's> {
    pub fn new(args: Args<'a>, db: usize, space: &'a Space, locked: Locked<'s>, turn: &'a mut Turn) -> Ctx<'a, 's> {
        Ctx { args, db, now: turn.now, space, locked, turn }
    }

    /// The argument at `index` as a key.
    #[inline]
    pub fn key(&self, index: usize) -> Key<'a> {
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

    /// [`Ctx::touch`], returning the object.
    #[inline]
    fn access(&mut self, key: &Key<'_>) -> Option<&mut Entry> {
        self.expire_if_due(key);
        let Ctx { locked, turn, now, db, .. } = self;
        match locked.get_mut(key.partition()).and_then(|partition| partition.get_mut(*db, key)) {
            Some(entry) => {
                turn.hits += 1;
                if !turn.no_touch {
                    let rng = &mut turn.rng;
                    crate::keyspace::touch(entry, &turn.settings, *now, || rng.u32(..));
                }
                Some(entry)
            }
            None => {
                turn.misses += 1;
                if turn.settings.notify & Class::KeyMiss as u32 != 0 {
                    let notice = Notice { event: "keymiss", db: *db, key: key.name.into() };
                    turn.notices.push(notice);
                }
                None
            }
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
        self.expire_if_due(key);
        let limits = self.turn.settings.thresholds;
        let mut changes = Changes::new(&limits, self.space.journaled);
        let (db, clock) = (self.db, self.start_clock());
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(db));
        let Some(partition) = self.locked.get_mut(key.partition()) else {
            unreachable!("a command locks the partitions of its keys")
        };
        let Some(entry) = partition.get_mut(db, key) else {
            if missing == Missing::Skip {
                return Ok(None);
            }
            let mut object = T::default();
            let result = work(&mut object, &mut changes);
            if !object.is_empty() {
                self.insert(key, object.into_value(), bucket, clock, physical);
            }
            return Ok(Some(result));
        };
        let object = T::from_value_mut(&mut entry.value).ok_or(WRONG_TYPE)?;
        let was_single = object.is_single();
        let result = work(object, &mut changes);
        let empty = object.is_empty();
        if !self.turn.no_touch {
            let Turn { rng, settings, .. } = &mut *self.turn;
            crate::keyspace::touch(entry, settings, self.now, || rng.u32(..));
        }
        if empty {
            self.remove_as(key, was_single);
        } else if changes.is_dirty() {
            self.commit(key, was_single, changes.ops(), bucket, physical);
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
        self.expire_if_due(key);
        let limits = self.turn.settings.thresholds;
        let mut changes = Changes::new(&limits, self.space.journaled);
        let (db, clock) = (self.db, self.start_clock());
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(db));
        let Some(partition) = self.locked.get_mut(key.partition()) else {
            unreachable!("a command locks the partitions of its keys")
        };
        let Some(entry) = partition.get_mut(db, key) else {
            if missing == Missing::Skip {
                return Ok(None);
            }
            let mut string = Str::new(b"");
            let result = work(&mut string, &mut changes);
            if changes.is_dirty() {
                self.insert(key, Value::Str(string), bucket, clock, physical);
            }
            return Ok(Some(result));
        };
        let Value::Str(string) = &mut entry.value else { return Err(WRONG_TYPE) };
        let result = work(string, &mut changes);
        if !self.turn.no_touch {
            let Turn { rng, settings, .. } = &mut *self.turn;
            crate::keyspace::touch(entry, settings, self.now, || rng.u32(..));
        }
        if changes.is_dirty() {
            self.commit(key, true, &[], bucket, physical);
        }
        Ok(Some(result))
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
        self.expire_if_due(key);
        let (db, clock) = (self.db, self.start_clock());
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(db));
        let Some(partition) = self.locked.get_mut(key.partition()) else {
            unreachable!("a command locks the partitions of its keys")
        };
        let was_single = partition.get(db, key).is_none_or(|entry| entry.value.is_single());
        let had_deadline = partition.get(db, key).is_some_and(|entry| entry.deadline().is_some());
        let (created, entry) = partition.put(db, key, value, bucket, clock);
        entry.set_clock(clock);
        let large = !entry.value.is_single();
        if had_deadline || deadline.is_some() {
            partition.set_deadline(db, key, deadline);
            self.space.note_deadlines();
        }
        partition.changed(db, key.name);
        if created {
            self.space.count(db, bucket, 1);
            self.notify(Class::New, "new", key);
        }
        if !self.space.journaled {
            return;
        }
        let rewritten = !was_single || large;
        if rewritten && !created {
            Change::Delete { bucket, db: physical, key: key.name, wide: !was_single }
                .encode(&mut self.turn.batch);
        }
        self.journal_whole(key, created || rewritten, bucket, physical);
    }

    pub fn delete(&mut self, key: &Key<'_>) -> bool {
        self.expire_if_due(key);
        self.remove(key)
    }

    /// False when there is no such key.
    pub fn set_deadline(&mut self, key: &Key<'_>, deadline: Option<i64>) -> bool {
        self.expire_if_due(key);
        let db = self.db;
        let (bucket, physical) = (self.space.bucket(key), self.space.physical(db));
        let Some(partition) = self.locked.get_mut(key.partition()) else { return false };
        if !partition.set_deadline(db, key, deadline) {
            return false;
        }
        partition.changed(db, key.name);
        self.space.note_deadlines();
        if self.space.journaled {
            self.journal_main(key, false, bucket, physical);
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

    fn start_clock(&self) -> u32 {
        crate::keyspace::start_clock(&self.turn.settings, self.now)
    }

    fn insert(&mut self, key: &Key<'_>, value: Value, bucket: u16, clock: u32, physical: u32) {
        let db = self.db;
        let Some(partition) = self.locked.get_mut(key.partition()) else { return };
        partition.put(db, key, value, bucket, clock);
        partition.changed(db, key.name);
        self.space.count(db, bucket, 1);
        self.notify(Class::New, "new", key);
        if self.space.journaled {
            self.journal_whole(key, true, bucket, physical);
        }
    }

    /// Marks and journals what `modify` changed in an object that was there before.
    fn commit(&mut self, key: &Key<'_>, was_single: bool, ops: &[u8], bucket: u16, physical: u32) {
        let db = self.db;
        let Some(partition) = self.locked.get_mut(key.partition()) else { return };
        partition.changed(db, key.name);
        let epoch = partition.epoch;
        let Some(entry) = partition.get_mut(db, key) else { return };
        entry.set_epoch(epoch);
        if !self.space.journaled {
            return;
        }
        let single = entry.value.is_single();
        if was_single && !single {
            // Leaving the single form: the old record goes and all records are put (C21).
            Change::Delete { bucket, db: physical, key: key.name, wide: false }
                .encode(&mut self.turn.batch);
            self.journal_whole(key, true, bucket, physical);
        } else if single {
            self.journal_main(key, false, bucket, physical);
        } else {
            Change::Elements { bucket, db: physical, key: key.name, ops }
                .encode(&mut self.turn.batch);
        }
    }

    /// Puts the main record into the batch.
    fn journal_main(&mut self, key: &Key<'_>, created: bool, bucket: u16, physical: u32) {
        let Ctx { locked, turn, db, .. } = self;
        let partition = locked.get(key.partition());
        if let Some(entry) = partition.and_then(|partition| partition.get(*db, key)) {
            let deadline = entry.deadline();
            let batch = &mut turn.batch;
            record::put_object(batch, bucket, physical, key.name, created, &entry.value, deadline);
        }
    }

    /// Puts the main record and, of a large object, all elements into the batch.
    fn journal_whole(&mut self, key: &Key<'_>, created: bool, bucket: u16, physical: u32) {
        self.journal_main(key, created, bucket, physical);
        let Ctx { locked, turn, db, .. } = self;
        let partition = locked.get(key.partition());
        let Some(entry) = partition.and_then(|partition| partition.get(*db, key)) else { return };
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
        let bucket = entry.bucket();
        self.space.count(db, bucket, -1);
        if self.space.journaled {
            let physical = self.space.physical(db);
            Change::Delete { bucket, db: physical, key: key.name, wide: !was_single }
                .encode(&mut self.turn.batch);
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
