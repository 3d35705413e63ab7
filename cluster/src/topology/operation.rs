//! Operations in flight: what was begun and is not done.
//!
//! The executor derives the next step from the topology and what it observes; what is stored here
//! is only what cannot be observed: that it was begun, why, under which epoch, and whether it has
//! passed the point from which it only goes forward.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{BucketId, Epoch, Level, NodeId, OperationId, RequestId, ShardId};

/// Why a shard is divided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitCause {
    /// The read path: enough Replicas, and one more node (R60).
    Reads,
    /// The write path: the Writer is of the highest level (R66).
    Writes,
}

/// What an operation does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum OperationKind {
    /// Mach n to n + 1: a new node becomes Load Manager, the old one Replica (R54).
    Grow,
    /// Mach n to n - 1, the inverse: the newest Replica becomes Load Manager, the old one leaves.
    Shrink,
    /// One more Load Manager; nobody is demoted (X30).
    AddLoadManager,
    /// An idle extra Load Manager leaves.
    RemoveLoadManager,
    /// A bigger or smaller Writer (R65 and its inverse).
    ChangeLevel {
        /// The new Writer's level.
        to: Level,
    },
    /// The right part becomes a shard of its own.
    Split {
        /// First bucket of the right part.
        at: BucketId,
        /// The new shard.
        child: ShardId,
        /// Which path led here.
        cause: SplitCause,
    },
    /// The right neighbour is taken back.
    Merge {
        /// The shard that ends.
        right: ShardId,
    },
    /// Repair: a lost node's duties go to others, and a node is requested in its place (R48).
    Replace {
        /// The lost node.
        lost: NodeId,
    },
    /// Repair: the voters are changed to the set they should be.
    Revote,
    /// Leadership goes to a named node, by an operator's word or for its level (R27).
    SwitchTo {
        /// The coming Writer.
        to: NodeId,
    },
}

impl OperationKind {
    /// Repairs go before scaling and beside it (X31).
    pub fn is_repair(&self) -> bool {
        matches!(self, Self::Replace { .. } | Self::Revote)
    }

    /// Whether it adds capacity (or takes some away); none if neither.
    pub fn grows(&self) -> Option<bool> {
        match self {
            Self::Grow | Self::AddLoadManager | Self::Split { .. } => Some(true),
            Self::Shrink | Self::RemoveLoadManager | Self::Merge { .. } => Some(false),
            _ => None,
        }
    }
}

/// How far an operation is. Not every operation passes every phase; none goes back.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Decided; the operator is asked for nodes if it needs any.
    #[default]
    Requested,
    /// The nodes it needs have joined and have their first role.
    Joined,
    /// A copy is being made or catches up.
    Syncing,
    /// Load Managers know what is coming (`prepare`).
    Prepared,
    /// The log entry that makes it real is proposed: from here it only goes forward.
    Committed,
    /// Leadership is on its way to its new place.
    Transferring,
    /// Old connections or old roles run out.
    Draining,
    /// Copies that nobody needs are dropped, nodes released.
    Releasing,
}

impl Phase {
    /// Whether the operation may still be abandoned (3.5: legal until the entry is proposed).
    pub fn can_cancel(self) -> bool {
        self < Self::Committed
    }
}

/// An operation in flight.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// Never reused.
    pub id: OperationId,
    /// What it does.
    #[serde(flatten)]
    pub kind: OperationKind,
    /// The shard it works on; of a merge the left one; none if it concerns only Load Managers.
    pub shard: Option<ShardId>,
    /// Nodes that have a part in it, the new ones as they join.
    pub nodes: BTreeSet<NodeId>,
    /// Node requests it waits for.
    pub requests: BTreeSet<RequestId>,
    /// How far it is.
    pub phase: Phase,
    /// The shard's epoch (the control epoch if there is no shard) when it was begun.
    pub epoch: Epoch,
}

impl Operation {
    /// An operation that begins now.
    pub fn begin(
        id: OperationId,
        kind: OperationKind,
        shard: Option<ShardId>,
        epoch: Epoch,
    ) -> Self {
        let (nodes, requests) = (BTreeSet::new(), BTreeSet::new());
        Self { id, kind, shard, nodes, requests, phase: Phase::Requested, epoch }
    }

    /// Every shard it works on: of a merge both, of a split the child too. The second one need not
    /// exist yet, or any more.
    pub fn shards(&self) -> BTreeSet<ShardId> {
        let second = match self.kind {
            OperationKind::Merge { right } => Some(right),
            OperationKind::Split { child, .. } => Some(child),
            _ => None,
        };
        self.shard.into_iter().chain(second).collect()
    }
}
