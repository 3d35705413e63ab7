//! Prometheus's text format for what the `metrics` crate has no type for: histograms that were
//! counted elsewhere, and counters that are no whole numbers.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use super::sample::CommandSample;
use crate::load_manager::measure::BUCKETS;
use std::fmt::Write;

/// One counter of seconds.
pub fn seconds(out: &mut String, name: &str, help: &str, value: f64) {
    head(out, name, help, "counter");
    line(out, format_args!("{name} {value}"));
}

/// The durations of all commands. A bucket's `le` is its exclusive bound in whole microseconds:
/// every duration counted in it is below that.
pub fn durations(out: &mut String, name: &str, help: &str, commands: &[CommandSample]) {
    // Of a command that was only ever refused there is nothing to say.
    let ran = |command: &&CommandSample| command.total.latency.iter().any(|count| *count > 0);
    let mut commands = commands.iter().filter(ran).peekable();
    if commands.peek().is_none() {
        return;
    }
    head(out, name, help, "histogram");
    for CommandSample { name: command, total } in commands {
        let mut sum = 0u64;
        for (power, count) in total.latency.iter().enumerate() {
            sum = sum.saturating_add(*count);
            if power + 1 < BUCKETS {
                let le = (1u64 << power) as f64 / 1e6;
                line(out, format_args!("{name}_bucket{{command=\"{command}\",le=\"{le}\"}} {sum}"));
            }
        }
        line(out, format_args!("{name}_bucket{{command=\"{command}\",le=\"+Inf\"}} {sum}"));
        let seconds = total.nanos as f64 / 1e9;
        line(out, format_args!("{name}_sum{{command=\"{command}\"}} {seconds}"));
        // Of the same counts as the buckets: `calls` may have moved on since.
        line(out, format_args!("{name}_count{{command=\"{command}\"}} {sum}"));
    }
    out.push('\n');
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    line(out, format_args!("# HELP {name} {help}"));
    line(out, format_args!("# TYPE {name} {kind}"));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}
