//! Strings.

mod edit;
mod lcs;
mod options;
mod read;
mod set;

use super::row::{one, range};
use super::{Group, ROW, Row, Run, acl, flags};
use crate::commands::fail::{Fail, STRING_TOO_LONG};
use crate::objects::Str;
use resp::Reply;

pub const ROWS: &[Row] = &[
    Row {
        name: "append",
        arity: 3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW insert")],
        since: "2.0.0",
        group: Group::String,
        complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is \
            small and the already present value is of any size, since the dynamic string \
            library used by Redis will double the free space available on every reallocation.",
        summary: "Adds bytes to the end of a string, which is made if need be.",
        syntax: "key value",
        run: Run::Keyed(edit::append),
        ..ROW
    },
    Row {
        name: "decr",
        arity: 2,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        group: Group::String,
        summary: "Subtracts one from a number.",
        syntax: "key",
        run: Run::Keyed(edit::decr),
        ..ROW
    },
    Row {
        name: "decrby",
        arity: 3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        group: Group::String,
        summary: "Subtracts from a number.",
        syntax: "key decrement",
        run: Run::Keyed(edit::decrby),
        ..ROW
    },
    Row {
        name: "get",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RO access")],
        group: Group::String,
        summary: "Reads a string.",
        syntax: "key",
        run: Run::Keyed(read::get),
        ..ROW
    },
    Row {
        name: "getdel",
        arity: 2,
        flags: flags::MAIN | flags::WRITE | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access delete")],
        since: "6.2.0",
        group: Group::String,
        summary: "Reads a string and deletes its key.",
        syntax: "key",
        run: Run::Keyed(set::getdel),
        ..ROW
    },
    Row {
        name: "getex",
        arity: -2,
        flags: flags::MAIN | flags::WRITE | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        since: "6.2.0",
        group: Group::String,
        summary: "Reads a string and sets or removes its deadline.",
        syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT \
            unix-time-milliseconds | PERSIST]",
        run: Run::Keyed(set::getex),
        ..ROW
    },
    Row {
        name: "getrange",
        arity: 4,
        flags: flags::MAIN | flags::READONLY,
        acl: acl::STRING,
        keys: &[one(1, "RO access")],
        since: "2.4.0",
        group: Group::String,
        complexity: "O(N) where N is the length of the returned string. The complexity is \
            ultimately determined by the returned length, but because creating a substring \
            from an existing string is very cheap, it can be considered O(1) for small \
            strings.",
        summary: "Reads a part of a string.",
        syntax: "key start end",
        run: Run::Keyed(read::getrange),
        ..ROW
    },
    Row {
        name: "getset",
        arity: 3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        group: Group::String,
        summary: "Sets a string and returns the one before.",
        syntax: "key value",
        run: Run::Keyed(set::getset),
        ..ROW
    },
    Row {
        name: "incr",
        arity: 2,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        group: Group::String,
        summary: "Adds one to a number.",
        syntax: "key",
        run: Run::Keyed(edit::incr),
        ..ROW
    },
    Row {
        name: "incrby",
        arity: 3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        group: Group::String,
        summary: "Adds to a number.",
        syntax: "key increment",
        run: Run::Keyed(edit::incrby),
        ..ROW
    },
    Row {
        name: "incrbyfloat",
        arity: 3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RW access update")],
        since: "2.6.0",
        group: Group::String,
        summary: "Adds a fraction to a number.",
        syntax: "key increment",
        run: Run::Keyed(edit::incrbyfloat),
        ..ROW
    },
    Row {
        name: "lcs",
        arity: -3,
        flags: flags::MAIN | flags::READONLY,
        acl: acl::STRING,
        keys: &[range(1, 2, 1, "RO access")],
        since: "7.0.0",
        group: Group::String,
        complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
        summary: "Finds the longest common subsequence of two strings.",
        syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
        run: Run::Keyed(lcs::lcs),
        ..ROW
    },
    Row {
        name: "mget",
        arity: -2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::STRING,
        keys: &[range(1, -1, 1, "RO access")],
        group: Group::String,
        complexity: "O(N) where N is the number of keys to retrieve.",
        summary: "Reads several strings.",
        syntax: "key [key ...]",
        tips: "request_policy:multi_shard",
        run: Run::Keyed(read::mget),
        ..ROW
    },
    Row {
        name: "mset",
        arity: -3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM,
        acl: acl::STRING,
        keys: &[range(1, -1, 2, "OW update")],
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) where N is the number of keys to set.",
        summary: "Sets several strings.",
        syntax: "key value [key value ...]",
        tips: "request_policy:multi_shard response_policy:all_succeeded",
        run: Run::Keyed(set::mset),
    },
    Row {
        name: "msetnx",
        arity: -3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM,
        acl: acl::STRING,
        keys: &[range(1, -1, 2, "OW insert")],
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) where N is the number of keys to set.",
        summary: "Sets several strings if none of the keys exists.",
        syntax: "key value [key value ...]",
        tips: "request_policy:multi_shard response_policy:agg_min",
        run: Run::Keyed(set::msetnx),
    },
    Row {
        name: "psetex",
        arity: 4,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM,
        acl: acl::STRING,
        keys: &[one(1, "OW update")],
        since: "2.6.0",
        group: Group::String,
        summary: "Sets a string that expires after milliseconds.",
        syntax: "key milliseconds value",
        run: Run::Keyed(set::psetex),
        ..ROW
    },
    Row {
        name: "set",
        arity: -3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM,
        acl: acl::STRING,
        keys: &[one(1, "RW access update variable_flags")],
        group: Group::String,
        summary: "Sets a string, whatever the key held.",
        syntax: "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds \
            | PXAT unix-time-milliseconds | KEEPTTL]",
        run: Run::Keyed(set::set),
        ..ROW
    },
    Row {
        name: "setex",
        arity: 4,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM,
        acl: acl::STRING,
        keys: &[one(1, "OW update")],
        since: "2.0.0",
        group: Group::String,
        summary: "Sets a string that expires after seconds.",
        syntax: "key seconds value",
        run: Run::Keyed(set::setex),
        ..ROW
    },
    Row {
        name: "setnx",
        arity: 3,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "OW insert")],
        group: Group::String,
        summary: "Sets a string if its key does not exist.",
        syntax: "key value",
        run: Run::Keyed(set::setnx),
        ..ROW
    },
    Row {
        name: "setrange",
        arity: 4,
        flags: flags::MAIN | flags::WRITE | flags::DENYOOM,
        acl: acl::STRING,
        keys: &[one(1, "RW update")],
        since: "2.2.0",
        group: Group::String,
        complexity: "O(1), not counting the time taken to copy the new string in place. Usually, \
            this string is very small so the amortized complexity is O(1). Otherwise, \
            complexity is O(M) with M being the length of the value argument.",
        summary: "Overwrites a part of a string.",
        syntax: "key offset value",
        run: Run::Keyed(edit::setrange),
        ..ROW
    },
    Row {
        name: "strlen",
        arity: 2,
        flags: flags::MAIN | flags::READONLY | flags::FAST,
        acl: acl::STRING,
        keys: &[one(1, "RO")],
        since: "2.2.0",
        group: Group::String,
        summary: "Counts the bytes of a string.",
        syntax: "key",
        run: Run::Keyed(read::strlen),
        ..ROW
    },
    Row {
        name: "substr",
        arity: 4,
        flags: flags::MAIN | flags::READONLY,
        acl: acl::STRING,
        keys: &[one(1, "RO access")],
        group: Group::String,
        complexity: "O(N) where N is the length of the returned string. The complexity is \
            ultimately determined by the returned length, but because creating a substring \
            from an existing string is very cheap, it can be considered O(1) for small \
            strings.",
        summary: "Reads a part of a string.",
        syntax: "key start end",
        run: Run::Keyed(read::getrange),
        ..ROW
    },
];

/// Replies with a string; numbers are printed without an allocation.
#[inline]
fn reply_str(out: &mut Reply<'_>, string: &Str) {
    match string {
        Str::Int(number) => out.bulk_int(*number),
        string => out.bulk(&string.bytes()),
    }
}

/// Refuses a string longer than `proto-max-bulk-len`.
fn check_len(len: usize, more: usize, max: usize) -> Result<usize, Fail> {
    len.checked_add(more).filter(|total| *total <= max).ok_or(STRING_TOO_LONG)
}

#[cfg(test)]
mod tests;
