//! Holds docs/scaling.md to the code: its tables are what the planner prints for the scripts of
//! tests/plan. `UPDATE_SCRIPTS=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, dead_code)]

#[path = "plan/scripts.rs"]
mod scripts;
#[path = "plan/world.rs"]
mod world;

use std::fmt::Write;
use std::path::Path;

use cluster::autoscaler::{Action, ActionKind};
use cluster::topology::Topology;

use world::World;

/// Bytes of a shard of all buckets in the examples.
const BYTES: u64 = 10_000_000_000;

/// What an action means, and what it moves; none for what only counts.
fn row(t: &Topology, action: &Action) -> Option<(String, String)> {
    let text = cluster::plan::Step(action).to_string();
    let text = match text.split_once(' ') {
        Some((first, rest)) if first.starts_with('o') => rest.to_owned(),
        _ => text,
    };
    let moves = match &action.kind {
        ActionKind::AttachLearner { shard, part, .. } => {
            let range = part.or(t.shard(*shard).map(|s| s.range))?;
            let bytes = BYTES * u64::from(range.count()) / u64::from(t.buckets());
            format!("{} GB", bytes as f64 / 1e9)
        }
        ActionKind::AdvanceOperation { .. } => return None,
        _ => String::new(),
    };
    Some((text, moves))
}

/// Who serves what, by shard.
fn serving(t: &Topology) -> String {
    let mut text = Vec::new();
    for shard in t.by_range() {
        let names = |nodes: Vec<String>| nodes.join(" ");
        let readers = shard.readers().into_iter().map(|n| n.to_string()).collect();
        text.push(format!("{}: {} writes, {} read", shard.id, shard.writer, names(readers)));
    }
    let gateways: Vec<String> = t.load_managers().map(|n| n.id.to_string()).collect();
    text.push(format!("clients at {}", gateways.join(" ")));
    text.join("; ")
}

/// One plan as a table.
fn table(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/plan/{name}.txt"));
    let text = std::fs::read_to_string(&path).unwrap();
    let head = text.split("---\n").next().unwrap().trim_end();
    let mut world: World = scripts::world(head);
    let mut out = format!("Before: `{}`\n\n", world.shape());
    out.push_str("| when | what | bytes | who serves afterwards |\n|---|---|---|---|\n");
    let mut told = Vec::new();
    for round in 1.. {
        let before = (world.topology.clone(), world.shape());
        let planned = world.clone().plan();
        let actions = world.round();
        if actions.is_empty() && before.1 == world.shape() {
            break;
        }
        let mut now = before.0;
        let mut lines = Vec::new();
        for action in &actions {
            lines.extend(row(&now, action));
            now.apply(action).unwrap();
        }
        for event in &planned.events {
            let json = serde_json::to_value(event).unwrap();
            told.push(json["type"].as_str().unwrap_or("?").to_owned());
        }
        let whats: Vec<&str> = lines.iter().map(|(what, _)| what.as_str()).collect();
        let bytes: Vec<&str> =
            lines.iter().map(|(_, b)| b.as_str()).filter(|b| !b.is_empty()).collect();
        writeln!(
            out,
            "| {round} | {} | {} | {} |",
            whats.join("<br>"),
            bytes.join(" + "),
            serving(&now)
        )
        .unwrap();
    }
    told.dedup();
    writeln!(out, "\nAfter: `{}`. Operators are told: {}.", world.shape(), told.join(", "))
        .unwrap();
    out
}

#[test]
fn the_page_says_what_the_planner_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scaling.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut new = String::new();
    let mut rest = page.as_str();
    let mut tables = 0;
    while let Some((before, after)) = rest.split_once("<!-- plan: ") {
        let (name, after) = after.split_once(" -->\n").unwrap();
        let (_, after) = after.split_once("<!-- end -->").unwrap();
        write!(new, "{before}<!-- plan: {name} -->\n{}<!-- end -->", table(name)).unwrap();
        rest = after;
        tables += 1;
    }
    new.push_str(rest);
    assert!(tables >= 20, "tables are missing");
    if std::env::var("UPDATE_SCRIPTS").is_ok_and(|v| v == "1") {
        std::fs::write(&path, &new).unwrap();
    } else {
        let differs = new.lines().zip(page.lines()).find(|(n, p)| n != p);
        assert!(new == page, "docs/scaling.md differs: UPDATE_SCRIPTS=1 rewrites it: {differs:?}");
    }
    for picture in ["diurnal", "flash", "dos", "trend", "hotkey", "failures", "article"] {
        assert!(page.contains(&format!("(pictures/{picture}.svg)")), "no link to {picture}");
        let file = format!("../docs/pictures/{picture}.svg");
        assert!(std::fs::metadata(&file).is_ok_and(|f| f.len() > 10_000), "no picture {file}");
    }
}
