//! The text as a scraper reads it, and the documentation.

use super::export::Metrics;
use super::sample::{CommandSample, Sample, StoreSample};
use super::table::{BUILD_INFO, COMMAND_ROWS, HISTOGRAM, KEYS, Kind, ROWS};
use crate::load_manager::measure::Measures;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Values by name with labels, and types by family.
struct Scrape {
    values: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

fn scrape(text: &str) -> Scrape {
    let mut scrape = Scrape { values: BTreeMap::new(), types: BTreeMap::new() };
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# HELP ")) {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            let before = scrape.types.insert(name.into(), kind.into());
            assert_eq!(before, None, "{name} is described twice");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let before = scrape.values.insert(name.into(), value.parse().unwrap());
            assert_eq!(before, None, "{name} has two values");
        }
    }
    scrape
}

fn command(name: &'static str, nanos: &[u64]) -> CommandSample {
    let measures = Measures::new(1, 1);
    nanos.iter().for_each(|nanos| measures.ran(0, 0, *nanos, false));
    CommandSample { name, total: measures.total(0) }
}

#[test]
fn every_metric_of_the_table_is_exported_with_its_type() {
    let sample = Sample { commands: vec![command("get", &[1])], ..Sample::default() };
    let all = scrape(&Metrics::new(true).render(&sample));
    let mut known = BTreeMap::new();
    for row in ROWS {
        let kind = if row.kind == Kind::Gauge { "gauge" } else { "counter" };
        assert!(all.values.contains_key(row.name), "{}", row.name);
        known.insert(row.name.to_string(), kind.to_string());
    }
    COMMAND_ROWS.iter().for_each(|row| _ = known.insert(row.name.into(), "counter".into()));
    known.insert(BUILD_INFO.0.into(), "gauge".into());
    known.insert(KEYS.0.into(), "gauge".into());
    known.insert(HISTOGRAM.0.into(), "histogram".into());
    assert_eq!(all.types, known);
    for (name, kind) in known {
        assert!(name.starts_with("bowshock_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
    }
}

#[test]
fn without_a_store_nothing_is_said_of_it() {
    let all = scrape(&Metrics::new(false).render(&Sample::default()));
    for row in ROWS {
        assert_eq!(all.values.contains_key(row.name), !row.of_store, "{}", row.name);
    }
}

#[test]
fn values_and_labels_are_those_of_the_sample() {
    let store = StoreSample { fsync_seconds: 0.25, ..StoreSample::default() };
    let keys = vec![7, 0, 3];
    let sample = Sample { hits: 5, memory_used: 1 << 40, keys, store, ..Sample::default() };
    let all = scrape(&Metrics::new(true).render(&sample)).values;
    assert_eq!(all["bowshock_keyspace_hits_total"], 5.0);
    assert_eq!(all["bowshock_memory_used_bytes"], (1u64 << 40) as f64);
    assert_eq!(all["bowshock_journal_fsync_seconds_total"], 0.25);
    assert_eq!((all["bowshock_keys{db=\"0\"}"], all["bowshock_keys{db=\"2\"}"]), (7.0, 3.0));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(all[&format!("bowshock_build_info{{version=\"{version}\"}}")], 1.0);
}

#[test]
fn counters_go_on_when_statistics_begin_anew() {
    let metrics = Metrics::new(false);
    let hits = |hits, commands| {
        let all = scrape(&metrics.render(&Sample { hits, commands, ..Sample::default() })).values;
        let calls = all.get("bowshock_commands_total{command=\"get\"}").copied();
        (all["bowshock_keyspace_hits_total"], calls)
    };
    assert_eq!(hits(5, vec![]), (5.0, None));
    assert_eq!(hits(8, vec![command("get", &[1, 1, 1])]), (8.0, Some(3.0)));
    assert_eq!(hits(8, vec![command("get", &[1, 1, 1])]), (8.0, Some(3.0)));
    assert_eq!(hits(2, vec![command("get", &[1])]), (10.0, Some(4.0)));
    assert_eq!(hits(3, vec![command("get", &[1, 1])]), (11.0, Some(5.0)));
}

#[test]
fn durations_are_cumulative_up_to_infinity() {
    let slow = 60_000_000_000;
    let sample = Sample {
        commands: vec![
            command("get", &[500, 999, 1_000, 3_000, slow]),
            command("set", &[1]),
            command("del", &[]),
        ],
        ..Sample::default()
    };
    let all = scrape(&Metrics::new(false).render(&sample)).values;
    let name = "bowshock_command_duration_seconds";
    let bucket = |le: &str| all[&format!("{name}_bucket{{command=\"get\",le=\"{le}\"}}")];
    assert_eq!(bucket("0.000001"), 2.0);
    assert_eq!(bucket("0.000002"), 3.0);
    assert_eq!(bucket("0.000004"), 4.0);
    assert_eq!(bucket("4.194304"), 4.0);
    assert_eq!(bucket("+Inf"), 5.0);
    assert_eq!(all[&format!("{name}_count{{command=\"get\"}}")], 5.0);
    assert!((all[&format!("{name}_sum{{command=\"get\"}}")] - 60.000_005_499).abs() < 1e-9);
    assert_eq!(all[&format!("{name}_count{{command=\"set\"}}")], 1.0);
    assert!(!all.contains_key(&format!("{name}_count{{command=\"del\"}}")), "it never ran");
}

const INTRODUCTION: &str = "\
# Metrics

`GET /metrics` at the address of `http` (127.0.0.1:9121) answers in Prometheus's text format. Times
are in seconds, sizes in bytes; counters end in `_total` and go on counting after `CONFIG
RESETSTAT`. Metrics of a command appear once it was called. *Disk only*: not with `--base memory`.

| metric | type | labels | meaning |
|---|---|---|---|
";

fn markdown() -> String {
    let mut text = INTRODUCTION.to_string();
    let mut line = |name: &str, kind: &str, label: &str, help: &str| {
        writeln!(text, "| `{name}` | {kind} | {label} | {help} |").unwrap();
    };
    line(BUILD_INFO.0, "gauge", "version", BUILD_INFO.1);
    for row in ROWS {
        let kind = if row.kind == Kind::Gauge { "gauge" } else { "counter" };
        let disk = if row.of_store { " (disk only)" } else { "" };
        line(row.name, kind, "", &format!("{}{disk}", row.help));
    }
    line(KEYS.0, "gauge", "db", KEYS.1);
    COMMAND_ROWS.iter().for_each(|row| line(row.name, "counter", "command", row.help));
    line(HISTOGRAM.0, "histogram", "command", HISTOGRAM.1);
    text
}

#[test]
fn the_documentation_is_the_table() {
    let path = "../docs/metrics.md";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == markdown(), "docs/metrics.md differs: UPDATE_DOCS=1 cargo test -p server");
}
