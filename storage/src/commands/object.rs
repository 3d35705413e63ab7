//! OBJECT and MEMORY USAGE: what lies behind the value of a key.
//!
//! Asking is no use of the object: its clock stays, and a missing key is not announced.

use super::Ctx;
use super::fail::{Fail, Outcome, SYNTAX};
use super::parse::{integer, is};
use super::row::{Group, ROW, Row, Run, acl, flags, one};
use crate::keyspace::{self, Entry, Policy, Settings};
use crate::objects::{Str, Value};
use resp::Reply;

pub const ROWS: &[Row] = &[
    Row {
        name: "object",
        arity: -2,
        since: "2.2.3",
        complexity: "Depends on subcommand.",
        summary: "Looks behind the value of a key",
        ..ROW
    },
    Row {
        name: "object|bucket",
        arity: 3,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        keys: &[one(2, "RO")],
        since: "7.0.0",
        summary: "Tells the bucket that a key belongs to",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(bucket),
        ..ROW
    },
    Row {
        name: "object|encoding",
        arity: 3,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        keys: &[one(2, "RO")],
        since: "2.2.3",
        summary: "Tells how a value is laid out in memory",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(encoding),
        ..ROW
    },
    Row {
        name: "object|freq",
        arity: 3,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        keys: &[one(2, "RO")],
        since: "4.0.0",
        summary: "Tells how often a key is used, on the logarithmic scale of LFU",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(freq),
        ..ROW
    },
    Row {
        name: "object|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::KEYSPACE,
        since: "6.2.0",
        summary: "Lists what OBJECT can do",
        run: Run::Keyed(help),
        ..ROW
    },
    Row {
        name: "object|idletime",
        arity: 3,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        keys: &[one(2, "RO")],
        since: "2.2.3",
        summary: "Tells for how many seconds a key was not used",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(idletime),
        ..ROW
    },
    Row {
        name: "object|refcount",
        arity: 3,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        keys: &[one(2, "RO")],
        since: "2.2.3",
        summary: "Tells how many references a value has",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(refcount),
        ..ROW
    },
    Row {
        name: "memory|usage",
        arity: -3,
        flags: flags::READONLY,
        keys: &[one(2, "RO")],
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of samples.",
        summary: "Estimates the bytes that a key takes up",
        syntax: "key [SAMPLES count]",
        run: Run::Keyed(memory_usage),
        ..ROW
    },
];

/// Elements that MEMORY USAGE looks at unless told otherwise.
const SAMPLES: usize = 5;
/// Redis keeps one object for each integer below this, and lets all keys share it.
const SHARED_INTEGERS: i64 = 10_000;
/// The reference count of a shared object.
const SHARED: i64 = i32::MAX as i64;

const NOT_LFU: Fail = Fail::text(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that \
     when switching between policies at runtime LRU and LFU data will take some time to adjust.",
);
const NOT_LRU: Fail = Fail::text(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
     switching between policies at runtime LRU and LFU data will take some time to adjust.",
);

const HELP: [&str; 17] = [
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "BUCKET <key>",
    "    Return the label, 1 to the number of buckets, of the bucket that holds <key>.",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
];

fn bucket(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    match subject(cx).map(Entry::bucket) {
        Some(bucket) => out.int(i64::from(bucket)),
        None => out.null(),
    }
    Ok(())
}

fn encoding(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    match subject(cx) {
        Some(entry) => out.bulk_str(entry.value.encoding()),
        None => out.null(),
    }
    Ok(())
}

fn freq(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (settings, now) = (cx.turn.settings, cx.now);
    match subject(cx) {
        None => out.null(),
        Some(_) if !settings.policy.is_lfu() => return Err(NOT_LFU),
        Some(entry) => out.int(i64::from(keyspace::frequency(entry, &settings, now))),
    }
    Ok(())
}

fn idletime(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (is_lfu, now) = (cx.turn.settings.policy.is_lfu(), cx.now);
    match subject(cx) {
        None => out.null(),
        Some(_) if is_lfu => return Err(NOT_LRU),
        Some(entry) => out.int(i64::from(keyspace::idle_seconds(entry, now))),
    }
    Ok(())
}

fn refcount(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let sharing = shares_integers(&cx.turn.settings);
    match subject(cx).map(|entry| &entry.value) {
        None => out.null(),
        Some(Value::Str(Str::Int(0..SHARED_INTEGERS))) if sharing => out.int(SHARED),
        Some(_) => out.int(1),
    }
    Ok(())
}

fn help(_: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    out.array(HELP.len());
    HELP.iter().for_each(|line| out.simple(line));
    Ok(())
}

fn memory_usage(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let mut samples = SAMPLES;
    let mut options = cx.args.from(3).iter();
    while let Some(option) = options.next() {
        let value = options.next().filter(|_| is(option, "samples")).ok_or(SYNTAX)?;
        samples = usize::try_from(integer(value)?).map_err(|_| SYNTAX)?;
    }
    match cx.object(&cx.key(2)) {
        Some(entry) => out.int(entry.bytes(samples) as i64),
        None => out.null(),
    }
    Ok(())
}

/// The object that a subcommand asks about.
fn subject<'c>(cx: &'c mut Ctx<'_, '_>) -> Option<&'c Entry> {
    let key = cx.key(2);
    if cx.exists(&key) {
        cx.turn.hits += 1;
    } else {
        cx.turn.misses += 1;
    }
    cx.object(&key)
}

/// Whether Redis would share small integers: not where each object needs a clock of its own.
fn shares_integers(settings: &Settings) -> bool {
    use Policy::{AllKeysLfu, AllKeysLru, VolatileLfu, VolatileLru};
    let clocked = matches!(settings.policy, AllKeysLru | AllKeysLfu | VolatileLru | VolatileLfu);
    settings.maxmemory == 0 || !clocked
}
