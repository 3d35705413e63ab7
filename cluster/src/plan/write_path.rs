//! A bigger Writer, level by level, and at the highest level a Writer for each half (R65-R69).
//!
//! The bigger node enters as Load Manager, and when it is in sync it and the Writer change places.
//! The same steps lower the level. A member that has the level already needs no new node.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::planner::Planner;
use crate::autoscaler::ActionKind;
use crate::topology::{Level, NodeId, Operation, OperationKind, Phase, ShardId, Vote};

impl Planner<'_> {
    pub fn change_leader(&mut self, operation: &Operation) {
        let Some(shard) = operation.shard else { return };
        if self.is_led_as_wanted(operation) {
            return;
        }
        let chosen = match operation.kind {
            OperationKind::SwitchTo { to } => Some(to).filter(|&n| self.up(n)),
            OperationKind::ChangeLevel { to } => match self.answer(operation, 0) {
                Some(node) => Some(node),
                None if operation.requests.is_empty() => {
                    // Two members cannot change the lead: a third one comes (X3).
                    let found = self.member_of_level(shard, to);
                    let found = found.filter(|&n| self.voters_with(shard, n).is_some());
                    if found.is_none() {
                        self.request(operation, to);
                    }
                    found
                }
                None => None,
            },
            _ => None,
        };
        if let Some(node) = chosen {
            self.enter(operation.id, shard, node);
            self.install(operation, shard, node);
        }
    }

    /// A member that can lead at this level: none is asked for then.
    pub fn member_of_level(&self, shard: ShardId, level: Level) -> Option<NodeId> {
        let found = self.topology.shard(shard)?;
        let fits = |n: &NodeId| {
            *n != found.writer
                && self.up(*n)
                && self.ready(shard, *n)
                && self.topology.node(*n).is_some_and(|n| n.level == level)
        };
        let ranks = found.members.keys().copied().filter(fits);
        ranks.filter_map(|n| self.leader_rank(shard, n)).max().map(|r| r.node)
    }

    /// A member in sync becomes voter and Writer.
    fn install(&mut self, operation: &Operation, shard: ShardId, node: NodeId) {
        self.advance(operation.id, Phase::Syncing);
        if self.writer(shard) == Some(node) || !self.ready(shard, node) || !self.has_quorum(shard) {
            return;
        }
        self.rotate(shard);
        if let Some(voters) = self.voters_with(shard, node) {
            self.emit(operation.id, ActionKind::ChangeVoters { shard, voters });
        }
        if self.topology.member(shard, node).is_some_and(|m| m.vote == Vote::Voter) {
            self.advance(operation.id, Phase::Transferring);
            self.lead(shard, node);
        }
    }

    pub fn lead(&mut self, shard: ShardId, to: NodeId) {
        let operation = self.operation_of(shard).map_or(super::NO_OPERATION, |o| o.id);
        self.emit(operation, ActionKind::TransferLeader { shard, to });
    }

    /// The best voters, `node` among them; none if there are too few members for that.
    fn voters_with(&self, shard: ShardId, node: NodeId) -> Option<BTreeSet<NodeId>> {
        let writer = self.writer(shard)?;
        let mut voters = self.best_voters(shard);
        if voters.contains(&node) {
            return Some(voters);
        }
        // Mach III and IV: the members in sync that serve, whether they count as Replicas yet.
        if voters.len() < 3 {
            let data = self.data_nodes(shard);
            let third = data.into_iter().find(|&n| n != node && self.up(n) && self.ready(shard, n));
            voters.extend(third);
        } else {
            let rank = |n: &NodeId| {
                let found = self.topology.node(*n);
                (found.map(|n| n.level), Reverse(found.map(|n| n.joined)), *n)
            };
            let worst = voters.iter().copied().filter(|&n| n != writer).min_by_key(rank)?;
            voters.remove(&worst);
        }
        voters.insert(node);
        (voters.len() % 2 == 1).then_some(voters)
    }

    pub fn is_led_as_wanted(&self, operation: &Operation) -> bool {
        let Some(shard) = operation.shard else { return false };
        match operation.kind {
            OperationKind::ChangeLevel { to } => match self.answer(operation, 0) {
                Some(node) => self.writer(shard) == Some(node),
                None => self.topology.writer_level(shard) == Some(to),
            },
            OperationKind::SwitchTo { to } => self.writer(shard) == Some(to),
            _ => false,
        }
    }

    /// Replicas beyond the configured number leave once the new Writer leads, the smallest first
    /// (3.3); with `retire-old-leader` the old Writer does.
    pub fn level_leaving(&self, shard: ShardId, to: Level) -> Vec<NodeId> {
        if self.topology.writer_level(shard) != Some(to) {
            return Vec::new();
        }
        let data = self.data_nodes(shard);
        if self.config.levels.retire_old_leader {
            let serves = |n: &NodeId| self.topology.member(shard, *n).is_some_and(|m| m.reads);
            return data.into_iter().filter(|n| !serves(n)).collect();
        }
        let rules = &self.config.replicas;
        let max = rules.most(&self.config.split);
        let surplus = data.len().saturating_sub(usize::try_from(max).unwrap_or(usize::MAX));
        let mut nodes: Vec<NodeId> = data.into_iter().collect();
        nodes.sort_by_key(|&n| {
            let found = self.topology.node(n);
            (found.map(|n| n.level), Reverse(found.map(|n| n.joined)))
        });
        nodes.truncate(surplus);
        nodes
    }

    /// A split by the write path asks for the child's Writer, with paired levels for the parent's
    /// too.
    pub fn request_for_split(&mut self, operation: &Operation, parent: ShardId) {
        let goal = self.state.desired.shards.get(&parent).and_then(|d| d.split);
        let rules = &self.config.levels;
        let writer = self.topology.writer_level(parent).unwrap_or(Level::MIN);
        let paired = goal.and_then(|g| g.paired_level);
        let child = goal.map(|g| g.child_level).or(rules.child_level).unwrap_or(writer);
        let asked = operation.requests.len();
        if asked == 0 {
            self.request(operation, paired.unwrap_or(child));
        }
        if let Some(level) = paired.filter(|_| asked < 2) {
            self.request(operation, level);
        }
    }

    /// The second node of a pair enters as Load Manager of the parent.
    pub fn enter_second(&mut self, operation: &Operation, parent: ShardId) {
        if let Some(node) = self.answer(operation, 1) {
            self.enter(operation.id, parent, node);
        }
    }

    /// The second node of a pair takes the parent's lead once the child has its own and has parted
    /// with the old Writer.
    pub fn lead_parent(&mut self, operation: &Operation, parent: ShardId) {
        let OperationKind::Split { child, .. } = operation.kind else { return };
        // Who leaves the child is told by being the parent's Writer: so it goes first.
        let leaving = self.leaving(child);
        let writer = self.writer(parent).filter(|w| !leaving.contains(w));
        let own = writer.is_some() && writer != self.writer(child) && self.is_led(child);
        if let Some(node) = self.answer(operation, 1).filter(|_| own) {
            self.install(operation, parent, node);
        }
    }

    /// Level of an ordinary node: big enough to lead after a failure (X22).
    pub fn node_level(&self, shard: ShardId) -> Level {
        let rules = &self.config.levels;
        let writer = self.topology.writer_level(shard).unwrap_or(Level::MIN);
        rules.node_level.unwrap_or(writer.down(rules.voter_level_gap))
    }
}
