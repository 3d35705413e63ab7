//! Commands over the whole keyspace: SCAN, KEYS, RANDOMKEY, DBSIZE, FLUSHDB, FLUSHALL, SWAPDB.

use super::{After, Call, SessionFn};
use crate::node::Node;
use resp::Reply;
use storage::base::Base;
use storage::commands::fail::{DB_RANGE, SYNTAX};
use storage::commands::parse::{ScanArgs, is};
use storage::commands::{Fail, glob};
use storage::keyspace::scan::{self, Cursor, Keys, Seen};
use storage::keyspace::{Db, Locked};
use storage::objects::Kind;
use storage::record::{Change, DBS};

pub const CODE: &[(&str, SessionFn)] = &[
    ("scan", scan_keys),
    ("keys", keys),
    ("randomkey", random_key),
    ("dbsize", db_size),
    ("flushdb", flush_db),
    ("flushall", flush_all),
    ("swapdb", swap_db),
];

/// Patterns longer than this are refused (RELIABILITY.md section 4), bytes.
const PATTERN_MAX: usize = 1024;
/// Keys KEYS takes from a bucket at once.
const STEP: usize = 1000;

/// Commands that, inside EXEC, need all partitions.
pub fn is_whole(name: &str) -> bool {
    CODE.iter().any(|(known, _)| *known == name)
}

fn base(node: &Node) -> Option<&dyn Base> {
    node.store.as_ref().map(|store| &*store.base)
}

fn base_error(error: storage::base::BaseError) -> Fail {
    tracing::error!("walking the base failed: {error}");
    Fail::owned(format!("ERR the base cannot be read: {error}"))
}

/// Whether a walk needs no disk: every partition is complete in memory.
fn is_complete(call: &Call<'_>) -> bool {
    call.node.store.as_ref().is_none_or(|store| store.base.index() == 0)
}

/// Runs a walk here, or on another thread where it may read the disk or take long. Inside EXEC
/// it runs here, on the partitions that are locked; there it may read the disk with locks held.
fn walk(
    call: &mut Call<'_>,
    reply: &mut Reply<'_>,
    short: bool,
    work: impl FnOnce(&'static Node, Keys<'_>, &mut Reply<'_>) -> Result<(), Fail> + Send + 'static,
) -> Result<After, Fail> {
    let node = call.node;
    let locked = call.locked.as_deref();
    if locked.is_some() || (short && is_complete(call)) {
        work(node, Keys { space: &node.space, locked }, reply)?;
        return Ok(After::Done);
    }
    Ok(After::Job(Box::new(|node, reply| {
        work(node, Keys { space: &node.space, locked: None }, reply)
    })))
}

fn is_live(seen: &Seen, now: i64) -> bool {
    seen.deadline.is_none_or(|deadline| deadline > now)
}

fn scan_keys(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let args = ScanArgs::parse(call.args, 1, true)?;
    let pattern = checked(args.pattern)?.map(<[u8]>::to_vec);
    let kind = args.kind.map(|name| {
        let all = [Kind::String, Kind::List, Kind::Set, Kind::ZSet, Kind::Hash];
        all.into_iter().find(|kind| name.eq_ignore_ascii_case(kind.name().as_bytes()))
    });
    let (cursor, count) = (args.cursor, args.count);
    let (db, now) = (call.session.db, call.core.turn.now);
    walk(call, reply, true, move |node, keys, reply| {
        let at = Cursor::from_number(cursor);
        let (seen, next) = scan::scan(keys, base(node), db, at, count).map_err(base_error)?;
        let shown: Vec<&Seen> = seen
            .iter()
            .filter(|seen| is_live(seen, now))
            .filter(|seen| kind.is_none_or(|kind| kind == Some(seen.kind)))
            .filter(|seen| pattern.as_ref().is_none_or(|at| glob::matches(at, &seen.name, false)))
            .collect();
        reply.array(2);
        reply.bulk_str(&next.map_or(0, Cursor::number).to_string());
        reply.array(shown.len());
        shown.iter().for_each(|seen| reply.bulk(&seen.name));
        Ok(())
    })
}

fn checked(pattern: Option<&[u8]>) -> Result<Option<&[u8]>, Fail> {
    match pattern {
        Some(pattern) if pattern.len() > PATTERN_MAX => {
            Err(Fail::text("ERR the pattern is longer than 1024 bytes"))
        }
        pattern => Ok(pattern),
    }
}

fn keys(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let pattern = checked(call.args.get(1))?.unwrap_or_default().to_vec();
    let (db, now) = (call.session.db, call.core.turn.now);
    let short = call.node.space.len(db) < STEP as u64;
    walk(call, reply, short, move |node, keys, reply| {
        let all = pattern == b"*";
        let mut found: Vec<Box<[u8]>> = Vec::new();
        for bucket in 1..=node.space.buckets() {
            if node.space.bucket_len(db, bucket) == 0 {
                continue;
            }
            let mut from = Some(0);
            while let Some(at) = from {
                let (seen, next) = scan::bucket_from(keys, base(node), db, bucket, at, STEP)
                    .map_err(base_error)?;
                from = next;
                let live = seen.into_iter().filter(|seen| is_live(seen, now));
                let names = live.map(|seen| seen.name);
                found.extend(names.filter(|name| all || glob::matches(&pattern, name, false)));
            }
        }
        reply.array(found.len());
        found.iter().for_each(|name| reply.bulk(name));
        Ok(())
    })
}

fn random_key(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let (db, now) = (call.session.db, call.core.turn.now);
    let mut rng = call.core.turn.rng.fork();
    walk(call, reply, true, move |node, keys, reply| {
        let found = scan::random(keys, base(node), db, now, &mut rng).map_err(base_error)?;
        match found {
            Some(name) => reply.bulk(&name),
            None => reply.null(),
        }
        Ok(())
    })
}

fn db_size(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.int(call.node.space.len(call.session.db) as i64);
    Ok(After::Done)
}

/// SYNC or ASYNC; both are done in the same way: the emptied tables are freed elsewhere.
fn flush_option(call: &Call<'_>) -> Result<(), Fail> {
    match call.args.get(1) {
        None => Ok(()),
        Some(word) if call.args.len() == 2 && (is(word, "sync") || is(word, "async")) => Ok(()),
        Some(_) => Err(SYNTAX),
    }
}

fn flush_db(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    flush_option(call)?;
    let db = call.session.db;
    flush(call, |at| at == db);
    reply.ok();
    Ok(After::Done)
}

fn flush_all(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    flush_option(call)?;
    flush(call, |_| true);
    reply.ok();
    Ok(After::Done)
}

/// All partitions: those EXEC holds, or locked now.
fn with_all<R>(call: &mut Call<'_>, work: impl FnOnce(&mut Call<'_>, &mut Locked<'_>) -> R) -> R {
    match call.locked.take() {
        Some(held) => {
            let result = work(call, held);
            call.locked = Some(held);
            result
        }
        None => {
            let mut locked = call.node.space.lock_all();
            let result = work(call, &mut locked);
            crate::writer::commit(call.node, &mut call.core.turn);
            result
        }
    }
}

/// Empties databases: they are mapped to fresh physical numbers and their old ranges cleared in
/// the background (C19); what was in memory is freed on another thread.
fn flush(call: &mut Call<'_>, concerns: impl Fn(usize) -> bool) {
    let node = call.node;
    let dropped: Vec<Db> = with_all(call, |call, locked| {
        let now = call.core.turn.now;
        // An empty database keeps its number, and so the tombstones that hide what the base still
        // has under it (C13).
        let concerns = |db: usize| concerns(db) && !node.space.is_empty(db);
        let mut dropped = Vec::new();
        for (_, partition) in locked.iter_mut() {
            partition.touch_watched(|db, key, partition| {
                let key = storage::keyspace::Key::new(key, node.space.tag());
                let known = partition.known(db, &key) != storage::keyspace::Known::Absent;
                let due = partition.get(db, &key).is_some_and(|entry| entry.is_due(now));
                concerns(db) && known && !due
            });
            dropped.extend((0..DBS).filter(|db| concerns(*db)).map(|db| partition.take_db(db)));
        }
        let mut map = node.space.db_map();
        let mut cleared = Vec::new();
        let mut fresh = map.iter().max().map_or(0, |most| most + 1);
        for db in (0..DBS).filter(|db| concerns(*db)) {
            node.space.clear_counts(db);
            if let Some(number) = map.get_mut(db) {
                cleared.push(std::mem::replace(number, fresh));
                fresh += 1;
            }
        }
        node.space.set_db_map(map);
        if node.space.journaled && !cleared.is_empty() {
            let batch = &mut call.core.turn.batch;
            Change::MapDbs { map }.encode(batch);
            for db in cleared {
                Change::Clear { db, from: 1, to: node.space.buckets() }.encode(batch);
            }
        }
        dropped
    });
    node.workers.run(Box::new(move || drop(dropped)));
}

fn swap_db(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    // Both are read before either is looked up, as in Redis: it decides the error.
    let number = |arg: &[u8], wrong: &'static str| {
        let number = resp::numbers::parse_i64(arg).filter(|db| i32::try_from(*db).is_ok());
        number.ok_or(Fail::text(wrong))
    };
    let first = number(call.args.at(1), "ERR invalid first DB index")?;
    let second = number(call.args.at(2), "ERR invalid second DB index")?;
    let index = |number: i64| usize::try_from(number).ok().filter(|db| *db < DBS).ok_or(DB_RANGE);
    let (a, b) = (index(first)?, index(second)?);
    if a != b {
        let node = call.node;
        with_all(call, |call, locked| {
            for (_, partition) in locked.iter_mut() {
                partition.touch_watched(|db, key, partition| {
                    let key = storage::keyspace::Key::new(key, node.space.tag());
                    let absent = storage::keyspace::Known::Absent;
                    (db == a || db == b)
                        && (partition.known(a, &key) != absent
                            || partition.known(b, &key) != absent)
                });
                partition.swap_dbs(a, b);
            }
            node.space.swap_counts(a, b);
            let mut map = node.space.db_map();
            map.swap(a, b);
            node.space.set_db_map(map);
            if node.space.journaled {
                Change::MapDbs { map }.encode(&mut call.core.turn.batch);
            }
        });
    }
    reply.ok();
    Ok(After::Done)
}
