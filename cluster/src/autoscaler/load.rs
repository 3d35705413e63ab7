//! One shard as the rules look at it: who serves, what comes, and how busy that makes them.

use std::collections::{BTreeMap, BTreeSet};

use super::capacity::{Cost, Server, Utilisation, replicas};
use super::config::Mode;
use super::forecast::Load;
use super::observation::ShardObservation;
use super::state::{CapacityTable, ShardState};
use super::{Config, Observation, Seconds, TimeMs};
use crate::topology::{Level, NodeId, Shape, Shard};

/// Growth follows upon growth within this.
const FOLLOWS: Seconds = Seconds::minutes(10);

/// One shard, with all that its rules need.
pub(super) struct View<'a> {
    pub config: &'a Config,
    pub now: TimeMs,
    pub observation: &'a Observation,
    pub shard: &'a Shard,
    pub shape: &'a Shape,
    pub seen: &'a ShardObservation,
    pub memory: &'a ShardState,
    pub costs: &'a CapacityTable,
    /// Part of each node's time that its work for all shards takes.
    pub taken: &'a BTreeMap<NodeId, f64>,
    /// Nodes that are not well.
    pub unwell: &'a BTreeSet<NodeId>,
    /// Who serves its reads, and who could.
    pub fleet: Fleet,
}

/// The Replicas of a shard as servers.
#[derive(Default)]
pub(super) struct Fleet {
    /// Those there are, the first one in first.
    present: Vec<Server>,
    /// One that would come; none while costs are not known.
    new: Option<Server>,
}

/// Part of each node's time that its work for all shards takes, where it works for several.
pub(super) fn taken(observation: &Observation) -> BTreeMap<NodeId, f64> {
    let members = observation.shards.values().flat_map(|s| &s.members);
    let mut all: Vec<_> = members.map(|(node, member)| (*node, &member.work)).collect();
    all.sort_by_key(|(node, _)| *node);
    let nodes = all.chunk_by(|one, other| one.0 == other.0).filter(|works| works.len() > 1);
    let sums = nodes.filter_map(|works| {
        Some((works.first()?.0, works.iter().map(|(_, work)| busy(work)).sum()))
    });
    sums.collect()
}

fn busy(work: &super::observation::Work) -> f64 {
    let us = work.read_busy_us as f64 + work.write_busy_us as f64 + work.apply_busy_us as f64;
    if work.window_ms > 0 { us / 1e3 / work.window_ms as f64 } else { 0.0 }
}

impl View<'_> {
    pub(super) fn predictive(&self) -> bool {
        self.config.mode == Mode::Predictive
    }

    pub(super) fn mach(&self) -> u32 {
        self.shape.mach()
    }

    pub(super) fn replica_count(&self) -> u32 {
        u32::try_from(self.shape.replicas.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn writer_level(&self) -> Level {
        self.observation.topology.node(self.shard.writer).map_or(Level::MIN, |n| n.level)
    }

    /// Level of nodes that are added.
    pub(super) fn node_level(&self) -> Level {
        let levels = &self.config.levels;
        levels.node_level.unwrap_or_else(|| self.writer_level().down(levels.voter_level_gap))
    }

    /// A member, or a holder of its shadow, that is not well.
    pub(super) fn unhealthy(&self) -> Option<NodeId> {
        let nodes = self.shard.members.keys().chain(&self.shape.shadows);
        nodes.copied().find(|n| self.unwell.contains(n))
    }

    pub(super) fn cost(&self, level: Level) -> Option<Cost> {
        self.costs.cost(level, self.writer_level(), self.seen)
    }

    /// What came lately.
    pub(super) fn recent(&self) -> Load {
        let of = |class: super::observation::ClassWindow| class.trend.recent.as_f64();
        Load { reads: of(self.seen.reads), writes: of(self.seen.writes) }
    }

    /// What is expected when a change begun now takes effect.
    pub(super) fn coming(&self) -> Load {
        Load::ahead(self.seen, self.config.forecast.lookahead)
    }

    /// The same twice as far ahead: a change should last until the one after it has an effect. Three
    /// times where nothing has grown yet: of the first nodes some come late.
    pub(super) fn lasting(&self) -> Load {
        let times =
            if self.memory.grown.is_some_and(|at| !self.now.is_past(at, FOLLOWS)) { 2 } else { 3 };
        let ahead = self.config.forecast.lookahead.0.saturating_mul(times);
        Load::ahead(self.seen, Seconds(ahead))
    }

    /// What must be expected when shrinking; none before enough is known.
    pub(super) fn steady(&self) -> Option<Load> {
        Load::steady(self.seen, self.config.forecast.lookahead)
    }

    /// How busy `load` makes a shard of this Mach whose Writer is of `writer`; none if costs are
    /// not known. At Mach I and II the Writer serves reads too.
    pub(super) fn utilisation(&self, load: Load, mach: u32, writer: Level) -> Option<Utilisation> {
        let cost = self.cost(writer)?;
        let own = self.foreign(self.shard.writer);
        let writes = load.writes * cost.write + own;
        if mach < 3 {
            let both = writes + load.reads * cost.read;
            return Some(Utilisation { reads: both, writes: both });
        }
        Some(Utilisation { reads: self.busy_replicas(load, mach.saturating_sub(2))?, writes })
    }

    /// The same as things are.
    pub(super) fn utilisation_now(&self, load: Load) -> Option<Utilisation> {
        let mach =
            if self.replica_count() == 0 { 1 } else { self.replica_count().saturating_add(2) };
        self.utilisation(load, mach, self.writer_level())
    }

    /// How busy `load` makes `count` Replicas: the present ones, the first ones in first, then new
    /// ones. None if costs are not known.
    pub(super) fn busy_replicas(&self, load: Load, count: u32) -> Option<f64> {
        let Fleet { present, new } = &self.fleet;
        let servers = present.iter().copied().chain(std::iter::repeat((*new)?));
        Some(replicas(load, servers.take(count as usize)))
    }

    /// The same shard with its Replicas counted.
    pub(super) fn counted(mut self) -> Self {
        let server = |level, taken| Some(Server { cost: self.cost(level)?, taken });
        let topology = &self.observation.topology;
        let mut nodes: Vec<_> =
            self.shape.replicas.iter().filter_map(|n| topology.node(*n)).collect();
        nodes.sort_by_key(|n| n.joined);
        let present = nodes.iter().filter_map(|n| server(n.level, self.foreign(n.id))).collect();
        self.fleet = Fleet { present, new: server(self.node_level(), 0.0) };
        self
    }

    /// Part of a node's time that other shards take.
    fn foreign(&self, node: NodeId) -> f64 {
        let own = self.seen.members.get(&node).map_or(0.0, |m| busy(&m.work));
        self.taken.get(&node).map_or(0.0, |all| (all - own).max(0.0))
    }
}
