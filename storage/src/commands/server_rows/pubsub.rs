//! Rows of publishing and subscribing.

use crate::commands::row::{Group, ROW, Row, flags, one, range};

pub const ROWS: &[Row] = &[
    Row {
        name: "psubscribe",
        arity: -2,
        flags: flags::PUBSUB | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of patterns the client is already subscribed to.",
        summary: "Listens to all channels that match patterns",
        syntax: "pattern [pattern ...]",
        ..ROW
    },
    Row {
        name: "publish",
        arity: 3,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE | flags::FAST,
        since: "2.0.0",
        group: Group::Pubsub,
        complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
        summary: "Sends a message to a channel",
        syntax: "channel message",
        ..ROW
    },
    Row {
        name: "pubsub",
        arity: -2,
        since: "2.8.0",
        group: Group::Pubsub,
        complexity: "Depends on subcommand.",
        summary: "Looks into who listens to what",
        ..ROW
    },
    Row {
        name: "pubsub|channels",
        arity: -2,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE,
        since: "2.8.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
        summary: "Lists the channels somebody listens to",
        syntax: "[pattern]",
        ..ROW
    },
    Row {
        name: "pubsub|help",
        arity: 2,
        flags: flags::LOADING | flags::STALE,
        since: "6.2.0",
        group: Group::Pubsub,
        summary: "Lists what PUBSUB can do",
        ..ROW
    },
    Row {
        name: "pubsub|numpat",
        arity: 2,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE,
        since: "2.8.0",
        group: Group::Pubsub,
        summary: "Counts the patterns somebody listens to",
        ..ROW
    },
    Row {
        name: "pubsub|numsub",
        arity: -2,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE,
        since: "2.8.0",
        group: Group::Pubsub,
        complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
        summary: "Counts the subscribers of channels",
        syntax: "[channel [channel ...]]",
        ..ROW
    },
    Row {
        name: "pubsub|shardchannels",
        arity: -2,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE,
        since: "7.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
        summary: "Lists the shard channels somebody listens to",
        syntax: "[pattern]",
        ..ROW
    },
    Row {
        name: "pubsub|shardnumsub",
        arity: -2,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE,
        since: "7.0.0",
        group: Group::Pubsub,
        complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
        summary: "Counts the subscribers of shard channels",
        syntax: "[shardchannel [shardchannel ...]]",
        ..ROW
    },
    Row {
        name: "punsubscribe",
        arity: -1,
        flags: flags::PUBSUB | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Pubsub,
        complexity: "O(N+M) where N is the number of patterns the client is already subscribed and M is the number of total patterns subscribed in the system (by any client).",
        summary: "Stops listening to patterns of channels",
        syntax: "[pattern [pattern ...]]",
        ..ROW
    },
    Row {
        name: "spublish",
        arity: 3,
        flags: flags::PUBSUB | flags::LOADING | flags::STALE | flags::FAST,
        keys: &[one(1, "not_key")],
        since: "7.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
        summary: "Sends a message to a shard channel",
        syntax: "shardchannel message",
        ..ROW
    },
    Row {
        name: "ssubscribe",
        arity: -2,
        flags: flags::PUBSUB | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        keys: &[range(1, -1, 1, "not_key")],
        since: "7.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of shard channels to subscribe to.",
        summary: "Listens to shard channels",
        syntax: "shardchannel [shardchannel ...]",
        ..ROW
    },
    Row {
        name: "subscribe",
        arity: -2,
        flags: flags::PUBSUB | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of channels to subscribe to.",
        summary: "Listens to channels",
        syntax: "channel [channel ...]",
        ..ROW
    },
    Row {
        name: "sunsubscribe",
        arity: -1,
        flags: flags::PUBSUB | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        keys: &[range(1, -1, 1, "not_key")],
        since: "7.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of clients already subscribed to a shard channel.",
        summary: "Stops listening to shard channels",
        syntax: "[shardchannel [shardchannel ...]]",
        ..ROW
    },
    Row {
        name: "unsubscribe",
        arity: -1,
        flags: flags::PUBSUB | flags::NOSCRIPT | flags::LOADING | flags::STALE,
        since: "2.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of clients already subscribed to a channel.",
        summary: "Stops listening to channels",
        syntax: "[channel [channel ...]]",
        ..ROW
    },
];
