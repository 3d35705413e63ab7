//! CONFIG: looking at the configuration and changing it while the process runs.
//!
//! A set is checked whole before any of it is stored (all or nothing, as in Redis 7); then what
//! others keep copies of is told to them. Sets come one at a time, so that the copies end in the
//! state of the last.

use super::{After, Call, SessionFn};
use crate::config::table::KEYS;
use crate::config::{change, fixed};
use crate::node::{Counters, Node};
use resp::Reply;
use std::sync::atomic::Ordering;
use storage::commands::fail::SYNTAX;
use storage::commands::{Fail, glob};

pub const CODE: &[(&str, SessionFn)] = &[
    ("config|get", get),
    ("config|set", set),
    ("config|rewrite", rewrite),
    ("config|resetstat", reset_statistics),
    ("config|help", help),
];

/// A name without wildcards is answered as it was typed, as Redis does; each spelling once.
fn get(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let config = &call.node.config;
    let rows = KEYS.iter().enumerate().flat_map(|(place, row)| {
        let names = [Some(row.name), row.alias].into_iter().flatten();
        names.map(move |name| (name, config.print(place)))
    });
    let all: Vec<(&str, String)> = rows.chain(fixed::all(config)).collect();
    let mut found: Vec<(&[u8], &str)> = Vec::new();
    for pattern in call.args.from(2).iter() {
        let wild = pattern.iter().any(|byte| b"[*?".contains(byte));
        for (name, value) in &all {
            let name = name.as_bytes();
            let (matches, shown) = if wild {
                (glob::matches(pattern, name, true), name)
            } else {
                (pattern.eq_ignore_ascii_case(name), pattern)
            };
            if matches && !found.iter().any(|(other, _)| *other == shown) {
                found.push((shown, value));
            }
        }
    }
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name);
        reply.bulk_str(value);
    }
    Ok(After::Done)
}

fn set(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let words: Vec<&[u8]> = call.args.from(2).iter().collect();
    let (pairs, rest) = words.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(SYNTAX);
    }
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    let config = &call.node.config;
    let _one_at_a_time = config.changing();
    let checked = change::check(config, &pairs).map_err(Fail::owned)?;
    checked.iter().for_each(|(place, value)| config.store(*place, value));
    apply(call.node);
    reply.ok();
    Ok(After::Done)
}

/// Tells the configuration to those who keep copies of it.
fn apply(node: &Node) {
    let config = &node.config;
    node.space.configure(|settings| config.apply_to(settings));
    node.slowlog.set_threshold_us(config.slowlog_us());
    node.slowlog.set_len(config.slowlog_len());
    if let Some(store) = &node.store {
        store.journal.set_sync(config.appendfsync());
    }
}

fn rewrite(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.node.config.file().is_none() {
        return Err(Fail::text("ERR The server is running without a config file"));
    }
    if call.locked.is_some() {
        write_file(call.node)?;
        reply.ok();
        return Ok(After::Done);
    }
    Ok(After::Job(Box::new(|node, reply| {
        write_file(node)?;
        reply.ok();
        Ok(())
    })))
}

fn write_file(node: &Node) -> Result<(), Fail> {
    let Some(path) = node.config.file() else { return Ok(()) };
    let _one_at_a_time = node.config.changing();
    match change::rewrite(&node.config, path) {
        Ok(()) => {
            tracing::info!("the configuration is written to {}", path.display());
            Ok(())
        }
        Err(error) => {
            tracing::warn!("cannot write the configuration to {}: {error}", path.display());
            Err(Fail::owned(format!("ERR Rewriting config file: {error}")))
        }
    }
}

fn reset_statistics(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    call.node.measures.reset();
    crate::admin::info::reset_errors();
    let Counters {
        connections,
        refused_connections,
        net_in,
        net_out,
        hits,
        misses,
        expired,
        evicted,
        unloaded,
        loaded,
        errors,
        auth_failures,
        published,
        // What is not saved yet, and the peak, are states and no statistics.
        dirty: _,
        memory_peak: _,
        killed_for_output,
        protocol_errors,
        panics,
    } = &call.node.counters;
    let reset = [
        connections,
        refused_connections,
        net_in,
        net_out,
        hits,
        misses,
        expired,
        evicted,
        unloaded,
        loaded,
        errors,
        auth_failures,
        published,
        killed_for_output,
        protocol_errors,
        panics,
    ];
    reset.into_iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
    reply.ok();
    Ok(After::Done)
}

fn help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    super::help(
        reply,
        "CONFIG",
        &[
            "GET <pattern>",
            "    Return parameters matching the glob-like <pattern> and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset statistics reported by the INFO command.",
            "REWRITE",
            "    Rewrite the configuration file.",
        ],
    );
    Ok(After::Done)
}
