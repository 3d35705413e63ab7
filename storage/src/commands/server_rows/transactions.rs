//! Rows of transactions.

use crate::commands::row::{Group, ROW, Row, acl, flags, range};

pub const ROWS: &[Row] = &[
    Row {
        name: "discard",
        arity: 1,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST | flags::ALLOW_BUSY,
        acl: acl::TRANSACTION,
        since: "2.0.0",
        group: Group::Transactions,
        complexity: "O(N), when N is the number of queued commands",
        summary: "Drops a transaction",
        ..ROW
    },
    Row {
        name: "exec",
        arity: 1,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::SKIP_SLOWLOG,
        acl: acl::TRANSACTION,
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "Depends on commands in the transaction",
        summary: "Runs the queued commands of a transaction",
        ..ROW
    },
    Row {
        name: "multi",
        arity: 1,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST | flags::ALLOW_BUSY,
        acl: acl::TRANSACTION,
        since: "1.2.0",
        group: Group::Transactions,
        summary: "Begins a transaction",
        ..ROW
    },
    Row {
        name: "unwatch",
        arity: 1,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST | flags::ALLOW_BUSY,
        acl: acl::TRANSACTION,
        since: "2.2.0",
        group: Group::Transactions,
        summary: "Forgets all watched keys",
        ..ROW
    },
    Row {
        name: "watch",
        arity: -2,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST | flags::ALLOW_BUSY,
        acl: acl::TRANSACTION,
        keys: &[range(1, -1, 1, "RO")],
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(1) for every key.",
        summary: "Lets the next EXEC fail if one of these keys changes first",
        syntax: "key [key ...]",
        ..ROW
    },
];
