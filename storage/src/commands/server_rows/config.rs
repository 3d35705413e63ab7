//! Rows of CONFIG and COMMAND: what the server is set to, and what it can do.

use crate::commands::row::{Group, ROW, Row, acl, flags};

pub const ROWS: &[Row] = &[
    Row {
        name: "command",
        arity: -1,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the total number of Redis commands",
        summary: "Describes all commands",
        tips: "nondeterministic_output_order",
        ..ROW
    },
    Row {
        name: "command|count",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.8.13",
        group: Group::Server,
        summary: "Counts the commands",
        ..ROW
    },
    Row {
        name: "command|docs",
        arity: -2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands to look up",
        summary: "Documents commands",
        syntax: "[command-name [command-name ...]]",
        tips: "nondeterministic_output_order",
        ..ROW
    },
    Row {
        name: "command|getkeys",
        arity: -4,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the number of arguments to the command",
        summary: "Finds the keys in a command line",
        ..ROW
    },
    Row {
        name: "command|getkeysandflags",
        arity: -4,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of arguments to the command",
        summary: "Finds the keys in a command line, and what happens to each",
        ..ROW
    },
    Row {
        name: "command|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "5.0.0",
        group: Group::Server,
        summary: "Lists what COMMAND can do",
        ..ROW
    },
    Row {
        name: "command|info",
        arity: -2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands to look up",
        summary: "Describes some commands, or all",
        syntax: "[command-name [command-name ...]]",
        tips: "nondeterministic_output_order",
        ..ROW
    },
    Row {
        name: "command|list",
        arity: -2,
        flags: flags::LOADING | flags::STALE,
        acl: acl::CONNECTION,
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the total number of Redis commands",
        summary: "Lists the names of commands",
        syntax: "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
        tips: "nondeterministic_output_order",
        ..ROW
    },
    Row {
        name: "config",
        arity: -2,
        since: "2.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        summary: "Deals with the configuration",
        ..ROW
    },
    Row {
        name: "config|get",
        arity: -3,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) when N is the number of configuration parameters provided",
        summary: "Shows settings whose names match patterns",
        syntax: "parameter [parameter ...]",
        ..ROW
    },
    Row {
        name: "config|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        since: "5.0.0",
        group: Group::Server,
        summary: "Lists what CONFIG can do",
        ..ROW
    },
    Row {
        name: "config|resetstat",
        arity: 2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Server,
        summary: "Sets the counters of INFO back to zero",
        ..ROW
    },
    Row {
        name: "config|rewrite",
        arity: 2,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.8.0",
        group: Group::Server,
        summary: "Writes the settings in force to the configuration file",
        ..ROW
    },
    Row {
        name: "config|set",
        arity: -4,
        flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) when N is the number of configuration parameters provided",
        summary: "Changes settings while the server runs",
        syntax: "parameter value [parameter value ...]",
        tips: "request_policy:all_nodes response_policy:all_succeeded",
        ..ROW
    },
];
