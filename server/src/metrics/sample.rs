//! What one scrape has read.

use crate::load_manager::measure::Total;

/// All numbers of one scrape. Sizes in bytes, times in seconds.
#[derive(Default, Clone, Debug)]
pub struct Sample {
    /// Since the epoch.
    pub start_seconds: f64,
    pub threads: u64,
    pub clients: u64,
    pub clients_max: u64,
    pub accepted: u64,
    pub refused: u64,
    pub auth_failures: u64,
    pub protocol_errors: u64,
    pub killed_for_output: u64,
    pub panics: u64,
    pub net_in: u64,
    pub net_out: u64,
    pub memory_used: u64,
    pub memory_max: u64,
    pub memory_peak: u64,
    pub memory_resident: u64,
    pub hits: u64,
    pub misses: u64,
    pub expired: u64,
    pub evicted: u64,
    pub unloaded: u64,
    pub loaded: u64,
    pub errors: u64,
    pub published: u64,
    pub last_save_seconds: f64,
    /// Keys of each database.
    pub keys: Vec<u64>,
    /// Of the commands that were called at least once.
    pub commands: Vec<CommandSample>,
    /// None of it with `--base memory`.
    pub store: StoreSample,
}

#[derive(Clone, Debug)]
pub struct CommandSample {
    pub name: &'static str,
    pub total: Total,
}

/// Journal and base.
#[derive(Default, Clone, Debug)]
pub struct StoreSample {
    pub journal_bytes: u64,
    pub journal_entries: u64,
    pub journal_segments: u64,
    pub fsyncs: u64,
    pub fsync_seconds_max: f64,
    pub fsync_seconds: f64,
    pub base_index: u64,
    pub lag_entries: u64,
    pub lag_bytes: u64,
    pub sst_bytes: u64,
    pub sst_files: u64,
    pub block_cache_bytes: u64,
    pub pending_compaction_bytes: u64,
    pub feeds: u64,
    pub fed_bytes: u64,
    pub feed_seconds: f64,
    /// Writers are slowed until the base has caught up.
    pub is_lagging: bool,
    pub reserve_low: bool,
}
