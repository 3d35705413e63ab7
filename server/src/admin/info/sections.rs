//! The sections about the node as a whole.

use super::{bytes, field, process};
use crate::session::Call;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::keyspace::lru;

/// The version whose replies these are; clients decide by it what they may use.
const REDIS_VERSION: &str = "7.0.15";
/// How often a core looks at its clock when nothing happens, per second.
const HZ: u32 = 10;

fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

pub fn server(call: &mut Call<'_>, out: &mut String) {
    let node = call.node;
    let up_s = node.started.elapsed().as_secs();
    let exe = std::env::current_exe().unwrap_or_default();
    field(out, "redis_version", REDIS_VERSION);
    field(out, "redis_git_sha1", "00000000");
    field(out, "redis_git_dirty", 0);
    field(out, "redis_build_id", 0);
    field(out, "bowshock_version", env!("CARGO_PKG_VERSION"));
    field(out, "redis_mode", "standalone");
    field(out, "os", process::os());
    field(out, "arch_bits", usize::BITS);
    field(out, "multiplexing_api", "epoll");
    field(out, "process_id", std::process::id());
    field(out, "process_supervised", "no");
    field(out, "run_id", &node.run_id);
    field(out, "tcp_port", node.config.start().port);
    field(out, "server_time_usec", crate::node::wall_us());
    field(out, "uptime_in_seconds", up_s);
    field(out, "uptime_in_days", up_s / 86_400);
    field(out, "hz", HZ);
    field(out, "configured_hz", HZ);
    field(out, "lru_clock", lru(call.core.turn.now));
    field(out, "executable", exe.display());
    field(
        out,
        "config_file",
        node.config.file().map_or_else(String::new, |file| file.display().to_string()),
    );
    field(out, "io_threads_active", u8::from(node.inboxes.len() > 1));
}

pub fn clients(call: &mut Call<'_>, out: &mut String) {
    let all = call.node.clients.list();
    let most = |bytes: fn(&crate::session::Client) -> usize| {
        all.iter().map(|client| bytes(client)).max().unwrap_or(0)
    };
    let blocked = all.iter().filter(|client| client.blocked.load(Ordering::Relaxed)).count();
    field(out, "connected_clients", call.node.clients.len());
    field(out, "cluster_connections", 0);
    field(out, "maxclients", call.node.config.maxclients());
    let input = most(|client| client.query_bytes.load(Ordering::Relaxed));
    let output = most(|client| client.reply_bytes.load(Ordering::Relaxed));
    field(out, "client_recent_max_input_buffer", input);
    field(out, "client_recent_max_output_buffer", output);
    field(out, "blocked_clients", blocked);
    field(out, "tracking_clients", 0);
    field(out, "clients_in_timeout_table", 0);
}

pub fn memory(call: &mut Call<'_>, out: &mut String) {
    let used = crate::memory::used();
    let peak = call.node.counters.memory_peak.fetch_max(used, Ordering::Relaxed).max(used);
    let resident = process::resident_bytes();
    let settings = call.node.space.settings();
    let ratio = if used == 0 { 0.0 } else { resident as f64 / used as f64 };
    bytes(out, "used_memory", used);
    bytes(out, "used_memory_rss", resident);
    bytes(out, "used_memory_peak", peak);
    let share = if peak == 0 { 0.0 } else { used as f64 * 100.0 / peak as f64 };
    field(out, "used_memory_peak_perc", format_args!("{share:.2}%"));
    bytes(out, "total_system_memory", crate::machine::memory_bytes());
    field(out, "used_memory_lua", 0);
    field(out, "used_memory_lua_human", "0B");
    field(out, "used_memory_scripts", 0);
    field(out, "used_memory_scripts_human", "0B");
    field(out, "number_of_cached_scripts", 0);
    field(out, "number_of_functions", 0);
    field(out, "number_of_libraries", 0);
    bytes(out, "maxmemory", settings.maxmemory);
    field(out, "maxmemory_policy", settings.policy.name());
    field(out, "mem_fragmentation_ratio", format_args!("{ratio:.2}"));
    field(out, "mem_fragmentation_bytes", resident as i64 - used as i64);
    field(out, "mem_not_counted_for_evict", 0);
    field(out, "mem_replication_backlog", 0);
    field(out, "mem_clients_slaves", 0);
    field(out, "mem_allocator", "jemalloc");
    field(out, "active_defrag_running", 0);
    field(out, "lazyfree_pending_objects", 0);
}

/// The journal is what Redis calls the append only file; saving brings the base up to it.
pub fn persistence(call: &mut Call<'_>, out: &mut String) {
    let node = call.node;
    let ok = |ok: bool| if ok { "ok" } else { "err" };
    field(out, "loading", 0);
    field(out, "async_loading", 0);
    field(out, "rdb_changes_since_last_save", get(&node.counters.dirty));
    field(out, "rdb_bgsave_in_progress", u8::from(node.saving.load(Ordering::Relaxed)));
    field(out, "rdb_last_save_time", node.last_save.load(Ordering::Relaxed) / 1000);
    field(out, "rdb_last_bgsave_status", ok(node.last_save_ok.load(Ordering::Relaxed)));
    field(out, "aof_enabled", u8::from(node.store.is_some()));
    field(out, "aof_rewrite_in_progress", 0);
    field(out, "aof_rewrite_scheduled", 0);
    field(out, "aof_last_rewrite_time_sec", -1);
    field(out, "aof_current_rewrite_time_sec", -1);
    field(out, "aof_last_bgrewrite_status", "ok");
    // A journal that cannot be written ends the process.
    field(out, "aof_last_write_status", "ok");
    if let Some(store) = &node.store {
        field(out, "journal_end", store.journal.end());
        field(out, "journal_released", store.journal.released());
    }
    field(out, "module_fork_in_progress", 0);
}

pub fn stats(call: &mut Call<'_>, out: &mut String) {
    let (node, counters) = (call.node, &call.node.counters);
    let rates = node.samples.rates();
    let kilobytes = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    let (channels, shard_channels) = node.pubsub.sizes();
    field(out, "total_connections_received", get(&counters.connections));
    field(out, "total_commands_processed", node.measures.calls());
    field(out, "instantaneous_ops_per_sec", rates.commands);
    field(out, "total_net_input_bytes", get(&counters.net_in));
    field(out, "total_net_output_bytes", get(&counters.net_out));
    field(out, "total_net_repl_input_bytes", 0);
    field(out, "total_net_repl_output_bytes", 0);
    field(out, "instantaneous_input_kbps", kilobytes(rates.net_in));
    field(out, "instantaneous_output_kbps", kilobytes(rates.net_out));
    field(out, "rejected_connections", get(&counters.refused_connections));
    field(out, "sync_full", 0);
    field(out, "sync_partial_ok", 0);
    field(out, "sync_partial_err", 0);
    field(out, "expired_keys", get(&counters.expired));
    field(out, "evicted_keys", get(&counters.evicted));
    field(out, "evicted_clients", 0);
    field(out, "unloaded_keys", get(&counters.unloaded));
    field(out, "loaded_keys", get(&counters.loaded));
    field(out, "keyspace_hits", get(&counters.hits) + call.core.turn.hits);
    field(out, "keyspace_misses", get(&counters.misses) + call.core.turn.misses);
    field(out, "pubsub_channels", channels);
    field(out, "pubsub_patterns", node.pubsub.patterns());
    field(out, "pubsubshard_channels", shard_channels);
    field(out, "latest_fork_usec", 0);
    field(out, "total_forks", 0);
    field(out, "migrate_cached_sockets", 0);
    field(out, "slave_expires_tracked_keys", 0);
    field(out, "tracking_total_keys", 0);
    field(out, "tracking_total_items", 0);
    field(out, "tracking_total_prefixes", 0);
    field(out, "client_output_buffer_limit_disconnections", get(&counters.killed_for_output));
    field(out, "acl_access_denied_auth", get(&counters.auth_failures));
    field(out, "protocol_errors", get(&counters.protocol_errors));
    field(out, "total_error_replies", get(&counters.errors));
}

pub fn replication(call: &mut Call<'_>, out: &mut String) {
    field(out, "role", "master");
    field(out, "connected_slaves", 0);
    field(out, "master_failover_state", "no-failover");
    field(out, "master_replid", &call.node.run_id);
    field(out, "master_replid2", "0".repeat(40));
    field(out, "master_repl_offset", 0);
    field(out, "second_repl_offset", -1);
    field(out, "repl_backlog_active", 0);
    field(out, "repl_backlog_size", 0);
    field(out, "repl_backlog_first_byte_offset", 0);
    field(out, "repl_backlog_histlen", 0);
}

pub fn cpu(_: &mut Call<'_>, out: &mut String) {
    let cpu = process::cpu();
    field(out, "used_cpu_sys", format_args!("{:.6}", cpu.system));
    field(out, "used_cpu_user", format_args!("{:.6}", cpu.user));
    field(out, "used_cpu_sys_children", format_args!("{:.6}", cpu.system_children));
    field(out, "used_cpu_user_children", format_args!("{:.6}", cpu.user_children));
}
