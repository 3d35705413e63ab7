//! What a choice will move: copies with their bytes, and roles that move without any.

use super::load::View;
use super::{Choice, Move};
use crate::topology::{BucketRange, NodeId};

/// The moves of `choice`, in the order in which they happen.
pub(super) fn moves(view: &View<'_>, choice: &Choice) -> Vec<Move> {
    let whole = view.shard.range;
    let source = source(view);
    let shadow = view.shape.shadows.first().copied();
    let part = |range: BucketRange, to| Move {
        shard: view.shard.id,
        range,
        from: source,
        to,
        bytes: bytes(view, range),
    };
    let role = |to| Move { shard: view.shard.id, range: whole, from: None, to, bytes: 0 };
    match choice {
        // The shadow that is there becomes a Replica at once; every new node gets one copy.
        Choice::Grow { nodes } => {
            let copies = (0..*nodes).map(|_| part(whole, None));
            shadow.map(|s| role(Some(s))).into_iter().chain(copies).collect()
        }
        Choice::RaiseLevel { .. } | Choice::LowerLevel { .. } => vec![part(whole, None)],
        Choice::Split(goal) => {
            let Ok((_, right)) = whole.split_at(goal.at) else { return Vec::new() };
            let paired = part(whole, None);
            [part(right, None), paired].into_iter().take(goal.nodes as usize).collect()
        }
        Choice::BurstServe => vec![role(shadow)],
        Choice::Shrink => vec![role(view.observation.topology.latest_replica(view.shard.id))],
        Choice::Merge { right } => {
            let topology = &view.observation.topology;
            let Some(other) = topology.shard(*right) else { return Vec::new() };
            let lacks = |n: &&NodeId| !other.has(**n);
            let size = view.observation.shards.get(right).map_or(0, |s| s.bytes);
            let copy = |to: &NodeId| Move {
                shard: *right,
                range: other.range,
                from: Some(other.writer),
                to: Some(*to),
                bytes: size,
            };
            view.shard.members.keys().filter(lacks).map(copy).collect()
        }
        _ => Vec::new(),
    }
}

/// Where copies come from: a shadow, else a Replica, else the Writer if it is alone (X14).
fn source(view: &View<'_>) -> Option<NodeId> {
    let first = view.shape.shadows.iter().chain(&view.shape.replicas).next();
    Some(*first.unwrap_or(&view.shard.writer))
}

/// Bytes of a part, taken as even over the buckets.
fn bytes(view: &View<'_>, part: BucketRange) -> u64 {
    let (all, some) = (view.shard.range.count(), part.count());
    let product = u128::from(view.seen.bytes) * u128::from(some) / u128::from(all.max(1));
    u64::try_from(product).unwrap_or(u64::MAX)
}
