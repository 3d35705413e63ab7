//! Questions the rules ask.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::planner::{NO_OPERATION, Planner};
use crate::autoscaler::Health;
use crate::topology::{
    JoinOrder, Level, LoadManagerState, NodeId, Operation, OperationId, OperationKind, ShardId,
    Vote, VoterRule,
};

/// Who should lead: the greatest. Whoever serves goes before a shadow, then the one that lacks
/// least, the biggest, the latest (3.4, X2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct LeaderRank {
    serves: bool,
    lag_entries: Reverse<u64>,
    level: Level,
    joined: JoinOrder,
    pub node: NodeId,
}

/// Whom to copy from: the least. A shadow first, the Writer last (X14).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct SourceRank {
    writes: bool,
    serves: bool,
    busy_us: u64,
    node: NodeId,
}

impl Planner<'_> {
    pub fn up(&self, node: NodeId) -> bool {
        self.seen.health(node) == Health::Up
    }

    pub fn down(&self, node: NodeId) -> bool {
        self.seen.health(node) == Health::Down
    }

    /// Whether the node's copy is observed to be in sync.
    pub fn warm(&self, shard: ShardId, node: NodeId) -> bool {
        let rules = &self.config.sync;
        self.seen.shards.get(&shard).and_then(|s| s.members.get(&node)).is_some_and(|m| {
            m.seeded && (m.lag_bytes <= rules.warm_bytes || m.lag_entries <= rules.warm_entries)
        })
    }

    /// Whether it votes or serves already, or could.
    pub fn ready(&self, shard: ShardId, node: NodeId) -> bool {
        let Some(member) = self.topology.member(shard, node) else { return false };
        member.part.is_none()
            && (member.reads || member.vote != Vote::Learner || self.warm(shard, node))
    }

    pub fn shadows_of(&self, shard: ShardId) -> BTreeSet<NodeId> {
        self.topology.all_shadows().get(&shard).cloned().unwrap_or_default()
    }

    /// Load Managers that live and hold the shard's shadow.
    pub fn live_shadows(&self, shard: ShardId) -> BTreeSet<NodeId> {
        let shadows = self.shadows_of(shard);
        shadows.into_iter().filter(|&n| self.up(n) && self.is_load_manager(n)).collect()
    }

    pub fn is_load_manager(&self, node: NodeId) -> bool {
        self.topology.node(node).is_some_and(|n| n.is_load_manager())
    }

    pub fn load_manager(&self, node: NodeId) -> LoadManagerState {
        self.topology.node(node).map_or(LoadManagerState::Off, |n| n.load_manager)
    }

    pub fn writer(&self, shard: ShardId) -> Option<NodeId> {
        self.topology.shard(shard).map(|s| s.writer)
    }

    /// Members with a whole copy that are neither Writer nor shadow: Replicas, and who is to be one.
    pub fn data_nodes(&self, shard: ShardId) -> BTreeSet<NodeId> {
        self.data(shard).collect()
    }

    fn data(&self, shard: ShardId) -> impl Iterator<Item = NodeId> {
        let shadows = self.topology.all_shadows().get(&shard);
        let writer = self.writer(shard);
        let members = self.topology.shard(shard).into_iter().flat_map(|s| s.members.values());
        let whole = members.filter(|m| m.part.is_none()).map(|m| m.node);
        whole.filter(move |n| Some(*n) != writer && !shadows.is_some_and(|s| s.contains(n)))
    }

    /// Mach, with those counted that are still catching up.
    pub fn size(&self, shard: ShardId) -> u32 {
        let data = u32::try_from(self.data(shard).count()).unwrap_or(u32::MAX);
        data.saturating_add(1 + u32::from(self.topology.all_shadows().contains_key(&shard)))
    }

    /// Whether a majority of the voters lives, before and after any change in flight.
    pub fn has_quorum(&self, shard: ShardId) -> bool {
        let Some(found) = self.topology.shard(shard) else { return false };
        [found.voters(), found.voters_before()].iter().all(|v| self.is_majority_live(v))
    }

    pub fn is_majority_live(&self, voters: &BTreeSet<NodeId>) -> bool {
        2 * self.live(voters) > voters.len()
    }

    /// How many more may be lost before there is no majority.
    pub fn spare(&self, voters: &BTreeSet<NodeId>) -> usize {
        self.live(voters).saturating_sub(voters.len() / 2 + 1)
    }

    pub fn live(&self, nodes: &BTreeSet<NodeId>) -> usize {
        nodes.iter().filter(|&&n| !self.down(n)).count()
    }

    /// All who have a part in the shard are up.
    pub fn is_healthy(&self, shard: ShardId) -> bool {
        let members = self.topology.shard(shard).into_iter().flat_map(|s| s.members.keys());
        members
            .chain(self.topology.all_shadows().get(&shard).into_iter().flatten())
            .all(|n| !self.unwell.contains(n))
    }

    /// Whether all who have a part in the shard live and are in sync, and nobody is half-way.
    pub fn is_settled(&self, shard: ShardId) -> bool {
        let Some(found) = self.topology.shard(shard) else { return true };
        let shadows = self.shadows_of(shard);
        self.is_healthy(shard)
            && !found.is_joint()
            && shadows.iter().all(|&n| found.has(n))
            && found.members.keys().all(|&n| self.ready(shard, n))
    }

    /// The operation that changes the shard, else the repair of it, else none.
    pub fn operation_of(&self, shard: ShardId) -> Option<&Operation> {
        self.topology.busy(shard).or_else(|| {
            let replaces = |o: &&Operation| matches!(o.kind, OperationKind::Replace { .. });
            self.topology.work_on(shard).find(replaces)
        })
    }

    /// The operation on whose behalf roles are put in order. Not those from whose nodes follows
    /// who leaves.
    pub fn tidy_operation(&self, shard: ShardId) -> OperationId {
        self.operation_of(shard)
            .filter(|o| !matches!(o.kind, OperationKind::Shrink))
            .map_or(NO_OPERATION, |o| o.id)
    }

    pub fn leader_rank(&self, shard: ShardId, node: NodeId) -> Option<LeaderRank> {
        let found = self.topology.node(node)?;
        let lag = self.seen.shards.get(&shard).and_then(|s| s.members.get(&node));
        Some(LeaderRank {
            serves: found.shadow.is_none(),
            lag_entries: Reverse(lag.map_or(0, |m| m.lag_entries)),
            level: found.level,
            joined: found.joined,
            node,
        })
    }

    /// The best of the shard's living voters to lead it, `not` aside.
    pub fn best_leader(&self, shard: ShardId, not: NodeId) -> Option<NodeId> {
        let voters = self.topology.shard(shard)?.voters();
        let live = voters.into_iter().filter(|&n| n != not && self.up(n));
        live.filter_map(|n| self.leader_rank(shard, n)).max().map(|r| r.node)
    }

    /// From which member `node` should copy.
    pub fn source(&self, shard: ShardId, node: NodeId) -> Option<NodeId> {
        let found = self.topology.shard(shard)?;
        let good = |n: &NodeId| *n != node && self.up(*n) && self.ready(shard, *n);
        let rank = |n: NodeId| {
            let work = self.seen.shards.get(&shard).and_then(|s| s.members.get(&n));
            SourceRank {
                writes: n == found.writer,
                serves: !self.topology.all_shadows().get(&shard).is_some_and(|s| s.contains(&n)),
                busy_us: work
                    .map_or(0, |m| m.work.read_busy_us.saturating_add(m.work.apply_busy_us)),
                node: n,
            }
        };
        found.members.keys().copied().filter(good).map(rank).min().map(|r| r.node)
    }

    /// The voters the shard should have, of those who stay.
    pub fn best_voters(&self, shard: ShardId) -> BTreeSet<NodeId> {
        let safety = &self.config.safety;
        let rule = VoterRule {
            max: usize::try_from(safety.max_voters).unwrap_or(usize::MAX),
            alone_below_four: safety.consensus == crate::autoscaler::config::Consensus::Article,
        };
        let leaving = self.leaving(shard);
        let votes = |n| self.topology.member(shard, n).is_some_and(|m| m.vote.after());
        self.topology.best_voters(shard, rule, |n| {
            let well = if votes(n) { !self.down(n) } else { self.up(n) };
            well && self.ready(shard, n) && !leaving.contains(&n)
        })
    }

    /// Load Managers beyond one per shard.
    pub fn extra_load_managers(&self) -> u32 {
        let mut extra = 0u32;
        let live = |n: &&NodeId| self.is_load_manager(**n) && !self.down(**n);
        for shadows in self.topology.all_shadows().values().filter(|s| s.len() > 1) {
            let count = u32::try_from(shadows.iter().filter(live).count()).unwrap_or(u32::MAX);
            extra = extra.saturating_add(count.saturating_sub(1));
        }
        extra
    }

    /// The shard that most needs one more shadow.
    pub fn fewest_shadows(&self) -> Option<ShardId> {
        let count = |s: ShardId| self.topology.all_shadows().get(&s).map_or(0, BTreeSet::len);
        self.topology.shards().map(|s| s.id).min_by_key(|&s| (count(s), s))
    }
}
