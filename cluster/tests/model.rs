//! Every cluster of one to eight nodes and at most two shards that plans lead to, breadth first: from
//! each one every next goal, and at every step of the way to it each single failure. Each way ends
//! at rest with the lost node gone, and no action on it breaks I1 to I7 (the world of the scripts
//! looks at them).
//!
//! In a build that is not optimised five nodes are the most.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, dead_code)]

#[path = "plan/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cluster::autoscaler::SplitGoal;
use cluster::topology::{
    Epoch, GroupId, JoinOrder, Level, NodeId, ShardId, SplitCause, Topology, TopologyParts,
};

use world::{Want, World};

const NODES_MAX: usize = if cfg!(debug_assertions) { 5 } else { 8 };
/// Levels and extra Load Managers are changed in clusters of at most so many nodes: what they add to
/// larger ones is the same again.
const VARIED_MAX: usize = 5;
const SHARDS_MAX: usize = 2;
const LEVEL_MAX: u8 = 2;

/// What remains of a cluster when names, requests and counters are taken away.
fn essence(t: &Topology) -> String {
    let mut parts: TopologyParts = t.clone().into_parts();
    let mut order: Vec<_> = parts.nodes.iter().map(|n| (n.joined, n.id)).collect();
    order.sort();
    let name: BTreeMap<NodeId, NodeId> =
        order.iter().enumerate().map(|(at, (_, n))| (*n, NodeId(at as u64 + 1))).collect();
    let ranges = t.by_range();
    let shard_name: BTreeMap<ShardId, ShardId> =
        ranges.iter().enumerate().map(|(at, s)| (s.id, ShardId(at as u32 + 1))).collect();
    let writers: BTreeSet<NodeId> = parts.shards.iter().map(|s| s.writer).collect();
    for node in &mut parts.nodes {
        // How big the others are only ranks them.
        node.level = if writers.contains(&node.id) { node.level } else { Level::MIN };
        (node.id, node.request) = (name[&node.id], None);
        node.joined = JoinOrder(node.id.0);
        node.shadow = node.shadow.map(|s| shard_name[&s]);
    }
    for shard in &mut parts.shards {
        shard.id = shard_name[&shard.id];
        (shard.epoch, shard.group, shard.parent) = (Epoch(1), GroupId(shard.id.0.into()), None);
        shard.writer = name[&shard.writer];
        let members = std::mem::take(&mut shard.members);
        for mut member in members.into_values() {
            member.node = name[&member.node];
            shard.members.insert(member.node, member);
        }
    }
    let text = Topology::from_parts(parts).unwrap().to_string();
    text.split(" | cluster").next().unwrap().to_owned()
}

/// A goal, and how it reads.
type Goal = (String, BTreeMap<ShardId, Want>, u32);

/// Every next goal from a cluster at rest.
fn goals(world: &World) -> Vec<Goal> {
    let t = &world.topology;
    let extra = t.load_managers().count().saturating_sub(t.shard_count()) as u32;
    let mut goals: Vec<Goal> = Vec::new();
    let nodes = t.node_count();
    for shard in t.shards() {
        let (id, mach) = (shard.id, t.mach(shard.id));
        let level = t.writer_level(id).unwrap();
        let mut want = |what: String, want: Want| {
            goals.push((format!("{id} {what}"), BTreeMap::from([(id, want)]), extra));
        };
        if nodes < NODES_MAX {
            want(format!("mach {}", mach + 1), Want { mach: Some(mach + 1), ..Want::default() });
        }
        // An extra Load Manager and fewer than three nodes contradict each other: it has a shadow.
        let least = if extra > 0 { 3 } else { 1 };
        if mach > least && (t.shard_count() == 1 || mach > 4) {
            want(format!("mach {}", mach - 1), Want { mach: Some(mach - 1), ..Want::default() });
        }
        if mach > 1 && nodes < NODES_MAX.min(VARIED_MAX) {
            let to = if level == Level::MIN { Level::new(LEVEL_MAX).unwrap() } else { Level::MIN };
            want(format!("level {to}"), Want { level: Some(to), ..Want::default() });
        }
        if t.shard_count() < SHARDS_MAX && nodes < NODES_MAX && mach >= 4 {
            for cause in [SplitCause::Reads, SplitCause::Writes] {
                if cause == SplitCause::Reads && t.replicas(id).len() < 5 {
                    continue;
                }
                let at = shard.range.middle().unwrap();
                let child_level = Level::MIN;
                let goal = SplitGoal { at, cause, child_level, paired_level: None, nodes: 1 };
                want(format!("split {cause:?}"), Want { split: Some(goal), ..Want::default() });
            }
        }
        if let Some(right) = t.right_neighbour(id) {
            for mach in [4, 7] {
                let merge = Want { mach: Some(mach), merge: Some(right.id), ..Want::default() };
                want(format!("merge, mach {mach}"), merge);
            }
        }
    }
    if nodes < NODES_MAX.min(VARIED_MAX) && extra == 0 && t.node_count() > 1 {
        goals.push(("extra 1".into(), BTreeMap::new(), 1));
    }
    if extra > 0 {
        goals.push(("extra 0".into(), BTreeMap::new(), 0));
    }
    goals
}

fn has_quorum(world: &World) -> bool {
    world.topology.shards().all(|s| {
        [s.voters(), s.voters_before()]
            .iter()
            .all(|voters| 2 * voters.iter().filter(|&&n| world.up(n)).count() > voters.len())
    })
}

/// The node is lost; it returns only if nothing can be decided without it. At rest then.
fn lose(world: &World, node: NodeId) -> World {
    let mut hurt = world.clone();
    hurt.fail(node);
    if !has_quorum(&hurt) {
        let writers = |w: &World| -> Vec<_> { w.topology.shards().map(|s| s.writer).collect() };
        let before = writers(&hurt);
        for _ in 0..2 {
            hurt.round();
        }
        assert_eq!(writers(&hurt), before, "a minority was promoted: {}", hurt.topology);
        hurt.down.clear();
        // What was asked for in its place may come.
        hurt.settle();
        return hurt;
    }
    hurt.settle();
    assert!(hurt.topology.node(node).is_none(), "{node} is still in {}", hurt.topology);
    hurt
}

#[test]
fn every_way_through_small_clusters_ends_at_rest() {
    let start = World::new("N1 LM WR s1");
    let mut seen = BTreeSet::from([essence(&start.topology)]);
    let mut queue = VecDeque::from([start]);
    let (mut ways, mut failures) = (0usize, 0usize);
    while let Some(rest) = queue.pop_front() {
        let mut reached = Vec::new();
        for (text, wants, extra) in goals(&rest) {
            ways += 1;
            let mut now = rest.clone();
            (now.wants, now.extra) = (wants, extra);
            let from = now.shape();
            let mut rounds = 0;
            loop {
                for node in now.topology.nodes().map(|n| n.id).collect::<Vec<_>>() {
                    failures += 1;
                    let said = (text.clone(), from.clone(), now.shape());
                    let hurt = std::panic::catch_unwind(|| lose(&now, node));
                    hurt.unwrap_or_else(|_| panic!("{node} lost: {said:?}"));
                }
                let before = now.shape();
                if now.round().is_empty() && now.shape() == before {
                    break;
                }
                rounds += 1;
                assert!(rounds < 40, "{text} from {from} does not end: {}", now.topology);
            }
            now.check_settled();
            assert_eq!(
                now.topology.operations().count(),
                0,
                "{text} from {from}: {}",
                now.topology
            );
            reached.push(now);
        }
        for mut end in reached {
            let small = end.topology.node_count() <= NODES_MAX && end.topology.shard_count() <= 2;
            if small && seen.insert(essence(&end.topology)) {
                end.wants.clear();
                end.down.clear();
                queue.push_back(end);
            }
        }
    }
    println!("{} clusters at rest, {ways} ways, {failures} failures", seen.len());
    let least = if cfg!(debug_assertions) { 30 } else { 200 };
    assert!(seen.len() > least, "only {} clusters were reached", seen.len());
}
