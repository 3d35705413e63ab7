//! What is seen at one instant: the topology as the control group has it, and beside it what no
//! topology knows, health, load, progress and what operators said.

mod shard;
mod window;
mod word;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Share, TimeMs};
use crate::topology::{Format, Level, Node, NodeId, OperationId, RequestId, ShardId, Topology};

pub use shard::{BucketHeat, ClientMix, CrossBucket, MemberObservation, ShardObservation, Work};
pub use window::{Aggregate, ClassWindow, Trend};
pub use word::OperatorWord;

/// Everything a decision looks at. What the maps leave out is unknown, not zero.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Observation {
    /// Version of this form.
    pub format: Format<1>,
    /// The time.
    pub now_ms: TimeMs,
    /// The control group's state: nodes, shards, roles, ranges, epochs, operations in flight.
    pub topology: Topology,
    /// Health of each node.
    pub nodes: BTreeMap<NodeId, NodeObservation>,
    /// Load and progress of each shard.
    pub shards: BTreeMap<ShardId, ShardObservation>,
    /// Pressure on each Load Manager.
    pub load_managers: BTreeMap<NodeId, LoadManagerObservation>,
    /// Progress of operations in flight.
    pub operations: BTreeMap<OperationId, OperationObservation>,
    /// What the driver says it has or is making.
    pub provisions: Vec<Provision>,
    /// What operators said since the observation before, in order.
    pub words: Vec<OperatorWord>,
}

/// Whether a node answers.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It answers.
    #[default]
    Up,
    /// It was late.
    Suspect,
    /// It is lost. (Fenced nodes say so in the topology.)
    Down,
}

/// One node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeObservation {
    /// Whether it answers.
    pub health: Health,
    /// Since when.
    pub since_ms: TimeMs,
    /// Client connections its Load Manager module holds.
    pub connections: u32,
}

/// One Load Manager.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LoadManagerObservation {
    /// Its own processor use, mean over `lm-window`.
    pub cpu: Share,
    /// Its memory use, mean over `lm-window`.
    pub memory: Share,
    /// Its own processor use, highest minute of `lm-idle-window`.
    pub cpu_idle_max: Share,
    /// Client connections.
    pub connections: u32,
    /// Mean wait in its queues over the last cell.
    pub queue_wait_us: u64,
}

/// How far an operation in flight is, as nodes report it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OperationObservation {
    /// Bytes copied.
    pub bytes_done: u64,
    /// Bytes to copy in all.
    pub bytes_total: u64,
    /// Why its last step failed, if it did.
    pub failed: Option<String>,
}

/// A node of the driver's: asked for, being made, or running.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Provision {
    /// The request it answers; none for a stray one.
    pub request: Option<RequestId>,
    /// Its node id once it has joined.
    pub node: Option<NodeId>,
    /// Its level, when known.
    pub level: Option<Level>,
    /// When the driver expects it.
    pub expected_ms: Option<TimeMs>,
}

impl Observation {
    /// Nothing known but the time and the topology: every node up.
    pub fn of(now_ms: TimeMs, topology: Topology) -> Self {
        let up = NodeObservation { health: Health::Up, since_ms: now_ms, connections: 0 };
        let nodes = topology.nodes().map(|n| (n.id, up)).collect();
        Self {
            format: Format,
            now_ms,
            nodes,
            topology,
            shards: BTreeMap::new(),
            load_managers: BTreeMap::new(),
            operations: BTreeMap::new(),
            provisions: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Health of a node: fenced ones and those nothing is heard of are down.
    pub fn health(&self, node: NodeId) -> Health {
        match (self.topology.node(node), self.nodes.get(&node)) {
            (Some(known), Some(seen)) if !known.fenced => seen.health,
            _ => Health::Down,
        }
    }

    /// Nodes that are not up, by id: one walk for who asks about all of them.
    pub fn unwell(&self) -> BTreeSet<NodeId> {
        let mut seen = self.nodes.iter().peekable();
        let mut up = |node: &Node| {
            while seen.next_if(|(id, _)| **id < node.id).is_some() {}
            let heard = seen.next_if(|(id, _)| **id == node.id);
            !node.fenced && heard.is_some_and(|(_, seen)| seen.health == Health::Up)
        };
        self.topology.nodes().filter(|n| !up(n)).map(|n| n.id).collect()
    }
}
