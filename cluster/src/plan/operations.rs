//! Operations in flight: each kind's next step, the nodes they wait for, their end.

use std::collections::BTreeSet;

use super::planner::Planner;
use crate::autoscaler::action::Purpose;
use crate::autoscaler::{ActionKind, EventKind};
use crate::topology::{
    LoadManagerState, Member, NodeId, Operation, OperationId, OperationKind, Phase, ShardId, Vote,
};

impl Planner<'_> {
    pub fn advance_operations(&mut self) {
        // Repairs first.
        let mut operations: Vec<Operation> = self.topology.operations().cloned().collect();
        operations.sort_by_key(|o| (!o.kind.is_repair(), o.id));
        for operation in operations {
            self.advance_operation(&operation);
        }
    }

    pub fn advance_operation(&mut self, operation: &Operation) {
        if self.is_unwanted(operation) {
            self.abandon(operation);
            return;
        }
        self.renew_copies(operation);
        match operation.kind {
            OperationKind::Grow | OperationKind::Replace { .. } => self.grow(operation),
            OperationKind::AddLoadManager => self.add_load_manager(operation),
            OperationKind::RemoveLoadManager => self.remove_load_manager(operation),
            OperationKind::Shrink => self.shrink(operation),
            OperationKind::ChangeLevel { .. } | OperationKind::SwitchTo { .. } => {
                self.change_leader(operation);
            }
            OperationKind::Split { .. } => self.split(operation),
            OperationKind::Merge { .. } => self.merge(operation),
            OperationKind::Revote => {}
        }
    }

    pub fn finish_operations(&mut self) {
        let operations: Vec<Operation> = self.topology.operations().cloned().collect();
        for operation in operations {
            let settled = operation.shards().iter().all(|&s| self.is_settled(s));
            if !self.is_touched(&operation) && settled && self.is_complete(&operation) {
                self.release_retired(&operation);
                self.finish(&operation);
            }
        }
    }

    /// Nodes that the operation has left without any duty.
    fn release_retired(&mut self, operation: &Operation) {
        for &node in &operation.nodes {
            let off = self.load_manager(node) == LoadManagerState::Off;
            if off && self.is_idle(node) && self.up(node) {
                self.release(super::NO_OPERATION, node);
            }
        }
    }

    /// Whether the operation's purpose is reached, once its shards are settled.
    fn is_complete(&self, operation: &Operation) -> bool {
        let answered = self.unanswered(operation.id).is_empty();
        let has = |s: ShardId| self.topology.shard(s).is_some();
        match operation.kind {
            OperationKind::Grow | OperationKind::AddLoadManager => {
                answered && !self.joined(operation.id).is_empty()
            }
            OperationKind::Replace { lost } => {
                let back = self.up(lost) && self.topology.node(lost).is_some();
                let gone = self.topology.node(lost).is_none();
                answered && (back || (gone && !self.joined(operation.id).is_empty()))
            }
            OperationKind::Shrink => self.is_shrunk(operation),
            OperationKind::RemoveLoadManager => !self.retired(operation).is_empty(),
            OperationKind::ChangeLevel { .. } | OperationKind::SwitchTo { .. } => {
                self.is_led_as_wanted(operation)
            }
            OperationKind::Split { child, .. } => has(child) && self.is_split(operation),
            OperationKind::Merge { right } => !has(right),
            OperationKind::Revote => true,
        }
    }

    pub fn finish(&mut self, operation: &Operation) {
        if !self.emit(operation.id, ActionKind::FinishOperation) {
            return;
        }
        // Without it the end was told before, and is not observed yet.
        let told = self.state.operations.remove(&operation.id).is_none();
        let (now, rest) = (self.seen.now_ms, &self.config.cooldown);
        self.ended.extend(operation.shards());
        for shard in operation.shards() {
            let memory = self.state.shards.entry(shard).or_default();
            memory.last_completed = Some(now);
            memory.cooldown_up_until = now.after(rest.cooldown_up);
            memory.cooldown_down_until = now.after(rest.cooldown_down);
            match operation.kind {
                OperationKind::Split { .. } => {
                    memory.cooldown_merge_until = now.after(rest.cooldown_merge);
                }
                OperationKind::Merge { .. } => {
                    memory.cooldown_split_until = now.after(rest.cooldown_merge);
                }
                _ => {}
            }
        }
        if !told {
            self.tell_reshaped(operation);
        }
    }

    fn tell_reshaped(&mut self, operation: &Operation) {
        let bytes_moved = self.seen.operations.get(&operation.id).map_or(0, |o| o.bytes_done);
        let Some(shard) = operation.shard else { return };
        match operation.kind {
            OperationKind::Split { child, at, .. } => {
                let pause_ms = None;
                self.events.push(EventKind::ShardSplit { shard, child, at, bytes_moved, pause_ms });
            }
            OperationKind::Merge { right } => {
                self.state.shards.remove(&right);
                let at = self.seen.topology.shard(right).map(|s| s.range.first());
                let at = at.or(self.topology.shard(shard).map(|s| s.range.last()));
                if let Some(at) = at {
                    let pause_ms = None;
                    let event = EventKind::ShardMerged { shard, right, at, bytes_moved, pause_ms };
                    self.events.push(event);
                }
            }
            _ => {}
        }
    }

    /// Nodes that joined for the operation, the earliest first: they answer its requests, each one.
    pub fn joined(&self, operation: OperationId) -> Vec<NodeId> {
        let Some(found) = self.topology.operation(operation) else { return Vec::new() };
        let answers = |n: &NodeId| {
            let request = self.topology.node(*n).and_then(|n| n.request);
            !self.down(*n)
                && request.is_some_and(|r| found.requests.contains(&r))
                && !self.is_double(*n)
        };
        let mut nodes: Vec<NodeId> = found.nodes.iter().copied().filter(answers).collect();
        nodes.sort_by_key(|&n| self.topology.node(n).map(|n| n.joined));
        nodes
    }

    /// Whether a node that has no duty yet answers a request that another one has answered: one
    /// that was asked for twice and came twice.
    pub fn is_double(&self, node: NodeId) -> bool {
        let Some(found) = self.topology.node(node) else { return false };
        let request = found.request.filter(|_| self.is_idle(node));
        let first = |n: &crate::topology::Node| {
            let idle = self.is_idle(n.id);
            n.id != node && !self.down(n.id) && (!idle || n.joined < found.joined)
        };
        request.is_some_and(|r| self.topology.answering(r).any(first))
    }

    /// The node that answers one of the operation's requests: `nth` by number of the request.
    pub fn answer(&self, operation: &Operation, nth: usize) -> Option<NodeId> {
        let request = *operation.requests.iter().nth(nth)?;
        let answers =
            |n: &&NodeId| self.topology.node(**n).is_some_and(|n| n.request == Some(request));
        let living = |&n: &NodeId| self.up(n) && !self.is_double(n);
        operation.nodes.iter().filter(answers).copied().find(living)
    }

    /// A new node's first role: Load Manager with the shard's shadow (I6).
    pub fn enter(&mut self, operation: OperationId, shard: ShardId, node: NodeId) {
        if self.is_idle(node) && self.load_manager(node) == LoadManagerState::Off {
            self.set(operation, Some(shard), node, |roles| {
                roles.load_manager = LoadManagerState::On;
                roles.shadow = Some(shard);
            });
            self.advance(operation, Phase::Joined);
        }
    }

    /// Whether the node keeps no copy and is to keep none, and clients are not sent to it.
    pub fn is_idle(&self, node: NodeId) -> bool {
        let Some(found) = self.topology.node(node) else { return false };
        found.load_manager != LoadManagerState::On
            && found.shadow.is_none()
            && self.topology.shards_of(node).next().is_none()
    }

    /// Nodes of an operation that takes nodes away which it has relieved of all roles but reads.
    pub fn retired(&self, operation: &Operation) -> BTreeSet<NodeId> {
        let writer = operation.shard.and_then(|s| self.writer(s));
        let relieved = |n: &NodeId| {
            self.topology.node(*n).is_none_or(|found| {
                Some(*n) != writer && !found.is_load_manager() && found.shadow.is_none()
            })
        };
        operation.nodes.iter().copied().filter(relieved).collect()
    }

    /// The shard an operation without one, or whose shard has ended, does its work for.
    pub fn shard_for(&self, operation: &Operation) -> Option<ShardId> {
        let known = operation.shard.filter(|&s| self.topology.shard(s).is_some());
        let asked = operation
            .requests
            .iter()
            .find_map(|r| self.state.requests.get(r)?.asked.purpose.shard());
        known
            .or(asked.filter(|&s| self.topology.shard(s).is_some()))
            .or_else(|| self.fewest_shadows())
    }

    /// The purpose of an operation's request, by its kind: the first or a later one.
    pub fn purpose(&self, operation: &Operation, nth: usize) -> Option<Purpose> {
        let shard = self.shard_for(operation)?;
        Some(match (&operation.kind, nth) {
            (OperationKind::Replace { lost }, _) => {
                Purpose::Replace { lost: *lost, shard: operation.shard }
            }
            (OperationKind::AddLoadManager, _) => Purpose::ExtraLoadManager { shard },
            (OperationKind::Split { cause: crate::topology::SplitCause::Reads, .. }, _) => {
                Purpose::ExtraLoadManager { shard }
            }
            (OperationKind::Split { .. }, 0) => Purpose::ChildLeader { shard },
            (OperationKind::Split { .. } | OperationKind::ChangeLevel { .. }, _) => {
                Purpose::BiggerLeader { shard }
            }
            _ => Purpose::Rotate { shard },
        })
    }

    /// Whether what makes a shard smaller is no longer wanted, and can still be left (X31): load
    /// has come back.
    fn is_unwanted(&self, operation: &Operation) -> bool {
        let Some(shard) = operation.shard.filter(|_| operation.phase.can_cancel()) else {
            return false;
        };
        let Some(wanted) = self.state.desired.shards.get(&shard) else { return false };
        match operation.kind {
            OperationKind::Shrink => operation.nodes.is_empty() && wanted.mach >= self.size(shard),
            OperationKind::Merge { right } => wanted.merge != Some(right),
            OperationKind::ChangeLevel { to } => {
                wanted.level != to && self.topology.writer_level(shard).is_some_and(|l| to < l)
            }
            _ => false,
        }
    }

    /// A copy that takes longer than `sync-timeout`, or has failed, is begun anew: what was copied
    /// is dropped, and the rules that asked for it ask again.
    fn renew_copies(&mut self, operation: &Operation) {
        let begun = operation.phase > Phase::Requested && operation.phase.can_cancel();
        let (now, rules) = (self.seen.now_ms, &self.config.sync);
        let failed = self.seen.operations.get(&operation.id).is_some_and(|o| o.failed.is_some());
        let late = if failed { rules.step_timeout } else { rules.sync_timeout };
        let times = self.state.operations.get(&operation.id).copied().filter(|_| begun);
        if !times.is_some_and(|t| now.is_past(t.phase_since, late)) {
            return;
        }
        for shard in operation.shards() {
            let Some(found) = self.topology.shard(shard).cloned() else { continue };
            let unfinished =
                |m: &&Member| m.vote == Vote::Learner && !m.reads && !self.warm(shard, m.node);
            let members: Vec<NodeId> =
                found.members.values().filter(unfinished).map(|m| m.node).collect();
            for node in members.into_iter().filter(|n| operation.nodes.contains(n)) {
                let drop = ActionKind::DropRange { node, shard, range: found.range };
                self.emit(operation.id, drop);
            }
        }
        if let Some(times) = self.state.operations.get_mut(&operation.id) {
            times.phase_since = now;
            times.attempt = times.attempt.saturating_add(1);
        }
    }

    /// Copies made for a merge are dropped, requests taken back, the operation ends. A node that
    /// has joined stays what it has become.
    fn abandon(&mut self, operation: &Operation) {
        for shard in operation.shards() {
            let Some(found) = self.topology.shard(shard).cloned() else { continue };
            let guests = found.members.keys().filter(|&&n| self.is_guest(shard, n));
            for node in guests.copied().collect::<Vec<NodeId>>() {
                let drop = ActionKind::DropRange { node, shard, range: found.range };
                self.emit(operation.id, drop);
            }
        }
        self.cancel_requests(operation);
        self.cancel(operation);
    }
}
