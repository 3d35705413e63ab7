//! The hash commands: fields and values under one key.

mod random;
mod read;
mod write;

#[cfg(test)]
mod tests;

use super::row::{Group, ROW, Row, Run, acl, flags, one};

const READ: u32 = flags::READONLY;
const READ_FAST: u32 = flags::READONLY | flags::FAST;
const WRITE_FAST: u32 = flags::WRITE | flags::FAST;
const GROW_FAST: u32 = flags::WRITE | flags::DENYOOM | flags::FAST;

const HASH_ROW: Row =
    Row { acl: acl::HASH, keys: &[one(1, "RO access")], since: "2.0.0", group: Group::Hash, ..ROW };

pub const ROWS: &[Row] = &[
    Row {
        name: "hdel",
        arity: -3,
        flags: WRITE_FAST,
        keys: &[one(1, "RW delete")],
        complexity: "O(N) where N is the number of fields to be removed.",
        summary: "Removes fields from a hash",
        syntax: "key field [field ...]",
        run: Run::Keyed(write::hdel),
        ..HASH_ROW
    },
    Row {
        name: "hexists",
        arity: 3,
        flags: READ_FAST,
        keys: &[one(1, "RO")],
        summary: "Tells whether a hash has a field",
        syntax: "key field",
        run: Run::Keyed(read::hexists),
        ..HASH_ROW
    },
    Row {
        name: "hget",
        arity: 3,
        flags: READ_FAST,
        summary: "Returns the value of a field",
        syntax: "key field",
        run: Run::Keyed(read::hget),
        ..HASH_ROW
    },
    Row {
        name: "hgetall",
        arity: 2,
        flags: READ,
        complexity: "O(N) where N is the size of the hash.",
        summary: "Returns all fields of a hash with their values",
        syntax: "key",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(read::hgetall),
        ..HASH_ROW
    },
    Row {
        name: "hincrby",
        arity: 4,
        flags: GROW_FAST,
        keys: &[one(1, "RW access update")],
        summary: "Adds an integer to the number in a field",
        syntax: "key field increment",
        run: Run::Keyed(write::hincrby),
        ..HASH_ROW
    },
    Row {
        name: "hincrbyfloat",
        arity: 4,
        flags: GROW_FAST,
        keys: &[one(1, "RW access update")],
        since: "2.6.0",
        summary: "Adds a floating point number to the number in a field",
        syntax: "key field increment",
        run: Run::Keyed(write::hincrbyfloat),
        ..HASH_ROW
    },
    Row {
        name: "hkeys",
        arity: 2,
        flags: READ,
        complexity: "O(N) where N is the size of the hash.",
        summary: "Returns all fields of a hash",
        syntax: "key",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(read::hkeys),
        ..HASH_ROW
    },
    Row {
        name: "hlen",
        arity: 2,
        flags: READ_FAST,
        keys: &[one(1, "RO")],
        summary: "Counts the fields of a hash",
        syntax: "key",
        run: Run::Keyed(read::hlen),
        ..HASH_ROW
    },
    Row {
        name: "hmget",
        arity: -3,
        flags: READ_FAST,
        complexity: "O(N) where N is the number of fields being requested.",
        summary: "Returns the values of several fields",
        syntax: "key field [field ...]",
        run: Run::Keyed(read::hmget),
        ..HASH_ROW
    },
    Row {
        name: "hmset",
        arity: -4,
        flags: GROW_FAST,
        keys: &[one(1, "RW update")],
        complexity: "O(N) where N is the number of fields being set.",
        summary: "Sets several fields; HSET does the same",
        syntax: "key field value [field value ...]",
        run: Run::Keyed(write::hmset),
        ..HASH_ROW
    },
    Row {
        name: "hrandfield",
        arity: -2,
        flags: READ,
        since: "6.2.0",
        complexity: "O(N) where N is the number of fields returned",
        summary: "Returns randomly drawn fields of a hash",
        syntax: "key [count [WITHVALUES]]",
        tips: "nondeterministic_output",
        run: Run::Keyed(random::hrandfield),
        ..HASH_ROW
    },
    Row {
        name: "hscan",
        arity: -3,
        flags: READ,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command \
                     calls for the cursor to return back to 0. N is the number of elements inside \
                     the collection..",
        summary: "Walks the fields of a hash a few at a time",
        syntax: "key cursor [MATCH pattern] [COUNT count]",
        tips: "nondeterministic_output",
        run: Run::Keyed(read::hscan),
        ..HASH_ROW
    },
    Row {
        name: "hset",
        arity: -4,
        flags: GROW_FAST,
        keys: &[one(1, "RW update")],
        complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when \
                     the command is called with multiple field/value pairs.",
        summary: "Sets fields of a hash and counts the new ones",
        syntax: "key field value [field value ...]",
        run: Run::Keyed(write::hset),
        ..HASH_ROW
    },
    Row {
        name: "hsetnx",
        arity: 4,
        flags: GROW_FAST,
        keys: &[one(1, "RW insert")],
        summary: "Sets a field that does not exist yet",
        syntax: "key field value",
        run: Run::Keyed(write::hsetnx),
        ..HASH_ROW
    },
    Row {
        name: "hstrlen",
        arity: 3,
        flags: READ_FAST,
        keys: &[one(1, "RO")],
        since: "3.2.0",
        summary: "Returns the length of the value of a field",
        syntax: "key field",
        run: Run::Keyed(read::hstrlen),
        ..HASH_ROW
    },
    Row {
        name: "hvals",
        arity: 2,
        flags: READ,
        complexity: "O(N) where N is the size of the hash.",
        summary: "Returns all values of a hash",
        syntax: "key",
        tips: "nondeterministic_output_order",
        run: Run::Keyed(read::hvals),
        ..HASH_ROW
    },
];
