//! What is seen at one instant: the topology as the control group has it, and beside it what no
//! topology knows, health, load, progress and what operators said.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Rate, Share, TimeMs};
use crate::topology::{BucketId, Format, Level, NodeId, OperationId, RequestId, ShardId, Topology};

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

/// One shard.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ShardObservation {
    /// Who leads the group now; none without a quorum or during an election. If it differs from
    /// the topology's Writer, an election has taken place that the control group has not recorded.
    pub leader: Option<NodeId>,
    /// The group's term.
    pub term: u64,
    /// Progress and load of its members.
    pub members: BTreeMap<NodeId, MemberObservation>,
    /// Size of its data.
    pub bytes: u64,
    /// Its hottest buckets, at most 32, the hottest first.
    pub heat: Vec<BucketHeat>,
    /// Requests on all its buckets in the same time as `heat`.
    pub heat_total: u64,
    /// Bytes touched usually: its working set.
    pub working_set_bytes: u64,
    /// Reads.
    pub reads: ClassWindow,
    /// Writes.
    pub writes: ClassWindow,
    /// Who asks, for telling growth from attack.
    pub clients: ClientMix,
    /// When a command over several buckets was last seen that a split would break, and the span of
    /// buckets, lowest and highest, that such commands touched within the hold window (C36).
    pub cross_bucket: Option<CrossBucket>,
}

/// Commands that tie buckets together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CrossBucket {
    /// The last one.
    pub last_ms: TimeMs,
    /// The lowest bucket touched.
    pub lowest: BucketId,
    /// The highest bucket touched.
    pub highest: BucketId,
}

/// Who asks (X13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClientMix {
    /// Different client addresses in the last minute.
    pub clients: u32,
    /// The same, usually.
    pub clients_usual: u32,
    /// Share of the requests that come from the busiest one.
    pub busiest: Share,
    /// Share of reads answered from memory.
    pub hits: Share,
    /// The same, usually.
    pub hits_usual: Share,
}

/// One member of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MemberObservation {
    /// Entries it is behind the Writer.
    pub lag_entries: u64,
    /// Bytes it is behind; of a copy being made, what is left of it.
    pub lag_bytes: u64,
    /// Whether its first copy is whole: then only the lag counts.
    pub seeded: bool,
    /// Whether it really serves what its roles say.
    pub serving: bool,
    /// What it did in the window of the forecast.
    pub work: Work,
}

/// What a member did, for learning what things cost and for finding the least loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Work {
    /// Length of the window in milliseconds.
    pub window_ms: u64,
    /// Reads executed.
    pub reads: u64,
    /// Microseconds busy with them.
    pub read_busy_us: u64,
    /// Writes executed (Writer).
    pub writes: u64,
    /// Microseconds busy with them.
    pub write_busy_us: u64,
    /// Writes applied (all others).
    pub applied: u64,
    /// Microseconds busy with them.
    pub apply_busy_us: u64,
}

/// Heat of one bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BucketHeat {
    /// Which.
    pub bucket: BucketId,
    /// Requests.
    pub requests: u64,
}

/// Requests of one class (read or write) on one shard, over the windows rules ask about. All but
/// the rates count only what came after the last completed action of the shard (X9); cells of a
/// surge are left out as X13 says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClassWindow {
    /// Over `up-average-window`.
    pub up: Aggregate,
    /// Over `down-average-window`.
    pub down: Aggregate,
    /// Over `up-timeout-window`.
    pub timeouts: Aggregate,
    /// Over `forecast-window`.
    pub forecast: Aggregate,
    /// Over `class-window`: the usual mix.
    pub usual: Aggregate,
    /// Milliseconds of `up-average-window` that have passed since the last completed action, at
    /// most the window.
    pub filled_ms: u64,
    /// Offered load (completed, timed out and shed) of the last whole ten-second cell.
    pub cell_rate: Rate,
    /// The same over a minute.
    pub minute_rate: Rate,
    /// The same over `surge-baseline-window`; none before `surge-baseline-min` of cells.
    pub baseline_rate: Option<Rate>,
}

/// Counts and sums of requests. They add up over Load Managers and over time, so an average of
/// sums is exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Aggregate {
    /// Completed requests.
    pub n: u64,
    /// Sum of their response times at the Load Manager's socket, queueing included (X12).
    pub sum_us: u64,
    /// Requests that timed out.
    pub timeouts: u64,
    /// Requests refused for overload.
    pub shed: u64,
    /// Sum of the time nodes were busy with the completed ones.
    pub busy_us: u64,
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

/// What an operator, human or software, says. Words may come late, twice or never.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum OperatorWord {
    /// A node will come.
    Accepted {
        /// The request.
        #[serde(rename = "req_id")]
        request: RequestId,
        /// When it is expected.
        expected_ms: TimeMs,
    },
    /// No node will come.
    Rejected {
        /// The request.
        #[serde(rename = "req_id")]
        request: RequestId,
        /// Why.
        reason: String,
        /// Ask again not before.
        retry_ms: TimeMs,
    },
    /// The node's process is gone and stays gone.
    Fenced {
        /// The node.
        node: NodeId,
    },
    /// The node was taken away after its release.
    Released {
        /// The node.
        node: NodeId,
    },
    /// Stop scaling; repairs go on.
    Hold,
    /// Scale again.
    Resume,
    /// Do what waits for approval.
    Approve {
        /// The operation.
        operation: OperationId,
    },
    /// Do not.
    Deny {
        /// The operation.
        operation: OperationId,
    },
    /// Make this node the shard's Writer.
    SwitchTo {
        /// The shard.
        shard: ShardId,
        /// The node.
        node: NodeId,
    },
    /// Divide the shard.
    Split {
        /// The shard.
        shard: ShardId,
        /// First bucket of the right part; the configured rule chooses if none is given.
        at: Option<BucketId>,
    },
    /// Make one shard of two neighbours.
    Merge {
        /// The shard that stays.
        left: ShardId,
        /// The shard that ends.
        right: ShardId,
    },
}

impl Aggregate {
    /// Requests that came: completed, timed out and shed.
    pub fn offered(&self) -> u64 {
        self.n.saturating_add(self.timeouts).saturating_add(self.shed)
    }

    /// Timed out or shed.
    pub fn failed(&self) -> u64 {
        self.timeouts.saturating_add(self.shed)
    }

    /// Average response time in microseconds, rounded down; each request that failed counts as
    /// `timeout_us` (X12). `None` without any request.
    pub fn average_us(&self, timeout_us: u64) -> Option<u64> {
        let failed = u128::from(self.failed()) * u128::from(timeout_us);
        let sum = (u128::from(self.sum_us) + failed).checked_div(u128::from(self.offered()))?;
        Some(u64::try_from(sum).unwrap_or(u64::MAX))
    }
}

impl std::ops::AddAssign for Aggregate {
    fn add_assign(&mut self, other: Self) {
        self.n = self.n.saturating_add(other.n);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.timeouts = self.timeouts.saturating_add(other.timeouts);
        self.shed = self.shed.saturating_add(other.shed);
        self.busy_us = self.busy_us.saturating_add(other.busy_us);
    }
}

impl std::ops::Add for Aggregate {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::iter::Sum for Aggregate {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| sum + one)
    }
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

    /// Nodes that are down, by id.
    pub fn lost(&self) -> BTreeSet<NodeId> {
        let ids = self.topology.nodes().map(|n| n.id);
        ids.filter(|&n| self.health(n) == Health::Down).collect()
    }
}
