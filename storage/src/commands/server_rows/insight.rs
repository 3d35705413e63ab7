//! Rows of LATENCY, MEMORY and SLOWLOG: what the server does with time and memory.
//!
//! MEMORY USAGE looks at one key and stands with OBJECT.

use crate::commands::row::{Group, ROW, Row, flags};

pub const ROWS: &[Row] = &[
    Row {
        name: "latency",
        arity: -2,
        since: "2.8.13",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        summary: "Deals with the latency monitor",
        ..ROW
    },
    Row {
        name: "latency|doctor",
        arity: 2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.8.13",
        group: Group::Server,
        summary: "Explains the latency spikes seen so far",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special",
        ..ROW
    },
    Row {
        name: "latency|graph",
        arity: 3,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.8.13",
        group: Group::Server,
        summary: "Draws the latency of one event",
        syntax: "event",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special",
        ..ROW
    },
    Row {
        name: "latency|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        since: "2.8.13",
        group: Group::Server,
        summary: "Lists what LATENCY can do",
        ..ROW
    },
    Row {
        name: "latency|histogram",
        arity: -2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands with latency information being retrieved.",
        summary: "Shows how long commands took, as cumulative counts",
        syntax: "[command [command ...]]",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special",
        ..ROW
    },
    Row {
        name: "latency|history",
        arity: 3,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.8.13",
        group: Group::Server,
        summary: "Lists the latency samples of one event",
        syntax: "event",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special",
        ..ROW
    },
    Row {
        name: "latency|latest",
        arity: 2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.8.13",
        group: Group::Server,
        summary: "Lists the last latency sample of each event",
        tips: "nondeterministic_output request_policy:all_nodes response_policy:special",
        ..ROW
    },
    Row {
        name: "latency|reset",
        arity: -2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.8.13",
        group: Group::Server,
        summary: "Forgets the latency samples of events",
        syntax: "[event [event ...]]",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        ..ROW
    },
    Row {
        name: "memory",
        arity: -2,
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        summary: "Deals with memory",
        ..ROW
    },
    Row {
        name: "memory|doctor",
        arity: 2,
        since: "4.0.0",
        group: Group::Server,
        summary: "Reports what is odd about the use of memory",
        tips: "nondeterministic_output request_policy:all_shards response_policy:special",
        ..ROW
    },
    Row {
        name: "memory|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        since: "4.0.0",
        group: Group::Server,
        summary: "Lists what MEMORY can do",
        ..ROW
    },
    Row {
        name: "memory|malloc-stats",
        arity: 2,
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on how much memory is allocated, could be slow",
        summary: "Shows the allocator's own statistics",
        tips: "nondeterministic_output request_policy:all_shards response_policy:special",
        ..ROW
    },
    Row {
        name: "memory|purge",
        arity: 2,
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on how much memory is allocated, could be slow",
        summary: "Asks the allocator to give unused memory back",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        ..ROW
    },
    Row {
        name: "memory|stats",
        arity: 2,
        since: "4.0.0",
        group: Group::Server,
        summary: "Shows what memory is used for",
        tips: "nondeterministic_output request_policy:all_shards response_policy:special",
        ..ROW
    },
    Row {
        name: "slowlog",
        arity: -2,
        since: "2.2.12",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        summary: "Deals with the log of slow commands",
        ..ROW
    },
    Row {
        name: "slowlog|get",
        arity: -2,
        flags: flags::ADMIN | flags::LOADING | flags::STALE,
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) where N is the number of entries returned",
        summary: "Shows the latest slow commands",
        syntax: "[count]",
        tips: "request_policy:all_nodes nondeterministic_output",
        ..ROW
    },
    Row {
        name: "slowlog|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        since: "6.2.0",
        group: Group::Server,
        summary: "Lists what SLOWLOG can do",
        ..ROW
    },
    Row {
        name: "slowlog|len",
        arity: 2,
        flags: flags::ADMIN | flags::LOADING | flags::STALE,
        since: "2.2.12",
        group: Group::Server,
        summary: "Counts the entries of the slow log",
        tips: "request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
        ..ROW
    },
    Row {
        name: "slowlog|reset",
        arity: 2,
        flags: flags::ADMIN | flags::LOADING | flags::STALE,
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) where N is the number of entries in the slowlog",
        summary: "Empties the slow log",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        ..ROW
    },
];
