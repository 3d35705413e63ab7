//! One shard becomes two: by the read path, where the members suffice for both and one more node
//! is the child's Load Manager (R60), and what both paths share.
//!
//! The child begins with the parent's Writer as its Writer, so there is no gap; then one of its own
//! takes the lead, and each side drops what it need not keep.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::planner::Planner;
use crate::autoscaler::{ActionKind, SplitGoal};
use crate::topology::{NodeId, Operation, OperationKind, Phase, ShardId, SplitCause};

/// Replicas that a parent keeps, and members a child begins with beside the first Writer.
const LEAST_REPLICAS: usize = 2;
const LEAST_CHILD: usize = 3;
/// Replicas of the parent that a child with a new Writer is given (X7).
const SHARED_REPLICAS: usize = 2;

impl Planner<'_> {
    pub fn split(&mut self, operation: &Operation) {
        let OperationKind::Split { child, .. } = operation.kind else { return };
        match self.topology.shard(child) {
            Some(_) => self.after_split(operation, child),
            None => self.before_split(operation),
        }
    }

    fn before_split(&mut self, operation: &Operation) {
        let OperationKind::Split { at, child, cause } = operation.kind else { return };
        let Some(parent) = operation.shard else { return };
        let Some(found) = self.topology.shard(parent) else { return };
        let Ok((_, right)) = found.range.split_at(at) else {
            // The range changed since: the goal is void.
            self.cancel_requests(operation);
            return;
        };
        let new = match cause {
            SplitCause::Reads => self.child_load_manager(operation, parent),
            SplitCause::Writes => {
                self.request_for_split(operation, parent);
                self.enter_second(operation, parent);
                self.answer(operation, 0)
            }
        };
        let Some(new) = new else { return };
        if self.topology.member(parent, new).is_none() {
            self.attach_part(operation, parent, new, right);
        }
        self.advance(operation.id, Phase::Syncing);
        let writer = self.writer(parent);
        let ready = self.warm(parent, new) && writer.is_some_and(|w| self.up(w));
        if !ready || !self.has_quorum(parent) {
            return;
        }
        let (voters, learners) = self.child_members(parent, new, cause);
        let group = self.topology.counters().group;
        self.advance(operation.id, Phase::Committed);
        let split = ActionKind::SplitShard { shard: parent, at, child, group, voters, learners };
        self.emit(operation.id, split);
    }

    /// Who will be the child's Load Manager: a second one that the shard has, a Replica of a shard
    /// that is big enough for two, else a new node. Only that one has to copy anything.
    fn child_load_manager(&mut self, operation: &Operation, parent: ShardId) -> Option<NodeId> {
        if operation.requests.is_empty() {
            let fit = |n: &NodeId| self.up(*n) && self.ready(parent, *n);
            let replicas: Vec<NodeId> = self.data_nodes(parent).into_iter().filter(fit).collect();
            let shadows: Vec<NodeId> = self.live_shadows(parent).into_iter().filter(fit).collect();
            if SplitGoal::is_enough(replicas.len(), shadows.len()) {
                if shadows.len() > 1 {
                    return self.topology.latest(shadows);
                }
                let chosen = self.topology.latest(replicas)?;
                return self.become_load_manager(parent, chosen).then_some(chosen);
            }
            self.request(operation, self.node_level(parent));
        }
        let new = self.answer(operation, 0)?;
        self.enter(operation.id, parent, new);
        Some(new)
    }

    fn attach_part(
        &mut self,
        operation: &Operation,
        shard: ShardId,
        node: NodeId,
        part: crate::topology::BucketRange,
    ) {
        if let Some(source) = self.source(shard, node) {
            let part = Some(part);
            let copy = ActionKind::AttachLearner { node, shard, part, source };
            self.emit(operation.id, copy);
        }
    }

    /// The child's first voters, an odd number with the parent's Writer, and learners.
    fn child_members(
        &self,
        parent: ShardId,
        new: NodeId,
        cause: SplitCause,
    ) -> (BTreeSet<NodeId>, BTreeSet<NodeId>) {
        let fit = |n: &NodeId| self.up(*n) && self.ready(parent, *n);
        let mut pool: Vec<NodeId> = self.data_nodes(parent).into_iter().filter(fit).collect();
        pool.sort_by_key(|&n| Reverse(self.topology.node(n).map(|n| n.joined)));
        let size = match cause {
            SplitCause::Reads => pool.len().div_ceil(2).max(LEAST_CHILD),
            SplitCause::Writes => SHARED_REPLICAS,
        };
        pool.truncate(size);
        let mut learners = BTreeSet::new();
        match cause {
            SplitCause::Reads => learners.extend([new]),
            SplitCause::Writes => pool.insert(0, new),
        }
        let max = usize::try_from(self.config.safety.max_voters).unwrap_or(usize::MAX);
        let count = pool.len().min(max.saturating_sub(1)) & !1;
        learners.extend(pool.iter().copied().skip(count));
        let mut voters: BTreeSet<NodeId> = pool.into_iter().take(count).collect();
        voters.extend(self.writer(parent));
        (voters, learners)
    }

    fn after_split(&mut self, operation: &Operation, child: ShardId) {
        let Some(parent) = operation.shard else { return };
        self.give_shadow(operation, parent, child);
        self.enter_second(operation, parent);
        self.lead_parent(operation, parent);
        if let Some(to) = self.child_leader(operation, parent, child) {
            self.advance(operation.id, Phase::Transferring);
            self.lead(child, to);
        }
    }

    /// The parent's second shadow is the child's from now on.
    fn give_shadow(&mut self, operation: &Operation, parent: ShardId, child: ShardId) {
        let shadows = self.live_shadows(parent);
        if shadows.len() < 2 || !self.shadows_of(child).is_empty() {
            return;
        }
        let fit = |n: &NodeId| self.topology.member(child, *n).is_some();
        if let Some(node) = self.topology.latest(shadows.into_iter().filter(fit)) {
            self.set(operation.id, Some(child), node, |roles| {
                roles.shadow = Some(child);
                roles.reads.remove(&child);
            });
        }
    }

    /// Who takes the child's lead from the parent's Writer, if somebody should and can.
    fn child_leader(
        &self,
        operation: &Operation,
        parent: ShardId,
        child: ShardId,
    ) -> Option<NodeId> {
        let OperationKind::Split { cause, .. } = operation.kind else { return None };
        let (found, writer) = (self.topology.shard(child)?, self.writer(parent)?);
        let new = self.answer(operation, 0).filter(|n| found.voters().contains(n));
        let wanted = match cause {
            SplitCause::Writes => new,
            SplitCause::Reads => None,
        };
        (found.writer == writer).then_some(())?;
        wanted.or_else(|| self.best_leader(child, writer))
    }

    /// Whether the shard's Writer is observed to lead its group: before that nobody drops the half
    /// that the other shard has now (C32).
    pub fn is_led(&self, shard: ShardId) -> bool {
        let writer = self.writer(shard);
        let known = self.seen.topology.shard(shard).map(|s| s.writer);
        let leads = self.seen.shards.get(&shard).and_then(|s| s.leader);
        writer.is_some() && known == writer && leads == writer
    }

    /// Who leaves `shard` after the split: the parent's Writer leaves the child once another leads
    /// it and enough are left; Replicas of the child leave the parent, the newest first, as long as
    /// enough are left there. A write split shares two of them (X7).
    pub fn split_leaving(
        &self,
        shard: ShardId,
        parent: ShardId,
        child: ShardId,
        cause: SplitCause,
    ) -> Vec<NodeId> {
        let (Some(left), Some(right)) = (self.topology.shard(parent), self.topology.shard(child))
        else {
            return Vec::new();
        };
        if !self.is_led(child) {
            return Vec::new();
        }
        if shard == child && right.writer != left.writer {
            let stays = |n: &&NodeId| **n != left.writer && !self.down(**n);
            let others = right.members.keys().filter(stays).count();
            return if others >= LEAST_CHILD { vec![left.writer] } else { Vec::new() };
        }
        if shard != parent || cause == SplitCause::Writes || right.writer == left.writer {
            return Vec::new();
        }
        let data = self.data_nodes(parent);
        let mut shared: Vec<NodeId> = data.iter().copied().filter(|&n| right.has(n)).collect();
        shared.sort_by_key(|&n| {
            (n != right.writer, Reverse(self.topology.node(n).map(|n| n.joined)))
        });
        shared.truncate(data.len().saturating_sub(LEAST_REPLICAS));
        shared
    }

    pub fn is_split(&self, operation: &Operation) -> bool {
        let OperationKind::Split { child, .. } = operation.kind else { return false };
        let Some(parent) = operation.shard else { return false };
        self.is_led(child)
            && self.leaving(parent).is_empty()
            && self.leaving(child).is_empty()
            && self.child_leader(operation, parent, child).is_none()
            && self.answer(operation, 1).is_none_or(|n| self.writer(parent) == Some(n))
    }
}
