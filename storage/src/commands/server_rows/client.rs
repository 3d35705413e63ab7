//! Rows of CLIENT.
//!
//! SETINFO and NO-TOUCH are of Redis 7.2: client libraries send the former unasked.

use crate::commands::row::{Group, ROW, Row, acl, flags};

pub const ROWS: &[Row] = &[
    Row {
        name: "client",
        arity: -2,
        since: "2.4.0",
        group: Group::Connection,
        complexity: "Depends on subcommand.",
        summary: "Deals with client connections",
        ..ROW
    },
    Row {
        name: "client|getname",
        arity: 2,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.6.9",
        group: Group::Connection,
        summary: "Tells the name this connection gave itself",
        ..ROW
    },
    Row {
        name: "client|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "5.0.0",
        group: Group::Connection,
        summary: "Lists what CLIENT can do",
        ..ROW
    },
    Row {
        name: "client|id",
        arity: 2,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "5.0.0",
        group: Group::Connection,
        summary: "Tells the number of this connection",
        ..ROW
    },
    Row {
        name: "client|info",
        arity: 2,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "6.2.0",
        group: Group::Connection,
        summary: "Describes this connection",
        tips: "nondeterministic_output",
        ..ROW
    },
    Row {
        name: "client|kill",
        arity: -3,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of client connections",
        summary: "Closes connections that match a filter",
        syntax: "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no]> [<[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no]> ...]>",
        ..ROW
    },
    Row {
        name: "client|list",
        arity: -2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of client connections",
        summary: "Describes the open connections",
        syntax: "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
        tips: "nondeterministic_output",
        ..ROW
    },
    Row {
        name: "client|no-evict",
        arity: 3,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "7.0.0",
        group: Group::Connection,
        summary: "Exempts this connection from client eviction",
        syntax: "<ON | OFF>",
        ..ROW
    },
    Row {
        name: "client|no-touch",
        arity: 3,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "7.2.0",
        group: Group::Connection,
        summary: "Keeps the commands of this connection from counting as accesses to keys",
        syntax: "<ON | OFF>",
        ..ROW
    },
    Row {
        name: "client|pause",
        arity: -3,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.9.50",
        group: Group::Connection,
        summary: "Holds commands of all clients back for a while",
        syntax: "timeout [WRITE | ALL]",
        ..ROW
    },
    Row {
        name: "client|reply",
        arity: 3,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "3.2.0",
        group: Group::Connection,
        summary: "Switches the replies to this connection on or off",
        syntax: "<ON | OFF | SKIP>",
        ..ROW
    },
    Row {
        name: "client|setinfo",
        arity: 4,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "7.2.0",
        group: Group::Connection,
        summary: "Notes the name or version of the client library",
        syntax: "<LIB-NAME libname | LIB-VER libver>",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        ..ROW
    },
    Row {
        name: "client|setname",
        arity: 3,
        flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.6.9",
        group: Group::Connection,
        summary: "Names this connection",
        syntax: "connection-name",
        ..ROW
    },
    Row {
        name: "client|unpause",
        arity: 2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(N) Where N is the number of paused clients",
        summary: "Ends a pause of the clients",
        ..ROW
    },
];
