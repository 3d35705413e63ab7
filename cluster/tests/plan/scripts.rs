//! `tests/plan/*.txt`: what is, what is wanted or lost, and the actions of each round. Rewritten
//! only with `UPDATE_SCRIPTS=1`, and then reviewed as a diff.
//!
//! A script begins with comments, then has
//! - `topology: ...` as in topology/text.rs
//! - `want: s1 mach 3`, `want: s1 level 2`, `want: s1 split 501 for reads [child 3] [paired 3]`,
//!   `want: s1 merge s2`, `want: extra 1`
//! - `down: N3`, `config: {"min-mach": 1}`
//!
//! and below `---` the rounds: one action per line and the topology after each round.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use cluster::autoscaler::{Config, SplitGoal};
use cluster::topology::{BucketId, Level, NodeId, ShardId, SplitCause};

use super::world::{World, texts};

#[test]
fn every_row_of_the_tables() {
    let update = std::env::var("UPDATE_SCRIPTS").is_ok_and(|v| v == "1");
    let mut wrong = Vec::new();
    for path in all() {
        let text = std::fs::read_to_string(&path).unwrap();
        let head = text.split("---\n").next().unwrap().trim_end();
        let mut found = format!("{head}\n---\n");
        let mut world = world(head);
        let rounds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&mut world)));
        match rounds {
            Ok(rounds) => found.push_str(&rounds),
            Err(_) => {
                wrong.push(format!("{}: see above", path.display()));
                continue;
            }
        }
        if update {
            std::fs::write(&path, &found).unwrap();
        } else if found != text {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn run(world: &mut World) -> String {
    let mut text = String::new();
    loop {
        let before = world.shape();
        let actions = world.round();
        let joined = world.shape();
        if actions.is_empty() && before == joined {
            world.check_settled();
            return text;
        }
        for action in texts(&actions) {
            writeln!(text, "{action}").unwrap();
        }
        writeln!(text, "= {}\n", world.shape()).unwrap();
        assert!(text.lines().count() < 400, "no end:\n{text}");
    }
}

pub fn all() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "txt"));
    paths.sort();
    assert!(paths.len() > 20, "scripts are missing");
    paths
}

/// The world a script begins with.
pub fn world(head: &str) -> World {
    let mut world = None;
    for line in head.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        match (key, &mut world) {
            ("topology", none) => *none = Some(World::new(value)),
            ("config", Some(world)) => world.config = config(value),
            ("down", Some(world)) => world.fail(NodeId(value[1..].parse().unwrap())),
            ("want", Some(world)) => want(world, value),
            _ => panic!("{line}"),
        }
    }
    world.unwrap()
}

/// The default configuration with some keys changed.
fn config(changes: &str) -> Config {
    let mut all = serde_json::to_value(Config::default()).unwrap();
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn want(world: &mut World, text: &str) {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |word: &str| word.trim_start_matches('s').parse::<u32>().unwrap();
    if words[0] == "extra" {
        world.extra = number(words[1]);
        return;
    }
    let level = |word: &str| Level::new(word.parse().unwrap()).unwrap();
    let named = |name: &str| words.iter().position(|w| *w == name).map(|at| words[at + 1]);
    let want = world.wants.entry(ShardId(number(words[0]))).or_default();
    match words[1] {
        "mach" => want.mach = Some(number(words[2])),
        "level" => want.level = Some(level(words[2])),
        "merge" => want.merge = Some(ShardId(number(words[2]))),
        "split" => {
            let cause = match named("for").unwrap() {
                "reads" => SplitCause::Reads,
                _ => SplitCause::Writes,
            };
            want.split = Some(SplitGoal {
                at: BucketId(words[2].parse().unwrap()),
                cause,
                child_level: named("child").map_or(Level::MIN, level),
                paired_level: named("paired").map(level),
                nodes: 1,
            });
        }
        _ => panic!("{text}"),
    }
}
