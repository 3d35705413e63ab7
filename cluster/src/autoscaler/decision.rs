//! One decision about one shard, or about the Load Managers, with its reasons.

use serde::{Deserialize, Serialize};

use super::{Explanation, SplitGoal};
use crate::topology::{Level, NodeId, ShardId};

/// What was decided and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// About which shard; none if about Load Managers.
    pub shard: Option<ShardId>,
    /// What is to happen.
    pub choice: Choice,
    /// Why, in figures.
    pub explanation: Explanation,
}

impl Decision {
    /// The least goes first: the priority of 3.1, of growing shards the one that lacks most.
    pub(super) fn urgency(&self) -> impl Ord + '_ {
        let lacks = match &self.choice {
            Choice::Grow { nodes } => *nodes,
            _ => 0,
        };
        let rank = match &self.choice {
            Choice::Grow { .. } => &Choice::Grow { nodes: 0 },
            other => other,
        };
        (rank, std::cmp::Reverse(lacks), self.shard)
    }
}

/// What can be decided. The order is the priority of 3.1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "choice")]
pub enum Choice {
    /// A lost node is replaced.
    Replace {
        /// The lost node.
        lost: NodeId,
    },
    /// The voters are brought to the set they should be.
    Revote,
    /// An operation in flight is abandoned.
    Abort,
    /// One more Load Manager.
    AddLoadManager,
    /// The shadow serves reads for a while: costs no copy.
    BurstServe,
    /// More Replicas.
    Grow {
        /// How many nodes.
        nodes: u32,
    },
    /// A bigger Writer.
    RaiseLevel {
        /// Its level.
        to: Level,
    },
    /// Two shards instead of one.
    Split(SplitGoal),
    /// Leadership to another member, for its level.
    SwitchTo {
        /// The coming Writer.
        to: NodeId,
    },
    /// An extra Load Manager leaves.
    RemoveLoadManager {
        /// Which.
        node: NodeId,
    },
    /// One Replica less.
    Shrink,
    /// One shard instead of two.
    Merge {
        /// The right neighbour, which ends.
        right: ShardId,
    },
    /// A smaller Writer.
    LowerLevel {
        /// Its level.
        to: Level,
    },
    /// Nothing changes.
    Stay,
}
