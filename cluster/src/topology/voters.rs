//! Who should vote (X3, X32).
//!
//! A group of one needs no consensus; two nodes have no majority that survives a loss, so the
//! Writer alone votes there; from three copies on an odd number votes: the Writer and the Replicas
//! first, a shadow only where it makes the number odd. More voters than five cost acknowledgements
//! and buy little, so the rest are learners.
//!
//! Where Replicas have to be left out, those stay in whose zones have the fewest voters yet, so
//! that the loss of a zone costs as few voices as can be; then those that vote already (no change
//! without need), the bigger ones (X22), and the older ones, since the latest leaves first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Node, NodeId, ShardId, Topology, Zone};

/// How voters are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VoterRule {
    /// Most voters: 1, 3 or 5. An even number counts as one less.
    pub max: usize,
    /// Whether the Writer alone votes below Mach IV, as in the article (`consensus article`).
    pub alone_below_four: bool,
}

impl Default for VoterRule {
    fn default() -> Self {
        Self { max: 5, alone_below_four: false }
    }
}

impl Topology {
    /// The voters the shard should have: an odd number, its Writer among them. Members for which
    /// `fit` is false (not warm, not well) are passed over; the Writer is not. Empty for a shard
    /// that does not exist.
    pub fn best_voters(
        &self,
        shard: ShardId,
        rule: VoterRule,
        fit: impl Fn(NodeId) -> bool,
    ) -> BTreeSet<NodeId> {
        let Some(found) = self.shard(shard) else { return BTreeSet::new() };
        let writer = found.writer;
        let whole = |n: NodeId| {
            n != writer
                && fit(n)
                && self.member(shard, n).is_some_and(|m| m.part.is_none())
                && self.node(n).is_some_and(|n| !n.fenced)
        };
        let replicas: Vec<NodeId> =
            self.replicas(shard).into_iter().filter(|&n| whole(n)).collect();
        let shadows: Vec<NodeId> =
            self.shadows(shard).map(|n| n.id).filter(|&n| whole(n)).collect();

        let mut chosen = BTreeSet::from([writer]);
        let nodes = 1 + replicas.len() + usize::from(!shadows.is_empty());
        if replicas.is_empty() || (rule.alone_below_four && nodes < 4) {
            return chosen;
        }
        let mut max = rule.max.max(1);
        max -= usize::from(max.is_multiple_of(2));
        let mut wanted = max.min(1 + replicas.len());
        if wanted.is_multiple_of(2) && shadows.is_empty() {
            wanted -= 1;
        }
        self.fill(shard, &mut chosen, replicas, wanted);
        if chosen.len().is_multiple_of(2) {
            let odd = chosen.len() + 1;
            self.fill(shard, &mut chosen, shadows, odd);
        }
        chosen
    }

    /// Adds the best of `from` until `wanted` are chosen.
    fn fill(
        &self,
        shard: ShardId,
        chosen: &mut BTreeSet<NodeId>,
        from: Vec<NodeId>,
        wanted: usize,
    ) {
        let mut rest: Vec<&Node> = from.into_iter().filter_map(|n| self.node(n)).collect();
        let zoned = chosen
            .iter()
            .filter_map(|&n| self.node(n))
            .chain(rest.iter().copied())
            .all(|n| n.zone.is_some());
        while chosen.len() < wanted {
            let mut taken: BTreeMap<&Zone, usize> = BTreeMap::new();
            for zone in chosen.iter().filter_map(|&n| self.node(n)?.zone.as_ref()) {
                *taken.entry(zone).or_default() += 1;
            }
            let crowd = |n: &Node| match &n.zone {
                Some(zone) if zoned => taken.get(zone).copied().unwrap_or_default(),
                _ => 0,
            };
            let votes = |n: &Node| self.member(shard, n.id).is_some_and(|m| m.vote.after());
            let rank = |n: &&Node| (crowd(n), !votes(n), Reverse(n.level), n.joined, n.id);
            let Some(best) = rest.iter().copied().min_by_key(rank) else { return };
            chosen.insert(best.id);
            rest.retain(|n| n.id != best.id);
        }
    }
}
