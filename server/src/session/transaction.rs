//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! EXEC locks the partitions of everything that was queued, looks whether a watched key has
//! changed, and runs the queue under those locks: one atomic execution, one batch in the journal.

use super::dispatch::run_contained;
use super::{After, Call, Multi, SessionFn};
use crate::panics::{self, Panicked};
use crate::registry::{Code, Found};
use crate::writer;
use resp::{Args, Reply};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use storage::commands::{Ctx, Fail};
use storage::keyspace::{Key, Locked};
use storage::record::DBS;

pub const CODE: &[(&str, SessionFn)] = &[
    ("multi", multi),
    ("exec", exec),
    ("discard", discard),
    ("watch", watch),
    ("unwatch", unwatch),
];

fn multi(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.session.multi.is_some() {
        return Err(Fail::text("ERR MULTI calls can not be nested"));
    }
    call.session.multi = Some(Box::default());
    call.session.publish_state();
    reply.ok();
    Ok(After::Done)
}

fn discard(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.session.multi.is_none() {
        return Err(Fail::text("ERR DISCARD without MULTI"));
    }
    call.core.discard(call.session);
    reply.ok();
    Ok(After::Done)
}

fn watch(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.session.multi.is_some() {
        return Err(Fail::text("ERR WATCH inside MULTI is not allowed"));
    }
    let (db, tag) = (call.session.db, call.core.turn.settings.tag);
    let keys: Vec<Key> = call.args.from(1).iter().map(|name| Key::new(name, tag)).collect();
    let mut locked = match writer::lock_known(call.node, db, &keys) {
        Ok(locked) => locked,
        Err(cold) => {
            call.cold = cold;
            return Ok(After::Done);
        }
    };
    let watch = call.session.watch.get_or_insert_with(|| Arc::new(AtomicBool::new(false))).clone();
    for key in &keys {
        let now = call.core.turn.now;
        let Some(partition) = locked.get_mut(key.partition()) else { continue };
        // A key whose time has come already may go without the watch noticing, as in Redis.
        if partition.get(db, key).is_some_and(|entry| entry.is_due(now)) {
            let args = resp::OwnedArgs::from_slices(&[]);
            let keep = std::mem::replace(&mut locked, Locked::none());
            let mut cx = Ctx::new(args.as_args(), db, &call.node.space, keep, &mut call.core.turn);
            cx.touch(key);
            locked = cx.locked;
            writer::commit(call.node, &mut call.core.turn);
        }
        if let Some(partition) = locked.get_mut(key.partition()) {
            partition.watch(db, key.name, &watch);
        }
        let place = (db, Box::from(key.name));
        if !call.session.watched.contains(&place) {
            call.session.watched.push(place);
        }
    }
    call.session.publish_state();
    reply.ok();
    Ok(After::Done)
}

fn unwatch(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    // EXEC ends the watches itself, and holds the locks that this would wait for.
    if call.locked.is_none() {
        call.core.unwatch(call.session);
        call.session.publish_state();
    }
    reply.ok();
    Ok(After::Done)
}

fn exec(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let Some(multi) = call.session.multi.take() else {
        return Err(Fail::text("ERR EXEC without MULTI"));
    };
    if multi.refused {
        call.core.discard(call.session);
        return Err(Fail::text("EXECABORT Transaction discarded because of previous errors."));
    }
    match lock_queue(call, &multi) {
        Ok(locked) => {
            let ran = run_queue(call, reply, &multi, locked);
            call.core.discard(call.session);
            if let Err(panic) = ran {
                return Ok(After::Panicked(panic));
            }
        }
        Err(cold) => {
            call.cold = cold;
            call.session.multi = Some(multi);
        }
    }
    Ok(After::Done)
}

/// Locks what the queue needs, with all its keys known. Commands over the whole keyspace need
/// all partitions.
fn lock_queue(call: &mut Call<'_>, multi: &Multi) -> Result<Locked<'static>, writer::Cold> {
    let tag = call.core.turn.settings.tag;
    let mut whole = false;
    // SELECT inside the queue changes the database of what follows.
    let mut db = call.session.db;
    let mut keys: Vec<(usize, Key<'_>)> = Vec::new();
    for (number, args) in &multi.queue {
        let Some(command) = call.node.registry.get(*number) else { continue };
        let args = args.as_args();
        whole |= super::keyspace::is_whole(command.row.name);
        if command.row.name == "select" {
            db = super::connection::db_index(args.at(1)).unwrap_or(db);
            continue;
        }
        if !matches!(command.code, Code::Keyed(_)) {
            continue;
        }
        keys.extend(writer::keys_of(command.row, args, db, tag));
    }
    // The watched keys too: whether they are due is asked under the same locks.
    keys.extend(call.session.watched.iter().map(|(db, name)| (*db, Key::new(name, tag))));
    loop {
        let locked = writer::lock_known_in(call.node, &keys)?;
        if !whole {
            return Ok(locked);
        }
        drop(locked);
        let locked = call.node.space.lock_all();
        // Nothing may have left memory between the look and the lock.
        if keys.iter().all(|(db, key)| writer::is_still_known(call.node, &locked, *db, key)) {
            return Ok(locked);
        }
    }
}

/// Runs the queue and journals it. A panic of one command undoes all.
fn run_queue(
    call: &mut Call<'_>,
    reply: &mut Reply<'_>,
    multi: &Multi,
    locked: Locked<'static>,
) -> Result<(), Panicked> {
    let touched = call.session.watch.as_ref().is_some_and(|watch| watch.load(Ordering::Acquire));
    if touched || watched_is_due(call, &locked) {
        reply.null_array();
        return Ok(());
    }
    let node = call.node;
    let map = node.space.db_map();
    reply.array(multi.queue.len());
    let mut locked = locked;
    for (number, args) in &multi.queue {
        let Some(command) = node.registry.get(*number) else { continue };
        let args: Args<'_> = args.as_args();
        let (mark, db) = (reply.mark(), call.session.db);
        let begun = Instant::now();
        let outcome = match command.code {
            Code::Keyed(handler) => {
                let keep = std::mem::replace(&mut locked, Locked::none());
                let turn = &mut call.core.turn;
                let mut cx = Ctx::new(args, call.session.db, &node.space, keep, turn);
                let outcome = panics::contain(node.store.is_some(), || handler(&mut cx, reply));
                locked = cx.locked;
                outcome
            }
            Code::Session(function) => {
                let mut inner = Call {
                    args,
                    row: command.row,
                    session: call.session,
                    node,
                    core: call.core,
                    locked: Some(&mut locked),
                    cold: Vec::new(),
                    again_at: None,
                };
                run_contained(function, &mut inner, reply).map(|outcome| match outcome {
                    // WAIT inside a transaction answers at once.
                    Ok(After::WaitReplicas { .. }) => {
                        reply.int(0);
                        Ok(())
                    }
                    Ok(_) => Ok(()),
                    Err(fail) => Err(fail),
                })
            }
            Code::Container => Ok(Err(Fail::arity(command.row.name))),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                undo_queue(call, &mut locked, map, &panic);
                return Err(panic);
            }
        };
        let failed = outcome.is_err();
        if let Err(fail) = outcome {
            reply.truncate(mark);
            reply.error_bytes(&fail.0);
            node.note_error(&[b"-", &fail.0[..], b"\r\n"].concat());
        }
        let nanos = begun.elapsed().as_nanos() as u64;
        node.measures.ran(call.core.number, command.number, nanos, failed);
        if call.core.is_monitored() {
            call.core.monitor(&call.session.client, db, command, args);
        }
    }
    writer::commit(node, &mut call.core.turn);
    if call.core.is_monitored()
        && let Found::Command(exec) = node.registry.find(b"exec", None)
    {
        call.core.monitor(&call.session.client, call.session.db, exec, call.args);
    }
    Ok(())
}

/// Rewinds what the queue has changed so far. A database that it flushed or swapped cannot be
/// brought back in memory: then the process ends, and the next start has it.
#[cold]
fn undo_queue(call: &mut Call<'_>, locked: &mut Locked<'_>, map: [u32; DBS], panic: &Panicked) {
    if call.node.space.db_map() != map {
        tracing::error!(
            "a panic behind FLUSHDB or SWAPDB in EXEC, the process ends: {}",
            panic.text
        );
        std::process::exit(74)
    }
    call.node.rewind(locked, &mut call.core.turn);
}

/// A watched key that has expired but was not looked at yet counts as changed.
fn watched_is_due(call: &Call<'_>, locked: &Locked<'_>) -> bool {
    let tag = call.core.turn.settings.tag;
    call.session.watched.iter().any(|(db, name)| {
        let key = Key::new(name, tag);
        let entry = locked.get(key.partition()).and_then(|partition| partition.get(*db, &key));
        entry.is_some_and(|entry| entry.is_due(call.core.turn.now))
    })
}
