//! Rows of the commands that run the server.

use crate::commands::row::{Group, ROW, Row, acl, flags};

pub const ROWS: &[Row] = &[
    Row {
        name: "bgsave",
        arity: -1,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::NO_ASYNC_LOADING,
        group: Group::Server,
        summary: "Saves the data in the background",
        syntax: "[SCHEDULE]",
        ..ROW
    },
    Row {
        name: "debug",
        arity: -2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        group: Group::Server,
        complexity: "Depends on subcommand.",
        summary: "Serves tests and fault finding",
        ..ROW
    },
    Row {
        name: "info",
        arity: -1,
        flags: flags::LOADING | flags::STALE,
        acl: acl::DANGEROUS,
        group: Group::Server,
        summary: "Reports on the state of the server",
        syntax: "[section [section ...]]",
        tips: "nondeterministic_output request_policy:all_shards response_policy:special",
        ..ROW
    },
    Row {
        name: "lastsave",
        arity: 1,
        flags: flags::LOADING | flags::STALE | flags::FAST,
        acl: acl::ADMIN | acl::DANGEROUS,
        group: Group::Server,
        summary: "Tells when data was last saved",
        tips: "nondeterministic_output",
        ..ROW
    },
    Row {
        name: "lolwut",
        arity: -1,
        flags: flags::READONLY | flags::FAST,
        since: "5.0.0",
        group: Group::Server,
        complexity: "",
        summary: "Shows computer art and the version",
        syntax: "[VERSION version]",
        ..ROW
    },
    Row {
        name: "monitor",
        arity: 1,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        group: Group::Server,
        complexity: "",
        summary: "Streams every command the server runs",
        ..ROW
    },
    Row {
        name: "role",
        arity: 1,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST,
        acl: acl::ADMIN | acl::DANGEROUS,
        since: "2.8.12",
        group: Group::Server,
        summary: "Tells the part this node plays in replication",
        ..ROW
    },
    Row {
        name: "save",
        arity: 1,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::NO_ASYNC_LOADING | flags::NO_MULTI,
        group: Group::Server,
        complexity: "O(N) where N is the total number of keys in all databases",
        summary: "Saves the data and answers when done",
        ..ROW
    },
    Row {
        name: "shutdown",
        arity: -1,
        flags: flags::ADMIN
            | flags::NOSCRIPT
            | flags::LOADING
            | flags::STALE
            | flags::NO_MULTI
            | flags::ALLOW_BUSY,
        group: Group::Server,
        complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
        summary: "Saves what is to be saved and stops the server",
        syntax: "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
        ..ROW
    },
    Row {
        name: "time",
        arity: 1,
        flags: flags::LOADING | flags::STALE | flags::FAST,
        since: "2.6.0",
        group: Group::Server,
        summary: "Tells the server's time",
        tips: "nondeterministic_output",
        ..ROW
    },
];
