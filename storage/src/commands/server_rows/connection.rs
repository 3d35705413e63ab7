//! Rows of the commands about the connection itself.

use crate::commands::row::{Group, ROW, Row, acl, flags};

pub const ROWS: &[Row] = &[
    Row {
        name: "auth",
        arity: -2,
        flags: flags::NOSCRIPT
            | flags::LOADING
            | flags::STALE
            | flags::FAST
            | flags::NO_AUTH
            | flags::ALLOW_BUSY,
        acl: acl::CONNECTION,
        group: Group::Connection,
        complexity: "O(N) where N is the number of passwords defined for the user",
        summary: "Logs the connection in",
        syntax: "[username] password",
        ..ROW
    },
    Row {
        name: "echo",
        arity: 2,
        flags: flags::LOADING | flags::STALE | flags::FAST,
        acl: acl::CONNECTION,
        group: Group::Connection,
        summary: "Sends the message back",
        syntax: "message",
        ..ROW
    },
    Row {
        name: "hello",
        arity: -1,
        flags: flags::NOSCRIPT
            | flags::LOADING
            | flags::STALE
            | flags::FAST
            | flags::NO_AUTH
            | flags::ALLOW_BUSY,
        acl: acl::CONNECTION,
        since: "6.0.0",
        group: Group::Connection,
        summary: "Greets the server: chooses the protocol, logs in, names the connection",
        syntax: "[protover [AUTH username password] [SETNAME clientname]]",
        ..ROW
    },
    Row {
        name: "ping",
        arity: -1,
        flags: flags::FAST,
        acl: acl::CONNECTION,
        group: Group::Connection,
        summary: "Asks whether the server answers",
        syntax: "[message]",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        ..ROW
    },
    Row {
        name: "readonly",
        arity: 1,
        flags: flags::LOADING | flags::STALE | flags::FAST,
        acl: acl::CONNECTION,
        since: "3.0.0",
        group: Group::Cluster,
        complexity: "O(1)",
        summary: "Lets a connection to a replica of a cluster read there",
        ..ROW
    },
    Row {
        name: "readwrite",
        arity: 1,
        flags: flags::LOADING | flags::STALE | flags::FAST,
        acl: acl::CONNECTION,
        since: "3.0.0",
        group: Group::Cluster,
        complexity: "O(1)",
        summary: "Ends what READONLY began",
        ..ROW
    },
    Row {
        name: "quit",
        arity: -1,
        flags: flags::NOSCRIPT
            | flags::LOADING
            | flags::STALE
            | flags::FAST
            | flags::NO_AUTH
            | flags::ALLOW_BUSY,
        acl: acl::CONNECTION,
        group: Group::Connection,
        summary: "Ends the connection",
        ..ROW
    },
    Row {
        name: "reset",
        arity: 1,
        flags: flags::NOSCRIPT
            | flags::LOADING
            | flags::STALE
            | flags::FAST
            | flags::NO_AUTH
            | flags::ALLOW_BUSY,
        acl: acl::CONNECTION,
        since: "6.2.0",
        group: Group::Connection,
        summary: "Puts the connection back to how it began",
        ..ROW
    },
    Row {
        name: "select",
        arity: 2,
        flags: flags::LOADING | flags::STALE | flags::FAST,
        acl: acl::CONNECTION,
        group: Group::Connection,
        summary: "Chooses the database of this connection",
        syntax: "index",
        ..ROW
    },
];
