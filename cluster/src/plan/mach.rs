//! Mach n to n + 1: a node enters as Load Manager, the one before it becomes Replica (R54).
//!
//! Nothing is copied for the Replica: its copy was the shadow. Of several nodes requested at once
//! the last one in stays Load Manager. A replacement enters in the same way (R48).

use super::planner::Planner;
use crate::topology::{LoadManagerState, NodeId, Operation, OperationKind, Phase, ShardId};

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
        let Some(shard) = self.shard_for(operation) else { return };
        if operation.requests.is_empty() {
            let level = self.node_level(shard);
            self.request(operation, level);
        }
        for node in self.joined(operation.id) {
            self.enter(operation.id, shard, node);
        }
        if self.unanswered(operation.id).is_empty() {
            self.advance(operation.id, Phase::Syncing);
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
            && self.answer(operation, 1).is_some());
        let wanted = self.state.desired.extra_load_managers;
        let mut shadows: Vec<NodeId> = self.live_shadows(shard).into_iter().collect();
        shadows.sort_by_key(|&n| self.topology.node(n).map(|n| n.joined));
        shadows.pop();
        for node in shadows {
            if !rotates || self.extra_load_managers() <= wanted {
                return;
            }
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
}
