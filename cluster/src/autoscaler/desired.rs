//! What topology is wanted, as little as says it: the planner finds the steps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::topology::{BucketId, Level, ShardId, SplitCause};

/// The wanted shape of a whole cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Desired {
    /// By shard; a shard that is not named stays as it is.
    pub shards: BTreeMap<ShardId, DesiredShard>,
    /// Load Managers beyond the one of each shard.
    pub extra_load_managers: u32,
}

/// The wanted shape of one shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DesiredShard {
    /// Mach: Writer, Replicas and one Load Manager.
    pub mach: u32,
    /// The Writer's level.
    pub level: Level,
    /// Divide it.
    pub split: Option<SplitGoal>,
    /// Take back this right neighbour.
    pub merge: Option<ShardId>,
}

/// How a shard is to be divided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct SplitGoal {
    /// First bucket of the right part.
    pub at: BucketId,
    /// Which path led here: it says where the child's Writer comes from.
    pub cause: SplitCause,
    /// Level of the child's Writer.
    pub child_level: Level,
    /// Level of both new Writers, if they are to replace a bigger one (R69).
    pub paired_level: Option<Level>,
    /// Nodes that it takes: the child's Load Manager or Writer, or both Writers; none if the shard's
    /// own suffice.
    pub nodes: u32,
}

/// Nodes of two shards at the least: each a Writer, two Replicas and a Load Manager (R61).
const TWO_SHARDS: usize = 8;

impl SplitGoal {
    /// Whether the Writer, so many Replicas and so many Load Managers of a shard are enough for two
    /// shards: then nothing is asked for and nothing copied (R60).
    pub fn is_enough(replicas: usize, load_managers: usize) -> bool {
        load_managers > 0 && 1 + replicas + load_managers >= TWO_SHARDS
    }
}
