//! All partitions of a node, and how commands lock them.
//!
//! A command locks the partitions of its keys in ascending order (C24), executes, appends its
//! batch to the journal with the locks still held, and lets go. No lock is held over an await or
//! a disk read.

use super::key::{Key, PARTITIONS};
use super::notify::Notice;
use super::partition::Partition;
use super::settings::Settings;
use super::tail::{Tail, TailError};
use crate::bucket::bucket_of;
use crate::record::DBS;
use parking_lot::{Mutex, MutexGuard, RwLock};
use smallvec::SmallVec;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

/// Partitions that lie together in memory.
const GROUP: usize = 32;

/// The keys of this node.
pub struct Space {
    /// In groups of [`GROUP`]: in one piece they would be the only allocation of their size, for
    /// which the allocator reserves megabytes.
    partitions: Box<[Box<[Mutex<Partition>]>]>,
    settings: RwLock<Settings>,
    settings_version: AtomicU64,
    /// Whether changes are wanted: there is a journal.
    pub journaled: bool,
    /// Client db -> physical db; changed under all locks.
    physical: [AtomicU32; DBS],
    /// Live keys, resident or not: `[db][bucket - 1]`.
    counts: Box<[Box<[AtomicI64]>]>,
    buckets: u16,
    tag: crate::bucket::Tag,
    /// Objects changed in epochs up to this are in the base.
    pub fed_epoch: AtomicU32,
    deadlines: AtomicBool,
    tail: OnceLock<Tail>,
}

/// Dropped while a partition is half settled: after a panic, which nobody may go on from.
struct Settling {
    fail: fn(&TailError) -> !,
}

impl Drop for Settling {
    fn drop(&mut self) {
        (self.fail)(&TailError::Panicked);
    }
}

/// What one core carries from command to command.
pub struct Turn {
    /// Milliseconds since the epoch, read once per turn of the loop.
    pub now: i64,
    pub settings: Settings,
    settings_version: u64,
    pub rng: fastrand::Rng,
    /// The changes of the execution under way.
    pub batch: Vec<u8>,
    /// Keyspace notifications of the execution under way.
    pub notices: Vec<Notice>,
    pub hits: u64,
    pub misses: u64,
    pub expired: u64,
    /// CLIENT NO-TOUCH
    pub no_touch: bool,
    /// What the execution under way has added to the counts of keys: db, bucket, by how much.
    pub(crate) counted: Vec<(u8, u16, i8)>,
    /// A key of the command about to run that is hashed already.
    hashed: Option<Hashed>,
}

/// What a key's bytes, wherever they lie, hash to.
#[derive(Clone, Copy)]
struct Hashed {
    address: usize,
    len: usize,
    hash: u32,
    slot: u16,
}

impl Turn {
    pub fn new(space: &Space, seed: u64) -> Turn {
        Turn {
            now: 0,
            settings: *space.settings.read(),
            settings_version: space.settings_version.load(Ordering::Acquire),
            rng: fastrand::Rng::with_seed(seed),
            batch: Vec::new(),
            notices: Vec::new(),
            hits: 0,
            misses: 0,
            expired: 0,
            no_touch: false,
            counted: Vec::new(),
            hashed: None,
        }
    }

    /// Says that the next command has this key. It holds until the next call: the key's bytes must
    /// stay where they are and as they are.
    #[inline]
    pub fn expect(&mut self, key: Option<&Key<'_>>) {
        self.hashed = key.map(|key| Hashed {
            address: key.name.as_ptr().addr(),
            len: key.name.len(),
            hash: key.hash,
            slot: key.slot,
        });
    }

    /// The key with this name, hashed again only if it was not expected.
    #[inline]
    pub fn key<'a>(&self, name: &'a [u8]) -> Key<'a> {
        match self.hashed {
            Some(known) if known.address == name.as_ptr().addr() && known.len == name.len() => {
                Key { name, hash: known.hash, slot: known.slot }
            }
            _ => Key::new(name, self.settings.tag),
        }
    }

    /// The execution under way is journaled and done.
    #[inline]
    pub fn end_execution(&mut self) {
        self.batch.clear();
        self.counted.clear();
    }

    /// Takes back what the execution under way has counted, and drops what it would have journaled
    /// and told. The partitions it changed are for [`super::Rewind`].
    pub fn undo_execution(&mut self, space: &Space) {
        for (db, bucket, change) in self.counted.drain(..) {
            space.count(usize::from(db), bucket, -i64::from(change));
        }
        self.batch.clear();
        self.notices.clear();
    }

    /// Begins a turn of the loop: the time, and the settings if they changed.
    pub fn begin(&mut self, space: &Space, now: i64) {
        self.now = now;
        let version = space.settings_version.load(Ordering::Acquire);
        if version != self.settings_version {
            self.settings_version = version;
            self.settings = *space.settings.read();
        }
    }
}

/// Locked partitions, ascending. Nearly always it is one.
pub struct Locked<'s> {
    first: Option<Guarded<'s>>,
    rest: Vec<Guarded<'s>>,
}

type Guarded<'s> = (u16, MutexGuard<'s, Partition>);

impl<'s> Locked<'s> {
    #[inline]
    pub fn get(&self, number: u16) -> Option<&Partition> {
        match &self.first {
            Some((at, guard)) if *at == number => Some(guard),
            _ => self.rest.get(place(&self.rest, number)?).map(|(_, guard)| &**guard),
        }
    }

    #[inline]
    pub fn get_mut(&mut self, number: u16) -> Option<&mut Partition> {
        match &mut self.first {
            Some((at, guard)) if *at == number => Some(guard),
            _ => {
                let place = place(&self.rest, number)?;
                self.rest.get_mut(place).map(|(_, guard)| &mut **guard)
            }
        }
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u16, &mut Partition)> {
        let all = self.first.iter_mut().chain(&mut self.rest);
        all.map(|(number, guard)| (*number, &mut **guard))
    }

    /// No partition at all.
    pub fn none() -> Locked<'static> {
        Locked { first: None, rest: Vec::new() }
    }

    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

/// Where a partition other than the first is.
fn place(rest: &[Guarded<'_>], number: u16) -> Option<usize> {
    rest.binary_search_by_key(&number, |(at, _)| *at).ok()
}

impl Space {
    /// An empty keyspace. `based`: there is a base, so deletions leave tombstones.
    pub fn new(settings: Settings, journaled: bool, based: bool) -> Space {
        let buckets = usize::from(settings.buckets);
        let group = |_| (0..GROUP).map(|_| Mutex::new(Partition::new(based))).collect();
        Space {
            partitions: (0..PARTITIONS / GROUP).map(group).collect(),
            buckets: settings.buckets,
            tag: settings.tag,
            settings: RwLock::new(settings),
            settings_version: AtomicU64::new(0),
            journaled,
            physical: std::array::from_fn(|db| AtomicU32::new(db as u32)),
            counts: (0..DBS).map(|_| (0..buckets).map(|_| AtomicI64::new(0)).collect()).collect(),
            fed_epoch: AtomicU32::new(0),
            deadlines: AtomicBool::new(false),
            tail: OnceLock::new(),
        }
    }

    pub fn settings(&self) -> Settings {
        *self.settings.read()
    }

    /// Changes the settings; each core sees it at its next turn.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.write());
        self.settings_version.fetch_add(1, Ordering::Release);
    }

    #[inline]
    fn place(&self, number: u16) -> Option<&Mutex<Partition>> {
        let number = usize::from(number);
        self.partitions.get(number / GROUP)?.get(number % GROUP)
    }

    /// Locks one partition.
    #[inline]
    pub fn partition(&self, number: u16) -> MutexGuard<'_, Partition> {
        let mut partition = self.partition_as_is(number);
        if !partition.pending.is_empty() {
            self.settle(&mut partition);
        }
        partition
    }

    /// Locks one partition unless somebody holds it, or it waits for the journal's tail.
    pub fn try_partition(&self, number: u16) -> Option<MutexGuard<'_, Partition>> {
        let partition = self.place(number)?.try_lock()?;
        partition.pending.is_empty().then_some(partition)
    }

    /// Begins to bring near what commands on `keys` of `db` will look at, for all keys at once: one
    /// key after the other would wait for memory each time. Partitions that are locked now are
    /// left out; this is a hint.
    pub fn prefetch(&self, db: usize, keys: &[Key<'_>]) {
        let partition = |key: &Key<'_>| self.place(key.partition());
        keys.iter().filter_map(partition).for_each(crate::prefetch::prefetch);
        let steps: [fn(&Partition, usize, u32); 3] =
            [Partition::prefetch_slot, Partition::prefetch_entry, Partition::prefetch_value];
        for step in steps {
            for key in keys {
                if let Some(partition) = partition(key).and_then(Mutex::try_lock) {
                    step(&partition, db, key.hash);
                }
            }
        }
    }

    /// Locks one partition without applying what waits there.
    #[inline]
    pub(super) fn partition_as_is(&self, number: u16) -> MutexGuard<'_, Partition> {
        match self.place(number) {
            Some(partition) => partition.lock(),
            None => unreachable!("partition numbers come from slots"),
        }
    }

    #[cold]
    fn settle(&self, partition: &mut Partition) {
        let Some(tail) = self.tail() else { return };
        let settling = Settling { fail: tail.fail };
        if let Err(error) = super::tail::settle(self, partition, tail.clock) {
            (tail.fail)(&error);
        }
        std::mem::forget(settling);
    }

    /// Says what applying the journal's tail needs; once, before the first `defer`.
    pub fn set_tail(&self, tail: Tail) {
        let _ = self.tail.set(tail);
    }

    pub(super) fn tail(&self) -> Option<&Tail> {
        self.tail.get()
    }

    /// Locks the partitions with these numbers, in ascending order.
    pub fn lock(&self, numbers: impl IntoIterator<Item = u16>) -> Locked<'_> {
        let mut wanted: SmallVec<[u16; 8]> = numbers.into_iter().collect();
        if wanted.len() > 1 {
            wanted.sort_unstable();
            wanted.dedup();
        }
        let mut guards = wanted.into_iter().map(|at| (at, self.partition(at)));
        Locked { first: guards.next(), rest: guards.collect() }
    }

    /// Locks the partition of a single key: [`Space::lock`] without sorting.
    #[inline]
    pub fn lock_one(&self, number: u16) -> Locked<'_> {
        Locked { first: Some((number, self.partition(number))), rest: Vec::new() }
    }

    pub fn lock_all(&self) -> Locked<'_> {
        self.lock(0..PARTITIONS as u16)
    }

    #[inline]
    pub fn bucket(&self, key: &Key<'_>) -> u16 {
        bucket_of(key.slot, self.buckets)
    }

    pub fn tag(&self) -> crate::bucket::Tag {
        self.tag
    }

    pub fn buckets(&self) -> u16 {
        self.buckets
    }

    /// The physical number of a client db; steady while any partition is locked.
    #[inline]
    pub fn physical(&self, db: usize) -> u32 {
        self.physical.get(db).map_or(0, |number| number.load(Ordering::Relaxed))
    }

    pub fn db_map(&self) -> [u32; DBS] {
        std::array::from_fn(|db| self.physical(db))
    }

    /// The client db of a physical one, if it is mapped.
    pub fn client_db(&self, physical: u32) -> Option<usize> {
        (0..DBS).find(|db| self.physical(*db) == physical)
    }

    /// All partitions must be locked.
    pub fn set_db_map(&self, map: [u32; DBS]) {
        for (place, number) in self.physical.iter().zip(map) {
            place.store(number, Ordering::Relaxed);
        }
    }

    /// Whether any key was ever given a deadline; while not, nobody looks for expired keys.
    pub fn has_deadlines(&self) -> bool {
        self.deadlines.load(Ordering::Relaxed)
    }

    pub fn note_deadlines(&self) {
        if !self.has_deadlines() {
            self.deadlines.store(true, Ordering::Relaxed);
        }
    }

    /// A key was made (+1) or went (-1).
    #[inline]
    pub fn count(&self, db: usize, bucket: u16, change: i64) {
        let place = self.counts.get(db).and_then(|db| db.get(usize::from(bucket) - 1));
        if let Some(count) = place {
            count.fetch_add(change, Ordering::Relaxed);
        }
    }

    /// Live keys of a db, resident or not.
    pub fn len(&self, db: usize) -> u64 {
        let counts = self.counts.get(db).map(|db| db.iter()).unwrap_or_default();
        counts.map(|count| count.load(Ordering::Relaxed)).sum::<i64>().max(0) as u64
    }

    pub fn is_empty(&self, db: usize) -> bool {
        self.len(db) == 0
    }

    /// Live keys of one bucket of a db.
    pub fn bucket_len(&self, db: usize, bucket: u16) -> u64 {
        let place = self.counts.get(db).and_then(|db| db.get(usize::from(bucket) - 1));
        place.map_or(0, |count| count.load(Ordering::Relaxed).max(0) as u64)
    }

    /// The counts of a db per bucket, which begin at 0 again. All partitions must be locked.
    pub fn take_counts(&self, db: usize) -> Vec<i64> {
        let counts = self.counts.get(db).map(|db| db.iter()).unwrap_or_default();
        counts.map(|count| count.swap(0, Ordering::Relaxed)).collect()
    }

    /// All partitions must be locked.
    pub fn clear_counts(&self, db: usize) {
        let counts = self.counts.get(db).map(|db| db.iter()).unwrap_or_default();
        counts.for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// All partitions must be locked.
    pub fn swap_counts(&self, a: usize, b: usize) {
        if let (Some(a), Some(b)) = (self.counts.get(a), self.counts.get(b)) {
            for (a, b) in a.iter().zip(b.iter()) {
                let held = a.swap(b.load(Ordering::Relaxed), Ordering::Relaxed);
                b.store(held, Ordering::Relaxed);
            }
        }
    }
}
