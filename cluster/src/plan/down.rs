//! Smaller: the rotation backwards, and two shards that become one (X20).
//!
//! The newest Replica becomes Load Manager, its copy the shadow; the Load Manager before it leaves.
//! Below that the Writer serves reads again, and at last is Load Manager itself. No byte moves. A
//! merge copies the right range to those of the left shard that lack it.

use std::collections::BTreeSet;

use super::planner::Planner;
use crate::autoscaler::ActionKind;
use crate::topology::{LoadManagerState, NodeId, Operation, OperationKind, Phase, ShardId};

impl Planner<'_> {
    pub fn shrink(&mut self, operation: &Operation) {
        let Some(shard) = operation.shard else { return };
        if !self.retired(operation).is_empty() || !self.is_healthy(shard) {
            return;
        }
        let shadows = self.live_shadows(shard);
        let mut old: Vec<NodeId> =
            shadows.iter().copied().filter(|n| !operation.nodes.contains(n)).collect();
        old.sort_by_key(|&n| self.topology.node(n).map(|n| n.joined));
        let Some(&leaves) = old.last() else {
            self.retire_replica(operation, shard);
            return;
        };
        if !self.take_place(operation, shard, &shadows) {
            return;
        }
        self.advance(operation.id, Phase::Releasing);
        self.set(operation.id, Some(shard), leaves, |roles| {
            roles.load_manager = LoadManagerState::Draining;
            roles.shadow = None;
        });
    }

    /// The newest Replica, or the Writer if there is none, becomes Load Manager. True if so.
    fn take_place(
        &mut self,
        operation: &Operation,
        shard: ShardId,
        shadows: &BTreeSet<NodeId>,
    ) -> bool {
        if shadows.iter().any(|n| operation.nodes.contains(n)) {
            return true;
        }
        match self.latest_own_replica(shard) {
            Some(node) => self.become_load_manager(shard, node),
            None => self.writer(shard).is_some_and(|writer| {
                self.set(operation.id, Some(shard), writer, |roles| {
                    roles.load_manager = LoadManagerState::On;
                })
            }),
        }
    }

    /// A shard without a Load Manager of its own just loses a Replica.
    fn retire_replica(&mut self, operation: &Operation, shard: ShardId) {
        let Some(node) = self.latest_own_replica(shard) else { return };
        self.ensure_reader(shard, node);
        self.advance(operation.id, Phase::Releasing);
        self.set(operation.id, Some(shard), node, |roles| {
            roles.reads.remove(&shard);
        });
    }

    /// The Replica that joined last, one of this shard alone before one of several.
    fn latest_own_replica(&self, shard: ShardId) -> Option<NodeId> {
        let ready = |n: &NodeId| self.up(*n) && self.ready(shard, *n);
        let data: Vec<NodeId> = self.data_nodes(shard).into_iter().filter(ready).collect();
        let own = data.iter().copied().filter(|&n| self.topology.shards_of(n).count() == 1);
        self.topology.latest(own).or_else(|| self.topology.latest(data.iter().copied()))
    }

    /// Whether somebody was relieved and keeps no copy any more.
    pub fn is_shrunk(&self, operation: &Operation) -> bool {
        let member =
            |n: &NodeId| operation.shard.is_some_and(|s| self.topology.member(s, *n).is_some());
        let retired = self.retired(operation);
        !retired.is_empty() && !retired.iter().any(member)
    }

    pub fn merge(&mut self, operation: &Operation) {
        let OperationKind::Merge { right } = operation.kind else { return };
        let Some(left) = operation.shard else { return };
        if self.topology.shard(right).is_none() {
            return;
        }
        self.keep_replicas(operation, left, right);
        let Some(found) = self.topology.shard(left) else { return };
        let data = self.data_nodes(left);
        // Who is lost and neither votes nor serves any more is not waited for.
        let stays = |n: NodeId| data.contains(&n) && !self.down(n);
        let duty = found.members.values().filter(|m| m.reads || m.vote.after() || stays(m.node));
        let duty: BTreeSet<NodeId> = duty.map(|m| m.node).collect();
        for &node in &duty {
            let whole = self.topology.member(right, node).is_some_and(|m| m.part.is_none());
            if let Some(source) = self.source(right, node).filter(|_| !whole) {
                let copy = ActionKind::AttachLearner { node, shard: right, part: None, source };
                self.emit(operation.id, copy);
            }
        }
        self.advance(operation.id, Phase::Syncing);
        let ready = |&n: &NodeId| self.up(n) && self.ready(right, n) && self.ready(left, n);
        if duty.iter().all(ready) && self.has_quorum(left) && self.has_quorum(right) {
            self.advance(operation.id, Phase::Committed);
            self.emit(operation.id, ActionKind::MergeShards { left, right });
        }
    }

    /// The oldest Replicas of the right shard become the left one's too, as many as are wanted
    /// there: after a merge of two of Mach IV that is the exact inverse of the split.
    fn keep_replicas(&mut self, operation: &Operation, left: ShardId, right: ShardId) {
        let wanted = self.state.desired.shards.get(&left).map_or(0, |d| d.mach);
        let mut nodes: Vec<NodeId> = self
            .data_nodes(right)
            .into_iter()
            .filter(|&n| self.up(n) && self.topology.member(left, n).is_none())
            .collect();
        nodes.extend(self.writer(right).filter(|&w| self.topology.member(left, w).is_none()));
        nodes.sort_by_key(|&n| self.topology.node(n).map(|n| n.joined));
        let missing = wanted.saturating_sub(self.size(left));
        for node in nodes.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
            if let Some(source) = self.source(left, node) {
                let copy = ActionKind::AttachLearner { node, shard: left, part: None, source };
                self.emit(operation.id, copy);
            }
        }
    }
}
