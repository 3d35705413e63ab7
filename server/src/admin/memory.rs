//! MEMORY, but for MEMORY USAGE, which looks at one key and stands with the keyed commands.

use super::info::process;
use crate::session::{After, Call, SessionFn, help};
use resp::Reply;
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::record::DBS;

pub const CODE: &[(&str, SessionFn)] = &[
    ("memory|doctor", doctor),
    ("memory|malloc-stats", malloc_stats),
    ("memory|purge", purge),
    ("memory|stats", stats),
    ("memory|help", show_help),
];

/// Below this there is nothing worth a diagnosis, bytes.
const LITTLE: u64 = 5 << 20;

fn doctor(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let used = crate::memory::used();
    let peak = call.node.counters.memory_peak.load(Ordering::Relaxed).max(used);
    let text = diagnosis(used, peak, process::resident_bytes());
    reply.verbatim("txt", text.as_bytes());
    Ok(After::Done)
}

fn diagnosis(used: u64, peak: u64, resident: u64) -> String {
    if used < LITTLE {
        return "Too little memory is in use to tell anything from it.\n".to_owned();
    }
    let mut found = Vec::new();
    if peak > used / 2 * 3 {
        found.push(
            "Peak: far more memory was used before than is now. The allocator may hold on to it; \
             a high fragmentation ratio is no cause for worry then.",
        );
    }
    if resident > used / 5 * 7 {
        found.push(
            "Resident: the process takes up over 1.4 times the memory in use. The difference is \
             the base's cache, fragmentation, or memory not given back yet.",
        );
    }
    if found.is_empty() {
        return "Nothing odd about the use of memory was found.\n".to_owned();
    }
    found.iter().map(|line| format!("* {line}\n")).collect()
}

fn malloc_stats(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.bulk_str("Stats not supported for the current allocator");
    Ok(After::Done)
}

/// The allocator gives memory back by itself; there is nothing to ask it for.
fn purge(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.ok();
    Ok(After::Done)
}

fn stats(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let counters = &call.node.counters;
    let used = crate::memory::used();
    let peak = counters.memory_peak.fetch_max(used, Ordering::Relaxed).max(used);
    let resident = process::resident_bytes();
    let keys: u64 = (0..DBS).map(|db| call.node.space.len(db)).sum();
    let clients: u64 = call
        .node
        .clients
        .list()
        .iter()
        .map(|client| {
            let buffers = [&client.query_bytes, &client.query_free, &client.reply_bytes];
            let bytes: usize = buffers.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum();
            (bytes + size_of::<crate::session::Client>()) as u64
        })
        .sum();
    let dataset = used.saturating_sub(clients);
    let numbers: [(&str, u64); 9] = [
        ("peak.allocated", peak),
        ("total.allocated", used),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", clients),
        ("overhead.total", clients),
        ("keys.count", keys),
        ("keys.bytes-per-key", dataset.checked_div(keys).unwrap_or(0)),
        ("dataset.bytes", dataset),
    ];
    let ratios = [
        ("dataset.percentage", ratio(dataset * 100, used)),
        ("peak.percentage", ratio(used * 100, peak)),
        ("fragmentation", ratio(resident, used)),
    ];
    reply.map(numbers.len() + ratios.len() + 1);
    for (name, value) in numbers {
        reply.bulk_str(name);
        reply.int(value as i64);
    }
    for (name, value) in ratios {
        reply.bulk_str(name);
        reply.double(value);
    }
    reply.bulk_str("fragmentation.bytes");
    reply.int(resident as i64 - used as i64);
    Ok(After::Done)
}

fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

fn show_help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    help(
        reply,
        "MEMORY",
        &[
            "DOCTOR",
            "    Return memory problems reports.",
            "MALLOC-STATS",
            "    Return internal statistics report from the memory allocator.",
            "PURGE",
            "    Attempt to purge dirty pages for reclamation by the allocator.",
            "STATS",
            "    Return information about the memory usage of the server.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return memory in bytes used by <key> and its value. Nested values are",
            "    sampled up to <count> times (default: 5, 0 means sample all).",
        ],
    );
    Ok(After::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doctor_speaks_of_what_it_sees() {
        const MB: u64 = 1 << 20;
        assert!(diagnosis(MB, MB, 90 * MB).starts_with("Too little"));
        assert!(diagnosis(100 * MB, 110 * MB, 120 * MB).starts_with("Nothing odd"));
        let both = diagnosis(100 * MB, 200 * MB, 200 * MB);
        assert!(both.starts_with("* Peak") && both.contains("* Resident"));
    }
}
