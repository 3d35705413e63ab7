//! How RocksDB is set up for a store that is written by ingestion only.
//!
//! No memtable is filled and no write-ahead log is written, so both are as small as can be.
//! Filters and indexes live in the block cache, pinned, so that one number bounds all memory and
//! a filter's no never needs the disk (C15). Why leveled compaction, and these sizes: ADR 0007.

use rocksdb::{
    BlockBasedOptions, BlockBasedTablePinningTier, Cache, DBCompressionType, LogLevel, Options,
};
use std::path::PathBuf;

/// Bits of Bloom filter per record: about one false yes in a hundred.
const FILTER_BITS: f64 = 10.0;
const BLOCK_BYTES: usize = 8 << 10;
const TABLE_BYTES: u64 = 64 << 20;
/// Feeds that wait in level 0 before they are merged into the next level. Each costs a read one
/// more filter; each merge rewrites that whole level.
const LEVEL0_TABLES: i32 = 8;
const LEVEL1_BYTES: u64 = 512 << 20;
/// Level 0 tables at which a feed waits for compaction.
pub(super) const LEVEL0_TABLES_MAX: u64 = 32;

/// Where a base lies and what it may use.
#[derive(Clone, Debug)]
pub struct RocksOptions {
    /// The directory; made when it does not exist.
    pub path: PathBuf,
    /// Bytes for blocks, filters and indexes together. Filters and indexes stay even beyond it:
    /// about 1.5 bytes per record.
    pub block_cache_bytes: usize,
    /// Threads that compact.
    pub background_jobs: u16,
    /// A feed is cut into files of about this size.
    pub feed_file_bytes: u64,
}

impl RocksOptions {
    pub fn new(path: impl Into<PathBuf>) -> RocksOptions {
        RocksOptions {
            path: path.into(),
            block_cache_bytes: 64 << 20,
            background_jobs: 2,
            feed_file_bytes: TABLE_BYTES,
        }
    }
}

/// Options of the store, and of the files that are written to be ingested.
pub(super) fn store_options(options: &RocksOptions, cache: &Cache) -> Options {
    let mut store = table_options(cache);
    store.set_compression_type(DBCompressionType::Lz4);
    store.set_paranoid_checks(true);
    store.set_max_open_files(-1);
    store.set_max_background_jobs(options.background_jobs.max(1).into());
    store.set_level_compaction_dynamic_level_bytes(true);
    store.set_level_zero_file_num_compaction_trigger(LEVEL0_TABLES);
    store.set_max_bytes_for_level_base(LEVEL1_BYTES);
    store.set_target_file_size_base(TABLE_BYTES);
    store.set_bytes_per_sync(1 << 20);
    store.set_compaction_readahead_size(256 << 10);
    // Nothing is ever written through these.
    store.set_write_buffer_size(64 << 10);
    store.set_max_manifest_file_size(16 << 20);
    store.set_skip_stats_update_on_db_open(true);
    store.set_stats_dump_period_sec(0);
    store.set_stats_persist_period_sec(0);
    store.set_log_level(LogLevel::Warn);
    store.set_max_log_file_size(1 << 20);
    store.set_keep_log_file_num(2);
    store
}

/// Fed files are compressed at once: the time it takes is won back in writing and reading them.
pub(super) fn feed_options(cache: &Cache) -> Options {
    let mut feed = table_options(cache);
    feed.set_compression_type(DBCompressionType::Lz4);
    feed
}

fn table_options(cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_block_size(BLOCK_BYTES);
    table.set_format_version(5);
    table.set_bloom_filter(FILTER_BITS, false);
    table.set_optimize_filters_for_memory(true);
    table.set_cache_index_and_filter_blocks(true);
    table.set_cache_index_and_filter_blocks_with_high_priority(true);
    table.set_unpartitioned_pinning_tier(BlockBasedTablePinningTier::All);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options
}
