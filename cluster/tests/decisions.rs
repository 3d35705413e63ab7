//! `tests/decisions/*.txt`: what is, what clients feel, and what is decided, done and told about it,
//! with a virtual time. Rewritten only with `UPDATE_SCRIPTS=1`, and then reviewed as a diff.
//!
//! A script begins with comments, then has
//! - `topology: ...` as in topology/text.rs; `mode: article` if it is not the default mode
//! - `config: {"min-mach": 4}`
//! - `0:00: reads 1000/s 6 ms, writes 100/s 1 ms, timeouts 1.01 %, busy 0.1 ms`: from then on (hours
//!   and minutes); what is left out is nothing
//! - `0:10: cpu 80 %` of every Load Manager; `0:10: down N3`; `0:10: word {"word": "hold"}`;
//!   `0:10: operator silent`, `0:10: operator prompt`; `0:10: hot 7` (half of all is on that bucket)
//! - `end: 1:10`
//!
//! and below `---` what changes, when: `s1 grow 1: average_up: ...` is a decision with its rule, the
//! figure against its threshold, and what holds it back; then the actions; `>` before events.
//! Copies end at once, nodes join after ten seconds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use cluster::autoscaler::observation::{
    BucketHeat, LoadManagerObservation, MemberObservation, ShardObservation, Work,
};
use cluster::autoscaler::{
    ActionKind, Aggregate, Cells, Choice, Comparison, Config, Decision, Health, Observation,
    OperatorWord, Share, State, TimeMs, decide,
};
use cluster::plan::Step as Text;
use cluster::step::step;
use cluster::topology::{BucketId, Level, NodeId, RequestId, ShardId, Topology};

const TICK_MS: u64 = 10_000;

/// What clients feel of all shards together.
#[derive(Clone, Copy, Default)]
struct Felt {
    reads: u64,
    read_us: u64,
    writes: u64,
    write_us: u64,
    /// In millionths of the requests.
    timeouts: u64,
    busy_us: u64,
}

enum Change {
    Feel(Felt),
    Cpu(Share),
    Down(NodeId),
    Word(OperatorWord),
    Operator(bool),
    Hot(BucketId),
}

struct Script {
    config: Config,
    state: State,
    topology: Topology,
    changes: Vec<(u64, Change)>,
    end: u64,
    felt: Felt,
    cpu: Share,
    hot: Option<BucketId>,
    silent: bool,
    down: BTreeMap<NodeId, u64>,
    cells: BTreeMap<ShardId, (Cells, Cells)>,
    coming: Vec<(RequestId, Level)>,
    last: BTreeMap<Option<ShardId>, String>,
}

#[test]
fn every_row_of_the_decisions() {
    let update = std::env::var("UPDATE_SCRIPTS").is_ok_and(|v| v == "1");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 20, "scripts are missing");
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let head = text.split("---\n").next().unwrap().trim_end();
        let found = format!("{head}\n---\n{}", Script::read(head).run());
        if update {
            std::fs::write(&path, &found).unwrap();
        } else if found != text {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `1:05` is 65 minutes.
fn time(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    Some((hours.parse::<u64>().ok()? * 60 + minutes.parse::<u64>().ok()?) * 60_000)
}

fn millionths(text: &str, unit: &str) -> u64 {
    let number: f64 =
        text.trim_end_matches(unit).trim().parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    (number * 1e6).round() as u64
}

impl Script {
    fn read(head: &str) -> Self {
        let mut script = Self {
            config: Config::predictive(),
            state: State::default(),
            topology: Topology::found(1000, Level::MIN, None).unwrap(),
            changes: Vec::new(),
            end: 0,
            felt: Felt::default(),
            cpu: Share::ZERO,
            hot: None,
            silent: false,
            down: BTreeMap::new(),
            cells: BTreeMap::new(),
            coming: Vec::new(),
            last: BTreeMap::new(),
        };
        for line in head.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            match key {
                "topology" => {
                    script.topology = value.parse().unwrap_or_else(|e| panic!("{value}: {e}"))
                }
                "mode" if value == "article" => script.config = Config::article(),
                "config" => script.config = changed(&script.config, value),
                "end" => script.end = time(value).unwrap(),
                at => script
                    .changes
                    .push((time(at).unwrap_or_else(|| panic!("{line}")), change(value))),
            }
        }
        script.config.validate().unwrap();
        script
    }

    fn run(&mut self) -> String {
        let mut text = String::new();
        let mut now = 0;
        while now < self.end {
            let mut words = Vec::new();
            for (_, change) in self.changes.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>()
            {
                match change {
                    Change::Feel(felt) => self.felt = felt,
                    Change::Cpu(cpu) => self.cpu = cpu,
                    Change::Down(node) => drop(self.down.insert(node, now)),
                    Change::Word(word) => words.push(word),
                    Change::Operator(silent) => self.silent = silent,
                    Change::Hot(bucket) => self.hot = Some(bucket),
                }
            }
            if !self.silent {
                for (request, level) in std::mem::take(&mut self.coming) {
                    self.topology.join(level, None, Some(request));
                }
            }
            self.record(TimeMs(now));
            now += TICK_MS;
            let mut seen = self.observe(TimeMs(now));
            seen.words = words;
            self.second(&seen, &mut text);
        }
        text
    }

    fn record(&mut self, at: TimeMs) {
        let f = self.felt;
        for shard in self.topology.shards() {
            let part = |rate: u64| {
                rate * 10 * u64::from(shard.range.count()) / u64::from(self.topology.buckets())
            };
            let of = |rate: u64, us: u64| {
                let all = part(rate);
                let timeouts = all * f.timeouts / 1_000_000;
                let n = all - timeouts;
                Aggregate { n, sum_us: n * us, timeouts, shed: 0, busy_us: n * f.busy_us }
            };
            let (reads, writes) = self.cells.entry(shard.id).or_default();
            reads.record(at, of(f.reads, f.read_us));
            writes.record(at, of(f.writes, f.write_us));
            if let Some(surge) = self.state.shards.get(&shard.id).and_then(|s| s.surge) {
                reads.mark(surge.since, !surge.legitimate);
                writes.mark(surge.since, !surge.legitimate);
            }
        }
    }

    fn observe(&self, now: TimeMs) -> Observation {
        let mut seen = Observation::of(now, self.topology.clone());
        for (node, since) in &self.down {
            if let Some(known) = seen.nodes.get_mut(node) {
                (known.health, known.since_ms) = (Health::Down, TimeMs(*since));
            }
        }
        let busy = self.felt.busy_us;
        for shard in self.topology.shards() {
            let work = Work {
                window_ms: 900_000,
                reads: if busy > 0 { 100_000 } else { 0 },
                read_busy_us: 100_000 * busy,
                writes: if busy > 0 { 100_000 } else { 0 },
                write_busy_us: 100_000 * busy,
                ..Work::default()
            };
            let member = |&node: &NodeId| {
                let writes = node == shard.writer;
                let work = if writes { work } else { Work::default() };
                (
                    node,
                    MemberObservation { seeded: true, serving: true, work, ..Default::default() },
                )
            };
            let last = self.state.shards.get(&shard.id).and_then(|s| s.last_completed);
            let nothing = Default::default();
            let (reads, writes) = self.cells.get(&shard.id).unwrap_or(&nothing);
            let hot = self.hot.filter(|b| shard.range.contains(*b));
            let of_shard = ShardObservation {
                leader: Some(shard.writer).filter(|w| !self.down.contains_key(w)),
                members: shard.members.keys().map(member).collect(),
                bytes: 10_000_000 * u64::from(shard.range.count()),
                reads: reads.windows(&self.config, now, last),
                writes: writes.windows(&self.config, now, last),
                heat: hot.map(|bucket| BucketHeat { bucket, requests: 600 }).into_iter().collect(),
                heat_total: if hot.is_some() { 1000 } else { 0 },
                ..ShardObservation::default()
            };
            seen.shards.insert(shard.id, of_shard);
        }
        for node in self.topology.load_managers() {
            let of = LoadManagerObservation {
                cpu: self.cpu,
                cpu_idle_max: self.cpu,
                ..Default::default()
            };
            seen.load_managers.insert(node.id, of);
        }
        seen
    }

    fn second(&mut self, seen: &Observation, text: &mut String) {
        let decided = decide(&self.config, &self.state, seen);
        let done = step(&self.config, &self.state, seen);
        let seconds = seen.now_ms.0 / 1000;
        let at = format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut lines = Vec::new();
        let known: Vec<_> = decided.decisions.iter().map(|d| d.shard).collect();
        self.last.retain(|shard, _| known.contains(shard));
        for decision in &decided.decisions {
            let (what, why) = (brief(decision), full(decision));
            let last = self.last.insert(decision.shard, what.clone());
            if last.as_ref() != Some(&what) && (last.is_some() || decision.choice != Choice::Stay) {
                lines.push(why);
            }
        }
        self.state = done.state;
        for action in &done.actions {
            lines.push(Text(action).to_string());
            if let ActionKind::RequestNode(asked) = &action.kind {
                self.coming.retain(|(r, _)| *r != asked.request);
                self.coming.push((asked.request, asked.min_level));
            }
            let fence = matches!(action.kind, ActionKind::Fence { .. });
            if !fence {
                self.topology.apply(action).unwrap_or_else(|e| panic!("{}: {e}", Text(action)));
            }
        }
        for event in &done.events {
            let json = serde_json::to_value(event).unwrap();
            lines.push(format!("> {}", json["type"].as_str().unwrap()));
        }
        if !lines.is_empty() {
            writeln!(text, "{at} {}", lines.join("\n        ")).unwrap();
        }
    }
}

fn changed(config: &Config, changes: &str) -> Config {
    let mut all = serde_json::to_value(config).unwrap();
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        assert!(all.get(key).is_some(), "no such key: {key}");
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn change(text: &str) -> Change {
    let (kind, rest) = text.split_once(' ').unwrap();
    match kind {
        "cpu" => Change::Cpu(Share::percent(rest.trim_end_matches(" %").parse().unwrap())),
        "down" => Change::Down(NodeId(rest[1..].parse().unwrap())),
        "word" => {
            Change::Word(serde_json::from_str(rest).unwrap_or_else(|e| panic!("{rest}: {e}")))
        }
        "operator" => Change::Operator(rest == "silent"),
        "hot" => Change::Hot(BucketId(rest.parse().unwrap())),
        _ => Change::Feel(feel(text)),
    }
}

fn feel(text: &str) -> Felt {
    let mut felt = Felt::default();
    for part in text.split(", ") {
        let words: Vec<&str> = part.split(' ').collect();
        let rate =
            || words[1].trim_end_matches("/s").parse().unwrap_or_else(|e| panic!("{part}: {e}"));
        let us = |at: usize| match words[at + 1] {
            "s" => millionths(words[at], ""),
            _ => millionths(words[at], "") / 1000,
        };
        match words[0] {
            "reads" => (felt.reads, felt.read_us) = (rate(), us(2)),
            "writes" => (felt.writes, felt.write_us) = (rate(), us(2)),
            "timeouts" => felt.timeouts = millionths(words[1], "") / 100,
            "busy" => felt.busy_us = us(1),
            _ => panic!("{part}"),
        }
    }
    felt
}

/// A word of the vocabulary, as JSON spells it.
fn word(of: impl serde::Serialize) -> String {
    match serde_json::to_value(of).unwrap() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Object(map) => {
            let named = ["choice", "held_by"].iter().find_map(|k| map.get(*k)?.as_str());
            named.map(str::to_owned).or_else(|| map.keys().next().cloned()).unwrap()
        }
        other => other.to_string(),
    }
}

fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Grow { nodes } => format!("grow {nodes}"),
        Choice::RaiseLevel { to } => format!("raise level to {to}"),
        Choice::LowerLevel { to } => format!("lower level to {to}"),
        Choice::Split(goal) => format!("split at {}", goal.at.0),
        Choice::Merge { right } => format!("merge {right}"),
        Choice::RemoveLoadManager { node } => format!("remove Load Manager {node}"),
        Choice::AddLoadManager => "add Load Manager".to_owned(),
        Choice::BurstServe => "serve from the shadow".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn held(decision: &Decision) -> String {
    let held: Vec<String> = decision.explanation.held.iter().map(word).collect();
    if held.is_empty() { String::new() } else { format!(", held: {}", held.join(" ")) }
}

fn brief(decision: &Decision) -> String {
    let rule = decision.explanation.rule.map(word);
    format!("{} {rule:?} {}", choice(&decision.choice), held(decision))
}

fn full(decision: &Decision) -> String {
    let who = decision.shard.map_or("cluster".to_owned(), |s| s.to_string());
    let why = &decision.explanation;
    let mut text = format!("{who} {}", choice(&decision.choice));
    if let Some(rule) = why.rule {
        write!(text, ": {}", word(rule)).unwrap();
        if let Some(Comparison { metric, value, relation, threshold, window, .. }) =
            why.comparisons.first().filter(|c| c.holds)
        {
            write!(text, ": {} {value} {relation} {threshold}", word(metric)).unwrap();
            if let Some(window) = window {
                write!(text, " over {window}").unwrap();
            }
        }
    }
    text + &held(decision)
}
