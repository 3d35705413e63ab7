//! Mach n to n + 1: a node enters as Load Manager, the one before it becomes Replica (R54).
//!
//! Nothing is copied for the Replica: its copy was the shadow. Of several nodes requested at once
//! the last one in stays Load Manager. A replacement enters in the same way (R48).

use super::planner::Planner;
use crate::autoscaler::ActionKind;
use crate::topology::{
    LoadManagerState, Member, NodeId, Operation, OperationId, OperationKind, Phase, ShardId,
};

/// The fewest that can lose one and decide (X7).
const LEAST_VOTERS: usize = 3;

impl Planner<'_> {
    pub fn grow(&mut self, operation: &Operation) {
        if let OperationKind::Replace { lost } = operation.kind
            && self.up(lost)
            && self.topology.node(lost).is_some()
            && self.joined(operation.id).is_empty()
        {
            // It is back: it takes its old place.
            self.cancel_requests(operation);
            return;
        }
        let Some(shard) = self.take_in(operation) else { return };
        if self.unanswered(operation.id).is_empty() {
            self.advance(operation.id, Phase::Syncing);
        }
        // By then the roles have changed round.
        let copies = |n: &NodeId| self.topology.member(shard, *n).is_some();
        let rotated = self.joined(operation.id).iter().any(copies);
        if let OperationKind::Replace { lost } = operation.kind
            && rotated
        {
            self.fill_other_places(operation.id, shard, lost);
        }
    }

    /// Asks for the operation's first node, and lets those enter that have come. Returns the shard.
    pub fn take_in(&mut self, operation: &Operation) -> Option<ShardId> {
        let shard = self.shard_for(operation)?;
        if operation.requests.is_empty() {
            self.request(operation, self.node_level(shard));
        }
        for node in self.joined(operation.id) {
            self.enter(operation.id, shard, node);
        }
        Some(shard)
    }

    /// A node that was lost may have had a place in other shards too, as after a write split (X7):
    /// where too few are left to choose voters from, a Replica of the shard that gets the new node
    /// takes it once it is one, else another node that serves.
    fn fill_other_places(&mut self, id: OperationId, shard: ShardId, lost: NodeId) {
        let others: Vec<ShardId> =
            self.topology.shards_of(lost).map(|s| s.id).filter(|&s| s != shard).collect();
        for other in others {
            let Some(found) = self.topology.shard(other) else { continue };
            let whole = |m: &&Member| m.part.is_none() && !self.down(m.node);
            if found.members.values().filter(whole).count() >= LEAST_VOTERS {
                continue;
            }
            let free = |n: &NodeId| {
                self.up(*n)
                    && !self.is_load_manager(*n)
                    && self.topology.member(other, *n).is_none()
                    && self.topology.shards_of(*n).next().is_some()
            };
            let replicas = self.data_nodes(shard).into_iter().filter(free);
            let all = self.topology.nodes().map(|n| n.id).filter(free);
            let chosen = self.topology.latest(replicas).or_else(|| self.topology.latest(all));
            if let Some((node, source)) =
                chosen.and_then(|node| Some((node, self.source(other, node)?)))
            {
                let copy = ActionKind::AttachLearner { node, shard: other, part: None, source };
                self.emit(id, copy);
            }
        }
    }

    /// Of several Load Managers with the shard's shadow all but the newest become Replicas, as far
    /// as they are not wanted as extra ones (X30): copies in sync serve at once, others when they
    /// are. Existing connections are served to their end (X17).
    pub fn rotate(&mut self, shard: ShardId) {
        let Some(operation) = self.operation_of(shard) else { return };
        let id = operation.id;
        let rotates = matches!(
            operation.kind,
            OperationKind::Grow
                | OperationKind::Replace { .. }
                | OperationKind::ChangeLevel { .. }
                | OperationKind::SwitchTo { .. }
        ) || (matches!(operation.kind, OperationKind::Split { .. })
            && self.answer(operation, 1).is_some())
            || self.is_replacing(shard);
        if !rotates {
            return;
        }
        let wanted = self.state.desired.extra_load_managers;
        // The shadow of a part is the Load Manager of a child to come.
        let whole = |n: &NodeId| self.topology.member(shard, *n).is_none_or(|m| m.part.is_none());
        let mut shadows: Vec<NodeId> = self.live_shadows(shard).into_iter().filter(whole).collect();
        if shadows.len() < 2 {
            return;
        }
        shadows.sort_by_key(|&n| self.topology.node(n).map(|n| n.joined));
        let kept = 1 + wanted.saturating_sub(self.extra_elsewhere(shard));
        let surplus = shadows.len().saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
        shadows.truncate(surplus);
        for node in shadows {
            let ready = self.ready(shard, node);
            self.set(id, Some(shard), node, |roles| {
                roles.load_manager = LoadManagerState::Draining;
                roles.shadow = None;
                if ready {
                    roles.reads.insert(shard);
                }
            });
        }
    }

    /// Extra Load Managers that other shards keep: not those that a replacement there will relieve.
    fn extra_elsewhere(&self, shard: ShardId) -> u32 {
        let several = self.topology.all_shadows().iter().filter(|(_, nodes)| nodes.len() > 1);
        let others = several.map(|(s, _)| *s).filter(|&s| s != shard && !self.is_replacing(s));
        let extra = others.map(|s| self.live_shadows(s).len().saturating_sub(1)).sum::<usize>();
        u32::try_from(extra).unwrap_or(u32::MAX)
    }

    /// Whether a lost node of the shard is being replaced, whatever else is in flight on it.
    fn is_replacing(&self, shard: ShardId) -> bool {
        let kind = |o: &Operation| matches!(o.kind, OperationKind::Replace { .. });
        self.topology.work_on(shard).any(kind)
    }
}
