//! The value, its parts, and what is checked when it is put together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::{
    BucketRange, Epoch, Format, GroupId, JoinOrder, Level, LoadManagerState, Member, Node, NodeId,
    Operation, OperationId, OperationKind, RangeError, Shard, ShardId, Version, Violation, Vote,
    Zone,
};

/// A whole cluster. See the [module](super).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "TopologyParts", into = "TopologyParts")]
pub struct Topology {
    pub(super) buckets: u16,
    pub(super) version: Version,
    pub(super) epoch: Epoch,
    pub(super) counters: Counters,
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) shards: BTreeMap<ShardId, Shard>,
    pub(super) operations: BTreeMap<OperationId, Operation>,
    /// Follows from the rest.
    pub(super) index: Index,
}

/// The next ids that were never used. They are part of the value, since an id may be gone from it
/// and must still not come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Counters {
    /// Next node.
    pub node: NodeId,
    /// Next place in the order of joining.
    pub joined: JoinOrder,
    /// Next shard.
    pub shard: ShardId,
    /// Next group.
    pub group: GroupId,
    /// Next operation.
    pub operation: OperationId,
}

/// Everything a topology consists of, unchecked: what is serialised, and what a test or a parser
/// puts together before [`Topology::from_parts`] checks it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TopologyParts {
    /// Version of this form.
    pub format: Format<1>,
    /// B: buckets are `1..=buckets`. Fixed when the cluster is created.
    pub buckets: u16,
    /// Number of changes so far.
    pub version: Version,
    /// The control group's epoch.
    pub epoch: Epoch,
    /// Ids never used yet; raised by `from_parts` above every id that is used.
    pub counters: Counters,
    /// In any order.
    pub nodes: Vec<Node>,
    /// In any order.
    pub shards: Vec<Shard>,
    /// In any order.
    pub operations: Vec<Operation>,
}

impl Counters {
    /// Nothing was ever used.
    pub const FIRST: Counters = Counters {
        node: NodeId(1),
        joined: JoinOrder(1),
        shard: ShardId(1),
        group: GroupId(1),
        operation: OperationId(1),
    };

    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Counters) -> Counters {
        Counters {
            node: self.node.max(other.node),
            joined: self.joined.max(other.joined),
            shard: self.shard.max(other.shard),
            group: self.group.max(other.group),
            operation: self.operation.max(other.operation),
        }
    }
}

impl Topology {
    /// Mach I: node N1 is Load Manager, Writer and server of reads of shard s1, which has all
    /// `buckets` (at least 1).
    pub fn found(buckets: u16, level: Level, zone: Option<Zone>) -> Result<Self, RangeError> {
        let (node, shard) = (NodeId(1), ShardId(1));
        let mut founder = Node::joining(node, level, zone, JoinOrder(1));
        founder.load_manager = LoadManagerState::On;
        let member = Member { vote: Vote::Voter, reads: true, ..Member::learner(node) };
        let first = Shard {
            id: shard,
            group: GroupId(1),
            range: BucketRange::new(1, buckets)?,
            epoch: Epoch(1),
            writer: node,
            members: BTreeMap::from([(node, member)]),
            parent: None,
        };
        let index = Index::of([&founder].into_iter(), [&first].into_iter(), std::iter::empty());
        Ok(Self {
            buckets,
            version: Version(1),
            epoch: Epoch(1),
            counters: Counters {
                node: NodeId(2),
                joined: JoinOrder(2),
                shard: ShardId(2),
                group: GroupId(2),
                ..Counters::FIRST
            },
            nodes: BTreeMap::from([(node, founder)]),
            shards: BTreeMap::from([(shard, first)]),
            operations: BTreeMap::new(),
            index,
        })
    }

    /// Puts a topology together and checks all of it (a cluster can start in any setup, R39).
    pub fn from_parts(parts: TopologyParts) -> Result<Self, Violation> {
        let mut nodes = BTreeMap::new();
        for node in parts.nodes {
            insert_once(&mut nodes, node.id, node)?;
        }
        let mut shards = BTreeMap::new();
        for shard in parts.shards {
            insert_once(&mut shards, shard.id, shard)?;
        }
        let mut operations = BTreeMap::new();
        for operation in parts.operations {
            insert_once(&mut operations, operation.id, operation)?;
        }
        let (buckets, version, epoch) = (parts.buckets, parts.version, parts.epoch);
        let counters = parts.counters;
        let index = Index::of(nodes.values(), shards.values(), operations.values());
        let mut topology =
            Self { buckets, version, epoch, counters, nodes, shards, operations, index };
        topology.counters = counters.max(topology.least_counters());
        topology.check()?;
        Ok(topology)
    }

    /// The least counters this topology can have: above all ids that stand in it.
    pub(super) fn least_counters(&self) -> Counters {
        let mut least = Counters::FIRST;
        for node in self.nodes.values() {
            least.node = least.node.max(node.id.next());
            least.joined = least.joined.max(node.joined.next());
        }
        for shard in self.shards.values() {
            least.shard = least.shard.max(shard.id.next());
            least.group = least.group.max(shard.group.next());
        }
        for operation in self.operations.values() {
            least.operation = least.operation.max(operation.id.next());
            if let OperationKind::Split { child, .. } = operation.kind {
                least.shard = least.shard.max(child.next());
            }
        }
        least
    }

    /// The parts, to be serialised or changed and put together again.
    pub fn into_parts(self) -> TopologyParts {
        TopologyParts {
            format: Format,
            buckets: self.buckets,
            version: self.version,
            epoch: self.epoch,
            counters: self.counters,
            nodes: self.nodes.into_values().collect(),
            shards: self.shards.into_values().collect(),
            operations: self.operations.into_values().collect(),
        }
    }

    /// Checks every invariant, in time linear in nodes and members. Changes check only what they
    /// touch, so this says nothing new of a value that was reached by changes; the simulator and
    /// the tests ask it all the same.
    pub fn check(&self) -> Result<(), Violation> {
        self.check_tiling()?;
        self.check_unique()?;
        for shard in self.shards.values() {
            self.check_shard(shard)?;
        }
        for node in self.nodes.values() {
            self.check_node(node)?;
        }
        self.check_load_managers()?;
        for operation in self.operations.values() {
            self.check_operation(operation)?;
        }
        Ok(())
    }

    fn check_tiling(&self) -> Result<(), Violation> {
        BucketRange::check_tiling(self.by_range().iter().map(|s| (s.id, s.range)), self.buckets)
    }

    fn check_unique(&self) -> Result<(), Violation> {
        let mut groups = BTreeMap::new();
        for shard in self.shards.values() {
            insert_once(&mut groups, shard.group, ())?;
        }
        let mut joined = BTreeMap::new();
        for node in self.nodes.values() {
            insert_once(&mut joined, node.joined, ())?;
        }
        Ok(())
    }

    pub(super) fn check_load_managers(&self) -> Result<(), Violation> {
        match self.nodes.values().any(Node::is_load_manager) {
            true => Ok(()),
            false => Err(Violation::NoLoadManager),
        }
    }

    pub(super) fn check_node(&self, node: &Node) -> Result<(), Violation> {
        let Some(shard) = node.shadow else { return Ok(()) };
        if node.load_manager == LoadManagerState::Off {
            return Err(Violation::ShadowWithoutLoadManager { node: node.id, shard });
        }
        if self.find_shard(shard)?.writer == node.id {
            return Err(Violation::WriterIsShadow { shard, node: node.id });
        }
        Ok(())
    }

    /// All that concerns one shard and its members; tiling aside.
    pub(super) fn check_shard(&self, shard: &Shard) -> Result<(), Violation> {
        let id = shard.id;
        if shard.epoch == Epoch(0) {
            return Err(Violation::EpochNotGrown { shard: id, old: Epoch(0), new: Epoch(0) });
        }
        for (&node, member) in &shard.members {
            if member.node != node {
                return Err(Violation::Twice(node.to_string()));
            }
            self.find_node(node)?;
            check_part(shard, member)?;
        }
        for voters in [shard.voters(), shard.voters_before()] {
            if voters.len().is_multiple_of(2) {
                return Err(Violation::EvenVoters { shard: id, voters: voters.len() });
            }
            if !voters.contains(&shard.writer) {
                return Err(Violation::WriterNotVoter { shard: id, node: shard.writer });
            }
        }
        if self.find_node(shard.writer)?.shadow == Some(id) {
            return Err(Violation::WriterIsShadow { shard: id, node: shard.writer });
        }
        if shard.readers().is_empty() {
            return Err(Violation::NoReader(id));
        }
        Ok(())
    }

    pub(super) fn check_operation(&self, operation: &Operation) -> Result<(), Violation> {
        if let Some(shard) = operation.shard {
            self.find_shard(shard)?;
        }
        if operation.kind.is_repair() {
            return Ok(());
        }
        for shard in operation.shards() {
            let busy = |other: &&Operation| other.id != operation.id && !other.kind.is_repair();
            if let Some(other) = self.work_on(shard).find(busy) {
                return Err(Violation::ShardBusy { shard, busy: other.id });
            }
        }
        Ok(())
    }

    pub(super) fn find_shard(&self, id: ShardId) -> Result<&Shard, Violation> {
        self.shards.get(&id).ok_or(Violation::UnknownShard(id))
    }

    pub(super) fn find_node(&self, id: NodeId) -> Result<&Node, Violation> {
        self.nodes.get(&id).ok_or(Violation::UnknownNode(id))
    }
}

fn check_part(shard: &Shard, member: &Member) -> Result<(), Violation> {
    let Some(part) = member.part else { return Ok(()) };
    let (id, node) = (shard.id, member.node);
    if part == shard.range || !shard.range.covers(part) {
        return Err(Violation::NotPart { shard: id, node, part });
    }
    if member.vote != Vote::Learner || member.reads {
        return Err(Violation::PartialMember { shard: id, node, part });
    }
    Ok(())
}

fn insert_once<K: Ord + ToString + Copy, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
) -> Result<(), Violation> {
    match map.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(Violation::Twice(key.to_string())),
    }
}

impl TryFrom<TopologyParts> for Topology {
    type Error = Violation;

    fn try_from(parts: TopologyParts) -> Result<Self, Violation> {
        Self::from_parts(parts)
    }
}

impl From<Topology> for TopologyParts {
    fn from(topology: Topology) -> Self {
        topology.into_parts()
    }
}
