//! The Writer: executes keyed commands on the keyspace and journals what they changed.
//!
//! Lock the partitions of the keys, look whether everything is known, execute, append the batch
//! with the locks still held (so the journal has the order of execution), let go. Nothing here
//! waits: keys that only the base knows are returned as cold, and the command runs again when they
//! are loaded.

use crate::node::Node;
use crate::panics::{self, Panicked};
use crate::registry::Command;
use resp::numbers::parse_i64;
use resp::{Args, Reply};
use smallvec::SmallVec;
use storage::base::{BaseKey, Cached};
use storage::bucket::Tag;
use storage::commands::parse::is;
use storage::commands::row::Handler;
use storage::commands::{Ctx, Fail, Row};
use storage::keyspace::{Key, Known, Locked, Turn};
use storage::record::DBS;

/// Keys that must be loaded before the command can run: `(db, name)`.
pub type Cold = Vec<(usize, Box<[u8]>)>;

pub enum Ran {
    Done(Result<(), Fail>),
    Cold(Cold),
    /// The handler panicked; nothing of the command is left.
    Panicked(Panicked),
}

/// Runs one keyed command.
#[inline]
pub fn execute(
    node: &'static Node,
    turn: &mut Turn,
    db: usize,
    command: &Command,
    handler: Handler,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Ran {
    if let Some(at) = command.only_key {
        let key = turn.key(args.at(at));
        return match lock_one_known(node, db, &key) {
            Ok(locked) => {
                let cx = Ctx::new(args, db, &node.space, locked, turn).with_key(at, key);
                run(node, cx, handler, reply)
            }
            Err(cold) => Ran::Cold(cold),
        };
    }
    let keys = keys_of(command.row, args, db, turn.settings.tag);
    match lock_known_in(node, &keys) {
        Ok(locked) => run(node, Ctx::new(args, db, &node.space, locked, turn), handler, reply),
        Err(cold) => Ran::Cold(cold),
    }
}

/// All keys that a command looks at, with their databases.
pub fn keys_of<'a>(
    row: &Row,
    args: Args<'a>,
    db: usize,
    tag: Tag,
) -> SmallVec<[(usize, Key<'a>); 4]> {
    let positions = row.keys.iter().flat_map(|spec| spec.positions(args));
    let mut keys: SmallVec<[(usize, Key<'a>); 4]> =
        positions.map(|at| (db, Key::new(args.at(at), tag))).collect();
    if let (Some(other), Some((_, key))) = (other_db(row, args), keys.first().copied()) {
        keys.push((other, key));
    }
    keys
}

/// Executes with everything locked, journals, lets go. A panic of the handler costs what is in
/// memory of the locked partitions; one behind the append ends the process, and the journal has
/// the command.
#[inline]
fn run(node: &Node, mut cx: Ctx<'_, '_>, handler: Handler, reply: &mut Reply<'_>) -> Ran {
    let mark = reply.mark();
    let outcome = panics::contain(node.store.is_some(), || handler(&mut cx, reply));
    let Ctx { mut locked, turn, .. } = cx;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(panic) => {
            reply.truncate(mark);
            node.rewind(&mut locked, turn);
            return Ran::Panicked(panic);
        }
    };
    if outcome.is_err() {
        reply.truncate(mark);
    }
    commit(node, turn);
    drop(locked);
    Ran::Done(outcome)
}

/// [`lock_known`] for the most frequent case.
#[inline]
fn lock_one_known<'s>(node: &'s Node, db: usize, key: &Key<'_>) -> Result<Locked<'s>, Cold> {
    let locked = node.space.lock_one(key.partition());
    if node.store.is_none() || is_known(&locked, db, key) {
        return Ok(locked);
    }
    drop(locked);
    lock_known_in(node, &[(db, *key)])
}

/// The second database that MOVE and COPY name: what is there must be known too.
fn other_db(row: &Row, args: Args<'_>) -> Option<usize> {
    let named = match row.name {
        "move" => args.get(2),
        "copy" => {
            let option = (3..args.len()).find(|at| is(args.at(*at), "db"))?;
            args.get(option + 1)
        }
        _ => None,
    };
    parse_i64(named?).and_then(|db| usize::try_from(db).ok()).filter(|db| *db < DBS)
}

/// Appends the batch to the journal; the partitions it concerns are locked.
#[inline]
pub fn commit(node: &Node, turn: &mut Turn) {
    if !turn.batch.is_empty() {
        if let Some(store) = &node.store {
            store.journal.append(&turn.batch, turn.now as u64);
        }
        turn.end_execution();
    }
}

/// Locks the partitions of `keys` with every key either resident or known to be absent; else says
/// which have to be loaded. Without a base everything is known.
#[inline]
pub fn lock_known<'s>(node: &'s Node, db: usize, keys: &[Key<'_>]) -> Result<Locked<'s>, Cold> {
    lock_known_in(node, &keys.iter().map(|key| (db, *key)).collect::<SmallVec<[_; 2]>>())
}

/// [`lock_known`] for keys of several databases.
pub fn lock_known_in<'s>(node: &'s Node, keys: &[(usize, Key<'_>)]) -> Result<Locked<'s>, Cold> {
    let lock = || match keys {
        [(_, key)] => node.space.lock_one(key.partition()),
        keys => node.space.lock(keys.iter().map(|(_, key)| key.partition())),
    };
    let locked = lock();
    let Some(store) = &node.store else { return Ok(locked) };
    if keys.iter().all(|(db, key)| is_known(&locked, *db, key)) {
        return Ok(locked);
    }
    ask_base(node, store, keys, locked, lock)
}

fn is_known(locked: &Locked<'_>, db: usize, key: &Key<'_>) -> bool {
    let partition = locked.get(key.partition());
    partition.is_none_or(|partition| partition.known(db, key) != Known::Unknown)
}

/// The slow way: the base's filters may say no at once; what they cannot say is cold.
#[cold]
fn ask_base<'s>(
    node: &'s Node,
    store: &crate::store::Store,
    keys: &[(usize, Key<'_>)],
    locked: Locked<'s>,
    lock: impl Fn() -> Locked<'s>,
) -> Result<Locked<'s>, Cold> {
    // A key that leaves memory between the question and the second look would be taken for
    // absent; the partitions count what leaves, so that this is noticed.
    let evictions = |locked: &Locked<'_>| -> u64 {
        keys.iter().filter_map(|(_, key)| locked.get(key.partition())).map(|at| at.evictions).sum()
    };
    let mut locked = locked;
    loop {
        let unknown: Vec<&(usize, Key)> =
            keys.iter().filter(|(db, key)| !is_known(&locked, *db, key)).collect();
        let (before, map) = (evictions(&locked), node.space.db_map());
        drop(locked);
        let cold: Cold = unknown
            .into_iter()
            .filter(|(db, key)| {
                let (bucket, physical) = (node.space.bucket(key), node.space.physical(*db));
                let key = BaseKey { bucket, db: physical, hash: key.hash, key: key.name };
                matches!(store.base.probe(key), Cached::Unknown)
            })
            .map(|(db, key)| (*db, key.name.into()))
            .collect();
        if !cold.is_empty() {
            return Err(cold);
        }
        locked = lock();
        if evictions(&locked) == before && node.space.db_map() == map {
            return Ok(locked);
        }
    }
}

/// Whether a key that was known before the lock was taken still is; for EXEC, which locks the
/// keys of several databases at once.
pub fn is_still_known(node: &Node, locked: &Locked<'_>, db: usize, key: &Key<'_>) -> bool {
    if node.store.is_none() || is_known(locked, db, key) {
        return true;
    }
    let (bucket, physical) = (node.space.bucket(key), node.space.physical(db));
    let place = BaseKey { bucket, db: physical, hash: key.hash, key: key.name };
    // The filters in memory may say no, as they did before.
    node.store.as_ref().is_some_and(|store| store.base.probe(place) == Cached::Absent)
}
