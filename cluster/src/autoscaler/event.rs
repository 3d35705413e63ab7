//! What operators, human or software, are told (3.8): CloudEvents-like, at least once, ordered by
//! `seq`, replayable.

use serde::{Deserialize, Serialize};

use super::action::{Action, NodeRequest};
use super::explain::{Explanation, Figure, Held, Metric};
use super::{Choice, Rate, Seconds, TimeMs};
use crate::topology::{BucketId, Epoch, LoadManagerState, NodeId, OperationId, RequestId, ShardId};

/// One event. In JSON: `{"id","seq","epoch","time","cluster","severity","type","data":{...}}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// `CLUSTER-SEQ`: the same event, told twice, has the same one.
    pub id: String,
    /// Its place in the order, from 1.
    pub seq: u64,
    /// The control epoch it was emitted under.
    pub epoch: Epoch,
    /// When, in milliseconds since the Unix epoch.
    pub time: TimeMs,
    /// The cluster's name.
    pub cluster: String,
    /// How bad it is.
    pub severity: Severity,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// How bad an event is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody may have to act.
    Warning,
    /// Clients feel it, or data is in danger.
    Critical,
}

/// Why a Writer changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaderCause {
    /// Planned.
    Transfer,
    /// The old one was lost.
    Election,
    /// Mach II, after a fence.
    TakeOver,
}

/// What cannot grow any further.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `max-nodes`.
    MaxNodes,
    /// A shard of one bucket cannot be divided (R73).
    Buckets,
    /// The Writer is of the highest level allowed and may not be divided.
    Level,
}

/// Why a node is asked for: a figure over its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// What was measured.
    pub metric: Metric,
    /// How much.
    pub value: Figure,
    /// Against what.
    pub threshold: Figure,
    /// Over which window; none for figures of the moment.
    pub window: Option<Seconds>,
}

/// What happened. The variants' JSON names are the types of 3.8.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum EventKind {
    /// Please provide a node.
    #[serde(rename = "node.request")]
    NodeRequest {
        /// What is asked for.
        #[serde(flatten)]
        request: NodeRequest,
        /// It is asked for again if nothing has come by then.
        deadline: TimeMs,
        /// The figure behind it; none if a node was lost.
        reason: Option<Reason>,
    },
    /// A node is no longer wanted.
    #[serde(rename = "node.cancel")]
    NodeCancel {
        /// The request.
        #[serde(rename = "req_id")]
        request: RequestId,
    },
    /// Please take a node away.
    #[serde(rename = "node.release")]
    NodeRelease {
        /// Which.
        node: NodeId,
    },
    /// Please make certain that a node is gone.
    #[serde(rename = "node.fence")]
    NodeFence {
        /// Which.
        node: NodeId,
    },
    /// A node has joined.
    #[serde(rename = "node.joined")]
    NodeJoined {
        /// Which.
        node: NodeId,
        /// The request it answers.
        #[serde(rename = "req_id")]
        request: Option<RequestId>,
    },
    /// A node's copy is in sync.
    #[serde(rename = "node.warm")]
    NodeWarm {
        /// Which.
        node: NodeId,
        /// Of what.
        shard: ShardId,
        /// Bytes it was sent.
        bytes: u64,
    },
    /// A node serves reads.
    #[serde(rename = "node.serving")]
    NodeServing {
        /// Which.
        node: NodeId,
        /// Of what.
        shard: ShardId,
    },
    /// A node is lost.
    #[serde(rename = "node.lost")]
    NodeLost {
        /// Which.
        node: NodeId,
    },
    /// A node's modules got other roles.
    #[serde(rename = "role.changed")]
    RoleChanged {
        /// Which.
        node: NodeId,
        /// Its Load Manager module.
        load_manager: LoadManagerState,
        /// Shards whose reads it serves.
        reads: Vec<ShardId>,
        /// The shard whose shadow it holds.
        shadow: Option<ShardId>,
    },
    /// A shard has another Writer.
    #[serde(rename = "leader.changed")]
    LeaderChanged {
        /// The shard.
        shard: ShardId,
        /// The Writer before.
        from: NodeId,
        /// The Writer now.
        to: NodeId,
        /// Why.
        cause: LeaderCause,
        /// How long writes waited, when known.
        pause_ms: Option<u64>,
    },
    /// A shard was divided.
    #[serde(rename = "shard.split")]
    ShardSplit {
        /// The parent.
        shard: ShardId,
        /// The child.
        child: ShardId,
        /// The child's first bucket.
        at: BucketId,
        /// Bytes sent for it.
        bytes_moved: u64,
        /// How long writes of the child's part waited, when known.
        pause_ms: Option<u64>,
    },
    /// Two shards became one.
    #[serde(rename = "shard.merged")]
    ShardMerged {
        /// The shard that stayed.
        shard: ShardId,
        /// The shard that ended.
        right: ShardId,
        /// Its first bucket.
        at: BucketId,
        /// Bytes sent for it.
        bytes_moved: u64,
        /// How long writes waited, when known.
        pause_ms: Option<u64>,
    },
    /// A rule fired and something is done about it.
    #[serde(rename = "trigger.fired")]
    TriggerFired {
        /// The shard; none for Load Managers.
        shard: Option<ShardId>,
        /// The operation that begins.
        operation: OperationId,
        /// What is done.
        choice: Choice,
        /// Why.
        explanation: Explanation,
    },
    /// A rule fired and nothing is done now.
    #[serde(rename = "trigger.held")]
    TriggerHeld {
        /// The shard; none for Load Managers.
        shard: Option<ShardId>,
        /// What would be done.
        choice: Choice,
        /// Why it is not done.
        why: Vec<Held>,
        /// Why it would be.
        explanation: Explanation,
    },
    /// A surge begins and is absorbed.
    #[serde(rename = "surge.begin")]
    SurgeBegin {
        /// The shard.
        shard: ShardId,
        /// Requests per second.
        rate: Rate,
        /// Requests per second before.
        baseline: Rate,
    },
    /// A surge is over, or is now taken for growth.
    #[serde(rename = "surge.end")]
    SurgeEnd {
        /// The shard.
        shard: ShardId,
        /// How long it was.
        lasted_ms: u64,
        /// It was longer than `surge-patience`, or is legitimate, so the cluster may now grow.
        outlasted: bool,
    },
    /// One bucket has most of the heat: splitting would not help (X24).
    #[serde(rename = "hotkey")]
    HotKey {
        /// The shard.
        shard: ShardId,
        /// The bucket.
        bucket: BucketId,
        /// Its share of the shard's requests.
        share: super::Share,
    },
    /// Something cannot grow any further.
    #[serde(rename = "limit.reached")]
    LimitReached {
        /// The shard; none for the cluster.
        shard: Option<ShardId>,
        /// What.
        limit: Limit,
    },
    /// Splitting would not help; what to do instead (X8).
    #[serde(rename = "split.unhelpful")]
    SplitUnhelpful {
        /// The shard.
        shard: ShardId,
        /// The figures.
        explanation: Explanation,
    },
    /// Programs use both halves at once (C36).
    #[serde(rename = "split.held")]
    SplitHeld {
        /// The shard.
        shard: ShardId,
        /// When such a command was last seen.
        last: TimeMs,
    },
    /// A shard has lost its quorum; it is not served.
    #[serde(rename = "shard.unavailable")]
    ShardUnavailable {
        /// The shard.
        shard: ShardId,
        /// Its voters that are down.
        down: Vec<NodeId>,
    },
    /// What would be done (dry run, or approval awaited).
    #[serde(rename = "plan")]
    Plan {
        /// The operation, to approve or deny.
        operation: OperationId,
        /// Its first actions.
        actions: Vec<Action>,
        /// Why.
        explanation: Explanation,
    },
}

impl Event {
    /// An event with the severity of its kind.
    pub fn new(cluster: &str, seq: u64, epoch: Epoch, time: TimeMs, kind: EventKind) -> Self {
        let (id, severity) = (format!("{cluster}-{seq}"), kind.severity());
        Self { id, seq, epoch, time, cluster: cluster.to_owned(), severity, kind }
    }
}

impl EventKind {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::ShardUnavailable { .. } => Severity::Critical,
            Self::NodeLost { .. }
            | Self::NodeFence { .. }
            | Self::SurgeBegin { .. }
            | Self::HotKey { .. }
            | Self::LimitReached { .. }
            | Self::SplitUnhelpful { .. }
            | Self::SplitHeld { .. } => Severity::Warning,
            Self::NodeRequest { request, .. } if request.attempt > 1 => Severity::Warning,
            _ => Severity::Info,
        }
    }
}
