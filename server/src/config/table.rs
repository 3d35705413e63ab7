//! Every key of the configuration, once.
//!
//! Flags, file, environment, `--help`, CONFIG GET, SET and REWRITE and `docs/configuration.md` all
//! come from these rows. Names are kebab-case and the same everywhere, and Redis's where the
//! meaning is Redis's. A key is looked up by its place, found at compile time by [`place`].

use super::check;
use super::kind::Kind;

/// When a key may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// At the start only.
    Start,
    /// By CONFIG SET too.
    RunTime,
}

/// The headings of `--help` and the documentation, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    Network,
    Access,
    Memory,
    Durability,
    Limits,
    Insight,
    Objects,
    Layout,
}

impl Section {
    pub const ALL: [Section; 8] = [
        Section::Network,
        Section::Access,
        Section::Memory,
        Section::Durability,
        Section::Limits,
        Section::Insight,
        Section::Objects,
        Section::Layout,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Section::Network => "Network",
            Section::Access => "Access",
            Section::Memory => "Memory",
            Section::Durability => "Durability and the base on disk",
            Section::Limits => "Limits per client",
            Section::Insight => "Logs and insight",
            Section::Objects => "Encodings of objects",
            Section::Layout => "Layout, fixed when the directory is made",
        }
    }
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    /// The older name Redis also knows; shares the value.
    pub alias: Option<&'static str>,
    pub kind: Kind,
    /// As it would be written.
    pub default: &'static str,
    pub scope: Scope,
    pub section: Section,
    pub help: &'static str,
}

const fn start(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Row {
    Row { name, alias: None, kind, default, scope: Scope::Start, section, help }
}

const fn run_time(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Row {
    Row { name, alias: None, kind, default, scope: Scope::RunTime, section, help }
}

impl Row {
    const fn alias(self, alias: &'static str) -> Row {
        Row { alias: Some(alias), ..self }
    }
}

const fn int(min: i64, max: i64) -> Kind {
    Kind::Int { min, max }
}

const fn bytes(min: i64) -> Kind {
    Kind::Bytes { min, max: i64::MAX }
}

const INT_MAX: i64 = i32::MAX as i64;
const COUNT: Kind = int(0, i64::MAX);
const MB: i64 = 1 << 20;

/// `maxmemory-policy`, in the order in which Redis lists them.
pub const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];
pub const APPEND_FSYNC: &[&str] = &["everysec", "always", "no"];
pub const BASES: &[&str] = &["rocksdb", "memory"];
pub const DEBUG_COMMAND: &[&str] = &["no", "yes", "local"];
pub const LOG_LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

use Section::{Access, Durability, Insight, Layout, Limits, Memory, Network, Objects};

#[rustfmt::skip]
pub const KEYS: &[Row] = &[
    start(Network, "port", int(0, 65535), "6379", "TCP port for clients"),
    start(Network, "bind", Kind::Text { check: check::bind, allowed: "addresses separated by spaces, * for all, - before an optional one" }, "127.0.0.1 -::1", "Addresses to listen on"),
    start(Network, "tcp-backlog", int(0, INT_MAX), "511", "Connections that may wait to be accepted"),
    start(Network, "threads", int(0, 1024), "0", "Cores that serve clients; 0: one per processor"),
    start(Network, "http", Kind::Text { check: check::http, allowed: "host:port, or off" }, "127.0.0.1:9121", "Where /metrics, /health and /ready are answered"),
    run_time(Network, "timeout", int(0, INT_MAX), "0", "Seconds after which an idle client is disconnected; 0: never"),
    run_time(Network, "maxclients", int(1, u32::MAX as i64), "10000", "Connections at the same time"),

    run_time(Access, "requirepass", Kind::Secret, "", "Password for clients; kept as its SHA-256 and shown so"),
    run_time(Access, "protected-mode", Kind::YesNo, "yes", "Without a password only this host may connect"),
    run_time(Access, "login-delay-max", int(0, 60_000), "2000", "Milliseconds a login waits at most when three from its address have failed; 0: none waits"),
    start(Access, "enable-debug-command", Kind::Choice(DEBUG_COMMAND), "no", "Who may use DEBUG; local: clients on this host"),

    run_time(Memory, "maxmemory", bytes(0), "0", "Memory for objects; 0: a share of what there is, with --base memory no limit"),
    run_time(Memory, "maxmemory-share", int(1, 100), "60", "Percent of the machine's memory, or of its control group's, that maxmemory 0 stands for"),
    run_time(Memory, "maxmemory-policy", Kind::Choice(POLICIES), "noeviction", "Which keys go when memory is full"),
    run_time(Memory, "maxmemory-samples", int(1, INT_MAX), "5", "Keys compared to find one to evict"),
    run_time(Memory, "lfu-log-factor", int(0, INT_MAX), "10", "How slowly the LFU counter grows"),
    run_time(Memory, "lfu-decay-time", int(0, INT_MAX), "1", "Minutes after which the LFU counter is lowered by one"),

    start(Durability, "base", Kind::Choice(BASES), "rocksdb", "Where the data is kept; memory: nothing is written to disk"),
    start(Durability, "dir", Kind::Text { check: check::dir, allowed: "a directory" }, "./data", "Directory of the data, made when missing"),
    run_time(Durability, "appendfsync", Kind::Choice(APPEND_FSYNC), "everysec", "When the journal is synced to disk; always: before each reply"),
    start(Durability, "disk-reserve", Kind::AutoBytes, "auto", "Free disk below which writes are refused; auto: the smaller of 5 % and 1gb"),
    run_time(Durability, "base-lag-max", bytes(MB), "256mb", "Journal the base may be behind before writers are slowed"),
    run_time(Durability, "feed-bytes", bytes(MB), "128mb", "Journal handed to the base at a time"),
    start(Durability, "block-cache", Kind::AutoBytes, "auto", "Cache of the base's blocks in memory"),

    run_time(Limits, "proto-max-bulk-len", bytes(MB), "512mb", "Largest single argument"),
    run_time(Limits, "client-query-buffer-limit", bytes(MB), "1gb", "Largest unexecuted input"),
    run_time(Limits, "pubsub-output-limit", bytes(0), "32mb", "Unsent messages at which a subscriber is disconnected; 0: never"),
    run_time(Limits, "unsent-pause", bytes(1024), "64kb", "Unsent replies at which a client's next request waits"),
    run_time(Limits, "partial-request-timeout", int(1, INT_MAX), "30", "Seconds after which an unfinished request without progress is closed"),

    start(Insight, "log-level", Kind::Choice(LOG_LEVELS), "info", "Least severe messages written to stderr"),
    run_time(Insight, "slowlog-log-slower-than", int(-1, i64::MAX), "10000", "Microseconds from which a command enters SLOWLOG; -1: none, 0: all"),
    run_time(Insight, "slowlog-max-len", COUNT, "128", "Commands SLOWLOG keeps"),
    run_time(Insight, "latency-monitor-threshold", COUNT, "0", "Milliseconds from which LATENCY notes an event; 0: off"),
    run_time(Insight, "notify-keyspace-events", Kind::Text { check: check::events, allowed: "letters of Ag$lshzxeKEtmdn" }, "", "Events on keys that are published; empty: none"),

    run_time(Objects, "hash-max-listpack-entries", COUNT, "512", "Fields up to which a hash is compact").alias("hash-max-ziplist-entries"),
    run_time(Objects, "hash-max-listpack-value", COUNT, "64", "Longest field or value of a compact hash, bytes").alias("hash-max-ziplist-value"),
    run_time(Objects, "set-max-intset-entries", COUNT, "512", "Members up to which a set of integers is compact"),
    run_time(Objects, "zset-max-listpack-entries", COUNT, "128", "Members up to which a sorted set is compact").alias("zset-max-ziplist-entries"),
    run_time(Objects, "zset-max-listpack-value", COUNT, "64", "Longest member of a compact sorted set, bytes").alias("zset-max-ziplist-value"),
    run_time(Objects, "list-max-listpack-size", int(-INT_MAX - 1, INT_MAX), "-2", "Taken for compatibility, without effect: lists choose the size of their chunks").alias("list-max-ziplist-size"),

    start(Layout, "buckets", int(1, 16384), "1000", "Parts the keys are divided into"),
    start(Layout, "bucket-tag", Kind::Text { check: check::tag, allowed: "two different characters, such as {}" }, "{}", "Characters around the part of a key that decides its bucket"),
    start(Layout, "hash-seed", Kind::Text { check: check::seed, allowed: "auto, or a whole number from 0 to 18446744073709551615" }, "auto", "Seed of the hashes of keys; auto: drawn for a new directory"),
];

/// Where a key stands; an unknown name does not compile when used in a constant.
pub const fn place(name: &str) -> usize {
    let mut at = 0;
    while at < KEYS.len() {
        #[allow(clippy::indexing_slicing)]
        if same(KEYS[at].name.as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("no key has this name")
}

#[allow(clippy::indexing_slicing)]
const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while a.len() == b.len() && at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    a.len() == b.len()
}

/// Finds a key by its name or its older name, in any case.
pub fn find(name: &str) -> Option<usize> {
    KEYS.iter().position(|row| {
        row.name.eq_ignore_ascii_case(name)
            || row.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// The key most like a mistyped one.
pub fn similar(name: &str) -> Option<&'static str> {
    let likeness = |row: &Row| strsim::jaro_winkler(row.name, name);
    let best = KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best.name)
}
