//! Reading a sample from the node.

use super::sample::{CommandSample, Sample, StoreSample};
use crate::admin::info::process;
use crate::memory;
use crate::node::Node;
use crate::store::Store;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::record::DBS;

impl Sample {
    /// Copies all counters of the process. They are read one after the other while the cores go
    /// on, so that sums of several may be off by what happened meanwhile.
    pub fn read(node: &Node) -> Sample {
        let counters = &node.counters;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let used = memory::used();
        let commands = node.registry.all().filter_map(|command| {
            let total = node.measures.total(command.number);
            let seen = total.calls > 0 || total.rejected > 0;
            seen.then_some(CommandSample { name: command.row.name, total })
        });
        Sample {
            start_seconds: node.started_ms as f64 / 1e3,
            threads: node.inboxes.len() as u64,
            clients: node.clients.len() as u64,
            clients_max: node.config.maxclients() as u64,
            accepted: count(&counters.connections),
            refused: count(&counters.refused_connections),
            auth_failures: count(&counters.auth_failures),
            protocol_errors: count(&counters.protocol_errors),
            killed_for_output: count(&counters.killed_for_output),
            panics: count(&counters.panics),
            net_in: count(&counters.net_in),
            net_out: count(&counters.net_out),
            memory_used: used,
            memory_max: node.space.settings().maxmemory,
            memory_peak: counters.memory_peak.fetch_max(used, Ordering::Relaxed).max(used),
            memory_resident: process::resident_bytes(),
            hits: count(&counters.hits),
            misses: count(&counters.misses),
            expired: count(&counters.expired),
            evicted: count(&counters.evicted),
            unloaded: count(&counters.unloaded),
            loaded: count(&counters.loaded),
            errors: count(&counters.errors),
            published: count(&counters.published),
            last_save_seconds: node.last_save.load(Ordering::Relaxed) as f64 / 1e3,
            keys: (0..DBS).map(|db| node.space.len(db)).collect(),
            commands: commands.collect(),
            store: node.store.as_ref().map(StoreSample::read).unwrap_or_default(),
        }
    }
}

impl StoreSample {
    fn read(store: &Store) -> StoreSample {
        let (journal, base) = (store.journal.stats(), store.base.stats());
        let index = store.base.index();
        StoreSample {
            journal_bytes: journal.bytes_written,
            journal_entries: journal.entries,
            journal_segments: journal.segments,
            fsyncs: journal.fsyncs,
            fsync_seconds_max: journal.fsync_seconds_max,
            fsync_seconds: journal.fsync_seconds_total,
            base_index: index,
            lag_entries: store.journal.end().saturating_sub(index),
            lag_bytes: store.lag_bytes(),
            sst_bytes: base.sst_bytes,
            sst_files: base.sst_files,
            block_cache_bytes: base.block_cache_bytes,
            pending_compaction_bytes: base.pending_compaction_bytes,
            feeds: store.feeds.load(Ordering::Relaxed),
            fed_bytes: store.fed_bytes.load(Ordering::Relaxed),
            feed_seconds: store.feed_micros.load(Ordering::Relaxed) as f64 / 1e6,
            is_lagging: store.is_lagging(),
            reserve_low: store.journal.reserve_low(),
        }
    }
}
