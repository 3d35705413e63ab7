//! What a completed action does to a topology: the same for the control group, the simulator and
//! the model checker.

use std::collections::BTreeSet;

use super::action::{Action, ActionKind};
use crate::topology::{
    BucketRange, Epoch, NodeId, Operation, OperationId, ShardId, Topology, Violation,
};

/// Whether applying an action changed anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// The topology is another one.
    Changed,
    /// It was so before, or the action concerns no topology.
    Unchanged,
}

/// Why an action was not applied. The topology is as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApplyError {
    /// It was planned under an epoch that is over (X33).
    #[error("{operation}: planned under {planned}, now it is {current}: a stale action is refused")]
    Stale {
        /// The action's operation.
        operation: OperationId,
        /// The action's epoch.
        planned: Epoch,
        /// The shard's, or the control epoch.
        current: Epoch,
    },
    /// It was planned under an epoch this topology has not reached (C10): wait for it.
    #[error("{operation}: planned under {planned}, this topology is only at {current}")]
    Ahead {
        /// The action's operation.
        operation: OperationId,
        /// The action's epoch.
        planned: Epoch,
        /// The shard's, or the control epoch.
        current: Epoch,
    },
    /// A copy is made from another member, one that keeps all of the shard (C35).
    #[error(
        "{source_node} cannot be the source of a copy of {shard}: it is the target or keeps not all of it"
    )]
    Source {
        /// The shard.
        shard: ShardId,
        /// The node named as source.
        source_node: NodeId,
    },
    /// It would break an invariant.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl Topology {
    /// Whether the topology is as if `action` had been completed. True of what concerns no
    /// topology (limits), so a step is done when this is true and what it waits for is observed.
    pub fn is_done(&self, action: &Action) -> bool {
        let was_used = action.operation < self.counters().operation;
        let operation = self.operation(action.operation);
        match &action.kind {
            ActionKind::RequestNode(asked) => match operation {
                Some(operation) => operation.requests.contains(&asked.request),
                None => was_used,
            },
            ActionKind::CancelRequest { request } => {
                !operation.is_some_and(|o| o.requests.contains(request))
            }
            ActionKind::ReleaseNode { node } => self.is_gone(*node),
            ActionKind::Fence { node } => {
                self.is_gone(*node) || self.node(*node).is_some_and(|n| n.fenced)
            }
            ActionKind::AttachLearner { node, shard, part, .. } => {
                self.member(*shard, *node).is_some_and(|m| m.part.is_none() || m.part == *part)
            }
            ActionKind::ChangeVoters { shard, voters } => {
                self.shard(*shard).is_some_and(|s| !s.is_joint() && s.voters() == *voters)
            }
            ActionKind::SetRoles { node, roles, .. } => self.node(*node).is_some_and(|n| {
                n.load_manager == roles.load_manager
                    && n.shadow == roles.shadow
                    && self.reads_of(*node) == roles.reads
            }),
            ActionKind::TransferLeader { shard, to } => {
                self.shard(*shard).is_some_and(|s| s.writer == *to)
            }
            ActionKind::TakeOver { shard, to } => self.shard(*shard).is_some_and(|s| {
                s.writer == *to && s.voters() == BTreeSet::from([*to]) && !s.is_joint()
            }),
            ActionKind::SplitShard { at, child, .. } => {
                self.shard(*child).is_some_and(|s| s.range.first() == *at)
            }
            ActionKind::MergeShards { left, right } => {
                self.shard(*left).is_some()
                    && self.shard(*right).is_none()
                    && *right < self.counters().shard
            }
            ActionKind::DropRange { node, shard, range } => !self.keeps_only(*shard, *node, *range),
            ActionKind::SetLimits { .. } => true,
            ActionKind::BeginOperation { .. } => was_used,
            ActionKind::AdvanceOperation { phase } => match operation {
                Some(operation) => operation.phase >= *phase,
                None => was_used,
            },
            ActionKind::FinishOperation | ActionKind::CancelOperation => {
                was_used && operation.is_none()
            }
        }
    }

    /// Does what a completed `action` does. Idempotent: what is done already is `Unchanged`,
    /// whatever epoch it carries; else a stale epoch is refused.
    pub fn apply(&mut self, action: &Action) -> Result<Applied, ApplyError> {
        if self.is_done(action) {
            return Ok(Applied::Unchanged);
        }
        self.check_epoch(action)?;
        self.perform(action)?;
        Ok(Applied::Changed)
    }

    fn check_epoch(&self, action: &Action) -> Result<(), ApplyError> {
        let (operation, planned) = (action.operation, action.epoch);
        let current = match action.shard() {
            Some(shard) => self.shard(shard).ok_or(Violation::UnknownShard(shard))?.epoch,
            None => self.epoch(),
        };
        if planned < current {
            return Err(ApplyError::Stale { operation, planned, current });
        }
        if planned > current {
            return Err(ApplyError::Ahead { operation, planned, current });
        }
        Ok(())
    }

    /// Each arm is one change, or several of which only the first can be refused: so the whole is
    /// done or nothing is.
    fn perform(&mut self, action: &Action) -> Result<(), ApplyError> {
        let id = action.operation;
        match &action.kind {
            ActionKind::RequestNode(asked) => self.involve(id, &[], &[asked.request])?,
            ActionKind::CancelRequest { request } => self.withdraw(id, *request)?,
            ActionKind::ReleaseNode { node } => self.leave(*node)?,
            ActionKind::Fence { node } => self.fence(*node)?,
            ActionKind::AttachLearner { node, shard, part, source } => {
                self.check_source(*shard, *node, *source)?;
                self.attach(*shard, *node, *part)?;
                self.involve_if_known(id, *node)?;
            }
            ActionKind::ChangeVoters { shard, voters } => {
                if !self.shard(*shard).is_some_and(|s| s.is_joint() && s.voters() == *voters) {
                    self.begin_voters(*shard, voters)?;
                }
                self.finish_voters(*shard)?;
            }
            ActionKind::SetRoles { node, roles, .. } => {
                self.set_roles(*node, roles)?;
                self.involve_if_known(id, *node)?;
            }
            ActionKind::TransferLeader { shard, to } => self.set_writer(*shard, *to)?,
            ActionKind::TakeOver { shard, to } => self.take_over(*shard, *to)?,
            ActionKind::SplitShard { shard, at, child, group, voters, learners } => {
                self.split(*shard, *at, (*child, *group), voters, learners)?;
            }
            ActionKind::MergeShards { left, right } => self.merge(*left, *right)?,
            ActionKind::DropRange { node, shard, .. } => {
                self.detach(*shard, *node)?;
                self.involve_if_known(id, *node)?;
            }
            ActionKind::SetLimits { .. } => {}
            ActionKind::BeginOperation { what, shard } => {
                self.begin(Operation::begin(id, what.clone(), *shard, action.epoch))?;
            }
            ActionKind::AdvanceOperation { phase } => self.advance(id, *phase)?,
            ActionKind::FinishOperation => drop(self.finish(id)?),
            ActionKind::CancelOperation => drop(self.cancel(id)?),
        }
        Ok(())
    }

    /// The shards whose reads a node serves.
    pub fn reads_of(&self, node: NodeId) -> BTreeSet<ShardId> {
        let reads = |s: &&crate::topology::Shard| s.members.get(&node).is_some_and(|m| m.reads);
        self.shards_of(node).filter(reads).map(|s| s.id).collect()
    }

    fn is_gone(&self, node: NodeId) -> bool {
        self.node(node).is_none() && node < self.counters().node
    }

    /// Whether all the node keeps of the shard lies in `range`.
    fn keeps_only(&self, shard: ShardId, node: NodeId, range: BucketRange) -> bool {
        let Some(found) = self.shard(shard) else { return false };
        let kept = found.members.get(&node).map(|m| m.part.unwrap_or(found.range));
        kept.is_some_and(|kept| range.covers(kept))
    }

    fn check_source(&self, shard: ShardId, node: NodeId, source: NodeId) -> Result<(), ApplyError> {
        let whole = self.member(shard, source).is_some_and(|m| m.part.is_none());
        match whole && source != node {
            true => Ok(()),
            false => Err(ApplyError::Source { shard, source_node: source }),
        }
    }

    fn involve_if_known(&mut self, id: OperationId, node: NodeId) -> Result<(), Violation> {
        match self.operation(id).is_some_and(|o| !o.nodes.contains(&node)) {
            true => self.involve(id, &[node], &[]),
            false => Ok(()),
        }
    }
}
