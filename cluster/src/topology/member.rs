//! A node's part in one shard.

use serde::{Deserialize, Serialize};

use super::{BucketRange, NodeId};

/// A member's voice in its group. `Incoming` and `Outgoing` exist only while a joint change is in
/// flight: then the group needs a majority of the configuration before and of the one after.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// Follows, does not vote.
    #[default]
    Learner,
    /// Votes, before and after any change in flight.
    Voter,
    /// Votes in the configuration after the change.
    Incoming,
    /// Votes in the configuration before the change.
    Outgoing,
}

impl Vote {
    /// Whether it votes in the configuration before a change in flight (or in the only one).
    pub fn before(self) -> bool {
        matches!(self, Self::Voter | Self::Outgoing)
    }

    /// Whether it votes in the configuration after a change in flight (or in the only one).
    pub fn after(self) -> bool {
        matches!(self, Self::Voter | Self::Incoming)
    }

    /// The voice of a member with this membership before and after a change.
    pub fn joint(before: bool, after: bool) -> Self {
        match (before, after) {
            (true, true) => Self::Voter,
            (true, false) => Self::Outgoing,
            (false, true) => Self::Incoming,
            (false, false) => Self::Learner,
        }
    }
}

/// A copy of a shard on one node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Where.
    pub node: NodeId,
    /// Its voice.
    pub vote: Vote,
    /// Whether reads are sent to it. True for Replicas, for a Writer without Replicas, and for a
    /// shadow that serves in a burst.
    pub reads: bool,
    /// The part of the shard it keeps, if not all of it: a learner of the coming child (R67, C35).
    pub part: Option<BucketRange>,
}

impl Member {
    /// A learner of the whole shard that serves nothing yet.
    pub fn learner(node: NodeId) -> Self {
        Self { node, vote: Vote::Learner, reads: false, part: None }
    }
}
