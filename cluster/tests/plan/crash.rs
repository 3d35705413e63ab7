//! Crash points (G24): the plan of every script is cut after every action, the state is the old or
//! the new one, and it converges to the same shards, voters and levels as without the crash.

use std::collections::BTreeSet;

use cluster::topology::{NodeId, ShardId, Topology};

use super::scripts::{all, world};
use super::world::World;

/// What must come out: per shard its range, Mach, number of voters, level of the Writer.
fn outcome(t: &Topology) -> Vec<(ShardId, u32, u32, usize, u8)> {
    let level = |s| t.writer_level(s).map_or(0, |l| l.number());
    let shards =
        t.shards().map(|s| (s.id, s.range.count(), t.mach(s.id), s.voters().len(), level(s.id)));
    shards.collect()
}

fn worlds() -> Vec<(String, World)> {
    let text = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let head = |text: &str| text.split("---\n").next().unwrap().trim_end().to_owned();
    all().iter().map(|p| (p.display().to_string(), world(&head(&text(p))))).collect()
}

#[test]
fn any_prefix_of_the_actions_converges_to_the_same() {
    let mut points = 0;
    for (name, start) in worlds() {
        let mut straight = start.clone();
        straight.settle();
        let expected = outcome(&straight.topology);
        let mut now = start;
        loop {
            let count = now.clone().plan().actions.len();
            for cut in 0..count {
                for old in [false, true] {
                    let mut crashed = now.clone();
                    let planned = crashed.plan();
                    for action in planned.actions.iter().take(cut) {
                        crashed.apply(action);
                    }
                    if !old {
                        crashed.state = planned.state;
                    }
                    crashed.settle();
                    assert_eq!(
                        outcome(&crashed.topology),
                        expected,
                        "{name} cut {cut}: {}",
                        crashed.topology
                    );
                    points += 1;
                }
            }
            let before = now.shape();
            if now.round().is_empty() && now.shape() == before {
                break;
            }
        }
    }
    assert!(points > 300, "{points} crash points");
}

#[test]
fn any_node_may_be_lost_at_any_round() {
    let mut points = 0;
    for (name, start) in worlds() {
        let mut now = start;
        loop {
            let nodes: BTreeSet<NodeId> = now.topology.nodes().map(|n| n.id).collect();
            for node in nodes {
                // A shard needs a quorum of the others to go on.
                let quorum = now.topology.shards().all(|s| {
                    let voters = s.voters();
                    let live = voters.iter().filter(|n| **n != node && !now.down.contains_key(n));
                    2 * live.count() > voters.len()
                });
                if !quorum || !now.down.is_empty() {
                    continue;
                }
                let mut hurt = now.clone();
                hurt.fail(node);
                hurt.settle();
                let gone = hurt.topology.node(node).is_none();
                assert!(gone, "{name}: {node} is still in {}", hurt.topology);
                assert_eq!(hurt.topology.operations().count(), 0, "{name}: {}", hurt.topology);
                points += 1;
            }
            let before = now.shape();
            if now.round().is_empty() && now.shape() == before {
                break;
            }
        }
    }
    assert!(points > 300, "{points} failures");
}
