//! What follows from a topology and is looked up too often to be searched for: who keeps copies of
//! what, who holds whose shadow, who answers which request, whose child is whose, what works on
//! which shard.
//!
//! The rule: nodes, shards and operations are put in place and taken away only by the functions
//! below, which keep the index. It is not part of what is serialised; `from_parts` makes it anew,
//! so a topology that differs from itself read back has a wrong index.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Node, NodeId, Operation, OperationId, OperationKind, RequestId, Shard, ShardId, Topology,
};

/// See the [module](self).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Index {
    /// Members by node.
    pub(super) copies: BTreeSet<(NodeId, ShardId)>,
    /// Nodes by the shard whose shadow they hold; no empty sets.
    pub(super) shadows: BTreeMap<ShardId, BTreeSet<NodeId>>,
    /// Nodes by the request they answer.
    pub(super) answers: BTreeSet<(RequestId, NodeId)>,
    /// Shards by parent.
    pub(super) children: BTreeSet<(ShardId, ShardId)>,
    /// Operations by each of their shards.
    pub(super) work: BTreeSet<(ShardId, OperationId)>,
    /// Operations that add or remove a Load Manager.
    pub(super) managers: BTreeSet<OperationId>,
}

impl Index {
    /// The index of these.
    pub(super) fn of<'a>(
        nodes: impl Iterator<Item = &'a Node>,
        shards: impl Iterator<Item = &'a Shard>,
        operations: impl Iterator<Item = &'a Operation>,
    ) -> Self {
        let mut index = Self::default();
        nodes.for_each(|n| index.add_node(n));
        shards.for_each(|s| index.change_shard(None, Some(s)));
        operations.for_each(|o| index.add_operation(o));
        index
    }

    fn add_node(&mut self, node: &Node) {
        if let Some(shard) = node.shadow {
            self.shadows.entry(shard).or_default().insert(node.id);
        }
        self.answers.extend(node.request.map(|r| (r, node.id)));
    }

    fn drop_node(&mut self, node: &Node) {
        if let Some(shard) = node.shadow
            && let Some(holders) = self.shadows.get_mut(&shard)
        {
            holders.remove(&node.id);
            if holders.is_empty() {
                self.shadows.remove(&shard);
            }
        }
        if let Some(request) = node.request {
            self.answers.remove(&(request, node.id));
        }
    }

    /// A shard as it was and as it is; most changes leave its members.
    fn change_shard(&mut self, old: Option<&Shard>, new: Option<&Shard>) {
        if let Some(old) = old {
            let gone = old.members.keys().filter(|&&n| new.is_none_or(|new| !new.has(n)));
            gone.for_each(|&n| _ = self.copies.remove(&(n, old.id)));
            if let Some(parent) = old.parent {
                self.children.remove(&(parent, old.id));
            }
        }
        if let Some(new) = new {
            let fresh = new.members.keys().filter(|&&n| old.is_none_or(|old| !old.has(n)));
            self.copies.extend(fresh.map(|&n| (n, new.id)));
            self.children.extend(new.parent.map(|parent| (parent, new.id)));
        }
    }

    fn add_operation(&mut self, operation: &Operation) {
        self.work.extend(operation.shards().into_iter().map(|s| (s, operation.id)));
        if on_load_managers(operation) {
            self.managers.insert(operation.id);
        }
    }

    fn drop_operation(&mut self, operation: &Operation) {
        for shard in operation.shards() {
            self.work.remove(&(shard, operation.id));
        }
        self.managers.remove(&operation.id);
    }
}

fn on_load_managers(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::AddLoadManager | OperationKind::RemoveLoadManager)
}

impl Topology {
    pub(super) fn put_node(&mut self, node: Node) {
        if let Some(old) = self.nodes.get(&node.id) {
            self.index.drop_node(old);
        }
        self.index.add_node(&node);
        self.nodes.insert(node.id, node);
    }

    pub(super) fn take_node(&mut self, id: NodeId) {
        if let Some(old) = self.nodes.remove(&id) {
            self.index.drop_node(&old);
        }
    }

    pub(super) fn put_shard(&mut self, shard: Shard) {
        self.index.change_shard(self.shards.get(&shard.id), Some(&shard));
        self.shards.insert(shard.id, shard);
    }

    pub(super) fn take_shard(&mut self, id: ShardId) {
        if let Some(old) = self.shards.remove(&id) {
            self.index.change_shard(Some(&old), None);
        }
    }

    /// An operation that is new. Its shards never change.
    pub(super) fn put_operation(&mut self, operation: Operation) {
        self.index.add_operation(&operation);
        self.operations.insert(operation.id, operation);
    }

    pub(super) fn take_operation(&mut self, id: OperationId) -> Option<Operation> {
        let old = self.operations.remove(&id)?;
        self.index.drop_operation(&old);
        Some(old)
    }

    /// Nodes that hold shadows, or are to hold them, by shard; no empty sets.
    pub fn all_shadows(&self) -> &BTreeMap<ShardId, BTreeSet<NodeId>> {
        &self.index.shadows
    }

    /// Nodes that joined for this request, by id.
    pub fn answering(&self, request: RequestId) -> impl Iterator<Item = &Node> {
        let range = (request, NodeId(0))..=(request, NodeId(u64::MAX));
        self.index.answers.range(range).filter_map(|(_, n)| self.nodes.get(n))
    }

    /// Operations in flight on the shard, repairs too, by id.
    pub fn work_on(&self, shard: ShardId) -> impl Iterator<Item = &Operation> {
        let range = (shard, OperationId(0))..=(shard, OperationId(u64::MAX));
        self.index.work.range(range).filter_map(|(_, o)| self.operations.get(o))
    }

    /// Operations in flight that add or remove a Load Manager, by id.
    pub fn work_on_load_managers(&self) -> impl Iterator<Item = &Operation> {
        self.index.managers.iter().filter_map(|o| self.operations.get(o))
    }

    /// Shards that were divided from this one, by id.
    pub(super) fn children(&self, parent: ShardId) -> impl Iterator<Item = ShardId> {
        let range = (parent, ShardId(0))..=(parent, ShardId(u32::MAX));
        self.index.children.range(range).map(|(_, child)| *child)
    }
}
