//! Every metric, once: registration, scraping and `docs/metrics.md` come from these rows.

use super::sample::{CommandSample, Sample};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A whole number that only grows.
    Counter,
    /// A time that only grows.
    SecondsCounter,
    Gauge,
}

/// A metric without labels.
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    /// Only with a journal and a base on disk.
    pub of_store: bool,
    pub help: &'static str,
    pub value: fn(&Sample) -> f64,
}

/// A counter with the label `command`.
pub struct CommandRow {
    pub name: &'static str,
    pub help: &'static str,
    pub value: fn(&CommandSample) -> u64,
}

const fn counter(name: &'static str, help: &'static str, value: fn(&Sample) -> f64) -> Row {
    Row { name, kind: Kind::Counter, of_store: false, help, value }
}

const fn gauge(name: &'static str, help: &'static str, value: fn(&Sample) -> f64) -> Row {
    Row { name, kind: Kind::Gauge, of_store: false, help, value }
}

const fn store(
    kind: Kind,
    name: &'static str,
    help: &'static str,
    value: fn(&Sample) -> f64,
) -> Row {
    Row { name, kind, of_store: true, help, value }
}

/// With the label `version`; always 1.
pub const BUILD_INFO: (&str, &str) = ("bowshock_build_info", "The version that runs");
/// With the label `db`.
pub const KEYS: (&str, &str) = ("bowshock_keys", "Keys in a database, in memory or on disk");
/// With the label `command`.
pub const HISTOGRAM: (&str, &str) =
    ("bowshock_command_duration_seconds", "How long commands ran, without waiting and sending");

use Kind::{Counter, Gauge, SecondsCounter};

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    gauge("bowshock_start_time_seconds", "When the process started, since the epoch", |s| s.start_seconds),
    gauge("bowshock_threads", "Cores that serve clients", |s| s.threads as f64),
    gauge("bowshock_connected_clients", "Connections now", |s| s.clients as f64),
    gauge("bowshock_connected_clients_max", "Connections allowed at the same time (maxclients)", |s| s.clients_max as f64),
    counter("bowshock_connections_accepted_total", "Connections taken", |s| s.accepted as f64),
    counter("bowshock_connections_refused_total", "Connections refused: too many, or protected mode", |s| s.refused as f64),
    counter("bowshock_auth_failures_total", "Wrong passwords", |s| s.auth_failures as f64),
    counter("bowshock_protocol_errors_total", "Connections closed because what they sent was no request", |s| s.protocol_errors as f64),
    counter("bowshock_clients_killed_for_output_total", "Connections closed because they did not read their messages", |s| s.killed_for_output as f64),
    counter("bowshock_panics_total", "Commands that failed inside Bowshock; each cost its connection, see the log", |s| s.panics as f64),
    counter("bowshock_network_received_bytes_total", "Received from clients", |s| s.net_in as f64),
    counter("bowshock_network_sent_bytes_total", "Sent to clients", |s| s.net_out as f64),
    gauge("bowshock_memory_used_bytes", "Memory allocated", |s| s.memory_used as f64),
    gauge("bowshock_memory_max_bytes", "Limit of memory (maxmemory), 0 without one", |s| s.memory_max as f64),
    gauge("bowshock_memory_peak_bytes", "Most memory allocated so far", |s| s.memory_peak as f64),
    gauge("bowshock_memory_resident_bytes", "Memory of the process as the system counts it", |s| s.memory_resident as f64),
    counter("bowshock_keyspace_hits_total", "Looks for a key that was there", |s| s.hits as f64),
    counter("bowshock_keyspace_misses_total", "Looks for a key that was not there", |s| s.misses as f64),
    counter("bowshock_expired_keys_total", "Keys deleted because their time had come", |s| s.expired as f64),
    counter("bowshock_evicted_keys_total", "Keys deleted because memory was full", |s| s.evicted as f64),
    counter("bowshock_unloaded_objects_total", "Objects that left memory and stayed in the database", |s| s.unloaded as f64),
    counter("bowshock_loaded_objects_total", "Objects read back from the base", |s| s.loaded as f64),
    counter("bowshock_error_replies_total", "Error replies sent", |s| s.errors as f64),
    counter("bowshock_messages_published_total", "Messages of PUBLISH and SPUBLISH", |s| s.published as f64),
    gauge("bowshock_last_save_time_seconds", "When the last save succeeded, since the epoch", |s| s.last_save_seconds),
    store(Counter, "bowshock_journal_written_bytes_total", "Written to the journal", |s| s.store.journal_bytes as f64),
    store(Counter, "bowshock_journal_entries_total", "Entries appended to the journal", |s| s.store.journal_entries as f64),
    store(Gauge, "bowshock_journal_segments", "Files of the journal", |s| s.store.journal_segments as f64),
    store(Counter, "bowshock_journal_fsyncs_total", "Times the journal was synced to disk", |s| s.store.fsyncs as f64),
    store(SecondsCounter, "bowshock_journal_fsync_seconds_total", "Time spent syncing the journal", |s| s.store.fsync_seconds),
    store(Gauge, "bowshock_journal_fsync_max_seconds", "The longest sync of the journal", |s| s.store.fsync_seconds_max),
    store(Gauge, "bowshock_disk_reserve_low", "1 while writes are refused because the disk is nearly full", |s| f64::from(u8::from(s.store.reserve_low))),
    store(Gauge, "bowshock_base_index", "The journal entry whose state the base has", |s| s.store.base_index as f64),
    store(Gauge, "bowshock_base_lag_entries", "Journal entries the base does not have yet", |s| s.store.lag_entries as f64),
    store(Gauge, "bowshock_base_lag_bytes", "Journal bytes the base does not have yet", |s| s.store.lag_bytes as f64),
    store(Gauge, "bowshock_base_sst_bytes", "Bytes of the base's tables on disk", |s| s.store.sst_bytes as f64),
    store(Gauge, "bowshock_base_sst_files", "Tables of the base on disk", |s| s.store.sst_files as f64),
    store(Gauge, "bowshock_base_block_cache_bytes", "Blocks of the base in memory", |s| s.store.block_cache_bytes as f64),
    store(Gauge, "bowshock_base_pending_compaction_bytes", "Bytes of the base to be rewritten, estimated", |s| s.store.pending_compaction_bytes as f64),
    store(Counter, "bowshock_base_feeds_total", "Feeds the base has taken in", |s| s.store.feeds as f64),
    store(Counter, "bowshock_base_fed_bytes_total", "Bytes of journal handed to the base", |s| s.store.fed_bytes as f64),
    store(SecondsCounter, "bowshock_base_feed_seconds_total", "Time spent feeding the base", |s| s.store.feed_seconds),
    store(Gauge, "bowshock_base_slows_writers", "1 while writers are slowed because the base is behind", |s| f64::from(u8::from(s.store.is_lagging))),
];

#[rustfmt::skip]
pub const COMMAND_ROWS: &[CommandRow] = &[
    CommandRow { name: "bowshock_commands_total", help: "Commands executed", value: |c| c.total.calls },
    CommandRow { name: "bowshock_commands_failed_total", help: "Commands answered with an error", value: |c| c.total.failed },
    CommandRow { name: "bowshock_commands_rejected_total", help: "Commands refused before they ran", value: |c| c.total.rejected },
];
