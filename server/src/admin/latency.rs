//! LATENCY, and noting slow commands for it.

use super::sparkline;
use crate::latency::Event;
use crate::load_manager::measure::Total;
use crate::node::{Node, wall_ms};
use crate::registry::{Command, Found};
use crate::session::{After, Call, SessionFn, help};
use resp::Reply;
use std::fmt::Write;
use storage::commands::{Fail, Row, flags};

pub const CODE: &[(&str, SessionFn)] = &[
    ("latency|latest", latest),
    ("latency|history", history),
    ("latency|reset", reset),
    ("latency|doctor", doctor),
    ("latency|graph", graph),
    ("latency|histogram", histogram),
    ("latency|help", show_help),
];

impl Node {
    /// A command has run for `ms` milliseconds, until `now` (ms since the epoch).
    #[inline]
    pub fn note_latency(&self, row: &Row, ms: u64, now: i64) {
        // The least threshold is 1 ms, so that fast commands need not even load it.
        if ms > 0 {
            let event = if row.is(flags::FAST) { "fast-command" } else { "command" };
            self.note_latency_event(event, ms, now);
        }
    }

    /// Something else took `ms` milliseconds until `now` (ms since the epoch): `expire-cycle`,
    /// `eviction-cycle`, `journal-fsync` ...
    #[cold]
    pub fn note_latency_event(&self, event: &'static str, ms: u64, now: i64) {
        let threshold = self.config.latency_ms();
        if threshold > 0 && ms >= threshold {
            self.latency.lock().note(event, ms, now.div_euclid(1000));
        }
    }
}

fn latest(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let latency = call.node.latency.lock();
    reply.array(latency.events().len());
    for (name, event) in latency.events() {
        let (at_s, ms) = event.samples.back().map_or((0, 0), |last| (last.at_s, last.ms));
        reply.array(4);
        reply.bulk_str(name);
        reply.int(at_s);
        reply.int(ms as i64);
        reply.int(event.max_ms as i64);
    }
    Ok(After::Done)
}

fn history(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let latency = call.node.latency.lock();
    let Some((_, event)) = latency.event(call.args.at(2)) else {
        reply.array(0);
        return Ok(After::Done);
    };
    reply.array(event.samples.len());
    for sample in &event.samples {
        reply.array(2);
        reply.int(sample.at_s);
        reply.int(sample.ms as i64);
    }
    Ok(After::Done)
}

fn reset(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let mut latency = call.node.latency.lock();
    let count = if call.args.len() == 2 {
        latency.clear()
    } else {
        call.args.from(2).iter().filter(|name| latency.forget(name)).count()
    };
    reply.int(count as i64);
    Ok(After::Done)
}

fn graph(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let latency = call.node.latency.lock();
    let Some((name, event)) = latency.event(call.args.at(2)) else {
        let name = String::from_utf8_lossy(call.args.at(2));
        return Err(Fail::owned(format!("ERR No samples available for event '{name}'")));
    };
    let (low, high) = range(event);
    let mut text =
        format!("{name} - high {high} ms, low {low} ms (all time high {} ms)\n", event.max_ms);
    text.push_str(&"-".repeat(80));
    text.push('\n');
    let now = wall_ms().div_euclid(1000);
    let points = event.samples.iter().map(|sample| (sample.ms, age(now - sample.at_s)));
    sparkline::draw(&points.collect::<Vec<_>>(), &mut text);
    reply.verbatim("txt", text.as_bytes());
    Ok(After::Done)
}

fn range(event: &Event) -> (u64, u64) {
    let times = event.samples.iter().map(|sample| sample.ms);
    (times.clone().min().unwrap_or(0), times.max().unwrap_or(0))
}

/// A time ago in its greatest unit.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

fn doctor(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let text = if call.node.config.latency_ms() == 0 {
        "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n"
            .to_owned()
    } else {
        diagnosis(&call.node.latency.lock())
    };
    reply.verbatim("txt", text.as_bytes());
    Ok(After::Done)
}

fn diagnosis(latency: &crate::latency::Latency) -> String {
    if latency.events().len() == 0 {
        return "No event was slower than the threshold since the monitor began.\n".to_owned();
    }
    let mut text = String::from("Events slower than the threshold:\n\n");
    for (at, (name, event)) in latency.events().enumerate() {
        let count = event.samples.len().max(1) as u64;
        let average = event.samples.iter().map(|sample| sample.ms).sum::<u64>() / count;
        let off = |ms: u64| ms.abs_diff(average);
        let deviation = event.samples.iter().map(|sample| off(sample.ms)).sum::<u64>() / count;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}. {name}: {count} latency spikes (average {average}ms, mean deviation {deviation}ms). \
             Worst all time event {}ms.",
            at + 1,
            event.max_ms
        );
    }
    text.push_str("\nWhat may help:\n\n");
    for (name, advice) in ADVICE {
        if latency.event(name.as_bytes()).is_some() {
            let _ = writeln!(text, "- {advice}");
        }
    }
    text
}

const ADVICE: [(&str, &str); 5] = [
    ("command", "command: SLOWLOG GET names the slow commands and their arguments."),
    (
        "fast-command",
        "fast-command: commands that should be quick were not; see whether the machine is busy or swaps.",
    ),
    (
        "expire-cycle",
        "expire-cycle: many keys expire in the same moment; spread their times to live.",
    ),
    ("eviction-cycle", "eviction-cycle: maxmemory is reached; raise it, or keep less."),
    (
        "journal-fsync",
        "journal-fsync: the disk is slow to sync; see appendfsync and the disk's load.",
    ),
];

fn histogram(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let registry = &call.node.registry;
    let mut wanted: Vec<&Command> = Vec::new();
    if call.args.len() == 2 {
        wanted.extend(registry.all());
    }
    for name in call.args.from(2).iter() {
        let mut parts = name.splitn(2, |byte| *byte == b'|');
        let first = parts.next().unwrap_or_default();
        if let Found::Command(command) = registry.find(first, parts.next()) {
            wanted.push(command);
            wanted.extend(registry.subcommands(command));
        }
    }
    let totals: Vec<(&Command, Total)> = wanted
        .into_iter()
        .map(|command| (command, call.node.measures.total(command.number)))
        .filter(|(_, total)| total.calls > 0)
        .collect();
    reply.map(totals.len());
    for (command, total) in totals {
        reply.bulk_str(command.row.name);
        reply.map(2);
        reply.bulk_str("calls");
        reply.int(total.calls as i64);
        reply.bulk_str("histogram_usec");
        let buckets = cumulative(&total);
        reply.map(buckets.len());
        for (bound, count) in buckets {
            reply.int(bound as i64);
            reply.int(count as i64);
        }
    }
    Ok(After::Done)
}

/// The buckets that hold something: `(upper bound in microseconds, executions up to it)`.
fn cumulative(total: &Total) -> Vec<(u64, u64)> {
    let mut sum = 0;
    let mut buckets = Vec::new();
    for (power, count) in total.latency.iter().enumerate() {
        sum += count;
        if *count > 0 {
            buckets.push((bound(power), sum));
        }
    }
    buckets
}

/// Redis's bucket bounds double in nanoseconds and are those of a histogram with two digits, which
/// makes them 1, 2, 4, 8, 16, 33, 66 ... microseconds.
fn bound(power: usize) -> u64 {
    let nanos = 1024u64 << power;
    (nanos + nanos / 128 - 1) / 1000
}

fn show_help(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    help(
        reply,
        "LATENCY",
        &[
            "DOCTOR",
            "    Return a human readable latency analysis report.",
            "GRAPH <event>",
            "    Return an ASCII latency graph for the <event> class.",
            "HISTORY <event>",
            "    Return time-latency samples for the <event> class.",
            "LATEST",
            "    Return the latest latency samples for all events.",
            "RESET [<event> ...]",
            "    Reset latency data of one or more <event> classes.",
            "    (default: reset all data for all event classes)",
            "HISTOGRAM [COMMAND ...]",
            "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
            "    If no commands are specified then all histograms are replied.",
        ],
    );
    Ok(After::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_bounds_are_those_of_redis() {
        let bounds: Vec<u64> = (0..13).map(bound).collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227]);
        assert_eq!((bound(15), bound(20)), (33816, 1082130));
    }

    #[test]
    fn only_buckets_with_something_in_them_are_shown() {
        let mut total = Total::default();
        total.latency[0] = 2;
        total.latency[5] = 3;
        assert_eq!(cumulative(&total), [(1, 2), (33, 5)]);
    }

    #[test]
    fn the_doctor_names_events_and_advice() {
        let mut latency = crate::latency::Latency::default();
        latency.note("command", 20, 1);
        latency.note("command", 10, 2);
        let text = diagnosis(&latency);
        assert!(text.contains(
            "1. command: 2 latency spikes (average 15ms, mean deviation 5ms). Worst all time event 20ms."
        ));
        assert!(text.contains("SLOWLOG") && !text.contains("maxmemory"));
    }
}
