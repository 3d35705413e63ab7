//! What the rules work on: the observation, and a copy of the topology in which every action that
//! was emitted is done already.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Planned;
use crate::autoscaler::state::OperationState;
use crate::autoscaler::{Action, ActionKind, Applied, Config, EventKind, Observation, State};
use crate::topology::{
    LoadManagerState, NodeId, Operation, OperationId, OperationKind, Phase, Roles, ShardId,
    Topology,
};

/// The operation of actions that belong to none: what a shard's normal shape asks for, and nodes
/// that have no duty any more. Operations are numbered from 1.
pub const NO_OPERATION: OperationId = OperationId(0);

/// One call of [`reconcile`](super::reconcile).
pub(super) struct Planner<'a> {
    pub config: &'a Config,
    pub seen: &'a Observation,
    pub state: State,
    pub topology: Cow<'a, Topology>,
    pub events: Vec<EventKind>,
    /// Nodes that are observed and not up.
    pub unwell: BTreeSet<NodeId>,
    /// Shards whose operation ended now: what is wanted of them is decided anew first.
    pub ended: BTreeSet<ShardId>,
    actions: Vec<Action>,
    touched: BTreeSet<ShardId>,
    touched_operations: BTreeSet<OperationId>,
}

impl<'a> Planner<'a> {
    pub fn new(config: &'a Config, state: &State, seen: &'a Observation) -> Self {
        Self {
            config,
            seen,
            state: state.clone(),
            topology: Cow::Borrowed(&seen.topology),
            events: Vec::new(),
            unwell: seen.unwell(),
            ended: BTreeSet::new(),
            actions: Vec::new(),
            touched: BTreeSet::new(),
            touched_operations: BTreeSet::new(),
        }
    }

    pub fn planned(self) -> Planned {
        Planned { state: self.state, actions: self.actions, events: self.events }
    }

    /// Emits an action unless it is done. False if the topology refuses it: then its time has not
    /// come, and the next observation asks again.
    pub fn emit(&mut self, operation: OperationId, kind: ActionKind) -> bool {
        let Some(action) = self.action(operation, kind) else { return false };
        if self.topology.is_done(&action) {
            return true;
        }
        if action.kind.copies() && !self.may_copy(&action) {
            return false;
        }
        match self.topology.to_mut().apply(&action) {
            Ok(Applied::Changed) => {}
            Ok(Applied::Unchanged) => return true,
            Err(_) => return false,
        }
        self.touched.extend(action.shard());
        if let ActionKind::MergeShards { right, .. } = action.kind {
            self.touched.insert(right);
        }
        self.touched_operations.insert(operation);
        self.actions.push(action);
        true
    }

    /// In a surge nothing is copied (I14), except for a node that was lost.
    fn may_copy(&self, action: &Action) -> bool {
        let young = |s: ShardId| {
            let surge = self.state.shards.get(&s).and_then(|m| m.surge);
            surge.is_some_and(|s| !s.legitimate)
        };
        let Some(shard) = action.shard().filter(|&s| young(s)) else { return true };
        self.topology.work_on(shard).any(|o| o.kind.is_repair() && o.shard == Some(shard))
    }

    /// Emits an action that is to be done once more.
    pub fn repeat(&mut self, operation: OperationId, kind: ActionKind) {
        self.touched_operations.insert(operation);
        self.actions.extend(self.action(operation, kind));
    }

    fn action(&self, operation: OperationId, kind: ActionKind) -> Option<Action> {
        let epoch = match kind.shard() {
            Some(shard) => self.topology.shard(shard)?.epoch,
            None => self.topology.epoch(),
        };
        Some(Action { operation, epoch, kind })
    }

    /// Whether something was emitted for the shard or the operation.
    pub fn is_touched(&self, operation: &Operation) -> bool {
        self.touched_operations.contains(&operation.id)
            || operation.shards().iter().any(|s| self.touched.contains(s))
    }

    /// All roles of a node as they are.
    pub fn roles(&self, node: NodeId) -> Roles {
        let found = self.topology.node(node);
        Roles {
            load_manager: found.map_or(LoadManagerState::Off, |n| n.load_manager),
            reads: self.topology.reads_of(node),
            shadow: found.and_then(|n| n.shadow),
        }
    }

    /// Changes some roles of a node and leaves the others.
    pub fn set(
        &mut self,
        operation: OperationId,
        shard: Option<ShardId>,
        node: NodeId,
        change: impl FnOnce(&mut Roles),
    ) -> bool {
        let mut roles = self.roles(node);
        change(&mut roles);
        self.emit(operation, ActionKind::SetRoles { node, shard, roles })
    }

    /// A new operation. Its number is the topology's next one, so that planning twice from one
    /// observation begins the same operation.
    pub fn begin(&mut self, what: OperationKind, shard: Option<ShardId>) -> Option<OperationId> {
        let id = self.topology.counters().operation;
        if !self.emit(id, ActionKind::BeginOperation { what, shard }) {
            return None;
        }
        self.state.next_operation = self.state.next_operation.max(id.next());
        let now = self.seen.now_ms;
        let times = OperationState { begun: now, phase_since: now, attempt: 1 };
        self.state.operations.insert(id, times);
        Some(id)
    }

    /// The operation is in this phase, if it was in an earlier one.
    pub fn advance(&mut self, id: OperationId, phase: Phase) {
        if self.topology.operation(id).is_some_and(|o| o.phase < phase)
            && self.emit(id, ActionKind::AdvanceOperation { phase })
            && let Some(times) = self.state.operations.get_mut(&id)
        {
            times.phase_since = self.seen.now_ms;
        }
    }
}
