//! Brings keys from the base into memory, on a thread that may wait (C14, C15).
//!
//! What the connections of a core wait for at the end of a turn is one job: their keys, and those
//! that the commands behind them in their pipelines will ask for. The main records of a job are
//! read together. With that a small object is there whole, and a large one hollow, which is enough
//! for some commands. Large objects that are needed whole are read after all others have been
//! answered, so that a long read holds up nobody else.
//!
//! A load is noted with its key's partition, reads without any lock, and what it brought is used
//! only if the key has not changed meanwhile; else the command looks again. While a thread waits
//! for the end of another's load it has none of its own under way, so they cannot wait for each
//! other.

use super::Store;
use crate::net::Message;
use crate::node::Node;
use crate::writer::{Cold, ColdKey};
use std::sync::atomic::Ordering;
use storage::base::{BaseError, BaseKey, Loaded};
use storage::bytes::SmallBytes;
use storage::keyspace::{Key, Need, install, start_clock};
use storage::record::OwnedKey;

/// Main records read at once: at first, since they may be large, and at most.
const READ_KEYS_FIRST: usize = 4;
const READ_KEYS_MAX: usize = 64;
/// A read that brought more bytes than this is followed by a smaller one.
const READ_BYTES: usize = 256 << 10;
/// Bytes that one job loads of keys that nobody waits for yet.
const AHEAD_BYTES_MAX: usize = 1 << 20;

const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// A command that waits for keys.
pub struct Waiter {
    pub core: usize,
    pub place: usize,
    pub client: u64,
    pub cold: Cold,
}

/// Keys that are loaded together.
#[derive(Default)]
pub struct LoadJob {
    pub waiters: Vec<Waiter>,
    /// Keys that nobody waits for yet.
    pub ahead: Cold,
}

impl LoadJob {
    /// Number of keys, some perhaps named twice.
    pub fn len(&self) -> usize {
        self.ahead.len() + self.waiters.iter().map(|waiter| waiter.cold.len()).sum::<usize>()
    }

    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}

impl Node {
    /// Loads keys from the base and lets the commands that wait for them run again.
    pub fn load(&'static self, job: LoadJob) {
        self.workers.load(Box::new(move || run(self, job)));
    }
}

fn run(node: &'static Node, job: LoadJob) {
    let Some(store) = &node.store else { return };
    let own = merged(job.waiters.iter().flat_map(|waiter| waiter.cold.clone()).collect());
    let Ok(large) = load_mains(node, store, own) else {
        // Whose error it is shows when each is alone.
        return job.waiters.into_iter().for_each(|waiter| finish(node, store, waiter));
    };
    load_ahead(node, store, merged(job.ahead));
    for waiter in job.waiters {
        if waiter.cold.iter().any(|key| large.contains(key)) {
            node.workers.load(Box::new(move || finish(node, store, waiter)));
        } else {
            answer(node, &waiter, Ok(()));
        }
    }
}

/// Loads what one command waits for and lets it run again.
fn finish(node: &Node, store: &Store, waiter: Waiter) {
    answer(node, &waiter, load_all(node, store, &waiter.cold));
}

fn answer(node: &Node, waiter: &Waiter, result: Result<(), String>) {
    let Waiter { core, place, client, .. } = *waiter;
    let Some(inbox) = node.inboxes.get(core) else { return };
    inbox.send(match result {
        Ok(()) => Message::Retry { place, client },
        Err(text) => Message::Failed { place, client, text },
    });
}

/// Each key once, with the greater need.
fn merged(mut keys: Cold) -> Cold {
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.dedup_by(|a, b| (a.db, &a.name) == (b.db, &b.name));
    keys
}

/// Loads keys, as far as each is needed. A key that changes while it is being loaded is left as it
/// is now; the command looks again (C14).
pub(super) fn load_all(node: &Node, store: &Store, cold: &Cold) -> Result<(), String> {
    let large = load_mains(node, store, merged(cold.clone()))?;
    large.into_iter().try_for_each(|key| load_whole(node, store, key))
}

/// Loads main records. Returns the keys whose elements are needed too.
fn load_mains(node: &Node, store: &Store, keys: Cold) -> Result<Cold, String> {
    let mut large = Cold::new();
    let mut busy = Cold::new();
    let mut portions = Portions::of(keys);
    while let Some(some) = portions.next() {
        let begun = begin_all(node, some, &mut busy);
        let bytes = read(node, store, begun, true, &mut large)?;
        portions.brought(bytes);
    }
    for key in busy {
        if let Some(begun) = begin_after_others(node, store, key) {
            read(node, store, vec![begun], true, &mut large)?;
        }
    }
    Ok(large)
}

/// Loads keys that nobody waits for yet. What does not succeed is left to those who will.
fn load_ahead(node: &Node, store: &Store, keys: Cold) {
    let max = node.space.settings().maxmemory / 64;
    let mut left = if max > 0 { AHEAD_BYTES_MAX.min(max as usize) } else { AHEAD_BYTES_MAX };
    let mut portions = Portions::of(keys);
    while let Some(some) = portions.next() {
        let begun = begin_all(node, some, &mut Cold::new());
        let read = read(node, store, begun, false, &mut Cold::new());
        let Ok(bytes) = read else { return };
        portions.brought(bytes);
        left = left.saturating_sub(bytes);
        if left == 0 {
            return;
        }
    }
}

/// Keys in portions that become smaller when they bring much.
struct Portions {
    keys: std::vec::IntoIter<ColdKey>,
    size: usize,
}

impl Portions {
    fn of(keys: Cold) -> Portions {
        Portions { keys: keys.into_iter(), size: READ_KEYS_FIRST }
    }

    fn next(&mut self) -> Option<Cold> {
        let some: Cold = self.keys.by_ref().take(self.size).collect();
        (!some.is_empty()).then_some(some)
    }

    /// Says how many bytes the last portion was.
    fn brought(&mut self, bytes: usize) {
        let size = if bytes > READ_BYTES { self.size / 2 } else { self.size * 2 };
        self.size = size.clamp(1, READ_KEYS_MAX);
    }
}

/// A load that is noted with its key's partition until it [ends](Begun::end).
struct Begun {
    cold: ColdKey,
    place: OwnedKey,
}

enum Begin {
    Begun(Begun),
    /// Enough of the key is in memory.
    Known,
    /// Another load of the key is under way.
    Busy(ColdKey),
}

fn begin(node: &Node, cold: ColdKey) -> Begin {
    let key = Key::new(&cold.name, node.space.tag());
    let mut partition = node.space.partition(key.partition());
    if partition.known(cold.db, &key).meets(cold.need) {
        return Begin::Known;
    }
    if !partition.begin_load(cold.db, key.name) {
        return Begin::Busy(cold);
    }
    // The number is steady while a partition is locked; if it changes later the load is stale.
    let (bucket, db) = (node.space.bucket(&key), node.space.physical(cold.db));
    let place = OwnedKey { bucket, db, hash: key.hash, key: SmallBytes::new(key.name) };
    drop(partition);
    Begin::Begun(Begun { cold, place })
}

fn begin_all(node: &Node, keys: Cold, busy: &mut Cold) -> Vec<Begun> {
    let mut begun = Vec::with_capacity(keys.len());
    for key in keys {
        match begin(node, key) {
            Begin::Begun(load) => begun.push(load),
            Begin::Known => {}
            Begin::Busy(key) => busy.push(key),
        }
    }
    begun
}

/// Begins a load once nobody else has one of the key under way; `None` when it is known by then.
fn begin_after_others(node: &Node, store: &Store, mut cold: ColdKey) -> Option<Begun> {
    let mut ended = store.load_ended.lock();
    loop {
        match begin(node, cold) {
            Begin::Begun(load) => return Some(load),
            Begin::Known => return None,
            Begin::Busy(key) => cold = key,
        }
        store.loaded.wait(&mut ended);
    }
}

/// Tells those who wait for another's load that some have ended.
fn tell_ended(store: &Store) {
    let _order = store.load_ended.lock();
    store.loaded.notify_all();
}

/// Reads the main records of loads and ends them. Returns how many bytes they were; keys whose
/// elements are needed too go to `large`. Absence is kept in mind for those who wait only.
fn read(
    node: &Node,
    store: &Store,
    loads: Vec<Begun>,
    wanted: bool,
    large: &mut Cold,
) -> Result<usize, String> {
    if loads.is_empty() {
        return Ok(0);
    }
    let places: Vec<OwnedKey> = loads.iter().map(|load| load.place.clone()).collect();
    let found = store.base.load_many(&places);
    let mut result = Ok(0);
    let mut found = found.map(|(_, found)| found.into_iter()).map_err(|error| unreadable(&error));
    for load in loads {
        let loaded = match &mut found {
            Ok(found) => found.next().flatten(),
            Err(_) => None,
        };
        let bytes = loaded.as_ref().map_or(0, |main| main.value.heap_bytes(0));
        let hollow = loaded.as_ref().is_some_and(|main| main.value.is_hollow());
        if hollow && load.cold.need == Need::Whole {
            large.push(load.cold.clone());
        }
        let ended = load.end(node, loaded, wanted && found.is_ok());
        result = result.and_then(|sum| ended.map(|()| sum + bytes));
    }
    tell_ended(store);
    found.and(result)
}

/// Loads a large object with its elements.
fn load_whole(node: &Node, store: &Store, cold: ColdKey) -> Result<(), String> {
    let Some(load) = begin_after_others(node, store, cold) else { return Ok(()) };
    let found = store.base.load(BaseKey::from(&load.place));
    let ended = match found {
        Ok((_, loaded)) => load.end(node, loaded, true),
        Err(error) => load.end(node, None, false).and(Err(unreadable(&error))),
    };
    tell_ended(store);
    ended
}

fn unreadable(error: &BaseError) -> String {
    tracing::error!("loading from the base failed: {error}");
    format!("ERR the base cannot be read: {error}")
}

impl Begun {
    /// Ends the load and puts what it brought into memory, unless the key changed meanwhile. With
    /// `absent` that nothing was found means that the base has no such key.
    fn end(self, node: &Node, loaded: Option<Loaded>, absent: bool) -> Result<(), String> {
        let Begun { cold: ColdKey { db, name, .. }, place } = self;
        let key = Key::new(&name, node.space.tag());
        let mut partition = node.space.partition(key.partition());
        let stale = partition.end_load(db, key.name);
        if stale {
            return Ok(());
        }
        match loaded {
            None if absent => partition.entomb(db, key.name, 0),
            None => {}
            Some(loaded) => {
                let settings = node.space.settings();
                let max = settings.maxmemory;
                if max > 0 && loaded.value.heap_bytes(0) as u64 > max {
                    return Err(OOM.to_owned());
                }
                node.counters.loaded.fetch_add(1, Ordering::Relaxed);
                let clock = start_clock(&settings, crate::node::wall_ms());
                install(&mut partition, db, &key, place.bucket, loaded, clock);
            }
        }
        Ok(())
    }
}
