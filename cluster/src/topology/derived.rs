//! What follows from a topology and is therefore not stored in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BucketId, Counters, Epoch, Level, Member, Node, NodeId, Operation, OperationId, Shard, ShardId,
    Topology, Version, Vote,
};

/// What follows for one shard: see [`Topology::shapes`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shape {
    /// As [`Topology::replicas`].
    pub replicas: BTreeSet<NodeId>,
    /// As [`Topology::shadows`].
    pub shadows: BTreeSet<NodeId>,
    /// As [`Topology::right_neighbour`].
    pub right: Option<ShardId>,
    /// As [`Topology::busy`].
    pub busy: Option<OperationId>,
}

impl Shape {
    /// As [`Topology::mach`].
    pub fn mach(&self) -> u32 {
        let replicas = u32::try_from(self.replicas.len()).unwrap_or(u32::MAX);
        replicas.saturating_add(1 + u32::from(!self.shadows.is_empty()))
    }
}

/// Operations in flight, repairs aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InFlight {
    /// Those that add capacity.
    pub growing: u32,
    /// The others.
    pub others: u32,
}

impl InFlight {
    /// One more.
    pub fn add(&mut self, grows: bool) {
        *(if grows { &mut self.growing } else { &mut self.others }) += 1;
    }
}

impl Topology {
    /// B: buckets are `1..=buckets`.
    pub fn buckets(&self) -> u16 {
        self.buckets
    }

    /// Number of changes so far.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The control group's epoch; actions that concern no shard carry it.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The next ids that were never used.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// All nodes by id.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &Node> + Clone {
        self.nodes.values()
    }

    /// All shards by id.
    pub fn shards(&self) -> impl DoubleEndedIterator<Item = &Shard> + Clone {
        self.shards.values()
    }

    /// All shards by range, the lowest first.
    pub fn by_range(&self) -> Vec<&Shard> {
        let mut shards: Vec<&Shard> = self.shards.values().collect();
        shards.sort_by_key(|s| s.range);
        shards
    }

    /// Operations in flight by id.
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = &Operation> + Clone {
        self.operations.values()
    }

    /// The node, if it is in the topology.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// The shard, if it exists.
    pub fn shard(&self, id: ShardId) -> Option<&Shard> {
        self.shards.get(&id)
    }

    /// The operation, if it is in flight.
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.get(&id)
    }

    /// The node's part in the shard, if it keeps a copy.
    pub fn member(&self, shard: ShardId, node: NodeId) -> Option<&Member> {
        self.shards.get(&shard)?.members.get(&node)
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Number of shards.
    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// The shard that holds `bucket`; `None` outside `1..=B`.
    pub fn shard_of(&self, bucket: BucketId) -> Option<&Shard> {
        self.shards.values().find(|s| s.range.contains(bucket))
    }

    /// Nodes that clients are sent to, by id.
    pub fn load_managers(&self) -> impl DoubleEndedIterator<Item = &Node> + Clone {
        self.nodes.values().filter(|n| n.is_load_manager())
    }

    /// Nodes that hold the shard's shadow, or are to hold it, by id.
    pub fn shadows(&self, shard: ShardId) -> impl DoubleEndedIterator<Item = &Node> + Clone {
        let holders = self.all_shadows().get(&shard).into_iter().flatten();
        holders.filter_map(|n| self.nodes.get(n))
    }

    /// The shard's Replicas: members that vote or serve reads and are neither its Writer nor its
    /// shadow. A learner that catches up is none yet.
    pub fn replicas(&self, shard: ShardId) -> BTreeSet<NodeId> {
        let Some(found) = self.shards.get(&shard) else { return BTreeSet::new() };
        let shadow = |node| self.node(node).is_some_and(|n| n.shadow == Some(shard));
        let counts = |m: &&Member| m.reads || m.vote.before() || m.vote.after();
        let members = found.members.values().filter(counts).map(|m| m.node);
        members.filter(|&node| node != found.writer && !shadow(node)).collect()
    }

    /// Mach n: nodes of the shard's group, one Load Manager included if a shadow of it exists.
    /// Extra Load Managers (X30) do not raise it. 0 for a shard that does not exist.
    pub fn mach(&self, shard: ShardId) -> u32 {
        if !self.shards.contains_key(&shard) {
            return 0;
        }
        let replicas = u32::try_from(self.replicas(shard).len()).unwrap_or(u32::MAX);
        let shadow = u32::from(self.shadows(shard).next().is_some());
        replicas.saturating_add(1 + shadow)
    }

    /// Every node with a part in the shard: members and assigned shadows.
    pub fn group_nodes(&self, shard: ShardId) -> BTreeSet<NodeId> {
        let members = self.shards.get(&shard).into_iter().flat_map(|s| s.members.keys().copied());
        members.chain(self.shadows(shard).map(|n| n.id)).collect()
    }

    /// Shards of which the node keeps a copy, by id.
    pub fn shards_of(&self, node: NodeId) -> impl Iterator<Item = &Shard> {
        let range = (node, ShardId(0))..=(node, ShardId(u32::MAX));
        self.index.copies.range(range).filter_map(|(_, s)| self.shards.get(s))
    }

    /// The one of `nodes` that joined last (R56).
    pub fn latest(&self, nodes: impl IntoIterator<Item = NodeId>) -> Option<NodeId> {
        nodes.into_iter().filter_map(|n| self.node(n)).max_by_key(|n| n.joined).map(|n| n.id)
    }

    /// The shard's Replica that joined last: it takes over when the Load Manager is lost (X5), and
    /// leaves first.
    pub fn latest_replica(&self, shard: ShardId) -> Option<NodeId> {
        self.latest(self.replicas(shard))
    }

    /// The level of the shard's Writer.
    pub fn writer_level(&self, shard: ShardId) -> Option<Level> {
        Some(self.node(self.shard(shard)?.writer)?.level)
    }

    /// The shard whose range begins where this one's ends.
    pub fn right_neighbour(&self, shard: ShardId) -> Option<&Shard> {
        let range = self.shard(shard)?.range;
        self.shards.values().find(|s| range.is_left_of(s.range))
    }

    /// Whether `right` is the youngest child of `left` and undivided itself: merging the two
    /// restores exactly what was before the split (I17).
    pub fn siblings(&self, left: ShardId, right: ShardId) -> bool {
        let (Some(l), Some(r)) = (self.shard(left), self.shard(right)) else { return false };
        r.parent == Some(left)
            && l.range.is_left_of(r.range)
            && self.children(left).all(|s| s <= right)
            && self.children(right).next().is_none()
    }

    /// The shapes of all shards, in one walk over nodes and members: for who looks at many shards.
    pub fn shapes(&self) -> BTreeMap<ShardId, Shape> {
        let mut shapes: BTreeMap<ShardId, Shape> = BTreeMap::new();
        for node in self.nodes.values() {
            if let Some(shape) = node.shadow.map(|s| shapes.entry(s).or_default()) {
                shape.shadows.insert(node.id);
            }
        }
        for shard in self.shards.values() {
            let shape = shapes.entry(shard.id).or_default();
            let counts = |m: &&Member| m.reads || m.vote != Vote::Learner;
            let members = shard.members.values().filter(counts).map(|m| m.node);
            let replica = |n: &NodeId| *n != shard.writer && !shape.shadows.contains(n);
            shape.replicas = members.filter(replica).collect();
        }
        let ordered = self.by_range();
        for (left, right) in ordered.iter().zip(ordered.iter().skip(1)) {
            shapes.entry(left.id).or_default().right = Some(right.id);
        }
        for operation in self.operations.values().filter(|o| !o.kind.is_repair()) {
            for shard in operation.shards() {
                if let Some(shape) = shapes.get_mut(&shard) {
                    shape.busy = Some(operation.id);
                }
            }
        }
        shapes
    }

    /// How many operations are in flight.
    pub fn in_flight(&self) -> InFlight {
        let mut all = InFlight::default();
        for operation in self.operations().filter(|o| !o.kind.is_repair()) {
            all.add(operation.kind.grows() == Some(true));
        }
        all
    }

    /// The operation that changes the shape of the shard, if one is in flight; repairs are not
    /// meant.
    pub fn busy(&self, shard: ShardId) -> Option<&Operation> {
        self.work_on(shard).find(|o| !o.kind.is_repair())
    }
}
