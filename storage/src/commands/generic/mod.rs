//! Commands on keys of any type: whether they exist, how long they live, what they are called.

mod expiry;
mod lookup;
mod transfer;

use super::Ctx;
use super::row::{ROW, Row, Run, acl, flags, one, range};
use crate::keyspace::{self, Key, Turn};

pub const ROWS: &[Row] = &[
    Row {
        name: "copy",
        arity: -3,
        flags: flags::WRITE | flags::DENYOOM,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RO access"), one(2, "OW update")],
        since: "6.2.0",
        complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
        summary: "Duplicates a key under another name, in this or another database",
        syntax: "source destination [DB destination-db] [REPLACE]",
        run: Run::Keyed(transfer::copy),
        ..ROW
    },
    Row {
        name: "del",
        arity: -2,
        flags: flags::MAIN | flags::WRITE,
        acl: acl::KEYSPACE,
        keys: &[range(1, -1, 1, "RM delete")],
        complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
        summary: "Deletes keys",
        syntax: "key [key ...]",
        tips: "request_policy:multi_shard response_policy:agg_sum",
        run: Run::Keyed(lookup::del),
        ..ROW
    },
    Row {
        name: "exists",
        arity: -2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[range(1, -1, 1, "RO")],
        complexity: "O(N) where N is the number of keys to check.",
        summary: "Counts how many of the given keys exist",
        syntax: "key [key ...]",
        tips: "request_policy:multi_shard response_policy:agg_sum",
        run: Run::Keyed(lookup::exists),
        ..ROW
    },
    Row {
        name: "expire",
        arity: -3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW update")],
        summary: "Gives a key so many seconds to live",
        syntax: "key seconds [NX | XX | GT | LT]",
        run: Run::Keyed(expiry::expire),
        ..ROW
    },
    Row {
        name: "expireat",
        arity: -3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW update")],
        since: "1.2.0",
        summary: "Lets a key expire at a Unix time in seconds",
        syntax: "key unix-time-seconds [NX | XX | GT | LT]",
        run: Run::Keyed(expiry::expireat),
        ..ROW
    },
    Row {
        name: "expiretime",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RO access")],
        since: "7.0.0",
        summary: "Tells the Unix time in seconds at which a key expires",
        syntax: "key",
        run: Run::Keyed(expiry::expiretime),
        ..ROW
    },
    Row {
        name: "move",
        arity: 3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW access update")],
        summary: "Transfers a key to another database",
        syntax: "key db",
        run: Run::Keyed(transfer::move_key),
        ..ROW
    },
    Row {
        name: "persist",
        arity: 2,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW update")],
        since: "2.2.0",
        summary: "Takes the expiry off a key",
        syntax: "key",
        run: Run::Keyed(expiry::persist),
        ..ROW
    },
    Row {
        name: "pexpire",
        arity: -3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW update")],
        since: "2.6.0",
        summary: "Gives a key so many milliseconds to live",
        syntax: "key milliseconds [NX | XX | GT | LT]",
        run: Run::Keyed(expiry::pexpire),
        ..ROW
    },
    Row {
        name: "pexpireat",
        arity: -3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW update")],
        since: "2.6.0",
        summary: "Lets a key expire at a Unix time in milliseconds",
        syntax: "key unix-time-milliseconds [NX | XX | GT | LT]",
        run: Run::Keyed(expiry::pexpireat),
        ..ROW
    },
    Row {
        name: "pexpiretime",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RO access")],
        since: "7.0.0",
        summary: "Tells the Unix time in milliseconds at which a key expires",
        syntax: "key",
        run: Run::Keyed(expiry::pexpiretime),
        ..ROW
    },
    Row {
        name: "pttl",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RO access")],
        since: "2.6.0",
        summary: "Tells how many milliseconds a key has left",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(expiry::pttl),
        ..ROW
    },
    Row {
        name: "rename",
        arity: 3,
        flags: flags::WRITE,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW access delete"), one(2, "OW update")],
        summary: "Gives a key another name, overwriting what is there",
        syntax: "key newkey",
        run: Run::Keyed(transfer::rename),
        ..ROW
    },
    Row {
        name: "renamenx",
        arity: 3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RW access delete"), one(2, "OW insert")],
        summary: "Gives a key another name unless that name is taken",
        syntax: "key newkey",
        run: Run::Keyed(transfer::renamenx),
        ..ROW
    },
    Row {
        name: "touch",
        arity: -2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[range(1, -1, 1, "RO")],
        since: "3.2.1",
        complexity: "O(N) where N is the number of keys that will be touched.",
        summary: "Counts as an access to keys, and tells how many exist",
        syntax: "key [key ...]",
        tips: "request_policy:multi_shard response_policy:agg_sum",
        run: Run::Keyed(lookup::touch),
        ..ROW
    },
    Row {
        name: "ttl",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RO access")],
        summary: "Tells how many seconds a key has left",
        syntax: "key",
        tips: "nondeterministic_output",
        run: Run::Keyed(expiry::ttl),
        ..ROW
    },
    Row {
        name: "type",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[one(1, "RO")],
        summary: "Tells which data type a key holds",
        syntax: "key",
        run: Run::Keyed(lookup::kind),
        ..ROW
    },
    Row {
        name: "unlink",
        arity: -2,
        flags: flags::MAIN | flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE,
        keys: &[range(1, -1, 1, "RM delete")],
        since: "4.0.0",
        complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.",
        summary: "Deletes keys, freeing their memory later",
        syntax: "key [key ...]",
        tips: "request_policy:multi_shard response_policy:agg_sum",
        run: Run::Keyed(lookup::unlink),
        ..ROW
    },
];

/// Looks a key up for a command that reads about it, not from it: that counts as a hit or a miss,
/// but not as a use of the object. True when the key exists.
fn look(cx: &mut Ctx<'_, '_>, key: &Key<'_>) -> bool {
    let no_touch = std::mem::replace(&mut cx.turn.no_touch, true);
    let found = cx.touch(key);
    cx.turn.no_touch = no_touch;
    found
}

/// Looks a key up for a command that changes it: that is a use of the object, but neither a hit
/// nor a miss. True when the key exists.
fn reach(cx: &mut Ctx<'_, '_>, key: &Key<'_>) -> bool {
    if !cx.exists(key) {
        return false;
    }
    let (db, now) = (cx.db, cx.now);
    let Ctx { locked, turn, .. } = cx;
    let Turn { settings, rng, no_touch, .. } = &mut **turn;
    let partition = locked.get_mut(key.partition());
    if let Some(entry) = partition.and_then(|partition| partition.get_mut(db, key))
        && !*no_touch
    {
        keyspace::touch(entry, settings, now, || rng.u32(..));
    }
    true
}

#[cfg(test)]
mod tests;
