//! Load Managers beyond one per shard, connections that run out, nodes without any duty.

use super::planner::{NO_OPERATION, Planner};
use crate::autoscaler::{ActionKind, EventKind};
use crate::topology::{
    LoadManagerState, Node, NodeId, Operation, OperationId, OperationKind, Phase, ShardId,
};

impl Planner<'_> {
    /// One more; nobody is demoted (X30). Its shadow is of the shard with the fewest.
    pub fn add_load_manager(&mut self, operation: &Operation) {
        self.take_in(operation);
    }

    /// The newest of those whose shard has another one. Its copy leaves with it.
    pub fn remove_load_manager(&mut self, operation: &Operation) {
        if !self.retired(operation).is_empty() {
            return;
        }
        if let Some((node, shard)) = self.newest_extra() {
            self.advance(operation.id, Phase::Releasing);
            self.set(operation.id, Some(shard), node, |roles| {
                roles.load_manager = LoadManagerState::Draining;
                roles.shadow = None;
                roles.reads.remove(&shard);
            });
        }
    }

    fn newest_extra(&self) -> Option<(NodeId, ShardId)> {
        let shards = self.topology.shards().map(|s| s.id);
        let held = |s: ShardId| self.topology.all_shadows().get(&s).map_or(0, |n| n.len());
        let crowded = shards.filter(|&s| held(s) > 1 && self.live_shadows(s).len() > 1);
        let nodes: Vec<(NodeId, ShardId)> =
            crowded.flat_map(|s| self.live_shadows(s).into_iter().map(move |n| (n, s))).collect();
        let newest = self.topology.latest(nodes.iter().map(|(n, _)| *n))?;
        nodes.into_iter().find(|(n, _)| *n == newest)
    }

    pub fn tend_load_managers(&mut self) {
        self.give_shadows();
        // Of thousands of nodes most keep a copy and serve: one glance each.
        let unusual = |n: &Node| match n.load_manager {
            LoadManagerState::On => false,
            LoadManagerState::Draining => true,
            LoadManagerState::Off => {
                n.shadow.is_none() && self.topology.shards_of(n.id).next().is_none()
            }
        };
        let nodes: Vec<NodeId> =
            self.topology.nodes().filter(|n| unusual(n)).map(|n| n.id).collect();
        for node in nodes {
            if self.load_manager(node) == LoadManagerState::Draining {
                self.end_drain(node);
            }
            if self.is_idle(node) && self.load_manager(node) == LoadManagerState::Off {
                self.use_idle(node);
            }
        }
        let draining = |n: &NodeId| {
            self.topology.node(*n).is_some_and(|n| n.load_manager == LoadManagerState::Draining)
        };
        let since = &self.state.load_managers.draining_since;
        let kept = since.iter().filter(|(n, _)| draining(n)).map(|(n, t)| (*n, *t)).collect();
        self.state.load_managers.draining_since = kept;
        // Until the topology is observed without it, its release is not told again.
        let known = |n: &NodeId| self.seen.topology.node(*n).is_some();
        self.state.told = self.state.told.iter().copied().filter(known).collect();
    }

    /// A Load Manager whose shard has ended gets another shard's shadow if it is wanted, or drains.
    fn give_shadows(&mut self) {
        let bare = |n: &&crate::topology::Node| {
            n.shadow.is_none() && self.topology.shards_of(n.id).next().is_none()
        };
        // A Load Manager without a shadow is rare.
        let nodes: Vec<NodeId> = self.topology.load_managers().filter(bare).map(|n| n.id).collect();
        for node in nodes {
            if !self.up(node) {
                continue;
            }
            let wanted = self.extra_load_managers() < self.state.desired.extra_load_managers;
            let shard = self.fewest_shadows();
            self.set(NO_OPERATION, shard, node, |roles| match wanted {
                true => roles.shadow = shard,
                false => roles.load_manager = LoadManagerState::Draining,
            });
        }
    }

    /// Connections are served to their end, or until `drain-timeout`; then the module is off, and a
    /// node with no other duty is released (X17).
    fn end_drain(&mut self, node: NodeId) {
        let now = self.seen.now_ms;
        let since = *self.state.load_managers.draining_since.entry(node).or_insert(now);
        // Connections are known of a Load Manager only after it was observed to drain.
        let seen = self.seen.topology.node(node).map(|n| n.load_manager);
        let empty = seen == Some(LoadManagerState::Draining)
            && self.seen.nodes.get(&node).is_some_and(|n| n.connections == 0);
        let over = now.is_past(since, self.config.load_manager.drain_timeout);
        if !(empty || over || self.down(node)) {
            return;
        }
        if self.is_idle(node) {
            self.release(NO_OPERATION, node);
            return;
        }
        let shard = self.topology.shards_of(node).next().map(|s| s.id);
        self.set(NO_OPERATION, shard, node, |r| r.load_manager = LoadManagerState::Off);
    }

    /// A node that came late, or that nothing needs any more: an operation that waits for one takes
    /// it, else it is released. Nodes that people started are left to them.
    fn use_idle(&mut self, node: NodeId) {
        let Some(found) = self.topology.node(node) else { return };
        let request = found.request;
        let awaited = request.is_some_and(|r| self.is_awaited(r)) && !self.is_double(node);
        if !self.up(node) || awaited {
            return;
        }
        if let Some(operation) = self.adopter(node) {
            self.adopt(&operation, node);
            return;
        }
        let merged = self.topology.operations().any(|o| {
            matches!(o.kind, OperationKind::Merge { right } if self.topology.shard(right).is_none())
        });
        if request.is_some() || merged || self.state.told.contains(&node) {
            self.release(NO_OPERATION, node);
        }
    }

    /// Asks the driver to take the node away.
    pub fn release(&mut self, operation: OperationId, node: NodeId) {
        if self.emit(operation, ActionKind::ReleaseNode { node }) && self.state.told.insert(node) {
            self.events.push(EventKind::NodeRelease { node });
        }
    }
}

impl Planner<'_> {
    /// What is asked of somebody outside: it is done when it is observed, not when it is emitted.
    pub fn ask(&mut self, kind: ActionKind) {
        self.repeat(NO_OPERATION, kind);
    }
}

impl Planner<'_> {
    /// Load Managers that are being added.
    pub fn coming_load_managers(&self) -> u32 {
        let adds = self
            .topology
            .operations()
            .filter(|o| o.kind == OperationKind::AddLoadManager && self.unplaced(o));
        u32::try_from(adds.count()).unwrap_or(u32::MAX)
    }

    fn unplaced(&self, operation: &Operation) -> bool {
        !self.joined(operation.id).iter().any(|&n| self.is_load_manager(n))
    }

    /// Whether one that is extra could leave.
    pub fn has_extra(&self) -> Option<ShardId> {
        self.newest_extra().map(|(_, s)| s)
    }
}
