//! The invariants of a topology, told as what is wrong when one is broken.

use super::{
    BucketId, BucketRange, Epoch, GroupId, JoinOrder, NodeId, OperationId, RangeError, ShardId,
};

/// Why a topology, or a change of one, is refused. The value stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// Ranges tile `1..=B` (I1): the next range has to begin at `expected`.
    #[error("ranges do not tile: {shard} holds {range} where a range must begin at {expected}")]
    Tiling {
        /// The shard out of place.
        shard: ShardId,
        /// Its range.
        range: BucketRange,
        /// Where a range has to begin.
        expected: BucketId,
    },
    /// Ranges tile `1..=B` (I1): they end too early.
    #[error("ranges do not tile: buckets from {from} on belong to no shard")]
    Uncovered {
        /// The first bucket without a shard.
        from: BucketId,
    },
    /// What cannot be a range.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// There is no such node.
    #[error("{0} is not in the topology")]
    UnknownNode(NodeId),
    /// There is no such shard.
    #[error("{0} is not in the topology")]
    UnknownShard(ShardId),
    /// There is no such operation.
    #[error("{0} is not in flight")]
    UnknownOperation(OperationId),
    /// The node keeps no copy of the shard.
    #[error("{node} is no member of {shard}")]
    NotMember {
        /// The shard.
        shard: ShardId,
        /// The node.
        node: NodeId,
    },
    /// Every configuration of voters, before and after a joint change, has an odd size (I3).
    #[error("{shard} has {voters} voters: their number is odd")]
    EvenVoters {
        /// The shard.
        shard: ShardId,
        /// How many.
        voters: usize,
    },
    /// The Writer leads the group, so it votes in it (R12).
    #[error("{node} is Writer of {shard} and does not vote in it")]
    WriterNotVoter {
        /// The shard.
        shard: ShardId,
        /// Its Writer.
        node: NodeId,
    },
    /// A shadow serves nothing, so it is no Writer.
    #[error("{node} is Writer of {shard} and cannot hold its shadow")]
    WriterIsShadow {
        /// The shard.
        shard: ShardId,
        /// Its Writer.
        node: NodeId,
    },
    /// A member that keeps a part of the range neither votes nor serves (C35).
    #[error("{node} keeps only {part} of {shard}: it can neither vote nor serve reads")]
    PartialMember {
        /// The shard.
        shard: ShardId,
        /// The member.
        node: NodeId,
        /// What it keeps.
        part: BucketRange,
    },
    /// A part is smaller than the shard and inside it.
    #[error("{part}, which {node} keeps, is no part of {shard}")]
    NotPart {
        /// The shard.
        shard: ShardId,
        /// The member.
        node: NodeId,
        /// What it is said to keep.
        part: BucketRange,
    },
    /// Somebody serves each shard's reads (I4).
    #[error("nobody serves the reads of {0}")]
    NoReader(ShardId),
    /// A shadow belongs to a Load Manager.
    #[error("{node} holds the shadow of {shard} but its Load Manager is off")]
    ShadowWithoutLoadManager {
        /// The node.
        node: NodeId,
        /// The shard.
        shard: ShardId,
    },
    /// Clients have somewhere to go (I7).
    #[error("no node is Load Manager")]
    NoLoadManager,
    /// Epochs start at 1 and only grow (I1).
    #[error("epoch {new} of {shard} is not above {old}")]
    EpochNotGrown {
        /// The shard.
        shard: ShardId,
        /// The epoch it has.
        old: Epoch,
        /// The one it should get.
        new: Epoch,
    },
    /// The control epoch only grows.
    #[error("control epoch {new} is not above {old}")]
    ControlEpochNotGrown {
        /// The epoch it has.
        old: Epoch,
        /// The one it should get.
        new: Epoch,
    },
    /// Node ids are never reused.
    #[error("{0} was used before")]
    NodeReused(NodeId),
    /// A place in the order of joining is taken once.
    #[error("{0} was used before")]
    JoinOrderReused(JoinOrder),
    /// Shard ids are never reused.
    #[error("{0} was used before")]
    ShardReused(ShardId),
    /// Group ids are never reused (C32).
    #[error("{0} was used before")]
    GroupReused(GroupId),
    /// Operation ids are never reused.
    #[error("{0} was used before")]
    OperationReused(OperationId),
    /// One scaling operation per shard; repairs go beside it.
    #[error("{shard} is busy: {busy} is in flight on it")]
    ShardBusy {
        /// The shard.
        shard: ShardId,
        /// The operation in flight.
        busy: OperationId,
    },
    /// Phases only advance.
    #[error("{0} would go back to an earlier phase")]
    PhaseBack(OperationId),
    /// An operation that may have been committed cannot be abandoned (3.5).
    #[error("{0} is past the point where it can be cancelled")]
    PastCancel(OperationId),
    /// The Writer, a voter or a server of reads gives that up before it leaves.
    #[error("{node} still writes, votes or serves reads in {shard}")]
    MemberInUse {
        /// The shard.
        shard: ShardId,
        /// The member.
        node: NodeId,
    },
    /// A node that is gone gets no duty.
    #[error("{0} is fenced and cannot take a role")]
    Fenced(NodeId),
    /// Only one joint change at a time.
    #[error("{0} has a change of voters in flight")]
    Joint(ShardId),
    /// Taking over without an election needs the word that all who could object are gone (C11).
    #[error("{node} votes in {shard} and is not fenced")]
    NotFenced {
        /// The shard.
        shard: ShardId,
        /// The voter that may live.
        node: NodeId,
    },
    /// Two shards become one only if they are neighbours and the left one's members hold both.
    #[error("{node} serves or votes in {left} but keeps no copy of {right}")]
    NotColocated {
        /// The shard that stays.
        left: ShardId,
        /// The shard that ends.
        right: ShardId,
        /// Who lacks a copy.
        node: NodeId,
    },
    /// The parent's Writer is a first member of the child and leads it at first (C32).
    #[error("{writer}, the Writer of {parent}, is not among the voters of its child")]
    ChildWithoutWriter {
        /// The shard that is divided.
        parent: ShardId,
        /// Its Writer.
        writer: NodeId,
    },
    /// One thing stands in a list twice, or under another's key.
    #[error("{0} stands twice")]
    Twice(String),
}
