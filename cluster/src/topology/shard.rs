//! A contiguous range of buckets with one Writer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BucketRange, Epoch, GroupId, Member, NodeId, ShardId, Vote};

/// A shard and its group. Read through the topology that checks it; changed only by it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// Never reused.
    pub id: ShardId,
    /// Its consensus group; never reused.
    pub group: GroupId,
    /// Its buckets.
    pub range: BucketRange,
    /// Carried by frames and actions; older ones are refused (C10).
    pub epoch: Epoch,
    /// The node that executes its writes; the last known one while an election runs.
    pub writer: NodeId,
    /// Every node that keeps a copy, the Writer's too, by node.
    #[serde(with = "members_as_list")]
    pub members: BTreeMap<NodeId, Member>,
    /// The shard it was split from: with the order of shard ids this is all that merging needs
    /// ([`Topology::siblings`](super::Topology::siblings)).
    pub parent: Option<ShardId>,
}

impl Shard {
    /// Voters of the newest configuration.
    pub fn voters(&self) -> BTreeSet<NodeId> {
        self.select(|m| m.vote.after())
    }

    /// Voters of the configuration before the joint change in flight; [`Shard::voters`] if none is.
    pub fn voters_before(&self) -> BTreeSet<NodeId> {
        self.select(|m| m.vote.before())
    }

    /// Whether a joint change of voters is in flight.
    pub fn is_joint(&self) -> bool {
        self.members.values().any(|m| matches!(m.vote, Vote::Incoming | Vote::Outgoing))
    }

    /// Members that serve reads.
    pub fn readers(&self) -> BTreeSet<NodeId> {
        self.select(|m| m.reads)
    }

    /// Whether `node` keeps a copy of it, or of a part of it.
    pub fn has(&self, node: NodeId) -> bool {
        self.members.contains_key(&node)
    }

    fn select(&self, which: impl Fn(&Member) -> bool) -> BTreeSet<NodeId> {
        self.members.values().filter(|m| which(m)).map(|m| m.node).collect()
    }
}

/// A member names its node, so the map is written as a list.
mod members_as_list {
    use std::collections::BTreeMap;

    use serde::de::{Deserializer, Error};
    use serde::{Deserialize, Serializer};

    use super::{Member, NodeId};

    pub fn serialize<S: Serializer>(
        members: &BTreeMap<NodeId, Member>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(members.values())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<NodeId, Member>, D::Error> {
        let mut members = BTreeMap::new();
        for member in Vec::<Member>::deserialize(from)? {
            let node = member.node;
            if members.insert(node, member).is_some() {
                return Err(D::Error::custom(format_args!("{node} is a member twice")));
            }
        }
        Ok(members)
    }
}
