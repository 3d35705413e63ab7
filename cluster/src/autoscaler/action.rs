//! What the control group has done: the steps by which a topology becomes another one.
//!
//! Every action is idempotent and names the operation it belongs to and the epoch it was planned
//! under; nodes refuse older epochs (X33). [`Topology::apply`](crate::topology::Topology::apply) says
//! what a completed action does to the topology.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::topology::{
    BucketId, BucketRange, Epoch, GroupId, Level, NodeId, OperationId, OperationKind, Phase,
    RequestId, Roles, ShardId, Zone,
};

/// One step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Action {
    /// The operation it is a step of.
    pub operation: OperationId,
    /// The epoch of [`Action::shard`] when it was planned; the control epoch if it has no shard.
    pub epoch: Epoch,
    /// What is to be done.
    #[serde(flatten)]
    pub kind: ActionKind,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum ActionKind {
    /// Ask the operator for a node.
    RequestNode(NodeRequest),
    /// The node is no longer wanted; one that comes all the same is released.
    CancelRequest {
        /// The request.
        request: RequestId,
    },
    /// The operator may take the node away: it has no duty any more.
    ReleaseNode {
        /// The node.
        node: NodeId,
    },
    /// Have the driver make certain that the node's process is gone (X4).
    Fence {
        /// The node.
        node: NodeId,
    },
    /// A node begins to keep a copy of a shard, or of a part of it.
    AttachLearner {
        /// The node.
        node: NodeId,
        /// The shard.
        shard: ShardId,
        /// The part, if not all of it.
        part: Option<BucketRange>,
        /// The member it is copied from: a shadow or the least loaded, never the Writer unless it
        /// is alone (X14).
        source: NodeId,
    },
    /// One joint change of voters: PromoteVoter and DemoteVoter of any number of members at once,
    /// so that the number stays odd.
    ChangeVoters {
        /// The shard.
        shard: ShardId,
        /// All voters afterwards.
        voters: BTreeSet<NodeId>,
    },
    /// All modules of a node get their roles.
    SetRoles {
        /// The node.
        node: NodeId,
        /// The shard on whose behalf: its epoch guards the action. None for Load Managers without
        /// a shadow.
        shard: Option<ShardId>,
        /// The whole of its roles afterwards.
        roles: Roles,
    },
    /// Leadership goes to a voter (`switch to X`, R27).
    TransferLeader {
        /// The shard.
        shard: ShardId,
        /// The coming Writer.
        to: NodeId,
    },
    /// Takeover without election where all voters are fenced (Mach II, C11).
    TakeOver {
        /// The shard.
        shard: ShardId,
        /// Its new Writer and only voter.
        to: NodeId,
    },
    /// The right part becomes a shard of its own by one entry of the parent's journal.
    SplitShard {
        /// The parent.
        shard: ShardId,
        /// First bucket of the right part.
        at: BucketId,
        /// The new shard.
        child: ShardId,
        /// Its group.
        group: GroupId,
        /// Its first voters: an odd number of the parent's members, the parent's Writer included.
        voters: BTreeSet<NodeId>,
        /// Its first learners, members of the parent too.
        learners: BTreeSet<NodeId>,
    },
    /// The right neighbour is taken back: freeze, decide, merge (C33).
    MergeShards {
        /// The shard that stays.
        left: ShardId,
        /// The shard that ends.
        right: ShardId,
    },
    /// A node drops buckets of a shard that it need not keep; if that is all it kept, it is no
    /// member any more.
    DropRange {
        /// The node.
        node: NodeId,
        /// The shard they belong to.
        shard: ShardId,
        /// The buckets.
        range: BucketRange,
    },
    /// How many requests Load Managers may have in flight to a node.
    SetLimits {
        /// The node.
        target: NodeId,
        /// The limit, at least 1.
        in_flight: u32,
    },
    /// The operation begins.
    BeginOperation {
        /// What it does.
        what: OperationKind,
        /// The shard it works on.
        shard: Option<ShardId>,
    },
    /// The operation is in a later phase.
    AdvanceOperation {
        /// Which.
        phase: Phase,
    },
    /// The operation has reached its end.
    FinishOperation,
    /// The operation is abandoned: legal until its entry is proposed (3.5).
    CancelOperation,
}

/// A node that is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeRequest {
    /// Its number; the node joins with it, and asking again under it is harmless.
    #[serde(rename = "req_id")]
    pub request: RequestId,
    /// What it is for.
    pub purpose: Purpose,
    /// Its least level.
    pub min_level: Level,
    /// Where it would do most good, when zones are known (X32).
    pub zone_hint: Option<Zone>,
    /// Counts from 1 each time the request is issued again.
    pub attempt: u32,
}

/// What a node is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Purpose {
    /// The next Mach: it enters as Load Manager, the old one becomes Replica.
    Rotate {
        /// The shard that grows.
        shard: ShardId,
    },
    /// One more Load Manager; its shadow is this shard's.
    ExtraLoadManager {
        /// The shard with the fewest shadows.
        shard: ShardId,
    },
    /// A Writer of another level; it enters as Load Manager until it is in sync.
    BiggerLeader {
        /// The shard.
        shard: ShardId,
    },
    /// The Writer of a part; the only node that does not enter as Load Manager (X6).
    ChildLeader {
        /// The parent.
        shard: ShardId,
    },
    /// In place of a lost node.
    Replace {
        /// The lost node.
        lost: NodeId,
        /// The shard it is for; none if it held no copy.
        shard: Option<ShardId>,
    },
}

impl Purpose {
    /// The shard it is for.
    pub fn shard(self) -> Option<ShardId> {
        match self {
            Self::Rotate { shard }
            | Self::ExtraLoadManager { shard }
            | Self::BiggerLeader { shard }
            | Self::ChildLeader { shard } => Some(shard),
            Self::Replace { shard, .. } => shard,
        }
    }
}

impl Action {
    /// The shard whose epoch guards it.
    pub fn shard(&self) -> Option<ShardId> {
        self.kind.shard()
    }
}

impl ActionKind {
    /// The shard it acts upon; of a split the parent, of a merge the left one.
    pub fn shard(&self) -> Option<ShardId> {
        match self {
            Self::AttachLearner { shard, .. }
            | Self::ChangeVoters { shard, .. }
            | Self::TransferLeader { shard, .. }
            | Self::TakeOver { shard, .. }
            | Self::SplitShard { shard, .. }
            | Self::DropRange { shard, .. } => Some(*shard),
            Self::MergeShards { left, .. } => Some(*left),
            Self::SetRoles { shard, .. } | Self::BeginOperation { shard, .. } => *shard,
            Self::RequestNode(_)
            | Self::CancelRequest { .. }
            | Self::ReleaseNode { .. }
            | Self::Fence { .. }
            | Self::SetLimits { .. }
            | Self::AdvanceOperation { .. }
            | Self::FinishOperation
            | Self::CancelOperation => None,
        }
    }

    /// Whether bytes of records move between nodes because of it: what a surge forbids (I14).
    pub fn copies(&self) -> bool {
        matches!(self, Self::AttachLearner { .. })
    }
}
