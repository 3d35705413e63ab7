//! Rows of the commands over the whole keyspace.

use crate::commands::row::{Group, ROW, Row, acl, flags};

pub const ROWS: &[Row] = &[
    Row {
        name: "dbsize",
        arity: 1,
        flags: flags::READONLY | flags::FAST,
        acl: acl::KEYSPACE,
        group: Group::Server,
        summary: "Counts the keys of the database",
        tips: "request_policy:all_shards response_policy:agg_sum",
        ..ROW
    },
    Row {
        name: "flushall",
        arity: -1,
        flags: flags::WRITE,
        acl: acl::KEYSPACE | acl::DANGEROUS,
        group: Group::Server,
        complexity: "O(N) where N is the total number of keys in all databases",
        summary: "Empties all databases",
        syntax: "[ASYNC | SYNC]",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        ..ROW
    },
    Row {
        name: "flushdb",
        arity: -1,
        flags: flags::WRITE,
        acl: acl::KEYSPACE | acl::DANGEROUS,
        group: Group::Server,
        complexity: "O(N) where N is the number of keys in the selected database",
        summary: "Empties the database",
        syntax: "[ASYNC | SYNC]",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        ..ROW
    },
    Row {
        name: "keys",
        arity: 2,
        flags: flags::READONLY,
        acl: acl::KEYSPACE | acl::DANGEROUS,
        complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
        summary: "Lists all keys that match a pattern",
        syntax: "pattern",
        tips: "request_policy:all_shards nondeterministic_output_order",
        ..ROW
    },
    Row {
        name: "randomkey",
        arity: 1,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        summary: "Picks any key of the database",
        tips: "request_policy:all_shards nondeterministic_output",
        ..ROW
    },
    Row {
        name: "scan",
        arity: -2,
        flags: flags::READONLY,
        acl: acl::KEYSPACE,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        summary: "Walks through the keys of the database bit by bit",
        syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
        tips: "nondeterministic_output request_policy:special",
        ..ROW
    },
    Row {
        name: "swapdb",
        arity: 3,
        flags: flags::WRITE | flags::FAST,
        acl: acl::KEYSPACE | acl::DANGEROUS,
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
        summary: "Exchanges two databases",
        syntax: "index1 index2",
        ..ROW
    },
    Row {
        name: "wait",
        arity: 3,
        flags: flags::NOSCRIPT,
        acl: acl::CONNECTION,
        since: "3.0.0",
        summary: "Waits until replicas have what this connection wrote",
        syntax: "numreplicas timeout",
        tips: "request_policy:all_shards response_policy:agg_min",
        ..ROW
    },
];
