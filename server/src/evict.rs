//! Making room under `maxmemory`, and deleting what has expired.
//!
//! Candidates are sampled as in Redis: a few objects of a random partition, of which the one that
//! is least worth keeping goes. With a base and `noeviction` objects leave memory, not the
//! database, and only those whose last change is in the base; with another policy keys are
//! deleted; with `noeviction` and no base writes are refused.

use crate::net::Core;
use crate::writer;
use std::sync::atomic::Ordering;
use storage::commands::Ctx;
use storage::keyspace::{
    Class, Entry, Key, Locked, PARTITIONS, Partition, Policy, Settings, frequency, idle_seconds,
};

/// Objects that one call may take out of memory.
const STEPS_MAX: usize = 64;
/// Partitions looked at while there are changes that the base lacks.
const LOOKS_BEHIND: usize = 128;
/// Expired keys deleted per partition and tick.
const EXPIRE_MAX: usize = 64;

/// What `maxmemory` says about a command that needs memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    Enough,
    /// The base must be fed first; there will be room then.
    Wait,
    Full,
}

/// Under Redis's policies: the candidate that is least worth keeping has the greatest number.
fn rank(entry: &Entry, settings: &Settings, now: i64) -> u64 {
    match settings.policy {
        Policy::NoEviction | Policy::AllKeysLru | Policy::VolatileLru => {
            u64::from(idle_seconds(entry, now)) + 1
        }
        Policy::AllKeysLfu | Policy::VolatileLfu => {
            256 - u64::from(frequency(entry, settings, now))
        }
        Policy::AllKeysRandom | Policy::VolatileRandom => 1,
        Policy::VolatileTtl => entry.deadline().map_or(0, |at| u64::MAX - at.max(0) as u64),
    }
}

/// The same for an object that only leaves memory: what was used often stays longer, so that keys read
/// once do not push it out. Of four objects looked at one forgets a use: what was used often long ago
/// goes in the end (ADR 0017).
fn rank_to_unload(entry: &mut Entry, now: i64, rng: &mut fastrand::Rng) -> u64 {
    let uses = entry.uses();
    if uses > 0 && rng.u8(..) < 64 {
        entry.age();
    }
    (u64::from(u32::MAX) - uses) << 32 | u64::from(idle_seconds(entry, now))
}

/// Draws `samples` objects of a partition and returns the one with the greatest rank; those without
/// a rank may not go.
fn candidate(
    partition: &mut Partition,
    samples: usize,
    rng: &mut fastrand::Rng,
    mut rank: impl FnMut(&mut Entry, &mut fastrand::Rng) -> Option<u64>,
) -> Option<(usize, Box<[u8]>)> {
    let mut best: Option<(u64, usize, usize)> = None;
    for (db, content) in partition.dbs_mut() {
        let table = &mut content.table;
        for _ in 0..samples.min(table.len()) {
            let Some(place) = table.random_place(|n| rng.usize(..n)) else { break };
            let Some(rank) = table.at_mut(place).and_then(|entry| rank(entry, rng)) else {
                continue;
            };
            if best.is_none_or(|(known, _, _)| rank > known) {
                best = Some((rank, db, place));
            }
        }
    }
    let (_, db, place) = best?;
    Some((db, partition.db(db)?.table.at(place)?.key.as_slice().into()))
}

impl Core {
    /// Takes objects out until memory is below `maxmemory`, or says why not.
    pub(crate) fn make_room(&mut self) -> Room {
        let max = self.turn.settings.maxmemory;
        if crate::memory::charged() <= max {
            return Room::Enough;
        }
        let unloads = self.turn.settings.policy == Policy::NoEviction;
        if unloads && self.node.store.is_none() {
            return Room::Full;
        }
        let mut steps = 0;
        // Every partition once: a few large objects are found too. But while a feed is awaited few
        // looks tell that nothing may go yet.
        let behind = self.node.store.as_ref().is_some_and(|store| store.is_behind());
        let looks = if behind { LOOKS_BEHIND } else { PARTITIONS };
        let first = self.turn.rng.usize(..PARTITIONS);
        for look in 0..looks {
            if steps >= STEPS_MAX || crate::memory::charged() <= max {
                break;
            }
            let number = ((first + look) % PARTITIONS) as u16;
            steps +=
                usize::from(if unloads { self.unload_one(number) } else { self.evict_one(number) });
        }
        if steps > 0 || crate::memory::charged() <= max {
            return Room::Enough;
        }
        match &self.node.store {
            // What cannot leave has changes that are not in the base yet, or just came there.
            Some(store) if unloads && store.is_behind() => {
                store.feeder.want();
                let slack = max / 16;
                if crate::memory::charged() <= max + slack { Room::Enough } else { Room::Wait }
            }
            _ => Room::Full,
        }
    }

    /// One object leaves memory; it is in the base, whole.
    fn unload_one(&mut self, number: u16) -> bool {
        let fed = self.node.space.fed_epoch.load(Ordering::Acquire);
        let Some(mut partition) = self.node.space.try_partition(number) else { return false };
        let (settings, now) = (self.turn.settings, self.turn.now);
        let found =
            candidate(&mut partition, settings.samples, &mut self.turn.rng, |entry, rng| {
                (entry.epoch() <= fed).then(|| rank_to_unload(entry, now, rng))
            });
        let Some((db, name)) = found else { return false };
        let key = Key::new(&name, settings.tag);
        let gone = partition.remove(db, &key, false);
        drop(partition);
        self.node.counters.unloaded.fetch_add(1, Ordering::Relaxed);
        gone.is_some()
    }

    /// One key is deleted, as in a cache.
    fn evict_one(&mut self, number: u16) -> bool {
        let settings = self.turn.settings;
        let mut locked = self.node.space.lock_one(number);
        let Some(partition) = locked.get_mut(number) else { return false };
        let now = self.turn.now;
        let found = candidate(partition, settings.samples, &mut self.turn.rng, |entry, _| {
            let may_go = !settings.policy.is_volatile() || entry.deadline().is_some();
            may_go.then(|| rank(entry, &settings, now))
        });
        let Some((db, name)) = found else { return false };
        let done = self.change(locked, db, |cx| {
            let key = Key::new(&name, settings.tag);
            let gone = cx.delete(&key);
            cx.notify(Class::Evicted, "evicted", &key);
            gone
        });
        // At once: the next look at how much is used must see it.
        self.turn.discarded.clear();
        self.node.counters.evicted.fetch_add(u64::from(done), Ordering::Relaxed);
        done
    }

    /// Runs a change of the server's own on locked partitions and journals it.
    pub(crate) fn change<R>(
        &mut self,
        locked: Locked<'static>,
        db: usize,
        work: impl FnOnce(&mut Ctx<'_, '_>) -> R,
    ) -> R {
        let none = resp::OwnedArgs::from_slices(&[]);
        let mut cx = Ctx::new(none.as_args(), db, &self.node.space, locked, &mut self.turn);
        let result = work(&mut cx);
        let locked = cx.locked;
        writer::commit(self.node, &mut self.turn);
        drop(locked);
        self.publish_notices();
        result
    }

    /// Deletes the expired keys of this core's share of the partitions.
    pub(crate) fn expire_due(&mut self) {
        if !self.node.space.has_deadlines() || !self.turn.settings.active_expire {
            return;
        }
        let cores = self.node.inboxes.len().max(1);
        for number in (self.number..PARTITIONS).step_by(cores) {
            let number = number as u16;
            let due = {
                // One that waits for the journal's tail is not held up for this.
                let Some(mut partition) = self.node.space.try_partition(number) else { continue };
                if partition.next_deadline() > self.turn.now {
                    continue;
                }
                partition.take_due(self.turn.now, EXPIRE_MAX)
            };
            for (db, name) in due {
                let locked = self.node.space.lock_one(number);
                let tag = self.turn.settings.tag;
                self.change(locked, db, |cx| cx.delete_if_due(&Key::new(&name, tag)));
                self.free_discarded();
            }
        }
    }

    /// Frees the large objects that were taken out of the keyspace.
    #[inline]
    pub(crate) fn free_discarded(&mut self) {
        if !self.turn.discarded.is_empty() {
            self.free_all_discarded();
        }
    }

    #[cold]
    fn free_all_discarded(&mut self) {
        let (node, settings) = (self.node, &self.turn.settings);
        // Where too much memory costs keys or refuses writes, a command must not meet what the one
        // before it has deleted.
        let unloads = node.store.is_some() && settings.policy == Policy::NoEviction;
        let max = settings.maxmemory;
        let at_once = max > 0 && !unloads && crate::memory::charged() > max - max / 16;
        for value in self.turn.discarded.drain(..) {
            if at_once {
                drop(value);
            } else {
                node.workers.free(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::objects::{Str, Value};

    #[test]
    fn what_was_used_often_stays_until_it_has_aged() {
        let mut rng = fastrand::Rng::with_seed(7);
        let entry = |clock| Entry::new(b"k", Value::Str(Str::new(b"v")), 1, 0, clock);
        let now = 1_000_000;
        let (mut often, mut once, mut before) = (entry(10), entry(900), entry(800));
        (0..3).for_each(|_| often.used_again());
        let mut ranks = |rng: &mut fastrand::Rng| {
            [&mut often, &mut once, &mut before].map(|entry| rank_to_unload(entry, now, rng))
        };
        let [kept, newer, older] = ranks(&mut rng);
        assert!(kept < newer && newer < older, "{kept} {newer} {older}");
        let looks = (1..1000).find(|_| {
            let [aged, _, older] = ranks(&mut rng);
            aged > older
        });
        // Three uses, each forgotten at one look of four.
        assert!(looks.is_some_and(|looks| (4..60).contains(&looks)), "{looks:?}");
    }
}
