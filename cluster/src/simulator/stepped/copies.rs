//! Copies being made: what each still lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::simulator::model::{SHARD_BYTES, SYNC_BYTES_PER_S, TICK_S};
use crate::topology::{NodeId, ShardId, Topology};

/// Bytes that incomplete copies lack. A member that does not stand here is warm.
#[derive(Default)]
pub struct Copies(BTreeMap<(ShardId, NodeId), u64>);

impl Copies {
    /// A member begins to copy its part of the shard.
    pub fn begin(&mut self, topology: &Topology, shard: ShardId, node: NodeId) {
        let Some((found, member)) = topology.shard(shard).zip(topology.member(shard, node)) else {
            return;
        };
        let kept = u64::from(member.part.unwrap_or(found.range).count());
        self.0.insert((shard, node), SHARD_BYTES * kept / u64::from(found.range.count()).max(1));
    }

    /// What the node still lacks of the shard, in bytes.
    pub fn lacks(&self, shard: ShardId, node: NodeId) -> u64 {
        self.0.get(&(shard, node)).copied().unwrap_or(0)
    }

    /// Members of the shard whose copy is not whole.
    pub fn incomplete(&self, shard: ShardId) -> BTreeSet<NodeId> {
        self.0.keys().filter(|(s, _)| *s == shard).map(|(_, node)| *node).collect()
    }

    /// A tick passes. Copies of who left are forgotten, those of lost nodes stand still.
    pub fn go_on(&mut self, topology: &Topology, lost: impl Fn(NodeId) -> bool) {
        let step = SYNC_BYTES_PER_S * u64::from(TICK_S);
        self.0.retain(|&(shard, node), left| {
            if !lost(node) {
                *left = left.saturating_sub(step);
            }
            *left > 0 && topology.member(shard, node).is_some()
        });
    }

    /// The child's members have of it what they had of the parent.
    pub fn split(
        &mut self,
        topology: &Topology,
        parent: ShardId,
        child: ShardId,
        incomplete: &BTreeSet<NodeId>,
    ) {
        for &node in incomplete {
            let left = self.lacks(parent, node);
            if topology.member(child, node).is_some() {
                self.0.insert((child, node), left);
            }
            if topology.member(parent, node).is_none() {
                self.0.remove(&(parent, node));
            }
        }
    }

    /// What was lacking of the right shard is lacking of the left one.
    pub fn merge(&mut self, left: ShardId, right: ShardId) {
        for node in self.incomplete(right) {
            let lacks = self.0.remove(&(right, node)).unwrap_or(0);
            *self.0.entry((left, node)).or_default() += lacks;
        }
    }
}
